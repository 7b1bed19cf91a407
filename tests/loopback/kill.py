"""Kill a loaded session at random moments, and look at what its audit trail holds.

``python -m loopback.kill COUNT FOLDER`` prints one line a kill: frames acknowledged, frames held,
the integrity check. Children are forked, so that each starts within milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from entro_nb.accountant import Accountant
from entro_nb.spokesperson import Session, Trail
from entro_nb.streams import Arrival, Event, Happening, Notice
from loopback import counted

#: Kills that one audit trail suffers before a new one is begun.
LIVES = 5


async def _load() -> AsyncIterator[Event]:
    k = 0
    while True:
        for _ in range(100):
            k += 1
            yield Arrival(float(k), float(k % 7), time.perf_counter())
        yield Notice(float(k), Happening.DUPLICATE, "sent again")
        await asyncio.sleep(0.005)


async def _session(path: Path, out: int) -> None:
    async with Session(path, who="test") as session:
        session.connect(counted.source("rest", 1), _load())
        k = 0
        while True:
            await asyncio.sleep(0.01)
            os.write(out, b"%d\n" % session.acknowledged)
            (session.pause if k % 2 else session.resume)()
            k += 1


def once(path: Path, seconds: float) -> int:
    """Run a session, kill it after so many seconds, and return the last frame it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            asyncio.run(_session(path, writing))
        finally:
            os._exit(1)
    os.close(writing)
    heard, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            heard += os.read(reading, 65536)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while chunk := os.read(reading, 65536):
        heard += chunk
    os.close(reading)
    lines = heard.split(b"\n")[:-1]  # a line that was cut off says nothing
    return int(lines[-1]) if lines else 0


def main(count: int, folder: Path) -> int:
    rng = np.random.default_rng(7)
    Accountant()  # compiled before the forks
    known = wrong = wrote = 0
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "0.db"
    for k in range(count):
        if k % LIVES == 0:
            known, path = 0, folder / f"{k}.db"
        known = max(known, once(path, float(rng.uniform(0.02, 1.0))))
        integrity, held, decided = "nothing written yet", 0, 0
        if path.is_file() and path.stat().st_size:
            connection = sqlite3.connect(path)
            (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
            connection.close()
            with Trail(path) as trail:
                held = trail.last
                decided = len(trail.rows("decisions"))
                whole = [r["id"] for r in trail.rows("frames")] == list(range(1, held + 1))
        else:
            whole = known == 0
        good = integrity in ("ok", "nothing written yet") and held >= known
        good = good and decided == held and whole
        wrong += not good
        wrote += known > 0
        sys.stdout.write(f"{k:3} acknowledged {known:7} held {held:7} integrity {integrity}\n")
        sys.stdout.flush()
    # Sessions that never came to writing would prove nothing.
    wrong += wrote < count / 2
    sys.stdout.write(f"{count} kills, {wrote} of trails with frames in them, {wrong} wrong\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
