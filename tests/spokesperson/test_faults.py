"""Every fault × every adapter, over real connections: survive, say so, and flow again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import broker as rabbit
from loopback.faults import (
    ADAPTERS,
    BOUND,
    FAULTS,
    IMPOSSIBLE,
    Cell,
    Certificates,
    cell,
    table,
)

#: Cells that run beside each other: they mostly wait.
ABREAST = 8


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbit.Broker]:
    if reason := rabbit.missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with rabbit.running(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is needed to make certificates")
        pytest.skip("openssl is needed to make certificates")
    return Certificates(tmp_path_factory.mktemp("certificates"))


async def column(
    kind: str, folder: Path, broker: rabbit.Broker | None, certificates: Certificates
) -> list[Cell]:
    """All faults against one adapter."""
    turn = asyncio.Semaphore(ABREAST)

    async def one(seed: int, fault: str) -> Cell:
        async with turn:
            return await cell(fault, kind, folder, broker, certificates, None, seed)

    faults = [f for f in FAULTS if (f, kind) not in IMPOSSIBLE]
    if broker is not None:
        faults.remove("restart")  # it would end the others' data: done alone, below
    cells = await asyncio.gather(*(one(seed, fault) for seed, fault in enumerate(faults)))
    if broker is not None:

        async def restart() -> None:
            await asyncio.to_thread(broker.control, "stop_app")
            await asyncio.to_thread(broker.control, "start_app")

        cells.append(await cell("restart", kind, folder, broker, None, restart, len(FAULTS)))
    return list(cells)


def check(cells: list[Cell]) -> None:
    sys.stdout.write(f"\nseconds until data flowed again (bound {BOUND:g} s)\n{table(cells)}\n")
    assert not [f"{c.fault} × {c.adapter}: {c.problem}" for c in cells if c.problem]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADAPTERS[:3])
def test_faults_of_web_servers(kind: str, tmp_path: Path, certificates: Certificates) -> None:
    check(asyncio.run(column(kind, tmp_path, None, certificates)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADAPTERS[3:])
def test_faults_of_a_broker(
    kind: str,
    tmp_path: Path,
    broker: rabbit.Broker,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENTRO_NB_TEST_USER", "guest")
    monkeypatch.setenv("ENTRO_NB_TEST_PASSWORD", "guest")
    check(asyncio.run(column(kind, tmp_path, broker, certificates)))
