"""STOMP on the wire: frames cut from bytes and packed into them, and heartbeats."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, NamedTuple

from entro_nb.streams.connection import LostError


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
