"""Simplices by closed forms and by brute force, and what Phase II may do to a graph."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry import complex_entropy, ollivier_ricci, rewire, simplices


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_complex_of_a_complete_graph_is_a_simplex(n: int) -> None:
    counts = simplices(nx.complete_graph(n))
    assert counts.tolist() == [math.comb(n, k + 1) for k in range(n)]
    assert (counts * (-1) ** np.arange(n)).sum() == 1  # Euler: a simplex has no holes
    assert simplices(nx.complete_graph(n), largest=1).tolist() == counts[:2].tolist()


@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(0.0, 1.0))
def test_simplices_are_the_cliques_found_by_looking_at_every_subset(seed, n, share) -> None:
    graph = nx.gnp_random_graph(n, share, seed=seed)
    cliques = [
        size
        for size in range(1, n + 1)
        for nodes in itertools.combinations(graph, size)
        if all(graph.has_edge(a, b) for a, b in itertools.combinations(nodes, 2))
    ]
    counts = simplices(graph)
    assert counts.tolist() == np.bincount(cliques)[1:].tolist()
    p = counts / counts.sum()
    assert complex_entropy(graph) == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-12)


def test_euler_counts_pieces_and_holes() -> None:
    for graph, euler in (
        (nx.balanced_tree(2, 3), 1),
        (nx.cycle_graph(7), 0),
        (nx.octahedral_graph(), 2),  # a sphere
        (nx.disjoint_union(nx.path_graph(2), nx.complete_graph(4)), 2),
    ):
        counts = simplices(graph)
        assert (counts * (-1) ** np.arange(counts.size)).sum() == euler


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.booleans())
def test_phase_two_adds_what_raises_the_worst_edge_most_and_cuts_nothing_apart(seed, prune) -> None:
    graph = nx.gnp_random_graph(9, 0.3, seed=seed)
    if not graph.number_of_edges():
        return
    before = ollivier_ricci(graph)
    done = rewire(graph, turns=1, prune=prune)
    made = done.graph.to_networkx()
    assert nx.number_connected_components(made) <= nx.number_connected_components(graph)
    if not done.added:
        assert done.stop in ("no bottleneck", "no edge helps")
        assert nx.utils.graphs_equal(nx.Graph(made.edges), nx.Graph(graph.edges))
        return
    worst = min(before, key=before.__getitem__)
    (new,) = done.added
    assert before[worst] < 0
    assert not graph.has_edge(*new)

    def raised(pair: tuple[int, int]) -> float:
        other = graph.copy()
        other.add_edge(*pair)
        return ollivier_ricci(other)[worst]

    near = [{end, *graph[end]} for end in worst]
    pairs = [(a, b) for a in near[0] for b in near[1] if a != b and not graph.has_edge(a, b)]
    assert raised(new) == pytest.approx(max(map(raised, pairs)))
    assert len(done.cut) <= prune
    assert made.number_of_edges() == graph.number_of_edges() + 1 - len(done.cut)


def test_phase_two_stops() -> None:
    assert rewire(nx.cycle_graph(12)).stop == "no bottleneck"
    assert rewire(nx.barbell_graph(4, 0)).stop == "no bottleneck"
    assert rewire(nx.barbell_graph(8, 0), turns=1).stop == "turns"
    assert rewire(nx.barbell_graph(4, 0), bottleneck=-0.6).added == []
    kept = rewire(nx.barbell_graph(5, 0), turns=30, prune=True)
    assert kept.graph.n_edges == 21
    assert len(kept.added) == len(kept.cut)
    with pytest.raises(DataError, match="no edges"):
        rewire(nx.empty_graph(3))
    with pytest.raises(ParameterError, match="bottleneck"):
        rewire(nx.path_graph(3), bottleneck=0.1)
