"""Speed of the network room against named alternatives: ``pytest tests/benchmarks -n 0 -s``."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from entro_nb import graphs, views
from entro_nb.network import Autoregressive, PsiSync, simulate


def best(run: Callable[[], object], repeats: int = 15) -> float:
    """Shortest of several runs, in seconds: noise of a shared machine only ever adds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("form", ["published", "published, α fixed", "sound", "sound cubic"])
def test_broadcast_of_a_million_nodes_against_a_copy(form: str) -> None:
    n = 10**6
    psi = np.random.default_rng(0).random(n)
    out = np.empty_like(psi)
    sync = {
        "published": lambda: PsiSync.published(n, 1e-7),
        "published, α fixed": lambda: PsiSync.published(n, 1e-7, adaptive=False),
        "sound": lambda: PsiSync(n),
        "sound cubic": lambda: PsiSync(n, cubic=True),
    }[form]()
    sync.broadcast(psi, out=out)
    fresh = best(lambda: sync.broadcast(psi))
    ours = best(lambda: sync.broadcast(psi, out=out))
    copy = best(lambda: np.copyto(out, psi))
    print(
        f"\nbroadcast, {form}: {1e3 * ours:.2f} ms into an array, {1e3 * fresh:.2f} ms into a "
        f"new one; {ours / copy:.1f} and {fresh / copy:.1f} x numpy.copyto"
    )
    assert max(ours, fresh) < 10e-3
    assert ours / copy <= 8.0


def test_broadcast_against_the_published_package() -> None:
    theirs = pytest.importorskip("entro_net.psi_sync", reason="the bench extra brings entro-net")
    n = 10**4
    psi = np.random.default_rng(0).random(n)
    reference = theirs.PsiSync(n_nodes=n, kappa=1e-4)
    listed = psi.tolist()
    start = time.perf_counter()
    expected = reference.broadcast(listed)
    slow = time.perf_counter() - start
    sync = PsiSync.published(n, 1e-4)
    np.testing.assert_allclose(sync.broadcast(psi), expected, rtol=1e-12)
    fast = best(lambda: sync.broadcast(psi))
    print(
        f"\nbroadcast of 10 000: {1e6 * fast:.0f} us, published {slow:.1f} s: {slow / fast:.0f} x"
    )
    assert slow / fast >= 10_000


def test_a_hundred_closed_loop_steps_of_a_million_nodes() -> None:
    graph = graphs.connected(10**6, 4.0, seed=1)
    simulate(100, 2, graph=graphs.connected(100, 4.0))
    start = time.perf_counter()
    run = simulate(10**6, 100, graph=graph, node=Autoregressive(), seed=1)
    seconds = time.perf_counter() - start
    alone = best(lambda: np.random.default_rng(1).standard_normal(10**6), 3) * 100
    print(
        f"\n100 steps of 10^6 nodes, {2 * graph.n_edges / 10**6:.1f} neighbours each: "
        f"{seconds:.2f} s, {seconds / alone:.1f} x drawing their noise with NumPy"
    )
    assert seconds < 5.0
    assert float(run.variance[0, -1]) < float(run.variance_before[0, -1])


@pytest.mark.parametrize("name", ["network", "stability", "learning", "isolation", "scaling"])
def test_the_sliders_recompute_within_50_ms(name: str) -> None:
    app = views.apps[name]()
    [view(app.result) for view in app.views]
    slowest = 0.0, ""
    for control in app.controls():
        values = app.param[control]
        ends = getattr(values, "objects", None) or getattr(values, "bounds", (False, True))
        before = getattr(app, control)
        for value in ends:
            times = []
            for _ in range(3):
                # Out and back, so that what the move needs is computed anew each time.
                setattr(app, control, before)
                app._cache = None
                setattr(app, control, value)
                start = time.perf_counter()
                result = app.result
                for view in app.views:
                    view(result)
                times.append(time.perf_counter() - start)
            slowest = max(slowest, (min(times), f"{control} = {value}"))
        setattr(app, control, before)
    print(f"\n{name}: slowest move {1e3 * slowest[0]:.1f} ms ({slowest[1]})")
    assert slowest[0] < 50e-3
