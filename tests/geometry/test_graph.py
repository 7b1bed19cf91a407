"""Graphs at the door: what is accepted, what is refused, and with which words."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.geometry import airports, as_network, family, karate_club
from entro_nb.geometry.families import FAMILIES
from entro_nb.geometry.graph import Network


def test_arrays_and_back() -> None:
    graph = nx.Graph()
    graph.add_node("a", load=1.0, state=[0.0, 1.0])
    graph.add_node("b", load=2.0, state=[2.0, 3.0])
    graph.add_edge("b", "a", length=0.5, conductance=3.0)
    network = as_network(as_network(graph).to_networkx())
    assert network.nodes == ("a", "b")
    assert network.length.tolist() == [0.5]
    assert network.conductance.tolist() == [3.0]
    assert network.load.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(network.state, [[0.0, 1.0], [2.0, 3.0]])


def test_neighbour_lists_match_networkx() -> None:
    graph = family("random", 40, degree=6, seed=3)
    network = as_network(graph)
    start, neighbour, edge = network.adjacency
    for node in graph:
        row = slice(start[node], start[node + 1])
        assert neighbour[row].tolist() == sorted(graph[node])
        for other, k in zip(neighbour[row], edge[row], strict=True):
            assert set(network.edges[k]) == {node, other}


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (nx.Graph([(0, 0)]), "self-loops"),
        (nx.MultiGraph([(0, 1), (0, 1)]), "simple graph"),
        (nx.DiGraph([(0, 1)]), "undirected"),
        (nx.MultiDiGraph([(0, 1)]), "simple graph"),
        ([(0, 1)], "networkx.Graph"),
        (nx.Graph(), "at least one node"),
    ],
)
def test_what_is_no_simple_graph_is_refused(graph: object, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        as_network(graph)  # type: ignore[arg-type]


def test_a_directed_graph_is_a_type_error() -> None:
    with pytest.raises(ParameterTypeError):
        as_network(nx.DiGraph([(0, 1)]))


@pytest.mark.parametrize("length", [0.0, -1.0, math.nan, math.inf, "far"])
def test_lengths_must_be_positive_numbers(length: object) -> None:
    graph = nx.Graph()
    graph.add_edge("a", "b", length=length)
    with pytest.raises(ParameterError, match="length"):
        as_network(graph)


def test_lengths_on_some_edges_only() -> None:
    graph = nx.path_graph(3)
    graph.edges[0, 1]["length"] = 1.0
    with pytest.raises(DataError, match=r"length of edge \(1, 2\)"):
        as_network(graph)


def test_nan_load_and_ragged_states() -> None:
    graph = nx.path_graph(2)
    graph.nodes[0]["load"] = math.nan
    with pytest.raises(DataError, match=r"load\[0\]"):
        as_network(graph)
    graph = nx.path_graph(2)
    graph.nodes[0]["state"] = [1.0]
    with pytest.raises(ParameterError, match="one length on every node"):
        as_network(graph)


def test_an_edge_listed_twice() -> None:
    plain = as_network(nx.path_graph(2))
    with pytest.raises(ParameterError, match="each edge once"):
        Network(
            plain.nodes, np.array([[0, 1], [1, 0]]), np.ones(2), np.ones(2), plain.load, plain.state
        )


def test_isolated_nodes_and_components() -> None:
    graph = nx.Graph([(0, 1), (2, 3)])
    graph.add_node(4)
    assert as_network(graph).components().tolist() == [0, 0, 1, 1, 2]
    assert as_network(graph).degree.tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_families(name: str) -> None:
    graph = family(name, 16, seed=1)
    assert sorted(graph) == list(range(16))
    assert as_network(graph).edges.shape[0] >= 15
    assert nx.utils.graphs_equal(graph, family(name, 16, seed=1))


@pytest.mark.parametrize(
    ("name", "n", "words"),
    [("grid", 15, "square"), ("hypercube", 12, "power of 2"), ("gird", 16, "did you mean 'grid'")],
)
def test_families_that_do_not_exist(name: str, n: int, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        family(name, n)


def test_real_graphs() -> None:
    assert karate_club().number_of_edges() == 78
    routes = airports()
    assert nx.is_connected(routes)
    # Boston to Los Angeles is about 4200 km.
    assert 4.1 < routes.edges["BOS", "LAX"]["length"] < 4.3
