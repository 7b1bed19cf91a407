"""What a sweep costs beside the runs themselves: overhead, speed-up by workers, memory.

Run by hand, on a machine that does nothing else: ``pytest tests/benchmarks/test_sweep.py -n 0 -s``.
`ENTRO_NB_RUNS` sets the size of the great sweep (10⁶ runs of 1000 steps by default).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

from entro_nb.simulations import Plan, Simulation, pipeline_runs
from entro_nb.sweep import client_of, run_sweep

GRID = {"alpha": [0.1, 0.2, 0.5, 1.0], "beta": [0.5, 2.0]}
RUNS = int(os.environ.get("ENTRO_NB_RUNS", 1_000_000))


def seconds(call, repeats: int = 3, clock=time.perf_counter) -> float:
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


@pytest.fixture(scope="module")
def second() -> int:
    """Runs that take about a second."""
    pipeline_runs(seeds=list(range(10)))
    return int(1000 / seconds(lambda: pipeline_runs(seeds=list(range(1000)))))


def test_overhead_of_a_sweep_over_the_same_numpy_calls(second: int, tmp_path) -> None:
    replicates = max(second // 2, 1)
    plan = Plan(Simulation.of("pipeline"), GRID, {}, replicates, 1)

    def bare() -> list[object]:
        points = list(np.ndindex(plan.shape[:-1]))
        return [
            pipeline_runs(
                seeds=plan.seeds(plan.point(place), slice(0, replicates)), **plan.point(place)
            )
            for place in points
        ]

    def swept(**more: object) -> object:
        return run_sweep("pipeline", GRID, replicates=replicates, seed=1, chunk=second, **more)

    stores = iter(range(100))
    # Of the processor, not of the wall: others may want the machine at the same time.
    direct = seconds(bare, clock=time.process_time)
    for name, call in (
        ("in memory", swept),
        ("to Zarr", lambda: swept(out=tmp_path / f"{next(stores)}.zarr")),
    ):
        ratio = seconds(call, clock=time.process_time) / direct
        print(f"\n{name}: {ratio - 1:+.1%} over {direct:.1f} s of NumPy in pieces of a second")
        assert ratio < 1.10


def test_two_workers_against_one(second: int) -> None:
    """By the wall, and by what each worker's processor did, whoever else wants the machine."""
    took, busiest = {}, {}
    for workers in (1, 2):
        with client_of(None, workers) as client:
            client.wait_for_workers(workers)

            def swept(replicates: int, chunk: int, client=client) -> object:
                return run_sweep(
                    "pipeline", GRID, replicates=replicates, seed=1, chunk=chunk, scheduler=client
                )

            swept(10, 5)  # all compiled
            before = client.run(time.process_time)
            took[workers] = seconds(lambda run=swept: run(second, second), repeats=1)
            after = client.run(time.process_time)
            busiest[workers] = max(after[name] - before[name] for name in after)
            took[workers] = min(took[workers], seconds(lambda run=swept: run(second, second), 2))
    balance, speedup = busiest[1] / busiest[2], took[1] / took[2]
    print(
        f"\nprocessor time of the busiest worker: {busiest[1]:.1f} s of one, {busiest[2]:.1f} s of "
        f"two, {balance:.2f} times less; wall {took[1]:.1f} s and {took[2]:.1f} s, {speedup:.2f} "
        "times less"
    )
    assert balance >= 1.7
    assert speedup >= 1.7


GREAT = """
import resource, time
from entro_nb.sweep import run_sweep
start = time.perf_counter()
run_sweep("pipeline", {{"alpha": [0.1, 0.2, 0.5, 1.0, 2.0], "beta": [0.5, 1.0, 2.0, 4.0]}},
      replicates={replicates}, seed=1, out={out!r}, memory=50_000_000)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(peak, time.perf_counter() - start)
"""


def test_a_great_sweep_stays_in_bounded_memory(tmp_path) -> None:
    script = GREAT.format(replicates=RUNS // 20, out=str(tmp_path / "great.zarr"))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    peak, took = map(float, done.stdout.split())
    size = sum(p.stat().st_size for p in (tmp_path / "great.zarr").rglob("*") if p.is_file())
    print(
        f"\n{RUNS} runs of 1000 steps: {took:.0f} s ({took / RUNS * 1e6:.0f} µs a run) in one "
        f"process, peak {peak / 1e6:.0f} MB, store {size / 1e6:.0f} MB"
    )
    assert peak < 1e9


def test_seeding_is_a_small_part() -> None:
    plan = Plan(Simulation.of("pipeline"), GRID, {}, 1000, 1)
    point = plan.point((0, 0))
    seeding = statistics.median(
        seconds(lambda: plan.seeds(point, slice(0, 1000)), 1) for _ in range(5)
    )
    running = seconds(lambda: pipeline_runs(seeds=plan.seeds(point, slice(0, 1000))))
    generators = seconds(lambda: [np.random.default_rng(k) for k in range(1000)])
    print(
        f"\nseeds {seeding / running:.1%} of the runs' time, a generator each "
        f"{generators / running:.1%}"
    )
    assert seeding < 0.02 * running
