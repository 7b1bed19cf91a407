"""What a frame costs on its way, as ratios to what cannot be avoided.

Load at full rate, kills and the simulated month are in ``tests/spokesperson/test_endurance.py``.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np

from entro_nb import streams
from entro_nb.accountant import Accountant, DecisionGate, Normalizer
from entro_nb.spokesperson import Audit, FrameRecord, Session
from entro_nb.streams import Arrival, Event, adapter
from entro_nb.surprise import Surprise

TRADE = (
    b'{"e":"trade","E":1777807004059,"s":"BTCUSDT","t":6268487624,"p":"78530.40000000",'
    b'"q":"0.00039000","T":1777807004059,"m":true,"M":true}'
)


def seconds(act: Callable[[], object], times: int, repeats: int = 7) -> float:
    """Median seconds of one call."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(times):
            act()
        found.append((time.perf_counter() - start) / times)
    return statistics.median(found)


def say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def records(count: int) -> list[FrameRecord]:
    accountant, gate = Accountant(), DecisionGate()
    values = np.random.default_rng(0).standard_normal(count)
    frames = [accountant.process(x, "numbers", 0.0, x) for x in values.tolist()]
    return [FrameRecord(1, f, gate.route(f)) for f in frames]


def test_reading_a_message_beside_parsing_its_json() -> None:
    bare = seconds(lambda: json.loads(TRADE), 5000)
    read = seconds(lambda: streams.scalars("binance", TRADE), 5000)
    live = adapter("binance")
    whole = seconds(lambda: list(live._events(TRADE)), 5000)
    say(
        f"json.loads {bare * 1e6:.1f} µs; scalars {read / bare:.1f} times that; "
        f"an adapter's events {whole / bare:.1f} times"
    )
    assert read < 8 * bare


def test_a_batch_beside_a_transaction_for_each_frame(tmp_path: Path) -> None:
    made = records(300)
    with Audit(tmp_path / "one.db") as audit:
        audit.channel(1, 0.0, "numbers", "1", {})

        def each() -> None:
            for record in made[:30]:
                audit.frames([record])
                audit.commit()

        single = seconds(each, 1, 3) / 30

        def batch() -> None:
            audit.frames(made)
            audit.commit()

        batched = seconds(batch, 1, 5) / len(made)
    say(f"a frame in the audit: alone {single * 1e6:.0f} µs, in a batch {batched * 1e6:.1f} µs")
    assert batched < single / 10


def test_the_whole_chain_beside_the_accountant_alone(tmp_path: Path) -> None:
    accountant, normalizer, monitor = Accountant(), Normalizer(), Surprise()
    alone = seconds(
        lambda: accountant.process(normalizer.process(0.5), judged=monitor.process(0.5)), 5000
    )
    count = 50_000

    async def flood() -> AsyncIterator[Event]:
        for k in range(count):
            yield Arrival(float(k), float(k % 7), time.perf_counter())

    async def run() -> float:
        async with Session(tmp_path / "a.db", who="bench") as session:
            start = time.perf_counter()
            session.connect("usgs", flood())
            await session.finished()
            return (time.perf_counter() - start) / count

    whole = asyncio.run(run())
    say(
        f"normaliser, surprise and Accountant {alone * 1e6:.1f} µs; with gate, queue, heartbeat "
        f"and audit {whole * 1e6:.1f} µs a frame, {1 / whole:.0f} frames a second"
    )
    assert whole < 40 * alone
