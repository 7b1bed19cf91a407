"""What a second worker gives a report.

Run by hand, on a machine that does nothing else: ``pytest tests/benchmarks/test_report.py -n 0 -s``
(ten minutes). Beside it stands what the machine itself gives two processes that share nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from entro_nb.report import run_report


def _busy() -> None:
    total = 0
    for k in range(40_000_000):
        total += k * k


def _machine() -> float:
    """How many times as much two processes get done as one, in the same time."""

    def seconds(count: int) -> float:
        processes = [multiprocessing.Process(target=_busy) for _ in range(count)]
        start = time.perf_counter()
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        return time.perf_counter() - start

    return 2 * seconds(1) / seconds(2)


def test_two_workers_against_one(tmp_path: Path) -> None:
    took, machine = {}, []
    for jobs in (2, 1):
        machine.append(_machine())
        start = time.perf_counter()
        assert not run_report(jobs=jobs, preset="quick", out=tmp_path / str(jobs)).failed
        took[jobs] = time.perf_counter() - start
    speedup = took[1] / took[2]
    print(
        f"\nall notebooks: {took[1]:.0f} s with one worker, {took[2]:.0f} s with two, "
        f"{speedup:.2f} times less (the machine: {machine[0]:.2f} and {machine[1]:.2f})"
    )
    assert took[2] < 240.0
    assert speedup >= 1.7
