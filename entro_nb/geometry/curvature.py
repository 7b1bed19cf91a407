"""Curvature of edges: one door to every definition, and the combinatorial ones."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network
from entro_nb.geometry.ollivier import lin_lu_yau_values, ollivier_values
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "METHODS",
    "Method",
    "augmented_forman",
    "curvature",
    "forman",
    "load_proxy",
    "triangles",
]

Method = Literal["ollivier", "lin_lu_yau", "forman", "augmented_forman", "proxy"]
METHODS: tuple[Method, ...] = ("ollivier", "lin_lu_yau", "forman", "augmented_forman", "proxy")

#: What the seed's pseudo-code adds to a distance before dividing by it.
PROXY_OFFSET = 1e-9


def curvature(
    graph: Graph, method: Method = "ollivier", *, alpha: float = 0.5, weight: str | None = "length"
) -> FloatArray:
    """Curvature of every edge by the named definition, in the order of the graph's edges.

    ``ollivier``: κ = 1 − W₁/d, the definition that seed 004, §3.2 names and does not compute;
    ``lin_lu_yau``: its limit for α → 1; ``forman``: 4 − deg u − deg v; ``augmented_forman``:
    that plus 3 for each triangle on the edge; ``proxy``: what the seed's pseudo-code computes,
    |load_i − load_j| / (‖s_i − s_j‖ + 10⁻⁹), which is never negative and ignores the graph.

    Parameters
    ----------
    graph : networkx.Graph or Network
        Undirected and simple; the proxy also needs node attributes ``load`` and ``state``.
    method : str
        One of :data:`METHODS`.
    alpha : float
        Idleness in [0, 1), for ``ollivier`` alone.
    weight : str or None
        Edge attribute with lengths, for ``ollivier`` and ``lin_lu_yau`` alone: the other
        definitions do not look at lengths.

    Returns
    -------
    ndarray, shape (edge,)
        Dimensionless, except the proxy: load per unit of state distance.

    Raises
    ------
    ParameterError, DataError
        If the method is unknown, the graph is not a simple undirected one, or the proxy finds
        no state vectors.

    Examples
    --------
    >>> import networkx as nx
    >>> curvature(nx.path_graph(4)).round(3)
    array([0.5, 0. , 0.5])
    >>> curvature(nx.path_graph(4), "forman")
    array([1., 0., 1.])
    """
    method = validate.choice("method", method, METHODS)
    network = as_network(graph, weight=weight)
    if method == "ollivier":
        return ollivier_values(network, alpha)
    if method == "lin_lu_yau":
        return lin_lu_yau_values(network)
    if method == "proxy":
        if network.state.shape[1] == 0:
            raise DataError("graph", "nodes without state vectors", "node attribute 'state'")
        return _proxy(network)
    values: FloatArray = 4.0 - network.degree[network.edges].sum(axis=1)
    return values + 3.0 * triangles(network) if method == "augmented_forman" else values


def forman(graph: Graph) -> dict[tuple[Hashable, Hashable], float]:
    """Forman curvature 4 − deg u − deg v of every edge of an unweighted graph.

    Examples
    --------
    >>> import networkx as nx
    >>> forman(nx.complete_graph(3))[0, 1]
    0.0
    """
    network = as_network(graph)
    return dict(zip(network.edge_names, curvature(network, "forman").tolist(), strict=True))


def augmented_forman(graph: Graph) -> dict[tuple[Hashable, Hashable], float]:
    """Forman curvature with triangles filled in, 4 − deg u − deg v + 3·(triangles on the edge).

    Examples
    --------
    >>> import networkx as nx
    >>> augmented_forman(nx.complete_graph(3))[0, 1]
    3.0
    """
    network = as_network(graph)
    values = curvature(network, "augmented_forman").tolist()
    return dict(zip(network.edge_names, values, strict=True))


def load_proxy(graph: Graph) -> dict[tuple[Hashable, Hashable], float]:
    """What seed 004, §3.2 computes instead of curvature: |load_i − load_j| / (‖s_i − s_j‖ + 10⁻⁹).

    Kept to show what it does. It is never negative, so that the branch "R < 0: expand" of
    §3.1 cannot be reached, and moving an edge of the graph does not change it.

    Examples
    --------
    >>> import networkx as nx
    >>> g = nx.path_graph(2)
    >>> g.nodes[0].update(load=1.0, state=[0.0])
    >>> g.nodes[1].update(load=3.0, state=[4.0])
    >>> round(load_proxy(g)[0, 1], 6)
    0.5
    """
    network = as_network(graph)
    return dict(zip(network.edge_names, curvature(network, "proxy").tolist(), strict=True))


def _proxy(network: Network) -> FloatArray:
    i, j = network.edges.T
    gap = np.abs(network.load[i] - network.load[j])
    distance = np.linalg.norm(network.state[i] - network.state[j], axis=1)
    ratio: FloatArray = gap / (distance + PROXY_OFFSET)
    return ratio


def triangles(network: Network) -> IntArray:
    """Number of triangles on each edge, shape (edge,).

    Examples
    --------
    >>> import networkx as nx
    >>> triangles(as_network(nx.complete_graph(4)))
    array([2, 2, 2, 2, 2, 2])
    """
    counts = np.zeros(len(network.edges), dtype=np.int64)
    _common_neighbours(network.edges, network.adjacency.start, network.adjacency.neighbour, counts)
    return counts


@compiled
def _common_neighbours(
    edges: IntArray, start: IntArray, neighbour: IntArray, counts: IntArray
) -> None:
    for e in range(len(edges)):
        # Both neighbour lists are sorted: one merge finds what they share.
        a, b = start[edges[e, 0]], start[edges[e, 1]]
        end_a, end_b = start[edges[e, 0] + 1], start[edges[e, 1] + 1]
        while a < end_a and b < end_b:
            if neighbour[a] == neighbour[b]:
                counts[e] += 1
                a += 1
                b += 1
            elif neighbour[a] < neighbour[b]:
                a += 1
            else:
                b += 1
