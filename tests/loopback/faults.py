"""Every fault × every adapter: one cell of the table, over real connections."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entro_nb.spokesperson import Session
from entro_nb.streams import Credential, Policy, adapter
from loopback import counted
from loopback.broker import Broker
from loopback.proxy import Proxy
from loopback.servers import DocumentServer, EventServer, Feed, Publisher, SocketServer

ADAPTERS = ("websocket", "sse", "rest", "stomp", "webstomp")

POLICY = Policy(base=0.05, cap=0.5, jitter=0.5, timeout=1.5, ping=0.5, limit=2**20, stall=1.5)

#: Seconds in which data must flow again once a fault is over: at worst an attempt runs into its
#: timeout, then the longest wait follows (or the second that a server asked for), then another
#: attempt that must be answered within its timeout.
BOUND = POLICY.timeout + max(POLICY.cap, 1.0) + POLICY.timeout

#: What the audit must say of each fault: kinds of event, and words. Faults below the protocol are
#: made by the relay, those of the messages by the server.
RELAY = {
    "refuse": ("dropped", "connection refused|no connection|closed|ended|cut off"),
    "drop": ("dropped", "closed|ended|cut off|no valid"),
    "silence": ("dropped", "silent"),
    "garbage": ("dropped skipped", ""),
    "drip": ("dropped", "silent"),
    "huge": ("dropped", "more than|too large"),
    "html": ("dropped", "media type|no event stream|status 200"),
    "301": ("dropped", "redirected too often|no valid|silent"),
    "304": ("dropped unchanged", "304|not modified"),
    "401": ("dropped", "status 401"),
    "410": ("dropped", "status 410"),
    "429": ("dropped", "status 429"),
    "500": ("dropped", "status 500"),
    "503": ("dropped", "status 503"),
}
FEED = {
    "nonsense": ("skipped dropped", "not a number"),
    "utf8": ("skipped dropped", "not a number"),
    "duplicates": ("duplicate", "sent again"),
    "disorder": ("late", "older"),
    "flood": ("", ""),
}
OTHER = {
    "certificate": ("dropped", "certificate refused"),
    "clock": ("", ""),
    "restart": ("dropped", ""),
}
#: Plain STOMP speaks no HTTP: an HTTP answer is garbage to it, and the audit says so.
NOT_HTTP = "silent|closed|another length|cut off"
FAULTS = (*RELAY, *FEED, *OTHER)

#: What cannot happen: a polled document is no flood, and comes once a request.
IMPOSSIBLE = {("flood", "rest"), ("duplicates", "rest")}


@dataclass
class Cell:
    fault: str
    adapter: str
    said: str = ""
    recovered: float = float("nan")
    problem: str = ""

    def text(self) -> str:
        return self.problem or f"{self.recovered:.2f} s"


class Setting:
    """Server, relay and session for one cell."""

    def __init__(self, kind: str, folder: Path, broker: Broker | None, seed: int) -> None:
        self.kind, self.feed = kind, Feed()
        self.jump = 0.0
        self.topic = f"/topic/numbers{seed}"
        if kind in ("stomp", "webstomp"):
            assert broker is not None
            self.server: Any = Publisher(self.feed, broker.stomp, self.topic)
            self.upstream = broker.stomp if kind == "stomp" else broker.websocket
        else:
            kinds = {"websocket": SocketServer, "sse": EventServer, "rest": DocumentServer}
            self.server = kinds[kind](self.feed)
            self.upstream = 0
        self.seed, self.folder = seed, folder
        self.before, self.kinds, self.words = 0, [""], ""
        #: What the audit said while the fault lasted.
        self.said: list[str] = []

    def now(self) -> float:
        return time.time() + self.jump

    async def start(self, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None) -> None:
        await self.server.start()
        self.proxy = Proxy(self.upstream or self.server.port, self.kind, self.seed)
        if tls is not None:
            self.proxy.tls = tls[0]
        await self.proxy.start()
        kinds = {"stomp": self.topic, "webstomp": self.topic}
        source = counted.source(
            self.kind, self.proxy.port, secure=tls is not None, credentials=CREDENTIALS[self.kind]
        )
        if self.kind in kinds:
            source = _subscribed(source, self.topic)
        live = adapter(source, POLICY, now=self.now, seed=self.seed, tls=tls[1] if tls else None)
        path = self.folder / f"{self.kind}-{self.seed}.db"
        self.session = Session(path, who="test", now=self.now)
        await self.session.__aenter__()
        self.session.connect(source, live)

    async def stop(self) -> None:
        await self.session.shutdown()
        await self.proxy.stop()
        await self.server.stop()

    @property
    def readings(self) -> int:
        return self.session.channels["numbers"].readings

    async def more(self, count: int, seconds: float) -> bool:
        """Whether so many more readings come in so many seconds."""
        target, end = self.readings + count, time.monotonic() + seconds
        while self.readings < target and time.monotonic() < end:
            await asyncio.sleep(0.005)
        return self.readings >= target

    async def events(self) -> list[dict[str, Any]]:
        """What the audit trail says of the stream since `listen`."""
        # What the tally still counts would be written ten seconds later: here, now.
        self.session._channels["numbers"].flush()
        await self.session.settled()
        return [e for e in self.session.trail().rows("events") if e["id"] > self.before]

    def listen(self, fault: str) -> None:
        """Listen from now on for what the audit must say of a fault."""
        kinds, self.words = (RELAY | FEED | OTHER)[fault]
        self.kinds = kinds.split()
        if self.kind == "stomp" and (fault == "html" or fault.isdecimal()):
            self.words = NOT_HTTP
        self.before = max((e["id"] for e in self.session.trail().rows("events")), default=0)

    async def hear(self, seconds: float) -> None:
        """Wait until the audit speaks of the fault, so many seconds at most."""
        end = time.monotonic() + seconds
        while self.kinds and not self.said and time.monotonic() < end:
            await asyncio.sleep(0.05)
            self.said = [
                e["detail"]
                for e in await self.events()
                if e["kind"] in self.kinds and re.search(self.words, e["detail"])
            ]


def _subscribed(source: Any, topic: str) -> Any:
    from dataclasses import replace

    return replace(source, subscribe=(topic,))


_LOGIN = (
    Credential("ENTRO_NB_TEST_USER", "login"),
    Credential("ENTRO_NB_TEST_PASSWORD", "passcode"),
)
CREDENTIALS: dict[str, tuple[Credential, ...]] = {
    "websocket": (), "sse": (), "rest": (), "stomp": _LOGIN, "webstomp": _LOGIN
}  # fmt: skip


async def cell(
    fault: str,
    kind: str,
    folder: Path,
    broker: Broker | None,
    certificates: Certificates | None,
    restart: Callable[[], Any] | None,
    seed: int,
) -> Cell:
    """Run one fault against one adapter, and say what came of it."""
    result = Cell(fault, kind)
    setting = Setting(kind, folder, broker, seed)
    contexts = None
    if fault == "certificate":
        assert certificates is not None
        contexts = certificates.server("good"), certificates.client()
    await setting.start(contexts)
    try:
        if not await setting.more(5, 15.0):
            result.problem = "no data before the fault"
            return result
        setting.listen(fault)
        ended = await _suffer(setting, fault, certificates, restart)
        if not await setting.more(5, BOUND + 10.0):
            result.problem = "no data after the fault"
            return result
        result.recovered = time.monotonic() - ended
        if fault == "restart":  # over before anybody can speak of it
            await setting.hear(10.0)
        result.said = setting.said[0] if setting.said else ""
        if setting.kinds and not setting.said:
            said = {e["detail"] for e in await setting.events()}
            result.problem = f"in time the audit says nothing of it; later {sorted(said)}"
        elif result.recovered > BOUND:
            result.problem = f"late: {result.recovered:.2f} s"
    finally:
        await setting.stop()
    return result


async def _suffer(
    setting: Setting,
    fault: str,
    certificates: Certificates | None,
    restart: Callable[[], Any] | None,
) -> float:
    """Let a fault happen until the audit speaks of it; the moment when it is over."""
    if fault in FEED:
        setting.feed.mode = fault
        await asyncio.sleep(0.3)
        await setting.hear(15.0)
        setting.feed.mode = "ok"
    elif fault in RELAY:
        await setting.proxy.misbehave(fault)
        await asyncio.sleep(0.3)
        await setting.hear(15.0)
        ended = time.monotonic()
        await setting.proxy.misbehave("ok")
        return ended
    elif fault == "certificate":
        assert certificates is not None
        await setting.proxy.stop()
        setting.proxy.tls = certificates.server("bad")
        await setting.proxy.start()
        await setting.hear(15.0)
        await setting.proxy.stop()
        setting.proxy.tls = certificates.server("good")
        await setting.proxy.start()
    elif fault == "clock":
        for jump in (-86400.0, 86400.0):
            setting.jump += jump
            await asyncio.sleep(0.2)
    elif fault == "restart":
        if restart is not None:
            await restart()
        else:
            await setting.server.stop()
            setting.proxy.cut()
            await asyncio.sleep(0.3)
            await setting.server.start()
    return time.monotonic()


class Certificates:
    """A certificate that the client trusts, and one that it does not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("good", "bad"):
            subprocess.run(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"),
                ],
                check=True,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def server(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "good.pem"))


def table(cells: list[Cell]) -> str:
    """Seconds until data flowed again, by fault and adapter."""
    found = {(c.fault, c.adapter): c for c in cells}
    adapters = [a for a in ADAPTERS if any(c.adapter == a for c in cells)]
    lines = [f"{'fault':12}" + "".join(f"{a:>12}" for a in adapters) + "   said in the audit"]
    for fault in FAULTS:
        row = [found.get((fault, a)) for a in adapters]
        if any(row):
            said = next((c.said for c in row if c and c.said), "")
            times = "".join(f"{c.text() if c else '—':>12}" for c in row)
            lines.append(f"{fault:12}{times}   {said[:70]}")
    return "\n".join(lines)
