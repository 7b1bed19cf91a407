"""What a connection to a stream says, and how patient it is: readings, notices, limits, losses."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Annotated

import numpy as np

from entro_nb import validate
from entro_nb.validate import Bounds, Count, NonNegative, Parameters, Positive


class Happening(Enum):
    """What can happen to a stream."""

    CONNECTED = "connected"  #: data may come
    DROPPED = "dropped"  #: the connection is gone, or was given up; another follows
    SKIPPED = "skipped"  #: a message of another kind, or one that cannot be read
    MISSING = "missing"  #: a message without the value it should carry
    DUPLICATE = "duplicate"  #: the same trade, earthquake or observation again
    LATE = "late"  #: older than the one before it; its value counts all the same
    UNCHANGED = "unchanged"  #: the server says that nothing is new (304)
    ENDED = "ended"  #: the recording is over
    HEARTBEAT = "heartbeat"  #: the classification has become unsteady, or steady again
    EXTENSION = "extension"  #: something that reads the frames has failed


@dataclass(frozen=True, slots=True)
class Arrival:
    """One value of a stream."""

    time: float  #: when it was received, seconds since 1970
    value: float  #: finite, in the stream's units
    arrived: float  #: when it was received, seconds of the clock that never jumps


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, in words."""

    time: float  #: seconds since 1970
    kind: Happening
    detail: str


Event = Arrival | Notice


@asynccontextmanager
async def opened(events: AsyncIterable[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    """Iterate over events, and close what gives them at once when the block is left."""
    items = aiter(events)
    try:
        yield items
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


@dataclass(frozen=True)
class Policy(Parameters):
    """Timeouts, limits and backoff of a connection.

    Parameters
    ----------
    base, cap : float
        Seconds before the first new try, and at most. Each failure in a row doubles the wait;
        a value received ends the row.
    jitter : float
        Share of the wait that is left to chance, in [0, 1), so that clients that were cut off
        together do not come back together.
    timeout : float
        Seconds to connect, to subscribe, and to receive one whole answer to a request.
    ping : float
        Seconds between keep-alive signals.
    limit : int
        Largest message in bytes; a larger one ends the connection before it is held whole.
    patience : float
        Longest wait that a server may ask for (Retry-After), in seconds; more is not believed.
    stall : float, optional
        Seconds of silence after which a connection is given up; the stream's own if not given.

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> Policy(base=1.0, jitter=0.0).wait(4, np.random.default_rng(1))
    8.0
    """

    base: Positive = 1.0
    cap: float = 60.0
    jitter: Annotated[float, Bounds(0.0, 1.0, open_high=True)] = 0.5
    timeout: Positive = 10.0
    ping: Positive = 15.0
    limit: Count = 4 * 2**20
    patience: NonNegative = 3600.0
    stall: Positive | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("cap", self.cap, low=self.base)

    def wait(self, failures: int, rng: np.random.Generator) -> float:
        """Seconds to wait after so many failures in a row, at least one.

        base · 2^(failures − 1), at most `cap`, less a random share of up to `jitter`.
        """
        # Beyond 2⁶⁰ the cap has long been reached, and the power would overflow.
        full = min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        return float(full * (1.0 - self.jitter * rng.random()))


class LostError(Exception):
    """A connection is gone or was given up.

    Parameters
    ----------
    reason : str
        Why.
    wait : float, optional
        Seconds that the server asks to wait.
    floor : float
        Seconds to wait at least.
    """

    def __init__(self, reason: str, wait: float | None = None, floor: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.floor = reason, wait, floor


def retry_after(value: str | None, policy: Policy, now: float) -> float | None:
    """Seconds that a server asks to wait, None if it asks nothing usable.

    Usable is a whole number of seconds or a date, after the present and within the policy's
    patience; and never less than the first backoff, so that no server can make a client spin.

    Examples
    --------
    >>> retry_after("120", Policy(), now=0.0), retry_after("soon", Policy(), now=0.0)
    (120.0, None)
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return None
    return max(seconds, policy.base) if 0.0 < seconds <= policy.patience else None
