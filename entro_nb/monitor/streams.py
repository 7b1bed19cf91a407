"""Files of many streams, watched on a cluster: blocks of whole streams, and of each its alarms."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.monitor.watching import alarms, watch
from entro_nb.surprise import SurpriseConfig

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Bytes of the values of a block, which a worker holds with all that is said of them.
BLOCK = 16_000_000


def open_streams(path: str | os.PathLike[str], variable: str | None = None) -> xr.DataArray:
    """Streams in a NetCDF file or a Zarr store, to be read where and when they are needed.

    Parameters
    ----------
    path : path-like
        File or store, at a place that the workers of a cluster see too.
    variable : str, optional
        Which one, of those over `time` and other dims; needed if there are several.

    Raises
    ------
    DataError
        If it is neither, or holds nothing over `time`.
    ParameterError
        If there is no such variable (the nearest is named), or more than one and none is named.

    Examples
    --------
    >>> import tempfile, xarray as xr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     x = xr.DataArray(np.zeros((3, 10)), dims=("site", "time"), name="load")
    ...     x.to_netcdf(Path(folder, "load.nc"))
    ...     open_streams(Path(folder, "load.nc")).sizes["site"]
    3
    """
    import dask
    import xarray as xr

    place = Path(path).absolute()
    store: Any = {"engine": "netcdf4"}
    if place.is_dir():
        store = {"engine": "zarr", "consolidated": False}
    try:
        file = xr.open_dataset(place, chunks={}, **store)
    except (OSError, ValueError, KeyError) as error:
        raise DataError("file", str(path), "NetCDF, or a Zarr store") from error
    names = [str(name) for name, found in file.data_vars.items() if "time" in found.dims]
    if not names:
        raise DataError("file", str(path), "a variable over 'time'")
    if variable is None and len(names) > 1:
        raise ParameterError("column", None, f"the name of one of {', '.join(names)}")
    x = file[names[0] if variable is None else validate.choice("column", variable, names)]
    with dask.config.set({"array.chunk-size": BLOCK}):
        return x.chunk({dim: -1 if dim == "time" else "auto" for dim in x.dims})


def alarms_of_streams(
    x: xr.DataArray, config: SurpriseConfig, client: Any
) -> Iterator[tuple[pd.DataFrame, float]]:
    """Alarms of each block of streams as :func:`entro_nb.monitor.alarms` tells them; share done.

    Parameters
    ----------
    x : xarray.DataArray
        Streams as :func:`open_streams` gives them. A dim without a coordinate is counted.
    config : SurpriseConfig
        As for :func:`entro_nb.watch`.
    client : distributed.Client
        Of the cluster that works; nothing but the tables comes here.
    """
    from dask.delayed import delayed

    found = watch(x, config)[["value", "surprisal", "p_value", "evidence", "score", "alarm"]]
    others = [dim for dim in x.dims if dim != "time"]
    counted = {dim: np.arange(x.sizes[dim]) for dim in others if dim not in x.coords}
    found = found.assign_coords(counted)
    parts = []
    for dim in others:
        ends = np.cumsum([0, *x.chunksizes[dim]]).tolist()
        parts.append([slice(*pair) for pair in itertools.pairwise(ends)])
    blocks = [dict(zip(others, part, strict=True)) for part in itertools.product(*parts)]
    futures = client.compute([delayed(alarms)(found.isel(block)) for block in blocks])
    try:
        while futures:
            yield futures.pop(0).result(), 1.0 - len(futures) / len(blocks)
    finally:
        client.cancel(futures)
