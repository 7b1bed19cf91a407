"""How robust a graph is against liars, in the sense that W-MSR needs."""

from __future__ import annotations

import networkx as nx
import numpy as np

from entro_nb import validate
from entro_nb.geometry.graph import Graph, IntArray, as_network
from entro_nb.results import compiled

__all__ = ["robust_graph", "robustness"]

#: All subsets of the nodes are looked at: 2**20 is a second's work.
LARGEST_EXACT = 20


def robustness(graph: Graph) -> int:
    """Largest r for which a graph is r-robust, exact, by looking at every subset of nodes.

    A graph is r-robust if, of any two disjoint non-empty sets of nodes, at least one has a
    node with r or more neighbours outside its set. W-MSR withstands F liars near every node
    if the graph is (2F + 1)-robust.

    Parameters
    ----------
    graph : networkx.Graph or Network
        2 to 20 nodes.

    Raises
    ------
    ParameterError
        If the graph has fewer than 2 nodes, or too many to look at all subsets.

    References
    ----------
    LeBlanc et al. 2013, definitions 6 and 7.

    Examples
    --------
    >>> import networkx as nx
    >>> robustness(nx.complete_graph(7)), robustness(nx.cycle_graph(7))
    (4, 1)
    """
    network = as_network(graph)
    n = validate.integer("number of nodes", len(network.nodes), 2, LARGEST_EXACT)
    bits = np.zeros(n, dtype=np.int64)
    for i, j in network.edges:
        bits[i] |= 1 << int(j)
        bits[j] |= 1 << int(i)
    return int(_robustness(bits))


@compiled
def _robustness(bits: IntArray) -> int:
    n = bits.size
    full = (1 << n) - 1
    reach = np.zeros(full + 1, np.int64)  # most neighbours outside that a member has
    for subset in range(1, full + 1):
        for i in range(n):
            if subset >> i & 1:
                outside = bits[i] & ~subset
                count = 0
                while outside:
                    outside &= outside - 1
                    count += 1
                reach[subset] = max(reach[subset], count)
    # Least reach of any non-empty subset within a set, by adding one node at a time.
    least = reach.copy()
    least[0] = n
    for i in range(n):
        for subset in range(full + 1):
            if subset >> i & 1:
                least[subset] = min(least[subset], least[subset ^ (1 << i)])
    result = n
    for subset in range(1, full):
        result = min(result, max(reach[subset], least[full ^ subset]))
    return result


def robust_graph(n: int, r: int, seed: int = 0) -> nx.Graph:
    """Random graph that is r-robust by construction.

    Starts from the complete graph on 2r − 1 nodes, which is r-robust; every further node links
    to r of those before it, which keeps that so.

    Examples
    --------
    >>> robustness(robust_graph(12, 3)) >= 3
    True
    """
    r = validate.integer("r", r, 1)
    n = validate.integer("n", n, 2 * r - 1)
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    graph = nx.complete_graph(2 * r - 1)
    for node in range(2 * r - 1, n):
        graph.add_edges_from((node, int(k)) for k in rng.choice(node, size=r, replace=False))
    return graph
