"""Secrets appear nowhere, whatever a server does with them; and redirections do not carry them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import counted

from entro_nb import settings
from entro_nb.errors import ParameterError
from entro_nb.spokesperson import Session, Trail
from entro_nb.streams import CATALOG, Credential, Policy, Source, adapter

SECRETS = {
    "ENTRO_NB_TEST_QUERY": "query-key-5f3a9c",
    "ENTRO_NB_TEST_HEADER": "header-key-77b1d0",
    "ENTRO_NB_TEST_LOGIN": "login-name-c04e21",
    "ENTRO_NB_TEST_PASSCODE": "passcode-19aa6e",
}
CREDENTIALS = (
    Credential("ENTRO_NB_TEST_QUERY", "query", "api_key"),
    Credential("ENTRO_NB_TEST_HEADER", "header", "x-key"),
)
LOGIN = (
    Credential("ENTRO_NB_TEST_LOGIN", "login"),
    Credential("ENTRO_NB_TEST_PASSCODE", "passcode"),
)
POLICY = Policy(base=0.02, cap=0.1, timeout=0.5, ping=0.2, stall=0.5)

Answer = Callable[[bytes], bytes]


async def serve(answer: Answer, heard: list[bytes]) -> tuple[asyncio.Server, int]:
    """A server that answers each request with whatever the function makes of it."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(65536)
        heard.append(head)
        writer.write(answer(head))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def echo(status: str, kind: str) -> Answer:
    """What a careless server does: send the whole request back, secrets and all."""

    def answer(head: bytes) -> bytes:
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(head)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode() + head

    return answer


async def session_with(source: Source, path: Path) -> None:
    async with Session(path, who="test") as session:
        session.connect(source, adapter(source, POLICY))
        await asyncio.sleep(0.6)


def run(kind: str, answer: Answer, tmp_path: Path, credentials: tuple[Credential, ...]) -> bytes:
    """Requests that a server got from a session of an adapter."""
    heard: list[bytes] = []

    async def main() -> None:
        server, port = await serve(answer, heard)
        source = replace(counted.source(kind, port), credentials=credentials)
        try:
            await session_with(source, tmp_path / "a.db")
        finally:
            server.close()

    asyncio.run(main())
    return b"\n".join(heard)


def traces(folder: Path, logs: str) -> list[str]:
    """Secrets found in a trail, its exports, and the logs."""
    with Trail(folder / "a.db") as trail:
        trail.to_csv(folder / "csv")
        trail.to_netcdf(folder / "a.nc")
    texts = {"logs": logs.encode()} | {
        str(f): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    }
    return [
        f"{secret} in {where}"
        for where, text in texts.items()
        for secret in SECRETS.values()
        if secret.encode() in text
    ]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "websockets", "stomp.py", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)


@pytest.mark.parametrize("status", ["200 OK", "401 No", "500 Oh"])
@pytest.mark.parametrize("kind", ["rest", "sse"])
@pytest.mark.usefixtures("keys")
def test_http(kind: str, status: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    media = "application/json" if kind == "rest" else "text/event-stream"
    heard = run(kind, echo(status, media), tmp_path, CREDENTIALS)
    assert b"api_key=query-key-5f3a9c" in heard
    assert b"x-key: header-key-77b1d0" in heard
    assert "HTTP Request" in caplog.text  # the log that would have shown the URL
    assert traces(tmp_path, caplog.text) == []


@pytest.mark.usefixtures("keys")
def test_a_redirection_elsewhere_does_not_carry_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere: list[bytes] = []

    async def main() -> None:
        other, port = await serve(echo("200 OK", "application/json"), elsewhere)
        there = f"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:{port}/\r\n"
        first: list[bytes] = []
        away, at = await serve(
            lambda head: f"{there}Content-Length: 0\r\nConnection: close\r\n\r\n".encode(), first
        )
        source = replace(counted.source("rest", at), credentials=CREDENTIALS)
        await session_with(source, tmp_path / "a.db")
        other.close()
        away.close()
        assert b"query-key" in first[0]

    asyncio.run(main())
    assert elsewhere
    assert not any(b"key-" in head for head in elsewhere)
    assert traces(tmp_path, caplog.text) == []


@pytest.mark.usefixtures("keys")
def test_a_broker_that_repeats_the_login(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(head: bytes) -> bytes:
        said = head.decode().replace("\n", " ").replace("\0", "").replace(":", "=")
        return f"ERROR\nmessage:bad login {said} <script>alert(1)</script>\n\n\0".encode()

    heard = run("stomp", refuse, tmp_path, LOGIN)
    assert b"passcode:passcode-19aa6e" in heard
    assert traces(tmp_path, caplog.text) == []
    with Trail(tmp_path / "a.db") as trail:
        assert any("bad login" in e["detail"] for e in trail.rows("events"))


@pytest.mark.usefixtures("keys")
def test_without_credentials_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENTRO_NB_TEST_PASSCODE")
    assert run("stomp", lambda head: b"", tmp_path, LOGIN) == b""
    with Trail(tmp_path / "a.db") as trail:
        details = [e["detail"] for e in trail.rows("events")]
    assert any("set ENTRO_NB_TEST_PASSCODE" in d for d in details)


def test_an_endpoint_holds_no_password() -> None:
    with pytest.raises(ParameterError, match="no secret in a URL") as error:
        counted.source("rest", 1).at("http://me:hush-hush@127.0.0.1/")
    assert "hush-hush" not in str(error.value)


@pytest.mark.slow
def test_no_secret_in_a_notebook_or_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from entro_nb.report import run_report

    asked = [c.variable for source in CATALOG.values() for c in source.credentials]
    secrets = SECRETS | {name: f"fake-{k}-91c4e7" for k, name in enumerate(asked)}
    assert "AIRNOW_API_KEY" in secrets
    for name, secret in secrets.items():
        monkeypatch.setenv(name, secret)
    out = tmp_path / "report"
    manifest = run_report(["03_live_streams"], out=out)
    assert manifest.failed == ()
    written = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} >= {".html", ".ipynb", ".json"}
    for path in [*written, *settings.notebooks().rglob("*.ipynb")]:
        text = path.read_bytes()
        assert not [name for name, secret in secrets.items() if secret.encode() in text], path
