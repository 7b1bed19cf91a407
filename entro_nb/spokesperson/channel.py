"""Stages 1 to 5 for one stream: adapter, normaliser, Accountant, gate, in one chain of calls.

Beside the Accountant, which sees normalised values, a monitor of surprise judges those received.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterable, Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from entro_nb import validate
from entro_nb.accountant import (
    Accountant,
    AccountantConfig,
    DecisionGate,
    Normalizer,
    NormalizerConfig,
    Stability,
    Thresholds,
    rarity,
)
from entro_nb.errors import ParameterError
from entro_nb.spokesperson.audit import FrameRecord, Keeper
from entro_nb.streams import Arrival, Event, Happening, Notice, Playback, Source, opened, sample
from entro_nb.surprise import Surprise, SurpriseConfig

if TYPE_CHECKING:
    import xarray as xr

#: Seconds that a chain of messages may hold the event loop before others get their turn.
BREATH = 0.002

#: Parameters of the monitor beside an Accountant, where nobody asks for others.
MONITOR = SurpriseConfig()

#: Seconds over which notices of the same words are counted into one row of the audit trail.
PERIOD = 10.0


def intake(
    source: Source,
    data: xr.DataArray | AsyncIterable[Event] | None = None,
    *,
    live: bool,
    speed: float,
    now: Callable[[], float],
) -> AsyncIterable[Event]:
    """Events of a stream.

    Parameters
    ----------
    source : Source
    data : xarray.DataArray or async iterable of events, optional
        A recording to replay, in place of the one that comes with the package, or the events.
    live : bool
        Whether to go to the network, if there are no data.
    speed : float
        Seconds of recording per second of replay.
    now : callable
        Wall clock that dates what comes from the network.

    Raises
    ------
    ParameterError
        If the stream lacks credentials to go live, or a recording is to be live.
    """
    if data is not None and hasattr(data, "__aiter__"):
        return cast("AsyncIterable[Event]", data)
    if live:
        if data is not None:
            raise ParameterError("live", live, "False for a recording")
        if names := source.missing_credentials():
            raise ParameterError(
                "stream", source.name, f"one with credentials: set {' and '.join(names)}"
            )
        # Loaded here: a replay needs none of the network's packages.
        from entro_nb.streams import adapter

        return adapter(source, now=now)
    recording = sample(source) if data is None else cast("xr.DataArray", data)
    return Playback(source, recording, speed)


@dataclass
class NoticeCounter:
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


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What is to be known of a channel from outside: a copy, by which nothing can be changed.

    Parameters
    ----------
    number : int
        Number of the channel in the audit trail.
    readings : int
        Values measured so far.
    totals : Counter
        How often each thing happened to the stream.
    thresholds : Thresholds
        Limits of the classes now in force.
    promise : float or None
        Mean number of values between false alarms, at least, now promised; None while the monitor
        of surprise is shut down.
    beat : Beat or None
        State of the heartbeat; None while that is shut down.
    latency_sum, latency_max : float
        Seconds from receipt to frame: the sum, and the largest.
    """

    number: int
    readings: int
    totals: Counter[Happening]
    thresholds: Thresholds
    promise: float | None
    beat: Beat | None
    latency_sum: float
    latency_max: float


@dataclass(frozen=True, slots=True)
class Beat:
    """State of the heartbeat after a frame.

    Parameters
    ----------
    entropy : float
        H of the recent stability classes, in bits.
    commonest : Stability
        The class met most often.
    unsteady : bool
        Whether the entropy is beyond its limit.
    """

    entropy: float
    commonest: Stability
    unsteady: bool


class Heartbeat:
    """Entropy of the Accountant's own recent stability classes (seed 003, §2, link 5).

    H = −Σ p log₂ p over the shares of the classes among the last `window` frames; those without
    a class do not count. One class alone gives 0, two that alternate 1 bit, all five evenly
    log₂ 5. The placeholder of the Diagnostician: it tells an operator that the classification
    itself has become unsteady.

    Parameters
    ----------
    window : int
        Frames looked back on.
    limit : float
        Bits beyond which the operator is told. Ours: 1.5, which takes three classes about as
        often as each other. Raise it for a stream that is lively by nature.

    Examples
    --------
    >>> heartbeat = Heartbeat(window=4)
    >>> [heartbeat.hear(s).entropy for s in (Stability.STABLE, Stability.DRIFTING)]
    [0.0, 1.0]
    """

    def __init__(self, window: int = 256, limit: float = 1.5) -> None:
        self.window = validate.integer("window", window, 2)
        self.limit = validate.real("limit", limit, low=0.0)
        self._labels: deque[Stability] = deque()
        self._counts = [0] * len(Stability)
        #: State after the last frame.
        self.beat = Beat(0.0, Stability.UNKNOWN, False)

    def hear(self, stability: Stability) -> Beat:
        """State after another frame of this class."""
        if stability is Stability.UNKNOWN:
            return self.beat
        self._labels.append(stability)
        self._counts[stability] += 1
        if len(self._labels) > self.window:
            gone = self._labels.popleft()
            if gone is stability:
                self._counts[gone] -= 1
                return self.beat  # nothing has changed, as is usual
            self._counts[gone] -= 1
        counts, held = self._counts, len(self._labels)
        # log₂ n − Σ c log₂ c / n is −Σ p log₂ p for p = c / n, and exactly 0 for a single class.
        entropy = math.log2(held) - sum(c * math.log2(c) for c in counts if c) / held
        commonest = Stability(max(range(len(counts)), key=counts.__getitem__))
        self.beat = Beat(entropy, commonest, entropy > self.limit)
        return self.beat


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
    keeper : Keeper
        Writes frames and notices into the audit trail.
    config : AccountantConfig, optional
    normalizer : NormalizerConfig, optional
        The stream's own band if not given.
    surprise : SurpriseConfig or None
        Parameters of the monitor of surprise; None for a chain without.
    """

    def __init__(
        self,
        number: int,
        source: Source,
        events: AsyncIterable[Event],
        gate: DecisionGate,
        keeper: Keeper,
        config: AccountantConfig | None = None,
        normalizer: NormalizerConfig | None = None,
        surprise: SurpriseConfig | None = MONITOR,
    ) -> None:
        self.number, self.source, self.events, self.gate = number, source, events, gate
        self.accountant = Accountant(config)
        self.normalizer = Normalizer(normalizer or NormalizerConfig(source.low, source.high))
        #: None while it is shut down, like the next.
        self.surprise = None if surprise is None else Surprise(surprise)
        self.heartbeat: Heartbeat | None = Heartbeat()
        self.tally = NoticeCounter()
        self.readings = 0
        #: Seconds from receipt to frame: the sum, and the largest.
        self.latency_sum = self.latency_max = 0.0
        self.watch: Callable[[float], None] | None = None
        self._keeper = keeper

    def parameters(self) -> dict[str, Any]:
        """Everything that makes this channel's frames, for the audit trail."""
        return {
            "endpoint": self.source.endpoint,
            "adapter": type(self.events).__name__,
            "accountant": asdict(self.accountant.config),
            "thresholds": asdict(self.accountant.thresholds),
            "normalizer": asdict(self.normalizer.config),
            "surprise": None if self.surprise is None else asdict(self.surprise.config),
            "min_confidence": self.gate.min_confidence,
            "routes": {label.name: path.name for label, path in self.gate.routes.items()},
            "on_alarm": None if self.gate.on_alarm is None else self.gate.on_alarm.name,
        }

    def state(self) -> ChannelState:
        """What is to be known of it from outside."""
        return ChannelState(
            self.number,
            self.readings,
            Counter(self.tally.totals),
            self.accountant.thresholds,
            None if self.surprise is None else self.surprise.config.promise,
            None if self.heartbeat is None else self.heartbeat.beat,
            self.latency_sum,
            self.latency_max,
        )

    async def run(self) -> None:
        """Take in the stream until it ends or is cancelled."""
        clock = time.perf_counter
        breath = clock()
        try:
            async with opened(self.events) as events:
                async for event in events:
                    if type(event) is Arrival:
                        self._take(event)
                    elif isinstance(event, Notice):
                        self._notice(event)
                    if clock() - breath > BREATH:
                        # A source that is never empty would leave the other tasks no turn.
                        await asyncio.sleep(0)
                        breath = clock()
        finally:
            self.flush()

    def _take(self, reading: Arrival) -> None:
        """Stages 3 to 5 for one value."""
        x = reading.value
        z = self.normalizer.process(x)
        judged = None if self.surprise is None else self.surprise.process(x)
        frame = self.accountant.process(z, self.source.name, reading.time, x, judged)
        decision = self.gate.route(frame)
        latency = time.perf_counter() - reading.arrived
        self.readings += 1
        self.latency_sum += latency
        self.latency_max = max(self.latency_max, latency)
        if self.watch is not None:
            self.watch(latency)
        self._keeper.put(FrameRecord(self.number, frame, decision))
        if frame.alarm:
            self.tally.totals[Happening.ALARM] += 1
            self.say(Notice(reading.time, Happening.ALARM, f"value {x:g}: {rarity(frame)}"))
        if self.heartbeat is None:
            return
        before = self.heartbeat.beat.unsteady
        beat = self.heartbeat.hear(frame.stability)
        if beat.unsteady != before:
            state = "unsteady" if beat.unsteady else "steady again"
            words = f"{beat.entropy:.2f} bits over the recent classes"
            self.say(
                Notice(reading.time, Happening.HEARTBEAT, f"the classification is {state}: {words}")
            )

    def _notice(self, notice: Notice) -> None:
        for row, count in self.tally.add(notice, time.perf_counter()):
            self.say(row, count)

    def flush(self) -> None:
        """Have it written what the counter of notices still holds."""
        for notice, count in self.tally.flush():
            self.say(notice, count)

    def say(self, notice: Notice, count: int = 1) -> None:
        """Have it written that something happened to the stream, so many times."""
        row = (self.number, notice.time, notice.kind.value, notice.detail, count)
        self._keeper.write(self._keeper.audit.event, *row)
