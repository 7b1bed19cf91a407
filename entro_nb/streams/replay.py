"""Replay of recorded data: as fast as possible, in real time, or at any speed between."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Replay", "Sample"]

#: Samples between two moments at which a replay without pauses lets other tasks run.
BREATH = 256


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

    def __init__(
        self, data: xr.DataArray, speed: float = math.inf, longest_pause: float = math.inf
    ) -> None:
        if getattr(data, "dims", None) is None:
            raise ParameterTypeError("data", data, "a DataArray over 'time'")
        if data.dims != ("time",):
            raise ParameterError("dims of data", data.dims, "the single dim 'time'")
        if data.size == 0:
            raise DataError("data", "an empty DataArray", "at least one sample")
        self.speed = _positive("speed", speed)
        self.longest_pause = _positive("longest_pause", longest_pause)
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
        for due, sample in self._schedule(time.monotonic):
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            yield sample

    async def __aiter__(self) -> AsyncIterator[Sample]:
        for k, (due, sample) in enumerate(self._schedule(time.monotonic)):
            if (wait := due - time.monotonic()) > 0 or k % BREATH == 0:
                await asyncio.sleep(max(wait, 0.0))
            yield sample

    def _schedule(self, clock: Callable[[], float]) -> Iterator[tuple[float, Sample]]:
        # Due times add up from the start, so that the time a consumer takes is not added to them.
        due, before = clock(), float(self.times[0])
        for at, value in zip(self.times.tolist(), self.values.tolist(), strict=True):
            due += min((at - before) / self.speed, self.longest_pause)
            before = at
            yield due, Sample(at - float(self.times[0]), None if math.isnan(value) else value)


def _positive(name: str, value: float) -> float:
    return value if value == math.inf else validate.real(name, value, low=0.0, open_low=True)


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
