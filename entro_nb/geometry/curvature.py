"""Curvature of edges: Ollivier's by exact optimal transport, its limit, and the combinatorial ones.

For Ollivier's curvature, the masses that two neighbourhoods share stay where they are (for W₁
that is optimal), so the transport problem of an edge is between the remaining mass alone. With
equal lengths all distances in it are 1, 2 or 3 and come from the neighbour lists; otherwise from
one search of bounded radius around each node. Nothing depends on the size of the graph.

The transport is ours, because it was measured against POT's network simplex with SciPy's Dijkstra
on whole graphs: 0.1 against 3.5 ms on the karate club, 41 against 496 ms on 5000 edges of equal
length, 0.35 s against most of a minute on 100 000. Only where neighbourhoods are large and lengths
unequal, on the routes between airports, is POT ahead, 1.8 against 2.4 s; to import it takes
another second.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Annotated, Literal, NamedTuple, TypeAlias, TypeVar, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.graphs import Adjacency, Graph, GraphLike, as_graph
from entro_nb.results import compiled
from entro_nb.validate import Bounds, FloatArray, IntArray

Method = Literal["ollivier", "lin_lu_yau", "forman", "augmented_forman", "proxy"]
METHODS: tuple[Method, ...] = get_args(Method)

#: Curvature of every edge, as the graph lists it.
EdgeValues: TypeAlias = dict[tuple[Hashable, Hashable], float]
#: α of the lazy walk: how much of a measure stays at its node.
Idleness = Annotated[float, Bounds(0.0, 1.0, open_high=True)]
Number = TypeVar("Number", float, FloatArray)

#: What the seed's pseudo-code adds to a distance before dividing by it.
PROXY_OFFSET = 1e-9
#: Idleness at which κ_α/(1 − α) is the Lin–Lu–Yau curvature, see :func:`lin_lu_yau`.
LIN_LU_YAU = 0.75
#: Mass below which a difference of measures, a supply, a demand or a flow counts as none.
NO_MASS = 1e-14
#: How far from tight a pair may be by rounding, as a fraction of the largest cost.
TIGHT = 1e-13
#: Distinct costs up to which ties are many.
FEW = 8
#: Marks of a node that no search has met, and of one that it started from.
UNSEEN, ROOT = -2, -1
#: Entries of cost matrices held at once; bounds memory at about 100 MB.
BLOCK = 12_000_000


@validate.checked
def curvature(
    graph: GraphLike,
    method: Method = "ollivier",
    *,
    alpha: Idleness = 0.5,
    weight: str | None = "length",
) -> FloatArray:
    """Curvature of every edge by the named definition, in the order of the graph's edges.

    ``ollivier``: κ = 1 − W₁/d, the definition that seed 004, §3.2 names and does not compute;
    ``lin_lu_yau``: its limit for α → 1; ``forman``: 4 − deg u − deg v; ``augmented_forman``:
    that plus 3 for each triangle on the edge; ``proxy``: what the seed's pseudo-code computes,
    |load_i − load_j| / (‖s_i − s_j‖ + 10⁻⁹), which is never negative and ignores the graph.

    Parameters
    ----------
    graph : networkx.Graph or Graph
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
    graph = as_graph(graph, weight=weight)
    if method == "ollivier":
        return curvature_and_distance(graph, alpha)[0]
    if method == "lin_lu_yau":
        return curvature_and_distance(graph, LIN_LU_YAU)[0] / (1.0 - LIN_LU_YAU)
    i, j = graph.edges.T
    if method == "proxy":
        if graph.state.shape[1] == 0:
            raise DataError("graph", "nodes without state vectors", "node attribute 'state'")
        apart = np.linalg.norm(graph.state[i] - graph.state[j], axis=1)
        return proxy(graph.load[i], graph.load[j], apart)
    values: FloatArray = 4.0 - graph.degrees[i] - graph.degrees[j]
    return values + 3.0 * triangles(graph) if method == "augmented_forman" else values


def ollivier_ricci(
    graph: GraphLike, alpha: Idleness = 0.5, *, weight: str | None = "length"
) -> EdgeValues:
    """Ollivier–Ricci curvature κ(x, y) = 1 − W₁(μₓ, μᵧ) / d(x, y) of every edge.

    The formula behind the proxy of seed 004, §3.2 ("Formally: R_ij = …"). The measure μₓ has
    mass α at x and (1 − α)/deg(x) on each neighbour; d is the length of the shortest path,
    which may be shorter than the edge itself. Positive inside communities, negative on
    bottlenecks: the opposite of what the seed says, see notebook 11.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        Undirected and simple. Isolated nodes have no edges, so nothing is returned for them.
    alpha : float
        Idleness α in [0, 1). One half is the lazy walk that most of the literature uses.
    weight : str or None
        Edge attribute with lengths; every length is 1 where no edge has it.

    Returns
    -------
    dict
        Edge, as the graph lists it, to curvature (dimensionless, at most 1). Empty for a graph
        without edges.

    Raises
    ------
    ParameterError, DataError
        If `alpha` is outside [0, 1), or the graph is directed, has parallel edges, self-loops
        or lengths that are not positive.

    References
    ----------
    Y. Ollivier, "Ricci curvature of Markov chains on metric spaces", 2009.

    Examples
    --------
    >>> import networkx as nx
    >>> round(ollivier_ricci(nx.complete_graph(5))[0, 1], 12)
    0.625
    """
    return _by_edge(graph, "ollivier", alpha, weight)


def lin_lu_yau(graph: GraphLike, *, weight: str | None = "length") -> EdgeValues:
    """Lin–Lu–Yau curvature lim κ_α / (1 − α) as α → 1, of every edge, exact.

    No limit is taken numerically. For α > 2/3 the mass at x exceeds all that the neighbours of
    y can take, so some of it travels along x → y in every optimal plan; the optimal potential
    then falls by exactly d(x, y) from x to y, W₁ is linear in α, and the limit is κ_α/(1 − α)
    at α = 3/4.

    Parameters
    ----------
    graph, weight
        As :func:`ollivier_ricci`.

    Returns
    -------
    dict
        Edge to curvature (dimensionless, at most 2).

    Raises
    ------
    ParameterError, DataError
        As :func:`ollivier_ricci`.

    References
    ----------
    Y. Lin, L. Lu, S.-T. Yau, "Ricci curvature of graphs", 2011. D. P. Bourne et al.,
    "Ollivier–Ricci idleness functions of graphs", 2018: κ_α is piecewise linear in α.

    Examples
    --------
    >>> import networkx as nx
    >>> round(lin_lu_yau(nx.cycle_graph(5))[0, 1], 12)
    0.5
    """
    return _by_edge(graph, "lin_lu_yau", weight=weight)


def forman(graph: GraphLike) -> EdgeValues:
    """Forman curvature 4 − deg u − deg v of every edge of an unweighted graph.

    Examples
    --------
    >>> import networkx as nx
    >>> forman(nx.complete_graph(3))[0, 1]
    0.0
    """
    return _by_edge(graph, "forman")


def augmented_forman(graph: GraphLike) -> EdgeValues:
    """Forman curvature with triangles filled in, 4 − deg u − deg v + 3·(triangles on the edge).

    Examples
    --------
    >>> import networkx as nx
    >>> augmented_forman(nx.complete_graph(3))[0, 1]
    3.0
    """
    return _by_edge(graph, "augmented_forman")


def load_proxy(graph: GraphLike) -> EdgeValues:
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
    return _by_edge(graph, "proxy")


def _by_edge(
    graph: GraphLike, method: Method, alpha: float = 0.5, weight: str | None = "length"
) -> EdgeValues:
    graph = as_graph(graph, weight=weight)
    return dict(zip(graph.edge_names, curvature(graph, method, alpha=alpha).tolist(), strict=True))


@compiled
def proxy(load: Number, other: Number, apart: Number) -> Number:
    """|load_i − load_j| / (‖s_i − s_j‖ + 10⁻⁹) as seed 004, §3.2 has it, of numbers or arrays."""
    gap: Number = np.abs(load - other)
    return gap / (apart + PROXY_OFFSET)


def triangles(graph: Graph) -> IntArray:
    """Number of triangles on each edge, shape (edge,).

    Examples
    --------
    >>> triangles(Graph.complete(4))
    array([2, 2, 2, 2, 2, 2])
    """
    return _common_neighbours(graph.edges, graph.adjacency)


@compiled
def _common_neighbours(edges: IntArray, adjacency: Adjacency) -> IntArray:
    start, neighbour, _ = adjacency
    counts = np.zeros(len(edges), np.int64)
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
    return counts


@validate.checked
def curvature_and_distance(
    graph: Graph, alpha: Idleness = 0.5, length: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Ollivier–Ricci curvature, and shortest-path distance d between the ends, of every edge.

    `length` takes the place of the graph's own lengths: positive, shape (edge,).
    """
    edges, (start, neighbour, edge) = graph.edges, graph.adjacency
    if length is None:
        length = graph.length
    curvature, distance = np.empty(len(edges)), length.copy()
    if curvature.size == 0:
        return curvature, distance
    walk = Walk(start, neighbour, length[edge], alpha)
    if np.all(length == length[0]):
        equal_lengths(edges, walk, curvature)
        return curvature, distance
    # Blocks of edges whose cost matrices fit into memory together.
    block = np.cumsum(np.prod(graph.degrees[edges] + 1, axis=1)) // BLOCK
    for part in np.split(np.arange(len(edges)), np.flatnonzero(np.diff(block)) + 1):
        at = slice(part[0], part[-1] + 1)
        _any_lengths(edges[at], length[at], walk, curvature[at], distance[at])
    return curvature, distance


class Walk(NamedTuple):
    """The lazy walk on a graph: the neighbour lists of its nodes, and how much of it stays."""

    start: IntArray
    neighbour: IntArray
    lengths: FloatArray  #: of the edge to each neighbour
    alpha: float


@compiled
def _difference(
    x: int, y: int, walk: Walk, net: FloatArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Sources, sinks, supplies and demands of μₓ − μᵧ; `net` is scratch and stays zero."""
    start, neighbour, _, alpha = walk
    share_x = (1.0 - alpha) / (start[x + 1] - start[x])
    share_y = (1.0 - alpha) / (start[y + 1] - start[y])
    net[x] += alpha
    net[y] -= alpha
    for k in range(start[x], start[x + 1]):
        net[neighbour[k]] += share_x
    for k in range(start[y], start[y + 1]):
        net[neighbour[k]] -= share_y
    room = start[x + 1] - start[x] + start[y + 1] - start[y]
    sources, sinks = np.empty(room, np.int64), np.empty(room, np.int64)
    supply, demand = np.empty(room), np.empty(room)
    n = m = 0
    # x and y are neighbours of each other, so these two lists cover both measures.
    for end in (x, y):
        for k in range(start[end], start[end + 1]):
            z = neighbour[k]
            if net[z] > NO_MASS:
                sources[n], supply[n] = z, net[z]
                n += 1
            elif net[z] < -NO_MASS:
                sinks[m], demand[m] = z, -net[z]
                m += 1
            net[z] = 0.0
    return sources[:n], sinks[:m], supply[:n], demand[:m]


@compiled
def equal_lengths(edges: IntArray, walk: Walk, curvature: FloatArray) -> None:
    """Curvature of the given edges, where every length is the same, into `curvature`."""
    start, neighbour, _, _ = walk
    n = start.size - 1
    net = np.zeros(n)
    mark = np.full(n, -1)
    stamp = 0
    for e in range(len(edges)):
        x, y = edges[e, 0], edges[e, 1]
        sources, sinks, supply, demand = _difference(x, y, walk, net)
        if sources.size == 0:
            curvature[e] = 1.0
            continue
        cost = np.empty((sources.size, sinks.size))
        for i in range(sources.size):
            u = sources[i]
            stamp += 1
            for k in range(start[u], start[u + 1]):
                mark[neighbour[k]] = stamp
            for j in range(sinks.size):
                v = sinks[j]
                if mark[v] == stamp:
                    cost[i, j] = 1.0
                    continue
                # u → x → y → v is a path, so three steps always do.
                hops = 3.0
                for k in range(start[v], start[v + 1]):
                    if mark[neighbour[k]] == stamp:
                        hops = 2.0
                        break
                cost[i, j] = hops
        curvature[e] = 1.0 - transport_cost(supply, demand, cost, True)


@compiled
def _search(source: int, radius: float, walk: Walk, distance: FloatArray, touched: IntArray) -> int:
    """Dijkstra's algorithm out to `radius`; returns how many nodes were touched."""
    start, neighbour, lengths, _ = walk
    distance[source] = 0.0
    touched[0] = source
    count = 1
    heap = [(0.0, source)]
    while len(heap) > 0:
        d, u = heapq.heappop(heap)
        if d > distance[u]:
            continue
        for k in range(start[u], start[u + 1]):
            v, far = neighbour[k], d + lengths[k]
            if far <= radius and far < distance[v]:
                if distance[v] == np.inf:
                    touched[count] = v
                    count += 1
                distance[v] = far
                heapq.heappush(heap, (far, v))
    return count


@compiled
def _any_lengths(
    edges: IntArray, length: FloatArray, walk: Walk, curvature: FloatArray, geodesic: FloatArray
) -> None:
    start, _, lengths, _ = walk
    n = start.size - 1
    net = np.zeros(n)
    longest = np.zeros(n)  # longest edge at each node
    for u in range(n):
        for k in range(start[u], start[u + 1]):
            longest[u] = max(longest[u], lengths[k])

    # Every distance that is asked for: from which node, for which problem, in which row of its
    # costs; row −1 is the distance between the ends of the edge. And how far to search for it.
    parts = [_difference(x, y, walk, net) for x, y in edges]
    asked = len(edges)
    for part in parts:
        asked += part[0].size
    node, problem, row = np.empty(asked, np.int64), np.empty(asked, np.int64), np.full(asked, -1)
    offset = np.zeros(len(edges) + 1, np.int64)
    radius = np.zeros(n)
    asked = 0
    for e in range(len(edges)):
        x, y = edges[e]
        sources = parts[e][0]
        offset[e + 1] = offset[e] + sources.size * parts[e][1].size
        # A path through x and y reaches every sink; rounding must not cut it off.
        reach = (longest[x] + length[e] + longest[y]) * (1.0 + 1e-12)
        node[asked], problem[asked] = x, e
        radius[x] = max(radius[x], length[e])
        asked += 1
        for i in range(sources.size):
            node[asked], problem[asked], row[asked] = sources[i], e, i
            radius[sources[i]] = max(radius[sources[i]], reach)
            asked += 1

    costs = np.empty(offset[-1])
    distance = np.full(n, np.inf)
    touched = np.empty(n, np.int64)
    here, count = -1, 0
    for k in np.argsort(node, kind="mergesort"):
        if node[k] != here:
            distance[touched[:count]] = np.inf
            here = node[k]
            count = _search(here, radius[here], walk, distance, touched)
        e = problem[k]
        if row[k] < 0:
            geodesic[e] = distance[edges[e, 1]]
        else:
            sinks = parts[e][1]
            at = offset[e] + row[k] * sinks.size
            for j in range(sinks.size):
                costs[at + j] = distance[sinks[j]]

    for e in range(len(edges)):
        sources, sinks, supply, demand = parts[e]
        if sources.size == 0:
            curvature[e] = 1.0
            continue
        cost = costs[offset[e] : offset[e + 1]].reshape(sources.size, sinks.size)
        curvature[e] = 1.0 - transport_cost(supply, demand, cost, False) / geodesic[e]


class Shipment(NamedTuple):
    """A shipment under way, and the marks that a search leaves."""

    supply: FloatArray  #: what each source has left
    demand: FloatArray  #: what each sink still wants
    cost: FloatArray  #: of a unit, from source to sink
    flow: FloatArray  #: shipped so far, from source to sink
    u: FloatArray  #: potential of each source
    v: FloatArray  #: potential of each sink
    source_to: IntArray  #: sink that each source was found from
    sink_from: IntArray  #: source that each sink was found from


@compiled
def transport_cost(supply: FloatArray, demand: FloatArray, cost: FloatArray, ties: bool) -> float:
    """Least Σ fᵢⱼ cᵢⱼ that ships all supply to the demands; uses up both arrays.

    The Hungarian method for flows: potentials u, v with cᵢⱼ − uᵢ − vⱼ ≥ 0, and flow only where
    that is zero. In turn, mass is sent along such tight pairs, and the potentials move until
    there are more of them. Where costs have many `ties`, all sources search at once and one
    sweep sends along many paths; where they have few, each source by itself is faster.
    """
    n, m = cost.shape
    flow = np.zeros((n, m))
    u, v = np.empty(n), np.empty(m)
    for i in range(n):
        u[i] = cost[i].min()
    for j in range(m):
        v[j] = cost[0, j] - u[0]
        for i in range(1, n):
            v[j] = min(v[j], cost[i, j] - u[i])
    tight = TIGHT * cost.max()
    state = Shipment(supply, demand, cost, flow, u, v, np.empty(n, np.int64), np.empty(m, np.int64))
    _sweep(state, tight)
    if ties:
        while _route(state, 0, n):
            _sweep(state, tight)
    else:
        for root in range(n):
            while _route(state, root, root + 1):
                pass
    total = 0.0
    for i in range(n):
        for j in range(m):
            total += flow[i, j] * cost[i, j]
    return total


@compiled
def _sweep(state: Shipment, tight: float) -> None:
    """Send mass along tight pairs, forwards or undoing flow; no node is searched from twice."""
    supply, demand, cost, flow, u, v, source_to, sink_from = state
    n, m = cost.shape
    queue = np.empty(n, np.int64)
    for i in range(n):
        source_to[i] = UNSEEN
    for j in range(m):
        sink_from[j] = UNSEEN
    for root in range(n):
        if supply[root] <= NO_MASS or source_to[root] != UNSEEN:
            continue
        source_to[root] = ROOT
        queue[0] = root
        head, tail = 0, 1
        while head < tail and supply[root] > NO_MASS:
            i = queue[head]
            head += 1
            for j in range(m):
                if sink_from[j] != UNSEEN or cost[i, j] - u[i] - v[j] > tight:
                    continue
                sink_from[j] = i
                if demand[j] > NO_MASS:
                    _augment(state, j)
                    room = demand[j] > NO_MASS
                    if room:
                        sink_from[j] = UNSEEN  # others may still send here
                    if supply[root] <= NO_MASS:
                        break
                    if room:
                        continue  # the path ran out first, and was this sink's only use
                for other in range(n):
                    if source_to[other] == UNSEEN and flow[other, j] > NO_MASS:
                        source_to[other] = j
                        queue[tail] = other
                        tail += 1


@compiled
def _augment(state: Shipment, end: int) -> None:
    """Ship along the path that was found to `end` as much as it can take."""
    supply, demand, _, flow, _, _, source_to, sink_from = state
    i = sink_from[end]
    moved = demand[end]
    while source_to[i] != ROOT:
        moved = min(moved, flow[i, source_to[i]])
        i = sink_from[source_to[i]]
    moved = min(moved, supply[i])
    supply[i] -= moved
    demand[end] -= moved
    i = sink_from[end]
    flow[i, end] += moved
    while source_to[i] != ROOT:
        j = source_to[i]
        flow[i, j] -= moved
        i = sink_from[j]
        flow[i, j] += moved


@compiled
def _route(state: Shipment, first: int, last: int) -> bool:
    """Move potentials until supply of sources [first, last) meets demand, and ship; False if none.

    Grows a tree of tight pairs from these sources, Dijkstra's way: the nearest sink joins, with
    the sources that could send elsewhere what they send to it.
    """
    supply, demand, cost, flow, u, v, source_to, sink_from = state
    n, m = cost.shape
    slack = np.full(m, np.inf)
    reached = np.zeros(m, np.bool_)
    left = False
    for i in range(n):
        source_to[i] = UNSEEN
    for i in range(first, last):
        if supply[i] > NO_MASS:
            left = True
            source_to[i] = ROOT
            for j in range(m):
                gap = cost[i, j] - u[i] - v[j]
                if gap < slack[j]:
                    slack[j] = gap
                    sink_from[j] = i
    while left:
        near = -1
        for j in range(m):
            if not reached[j] and (near < 0 or slack[j] < slack[near]):
                near = j
        if near < 0:
            return False  # only rounding residue is left of the supply
        step = slack[near]
        if step > 0.0:
            for i in range(n):
                if source_to[i] != UNSEEN:
                    u[i] += step
            for j in range(m):
                if reached[j]:
                    v[j] -= step
                else:
                    slack[j] -= step
        reached[near] = True
        if demand[near] > NO_MASS:
            _augment(state, near)
            return True
        for i in range(n):
            if source_to[i] == UNSEEN and flow[i, near] > NO_MASS:
                source_to[i] = near
                for j in range(m):
                    gap = cost[i, j] - u[i] - v[j]
                    if not reached[j] and gap < slack[j]:
                        slack[j] = gap
                        sink_from[j] = i
    return False


def wasserstein(supply: npt.ArrayLike, demand: npt.ArrayLike, cost: npt.ArrayLike) -> float:
    """Earth mover's distance W₁ = min Σ fᵢⱼ cᵢⱼ between two measures of equal mass, exact.

    Parameters
    ----------
    supply : array_like, shape (n,)
        Mass at each source, non-negative.
    demand : array_like, shape (m,)
        Mass at each sink, non-negative, with the same sum.
    cost : array_like, shape (n, m)
        Cost of moving one unit of mass.

    Returns
    -------
    float
        Least total cost, in units of mass × cost.

    Raises
    ------
    ParameterError, DataError
        If shapes do not match, the masses differ by more than one part in 10⁹, or a number
        is negative, NaN or infinite.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; J. Munkres, 1957, for
    the transportation problem.

    Examples
    --------
    >>> wasserstein([0.5, 0.5], [1.0], [[1.0], [3.0]])
    2.0
    """
    a = validate.finite_array("supply", supply, ndim=1, low=0.0)
    b = validate.finite_array("demand", demand, ndim=1, low=0.0)
    c = validate.finite_array("cost", cost, ndim=2, shape=(a.size, b.size))
    mass = float(a.sum())
    if not np.isclose(mass, float(b.sum()), rtol=validate.SUM_TOLERANCE, atol=0.0):
        raise ParameterError("sum of demand", float(b.sum()), f"the sum of supply, {mass:g}")
    if mass == 0.0:
        return 0.0
    # Unit mass inside, so that "used up" means the same for every problem.
    return float(transport_cost(a / mass, b / mass, c, np.unique(c).size <= FEW)) * mass
