"""Streams that push Server-Sent Events over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, ClassVar

import httpx
from httpx_sse import EventSource

from entro_nb.streams.adapters import http
from entro_nb.streams.adapters.base import Adapter, LostError
from entro_nb.streams.adapters.status import refusal
from entro_nb.streams.events import Happening, Notice

__all__ = ["SSEAdapter"]


class SSEAdapter(Adapter):
    """Gives the data of the events of a stream, and takes up where a lost connection ended.

    The identity of the last event, an opaque text, is sent again as ``Last-Event-ID``; a server
    that remembers then repeats nothing and loses nothing. The server's wish for the time before
    reconnection (`retry`) is granted up to the policy's cap.

    Attributes
    ----------
    last_event_id : str
        Identity of the last event received.
    """

    access: ClassVar[str] = "sse"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.last_event_id = ""

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        policy, seconds = self.policy, self.policy.timeout
        async with http.client(self.source, policy, self.tls) as client:
            try:
                async with asyncio.timeout(seconds):
                    response = await http.send(
                        client, self.source.endpoint, headers, read=self.stall
                    )
            except Exception as error:
                raise LostError(http.reason_of(error, seconds)) from None
            try:
                if response.status_code != 200:
                    raise refusal(response.status_code, response.headers, policy, self.now())
                if http.media_type(response) != "text/event-stream":
                    raise LostError("an answer that is no event stream")
                yield self.notice(Happening.CONNECTED, self.source.endpoint)
                async with aclosing(self._data(response)) as events:
                    while True:
                        async with asyncio.timeout(self.stall):
                            data = await anext(events, None)
                        if data is None:
                            raise LostError("the server ended the stream")
                        yield data
            except LostError:
                raise
            except Exception as error:
                raise LostError(http.reason_of(error, self.stall)) from None
            finally:
                await response.aclose()

    async def _data(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Data of each event that carries any."""
        bounded = httpx.Response(
            200,
            headers={"content-type": "text/event-stream"},
            stream=_Chunks(_bounded(http.unpacked(response, self.policy.limit), self.policy.limit)),
        )
        async with aclosing(EventSource(bounded).aiter_sse()) as events:
            async for event in events:
                self.last_event_id = event.id
                if event.data:
                    yield event.data.encode("utf-8", "replace")


async def _bounded(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """Chunks of an event stream; LostError once an event grows beyond the limit."""
    held = 0
    async for chunk in chunks:
        # Any blank line ends an event, however the lines end.
        ends = max(chunk.rfind(b"\n\n"), chunk.rfind(b"\r\r"), chunk.rfind(b"\n\r\n"))
        held = held + len(chunk) if ends < 0 else len(chunk) - ends
        if held > limit:
            raise LostError(f"a message of more than {limit} bytes")
        yield chunk


class _Chunks(httpx.AsyncByteStream):
    """Body of a response, from an iterator."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.chunks:
            yield chunk
