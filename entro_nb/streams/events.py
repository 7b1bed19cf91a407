"""What a live stream says: values with their times, and what happened on the way."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum

__all__ = ["Event", "Happening", "Notice", "Reading", "opened"]


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
class Reading:
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


Event = Reading | Notice


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
