"""Graphs as arrays against NetworkX; what is accepted at the door, what is refused."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.graphs import FAMILIES, Graph, as_graph, connected, graph, lattice
from entro_nb.network.exchange import links_of

PAIRS = [
    (Graph.complete(7), nx.complete_graph(7)),
    (graph("ring", 9), nx.cycle_graph(9)),
    (graph("ring", 8), nx.cycle_graph(8)),
    (graph("path", 6), nx.path_graph(6)),
    (graph("star", 6), nx.star_graph(5)),
    (lattice(3, 4), nx.convert_node_labels_to_integers(nx.grid_2d_graph(3, 4))),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda x: getattr(x, "name", ""))
def test_constructors_agree_with_networkx(ours, theirs):
    expected = nx.laplacian_matrix(theirs, nodelist=range(len(theirs))).toarray()
    np.testing.assert_array_equal(ours.laplacian(), expected)
    values = np.linalg.eigvalsh(expected)
    assert ours.spectrum.smallest == pytest.approx(values[1])
    assert ours.spectrum.largest == pytest.approx(values[-1])
    assert {tuple(e) for e in ours.edges.tolist()} == {tuple(sorted(e)) for e in theirs.edges}
    assert ours.degrees.tolist() == [d for _, d in sorted(theirs.degree)]


def test_networkx_matrix_and_edges_give_the_same_graph():
    karate = nx.karate_club_graph()
    ways = [
        as_graph(karate),
        as_graph(nx.to_numpy_array(karate, weight=None)),
        as_graph(list(karate.edges), 34),
    ]
    for way in ways:
        np.testing.assert_array_equal(way.edges, ways[0].edges)
    assert as_graph(ways[0]) is ways[0]


def test_loops_and_repeated_edges_are_refused():
    with pytest.raises(ParameterError, match="each edge once"):
        as_graph([(0, 1), (1, 0)], 2)
    with pytest.raises(ParameterError, match="self-loops"):
        as_graph([(0, 1), (1, 1)], 2)


def test_random_graphs_are_connected_and_near_their_degree():
    drawn = connected(2000, 6.0, seed=1)
    assert len(drawn.components()) == 1
    assert drawn.degrees.mean() == pytest.approx(6.0, abs=0.1)
    assert connected(2000, 6.0, seed=1).edges.tolist() == drawn.edges.tolist()


def test_the_bound_of_a_large_graph_lies_above_its_spectrum():
    large = connected(1600, 4.0, seed=2)
    assert not large.spectrum.exact
    from scipy.sparse.linalg import eigsh

    laplacian = nx.laplacian_matrix(nx.Graph(large.edges.tolist())).astype(float)
    assert large.spectrum.largest >= eigsh(laplacian, 1, return_eigenvectors=False)[0]


def test_the_spectrum_does_not_depend_on_what_was_asked_before():
    asked, fresh = graph("ring", 2000), graph("ring", 2000)
    assert len(asked.components()) == 1
    assert asked.conductance.sum() == 2000
    assert asked.spectrum == fresh.spectrum
    assert asked.replace(name="ring").spectrum == fresh.spectrum
    complete = Graph.complete(5)
    assert complete.conductance.sum() == 10
    assert links_of(complete.replace(name="five")).everyone
    assert not links_of(complete.replace(conductance=np.full(10, 2.0))).everyone


def test_a_million_nodes_complete_are_never_listed():
    many = Graph.complete(10**6)
    assert many.spectrum.largest == 1e6
    assert links_of(many).edges.size == 0
    assert len(many.components(np.arange(10**6) < 10)[0]) == 10
    assert "edges" not in vars(many)


def test_components_largest_first_and_among_active_nodes():
    parts = as_graph([(0, 1), (2, 3), (3, 4)], 6)
    assert [c.tolist() for c in parts.components()] == [[2, 3, 4], [0, 1], [5]]
    without = parts.components(np.array([True, True, True, False, True, False]))
    assert [c.tolist() for c in without] == [[0, 1], [2], [4]]


def test_a_graph_without_edges_has_no_spectrum():
    assert as_graph([], 3).spectrum.largest == 0.0
    assert graph("path", 1).components()[0].tolist() == [0]


def test_graphs_that_make_no_sense_are_refused():
    with pytest.raises(ParameterTypeError, match="undirected"):
        as_graph(nx.DiGraph([(0, 1)]))
    with pytest.raises(ParameterError, match="symmetric"):
        as_graph([[0, 1], [0, 0]])
    with pytest.raises(ParameterError, match=r"edge 1 .*\(0, 7\)"):
        as_graph([(0, 1), (0, 7)], 3)
    with pytest.raises(ParameterTypeError, match="pairs"):
        as_graph([(0.5, 1.5)], 3)
    with pytest.raises(ParameterTypeError, match="pairs"):
        as_graph([(0, 1, 2)], 3)
    with pytest.raises(ParameterError, match="degree"):
        connected(5, 5.0)
    with pytest.raises(ParameterError, match="n_nodes"):
        graph("ring", 2)
    with pytest.raises(ParameterError, match="n_nodes"):
        graph("path", 2000).laplacian()


def test_arrays_and_back() -> None:
    theirs = nx.Graph()
    theirs.add_node("a", load=1.0, state=[0.0, 1.0])
    theirs.add_node("b", load=2.0, state=[2.0, 3.0])
    theirs.add_edge("b", "a", length=0.5, conductance=3.0)
    ours = as_graph(as_graph(theirs).to_networkx())
    assert ours.nodes == ("a", "b")
    assert ours.length.tolist() == [0.5]
    assert ours.conductance.tolist() == [3.0]
    assert ours.load.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(ours.state, [[0.0, 1.0], [2.0, 3.0]])


def test_neighbour_lists_match_networkx() -> None:
    theirs = nx.gnm_random_graph(40, 120, seed=3)
    ours = as_graph(theirs)
    start, neighbour, edge = ours.adjacency
    for node in theirs:
        row = slice(start[node], start[node + 1])
        assert neighbour[row].tolist() == sorted(theirs[node])
        for other, k in zip(neighbour[row], edge[row], strict=True):
            assert set(ours.edges[k]) == {node, other}


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (nx.Graph([(0, 0)]), "self-loops"),
        (nx.MultiGraph([(0, 1), (0, 1)]), "simple graph"),
        (nx.DiGraph([(0, 1)]), "undirected"),
        (nx.MultiDiGraph([(0, 1)]), "simple graph"),
        ([(0, 1)], "networkx.Graph"),
        (nx.Graph(), "at least one node"),
    ],
)
def test_what_is_no_simple_graph_is_refused(theirs: object, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        as_graph(theirs)  # type: ignore[arg-type]


def test_a_directed_graph_is_a_type_error() -> None:
    with pytest.raises(ParameterTypeError):
        as_graph(nx.DiGraph([(0, 1)]))


@pytest.mark.parametrize("length", [0.0, -1.0, math.nan, math.inf, "far"])
def test_lengths_must_be_positive_numbers(length: object) -> None:
    theirs = nx.Graph()
    theirs.add_edge("a", "b", length=length)
    with pytest.raises(ParameterError, match="length"):
        as_graph(theirs)


def test_lengths_on_some_edges_only() -> None:
    theirs = nx.path_graph(3)
    theirs.edges[0, 1]["length"] = 1.0
    with pytest.raises(DataError, match=r"length of edge \(1, 2\)"):
        as_graph(theirs)


def test_nan_load_and_ragged_states() -> None:
    theirs = nx.path_graph(2)
    theirs.nodes[0]["load"] = math.nan
    with pytest.raises(DataError, match=r"load\[0\]"):
        as_graph(theirs)
    theirs = nx.path_graph(2)
    theirs.nodes[0]["state"] = [1.0]
    with pytest.raises(ParameterError, match="one length on every node"):
        as_graph(theirs)


def test_an_edge_listed_twice() -> None:
    with pytest.raises(ParameterError, match="each edge once"):
        Graph(range(2), [(0, 1), (1, 0)])


def test_isolated_nodes_and_components() -> None:
    theirs = nx.Graph([(0, 1), (2, 3)])
    theirs.add_node(4)
    assert as_graph(theirs).labels.tolist() == [0, 0, 1, 1, 2]
    assert as_graph(theirs).degrees.tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_families(name: str) -> None:
    made = graph(name, 16, seed=1)
    assert sorted(made.nodes) == list(range(16))
    assert made.n_edges >= 15
    np.testing.assert_array_equal(made.edges, graph(name, 16, seed=1).edges)


@pytest.mark.parametrize(
    ("name", "n", "words"),
    [
        ("lattice", 15, "square"),
        ("hypercube", 12, "power of 2"),
        ("latice", 16, "did you mean 'lattice'"),
    ],
)
def test_families_that_do_not_exist(name: str, n: int, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        graph(name, n)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("complete", nx.complete_graph(16)),
        ("ring", nx.cycle_graph(16)),
        ("path", nx.path_graph(16)),
        ("star", nx.star_graph(15)),
        (
            "lattice",
            nx.convert_node_labels_to_integers(nx.grid_2d_graph(4, 4), ordering="sorted"),
        ),
    ],
)
def test_edges_stand_in_the_order_of_networkx(name: str, theirs: nx.Graph) -> None:
    # Draws over edges follow it, so that a graph of ours and the same one of theirs agree.
    assert graph(name, 16).edges.tolist() == [list(edge) for edge in theirs.edges]


def test_what_was_said_of_former_edges_says_nothing_of_others() -> None:
    ring = graph("ring", 8)
    cut = ring.replace(edges=ring.edges[1:])
    assert cut.spectrum.smallest == pytest.approx(np.linalg.eigvalsh(cut.laplacian())[1])


def test_without_edges_no_step_is_too_long() -> None:
    nobody = as_graph([], 3).spectrum
    assert nobody.bound == nobody.sufficient == math.inf
