"""Connections to live streams: they reconnect, bound what they take in, and say what happened.

An :class:`Adapter` is a stream as an async iterator of events, one class a kind of access. What
can be different is in its `_connection`; how it waits, reads, tells and gives up is shared, and
so is the HTTP client of what is asked and what is pushed.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import numpy as np
from httpx_sse import EventSource
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from entro_nb.errors import ParameterError
from entro_nb.streams.catalog import CATALOG, Source, find
from entro_nb.streams.connection import (
    Arrival,
    Carrier,
    Event,
    FrameBuffer,
    Happening,
    LostError,
    Notice,
    Policy,
    frame_bytes,
    heartbeat_period,
    opened,
    retry_after,
    send_heartbeats,
)
from entro_nb.streams.messages import Content, Deduplicator
from entro_nb.validate import Positive, checked

#: Some servers refuse clients that do not say who they are.
USER_AGENT = "entro-nb/0.1 (research notebook; one connection a stream)"

#: Redirections followed in a row.
_HOPS = 5

#: Blank lines, which end an event of an event stream, however its lines end.
_BLANK = (b"\n\n", b"\r\r", b"\n\r\n")

_PROTOCOLS = (Subprotocol("v12.stomp"), Subprotocol("v11.stomp"))


@functools.cache
def _system_certificates(access: str) -> ssl.SSLContext:
    """The system's certificates, loaded once for all streams of a kind.

    Not once for all kinds: the HTTP client writes into its context which protocols it offers.
    """
    return ssl.create_default_context()


class Adapter(ABC):
    """Live stream as an async iterator of readings and of what happened, without an end.

    Iterate with ``async for``; leaving the loop closes the connection. Nothing that a server
    does raises: it is told by a :class:`Notice`, and another connection is tried.

    Parameters
    ----------
    source : Source
        The stream.
    policy : Policy, optional
        Patience and limits.
    now : callable
        Wall clock in seconds since 1970. It only dates events: waiting goes by a clock that
        does not jump.
    tls : ssl.SSLContext, optional
        Certificates to trust; those of the system if not given. They are always checked.
    seed : int, optional
        Seed of the jitter.
    """

    access: ClassVar[str]

    def __init__(
        self,
        source: Source,
        policy: Policy | None = None,
        *,
        now: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        seed: int | None = None,
    ) -> None:
        if source.access != self.access:
            raise ParameterError("access", source.access, f"{self.access!r}")
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ParameterError("tls", tls.verify_mode.name, "a context that checks certificates")
        self.source = source
        self.policy = Policy() if policy is None else policy
        self.now = now
        self._tls = tls
        self._rng = np.random.default_rng(seed)
        self._seen = Deduplicator()
        self._latest = -np.inf

    @property
    def tls(self) -> ssl.SSLContext:
        """Certificates to trust: those given, or the system's."""
        return _system_certificates(self.access) if self._tls is None else self._tls

    @property
    def stall(self) -> float:
        """Seconds of silence after which an open connection is given up."""
        return self.source.stall if self.policy.stall is None else self.policy.stall

    @abstractmethod
    def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        """One connection: a notice once it stands, then payloads; any exception ends it."""

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._tls is None:
            # Aside: the other streams shall not wait.
            await asyncio.to_thread(_system_certificates, self.access)
        failures = 0
        while True:
            try:
                async with aclosing(self._until_lost()) as items:
                    async for item in items:
                        if isinstance(item, Notice):
                            yield item
                            continue
                        for event in self._events(item):
                            if type(event) is Arrival:
                                failures = 0
                            yield event
            except LostError as lost:
                failures += 1
                wait = self.policy.wait(failures, self._rng) if lost.wait is None else lost.wait
                wait = max(wait, lost.floor)
                reason = lost.reason
            yield self.notice(Happening.DROPPED, f"{reason}; next try in {wait:.3g} s")
            await asyncio.sleep(wait)

    async def _until_lost(self) -> AsyncGenerator[bytes | Notice, None]:
        """What one connection gives; whatever ends it is a LostError."""
        patience = self.policy.timeout
        try:
            async with aclosing(self._connection()) as items:
                async for item in items:
                    if type(item) is Notice:
                        patience = self.stall
                    yield item
        except LostError:
            raise
        except Exception as error:
            raise self._loss(error, patience) from None
        raise LostError("the server closed the connection")

    def _loss(self, error: Exception, seconds: float) -> LostError:
        """Why a connection failed, in a few words that hold no more than the kind of error."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return LostError(f"certificate refused: {cause.verify_message}")
            cause = cause.__cause__ or cause.__context__
        reason = f"no valid answer: {type(error).__name__}"
        match error:
            case InvalidStatus(response=answer):
                return self._refusal(answer.status_code, answer.headers)
            case TimeoutError():
                reason = f"silent for {seconds:g} s"
            case ConnectionClosed(rcvd=close) if close is not None:
                reason = f"the server closed the connection, code {close.code}"
            case ConnectionClosed(sent=close) if close is not None:
                reason = _CODES.get(close.code, f"closed with code {close.code}")
            case ConnectionClosed() | httpx.RemoteProtocolError() | httpx.ReadError():
                reason = "cut off"
            case ssl.SSLError():
                reason = "no secure connection"
            case ConnectionRefusedError():
                reason = "connection refused"
            case httpx.ConnectError():
                reason = "no connection"
            case OSError():
                reason = f"no connection: {type(error).__name__}"
        return LostError(reason)

    def _refusal(self, status: int, headers: Mapping[str, str]) -> LostError:
        """The loss of a connection that was refused with an HTTP status."""
        wait = retry_after(headers.get("retry-after"), self.policy, self.now())
        return LostError(f"status {status}{_REFUSALS.get(status, '')}", wait)

    def notice(self, kind: Happening, detail: str) -> Notice:
        """Notice of this moment, clean of secrets and of what could be more than text."""
        for secret in self.source.secrets():
            detail = detail.replace(secret, "…")
        printable = "".join(c if c.isprintable() else "�" for c in detail)
        return Notice(self.now(), kind, printable[:300])

    def _events(self, payload: bytes) -> Iterator[Event]:
        """Readings and notices of one payload."""
        arrived = time.perf_counter()
        try:
            messages = self.source.read(payload)
        except Exception as error:  # a reader of the user's own may raise
            yield self.notice(Happening.SKIPPED, f"the reader raised {type(error).__name__}")
            return
        for message in messages:
            if message.reconnect:
                raise LostError(message.note, wait=0.0)
            if message.value is None:
                missing = message.content is Content.MISSING
                kind = Happening.MISSING if missing else Happening.SKIPPED
                yield self.notice(kind, message.note)
            elif self.source.topic and message.topic != self.source.topic:
                yield self.notice(Happening.SKIPPED, "another channel")
            elif not self._seen.admit(message.key):
                yield self.notice(Happening.DUPLICATE, "sent again")
            else:
                if message.time is not None:
                    if message.time < self._latest:
                        yield self.notice(Happening.LATE, "older than the one before")
                    self._latest = max(self._latest, message.time)
                yield Arrival(self.now(), message.value, arrived)


#: What some statuses say.
_REFUSALS = {
    401: ", credentials refused",
    403: ", credentials refused",
    404: ", not found",
    410: ", gone for good: give another endpoint",
    429: ", too many requests",
}

#: Codes with which a WebSocket is closed, where they say more than that it is.
_CODES = {
    1002: "what came is no WebSocket",
    1007: "text that is not UTF-8",
    1009: "a message too large",
    1011: "silent: pings are not answered",
}


class _KeyedTransport(httpx.AsyncHTTPTransport):
    """Puts a stream's secrets into requests, below what httpx logs and shows in its errors.

    Only requests to the host that they belong to get them: a redirection may lead elsewhere.
    """

    def __init__(self, source: Source, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self.source, self.origin = source, _origin(httpx.URL(source.endpoint))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _origin(request.url) != self.origin:
            return await super().handle_async_request(request)
        url, headers = request.url, request.headers.copy()
        for credential in self.source.credentials:
            if (secret := credential.secret()) is None:
                continue
            if credential.place == "query":
                url = url.copy_merge_params({credential.field: secret})
            else:
                headers[credential.field] = secret
        keyed = httpx.Request(
            request.method,
            url,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(keyed)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _HTTPAdapter(Adapter):
    """What both kinds of HTTP share: a client that keeps secrets, and bodies of bounded size."""

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=_KeyedTransport(self.source, self.tls),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
            timeout=None,  # what may take how long is said where it is waited for
        )

    @asynccontextmanager
    async def _answer(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Answer to a GET with its body still to come, redirections followed."""
        request = client.build_request("GET", self.source.endpoint, headers=headers)
        for _ in range(_HOPS):
            # Redirections by httpx itself would read the bodies on the way, of whatever size.
            response = await client.send(request, stream=True)
            try:
                if (follow := response.next_request) is None:
                    yield response
                    return
            finally:
                await response.aclose()
            if request.url.scheme == "https" and follow.url.scheme != "https":
                raise LostError("redirected away from a secure connection")
            request = follow
        raise LostError("redirected too often")

    async def _unpacked(
        self, response: httpx.Response, ends: Sequence[bytes] = ()
    ) -> AsyncIterator[bytes]:
        """Body of an answer, chunk by chunk, gzip undone, until it is too large.

        It is once more than the policy's limit has come since the last of the `ends`.
        """
        limit = self.policy.limit
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise LostError("an encoding that was not asked for")
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
        held = 0
        async for chunk in response.aiter_raw():
            data = chunk
            if inflate is not None:
                try:
                    data = inflate.decompress(chunk, limit)
                except zlib.error:
                    raise LostError("a broken encoding") from None
            end = max((data.rfind(mark) for mark in ends), default=-1)
            held = held + len(data) if end < 0 else len(data) - end
            if held > limit or (inflate is not None and inflate.unconsumed_tail):
                raise LostError(f"a message of more than {limit} bytes")
            yield data
        if inflate is not None and not inflate.eof:
            raise LostError("cut off")


def _media_type(response: httpx.Response) -> str:
    header: str = response.headers.get("content-type", "")
    return header.partition(";")[0].strip().lower()


class RESTPollingAdapter(_HTTPAdapter):
    """Asks at the stream's interval, and only for what is new.

    What the server tells of a version (ETag, Last-Modified) is sent back with the next request;
    "not modified" is then a notice and no value. A usable Retry-After is obeyed. A server that
    answers, but refuses, is not asked again before the interval is over; one that does not
    answer is tried by the policy's backoff.
    """

    access: ClassVar[str] = "rest"

    @property
    def stall(self) -> float:
        """Seconds within which each answer must be whole."""
        return self.policy.timeout

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        clock = asyncio.get_running_loop().time
        version: dict[str, str] = {}
        connected = False
        async with self._client() as client:
            while True:
                start = clock()
                try:
                    async with asyncio.timeout(self.policy.timeout):
                        body = await self._body(client, version)
                except LostError as lost:
                    lost.floor = self.source.interval
                    raise
                if not connected:
                    connected = True
                    yield self.notice(Happening.CONNECTED, self.source.endpoint)
                if body is None:
                    yield self.notice(Happening.UNCHANGED, "not modified")
                else:
                    yield body
                await asyncio.sleep(max(0.0, start + self.source.interval - clock()))

    async def _body(self, client: httpx.AsyncClient, version: dict[str, str]) -> bytes | None:
        """Body of one answer, None if nothing is new; `version` is brought up to date."""
        wanted = self.source.media
        async with self._answer(client, version) as response:
            if response.status_code == 304 and version:
                return None
            if response.status_code != 200:
                raise self._refusal(response.status_code, response.headers)
            media = _media_type(response)
            if media and (media not in wanted if wanted else media == "text/html"):
                raise LostError("an answer of another media type")
            body = b"".join([chunk async for chunk in self._unpacked(response)])
        version.clear()
        for told, asked in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")):
            if (value := response.headers.get(told)) is not None:
                version[asked] = value
        return body


class SSEAdapter(_HTTPAdapter):
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
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self.policy.timeout):
                client = await stack.enter_async_context(self._client())
                response = await stack.enter_async_context(self._answer(client, headers))
            if response.status_code != 200:
                raise self._refusal(response.status_code, response.headers)
            if _media_type(response) != "text/event-stream":
                raise LostError("an answer that is no event stream")
            yield self.notice(Happening.CONNECTED, self.source.endpoint)
            events = await stack.enter_async_context(aclosing(self._data(response)))
            while True:
                async with asyncio.timeout(self.stall):
                    data = await anext(events, None)
                if data is None:
                    raise LostError("the server ended the stream")
                yield data

    async def _data(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Data of each event that carries any."""
        media = {"content-type": "text/event-stream"}
        bounded = httpx.Response(200, headers=media, content=self._unpacked(response, _BLANK))
        async with aclosing(EventSource(bounded).aiter_sse()) as events:
            async for event in events:
                self.last_event_id = event.id
                if event.data:
                    yield event.data.encode("utf-8", "replace")


class WebSocketAdapter(Adapter):
    """Connects, subscribes, and gives the messages of a WebSocket as they come.

    The server must answer pings, and say something within the stall timeout. Text is not
    trusted to be UTF-8: the reader of the stream decides.

    Examples
    --------
    >>> from entro_nb import streams
    >>> WebSocketAdapter(streams.CATALOG["bitstamp"]).stall
    120.0
    """

    access: ClassVar[str] = "websocket"

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        socket = await self._open()
        try:
            async with asyncio.timeout(self.policy.timeout):
                for text in self.source.subscribe:
                    await socket.send(text)
            yield self.notice(Happening.CONNECTED, self.source.endpoint)
            while True:
                async with asyncio.timeout(self.stall):
                    payload: bytes = await socket.recv(decode=False)
                yield payload
        finally:
            # Nothing is owed to a server that may be silent: no closing handshake.
            socket.transport.abort()

    async def _open(self, subprotocols: Sequence[Subprotocol] | None = None) -> Any:
        """Connection to a WebSocket, handshake done."""
        policy, endpoint = self.policy, self.source.endpoint
        return await connect(
            endpoint,
            subprotocols=subprotocols,
            user_agent_header=USER_AGENT,
            open_timeout=policy.timeout,
            ping_interval=policy.ping,
            ping_timeout=policy.ping,
            close_timeout=policy.timeout,
            max_size=policy.limit,
            compression=None,
            ssl=self.tls if endpoint.startswith("wss:") else None,
        )


class STOMPAdapter(WebSocketAdapter):
    """Logs in to a STOMP broker, subscribes, and gives the bodies of its messages.

    Over TCP, TLS or a WebSocket. The broker's heartbeats count as signs of life: trains may be
    few at night.
    """

    access: ClassVar[str] = "stomp"

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        if names := self.source.missing_credentials():
            raise LostError(f"credentials needed: set {' and '.join(names)}")
        carrier = await self._carrier()
        beat: asyncio.Task[None] | None = None
        try:
            await carrier.send(frame_bytes("CONNECT", self._login()))
            async with aclosing(self._frames(carrier)) as frames:
                async for frame in frames:
                    if frame.cmd == "CONNECTED":
                        offer = frame.headers.get("heart-beat", "0,0")
                        if period := heartbeat_period(offer, self.policy.ping):
                            beat = asyncio.create_task(send_heartbeats(carrier, period))
                        for number, destination in enumerate(self.source.subscribe):
                            headers = {"destination": destination, "id": number, "ack": "auto"}
                            await carrier.send(frame_bytes("SUBSCRIBE", headers))
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
        finally:
            if beat is not None:
                beat.cancel()
            carrier.abort()

    async def _carrier(self) -> Carrier:
        parts = urlsplit(self.source.endpoint)
        if parts.scheme in ("ws", "wss"):
            socket = await self._open(_PROTOCOLS)

            async def receive() -> bytes:
                # An empty message is a sign of life, not the end.
                return await socket.recv(decode=False) or b"\n"

            send = functools.partial(socket.send, text=True)
            return Carrier(send, receive, socket.transport.abort)

        tls = self.tls if parts.scheme == "stomps" else None
        async with asyncio.timeout(self.policy.timeout):
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 61613, ssl=tls
            )

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        return Carrier(write, functools.partial(reader.read, 65536), writer.transport.abort)

    async def _frames(self, carrier: Carrier) -> AsyncGenerator[Any, None]:
        clock = asyncio.get_running_loop().time
        buffer = FrameBuffer(self.policy.limit)
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
        host = urlsplit(self.source.endpoint).hostname
        headers: dict[str, object] = {
            "accept-version": "1.1,1.2",
            # A virtual host of the broker; RabbitMQ's default is "/".
            "host": "/" if host in ("127.0.0.1", "localhost", "::1") else str(host),
            "heart-beat": f"{milliseconds},{milliseconds}",
        }
        secrets = {c.place: c.secret() for c in self.source.credentials}
        return headers | {place: secret for place, secret in secrets.items() if secret is not None}


_KINDS: dict[str, type[Adapter]] = {
    kind.access: kind for kind in (WebSocketAdapter, SSEAdapter, RESTPollingAdapter, STOMPAdapter)
}


def adapter(stream: str | Source, policy: Policy | None = None, **options: Any) -> Adapter:
    """Adapter for a stream, by its kind of access.

    Parameters
    ----------
    stream : str or Source
        Name in the catalog, or a stream of one's own.
    policy : Policy, optional
        Patience and limits.
    **options
        As for :class:`Adapter`.

    Examples
    --------
    >>> type(adapter("wikipedia")).__name__
    'SSEAdapter'
    """
    source = find(stream)
    return _KINDS[source.access](source, policy, **options)


@checked
def check_streams(
    names: Iterable[str] = (),
    seconds: Positive = 15.0,
    tell: Callable[[str], object] = print,
    make: Callable[[Source], AsyncIterable[Event]] = adapter,
) -> int:
    """Try streams, all at once, and say what came of each; the number that gave a value.

    Parameters
    ----------
    names : iterable of str
        Streams to try; all if none is named.
    seconds : float
        How long to wait for a first value.
    tell : callable
        Gets each line.
    make : callable
        Makes what gives the events of a stream, if another than its adapter is wanted.
    """
    sources = [find(name) for name in names] or list(CATALOG.values())

    async def gives_a_value(source: Source) -> bool:
        if missing := source.missing_credentials():
            tell(f"{source.name}: needs {' and '.join(missing)} in the environment")
            return False
        last = f"nothing in {seconds:g} s"
        try:
            async with asyncio.timeout(seconds), opened(make(source)) as events:
                async for event in events:
                    if isinstance(event, Arrival):
                        tell(f"{source.name}: {event.value:g} {source.units}")
                        return True
                    last = f"{event.kind.value}: {event.detail}"
        except TimeoutError:
            pass
        tell(f"{source.name}: no value ({last})")
        return False

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*(gives_a_value(source) for source in sources)))

    good = asyncio.run(all_of_them())
    tell(f"{good} of {len(sources)} streams gave a value")
    return good
