"""Adapters one by one: waiting, conditions, identities, frames, and what is refused beforehand."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, strategies as st
from loopback import close, counted
from loopback.servers import DocumentServer, EventServer, Feed, SocketServer

from entro_nb.cli import main
from entro_nb.errors import DataError, ParameterError, SessionError
from entro_nb.streams import (
    CATALOG,
    Arrival,
    Event,
    Happening,
    Notice,
    Policy,
    Replay,
    Source,
    adapter,
    check_streams,
    open_recording,
    record_to_file,
)
from entro_nb.streams.connection import FrameBuffer, LostError, retry_after
from entro_nb.streams.live import RESTPollingAdapter
from entro_nb.streams.replay import record_stream, save_recording

POLICY = Policy(base=0.02, cap=0.1, timeout=2.0, ping=0.5, stall=2.0)


async def collect(source: Source, count: int, policy: Policy = POLICY) -> list[Event]:
    """Events of an adapter until so many readings have come."""
    events: list[Event] = []
    async with asyncio.timeout(20), aclosing(aiter(adapter(source, policy, seed=1))) as items:
        async for event in items:
            events.append(event)
            if sum(isinstance(e, Arrival) for e in events) >= count:
                return events
    raise AssertionError("an adapter has no end")


def kinds(events: list[Event]) -> list[Happening]:
    return [e.kind for e in events if isinstance(e, Notice)]


@given(st.integers(1, 10_000), st.floats(0.001, 10), st.floats(1, 100), st.floats(0, 0.99))
def test_backoff_doubles_up_to_its_bound(
    failures: int, base: float, ratio: float, jitter: float
) -> None:
    policy = Policy(base=base, cap=base * ratio, jitter=jitter)
    wait = policy.wait(failures, np.random.default_rng(failures))
    full = min(policy.cap, base * 2.0 ** min(failures - 1, 60))
    assert full * (1 - jitter) <= wait * (1 + 1e-12)
    assert wait <= full <= policy.cap


def test_jitter_spreads_clients_that_were_cut_off_together() -> None:
    policy = Policy()
    waits = {policy.wait(5, np.random.default_rng(seed)) for seed in range(50)}
    assert len(waits) == 50
    assert max(waits) - min(waits) > 0.4 * 16.0


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None), ("120", 120.0), (" 5 ", 5.0), ("0", None), ("-5", None), ("1.5", None),
        ("never", None), ("", None), ("99999999", None), ("٣", None), ("0.2", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:01:40 GMT", None), ("Thu, 99 Jan 1970 00:01:40 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_counts_when_it_is_usable(value: str | None, wait: float | None) -> None:
    assert retry_after(value, Policy(), now=100.0) == wait


def test_retry_after_never_makes_a_client_spin() -> None:
    assert retry_after("1", Policy(base=3.0), now=0.0) == 3.0


@pytest.mark.parametrize(
    "wrong",
    [{"base": 0.0}, {"cap": 0.5}, {"jitter": 1.0}, {"timeout": 0.0}, {"limit": 0}, {"stall": -1.0}],
)
def test_a_policy_checks_itself(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Policy(**wrong)


def test_a_source_checks_itself() -> None:
    usgs = CATALOG["usgs"]
    for wrong in (
        {"name": "two words"}, {"access": "carrier pigeon"}, {"endpoint": "ftp://x/"},
        {"endpoint": "https:///path"}, {"interval": 0.0}, {"stall": 0.0}, {"low": 9.0},
        {"read": "text"},
    ):  # fmt: skip
        with pytest.raises(ParameterError):
            replace(usgs, **wrong)


def test_certificates_are_always_checked() -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with pytest.raises(ParameterError, match="checks certificates"):
        adapter("usgs", tls=trusting)
    with pytest.raises(ParameterError, match="access"):
        RESTPollingAdapter(CATALOG["wikipedia"])


def test_a_version_is_asked_for_only_once() -> None:
    async def run() -> tuple[list[Event], list[dict[str, str]]]:
        server = DocumentServer(Feed())
        await server.start()
        try:
            events = await collect(counted.source("rest", server.port), 6)
        finally:
            await server.stop()
        return events, server.requests

    events, requests = asyncio.run(run())
    assert kinds(events).count(Happening.UNCHANGED) >= 2
    assert "if-none-match" not in requests[0]
    assert all("if-none-match" in r for r in requests[1:])
    assert "entro-nb" in requests[0]["user-agent"]
    values = [e.value for e in events if isinstance(e, Arrival)]
    assert len(values) == 6


def test_an_event_stream_is_taken_up_where_it_ended() -> None:
    async def run() -> list[dict[str, str]]:
        server = EventServer(Feed())
        await server.start()
        source = counted.source("sse", server.port)
        live = adapter(source, POLICY, seed=1)
        try:
            async with asyncio.timeout(20), aclosing(aiter(live)) as items:
                seen = 0
                async for event in items:
                    seen += isinstance(event, Arrival)
                    if seen == 5:
                        last = live.last_event_id  # type: ignore[attr-defined]
                        await server.stop()
                        await server.start()
                        seen += 1
                    if seen > 10:
                        break
        finally:
            await server.stop()
        assert last.startswith("[")
        return server.requests

    requests = asyncio.run(run())
    assert "last-event-id" not in requests[0]
    assert int(requests[-1]["last-event-id"].strip("[]")) >= 5


def test_a_subscription_is_sent_and_other_channels_are_skipped() -> None:
    async def run() -> tuple[list[Event], list[dict[str, str]]]:
        server = SocketServer(Feed())
        await server.start()
        try:
            events = await collect(counted.source("websocket", server.port), 3)
        finally:
            await server.stop()
        return events, server.requests

    events, requests = asyncio.run(run())
    assert requests == [{"request": '{"subscribe":"numbers"}'}]
    assert [e.value for e in events if isinstance(e, Arrival)] == [1.0, 2.0, 3.0]

    live = adapter("bitstamp")
    other = b'{"event":"trade","channel":"live_trades_ethusd","data":{"price":5,"id":1}}'
    ours = other.replace(b"ethusd", b"btcusd")
    assert [e.detail for e in live._events(other) if isinstance(e, Notice)] == ["another channel"]
    assert [type(e) for e in live._events(ours)] == [Arrival]
    assert [e.kind for e in live._events(ours) if isinstance(e, Notice)] == [Happening.DUPLICATE]
    with pytest.raises(LostError, match="new connection") as lost:
        list(live._events(b'{"event":"bts:request_reconnect"}'))
    assert lost.value.wait == 0.0


def test_a_reader_of_the_users_own_may_raise() -> None:
    def read(payload: bytes) -> list[Any]:
        raise KeyError("price")

    live = adapter(replace(CATALOG["usgs"], read=read))
    (notice,) = live._events(b"x")
    assert isinstance(notice, Notice)
    assert notice.detail == "the reader raised KeyError"


def test_a_broker_that_sends_anything_but_stomp_is_left() -> None:
    """Also if it never stops sending, and what it sends ends where frames end."""

    async def run() -> Event:
        ended = asyncio.Event()

        async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while not reader.at_eof():
                    writer.write(b"NOISE\n\n\0")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.transport.abort()
            ended.set()

        server = await asyncio.start_server(noise, "127.0.0.1", 0)
        source = counted.source("stomp", server.sockets[0].getsockname()[1])
        try:
            async with asyncio.timeout(20), aclosing(aiter(adapter(source, POLICY))) as items:
                return await anext(items)
        finally:
            await close(server)
            await ended.wait()
            await asyncio.sleep(0)  # the connection's own end

    event = asyncio.run(run())
    assert isinstance(event, Notice)
    assert event.kind is Happening.DROPPED
    assert "no STOMP" in event.detail


@dataclass
class Answers:
    """A server that gives every request the same answer, whatever it is."""

    answer: bytes

    async def first(self, access: str, policy: Policy) -> Notice:
        """What an adapter says first."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        source = counted.source(access, server.sockets[0].getsockname()[1])
        try:
            async with asyncio.timeout(20), aclosing(aiter(adapter(source, policy))) as items:
                async for event in items:
                    if isinstance(event, Notice) and event.kind is Happening.DROPPED:
                        return event
        finally:
            await close(server)
        raise AssertionError("an adapter has no end")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
        writer.close()


def answer(access: str, body: bytes, encoding: str, status: str = "200 OK") -> bytes:
    media = "text/event-stream" if access == "sse" else "application/json"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Encoding: {encoding}\r\n"
        f"Content-Length: {len(body)}\r\nLocation: /again\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize("access", ["rest", "sse"])
@pytest.mark.parametrize(
    ("status", "reason"), [("200 OK", "more than 65536 bytes"), ("302 Found", "too often")]
)
def test_a_compressed_bomb_is_never_held_whole(access: str, status: str, reason: str) -> None:
    """64 MiB in 64 kB; nor is one behind a redirection, whose body nobody needs."""
    bomb = Answers(answer(access, gzip.compress(bytes(2**26)), "gzip", status))
    policy = replace(POLICY, limit=2**16)
    asyncio.run(bomb.first(access, policy))  # what is loaded on first use is not counted
    tracemalloc.start()
    try:
        event = asyncio.run(bomb.first(access, policy))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason in event.detail
    assert most < 2**23


@pytest.mark.parametrize("access", ["rest", "sse"])
@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"no gzip at all", "gzip", "a broken encoding"),
        (gzip.compress(b'{"n": 1}' * 99, mtime=0)[:-9], "gzip", "cut off"),
        (b'{"n": 1}', "br", "an encoding that was not asked for"),
    ],
)
def test_an_encoding_that_lies_ends_the_connection(
    access: str, body: bytes, encoding: str, reason: str
) -> None:
    event = asyncio.run(Answers(answer(access, body, encoding)).first(access, POLICY))
    assert reason in event.detail


@pytest.mark.parametrize("stream", ["usgs", "wikipedia"])
def test_no_redirection_leaves_a_secure_connection(stream: str) -> None:
    live: Any = adapter(stream, POLICY)
    asked: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.scheme)
        return httpx.Response(302, headers={"location": "http://127.0.0.1:9/"})

    live._client = lambda: httpx.AsyncClient(transport=httpx.MockTransport(elsewhere))

    async def first() -> Any:
        async with aclosing(aiter(live)) as items:
            return await anext(items)

    assert "redirected away from a secure connection" in asyncio.run(first()).detail
    assert asked == ["https"]


FRAME = b"MESSAGE\nid:1\ncontent-length:5\n\na\0b\0c\0"


@given(st.lists(st.integers(1, 12), max_size=30))
def test_frames_are_found_however_the_bytes_arrive(cuts: list[int]) -> None:
    data = b"\n" + FRAME + b"\n\n" + b"ERROR\r\nmessage:x\\cy\r\n\r\nbody\0" + FRAME
    buffer, found, at = FrameBuffer(1000), [], 0
    for size in [*cuts, len(data)]:
        found += list(buffer.feed(data[at : at + size]))
        at += size
    assert [f.cmd for f in found] == ["MESSAGE", "ERROR", "MESSAGE"]
    assert found[0].body == b"a\0b\0c"
    assert found[1].headers["message"] == "x:y"
    assert buffer.empty


@pytest.mark.parametrize(
    "data",
    [
        b"MESSAGE\n\n" + b"x" * 2000,
        b"MESSAGE\ncontent-length:100000\n\n",
        b"MESSAGE\ncontent-length:2\n\nabc\0",
        b"MESSAGE\ncontent-length:two\n\nabc\0",
        b"x" * 2000,
    ],
)
def test_a_frame_that_lies_or_grows_ends_the_connection(data: bytes) -> None:
    with pytest.raises(LostError):
        list(FrameBuffer(1000).feed(data))


def test_a_recording_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> xr.DataArray:
        server = SocketServer(Feed())
        await server.start()
        source = counted.source("websocket", server.port)
        try:
            return await record_stream(source, adapter(source, POLICY), 0.5)
        finally:
            await server.stop()

    data = asyncio.run(run())
    found = open_recording(save_recording(data, tmp_path / "numbers.nc"))
    np.testing.assert_array_equal(found, data)
    assert found.attrs["units"] == "1"
    samples = list(Replay(found))
    assert [s.value for s in samples][:3] == [1.0, 2.0, 3.0]
    assert samples[-1].time < 1.0
    for wrong in ("none.nc", "text.nc"):
        (tmp_path / "text.nc").write_text("x")
        with pytest.raises(DataError):
            open_recording(tmp_path / wrong)

    async def silent() -> Any:
        await asyncio.sleep(5)
        yield None

    with pytest.raises(SessionError, match=r"usgs: no value in 0.05 s \(nothing was heard\)"):
        asyncio.run(record_stream(CATALOG["usgs"], silent(), 0.05))


def test_the_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRNOW_API_KEY", raising=False)
    assert main(["streams"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["name", *CATALOG]

    async def three(source: Source) -> Any:
        yield Notice(0.0, Happening.CONNECTED, source.endpoint)
        for k in range(3):
            yield Arrival(float(k), float(k), float(k))

    async def none(source: Source) -> Any:
        yield Notice(0.0, Happening.DROPPED, "no connection; next try in 1 s")

    said: list[str] = []
    make = {"usgs": three, "noaa": none}
    good = check_streams(
        ("usgs", "noaa", "airnow"), 0.5, said.append, lambda source: make[source.name](source)
    )
    assert good == 1
    assert sorted(said) == [
        "1 of 3 streams gave a value",
        "airnow: needs AIRNOW_API_KEY in the environment",
        "noaa: no value (dropped: no connection; next try in 1 s)",
        "usgs: 0 1",
    ]
    said.clear()
    path = record_to_file("usgs", 5.0, tmp_path / "usgs.nc", said.append, three)
    assert open_recording(path).values.tolist() == [0.0, 1.0, 2.0]
    assert said[0].startswith("connected: https://earthquake.usgs.gov")
    heard = r"noaa: no value in 5 s \(dropped: no connection; next try in 1 s\)"
    with pytest.raises(SessionError, match=heard):
        record_to_file("noaa", 5.0, tmp_path / "noaa.nc", said.append, none)

    quiet = ["--seconds=0.1", f"--out={tmp_path / 'x.nc'}", "--endpoint=http://127.0.0.1:9/"]
    assert main(["record", "usgs", *quiet]) == 2
    assert main(["record", "nonsense"]) == 2
