"""The graph as a simplicial complex, and Phase II of seed 004: edges added and taken away.

§1.1 calls the system a dynamic simplicial complex K(t) = {V(t), E(t)}; nodes and edges alone are
a graph. Here the complex of a graph has every clique as a simplex: triangles, tetrahedra and up.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated, Literal, NamedTuple

import numpy as np

from entro_nb import validate
from entro_nb.entropy import shannon
from entro_nb.geometry.curvature import Idleness, Walk, curvature_and_distance, equal_lengths
from entro_nb.graphs import Graph, GraphLike, as_graph, require_edges
from entro_nb.validate import Bounds, Count, IntArray, Natural

Stop = Literal["no bottleneck", "no edge helps", "turns"]

#: Curvature gained below which an edge more counts as no help.
NO_GAIN = 1e-9


@validate.checked
def simplices(graph: GraphLike, largest: Natural | None = None) -> IntArray:
    """Number of simplices of the clique complex by dimension: nodes, edges, triangles, and up.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        Undirected and simple.
    largest : int, optional
        Highest dimension that is counted; by default that of the largest clique. A graph with
        large cliques has as many simplices as they have subsets.

    Returns
    -------
    ndarray of int64, shape (dimension + 1,)
        Its alternating sum is Euler's characteristic.

    Examples
    --------
    >>> import networkx as nx
    >>> simplices(nx.complete_graph(4)), simplices(nx.cycle_graph(4))
    (array([4, 6, 4, 1]), array([4, 4]))
    """
    import networkx as nx

    sizes = []
    # Cliques come in the order of their size, so that none is made that is not counted.
    for clique in nx.enumerate_all_cliques(as_graph(graph).to_networkx()):
        if largest is not None and len(clique) > largest + 1:
            break
        sizes.append(len(clique))
    return np.bincount(sizes)[1:].astype(np.int64)


def complex_entropy(graph: GraphLike, largest: int | None = None) -> float:
    """Entropy in bits of how the simplices are spread over the dimensions (ours).

    0 where there are only nodes; the more the complex is than a graph, the larger. The seed gives
    the complex no entropy of its own: its S is of the data on it, see
    :func:`~entro_nb.geometry.workflow.load_entropy`.

    Examples
    --------
    >>> import networkx as nx
    >>> complex_entropy(nx.cycle_graph(4)), complex_entropy(nx.empty_graph(3))
    (1.0, 0.0)
    """
    counts = simplices(graph, largest)
    return float(shannon(counts / counts.sum()))


class Rewired(NamedTuple):
    """What Phase II made of a graph."""

    graph: Graph
    added: list[tuple[int, int]]  #: edges by the places of their nodes, in order
    cut: list[tuple[int, int]]
    least: list[float]  #: least curvature of any edge, before and after each turn
    stop: Stop


@validate.checked
def rewire(
    graph: GraphLike, *, turns: Count = 20, prune: bool = False, alpha: Idleness = 0.5,
    bottleneck: Annotated[float, Bounds(-np.inf, 0.0)] = 0.0,
) -> Rewired:  # fmt: skip
    """Phase II of §3.1 with its branch "R < 0: expand / prune", on edges of equal length.

    A turn takes the edge (i, j) of least curvature R, and of all edges that are not there between
    i or a neighbour of i and j or a neighbour of j adds the one that raises R most. With `prune`
    it then takes away the edge of largest R, if what remains is connected as before.

    It stops when no edge has R below `bottleneck`, when no edge more would raise R, or after
    `turns`. The seed has no rule for which edges, and stops by the entropy of the load.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        At least one edge; its lengths are not used.
    turns : int
        At least 1.
    prune : bool
        Take an edge away for each that is added.
    alpha : float
        Idleness of the curvature, in [0, 1).
    bottleneck : float
        Curvature below which an edge is one, at most 0.

    Returns
    -------
    Rewired

    References
    ----------
    J. Topping et al., "Understanding over-squashing and bottlenecks on graphs via curvature",
    ICLR 2022: the same moves, drawn at random.

    Examples
    --------
    >>> import networkx as nx
    >>> done = rewire(nx.barbell_graph(4, 0), turns=9)
    >>> len(done.added), done.stop, done.least[0] < 0 <= done.least[-1]
    (2, 'no bottleneck', True)
    """
    now = _plain(require_edges(as_graph(graph), "Phase II"))
    added: list[tuple[int, int]] = []
    cut: list[tuple[int, int]] = []
    least: list[float] = []
    stop: Stop = "turns"
    for turn in range(turns + 1):
        curvature = curvature_and_distance(now, alpha)[0]
        least.append(float(curvature.min()))
        if least[-1] >= bottleneck:
            stop = "no bottleneck"
            break
        if turn == turns:
            break
        worst = int(curvature.argmin())
        gain, best = max(
            ((_of_edge(_with(now, new), worst, alpha), new) for new in _candidates(now, worst)),
            default=(-np.inf, (0, 0)),
        )
        if gain <= least[-1] + NO_GAIN:
            stop = "no edge helps"
            break
        added.append(best)
        now = _with(now, best)
        if prune and (spare := _spare(now, alpha)) is not None:
            cut.append((int(now.edges[spare, 0]), int(now.edges[spare, 1])))
            now = _plain(now, np.delete(now.edges, spare, axis=0))
    return Rewired(now, added, cut, least, stop)


def _spare(graph: Graph, alpha: float) -> int | None:
    """Edge of the largest curvature that holds nothing together; not the one just added."""
    parts = len(graph.components())
    for e in np.argsort(-curvature_and_distance(graph, alpha)[0], kind="stable"):
        without = _plain(graph, np.delete(graph.edges, e, axis=0))
        if e != graph.n_edges - 1 and len(without.components()) == parts:
            return int(e)
    return None


def _plain(graph: Graph, edges: IntArray | None = None) -> Graph:
    """The same nodes, joined by edges of length and conductance 1."""
    edges = graph.edges if edges is None else edges
    return graph.replace(edges=edges, length=np.ones(len(edges)), conductance=np.ones(len(edges)))


def _with(graph: Graph, new: tuple[int, int]) -> Graph:
    return _plain(graph, np.vstack([graph.edges, new]))


def _candidates(graph: Graph, edge: int) -> list[tuple[int, int]]:
    """Edges that are not there between the surroundings of the two ends of one."""
    start, neighbour, _ = graph.adjacency
    i, j = (int(k) for k in graph.edges[edge])
    near = [[k, *neighbour[start[k] : start[k + 1]].tolist()] for k in (i, j)]
    there = {frozenset(pair) for pair in graph.edges.tolist()}
    pairs = {(min(a, b), max(a, b)) for a, b in product(*near) if a != b}
    return sorted(pair for pair in pairs if frozenset(pair) not in there)


def _of_edge(graph: Graph, edge: int, alpha: float) -> float:
    start, neighbour, _ = graph.adjacency
    walk, value = Walk(start, neighbour, np.ones(neighbour.size), alpha), np.empty(1)
    equal_lengths(graph.edges[edge : edge + 1], walk, value)
    return float(value[0])
