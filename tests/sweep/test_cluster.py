"""Sweeps on a Dask cluster: the same results, whatever happens to the workers."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from entro_nb.errors import SweepError
from entro_nb.simulations import Plan, Simulation
from entro_nb.sweep import computed, first_run, run_sweep, tile_size, tiles

distributed = pytest.importorskip("distributed")

GRID = {"alpha": [0.2, 0.5, 0.8], "delay": [0, 2]}
FIXED = {"duration": 300.0, "surge": 40.0}


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """One cluster of three processes for all tests."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def client(local: Any) -> Iterator[Any]:
    with distributed.Client(local, set_as_default=False) as made:
        made.wait_for_workers(3)
        yield made


@pytest.fixture(scope="module")
def alone() -> xr.Dataset:
    return run_sweep("pipeline", GRID, replicates=10, seed=7, fixed=FIXED)


@pytest.mark.parametrize(("workers", "chunk"), [(1, 7), (2, 10), (3, 1)])
def test_any_number_of_workers_gives_the_same_bit_for_bit(client, alone, workers, chunk, tmp_path):
    names = sorted(client.nthreads())[:workers]

    class Some:
        """A client that uses some of the workers only."""

        status = "running"

        def nthreads(self) -> dict[str, int]:
            return dict.fromkeys(names, 1)

        def submit(self, *call: Any, **options: Any) -> Any:
            return client.submit(*call, workers=names, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

    plan = Plan(Simulation.of("pipeline"), GRID, FIXED, 10, 7)
    template, _ = first_run(plan, None)
    work = list(enumerate(tiles(plan.shape, tile_size(plan.shape, chunk))))
    together = alone.copy(deep=True)
    for v in together.values():
        v.values = np.full_like(v, -1)
    for _, tile, arrays in computed(Some(), plan, template, work):
        for name, array in arrays.items():
            together[name].values[tile] = array
    xr.testing.assert_identical(together, alone)


def test_a_client_an_address_and_a_cluster_of_our_own_all_do(local, client, alone, tmp_path):
    asked = {"replicates": 10, "seed": 7, "fixed": FIXED}
    address = local.scheduler_address
    for where in ({"scheduler": client}, {"scheduler": address}, {"workers": 2}):
        xr.testing.assert_identical(run_sweep("pipeline", GRID, **asked, **where), alone)
    stored = run_sweep("pipeline", GRID, **asked, scheduler=address, out=tmp_path / "s", chunk=4)
    for name in alone.data_vars:
        assert np.array_equal(stored[name], alone[name])
    assert client.status == "running"


def dies_once(*, seed: int, marker: str, x: int = 0) -> dict[str, float]:
    """Kill the worker that runs it the first time."""
    path = Path(marker)
    if x == 3 and os.getpid() != int(path.read_text().split()[0]) and len(path.read_text()) < 20:
        path.write_text(path.read_text() + " " + "x" * 20)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"y": float(np.random.default_rng(seed).random() + x)}


def test_a_worker_that_dies_is_survived(client, tmp_path):
    marker = tmp_path / "marker"
    marker.write_text(str(os.getpid()))
    asked = {"seed": 1, "fixed": {"marker": str(marker)}, "replicates": 2}
    runs = run_sweep(dies_once, {"x": list(range(8))}, **asked, chunk=1, scheduler=client)
    assert "xxx" in marker.read_text()
    xr.testing.assert_identical(runs, run_sweep(dies_once, {"x": list(range(8))}, **asked))


def deadly(*, seed: int, home: int, x: int = 0) -> dict[str, float]:
    """Kill every worker that runs it."""
    if x == 1 and os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"y": float(x)}


def test_a_piece_that_kills_every_worker_is_told(client):
    asked = {"fixed": {"home": os.getpid()}, "chunk": 1, "scheduler": client}
    with pytest.raises(SweepError, match="workers died with the same piece"):
        run_sweep(deadly, {"x": [0, 1]}, **asked)
    client.wait_for_workers(3, timeout=30)


def fails(*, seed: int, x: int = 0) -> dict[str, float]:
    """Fail at one point."""
    return {"y": 1 / (x - 2)}


def test_a_run_that_fails_far_away_is_told_as_one_here(client):
    with pytest.raises(SweepError, match="fails at x = 2: ZeroDivisionError"):
        run_sweep(fails, {"x": [0, 1, 2]}, chunk=1, scheduler=client)


def test_an_unreachable_scheduler_is_told_soon(monkeypatch):
    monkeypatch.setattr("entro_nb.sweep.ANSWER", 0.5)
    for address in ("tcp://127.0.0.1:9", "nowhere"):
        started = time.monotonic()
        with pytest.raises(SweepError, match=f"no Dask scheduler answers at {address}"):
            run_sweep("pipeline", GRID, scheduler=address)
        assert time.monotonic() - started < 10


def test_a_worker_with_other_code_is_refused(client, monkeypatch):
    monkeypatch.setattr(Simulation, "fingerprint", lambda _: "ours")
    with pytest.raises(SweepError, match="another version of the code"):
        run_sweep("pipeline", GRID, fixed=FIXED, scheduler=client)
