"""What a connection to a stream says, how patient it is, and STOMP on the wire.

Readings, notices, limits and losses are of every connection; a STOMP broker's frames, cut from
bytes and packed into them, and its heartbeats are of one kind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Annotated, Any, NamedTuple

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
    ALARM = "alarm"  #: a value so unlikely that an alarm is raised
    HEARTBEAT = "heartbeat"  #: the classification has become unsteady, or steady again
    EXTENSION = "extension"  #: something that reads the frames has failed, or is shut down


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


def _stomp_utils() -> Any:
    """stomp.py's frames; at import it would look up this machine's names, which may hang."""
    os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")
    from stomp import utils

    return utils


def frame_bytes(command: str, headers: Mapping[str, object]) -> bytes:
    r"""A frame without a body, as it is sent.

    Examples
    --------
    >>> frame_bytes("SUBSCRIBE", {"id": 0})
    b'SUBSCRIBE\nid:0\n\n\x00'
    """
    utils = _stomp_utils()
    packed: bytes = utils.pack(utils.convert_frame(utils.Frame(command, headers, None)))
    return packed


class FrameBuffer:
    r"""Cuts a stream of bytes into STOMP frames, none larger than a limit.

    Examples
    --------
    >>> buffer = FrameBuffer(limit=100)
    >>> list(buffer.feed(b"\n\nMESSAGE\ncontent-length:3\n\na\0b"))
    []
    >>> [(f.cmd, f.body) for f in buffer.feed(b"\0\n")]
    [('MESSAGE', b'a\x00b')]
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Frames that are complete with these bytes.

        Raises
        ------
        LostError
            If a frame grows beyond the limit, or its length and its end disagree.
        """
        self._held += data
        while True:
            # Line feeds between frames are heartbeats.
            if self._held.startswith((b"\n", b"\r")):
                self._held = self._held.lstrip(b"\r\n")
            end = self._end()
            if end > self.limit or (end < 0 and len(self._held) > self.limit):
                raise LostError(f"a message of more than {self.limit} bytes")
            if end < 0 or end >= len(self._held):
                return
            if self._held[end] != 0:
                raise LostError("a frame of another length than it says")
            frame = bytes(self._held[:end])
            del self._held[: end + 1]
            parsed = _stomp_utils().parse_frame(frame)
            if parsed is not None:
                yield parsed

    @property
    def empty(self) -> bool:
        """Whether no part of a frame is held."""
        return not self._held

    def _end(self) -> int:
        """Where the first frame ends, −1 if that cannot be told yet."""
        head = self._held.find(b"\n\n"), self._held.find(b"\n\r\n")
        ends = [at + skip for at, skip in zip(head, (2, 3), strict=True) if at >= 0]
        null = self._held.find(0)
        if ends and (null < 0 or min(ends) <= null):
            body = min(ends)
            for line in bytes(self._held[:body]).splitlines()[1:]:
                name, _, value = line.partition(b":")
                if name.strip() == b"content-length":
                    if not value.strip().isdigit() or len(value) > 12:
                        raise LostError("a frame of another length than it says")
                    return body + int(value)
        return null


class Carrier(NamedTuple):
    """What takes bytes to a broker and back."""

    send: Callable[[bytes], Awaitable[None]]
    receive: Callable[[], Awaitable[bytes]]  #: what has come, nothing at the end
    abort: Callable[[], None]  #: closes at once: nothing is owed to a server that may be silent


def heartbeat_period(offer: str, ours: float) -> float:
    """Seconds between our heartbeats, from the broker's offer "sends,wants" in milliseconds.

    Examples
    --------
    >>> heartbeat_period("0,20000", ours=15.0), heartbeat_period("0,0", ours=15.0)
    (20.0, 0.0)
    """
    wants = offer.partition(",")[2]
    milliseconds = int(wants) if wants.isascii() and wants.isdecimal() else 0
    return max(ours, milliseconds / 1000) if milliseconds else 0.0


async def send_heartbeats(carrier: Carrier, period: float) -> None:
    """Line feeds in time; a connection that is gone is noticed by its reader."""
    try:
        while True:
            # A little early, as the broker's clock starts when the last one arrives.
            await asyncio.sleep(0.8 * period)
            await carrier.send(b"\n")
    except Exception:
        return
