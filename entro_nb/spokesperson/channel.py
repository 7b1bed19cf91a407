"""Stages 1 to 5 for one stream: adapter, normaliser, Accountant, gate, in one chain of calls."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from entro_nb.accountant import (
    Accountant,
    AccountantConfig,
    DecisionGate,
    Normalizer,
    NormalizerConfig,
)
from entro_nb.spokesperson.heartbeat import Heartbeat
from entro_nb.spokesperson.record import Record
from entro_nb.streams import Event, Happening, Notice, Reading, Source, opened

__all__ = ["Channel", "Happened", "Tally"]

#: Seconds that a chain of messages may hold the event loop before others get their turn.
BREATH = 0.002

#: Seconds over which notices of the same words are counted into one row of the audit trail.
PERIOD = 10.0


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to a stream, so many times."""

    channel: int
    notice: Notice
    count: int = 1


@dataclass
class Tally:
    """Counts notices that come thick: the first of its kind at once, the rest together.

    Parameters
    ----------
    period : float
        Seconds between two rows of the same words.
    """

    period: float = PERIOD
    totals: Counter[Happening] = field(default_factory=Counter)
    _held: dict[tuple[Happening, str], list[Any]] = field(default_factory=dict)

    def add(self, notice: Notice, clock: float) -> list[tuple[Notice, int]]:
        """Rows to write because of this notice, at a moment of the clock that never jumps."""
        self.totals[notice.kind] += 1
        if notice.kind in (Happening.CONNECTED, Happening.DROPPED, Happening.ENDED):
            return [*self.flush(), (notice, 1)]
        key = notice.kind, notice.detail
        held = self._held.get(key)
        if held is None:
            self._held[key] = [notice, 0, clock]
            return [(notice, 1)]
        held[0], held[1] = notice, held[1] + 1
        if clock - held[2] < self.period:
            return []
        del self._held[key]
        return [(notice, held[1])]

    def flush(self) -> list[tuple[Notice, int]]:
        """Rows for what is still held."""
        rows = [(notice, count) for notice, count, _ in self._held.values() if count]
        self._held.clear()
        return rows


class Channel:
    """One stream on its way from its source to the queue.

    Parameters
    ----------
    number : int
        Number of the channel in the audit trail.
    source : Source
        The stream.
    events : async iterable
        An adapter or a playback.
    gate : DecisionGate
    put : callable
        Takes each :class:`Record` and :class:`Happened`; it must not wait.
    config : AccountantConfig, optional
    normalizer : NormalizerConfig, optional
        The stream's own band if not given.
    """

    def __init__(
        self,
        number: int,
        source: Source,
        events: AsyncIterable[Event],
        gate: DecisionGate,
        put: Callable[[Record | Happened], None],
        config: AccountantConfig | None = None,
        normalizer: NormalizerConfig | None = None,
    ) -> None:
        self.number, self.source, self.events, self.gate = number, source, events, gate
        self.accountant = Accountant(config)
        self.normalizer = Normalizer(normalizer or NormalizerConfig(source.low, source.high))
        self.heartbeat = Heartbeat()
        self.tally = Tally()
        self.readings = 0
        #: Seconds from receipt to frame: the sum, and the largest.
        self.latency_sum = self.latency_max = 0.0
        self.watch: Callable[[float], None] | None = None
        self._put = put

    def parameters(self) -> dict[str, Any]:
        """Everything that makes this channel's frames, for the audit trail."""
        return {
            "endpoint": self.source.endpoint,
            "adapter": type(self.events).__name__,
            "accountant": asdict(self.accountant.config),
            "thresholds": asdict(self.accountant.thresholds),
            "normalizer": asdict(self.normalizer.config),
            "min_confidence": self.gate.min_confidence,
        }

    async def run(self) -> None:
        """Take in the stream until it ends or is cancelled."""
        clock = time.perf_counter
        breath = clock()
        try:
            async with opened(self.events) as events:
                async for event in events:
                    if type(event) is Reading:
                        self._take(event)
                    elif isinstance(event, Notice):
                        self._notice(event)
                    if clock() - breath > BREATH:
                        # A source that is never empty would leave the other tasks no turn.
                        await asyncio.sleep(0)
                        breath = clock()
        finally:
            for notice, count in self.tally.flush():
                self._put(Happened(self.number, notice, count))

    def _take(self, reading: Reading) -> None:
        """Stages 3 to 5 for one value."""
        frame = self.accountant.process(self.normalizer.process(reading.value))
        decision = self.gate.route(frame)
        latency = time.perf_counter() - reading.arrived
        self.readings += 1
        self.latency_sum += latency
        self.latency_max = max(self.latency_max, latency)
        if self.watch is not None:
            self.watch(latency)
        self._put(
            Record(self.number, self.source.name, reading.time, reading.value, frame, decision)
        )

    def _notice(self, notice: Notice) -> None:
        for row, count in self.tally.add(notice, time.perf_counter()):
            self._put(Happened(self.number, row, count))
