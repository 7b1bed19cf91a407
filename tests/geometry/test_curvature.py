"""Curvature against closed forms, against brute force, and by its laws."""

from __future__ import annotations

import math
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import linprog

from entro_nb import graphs
from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry import (
    augmented_forman,
    curvature,
    forman,
    karate_club,
    lin_lu_yau,
    load_proxy,
    ollivier_ricci,
    wasserstein,
)


def brute_force(graph: nx.Graph, alpha: float, weight: str | None = None) -> dict[object, float]:
    """κ from all-pairs distances and a linear programme over all nodes, nothing reduced."""
    distance = dict(nx.all_pairs_dijkstra_path_length(graph, weight=weight or "no such attribute"))
    nodes = list(graph)
    n = len(nodes)
    cost = np.array([[distance[u][v] for v in nodes] for u in nodes])
    rows, columns = np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))
    result: dict[object, float] = {}
    for x, y in graph.edges:
        measures = []
        for z in (x, y):
            mass = dict.fromkeys(nodes, 0.0) | dict.fromkeys(
                graph[z], (1 - alpha) / graph.degree[z]
            )
            mass[z] += alpha
            measures.append([mass[node] for node in nodes])
        solution = linprog(
            cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.r_[measures[0], measures[1]]
        )
        result[x, y] = 1 - solution.fun / distance[x][y]
    return result


@pytest.mark.parametrize(
    ("graph", "edge", "expected"),
    [
        (nx.complete_graph(5), (0, 1), 0.625),
        (nx.cycle_graph(3), (0, 1), 0.75),
        (nx.cycle_graph(4), (0, 1), 0.5),
        (nx.cycle_graph(5), (0, 1), 0.25),
        (nx.cycle_graph(6), (0, 1), 0.0),
        (nx.cycle_graph(12), (0, 1), 0.0),
        (graphs.graph("hypercube", 8).to_networkx(), (0, 1), 1 / 3),
        (nx.balanced_tree(2, 5), (1, 3), -1 / 3),
        (karate_club(), (0, 1), 1 / 9),
        (nx.karate_club_graph(), (0, 1), 1 / 9),
        (nx.path_graph(2), (0, 1), 1.0),
    ],
)
def test_oracles(graph: nx.Graph, edge: tuple[int, int], expected: float) -> None:
    assert ollivier_ricci(graph)[edge] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n", [2, 3, 6, 9])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.9])
def test_complete_graph(n: int, alpha: float) -> None:
    # Only the difference of two masses moves, one step: κ = 1 − |α − (1 − α)/(n − 1)|.
    expected = 1 - abs(alpha - (1 - alpha) / (n - 1))
    values = ollivier_ricci(nx.complete_graph(n), alpha).values()
    assert list(values) == pytest.approx([expected] * (n * (n - 1) // 2), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 9), st.integers(0, 10**6), st.sampled_from([0.0, 0.2, 0.5, 0.75, 0.95]))
def test_against_brute_force(n: int, seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(n, int(rng.integers(1, n * (n - 1) // 2 + 1)), seed=seed)
    graph = graph.subgraph(max(nx.connected_components(graph), key=len)).copy()
    if graph.number_of_edges() == 0:
        return
    expected = brute_force(graph, alpha)
    assert ollivier_ricci(graph, alpha) == pytest.approx(expected, abs=1e-8)
    for _, _, data in graph.edges.data():
        data["length"] = float(rng.uniform(0.2, 3.0))
    expected = brute_force(graph, alpha, "length")
    assert ollivier_ricci(graph, alpha) == pytest.approx(expected, abs=1e-8)


def test_bounded_search_in_a_graph_with_shortcuts() -> None:
    # Long edges beside short detours: distances that leave the two neighbourhoods.
    graph = nx.cycle_graph(14)
    graph.add_edges_from([(0, 5), (2, 9), (4, 11)])
    lengths = [0.1, 3.0, 0.2, 5.0]
    for k, (_, _, data) in enumerate(graph.edges.data()):
        data["length"] = lengths[k % 4]
    assert ollivier_ricci(graph, 0.5) == pytest.approx(brute_force(graph, 0.5, "length"), abs=1e-9)


def test_blocks_of_edges_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = graphs.graph("random", 40, degree=6, seed=1).to_networkx()
    for k, (_, _, data) in enumerate(graph.edges.data()):
        data["length"] = 1.0 + k % 5
    whole = ollivier_ricci(graph)
    monkeypatch.setattr(sys.modules["entro_nb.geometry.curvature"], "BLOCK", 200)
    assert ollivier_ricci(graph) == pytest.approx(whole, abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100.0))
def test_curvature_does_not_depend_on_the_unit_of_length(seed: int, unit: float) -> None:
    graph = graphs.graph("small_world", 20, seed=seed % 1000).to_networkx()
    rng = np.random.default_rng(seed)
    for _, _, data in graph.edges.data():
        data["length"] = float(rng.uniform(0.5, 2.0))
        data["other"] = data["length"] * unit
    first = ollivier_ricci(graph)
    assert ollivier_ricci(graph, weight="other") == pytest.approx(first, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 0.9])
def test_range_and_order(alpha: float) -> None:
    graph = graphs.graph("scale_free", 60, degree=6, seed=2).to_networkx()
    values = ollivier_ricci(graph, alpha)
    assert list(values) == list(graph.edges)
    assert -2.0 <= min(values.values()) <= max(values.values()) <= 1.0


def test_lin_lu_yau_is_the_limit() -> None:
    graph = graphs.graph("small_world", 24, seed=4).to_networkx()
    limit = lin_lu_yau(graph)
    near = {edge: k / 0.01 for edge, k in ollivier_ricci(graph, 0.99).items()}
    assert limit == pytest.approx(near, abs=1e-9)
    # For equal lengths the last linear piece reaches down to one half (Bourne et al. 2018).
    half = {edge: 2 * k for edge, k in ollivier_ricci(graph, 0.5).items()}
    assert limit == pytest.approx(half, abs=1e-9)
    rng = np.random.default_rng(0)
    for _, _, data in graph.edges.data():
        data["length"] = float(rng.uniform(0.2, 3.0))
    near = {edge: k / 0.001 for edge, k in ollivier_ricci(graph, 0.999).items()}
    assert lin_lu_yau(graph) == pytest.approx(near, abs=1e-8)


def test_lin_lu_yau_closed_forms() -> None:
    assert lin_lu_yau(nx.complete_graph(5))[0, 1] == pytest.approx(1.25, abs=1e-12)  # n/(n−1)
    assert lin_lu_yau(nx.cycle_graph(6))[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert lin_lu_yau(graphs.graph("hypercube", 16).to_networkx())[0, 1] == pytest.approx(
        0.5, abs=1e-12
    )  # 2/d


def test_forman() -> None:
    graph = nx.Graph([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)])
    assert forman(graph) == {(0, 1): 0.0, (0, 2): -1.0, (1, 2): -1.0, (2, 3): -1.0, (3, 4): 1.0}
    assert augmented_forman(graph) == {
        (0, 1): 3.0, (0, 2): 2.0, (1, 2): 2.0, (2, 3): -1.0, (3, 4): 1.0,
    }  # fmt: skip


def test_triangles_match_networkx() -> None:
    graph = graphs.graph("small_world", 30, degree=6, seed=0).to_networkx()
    extra = curvature(graph, "augmented_forman") - curvature(graph, "forman")
    shared = [3.0 * len(list(nx.common_neighbors(graph, u, v))) for u, v in graph.edges]
    assert extra.tolist() == shared


def test_the_proxy_is_never_negative_and_ignores_the_graph() -> None:
    rng = np.random.default_rng(0)
    values = {}
    for name in ("complete", "ring"):
        graph = graphs.graph(name, 8).to_networkx()
        rng = np.random.default_rng(0)
        for node in graph:
            graph.nodes[node].update(load=float(rng.normal()), state=rng.random(4))
        values[name] = load_proxy(graph)
        assert min(values[name].values()) >= 0.0
    assert all(values["complete"][edge] == k for edge, k in values["ring"].items())


def test_documented_meanings() -> None:
    assert ollivier_ricci(nx.empty_graph(3)) == {}
    assert ollivier_ricci(nx.empty_graph(1)) == {}
    graph = nx.cycle_graph(5)
    graph.add_node("alone")
    graph.add_edges_from([("p", "q")])
    values = ollivier_ricci(graph)
    assert values[0, 1] == pytest.approx(0.25)
    assert values["p", "q"] == pytest.approx(1.0)


@pytest.mark.parametrize("alpha", [-0.1, 1.0, 2.0, math.nan, "half", True])
def test_idleness_outside_its_range(alpha: object) -> None:
    with pytest.raises(ParameterError, match="alpha"):
        ollivier_ricci(nx.path_graph(3), alpha)  # type: ignore[arg-type]


def test_other_bad_input() -> None:
    with pytest.raises(ParameterError, match="self-loops"):
        ollivier_ricci(nx.Graph([(0, 0), (0, 1)]))
    with pytest.raises(ParameterError, match="undirected"):
        ollivier_ricci(nx.DiGraph([(0, 1)]))
    with pytest.raises(ParameterError, match="simple"):
        ollivier_ricci(nx.MultiGraph([(0, 1)]))
    with pytest.raises(ParameterError, match="did you mean 'ollivier'"):
        curvature(nx.path_graph(2), "olivier")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="state"):
        load_proxy(nx.path_graph(2))


def by_linear_programme(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    return float(
        linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.r_[a, b], method="highs").fun
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10**6), st.booleans())
def test_against_a_linear_programme(n: int, m: int, seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    cost = rng.integers(1, 4, (n, m)).astype(float) if whole else rng.random((n, m))
    assert wasserstein(a, b, cost) == pytest.approx(by_linear_programme(a, b, cost), abs=1e-9)


@pytest.mark.parametrize("size", [3, 30, 120])
def test_against_pot(size: int) -> None:
    ot = pytest.importorskip("ot", reason="POT is the oracle")
    rng = np.random.default_rng(size)
    a = np.full(size, 1 / size)  # equal masses: many ties
    b = rng.dirichlet(np.ones(size + 5))
    cost = rng.integers(1, 4, (size, size + 5)).astype(float)
    assert wasserstein(a, b, cost) == pytest.approx(ot.emd2(a, b, cost), abs=1e-9)


def test_closed_forms() -> None:
    # On a line W₁ is the area between the distribution functions.
    x, y = np.array([0.0, 1.0, 5.0]), np.array([2.0, 3.0])
    cost = np.abs(x[:, None] - y[None, :])
    assert wasserstein([0.2, 0.3, 0.5], [0.5, 0.5], cost) == pytest.approx(
        0.2 * 2 + 0.3 * 1 + 0.5 * 2, abs=1e-12
    )
    assert wasserstein([1.0], [1.0], [[7.0]]) == 7.0
    assert wasserstein([2.0], [1.0, 1.0], [[1.0, 3.0]]) == 4.0
    assert wasserstein([0.0], [0.0], [[1.0]]) == 0.0


@pytest.mark.parametrize(
    ("a", "b", "cost"),
    [
        ([1.0], [0.5], [[1.0]]),
        ([1.0], [1.0], [[1.0, 2.0]]),
        ([-1.0], [-1.0], [[1.0]]),
        ([1.0], [1.0], [[math.nan]]),
        ([], [], [[]]),
    ],
)
def test_bad_input(a: list[float], b: list[float], cost: list[list[float]]) -> None:
    with pytest.raises(ParameterError):
        wasserstein(a, b, cost)
