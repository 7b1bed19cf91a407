"""Recordings: written from a live stream, opened, and played again at any speed.

:class:`Replay` gives the samples of a recording, :class:`Playback` the events that a live
connection would give; both as fast as possible, in real time, or at any speed between.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError, SessionError
from entro_nb.streams.catalog import Source, find
from entro_nb.streams.connection import Arrival, Event, Happening, Notice, opened
from entro_nb.streams.data import labelled
from entro_nb.validate import Bounds, Positive, checked

if TYPE_CHECKING:
    import xarray as xr

#: Seconds of recording in a second of replay, or of a pause; infinity is no limit.
Speed = Annotated[float, Bounds(0.0, open_low=True, infinite=True)]

#: Samples between two moments at which a replay without pauses lets other tasks run.
_BREATH = 256


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a stream and when it was taken; None marks a missing one."""

    time: float  #: seconds since the start of the recording
    value: float | None


class Replay:
    """Gives the samples of a recording again, in their order and at a chosen speed.

    Iterate over it with ``for`` or ``async for``; each loop starts from the beginning.

    Parameters
    ----------
    data : xarray.DataArray
        Values over the dim `time`, whose coordinate is in order: dates, or numbers taken as
        seconds. NaN is a missing value and comes out as None; infinity is refused.
    speed : float
        Seconds of recording per second of replay: 1 is real time, infinity (the default) as
        fast as possible.
    longest_pause : float
        Upper limit of the wait between two samples, in seconds of replay.

    Raises
    ------
    ParameterError, DataError
        If `data` has other dims or is empty, is out of order or infinite somewhere, or the
        speed is not positive.

    Examples
    --------
    >>> import xarray as xr
    >>> data = xr.DataArray([1.0, float("nan")], coords={"time": [0.0, 2.0]}, dims="time")
    >>> [(s.time, s.value) for s in Replay(data)]
    [(0.0, 1.0), (2.0, None)]
    """

    @checked
    def __init__(
        self, data: xr.DataArray, speed: Speed = math.inf, longest_pause: Speed = math.inf
    ) -> None:
        if getattr(data, "dims", None) is None:
            raise ParameterTypeError("data", data, "a DataArray over 'time'")
        if data.dims != ("time",):
            raise ParameterError("dims of data", data.dims, "the single dim 'time'")
        if data.size == 0:
            raise DataError("data", "an empty DataArray", "at least one sample")
        self.speed = speed
        self.longest_pause = longest_pause
        self.values = np.asarray(data.values, dtype=np.float64)
        if np.isinf(self.values).any():
            where = int(np.argmax(np.isinf(self.values)))
            raise DataError(
                f"data[{where}]", float(self.values[where]), "finite, or NaN if missing"
            )
        self.times = _seconds(data["time"].values)

    def __len__(self) -> int:
        return int(self.values.size)

    @property
    def missing(self) -> int:
        """How many of the samples are missing."""
        return int(np.isnan(self.values).sum())

    def __iter__(self) -> Iterator[Sample]:
        for due, sample in self._schedule():
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            yield sample

    async def __aiter__(self) -> AsyncIterator[Sample]:
        for k, (due, sample) in enumerate(self._schedule()):
            if (wait := due - time.monotonic()) > 0 or k % _BREATH == 0:
                await asyncio.sleep(max(wait, 0.0))
            yield sample

    def _schedule(self) -> Iterator[tuple[float, Sample]]:
        # Due times add up from the start, so that the time a consumer takes is not added to them.
        due, before = time.monotonic(), float(self.times[0])
        for at, value in zip(self.times.tolist(), self.values.tolist(), strict=True):
            due += min((at - before) / self.speed, self.longest_pause)
            before = at
            yield due, Sample(at - float(self.times[0]), None if math.isnan(value) else value)


def _seconds(times: Any) -> validate.FloatArray:
    if times.dtype.kind == "M":
        seconds = (times - times[0]) / np.timedelta64(1, "s")
    else:
        seconds = validate.finite_array("time", times, ndim=1)
    steps = np.diff(seconds)
    if (steps < 0).any():
        where = int(np.argmax(steps < 0)) + 1
        raise DataError(f"time[{where}]", times[where], "times in order")
    return np.asarray(seconds, dtype=np.float64)


class Playback:
    """Replays a recording as an adapter would give it, once and to its end.

    Parameters
    ----------
    source : Source
        The stream that it stands for.
    data : xarray.DataArray
        The recording, as for :class:`Replay`.
    speed, longest_pause : float
        As for :class:`Replay`.
    now : callable, optional
        Wall clock that dates the events; if not given, they are dated by the recording, so that
        the same replay gives the same frames.

    Examples
    --------
    >>> import asyncio
    >>> from entro_nb import streams
    >>> source = streams.CATALOG["usgs"]
    >>> async def first():
    ...     async for event in Playback(source, streams.load_recording("earthquakes")):
    ...         if isinstance(event, Arrival):
    ...             return event.value
    >>> asyncio.run(first())
    4.1
    """

    def __init__(
        self,
        source: Source,
        data: xr.DataArray,
        speed: float = math.inf,
        longest_pause: float = math.inf,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.source = source
        self.replay = Replay(data, speed, longest_pause)
        self.title = str(data.attrs.get("title", "a recording"))
        times = data["time"].values
        # Dates are kept; times that count from nowhere are counted from 1970.
        self._start = (
            float(times[0].astype("datetime64[us]").astype("int64")) / 1e6
            if times.dtype.kind == "M"
            else float(times[0])
        )
        self._now = now

    async def __aiter__(self) -> AsyncIterator[Event]:
        now, start = self._now, self._start
        moment = start
        yield Notice(now() if now else start, Happening.CONNECTED, f"replay of {self.title}")
        async for sample in self.replay:
            moment = now() if now else start + sample.time
            if sample.value is None:
                yield Notice(moment, Happening.MISSING, "no value in the recording")
            else:
                yield Arrival(moment, sample.value, time.perf_counter())
        yield Notice(moment, Happening.ENDED, "the recording is over")


@checked
async def record_stream(
    source: Source,
    events: AsyncIterable[Event],
    seconds: Positive,
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
    SessionError
        If no value came; it says what was heard last.
    """
    times: list[float] = []
    values: list[float] = []
    start: tuple[float, float] | None = None
    last = "nothing was heard"
    try:
        async with asyncio.timeout(seconds), opened(events) as items:
            async for event in items:
                tell(event)
                if isinstance(event, Arrival):
                    # The first moment by the wall clock, the others by the one that never jumps.
                    start = start or (event.time, event.arrived)
                    times.append(start[0] + event.arrived - start[1])
                    values.append(event.value)
                    continue
                last = f"{event.kind.value}: {event.detail}"
                if event.kind is Happening.MISSING and times:
                    times.append(max(times[-1], event.time))
                    values.append(np.nan)
    except TimeoutError:
        pass
    if not values:
        raise SessionError(f"{source.name}: no value in {seconds:g} s ({last})")
    microseconds = np.round(np.maximum.accumulate(times) * 1e6).astype(np.int64)
    return labelled(
        values,
        microseconds.astype("datetime64[us]").astype("datetime64[ns]"),
        source,
        title=f"Recording of: {source.title}",
        stream=source.name,
        source=source.endpoint,
        attribution=source.attribution,
        licence=source.terms,
        generated="no",
    )


def save_recording(data: xr.DataArray, path: str | Path) -> Path:
    """Write a recording to a NetCDF file."""
    target = Path(path)
    data.to_netcdf(target, engine="netcdf4")
    return target


def open_recording(path: str | Path) -> xr.DataArray:
    """Recording from a file that `save_recording` wrote, for :class:`Replay`.

    Raises
    ------
    DataError
        If there is no such file, or it is no recording.
    """
    import xarray as xr

    try:
        data: xr.DataArray = xr.load_dataarray(Path(path), engine="netcdf4")
        if data.dims != ("time",) or "units" not in data.attrs:
            raise ValueError
    except (OSError, ValueError):
        raise DataError("recording", str(path), "a file that 'entro-nb record' wrote") from None
    return data


def record_to_file(
    stream: str | Source,
    seconds: float,
    path: str | Path | None = None,
    tell: Callable[[str], object] = print,
    make: Callable[[Source], AsyncIterable[Event]] | None = None,
) -> Path:
    """Record a live stream to a file for replay, and return the file.

    Parameters
    ----------
    stream : str or Source
        The stream.
    seconds : float
        How long to listen.
    path : path-like, optional
        The file; the stream's name with the ending ``.nc`` if not given.
    tell : callable
        Gets what happens on the way, line by line.
    make : callable, optional
        Makes what gives the events, if another than the stream's adapter is wanted.

    Raises
    ------
    SessionError
        If no value came; it says what was heard last.
    """
    if make is None:
        # Loaded here: a replay needs none of the network's packages.
        from entro_nb.streams.live import adapter

        make = adapter
    source = find(stream)

    def told(event: Event) -> None:
        if isinstance(event, Notice) and event.kind in (Happening.CONNECTED, Happening.DROPPED):
            tell(f"{event.kind.value}: {event.detail}")

    data = asyncio.run(record_stream(source, make(source), seconds, told))
    target = save_recording(data, path or f"{source.name}.nc")
    tell(f"{target}: {int(data.count())} values in {seconds:g} s")
    return target
