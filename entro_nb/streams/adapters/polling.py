"""Streams that have to be asked again and again over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import ClassVar

import httpx

from entro_nb.streams.adapters import http
from entro_nb.streams.adapters.base import Adapter, LostError
from entro_nb.streams.adapters.status import refusal
from entro_nb.streams.events import Happening, Notice

__all__ = ["RESTPollingAdapter"]

#: What a request says of the version it has, from what the last answer said.
_CONDITIONS = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}


class RESTPollingAdapter(Adapter):
    """Asks at the stream's interval, and only for what is new.

    What the server tells of a version (ETag, Last-Modified) is sent back with the next request;
    "not modified" is then a notice and no value. A usable Retry-After is obeyed. A server that
    answers, but refuses, is not asked again before the interval is over; one that does not
    answer is tried by the policy's backoff.
    """

    access: ClassVar[str] = "rest"

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        loop = asyncio.get_running_loop()
        version: dict[str, str] = {}
        connected = False
        async with http.client(self.source, self.policy, self.tls) as client:
            while True:
                start = loop.time()
                try:
                    async with asyncio.timeout(self.policy.timeout):
                        body = await self._body(client, version)
                except Exception as error:
                    if isinstance(error, LostError):
                        raise LostError(error.reason, error.wait, self.source.interval) from None
                    raise LostError(http.reason_of(error, self.policy.timeout)) from None
                if not connected:
                    connected = True
                    yield self.notice(Happening.CONNECTED, self.source.endpoint)
                if body is None:
                    yield self.notice(Happening.UNCHANGED, "not modified")
                else:
                    yield body
                await asyncio.sleep(max(0.0, start + self.source.interval - loop.time()))

    async def _body(self, client: httpx.AsyncClient, version: dict[str, str]) -> bytes | None:
        """Body of one answer, None if nothing is new; `version` is brought up to date."""
        policy, source = self.policy, self.source
        response = await http.send(client, source.endpoint, version, read=policy.timeout)
        try:
            if response.status_code == 304 and version:
                return None
            if response.status_code != 200:
                raise refusal(response.status_code, response.headers, policy, self.now())
            media = http.media_type(response)
            if media and (media not in source.media if source.media else media == "text/html"):
                raise LostError("an answer of another media type")
            body = bytearray()
            async for chunk in http.unpacked(response, policy.limit):
                body += chunk
                if len(body) > policy.limit:
                    raise LostError(f"a message of more than {policy.limit} bytes")
        finally:
            await response.aclose()
        version.clear()
        for header, condition in (
            ("etag", "If-None-Match"),
            ("last-modified", "If-Modified-Since"),
        ):
            if (value := response.headers.get(header)) is not None:
                version[condition] = value
        return bytes(body)
