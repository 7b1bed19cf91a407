"""Graphs as arrays: NetworkX at the door, edge lists and neighbour lists inside.

Seed 004 writes g for a logical distance in §1.1 and for a bandwidth in §1.3. Here the two are
kept apart: an edge has a *length* (latency, cost; long means far) and a *conductance*
(bandwidth, weight; large means close), and nothing turns one into the other silently.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

__all__ = [
    "Adjacency",
    "Graph",
    "IntArray",
    "Network",
    "as_network",
    "names_array",
    "require_edges",
]

IntArray = npt.NDArray[np.int64]


class Adjacency(NamedTuple):
    """Neighbour lists: those of node i stand in ``neighbour[start[i]:start[i + 1]]``, sorted."""

    start: IntArray  #: (node + 1,)
    neighbour: IntArray  #: (2 edges,)
    edge: IntArray  #: (2 edges,) index of the edge that leads there


@dataclass(frozen=True, eq=False)
class Network:
    """Simple undirected graph with edge lengths and conductances, node loads and state vectors.

    Parameters
    ----------
    nodes : tuple
        Names of the nodes; arrays below are in this order.
    edges : ndarray of int64, shape (edge, 2)
        Node indices of each edge, every edge once.
    length : ndarray, shape (edge,)
        Logical distance g of seed 004, §1.1: latency or cost. Positive.
    conductance : ndarray, shape (edge,)
        Connection strength g of seed 004, §1.3: bandwidth. Positive.
    load : ndarray, shape (node,)
        Scalar energy term of each node.
    state : ndarray, shape (node, component)
        State vector of each node; may have no components.

    Raises
    ------
    ParameterError, DataError
        If an edge is a self-loop or appears twice, a length or conductance is not positive,
        or anything is NaN or infinite.

    Examples
    --------
    >>> import networkx as nx
    >>> triangle = as_network(nx.cycle_graph(3))
    >>> triangle.degree, triangle.edges.tolist()
    (array([2, 2, 2]), [[0, 1], [0, 2], [1, 2]])
    """

    nodes: tuple[Hashable, ...]
    edges: IntArray
    length: FloatArray
    conductance: FloatArray
    load: FloatArray
    state: FloatArray

    def __post_init__(self) -> None:
        n = len(self.nodes)
        if n == 0:
            raise DataError("nodes", self.nodes, "at least one node")
        edges = np.asarray(self.edges, dtype=np.int64).reshape(-1, 2)
        if edges.size and (edges.min() < 0 or edges.max() >= n):
            raise ParameterError("edges", edges.tolist(), f"node indices in [0, {n - 1}]")
        ends = np.sort(edges, axis=1)
        for loop in np.flatnonzero(ends[:, 0] == ends[:, 1])[:1]:
            raise ParameterError(
                "edges", (self.nodes[ends[loop, 0]],) * 2, "no self-loops: remove them first"
            )
        keys, counts = np.unique(ends[:, 0] * n + ends[:, 1], return_counts=True)
        for twice in keys[counts > 1][:1]:
            pair = (self.nodes[twice // n], self.nodes[twice % n])
            raise ParameterError("edges", pair, "each edge once: merge parallel edges first")
        object.__setattr__(self, "edges", edges)
        for name in ("length", "conductance"):
            values = validate.finite_array(name, getattr(self, name), ndim=1, empty=True)
            if values.size != len(edges):
                raise ParameterError(
                    name, f"{values.size} values", f"one for each edge, {len(edges)}"
                )
            for bad in np.flatnonzero(values <= 0)[:1]:
                pair = tuple(self.nodes[k] for k in edges[bad])
                raise ParameterError(f"{name} of edge {pair}", float(values[bad]), "above 0")
            object.__setattr__(self, name, values)
        load = validate.finite_array("load", self.load, ndim=1)
        state = validate.finite_array("state", self.state, ndim=2, empty=True)
        for name, values in (("load", load), ("state", state)):
            if len(values) != n:
                raise ParameterError(name, f"{len(values)} rows", f"one for each node, {n}")
            object.__setattr__(self, name, values)

    @cached_property
    def adjacency(self) -> Adjacency:
        """Neighbour lists, sorted by neighbour."""
        tails = np.concatenate([self.edges[:, 0], self.edges[:, 1]])
        heads = np.concatenate([self.edges[:, 1], self.edges[:, 0]])
        order = np.lexsort((heads, tails))
        start = np.zeros(len(self.nodes) + 1, dtype=np.int64)
        np.cumsum(np.bincount(tails, minlength=len(self.nodes)), out=start[1:])
        edge = np.tile(np.arange(len(self.edges), dtype=np.int64), 2)
        return Adjacency(start, heads[order], edge[order])

    @property
    def degree(self) -> IntArray:
        """Number of neighbours of each node, shape (node,)."""
        return np.diff(self.adjacency.start)

    @property
    def edge_names(self) -> list[tuple[Hashable, Hashable]]:
        """Edges as pairs of node names, in order."""
        return [(self.nodes[i], self.nodes[j]) for i, j in self.edges]

    @property
    def coordinate(self) -> np.ndarray:
        """Node names as a coordinate: whole numbers where they are, text otherwise."""
        return names_array(self.nodes)

    def components(self) -> IntArray:
        """Connected component of each node, numbered from 0, shape (node,)."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.nodes)
        matrix = coo_array((np.ones(len(self.edges)), self.edges.T), shape=(n, n))
        labels: IntArray = connected_components(matrix, directed=False)[1].astype(np.int64)
        return labels

    def to_networkx(self) -> nx.Graph:
        """The same graph for NetworkX, with attributes length, conductance, load and state."""
        graph = nx.Graph()
        for k, name in enumerate(self.nodes):
            graph.add_node(name, load=float(self.load[k]), state=self.state[k])
        for k, (i, j) in enumerate(self.edges):
            graph.add_edge(
                self.nodes[i],
                self.nodes[j],
                length=float(self.length[k]),
                conductance=float(self.conductance[k]),
            )
        return graph


#: What every function of this package accepts as a graph.
Graph: TypeAlias = "nx.Graph | Network"


def as_network(
    graph: Graph, *, weight: str | None = "length", conductance: str | None = "conductance"
) -> Network:
    """Arrays of a NetworkX graph, checked.

    Parameters
    ----------
    graph : networkx.Graph or Network
        Undirected and simple. A Network is returned as it is.
    weight : str or None
        Edge attribute that holds lengths. Where no edge has it, every length is 1; where only
        some have it, that is an error. NetworkX's customary ``"weight"`` is not read unless
        asked for, since it means a strength in some graphs (the karate club) and a length in
        others.
    conductance : str or None
        Edge attribute that holds conductances, with the same rule.

    Returns
    -------
    Network

    Raises
    ------
    ParameterTypeError
        If `graph` is directed, a multigraph or no graph at all.
    ParameterError, DataError
        As :class:`Network`: self-loops, lengths that are not positive, NaN.

    Notes
    -----
    Isolated nodes and disconnected graphs are accepted: curvature is local, and consensus is
    then reached in each component by itself.

    Examples
    --------
    >>> import networkx as nx
    >>> g = nx.Graph()
    >>> g.add_edge("a", "b", length=2.0)
    >>> as_network(g).length
    array([2.])
    """
    if isinstance(graph, Network):
        return graph
    if not isinstance(graph, nx.Graph):
        raise ParameterTypeError("graph", graph, "a networkx.Graph or a Network")
    if graph.is_multigraph():
        raise ParameterTypeError(
            "graph", graph, "a simple graph: merge parallel edges first, nx.Graph(graph)"
        )
    if graph.is_directed():
        raise ParameterTypeError(
            "graph", graph, "an undirected graph: graph.to_undirected() forgets directions"
        )
    nodes = tuple(graph.nodes)
    if not nodes:
        raise DataError("graph", graph, "at least one node")
    index = {name: k for k, name in enumerate(nodes)}
    pairs = [(index[u], index[v]) for u, v in graph.edges]
    records = list(graph.edges.data())
    data = dict(graph.nodes.data())
    rows = [np.ravel(data[name].get("state", ())) for name in nodes]
    if len({row.size for row in rows}) > 1:
        raise ParameterError(
            "state", sorted({row.size for row in rows}), "vectors of one length on every node"
        )
    return Network(
        nodes=nodes,
        edges=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        length=_attribute(records, weight),
        conductance=_attribute(records, conductance),
        load=np.array([_number(data[name], "load", name, 0.0) for name in nodes]),
        state=np.array(rows, dtype=np.float64).reshape(len(nodes), -1),
    )


def _attribute(records: list[tuple[Any, Any, dict[str, Any]]], name: str | None) -> FloatArray:
    if name is None or not any(name in data for _, _, data in records):
        return np.ones(len(records))
    for u, v, data in records:
        if name not in data:
            raise DataError(
                f"{name} of edge ({u!r}, {v!r})", None, "a number on every edge or none"
            )
    return np.array([_number(data, name, (u, v), 1.0) for u, v, data in records])


def _number(data: Mapping[str, Any], key: str, owner: object, default: float) -> float:
    value = data.get(key, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ParameterTypeError(f"{key} of {owner!r}", value, "a real number") from None


def names_array(names: Sequence[Hashable]) -> np.ndarray:
    """Node names as an array of integers where they are, of text otherwise."""
    if all(isinstance(name, int) for name in names):
        return np.array(names, dtype=np.int64)
    return np.array([str(name) for name in names])


def require_edges(network: Network, purpose: str) -> Network:
    """The network, refused when it has no edge to work on."""
    if len(network.edges) == 0:
        raise DataError("graph", f"{len(network.nodes)} nodes, no edges", f"edges, for {purpose}")
    return network
