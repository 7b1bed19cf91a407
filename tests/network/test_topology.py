"""Graphs as arrays, against NetworkX."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.network import Topology

PAIRS = [
    (Topology.complete(7), nx.complete_graph(7)),
    (Topology.ring(9), nx.cycle_graph(9)),
    (Topology.ring(8), nx.cycle_graph(8)),
    (Topology.path(6), nx.path_graph(6)),
    (Topology.star(6), nx.star_graph(5)),
    (Topology.lattice(3, 4), nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 4))),
]


@pytest.mark.parametrize(("topology", "graph"), PAIRS, ids=lambda x: getattr(x, "name", ""))
def test_constructors_agree_with_networkx(topology, graph):
    expected = nx.laplacian_matrix(graph, nodelist=range(len(graph))).toarray()
    np.testing.assert_array_equal(topology.laplacian(), expected)
    values = np.linalg.eigvalsh(expected)
    assert topology.spectrum.smallest == pytest.approx(values[1])
    assert topology.spectrum.largest == pytest.approx(values[-1])
    assert {tuple(e) for e in topology.edges.tolist()} == {tuple(sorted(e)) for e in graph.edges}
    assert topology.degrees.tolist() == [d for _, d in sorted(graph.degree)]


def test_networkx_matrix_and_edges_give_the_same_graph():
    graph = nx.karate_club_graph()
    ways = [
        Topology.of(graph),
        Topology.of(nx.to_numpy_array(graph, weight=None)),
        Topology.of(list(graph.edges), 34),
    ]
    for way in ways:
        np.testing.assert_array_equal(way.edges, ways[0].edges)
    assert Topology.of(ways[0]) is ways[0]


def test_loops_and_repeated_edges_are_dropped():
    assert Topology.of([(0, 1), (1, 0), (1, 1)], 2).edges.tolist() == [[0, 1]]


def test_random_graphs_are_connected_and_near_their_degree():
    graph = Topology.random(2000, 6.0, seed=1)
    assert len(graph.components) == 1
    assert graph.degrees.mean() == pytest.approx(6.0, abs=0.1)
    assert Topology.random(2000, 6.0, seed=1).edges.tolist() == graph.edges.tolist()


def test_the_bound_of_a_large_graph_lies_above_its_spectrum():
    large = Topology.random(1600, 4.0, seed=2)
    assert not large.spectrum.exact
    from scipy.sparse.linalg import eigsh

    laplacian = nx.laplacian_matrix(nx.Graph(large.edges.tolist())).astype(float)
    assert large.spectrum.largest >= eigsh(laplacian, 1, return_eigenvectors=False)[0]


def test_components_largest_first_and_among_active_nodes():
    graph = Topology.of([(0, 1), (2, 3), (3, 4)], 6)
    assert [c.tolist() for c in graph.components] == [[2, 3, 4], [0, 1], [5]]
    without = graph.components_of(np.array([True, True, True, False, True, False]))
    assert [c.tolist() for c in without] == [[0, 1], [2], [4]]


def test_a_graph_without_edges_has_no_spectrum():
    assert Topology.of([], 3).spectrum.largest == 0.0
    assert Topology.path(1).components[0].tolist() == [0]


def test_graphs_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="undirected"):
        Topology.of(nx.DiGraph([(0, 1)]))
    with pytest.raises(ParameterError, match="symmetric"):
        Topology.of([[0, 1], [0, 0]])
    with pytest.raises(ParameterError, match=r"edge 1 .*\(0, 7\)"):
        Topology.of([(0, 1), (0, 7)], 3)
    with pytest.raises(ParameterTypeError, match="pairs"):
        Topology.of([(0.5, 1.5)], 3)
    with pytest.raises(ParameterTypeError, match="pairs"):
        Topology.of([(0, 1, 2)], 3)
    with pytest.raises(ParameterError, match="degree"):
        Topology.random(5, 5.0)
    with pytest.raises(ParameterError, match="n_nodes"):
        Topology.ring(2)
    with pytest.raises(ParameterError, match="n_nodes"):
        Topology.path(2000).laplacian()
