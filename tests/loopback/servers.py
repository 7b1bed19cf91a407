"""Real servers on loopback: WebSocket, Server-Sent Events, HTTP, and a publisher for a broker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np

from loopback import close, counted

#: Seconds between two messages.
TICK = 0.02


class Feed:
    """What a server says, message by message; `mode` makes it say worse."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.number = 0
        self._rng = np.random.default_rng(1)

    def say(self) -> list[bytes]:
        """Messages of one tick."""
        self.number += 1
        n = self.number
        match self.mode:
            case "nonsense":
                return [
                    self._rng.integers(0, 256, 60, dtype=np.uint8).tobytes().replace(b"\0", b"")
                ]
            case "utf8":
                return [
                    counted.encode(n)[:-1] + b',"note":"\xe2\x82"}',
                    counted.encode(n)[:-3] + b"\xc3",
                ]
            case "duplicates":
                return [counted.encode(n)] * 3
            case "disorder":
                return [counted.encode(n, at=n - 5 * (n % 2))]
            case "flood":
                self.number += 999
                return [counted.encode(k) for k in range(n, n + 1000)]
        return [counted.encode(n)]


class Server:
    """Base: start and stop on the same port."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.port = 0
        self.requests: list[dict[str, str]] = []
        self._server: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await close(self._server)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                fields = (line.partition(":") for line in lines[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in fields}
                self.requests.append({"request": lines[0]} | headers)
                await self.answer(headers, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def answer(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        raise AssertionError("each kind of server answers in its own way")


class EventServer(Server):
    """Server-Sent Events; takes up after the Last-Event-ID."""

    async def answer(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
            b"Connection: close\r\n\r\n:ok\n\n"
        )
        while True:
            for message in self.feed.say():
                identity = f"id: [{self.feed.number}]\n".encode()
                writer.write(identity + b"data: " + message.replace(b"\n", b" ") + b"\n\n")
                await writer.drain()
            await asyncio.sleep(TICK)


class DocumentServer(Server):
    """One document at a time, with a version that says whether it is new."""

    async def answer(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if headers.get("if-none-match") == f'"{self.feed.number}"' and self.feed.number % 3:
            self.feed.number += 1
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
            return
        body = self.feed.say()[-1]
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            + f'ETag: "{self.feed.number}"\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
            + body
        )


class SocketServer(Server):
    """A WebSocket that waits for the subscription, then talks."""

    async def start(self) -> None:
        from websockets.asyncio.server import serve

        self._server = await serve(
            self._talk, "127.0.0.1", self.port, compression=None, close_timeout=0.1
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _talk(self, socket: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            self.requests.append({"request": await socket.recv()})
            while True:
                for message in self.feed.say():
                    await socket.send(message, text=True)
                await asyncio.sleep(TICK)


class Publisher:
    """Sends a feed's messages to a topic of a STOMP broker, and comes back when it restarts."""

    def __init__(self, feed: Feed, port: int, topic: str) -> None:
        self.feed, self.port, self.topic = feed, port, topic
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._publish()
            await asyncio.sleep(0.2)

    async def _publish(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0")
            async with asyncio.timeout(5):
                await reader.readuntil(b"\0")
            while not reader.at_eof():
                for message in self.feed.say():
                    head = f"SEND\ndestination:{self.topic}\ncontent-length:{len(message)}\n\n"
                    writer.write(head.encode() + message + b"\0")
                await writer.drain()
                await asyncio.sleep(TICK)
        finally:
            writer.transport.abort()
