"""Who exchanges with whom: graphs as arrays, their components and the ends of their spectrum.

The complete graph is kept implicit, since its exchange needs sums over all nodes and no list
of edges; every other graph is a sparse list of neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

__all__ = ["IntArray", "Spectrum", "Topology"]

IntArray = npt.NDArray[np.int64]

#: Largest graph whose spectrum is computed in full.
DENSE_LIMIT = 1500


@dataclass(frozen=True)
class Spectrum:
    """Ends of the Laplacian spectrum of a graph.

    Attributes
    ----------
    smallest : float or None
        Smallest eigenvalue that is not zero (λ₂ of a connected graph); None where the graph
        is too large for it.
    largest : float
        λ_max, or where `exact` is False an upper bound of it.
    exact : bool
        Whether `largest` is the eigenvalue itself.
    """

    smallest: float | None
    largest: float
    exact: bool


@dataclass(frozen=True, eq=False)
class Topology:
    """Undirected graph of nodes 0 … N−1, without loops.

    Build one with `complete`, `ring`, `path`, `star`, `lattice`, `random` or `of`.

    Attributes
    ----------
    n_nodes : int
        Number of nodes N.
    start, neighbour : ndarray of int
        Neighbours of node i are ``neighbour[start[i]:start[i + 1]]``; empty when `complete`.
    is_complete : bool
        Whether every node neighbours every other.
    name : str
        What it was built as.

    Examples
    --------
    >>> Topology.ring(4).degrees
    array([2, 2, 2, 2])
    >>> Topology.complete(5).spectrum
    Spectrum(smallest=5.0, largest=5.0, exact=True)
    """

    n_nodes: int
    start: IntArray
    neighbour: IntArray
    is_complete: bool
    name: str

    @classmethod
    def complete(cls, n_nodes: int) -> Topology:
        """Complete graph: every node hears every other."""
        n = validate.integer("n_nodes", n_nodes, 1)
        none = np.zeros(0, np.int64)
        return cls(n, none, none, True, "complete")

    @classmethod
    def ring(cls, n_nodes: int) -> Topology:
        """Cycle of at least three nodes."""
        n = validate.integer("n_nodes", n_nodes, 3)
        i = np.arange(n)
        return cls._from_pairs(n, i, (i + 1) % n, "ring")

    @classmethod
    def path(cls, n_nodes: int) -> Topology:
        """Line of nodes, each hearing its one or two neighbours."""
        n = validate.integer("n_nodes", n_nodes, 1)
        i = np.arange(n - 1)
        return cls._from_pairs(n, i, i + 1, "path")

    @classmethod
    def star(cls, n_nodes: int) -> Topology:
        """Node 0 in the middle, heard by all and hearing all."""
        n = validate.integer("n_nodes", n_nodes, 1)
        i = np.arange(1, n)
        return cls._from_pairs(n, np.zeros_like(i), i, "star")

    @classmethod
    def lattice(cls, rows: int, columns: int) -> Topology:
        """Grid of rows × columns nodes, node (r, c) being number r·columns + c."""
        r = validate.integer("rows", rows, 1)
        c = validate.integer("columns", columns, 1)
        index = np.arange(r * c).reshape(r, c)
        left = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
        right = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
        return cls._from_pairs(r * c, left, right, "lattice")

    @classmethod
    def random(cls, n_nodes: int, degree: float, seed: int = 0) -> Topology:
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
        """
        n = validate.integer("n_nodes", n_nodes, 3)
        d = validate.real("degree", degree, 2.0, float(n), open_high=True)
        rng = np.random.default_rng(validate.integer("seed", seed, 0))
        order = rng.permutation(n)
        extra = rng.integers(0, n, (2, round(n * (d - 2.0) / 2.0)))
        left = np.concatenate([order, extra[0]])
        right = np.concatenate([np.roll(order, 1), extra[1]])
        return cls._from_pairs(n, left, right, "random")

    @classmethod
    def of(cls, graph: Any, n_nodes: int | None = None) -> Topology:
        """Topology of a NetworkX graph, a square adjacency matrix, or a list of edges.

        Parameters
        ----------
        graph : Topology, networkx.Graph, array_like or iterable of pairs
            An adjacency matrix must be symmetric; a NetworkX graph is numbered in its own
            order of nodes; a list of edges needs `n_nodes`.
        n_nodes : int, optional
            Number of nodes, for a list of edges.

        Raises
        ------
        ParameterError
            If the graph is directed, the matrix is not square and symmetric, or an edge leads
            outside 0 … N−1.

        Examples
        --------
        >>> Topology.of([(0, 1), (1, 2)], n_nodes=3).degrees
        array([1, 2, 1])
        """
        if isinstance(graph, Topology):
            return graph
        if hasattr(graph, "is_directed") and hasattr(graph, "edges"):
            if graph.is_directed():
                raise ParameterError("graph", graph, "an undirected graph")
            number = {node: k for k, node in enumerate(graph.nodes)}
            edges = [(number[u], number[v]) for u, v in graph.edges]
            return cls._of_edges(len(number), edges, "graph")
        if n_nodes is not None:
            return cls._of_edges(validate.integer("n_nodes", n_nodes, 1), graph, "edges")
        matrix = validate.finite_array("graph", graph, ndim=2)
        if matrix.shape[0] != matrix.shape[1] or not np.array_equal(matrix, matrix.T):
            raise ParameterError(
                "graph",
                f"array of shape {matrix.shape}",
                "a symmetric adjacency matrix, or a list of edges together with n_nodes",
            )
        left, right = np.nonzero(np.triu(matrix, 1))
        return cls._from_pairs(matrix.shape[0], left, right, "matrix")

    @classmethod
    def _of_edges(cls, n: int, edges: Iterable[tuple[int, int]], name: str) -> Topology:
        pairs = np.asarray(list(edges))
        if pairs.size and (pairs.dtype.kind not in "iu" or pairs.shape[1:] != (2,)):
            raise ParameterTypeError("graph", edges, "pairs of node numbers")
        pairs = pairs.astype(np.int64).reshape(-1, 2)
        if pairs.size and (pairs.min() < 0 or pairs.max() >= n):
            bad = int(np.argmax(((pairs < 0) | (pairs >= n)).any(axis=1)))
            raise ParameterError(
                f"edge {bad}", tuple(pairs[bad].tolist()), f"nodes in [0, {n - 1}]"
            )
        return cls._from_pairs(n, pairs[:, 0], pairs[:, 1], name)

    @classmethod
    def _from_pairs(cls, n: int, left: IntArray, right: IntArray, name: str) -> Topology:
        low, high = np.minimum(left, right), np.maximum(left, right)
        keep = low != high
        key = np.unique(low[keep] * np.int64(n) + high[keep])
        low, high = key // n, key % n
        source = np.concatenate([low, high])
        target = np.concatenate([high, low])
        order = np.lexsort((target, source))
        start = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(source, minlength=n), out=start[1:])
        return cls(n, start, target[order].astype(np.int64), False, name)

    @property
    def degrees(self) -> IntArray:
        """Number of neighbours of each node."""
        if self.is_complete:
            return np.full(self.n_nodes, self.n_nodes - 1, np.int64)
        return np.diff(self.start)

    @property
    def edges(self) -> IntArray:
        """Edges i < j, shape (E, 2)."""
        if self.is_complete:
            return np.column_stack(np.triu_indices(self.n_nodes, 1)).astype(np.int64)
        source = np.repeat(np.arange(self.n_nodes), np.diff(self.start))
        keep = source < self.neighbour
        return np.column_stack([source[keep], self.neighbour[keep]])

    @cached_property
    def components(self) -> list[IntArray]:
        """Nodes of each connected component, largest first."""
        return self.components_of(np.ones(self.n_nodes, np.bool_))

    def components_of(self, active: npt.NDArray[np.bool_]) -> list[IntArray]:
        """Connected components among the active nodes alone, largest first."""
        nodes = np.flatnonzero(active)
        if self.is_complete:
            return [nodes] if nodes.size else []
        from scipy.sparse.csgraph import connected_components

        _, label = connected_components(self.adjacency()[nodes][:, nodes], directed=False)
        order = np.argsort(label, kind="stable")
        parts = np.split(nodes[order], np.flatnonzero(np.diff(label[order])) + 1)
        return sorted((p for p in parts if p.size), key=lambda p: -p.size)

    def adjacency(self) -> Any:
        """Adjacency matrix, a SciPy sparse array of ones."""
        from scipy.sparse import csr_array

        n = self.n_nodes
        if self.is_complete:
            return csr_array(np.ones((n, n)) - np.eye(n))
        ones = np.ones(self.neighbour.size)
        return csr_array((ones, self.neighbour, self.start), shape=(n, n))

    def laplacian(self) -> FloatArray:
        """Laplacian L = D − A as a dense matrix, for graphs of at most 1500 nodes."""
        validate.integer("n_nodes", self.n_nodes, 1, DENSE_LIMIT)
        a: FloatArray = self.adjacency().toarray()
        return np.diag(a.sum(axis=1)) - a

    @cached_property
    def spectrum(self) -> Spectrum:
        """Smallest non-zero and largest eigenvalue of the Laplacian.

        Closed form for complete graph and ring, computed in full up to 1500 nodes; above that
        λ_max is replaced by the bound max(d_i + d_j) over edges (Anderson and Morley 1985),
        which keeps every step that it admits admissible.
        """
        n = self.n_nodes
        if self.is_complete:
            return Spectrum(float(n), float(n), True) if n > 1 else Spectrum(None, 0.0, True)
        if self.name == "ring":
            k = np.arange(1, n // 2 + 1)
            values = 2.0 - 2.0 * np.cos(2.0 * np.pi * k / n)
            return Spectrum(float(values[0]), float(values[-1]), True)
        if n <= DENSE_LIMIT:
            values = np.asarray(np.linalg.eigvalsh(self.laplacian()), np.float64)
            positive = values[len(self.components) :]
            if not positive.size:
                return Spectrum(None, 0.0, True)
            return Spectrum(float(positive[0]), float(positive[-1]), True)
        d = self.degrees
        source = np.repeat(np.arange(n), d)
        pairs = d[source] + d[self.neighbour]
        return Spectrum(None, float(pairs.max()) if pairs.size else 0.0, False)
