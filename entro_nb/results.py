"""Results as labelled arrays: named dimensions, units, and the parameters that made them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dataset", "parameters_of"]


def parameters_of(*configs: Any, **scalars: Any) -> dict[str, str | int | float]:
    """Flat mapping of the parameters of dataclasses and scalars, fit for NetCDF attributes.

    None, booleans and containers become JSON text, since NetCDF knows only numbers and text.

    Examples
    --------
    >>> parameters_of(seed=3, limits=(0, 1), name="surge")
    {'seed': 3, 'limits': '[0, 1]', 'name': 'surge'}
    """
    merged: dict[str, Any] = {}
    for config in configs:
        merged |= dataclasses.asdict(config)
    merged |= scalars
    return {name: _attribute(value) for name, value in merged.items()}


def _attribute(value: Any) -> str | int | float:
    if isinstance(value, (bool, np.bool_)) or value is None:
        return json.dumps(None if value is None else bool(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value, default=str)


def dataset(
    variables: Mapping[str, tuple[tuple[str, ...] | str, Any, str, str]],
    *,
    coords: Mapping[str, tuple[Any, str]] | None = None,
    parameters: Mapping[str, Any] | None = None,
    title: str = "",
    source: str = "",
) -> xr.Dataset:
    """Dataset from named variables, each given as (dims, values, units, long name).

    Parameters
    ----------
    variables : mapping
        Name to ``(dims, values, units, long_name)``.
    coords : mapping, optional
        Name of a dimension to ``(values, units)``.
    parameters : mapping, optional
        Parameters that made the result, stored as attributes (see :func:`parameters_of`).
    title, source : str
        Global attributes: what it is, and which seed or recording it comes from.

    Returns
    -------
    xarray.Dataset

    Examples
    --------
    >>> ds = dataset({"psi": ("time", [0.0, 1.0], "nats", "entropy proxy")},
    ...              coords={"time": ([0.0, 0.1], "s")}, parameters={"seed": 1})
    >>> ds.psi.attrs["units"], ds.attrs["seed"]
    ('nats', 1)
    """
    import xarray as xr

    data = {
        name: (dims, values, {"units": units, "long_name": long_name})
        for name, (dims, values, units, long_name) in variables.items()
    }
    axes = {
        # An index of pandas (a range, say) stays one: as an array it would take memory.
        name: (name, values if hasattr(values, "dtype") else np.asarray(values), {"units": units})
        for name, (values, units) in (coords or {}).items()
    }
    attrs = {"title": title, "source": source} | dict(parameters or {})
    return xr.Dataset(data, coords=axes, attrs={k: v for k, v in attrs.items() if v != ""})
