"""Communities from a flow: cut the edges it stretched, and score what falls apart."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import networkx as nx
import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.flow import RicciFlow, advance, start, subnetwork
from entro_nb.geometry.graph import Graph, IntArray, as_network, require_edges
from entro_nb.validate import FloatArray

__all__ = ["adjusted_rand", "cut", "flow_communities", "louvain", "modularity", "split_of"]


def flow_communities(
    graph: Graph, parameters: RicciFlow | None = None, *, steps: int = 20
) -> IntArray:
    """Communities by flow and surgery: the cut of stretched edges with the largest modularity.

    Runs the flow, then cuts edges from the longest down and keeps the cut whose components
    have the largest modularity on the uncut graph. The number of communities is found, not
    given.

    Parameters
    ----------
    graph : networkx.Graph or Network
        Undirected and simple, with at least one edge.
    parameters : RicciFlow, optional
        By default the form of Ni et al. with step 0.9.
    steps : int
        Steps of the flow, at least 1.

    Returns
    -------
    ndarray of int64, shape (node,)
        Community of each node, numbered from 0.

    Raises
    ------
    ParameterError, DataError
        As :func:`~entro_nb.geometry.flow.flow`.

    References
    ----------
    C.-C. Ni et al., "Community detection on networks with Ricci flow", 2019.

    Examples
    --------
    >>> import networkx as nx
    >>> flow_communities(nx.barbell_graph(4, 0))
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    network = require_edges(as_network(graph), "communities")
    parameters = parameters or RicciFlow(step=0.9)
    state = start(network, parameters)
    for _ in range(validate.integer("steps", steps, 1)):
        state = advance(network, state, parameters)
    best, found = -np.inf, network.components()
    for length in np.unique(state.length)[::-1]:
        labels = cut(network, state.length, float(length))
        score = modularity(network, labels)
        if score > best:
            best, found = score, labels
    return found


def cut(graph: Graph, length: npt.ArrayLike, cutoff: float) -> IntArray:
    """Components that remain when every edge longer than `cutoff` is removed, shape (node,).

    Examples
    --------
    >>> import networkx as nx
    >>> cut(nx.path_graph(3), [1.0, 5.0], cutoff=2.0)
    array([0, 0, 1])
    """
    network = as_network(graph)
    lengths = validate.finite_array("length", length, ndim=1)
    if lengths.size != len(network.edges):
        raise ParameterError("length", f"{lengths.size} values", "one for each edge")
    return subnetwork(network, lengths <= validate.real("cutoff", cutoff)).components()


def louvain(graph: Graph, seed: int = 0) -> IntArray:
    """Communities by the Louvain method, the usual alternative; shape (node,).

    Examples
    --------
    >>> import networkx as nx
    >>> louvain(nx.barbell_graph(4, 0))
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    network = as_network(graph)
    plain = nx.Graph()
    plain.add_nodes_from(range(len(network.nodes)))
    plain.add_edges_from(network.edges.tolist())
    labels = np.empty(len(network.nodes), dtype=np.int64)
    parts = nx.community.louvain_communities(plain, seed=validate.integer("seed", seed, 0))
    for k, part in enumerate(sorted(parts, key=min)):
        labels[list(part)] = k
    return labels


def split_of(graph: nx.Graph, attribute: str) -> IntArray:
    """Known communities, from a node attribute, numbered in order of appearance.

    Examples
    --------
    >>> from entro_nb.geometry.families import karate_club
    >>> int(split_of(karate_club(), "club").sum())
    17
    """
    values: Mapping[Hashable, Hashable] = nx.get_node_attributes(graph, attribute)
    if len(values) != len(graph):
        raise ParameterError("attribute", attribute, "an attribute that every node has")
    number = {value: k for k, value in enumerate(dict.fromkeys(values.values()))}
    return np.array([number[values[name]] for name in graph], dtype=np.int64)


def modularity(graph: Graph, labels: npt.ArrayLike) -> float:
    """Newman's modularity Q = Σ_c [m_c/m − (d_c/2m)²] of a split of an unweighted graph.

    Examples
    --------
    >>> import networkx as nx
    >>> round(modularity(nx.barbell_graph(4, 0), [0, 0, 0, 0, 1, 1, 1, 1]), 4)
    0.4231
    """
    network = require_edges(as_network(graph), "modularity")
    label = _labels(labels, len(network.nodes))
    i, j = network.edges.T
    m = len(network.edges)
    inside = np.bincount(label[i][label[i] == label[j]], minlength=label.max() + 1) / m
    degree: FloatArray = np.bincount(label, weights=network.degree) / (2 * m)
    return float(np.sum(inside - degree**2))


def adjusted_rand(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Adjusted Rand index of two splits: 1 for the same, 0 on average for unrelated ones.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    n = validate.same_length(first=first, second=second)
    a, b = _labels(first, n), _labels(second, n)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1.0)

    def pairs(counts: FloatArray) -> float:
        return float((counts * (counts - 1.0)).sum()) / 2.0

    rows, columns, both = pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), pairs(table)
    chance = rows * columns / max(n * (n - 1) / 2.0, 1.0)
    largest = (rows + columns) / 2.0
    return 1.0 if largest == chance else (both - chance) / (largest - chance)


def _labels(value: npt.ArrayLike, size: int) -> IntArray:
    """Community labels as whole numbers from 0."""
    label = np.unique(np.asarray(value), return_inverse=True)[1].astype(np.int64).ravel()
    if label.size != size or size == 0:
        raise ParameterError("labels", f"{label.size} values", f"one for each of {size} nodes")
    return label
