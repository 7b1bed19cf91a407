"""Load, sudden death, and a month: scaled down here, in full by the variables named below.

ENTRO_NB_LOAD=60 (seconds at 10 000 messages a second), ENTRO_NB_KILLS=50, ENTRO_NB_DAYS=30.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from loopback import counted, load
from loopback.simulated import SimulatedLoop

from entro_nb.spokesperson import Session
from entro_nb.streams import Happening, Policy, adapter

LOAD = float(os.environ.get("ENTRO_NB_LOAD", "3"))
KILLS = int(os.environ.get("ENTRO_NB_KILLS", "6"))
DAYS = float(os.environ.get("ENTRO_NB_DAYS", "2"))
TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("paused", [False, True], ids=["shown", "paused"])
def test_ten_thousand_messages_a_second(tmp_path: Path, paused: bool) -> None:
    outcome = asyncio.run(load.run(tmp_path, 10_000.0, LOAD, paused=paused))
    sys.stdout.write(f"\n{outcome.table()}\n")
    assert outcome.in_order
    assert outcome.kept == outcome.shown == outcome.sent
    assert np.quantile(outcome.receipt, 0.99) < 0.010
    settled = [m for t, m in outcome.memory if t >= 10.0]
    if len(settled) > 40:  # the full run: flat after the first 10 s
        assert np.mean(settled[-20:]) - np.mean(settled[:20]) < 10e6


@pytest.mark.slow
def test_sudden_death_loses_nothing_acknowledged(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "loopback.kill", str(KILLS), str(tmp_path)],
        cwd=TESTS,
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(f"\n{run.stdout}{run.stderr}")
    last = run.stdout.splitlines()[-1]
    assert last.startswith(f"{KILLS} kills, ")
    assert last.endswith(", 0 wrong")
    assert run.returncode == 0
    # Not all of them before the first commit: else the test would have seen nothing.
    acknowledged = [int(line.split()[2]) for line in run.stdout.splitlines()[:-1]]
    assert max(acknowledged) > 1000


class Answers:
    """The far end of every connection, in simulated time: data, cuts, refusals."""

    def __init__(self) -> None:
        self.requests = 0

    async def __call__(self, transport: Any, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        k = self.requests
        if k % 97 == 0:
            raise httpx.ConnectError("no route", request=request)
        if k % 211 == 0:
            return httpx.Response(429, headers={"retry-after": "30"}, stream=Body(b""))
        if request.url.path == "/events":
            return httpx.Response(
                200, headers={"content-type": "text/event-stream"}, stream=Events(k)
            )
        body = b"{" if k % 53 == 0 else counted.encode(k)
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=Body(body))


class Body(httpx.AsyncByteStream):
    """One document."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


class Events(httpx.AsyncByteStream):
    """A quarter of an hour of events, then the cut."""

    def __init__(self, start: int) -> None:
        self.start = start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for k in range(15):
            await asyncio.sleep(60.0)
            yield b"id: %d\ndata: %s\n\n" % (k, counted.encode(self.start * 100 + k))


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """Folder in memory: the clock is simulated, the disk's slowness need not be endured."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def _state() -> dict[str, float]:
    gc.collect()
    return {
        "objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "handles": len(os.listdir("/proc/self/fd")),
        "memory": psutil.Process().memory_info().rss,
    }


@pytest.mark.slow
def test_a_month_without_growth(memory_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers()

    async def answer(transport: Any, request: httpx.Request) -> httpx.Response:
        return await answers(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    loop = SimulatedLoop()
    seconds = DAYS * 86400.0

    async def run() -> tuple[dict[str, float], dict[str, float], dict[str, Any]]:
        def now() -> float:
            return 1.8e9 + loop.time()

        async with Session(memory_folder / "a.db", who="test", now=now) as session:
            polled = counted.source("rest", 9, interval=60.0)
            pushed = counted.source("sse", 9, path="/events")
            object.__setattr__(pushed, "name", "pushed")
            policy = Policy(stall=300.0)
            for source in (polled, pushed):
                session.connect(source, adapter(source, policy, now=now, seed=1))
            await asyncio.sleep(seconds / 3)
            early = _state()
            await asyncio.sleep(seconds * 2 / 3)
            late = _state()
            counts = {
                name: (channel.readings, channel.totals[Happening.DROPPED])
                for name, channel in session.channels.items()
            }
        return early, late, counts

    start = time.monotonic()
    try:
        early, late, counts = loop.run_until_complete(run())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    sys.stdout.write(
        f"\n{DAYS:g} days in {time.monotonic() - start:.0f} s: {counts}\n{early}\n{late}\n"
    )
    assert loop.time() >= seconds
    for readings, dropped in counts.values():
        assert readings > 0.9 * seconds / 60
        assert dropped > 10 * DAYS
    assert late["tasks"] == early["tasks"]
    assert late["handles"] <= early["handles"] + 1
    # What the seen identities fill up to is bounded; after a third of the time it is full or not
    # far from it, and beyond that nothing grows.
    assert late["objects"] < early["objects"] + 40_000
    assert late["memory"] < early["memory"] + 12e6
