"""Load on the whole pipeline: adapter, Accountant, gate, queue, audit, display, in real time."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from entro_nb.spokesperson import Session
from entro_nb.streams import Message, Source
from entro_nb.streams.live import WebSocketAdapter

FLOOD = Path(__file__).with_name("flood.py")


@dataclass
class Outcome:
    sent: int
    kept: int = 0
    shown: int = 0
    in_order: bool = False
    receipt: list[float] = field(default_factory=list)  #: seconds from receipt to frame
    sending: list[float] = field(default_factory=list)  #: seconds from sending to reading
    memory: list[tuple[float, int]] = field(default_factory=list)  #: (seconds, resident bytes)
    seconds: float = 0.0

    def table(self) -> str:
        receipt, sending = np.array(self.receipt) * 1e3, np.array(self.sending) * 1e3
        late = [m for t, m in self.memory if t >= min(10.0, self.seconds / 3)]
        rows = [
            ("messages sent", f"{self.sent}"),
            ("frames in the audit trail", f"{self.kept}"),
            ("frames shown", f"{self.shown}"),
            ("rate, 1/s", f"{self.sent / self.seconds:.0f}"),
            ("receipt to frame, ms: median / 99 % / max", _quantiles(receipt)),
            ("sending to frame, ms: median / 99 % / max", _quantiles(sending)),
            ("memory after the first third or 10 s, MB: first / last / most",
             f"{late[0] / 1e6:.1f} / {late[-1] / 1e6:.1f} / {max(late) / 1e6:.1f}"),
        ]  # fmt: skip
        return "\n".join(f"{name:64} {value}" for name, value in rows)


def _quantiles(x: np.ndarray) -> str:
    return f"{np.median(x):.3f} / {np.quantile(x, 0.99):.3f} / {x.max():.3f}"


async def run(folder: Path, rate: float, seconds: float, *, paused: bool = False) -> Outcome:
    """Take in a flood, with a display that looks ten times a second (or is held throughout)."""
    outcome = Outcome(sent=int(rate * seconds))
    over = asyncio.Event()

    def read(payload: bytes) -> list[Message]:
        content = json.loads(payload)
        if content["n"] < 0:
            over.set()
            return [Message.other("the end")]
        outcome.sending.append(time.monotonic() - content["sent"])
        return [Message.of(float(content["value"]), key=content["n"])]

    server = subprocess.Popen(
        [sys.executable, str(FLOOD), str(rate), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        source = Source(
            "flood", "Flood", f"ws://127.0.0.1:{port}/", "websocket", read, "number", "1",
            0.0, 96.0, subscribe=("go",),
        )  # fmt: skip
        async with Session(folder / "audit.db", who="test") as session:
            session.connect(source, WebSocketAdapter(source))
            session._channels["flood"].watch = outcome.receipt.append
            if paused:
                session.pause()
            display = asyncio.create_task(_show(session, outcome))
            memory = asyncio.create_task(_weigh(outcome))
            start = time.monotonic()
            await asyncio.wait_for(over.wait(), 3 * seconds + 30)
            outcome.seconds = time.monotonic() - start
            memory.cancel()
            await session.settled()
            if paused:
                assert outcome.shown == 0
                session.resume()
            while outcome.shown < session.acknowledged:
                await asyncio.sleep(0.05)
            display.cancel()
            outcome.kept = session.trail().last
            sequence = [r["sequence"] for r in session.trail().rows("frames")]
            raw = [r["raw"] for r in session.trail().rows("frames")]
            outcome.in_order = sequence == list(range(outcome.sent)) and raw == [
                float(n * 7919 % 97) for n in range(outcome.sent)
            ]
    finally:
        server.terminate()
        server.communicate()
    return outcome


async def _show(session: Session, outcome: Outcome) -> None:
    while True:
        outcome.shown += len(await asyncio.to_thread(session.display.look))
        await asyncio.sleep(0.1)


async def _weigh(outcome: Outcome) -> None:
    process, start = psutil.Process(os.getpid()), time.monotonic()
    # Of the resident memory, what the measuring itself keeps (two lists of floats) is not the
    # pipeline's: 32 bytes a float and 8 a place.
    while True:
        own = 40 * (len(outcome.receipt) + len(outcome.sending))
        outcome.memory.append((time.monotonic() - start, process.memory_info().rss - own))
        await asyncio.sleep(0.25)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(
            run(Path(folder), float(sys.argv[1]), float(sys.argv[2]), paused="paused" in sys.argv)
        )
        sys.stdout.write(f"{result.table()}\nin order, nothing lost: {result.in_order}\n")
