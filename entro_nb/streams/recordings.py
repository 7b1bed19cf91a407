"""Real recordings that come with a dependency and need no network."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from entro_nb import validate

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RECORDINGS", "Recording", "load"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded stream of scalars: what it is, where it comes from, and its band.

    Parameters
    ----------
    title : str
        What was measured, where and when.
    quantity, units : str
        What one value is, and its units.
    low, high : float
        Band for normalisation: where the values usually lie, chosen beforehand from what the
        quantity is, never from the recording.
    source, licence : str
        Who measured it and on what terms it may be used.
    read : callable
        Gives the (times, values) of the recording, in order of time.
    """

    title: str
    quantity: str
    units: str
    low: float
    high: float
    source: str
    licence: str
    read: Callable[[], tuple[Any, Any]]


def _earthquakes() -> tuple[Any, Any]:
    import hvsampledata

    table = hvsampledata.earthquakes("pandas").sort_values("time", kind="stable")
    return table["time"], table["mag"]


def _apple() -> tuple[Any, Any]:
    import hvsampledata

    table = hvsampledata.apple_stocks("pandas")
    return table["date"], table["close"]


def _bokeh_sample(module: str, name: str) -> Any:
    # Bokeh's own reader may use what pandas is about to drop: not the caller's business.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return getattr(importlib.import_module(f"bokeh.sampledata.{module}"), name)


def _sea_temperature() -> tuple[Any, Any]:
    table = _bokeh_sample("sea_surface_temperature", "sea_surface_temperature")
    return table.index.tz_localize(None), table["temperature"]


def _glucose() -> tuple[Any, Any]:
    table = _bokeh_sample("glucose", "data")
    return table.index, table["glucose"]


#: The recordings, by name.
RECORDINGS: Mapping[str, Recording] = MappingProxyType(
    {
        "earthquakes": Recording(
            "Earthquakes along the Pacific Ring of Fire, April to July 2024",
            "magnitude", "1", 2.0, 7.0,
            "U.S. Geological Survey, through hvsampledata", "public domain", _earthquakes,
        ),
        "apple": Recording(
            "Apple share, daily close, 2019 to 2024",
            "price", "USD", 0.0, 250.0,
            "public news sources, through hvsampledata", "as hvsampledata", _apple,
        ),
        "sea_temperature": Recording(
            "Sea surface temperature at NERACOOS buoy B01, half-hourly, 2016 and 2017",
            "temperature", "degC", 0.0, 25.0,
            "NERACOOS and University of Maine, through bokeh_sampledata",
            "free to use and redistribute", _sea_temperature,
        ),
        "glucose": Recording(
            "Blood glucose of one person, every five minutes, from 2010",
            "glucose", "mg/dL", 40.0, 300.0,
            "given to the Bokeh project, through bokeh_sampledata", "public domain", _glucose,
        ),
    }
)  # fmt: skip


def load(name: str) -> xr.DataArray:
    """A real recording as a DataArray over `time`.

    Parameters
    ----------
    name : str
        One of :data:`RECORDINGS`.

    Returns
    -------
    xarray.DataArray
        Values over time, with units, band, source and licence as attributes. A missing value
        stays NaN.

    Raises
    ------
    ParameterError
        If there is no recording of that name; the nearest one is suggested.

    Examples
    --------
    >>> quakes = load("earthquakes")
    >>> quakes.dims, quakes.size, quakes.attrs["units"]
    (('time',), 596, '1')
    """
    import numpy as np
    import xarray as xr

    recording = RECORDINGS[validate.choice("recording", name, RECORDINGS)]
    times, values = recording.read()
    return xr.DataArray(
        np.asarray(values, dtype=np.float64),
        coords={"time": np.asarray(times, dtype="datetime64[ns]")},
        dims="time",
        name=recording.quantity,
        attrs={
            "units": recording.units,
            "long_name": recording.quantity,
            "title": recording.title,
            "band": [recording.low, recording.high],
            "source": recording.source,
            "licence": recording.licence,
        },
    )
