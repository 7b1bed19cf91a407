"""One exchange: the class, the simulations and the studies are the same code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import entro_nb
from entro_nb import graphs
from entro_nb.network import (
    EVERYBODY,
    Autoregressive,
    Gains,
    Outbreak,
    PsiSync,
    contagion,
    exchange_into,
    links_of,
    pairwise,
    simulate,
)


@st.composite
def networks(draw):
    """A connected graph and an admissible κ for it."""
    n = draw(st.integers(3, 20))
    kind = draw(st.sampled_from(["complete", "ring", "star", "path", "connected"]))
    made = graphs.graph(kind, n, degree=min(4.0, n - 0.5), seed=draw(st.integers(0, 99)))
    if draw(st.booleans()):
        weights = st.floats(0.1, 2.0)
        given_weights = draw(st.lists(weights, min_size=made.n_edges, max_size=made.n_edges))
        made = made.replace(conductance=given_weights)
    return made, draw(st.floats(0.01, 0.99)) * made.spectrum.bound


@given(networks(), st.floats(0.0, 0.99), st.floats(0.0, 0.2), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_a_simulated_step_is_a_broadcast(network, persistence, noise, seed):
    graph, kappa = network
    node = Autoregressive(persistence, noise)
    run = simulate(graph.n_nodes, 12, graph=graph, kappa=kappa, node=node, seed=seed)
    sync = PsiSync(graph.n_nodes, kappa, graph=graph)
    for before, after in zip(run.observed.values[0], run.psi.values[0], strict=True):
        np.testing.assert_allclose(sync.broadcast(before), after, rtol=1e-13, atol=1e-15)


@given(networks(), st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_contagion_without_faults_is_broadcasts(network, seed):
    graph, kappa = network
    n = graph.n_nodes
    run = contagion(graph, 0, Outbreak(onset=0), steps=10, kappa=kappa, replicates=1, seed=seed)
    rng = np.random.default_rng([seed, 0])
    rng.choice(n, 0, replace=False)
    sync, x = PsiSync(n, kappa, graph=graph), np.full(n, 0.339)
    for noise, after in zip(rng.standard_normal((10, n)), run.psi.values, strict=True):
        x = sync.broadcast(0.339 + 0.98 * (x - 0.339) + 0.01 * noise)
        np.testing.assert_allclose(x, after, rtol=1e-13, atol=1e-15)


@given(networks(), st.floats(0.0, 0.3), st.data())
@settings(deadline=None, max_examples=40)
def test_the_kernel_is_the_laplacian_and_the_pairwise_cubes(network, cubic, data):
    graph, step = network
    n = graph.n_nodes
    psi = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=n, max_size=n)))
    out = np.empty(n)
    exchange_into(out, psi, psi, links_of(graph), Gains(step, cubic), EVERYBODY)
    weight = np.diag(np.diag(graph.laplacian())) - graph.laplacian()
    cubes = (weight * (psi[np.newaxis, :] - psi[:, np.newaxis]) ** 3).sum(axis=1)
    expected = psi - step * graph.laplacian() @ psi + cubic * cubes
    np.testing.assert_allclose(out, expected, atol=1e-12)
    if graph.is_complete and not graph.is_weighted:
        np.testing.assert_allclose(out, psi + pairwise(psi, step, cubic), atol=1e-12)


def test_conductances_weigh_the_exchange_and_its_bound():
    pair = graphs.as_graph([(0, 1)], 2).replace(conductance=[0.5])
    np.testing.assert_allclose(PsiSync(2, 0.5, graph=pair).broadcast([0.0, 1.0]), [0.25, 0.75])
    np.testing.assert_allclose(PsiSync(2, graph=pair).broadcast([0.0, 1.0]), 0.5)


#: Every use of the exchange, each as one number that a change of its law must move.
USES = """
import json, warnings
import numpy as np
from entro_nb import network as net
from entro_nb.graphs import graph

warnings.simplefilter("ignore")
psi = np.array([0.2, 0.3, 0.7, 0.65])
ring = graph("ring", 4)
task = net.Task(n_nodes=3, steps=8, coupling=0.4)
print(json.dumps({
    "broadcast": net.PsiSync(4, 0.1).broadcast(psi)[0],
    "broadcast on a ring": net.PsiSync(4, 0.1, graph=ring).broadcast(psi)[0],
    "limited cubic": net.PsiSync(4, 0.01, graph=ring, cubic=True).broadcast(psi)[0],
    "published": net.PsiSync.published(4, 0.1).broadcast(psi)[0],
    "pairwise": net.pairwise(psi, 0.1, 1.0)[0],
    "simulation": float(net.simulate(4, 8, kappa=0.1).psi[0, -1, 0]),
    "simulation on a ring": float(net.simulate(4, 8, graph=ring, kappa=0.1).psi[0, -1, 0]),
    "contagion": float(net.contagion(ring, 1, net.Outbreak(onset=0), steps=8).psi[-1, 0]),
    "learning": float(net.episode(task, "fixed", 1).psi[-1, 0]),
    "stability": float(net.outcome_map(4, [2.5], [0.1], cubic=False)[0, 0]),
    "published study": float(net.published_variance(4, 3, 1)[0]),
    "scaling study": float(net.scaling_study([4], 3, 1).gentle[0, 0]),
    "its cause": net.predicted_variance(4, kappa=0.1, steps=2),
}))
"""


def numbers(folder: Path) -> dict[str, float]:
    # Without compilation, so that neither run can find machine code of the other.
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", USES],
        capture_output=True, text=True, env=environment, cwd=folder, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_change_of_the_law_moves_every_use_of_it(tmp_path):
    package = Path(entro_nb.__file__).parent
    shutil.copytree(package, tmp_path / "entro_nb", ignore=shutil.ignore_patterns("__pycache__"))
    kernel = tmp_path / "entro_nb" / "network" / "exchange.py"
    law = kernel.read_text(encoding="utf-8")
    for line in ("return difference * (", "return cubic * cubes + deviation * ("):
        assert law.count(line) == 1
    changed = law.replace("return difference * (", "return 0.5 * difference * (").replace(
        "return cubic * cubes + deviation * (slope - cubic * n * deviation * deviation)",
        "return 0.5 * (cubic * cubes + deviation * (slope - cubic * n * deviation * deviation))",
    )
    kernel.write_text(changed, encoding="utf-8")
    before, after = numbers(package.parent), numbers(tmp_path)
    assert before.keys() == after.keys()
    for use, value in before.items():
        assert after[use] != pytest.approx(value, rel=1e-9), use
