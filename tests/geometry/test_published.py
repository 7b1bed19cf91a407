"""The seed's classes: the same numbers as its pseudo-code, and what it never does."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb import IEGN_Node, ManifoldOptimizer
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.geometry import RicciFlow, ricci_start, ricci_step


def pseudo_code(
    adjacency: np.ndarray, loads: np.ndarray, states: np.ndarray, rate: float
) -> np.ndarray:
    """Seed 004, §3.2, written out as a double loop."""
    n = len(loads)
    delta = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            d = np.linalg.norm(states[i] - states[j])
            delta[i][j] = delta[j][i] = -2 * (abs(loads[i] - loads[j]) / (d + 1e-9)) * rate
    return np.maximum(adjacency + delta, 0)


def nodes(n: int, seed: int = 0) -> list[IEGN_Node]:
    rng = np.random.default_rng(seed)
    return [IEGN_Node(k, float(rng.normal())) for k in range(n)]


@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(0.001, 1.0))
def test_step_matches_the_pseudo_code(n: int, seed: int, rate: float) -> None:
    optimizer = ManifoldOptimizer(nodes(n, seed), rate)
    optimizer.adj_matrix = np.random.default_rng(seed).normal(size=(n, n))  # asymmetric, signed
    loads = np.array([node.current_load for node in optimizer.nodes])
    states = np.array([node.state_vector for node in optimizer.nodes])
    expected = pseudo_code(optimizer.adj_matrix, loads, states, rate)
    optimizer.step_ricci_flow()
    np.testing.assert_allclose(optimizer.adj_matrix, expected, rtol=0, atol=1e-12)


def test_nodes_at_the_same_place() -> None:
    pair = nodes(2)
    pair[1].state_vector = pair[0].state_vector.copy()
    optimizer = ManifoldOptimizer(pair, 1e-12)
    optimizer.adj_matrix = np.ones((2, 2))
    expected = pseudo_code(
        np.ones((2, 2)),
        np.array([n.current_load for n in pair]),
        np.array([n.state_vector for n in pair]),
        1e-12,
    )
    optimizer.step_ricci_flow()
    np.testing.assert_allclose(optimizer.adj_matrix, expected, atol=1e-12)


def test_it_stays_at_zero_for_ever() -> None:
    optimizer = ManifoldOptimizer(nodes(10), 0.05)
    values = [optimizer.minimize_action() for _ in range(50)]
    assert not optimizer.adj_matrix.any()
    loads = np.array([node.current_load for node in optimizer.nodes])
    assert values == [pytest.approx(float((loads**2).sum()))] * 50  # and nothing is minimised


def test_action_as_coded() -> None:
    optimizer = ManifoldOptimizer(nodes(3))
    optimizer.adj_matrix = np.full((3, 3), 2.0)
    loads = np.array([node.current_load for node in optimizer.nodes])
    assert optimizer.minimize_action() == pytest.approx(float((loads**2).sum()) - 18.0)


def test_curvature_of_a_pair_is_the_proxy() -> None:
    optimizer = ManifoldOptimizer(nodes(3))
    a, b = optimizer.nodes[0], optimizer.nodes[2]
    expected = abs(a.current_load - b.current_load) / (
        np.linalg.norm(a.state_vector - b.state_vector) + 1e-9
    )
    assert optimizer.compute_ricci_curvature(0, 2) == pytest.approx(expected)
    assert optimizer.compute_ricci_curvature(1, 1) == 0.0


def test_on_a_graph_it_is_the_flow() -> None:
    graph = nx.barbell_graph(4, 0)
    graph = nx.relabel_nodes(graph, {k: 7 - k for k in graph})  # listed in another order
    optimizer = ManifoldOptimizer(nodes(8), 0.1, graph=graph)
    assert optimizer.compute_ricci_curvature(3, 4) < 0 < optimizer.compute_ricci_curvature(0, 1)
    parameters = RicciFlow(step=0.2)
    state = ricci_start(graph, parameters)
    for _ in range(5):
        optimizer.step_ricci_flow()
        state = ricci_step(graph, state, parameters)
    for (u, v), length in zip(graph.edges, state.length, strict=True):
        assert optimizer.adj_matrix[u, v] == optimizer.adj_matrix[v, u] == pytest.approx(length)
    assert np.count_nonzero(optimizer.adj_matrix) == 2 * graph.number_of_edges()
    with pytest.raises(ParameterError, match="edge of the graph"):
        optimizer.compute_ricci_curvature(0, 7)


def test_state_vectors_repeat_and_differ() -> None:
    assert (IEGN_Node(1, 0.0).state_vector == IEGN_Node(1, 5.0).state_vector).all()
    assert (IEGN_Node(1, 0.0).state_vector != IEGN_Node(2, 0.0).state_vector).any()


def test_bad_input() -> None:
    for load in (math.nan, math.inf):
        with pytest.raises(ParameterError, match="load"):
            IEGN_Node(0, load)
    with pytest.raises(ParameterTypeError):
        IEGN_Node(0, "heavy")  # type: ignore[arg-type]
    with pytest.raises(DataError):
        ManifoldOptimizer([])
    with pytest.raises(ParameterTypeError):
        ManifoldOptimizer([1, 2])  # type: ignore[list-item]
    for rate in (0.0, -1.0, math.nan):
        with pytest.raises(ParameterError, match="learning_rate"):
            ManifoldOptimizer(nodes(2), rate)
    with pytest.raises(ParameterError, match="step"):
        ManifoldOptimizer(nodes(2), 0.5, graph=nx.path_graph(2))
    with pytest.raises(ParameterError, match="nodes 0 … 1"):
        ManifoldOptimizer(nodes(2), graph=nx.path_graph(3))
    with pytest.raises(ParameterError, match="j = 2"):
        ManifoldOptimizer(nodes(2)).compute_ricci_curvature(0, 2)
    spoilt = ManifoldOptimizer(nodes(2))
    spoilt.nodes[1].current_load = math.nan
    with pytest.raises(DataError, match=r"load\[1\]"):
        spoilt.step_ricci_flow()
    spoilt = ManifoldOptimizer(nodes(2))
    spoilt.adj_matrix = np.zeros((3, 3))
    with pytest.raises(ParameterError, match="adj_matrix"):
        spoilt.step_ricci_flow()
