"""A relay on loopback between a client and a real server, able to misbehave below the protocol."""

from __future__ import annotations

import asyncio
import ssl
import struct
from contextlib import suppress

import numpy as np

from loopback import close

HUGE = 100 * 2**20

#: What goes before a body of HUGE bytes so that the client takes it for one message.
HEADS = {
    "websocket": b"\x81\x7f" + struct.pack("!Q", HUGE),
    "webstomp": b"\x81\x7f" + struct.pack("!Q", HUGE),
    "sse": b"data: ",
    "rest": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % HUGE,
    "stomp": b"MESSAGE\ncontent-length:%d\n\n" % HUGE,
}


class Proxy:
    """Relays bytes, or does what `mode` says.

    ok · refuse · drop (after a random number of bytes) · silence (half-open) · garbage · drip
    (one byte at a time, slowly) · huge (100 MB in one message) · html (another content type) ·
    a status number.
    """

    def __init__(self, upstream: int, kind: str, seed: int = 0) -> None:
        self.upstream, self.kind = upstream, kind
        self.mode = "ok"
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        self.connections = 0
        self._rng = np.random.default_rng(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.Transport] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            await close(server)
        # Connections are cut, not their tasks cancelled: Python 3.11 would log each of those.
        self.cut()
        await asyncio.gather(*self._tasks)

    def cut(self) -> None:
        """End every connection at once."""
        for transport in list(self._transports):
            transport.abort()

    async def misbehave(self, mode: str) -> None:
        self.mode = mode
        if mode == "refuse":
            await self.stop()
        elif mode == "ok":
            self.cut()
            if self._server is None:
                await self.start()
        elif mode not in ("drop", "silence", "garbage", "drip", "huge"):
            self.cut()  # an answer to a request: the next one gets it

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        below = writer.transport
        self._transports.add(below)
        try:
            # Here and not in the listening socket: that would not end a handshake under way.
            if self.tls is None or await _encrypted(writer, self.tls):
                await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            self._transports.discard(below)
            below.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "html" or self.mode.isdecimal():
            await reader.read(65536)
            writer.write(self._answer())
            await writer.drain()
            writer.close()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            return  # the server is down: so is the relay's client
        up = up_writer.transport
        self._transports.add(up)
        pump = asyncio.create_task(self._up(reader, up_writer))
        try:
            await self._down(up_reader, writer)
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
            self._transports.discard(up)
            up.abort()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = int(self._rng.integers(0, 600))
        while data := await reader.read(65536):
            match self.mode:
                case "drop":
                    writer.write(data[:left])
                    left -= len(data)
                    if left <= 0:
                        return
                case "silence":
                    continue
                case "garbage":
                    writer.write(self._rng.integers(0, 256, 200, dtype=np.uint8).tobytes())
                case "drip":
                    for k in range(len(data)):
                        writer.write(data[k : k + 1])
                        await asyncio.sleep(0.1)
                        if self.mode != "drip" or writer.transport.is_closing():
                            return
                case "huge":
                    writer.write(HEADS[self.kind])
                    block = b"x" * 2**20
                    for _ in range(HUGE // len(block)):
                        writer.write(block)
                        await writer.drain()
                    return
                case _:
                    writer.write(data)
            await writer.drain()
        writer.close()

    def _answer(self) -> bytes:
        if self.mode == "html":
            body = b"<html>sign in</html>"
            head = "200 OK\r\nContent-Type: text/html"
        else:
            body = b""
            more = {
                "301": f"\r\nLocation: http://127.0.0.1:{self.port}/",
                "429": "\r\nRetry-After: 1",
                "503": "\r\nRetry-After: never",
            }
            head = f"{self.mode} Status{more.get(self.mode, '')}"
        return (
            f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )


async def _encrypted(writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> bool:
    """Shake hands; whether the other side stayed until the end of it."""
    try:
        await writer.start_tls(tls)
    except AttributeError:
        return False  # Python 3.11 stumbles over a connection that is lost in the handshake
    return True
