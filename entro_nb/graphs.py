"""The one graph of network and geometry: arrays inside, NetworkX at the door, families by name.

Seed 004 writes g for a logical distance in §1.1 and for a bandwidth in §1.3. Here the two are
kept apart: an edge has a *length* (latency, cost; long means far) and a *conductance*
(bandwidth, weight; large means close), and nothing turns one into the other silently.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, Positive, Seed

if TYPE_CHECKING:
    import networkx as nx

#: Largest graph whose Laplacian is handled as a dense matrix.
DENSE_LIMIT = 1500


class Adjacency(NamedTuple):
    """Neighbour lists: those of node i stand in ``neighbour[start[i]:start[i + 1]]``, sorted."""

    start: IntArray  #: (node + 1,)
    neighbour: IntArray  #: (2 edges,)
    edge: IntArray  #: (2 edges,) index of the edge that leads there


@dataclass(frozen=True)
class Spectrum:
    """What the Laplacian's eigenvalues say about averaging, x ← (I − αL)x.

    Seed 004, §3.3 asks for ρ(I − αL) < 1. That is never so: L has the eigenvalue 0, with the
    constant vector, so ρ = 1 for 0 ≤ α ≤ 2/λ_max. What contracts is the part orthogonal to the
    constant vectors of the connected components, by the factor :meth:`rate`.

    Attributes
    ----------
    smallest : float or None
        Smallest eigenvalue above zero (λ₂ of a connected graph); None where the graph has no
        edge or is too large for it.
    largest : float
        λ_max, or where `exact` is False an upper bound of it.
    exact : bool
        Whether `largest` is the eigenvalue itself.
    largest_degree : float
        Largest sum of conductances at a node.
    """

    smallest: float | None
    largest: float
    exact: bool
    largest_degree: float

    @property
    def bound(self) -> float:
        """2/λ_max: averaging contracts for 0 < α < bound, and for no other α."""
        return 2.0 / self.largest if self.largest else math.inf

    @property
    def sufficient(self) -> float:
        """1/d_max, at most the bound and known without eigenvalues."""
        return 1.0 / self.largest_degree if self.largest_degree else math.inf

    @property
    def optimal(self) -> float:
        """Fastest step, α = 2/(λ₂ + λ_max) (Xiao and Boyd 2004)."""
        return 2.0 / (self._slowest + self.largest)

    @property
    def _slowest(self) -> float:
        if self.smallest is None:
            raise ParameterError(
                "graph", "a smallest eigenvalue that is not known", f"{DENSE_LIMIT} nodes at most"
            )
        return self.smallest

    def rate(self, step: float) -> float:
        """Factor per step on the disagreement, max(|1 − αλ₂|, |1 − αλ_max|)."""
        return max(abs(1.0 - step * self._slowest), abs(1.0 - step * self.largest))

    def radius(self, step: float) -> float:
        """Spectral radius ρ(I − αL), the constant vector included."""
        return max(1.0, abs(1.0 - step * self.largest))


class Graph:
    """Simple undirected graph with edge lengths and conductances, node loads and state vectors.

    Usually built by :func:`graph` or :func:`as_graph`. The complete graph is kept implicit,
    since its exchange needs sums over all nodes and no list of edges: its arrays over edges are
    made when they are asked for.

    Parameters
    ----------
    nodes : sequence
        Names of the nodes; arrays below are in this order.
    edges : array_like of int, shape (edge, 2), or None
        Node indices of each edge, every edge once; None for the complete graph.
    length : array_like, shape (edge,), optional
        Logical distance g of seed 004, §1.1: latency or cost. Positive; 1 by default.
    conductance : array_like, shape (edge,), optional
        Connection strength g of seed 004, §1.3: bandwidth. Positive; 1 by default.
    load : array_like, shape (node,), optional
        Scalar energy term of each node; 0 by default.
    state : array_like, shape (node, component), optional
        State vector of each node; no components by default.
    name : str
        What it was built as.

    Raises
    ------
    ParameterError, DataError
        If an edge is a self-loop or appears twice, a length or conductance is not positive,
        or anything is NaN or infinite.

    Examples
    --------
    >>> Graph(range(3), [(0, 1), (1, 2)]).degrees
    array([1, 2, 1])
    >>> Graph.complete(5).spectrum.largest
    5.0
    """

    def __init__(
        self,
        nodes: Sequence[Hashable],
        edges: npt.ArrayLike | None,
        *,
        length: npt.ArrayLike | None = None,
        conductance: npt.ArrayLike | None = None,
        load: npt.ArrayLike | None = None,
        state: npt.ArrayLike | None = None,
        name: str = "graph",
    ) -> None:
        n = len(nodes)
        if n == 0:
            raise DataError("nodes", nodes, "at least one node")
        self.nodes = nodes
        self.name = name
        self.is_complete = edges is None
        self.is_weighted = conductance is not None
        if edges is not None:
            self.edges = _checked_edges(nodes, edges)
        if length is not None:
            self.length = self._weights("length", length)
        if conductance is not None:
            self.conductance = self._weights("conductance", conductance)
        self.load = validate.finite_array("load", np.zeros(n) if load is None else load, shape=(n,))
        self.state = validate.finite_array(
            "state", np.zeros((n, 0)) if state is None else state, ndim=2, empty=True
        )
        if len(self.state) != n:
            raise ParameterError("state", f"{len(self.state)} rows", f"one for each node, {n}")

    @classmethod
    @validate.checked
    def complete(cls, n_nodes: Count) -> Graph:
        """Complete graph of nodes 0 … N−1: every node neighbours every other."""
        return cls(range(n_nodes), None, name="complete")

    def __repr__(self) -> str:
        return f"Graph({self.name!r}, {self.n_nodes} nodes, {self.n_edges} edges)"

    def replace(self, **changes: Any) -> Graph:
        """The same graph with other lengths, conductances, loads, states, edges or name."""
        kept = {k: v for k, v in vars(self).items() if k in _GIVEN}
        kept["edges"] = None if self.is_complete else self.edges
        if not self.is_weighted:
            kept.pop("conductance", None)  # ones that were made when somebody asked for them
        if "edges" in changes:
            # What was said of the former edges says nothing of others.
            kept = {k: v for k, v in kept.items() if k not in ("length", "conductance", "name")}
        return Graph(**(kept | changes))

    def _weights(self, name: str, values: npt.ArrayLike) -> FloatArray:
        weights = validate.finite_array(name, values, shape=(self.n_edges,), empty=True)
        for bad in np.flatnonzero(weights <= 0)[:1]:
            pair = tuple(self.nodes[k] for k in self.edges[bad])
            raise ParameterError(f"{name} of edge {pair}", float(weights[bad]), "above 0")
        return weights

    @property
    def n_nodes(self) -> int:
        """Number of nodes N."""
        return len(self.nodes)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return self.n_nodes * (self.n_nodes - 1) // 2 if self.is_complete else len(self.edges)

    @cached_property
    def edges(self) -> IntArray:
        """Node indices of each edge, shape (edge, 2)."""
        return np.column_stack(np.triu_indices(self.n_nodes, 1)).astype(np.int64)

    @cached_property
    def length(self) -> FloatArray:
        """Length of each edge."""
        return np.ones(self.n_edges)

    @cached_property
    def conductance(self) -> FloatArray:
        """Conductance of each edge."""
        return np.ones(self.n_edges)

    @cached_property
    def adjacency(self) -> Adjacency:
        """Neighbour lists, sorted by neighbour."""
        tails = np.concatenate([self.edges[:, 0], self.edges[:, 1]])
        heads = np.concatenate([self.edges[:, 1], self.edges[:, 0]])
        order = np.lexsort((heads, tails))
        start = np.zeros(self.n_nodes + 1, np.int64)
        np.cumsum(np.bincount(tails, minlength=self.n_nodes), out=start[1:])
        edge = np.tile(np.arange(len(self.edges), dtype=np.int64), 2)
        return Adjacency(start, heads[order], edge[order])

    @property
    def degrees(self) -> IntArray:
        """Number of neighbours of each node, shape (node,)."""
        if self.is_complete:
            return np.full(self.n_nodes, self.n_nodes - 1, np.int64)
        return np.bincount(self.edges.ravel(), minlength=self.n_nodes)

    @property
    def edge_names(self) -> list[tuple[Hashable, Hashable]]:
        """Edges as pairs of node names, in order."""
        return [(self.nodes[i], self.nodes[j]) for i, j in self.edges]

    @property
    def coordinate(self) -> np.ndarray:
        """Node names as a coordinate: whole numbers where they are, text otherwise."""
        if all(isinstance(name, int) for name in self.nodes):
            return np.array(self.nodes, dtype=np.int64)
        return np.array([str(name) for name in self.nodes])

    @property
    def labels(self) -> IntArray:
        """Connected component of each node, numbered from 0 in the order of the nodes."""
        if self.is_complete:
            return np.zeros(self.n_nodes, np.int64)
        from scipy.sparse.csgraph import connected_components

        return np.asarray(connected_components(self.matrix(), directed=False)[1], np.int64)

    def components(self, active: npt.NDArray[np.bool_] | None = None) -> list[IntArray]:
        """Nodes of each connected component, largest first; among the active nodes, if given."""
        nodes = np.arange(self.n_nodes) if active is None else np.flatnonzero(active)
        if self.is_complete or not nodes.size:
            return [nodes] if nodes.size else []
        from scipy.sparse.csgraph import connected_components

        _, label = connected_components(self.matrix()[nodes][:, nodes], directed=False)
        order = np.argsort(label, kind="stable")
        parts = np.split(nodes[order], np.flatnonzero(np.diff(label[order])) + 1)
        return sorted(parts, key=lambda part: -part.size)

    def matrix(self) -> Any:
        """Adjacency matrix with conductances as weights, a SciPy sparse array."""
        from scipy.sparse import coo_array

        (i, j), n = self.edges.T, self.n_nodes
        weights = np.concatenate([self.conductance, self.conductance])
        ends = (np.concatenate([i, j]), np.concatenate([j, i]))
        return coo_array((weights, ends), shape=(n, n)).tocsr()

    def laplacian(self) -> FloatArray:
        """Laplacian L = D − A with conductances as weights, dense, for at most 1500 nodes.

        Examples
        --------
        >>> Graph(range(2), [(0, 1)]).laplacian()
        array([[ 1., -1.],
               [-1.,  1.]])
        """
        validate.integer("n_nodes", self.n_nodes, 1, DENSE_LIMIT)
        matrix = np.zeros((self.n_nodes,) * 2)
        i, j = self.edges.T
        matrix[i, j] = matrix[j, i] = -self.conductance
        np.fill_diagonal(matrix, -matrix.sum(axis=1))
        return matrix

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Eigenvalues of the Laplacian, ascending; of a ring, or for at most 1500 nodes."""
        if self.name == "ring" and not self.is_weighted:
            waves = (np.arange(self.n_nodes) + 1) // 2  # 0, then each of the others twice
            return 2.0 - 2.0 * np.cos(2.0 * np.pi * waves / self.n_nodes)
        return np.asarray(np.linalg.eigvalsh(self.laplacian()), np.float64)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Smallest non-zero and largest eigenvalue of the Laplacian.

        Closed form for the complete graph and the ring, computed in full up to 1500 nodes; above
        that λ_max is replaced by the bound max(d_i + d_j) over edges (Anderson and Morley 1985),
        which keeps every step that it admits admissible.
        """
        n, plain = self.n_nodes, not self.is_weighted
        if not self.n_edges:
            return Spectrum(None, 0.0, True, 0.0)
        if self.is_complete and plain:
            return Spectrum(float(n), float(n), True, n - 1.0)
        if self.name == "ring" and plain:
            return Spectrum(float(self.eigenvalues[1]), float(self.eigenvalues[-1]), True, 2.0)
        ends = self.edges.ravel()
        degree = np.bincount(ends, np.repeat(self.conductance, 2), minlength=n)
        if n <= DENSE_LIMIT:
            positive = self.eigenvalues[len(self.components()) :]
            return Spectrum(float(positive[0]), float(positive[-1]), True, float(degree.max()))
        bound = float(degree[self.edges].sum(axis=1).max())
        return Spectrum(None, bound, False, float(degree.max()))

    def to_networkx(self) -> nx.Graph:
        """The same graph for NetworkX, with attributes length, conductance, load and state."""
        import networkx as nx

        made = nx.Graph()
        for name, load, state in zip(self.nodes, self.load, self.state, strict=True):
            made.add_node(name, load=float(load), state=state)
        for (u, v), length, conductance in zip(
            self.edge_names, self.length, self.conductance, strict=True
        ):
            made.add_edge(u, v, length=float(length), conductance=float(conductance))
        return made


#: Arguments of a graph that it keeps under the same name.
_GIVEN = ("nodes", "name", "length", "conductance", "load", "state")

#: What every function of this package accepts as a graph.
GraphLike: TypeAlias = "Graph | nx.Graph"


def _checked_edges(nodes: Sequence[Hashable], edges: npt.ArrayLike) -> IntArray:
    n, pairs = len(nodes), np.asarray(edges)
    if pairs.size and (pairs.dtype.kind not in "iu" or pairs.shape[1:] != (2,)):
        raise ParameterTypeError("edges", edges, "pairs of node numbers")
    pairs = pairs.astype(np.int64).reshape(-1, 2)
    for bad in np.flatnonzero(((pairs < 0) | (pairs >= n)).any(axis=1))[:1]:
        raise ParameterError(f"edge {bad}", tuple(pairs[bad].tolist()), f"nodes in [0, {n - 1}]")
    low, high = np.sort(pairs, axis=1).T
    for loop in np.flatnonzero(low == high)[:1]:
        raise ParameterError("edges", (nodes[low[loop]],) * 2, "no self-loops: remove them first")
    keys, counts = np.unique(low * n + high, return_counts=True)
    for twice in keys[counts > 1][:1]:
        pair = (nodes[twice // n], nodes[twice % n])
        raise ParameterError("edges", pair, "each edge once: merge parallel edges first")
    return pairs


def as_graph(
    graph: GraphLike | npt.ArrayLike,
    n_nodes: int | None = None,
    *,
    weight: str | None = "length",
    conductance: str | None = "conductance",
) -> Graph:
    """Arrays of a NetworkX graph, of an adjacency matrix or of a list of edges, checked.

    Parameters
    ----------
    graph : Graph, networkx.Graph, array_like or iterable of pairs
        Undirected and simple. A Graph is returned as it is; an adjacency matrix must be
        symmetric, and its entries only say whether there is an edge; a list of edges needs
        `n_nodes`.
    n_nodes : int, optional
        Number of nodes, for a list of edges.
    weight : str or None
        Edge attribute that holds lengths. Where no edge has it, every length is 1; where only
        some have it, that is an error. NetworkX's customary ``"weight"`` is not read unless
        asked for, since it means a strength in some graphs (the karate club) and a length in
        others.
    conductance : str or None
        Edge attribute that holds conductances, with the same rule.

    Returns
    -------
    Graph

    Raises
    ------
    ParameterTypeError
        If `graph` is directed, a multigraph or no graph at all.
    ParameterError, DataError
        As :class:`Graph`: self-loops, edges twice, lengths that are not positive, NaN; or a
        matrix that is not square and symmetric.

    Notes
    -----
    Isolated nodes and disconnected graphs are accepted: curvature is local, and consensus is
    then reached in each component by itself.

    Examples
    --------
    >>> import networkx as nx
    >>> g = nx.Graph()
    >>> g.add_edge("a", "b", length=2.0)
    >>> as_graph(g).length
    array([2.])
    >>> as_graph([(0, 1), (1, 2)], 3)
    Graph('edges', 3 nodes, 2 edges)
    """
    if isinstance(graph, Graph):
        return graph
    if hasattr(graph, "is_directed") and hasattr(graph, "edges"):
        return _from_networkx(graph, weight, conductance)
    if n_nodes is not None:
        pairs = list(graph) if isinstance(graph, Iterable) else graph
        return Graph(range(validate.integer("n_nodes", n_nodes, 1)), pairs, name="edges")
    allowed = "a networkx.Graph, a symmetric adjacency matrix, or edges together with n_nodes"
    try:
        matrix = validate.finite_array("graph", graph, ndim=2)
    except (ParameterError, ValueError):
        raise ParameterTypeError("graph", graph, allowed) from None
    if matrix.shape[0] != matrix.shape[1] or not np.array_equal(matrix, matrix.T):
        raise ParameterError("graph", f"array of shape {matrix.shape}", allowed)
    return Graph(range(len(matrix)), np.argwhere(np.triu(matrix)), name="matrix")


def _from_networkx(graph: Any, weight: str | None, conductance: str | None) -> Graph:
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
    records = list(graph.edges.data())
    data = dict(graph.nodes.data())
    rows = [np.ravel(data[name].get("state", ())) for name in nodes]
    if len({row.size for row in rows}) > 1:
        raise ParameterError(
            "state", sorted({row.size for row in rows}), "vectors of one length on every node"
        )
    return Graph(
        nodes,
        np.array([(index[u], index[v]) for u, v in graph.edges], np.int64).reshape(-1, 2),
        length=_edge_attribute(records, weight),
        conductance=_edge_attribute(records, conductance),
        load=[_number(data[name], "load", name, 0.0) for name in nodes],
        state=np.array(rows, dtype=np.float64).reshape(len(nodes), -1),
    )


def _edge_attribute(
    records: list[tuple[Any, Any, dict[str, Any]]], name: str | None
) -> list[float] | None:
    if name is None or not any(name in data for _, _, data in records):
        return None
    for u, v, data in records:
        if name not in data:
            raise DataError(
                f"{name} of edge ({u!r}, {v!r})", None, "a number on every edge or none"
            )
    return [_number(data, name, (u, v), 1.0) for u, v, data in records]


def _number(data: Mapping[str, Any], key: str, owner: object, default: float) -> float:
    value = data.get(key, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ParameterTypeError(f"{key} of {owner!r}", value, "a real number") from None


def require_edges(graph: Graph, purpose: str) -> Graph:
    """The graph, refused when it has no edge to work on."""
    if not graph.n_edges:
        raise DataError("graph", f"{graph.n_nodes} nodes, no edges", f"edges, for {purpose}")
    return graph


@validate.checked
def lattice(rows: Count, columns: Count) -> Graph:
    """Grid of rows × columns nodes, node (r, c) being number r·columns + c.

    Examples
    --------
    >>> lattice(2, 3).n_edges
    7
    """
    index = np.arange(rows * columns).reshape(rows, columns)
    left = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    right = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    # In the order of NetworkX, downwards before sideways: draws over edges follow it.
    order = np.lexsort((-right, left))
    pairs = np.column_stack([left, right])[order]
    return Graph(range(rows * columns), pairs, name="lattice")


@validate.checked
def connected(
    n_nodes: Annotated[int, Bounds(3)], degree: Annotated[float, Bounds(2.0)], seed: Seed = 0
) -> Graph:
    """Connected random graph: a random cycle through all nodes, and random edges beside it.

    Parameters
    ----------
    n_nodes : int
        At least 3.
    degree : float
        Mean number of neighbours aimed at, at least 2 and below N (edges drawn twice are
        merged, so a dense graph ends a little below).
    seed : int
        Seed of :func:`numpy.random.default_rng`.

    Examples
    --------
    >>> len(connected(100, 4.0, seed=1).components())
    1
    """
    n = n_nodes
    validate.real("degree", degree, 2.0, float(n), open_high=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    extra = rng.integers(0, n, (2, round(n * (degree - 2.0) / 2.0)))
    left = np.concatenate([order, extra[0]])
    right = np.concatenate([np.roll(order, 1), extra[1]])
    low, high = np.minimum(left, right), np.maximum(left, right)
    keys = np.unique((low * n + high)[low != high])
    return Graph(range(n), np.column_stack([keys // n, keys % n]), name="connected")


def _made(n: int, low: npt.ArrayLike, high: npt.ArrayLike, name: str) -> Graph:
    pairs = np.sort(np.column_stack([low, high]), axis=1)
    return Graph(range(n), pairs[np.lexsort(pairs.T[::-1])], name=name)


def _drawn(name: str, n: int, degree: float, seed: int) -> Graph:
    """Graph of one of the families that NetworkX makes."""
    import networkx as nx

    d = round(degree)
    if name == "hypercube":
        if n & (n - 1):
            raise ParameterError("n_nodes", n, "a power of 2, for a hypercube")
        made = nx.hypercube_graph(n.bit_length() - 1)
        made = nx.convert_node_labels_to_integers(made, ordering="sorted")
    elif name == "tree":
        made = nx.full_rary_tree(max(d - 1, 1), n)
    elif name == "barbell":
        if n % 2:
            raise ParameterError("n_nodes", n, "an even number, for two equal bells")
        made = nx.barbell_graph(n // 2, 0)
    elif name == "regular":
        if n * d % 2 or d >= n:
            raise ParameterError("degree", d, f"below n_nodes = {n}, with n_nodes·degree even")
        made = nx.random_regular_graph(d, n, seed=seed)
    elif name == "small_world":
        made = nx.connected_watts_strogatz_graph(n, d, 0.1, tries=1000, seed=seed)
    elif name == "scale_free":
        made = nx.barabasi_albert_graph(n, max(d // 2, 1), seed=seed)
    elif name == "random":
        made = nx.gnm_random_graph(n, min(n * d // 2, n * (n - 1) // 2), seed=seed)
    else:
        made = nx.random_geometric_graph(n, math.sqrt((d + 1) / (math.pi * n)), seed=seed)
    return as_graph(made).replace(name=name)


#: Families that :func:`graph` makes, and what they are.
FAMILIES = {
    "complete": "every node hears every other",
    "ring": "a cycle",
    "path": "a line",
    "star": "node 0 in the middle",
    "lattice": "a square grid",
    "hypercube": "corners of a cube of any dimension",
    "tree": "each node but the leaves has degree − 1 children",
    "barbell": "two complete graphs joined by an edge",
    "connected": "random, and always connected",
    "regular": "random, every node of one degree",
    "small_world": "a ring with a tenth of its edges rewired (Watts and Strogatz)",
    "scale_free": "grown by preferential attachment (Barabási and Albert)",
    "random": "a given number of edges anywhere (Erdős and Rényi)",
    "geometric": "random places in a square, joined when close",
}


@validate.checked
def graph(name: str, n_nodes: Count, *, degree: Positive = 4.0, seed: Seed = 0) -> Graph:
    """Graph of a named family, nodes 0 … N − 1.

    Parameters
    ----------
    name : str
        One of :data:`FAMILIES`.
    n_nodes : int
        Number of nodes N. A lattice needs a square, a hypercube a power of 2, a ring 3.
    degree : float
        Mean degree of the random families (about), and one more than the branching of a tree.
    seed : int
        Seed of the random families.

    Returns
    -------
    Graph

    Raises
    ------
    ParameterError
        If the name is unknown or no such graph exists.

    Examples
    --------
    >>> graph("hypercube", 8)
    Graph('hypercube', 8 nodes, 12 edges)
    """
    n, i = n_nodes, np.arange(n_nodes)
    match validate.choice("name", name, FAMILIES):
        case "complete":
            return Graph.complete(n)
        case "ring":
            validate.integer("n_nodes", n, 3)
            return _made(n, i, (i + 1) % n, "ring")
        case "path":
            return _made(n, i[:-1], i[1:], "path")
        case "star":
            return _made(n, np.zeros_like(i[1:]), i[1:], "star")
        case "lattice":
            if (side := math.isqrt(n)) ** 2 != n:
                raise ParameterError("n_nodes", n, "a square number, for a square grid")
            return lattice(side, side)
        case "connected":
            return connected(n, degree, seed)
        case other:
            return _drawn(other, n, degree, seed)
