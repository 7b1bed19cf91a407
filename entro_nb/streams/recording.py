"""Save a live stream, so that it can be replayed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entro_nb import validate
from entro_nb.errors import DataError
from entro_nb.streams.events import Event, Happening, Reading, opened
from entro_nb.streams.source import Source

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["open_recording", "record", "save"]


async def record(
    source: Source,
    events: AsyncIterable[Event],
    seconds: float,
    tell: Callable[[Event], object] = lambda event: None,
) -> xr.DataArray:
    """Values of a stream for so many seconds, ready for a replay.

    Parameters
    ----------
    source : Source
        The stream.
    events : async iterable of events
        Where they come from: an adapter.
    seconds : float
        How long to listen.
    tell : callable
        Told of every event.

    Returns
    -------
    xarray.DataArray
        Values over `time`, with units, band, terms and where they come from; a message without
        the value it should carry is NaN.

    Raises
    ------
    DataError
        If no value came.
    """
    import numpy as np
    import xarray as xr

    seconds = validate.real("seconds", seconds, low=0.0, open_low=True)
    times: list[float] = []
    values: list[float] = []
    start: tuple[float, float] | None = None
    try:
        async with asyncio.timeout(seconds), opened(events) as items:
            async for event in items:
                tell(event)
                if isinstance(event, Reading):
                    # The first moment by the wall clock, the others by the one that never jumps.
                    start = start or (event.time, event.arrived)
                    times.append(start[0] + event.arrived - start[1])
                    values.append(event.value)
                elif event.kind is Happening.MISSING and times:
                    times.append(max(times[-1], event.time))
                    values.append(np.nan)
    except TimeoutError:
        pass
    if not values:
        raise DataError("recording", source.name, f"at least one value in {seconds:g} s")
    microseconds = np.round(np.maximum.accumulate(times) * 1e6).astype(np.int64)
    return xr.DataArray(
        np.array(values),
        coords={"time": microseconds.astype("datetime64[us]").astype("datetime64[ns]")},
        dims="time",
        name="value",
        attrs={
            "units": source.units,
            "long_name": source.quantity,
            "title": f"Recording of: {source.title}",
            "band": [source.low, source.high],
            "stream": source.name,
            "source": source.endpoint,
            "attribution": source.attribution,
            "licence": source.terms,
            "generated": "no",
        },
    )


def save(data: xr.DataArray, path: str | Path) -> Path:
    """Write a recording to a NetCDF file."""
    target = Path(path)
    data.to_netcdf(target, engine="netcdf4")
    return target


def open_recording(path: str | Path) -> xr.DataArray:
    """Recording from a file that `save` wrote, for :class:`entro_nb.streams.Replay`.

    Raises
    ------
    DataError
        If there is no such file, or it is no recording.
    """
    import xarray as xr

    try:
        data: Any = xr.load_dataarray(Path(path), engine="netcdf4")
    except (OSError, ValueError):
        raise DataError("recording", str(path), "a file that 'entro-nb record' wrote") from None
    if data.dims != ("time",) or "units" not in data.attrs:
        raise DataError("recording", str(path), "a file that 'entro-nb record' wrote")
    return data  # type: ignore[no-any-return]
