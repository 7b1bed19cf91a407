"""Ollivier–Ricci curvature of edges by exact optimal transport, from local distances only.

The masses that two neighbourhoods share stay where they are (for W₁ that is optimal), so the
transport problem of an edge is between the remaining mass alone. With equal lengths all
distances in it are 1, 2 or 3 and come from the neighbour lists; otherwise from one search of
bounded radius around each node. Nothing depends on the size of the graph.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable

import numpy as np

from entro_nb import validate
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network
from entro_nb.geometry.transport import transport_cost
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "curvature_and_distance",
    "lin_lu_yau",
    "lin_lu_yau_values",
    "ollivier_ricci",
    "ollivier_values",
]

#: Mass below which the difference of two measures counts as none.
NO_MASS = 1e-14
#: Entries of cost matrices held at once; bounds memory at about 100 MB.
BLOCK = 12_000_000


def ollivier_ricci(
    graph: Graph, alpha: float = 0.5, *, weight: str | None = "length"
) -> dict[tuple[Hashable, Hashable], float]:
    """Ollivier–Ricci curvature κ(x, y) = 1 − W₁(μₓ, μᵧ) / d(x, y) of every edge.

    The formula behind the proxy of seed 004, §3.2 ("Formally: R_ij = …"). The measure μₓ has
    mass α at x and (1 − α)/deg(x) on each neighbour; d is the length of the shortest path,
    which may be shorter than the edge itself. Positive inside communities, negative on
    bottlenecks: the opposite of what the seed says, see notebook 11.

    Parameters
    ----------
    graph : networkx.Graph or Network
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
    network = as_network(graph, weight=weight)
    values = ollivier_values(network, alpha)
    return dict(zip(network.edge_names, values.tolist(), strict=True))


def lin_lu_yau(
    graph: Graph, *, weight: str | None = "length"
) -> dict[tuple[Hashable, Hashable], float]:
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
    Y. Lin, L. Lu, S.-T. Yau, "Ricci curvature of graphs", 2011.

    Examples
    --------
    >>> import networkx as nx
    >>> round(lin_lu_yau(nx.cycle_graph(5))[0, 1], 12)
    0.5
    """
    network = as_network(graph, weight=weight)
    return dict(zip(network.edge_names, lin_lu_yau_values(network).tolist(), strict=True))


def ollivier_values(network: Network, alpha: float = 0.5) -> FloatArray:
    """Ollivier–Ricci curvature of every edge of a network, shape (edge,)."""
    return curvature_and_distance(network, alpha)[0]


def lin_lu_yau_values(network: Network) -> FloatArray:
    """Lin–Lu–Yau curvature of every edge of a network, shape (edge,)."""
    return 4.0 * ollivier_values(network, 0.75)


def curvature_and_distance(
    network: Network, alpha: float = 0.5, length: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Ollivier–Ricci curvature, and shortest-path distance d between the ends, of every edge.

    `length` takes the place of the network's own lengths: positive, shape (edge,).
    """
    length = network.length if length is None else length
    alpha = validate.real("alpha", alpha, 0.0, 1.0, open_high=True)
    curvature = np.empty(len(network.edges))
    if curvature.size == 0:
        return curvature, length
    start, neighbour, _ = network.adjacency
    if np.all(length == length[0]):
        _equal_lengths(network.edges, start, neighbour, alpha, curvature)
        return curvature, length
    distance = np.empty(curvature.size)
    degree = network.degree
    entries = (degree[network.edges[:, 0]] + 1) * (degree[network.edges[:, 1]] + 1)
    lengths = length[network.adjacency.edge]
    first = 0
    while first < curvature.size:
        size = max(1, int(np.searchsorted(np.cumsum(entries[first:]), BLOCK, side="right")))
        block = slice(first, first + size)
        _any_lengths(
            network.edges[block],
            length[block],
            start,
            neighbour,
            lengths,
            alpha,
            curvature[block],
            distance[block],
        )
        first += size
    return curvature, distance


@compiled
def _difference(
    x: int, y: int, start: IntArray, neighbour: IntArray, alpha: float, net: FloatArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Sources, sinks, supplies and demands of μₓ − μᵧ; `net` is scratch and stays zero."""
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
def _equal_lengths(
    edges: IntArray, start: IntArray, neighbour: IntArray, alpha: float, curvature: FloatArray
) -> None:
    n = start.size - 1
    net = np.zeros(n)
    mark = np.full(n, -1)
    stamp = 0
    for e in range(len(edges)):
        x, y = edges[e, 0], edges[e, 1]
        sources, sinks, supply, demand = _difference(x, y, start, neighbour, alpha, net)
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
def _search(
    source: int,
    radius: float,
    start: IntArray,
    neighbour: IntArray,
    lengths: FloatArray,
    distance: FloatArray,
    touched: IntArray,
) -> int:
    """Dijkstra's algorithm out to `radius`; returns how many nodes were touched."""
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
    edges: IntArray,
    length: FloatArray,
    start: IntArray,
    neighbour: IntArray,
    lengths: FloatArray,
    alpha: float,
    curvature: FloatArray,
    geodesic: FloatArray,
) -> None:
    n = start.size - 1
    net = np.zeros(n)
    longest = np.zeros(n)  # longest edge at each node
    for u in range(n):
        for k in range(start[u], start[u + 1]):
            longest[u] = max(longest[u], lengths[k])

    # Which transport problems need distances from which node, and how far.
    parts = [_difference(x, y, start, neighbour, alpha, net) for x, y in edges]
    radius = np.zeros(n)
    rows = np.zeros(n + 1, np.int64)
    for e in range(len(edges)):
        # A path through x and y reaches every sink; rounding must not cut it off.
        reach = (longest[edges[e, 0]] + length[e] + longest[edges[e, 1]]) * (1.0 + 1e-12)
        radius[edges[e, 0]] = max(radius[edges[e, 0]], length[e])
        for u in parts[e][0]:
            radius[u] = max(radius[u], reach)
            rows[u + 1] += 1
    rows = np.cumsum(rows)
    place = rows[:-1].copy()
    problem, row = np.empty(rows[-1], np.int64), np.empty(rows[-1], np.int64)
    offset = np.zeros(len(edges) + 1, np.int64)
    for e in range(len(edges)):
        sources, sinks, _, _ = parts[e]
        offset[e + 1] = offset[e] + sources.size * sinks.size
        for i in range(sources.size):
            problem[place[sources[i]]], row[place[sources[i]]] = e, i
            place[sources[i]] += 1
    own = np.zeros(n + 1, np.int64)
    for e in range(len(edges)):
        own[edges[e, 0] + 1] += 1
    own = np.cumsum(own)
    place = own[:-1].copy()
    owned = np.empty(len(edges), np.int64)
    for e in range(len(edges)):
        owned[place[edges[e, 0]]] = e
        place[edges[e, 0]] += 1

    costs = np.empty(offset[-1])
    distance = np.full(n, np.inf)
    touched = np.empty(n, np.int64)
    for u in range(n):
        if radius[u] == 0.0:
            continue
        count = _search(u, radius[u], start, neighbour, lengths, distance, touched)
        for k in range(own[u], own[u + 1]):
            geodesic[owned[k]] = distance[edges[owned[k], 1]]
        for k in range(rows[u], rows[u + 1]):
            sinks = parts[problem[k]][1]
            at = offset[problem[k]] + row[k] * sinks.size
            for j in range(sinks.size):
                costs[at + j] = distance[sinks[j]]
        for k in range(count):
            distance[touched[k]] = np.inf

    for e in range(len(edges)):
        sources, sinks, supply, demand = parts[e]
        if sources.size == 0:
            curvature[e] = 1.0
            continue
        cost = costs[offset[e] : offset[e + 1]].reshape(sources.size, sinks.size)
        curvature[e] = 1.0 - transport_cost(supply, demand, cost, False) / geodesic[e]
