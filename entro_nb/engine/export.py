"""Trajectories to files: CSV for spreadsheets, NetCDF for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from entro_nb.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["export"]


def export(run: xr.Dataset, path: str | Path) -> Path:
    """Write a simulated run to a ``.csv`` or ``.nc`` file.

    NetCDF keeps everything: units, parameters, sums. CSV keeps the trajectories, one row for
    each replicate and time, a column for each signal and subsystem (``psi_llm``).

    Parameters
    ----------
    run : xarray.Dataset
        From :func:`entro_nb.engine.simulate`.
    path : str or Path
        Its suffix chooses the format.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If the suffix is neither, or the dataset has no trajectories.

    Examples
    --------
    >>> import tempfile
    >>> from entro_nb.engine import simulate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = export(simulate(), Path(folder) / "run.csv")
    ...     len(file.read_text().splitlines())
    1001
    """
    path = Path(path)
    if "time" not in run.dims:
        raise ParameterError("run", list(run.dims), "a dataset with trajectories over time")
    if path.suffix == ".nc":
        run.to_netcdf(path)
        return path
    if path.suffix != ".csv":
        raise ParameterError("path", str(path), "a file that ends in .csv or .nc")
    columns = {}
    for name, signal in run.data_vars.items():
        if "time" not in signal.dims:
            continue
        if "subsystem" in signal.dims:
            for node in run.subsystem.values:
                columns[f"{name}_{node}"] = signal.sel(subsystem=node, drop=True)
        else:
            columns[str(name)] = signal
    run.drop_vars(list(run.data_vars)).drop_dims("subsystem").assign(columns).to_dataframe().to_csv(
        path
    )
    return path
