"""Streams that push STOMP frames, over TCP, TLS or a WebSocket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, ClassVar
from urllib.parse import urlsplit

from websockets.typing import Subprotocol

from entro_nb.streams.adapters.base import LostError
from entro_nb.streams.adapters.websocket import WebSocketAdapter, reason_of
from entro_nb.streams.events import Happening, Notice

__all__ = ["FrameBuffer", "STOMPAdapter"]

_PROTOCOLS = (Subprotocol("v12.stomp"), Subprotocol("v11.stomp"))


def _frames() -> Any:
    """stomp.py's frames; at import it would look up this machine's names, which may hang."""
    os.environ.setdefault("STOMP_SKIP_HOSTNAME_SCAN", "1")
    from stomp import utils

    return utils


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
            parsed = _frames().parse_frame(frame)
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


class STOMPAdapter(WebSocketAdapter):
    """Logs in to a STOMP broker, subscribes, and gives the bodies of its messages.

    The broker's heartbeats count as signs of life: trains may be few at night.
    """

    access: ClassVar[str] = "stomp"

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        if names := self.source.missing_credentials():
            raise LostError(f"credentials needed: set {' and '.join(names)}")
        carrier = await self._carrier()
        beat: asyncio.Task[None] | None = None
        try:
            await carrier.send(self._frame("CONNECT", self._login()))
            buffer = FrameBuffer(self.policy.limit)
            async with aclosing(self._received(carrier, buffer)) as frames:
                async for frame in frames:
                    if frame.cmd == "CONNECTED":
                        period = _period(frame.headers.get("heart-beat", "0,0"), self.policy.ping)
                        if period:
                            beat = asyncio.create_task(_beat(carrier, period))
                        for number, destination in enumerate(self.source.subscribe):
                            headers = {"destination": destination, "id": number, "ack": "auto"}
                            await carrier.send(self._frame("SUBSCRIBE", headers))
                        yield self.notice(Happening.CONNECTED, self.source.endpoint)
                    elif frame.cmd == "MESSAGE":
                        body = frame.body
                        yield body if isinstance(body, bytes) else str(body or "").encode()
                    elif frame.cmd == "ERROR":
                        raise LostError(f"the broker says: {frame.headers.get('message', 'error')}")
                    else:
                        # Receipts are not asked for. Whatever else ends in a null is no sign of
                        # life: a server that sends nothing better must not be listened to for ever.
                        raise LostError("what came is no STOMP")
        except LostError:
            raise
        except Exception as error:
            raise LostError(reason_of(error, self.stall)) from None
        finally:
            if beat is not None:
                beat.cancel()
            carrier.abort()

    async def _received(self, carrier: Any, buffer: FrameBuffer) -> AsyncGenerator[Any, None]:
        clock = asyncio.get_running_loop().time
        timeout = self.policy.timeout
        deadline = clock() + timeout
        while True:
            async with asyncio.timeout_at(deadline):
                data = await carrier.receive()
            if not data:
                raise LostError("the server closed the connection")
            for frame in buffer.feed(data):
                if frame.cmd == "CONNECTED":
                    timeout = self.stall
                deadline = clock() + timeout
                yield frame
            # A heartbeat is a sign of life; a byte more of a frame that never ends is none.
            if buffer.empty:
                deadline = clock() + timeout

    def _login(self) -> dict[str, object]:
        milliseconds = int(self.policy.ping * 1000)
        headers: dict[str, object] = {
            "accept-version": "1.1,1.2",
            "host": self._host(),
            "heart-beat": f"{milliseconds},{milliseconds}",
        }
        for credential in self.source.credentials:
            if (secret := credential.secret()) is not None:
                headers[credential.place] = secret
        return headers

    def _host(self) -> str:
        # A virtual host of the broker may stand in the path; RabbitMQ's default is "/".
        parts = urlsplit(self.source.endpoint)
        return "/" if parts.hostname in ("127.0.0.1", "localhost", "::1") else str(parts.hostname)

    @staticmethod
    def _frame(command: str, headers: dict[str, object]) -> bytes:
        utils = _frames()
        packed: bytes = utils.pack(utils.convert_frame(utils.Frame(command, headers, None)))
        return packed

    async def _carrier(self) -> Any:
        parts = urlsplit(self.source.endpoint)
        if parts.scheme in ("ws", "wss"):
            return _Socket(await self.open(self.source.endpoint, _PROTOCOLS))
        tls = self.tls if parts.scheme == "stomps" else None
        try:
            async with asyncio.timeout(self.policy.timeout):
                streams = await asyncio.open_connection(
                    parts.hostname, parts.port or 61613, ssl=tls
                )
        except Exception as error:
            raise LostError(reason_of(error, self.policy.timeout)) from None
        return _Stream(*streams)


class _Stream:
    """STOMP over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> bytes:
        return await self.reader.read(65536)

    def abort(self) -> None:
        self.writer.transport.abort()


class _Socket:
    """STOMP over a WebSocket."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def send(self, data: bytes) -> None:
        await self.socket.send(data, text=True)

    async def receive(self) -> bytes:
        data: bytes = await self.socket.recv(decode=False)
        return data or b"\n"

    def abort(self) -> None:
        self.socket.transport.abort()


def _period(offer: str, ours: float) -> float:
    """Seconds between our heartbeats, from the broker's offer "sends,wants" in milliseconds."""
    _, _, wants = offer.partition(",")
    milliseconds = int(wants) if wants.isascii() and wants.isdecimal() else 0
    return max(ours, milliseconds / 1000) if milliseconds else 0.0


async def _beat(carrier: Any, period: float) -> None:
    """Line feeds in time; a connection that is gone is noticed by its reader."""
    try:
        while True:
            # A little early, as the broker's clock starts when the last one arrives.
            await asyncio.sleep(0.8 * period)
            await carrier.send(b"\n")
    except Exception:
        return
