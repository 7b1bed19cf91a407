"""A recording in the place of a live stream: the same events, with no network."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from entro_nb.streams.events import Event, Happening, Notice, Reading
from entro_nb.streams.replay import Replay
from entro_nb.streams.source import Source

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Playback"]


class Playback:
    """Replays a recording as an adapter would give it, once and to its end.

    Parameters
    ----------
    source : Source
        The stream that it stands for.
    data : xarray.DataArray
        The recording, as for :class:`entro_nb.streams.Replay`.
    speed, longest_pause : float
        As for :class:`entro_nb.streams.Replay`.
    now : callable, optional
        Wall clock that dates the events; if not given, they are dated by the recording, so that
        the same replay gives the same frames.

    Examples
    --------
    >>> import asyncio
    >>> from entro_nb import streams
    >>> source = streams.CATALOG["usgs"]
    >>> async def first():
    ...     async for event in Playback(source, streams.load("earthquakes")):
    ...         if isinstance(event, Reading):
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
                yield Reading(moment, sample.value, time.perf_counter())
        yield Notice(moment, Happening.ENDED, "the recording is over")
