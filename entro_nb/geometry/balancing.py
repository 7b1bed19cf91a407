"""A queueing network with moving hot spots, and the classical ways to balance it.

Ours: seed 004 claims that its flow relieves congestion and says on nothing what is congested.
Here load arrives at nodes in Poisson batches, most of it around a hot spot that wanders over
the graph; every node serves at the same rate, and edges can carry load away. All policies that
use edge weights have the same total of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from entro_nb import validate
from entro_nb.geometry.consensus import average
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network, require_edges
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "CLASSICAL",
    "Classical",
    "Slot",
    "Traffic",
    "arrivals",
    "diffuse",
    "metropolis_weights",
    "serve",
]

Classical = Literal["none", "static", "diffusion", "metropolis", "least_loaded"]
CLASSICAL: tuple[Classical, ...] = ("none", "static", "diffusion", "metropolis", "least_loaded")


@dataclass(frozen=True)
class Traffic:
    """Load offered to the network.

    Parameters
    ----------
    utilisation : float
        Mean load offered per slot as a fraction of all service, in (0, 1).
    hot : float
        Share of the load that arrives at the hot spot, in [0, 1].
    dwell : int
        Slots that the hot spot stays before it moves to a random neighbour, at least 1.
    service : float
        Load that a node serves per slot, above 0.
    slots : int
        Length of a run, at least 2.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> Traffic(hot=0.5).utilisation
    0.8
    """

    utilisation: float = 0.8
    hot: float = 0.2
    dwell: int = 40
    service: float = 4.0
    slots: int = 400

    def __post_init__(self) -> None:
        validate.real("utilisation", self.utilisation, 0.0, 1.0, open_low=True, open_high=True)
        validate.real("hot", self.hot, 0.0, 1.0)
        validate.integer("dwell", self.dwell, 1)
        validate.real("service", self.service, 0.0, open_low=True)
        validate.integer("slots", self.slots, 2)


@dataclass(frozen=True)
class Slot:
    """What one slot did: queues after it, load served and moved, messages sent."""

    queue: FloatArray
    served: float
    moved: float
    messages: int


def arrivals(graph: Graph, traffic: Traffic, seed: int = 0) -> IntArray:
    """Whole units of load that arrive at each node in each slot, shape (slot, node).

    Examples
    --------
    >>> import networkx as nx
    >>> arrivals(nx.cycle_graph(8), Traffic(slots=5)).shape
    (5, 8)
    """
    network = require_edges(as_network(graph), "a hot spot that moves")
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    n = len(network.nodes)
    start, neighbour, _ = network.adjacency
    offered = traffic.utilisation * traffic.service * n
    rate = np.full((traffic.slots, n), (1.0 - traffic.hot) * offered / n)
    here = int(rng.choice(network.edges.ravel()))  # a node that has somewhere to go
    for t in range(traffic.slots):
        if t and t % traffic.dwell == 0:
            here = int(rng.choice(neighbour[start[here] : start[here + 1]]))
        rate[t, here] += traffic.hot * offered
    return rng.poisson(rate).astype(np.int64)


def metropolis_weights(network: Network) -> FloatArray:
    """1/(1 + max(dᵢ, dⱼ)) of every edge: averaging weights that need no global knowledge."""
    weight: FloatArray = 1.0 / (1.0 + network.degree[network.edges].max(axis=1))
    return weight


def diffuse(
    network: Network, queue: FloatArray, conductance: FloatArray, step: float
) -> tuple[FloatArray, float]:
    """Queues after x ← (I − αL)x with the given weights, and the load that moved."""
    result = np.empty(queue.size)
    nobody = np.zeros(queue.size, dtype=np.bool_)
    average(network.edges, conductance, step, nobody, queue, result)
    i, j = network.edges.T
    return result, float((step * conductance * np.abs(queue[i] - queue[j])).sum())


def safe_step(network: Network, conductance: FloatArray) -> float:
    """1/d_max: below the bound 2/λ_max, and no queue is sent more than it holds."""
    n = len(network.nodes)
    totals = np.bincount(network.edges.ravel(), weights=np.repeat(conductance, 2), minlength=n)
    return float(1.0 / totals.max())


def serve(
    network: Network, queue: FloatArray, new: IntArray, policy: Classical, traffic: Traffic
) -> Slot:
    """One slot under a classical policy.

    ``none``: load is served where it arrives; ``static``: every node passes fixed equal shares
    of what arrives to itself and its neighbours; ``diffusion``: x ← (I − L/d_max)x on the
    queues; ``metropolis``: the same with Metropolis weights; ``least_loaded``: each unit that
    arrives joins the shortest queue among the node and its neighbours.

    Messages: one each way on every edge when the policy needs the neighbours' load.
    """
    start, neighbour, _ = network.adjacency
    told = 2 * len(network.edges)
    moved, messages = 0.0, 0
    if policy == "static":
        placed = queue.copy()
        moved = _fixed_shares(start, neighbour, new, placed)
    elif policy == "least_loaded":
        placed, messages = queue.copy(), told
        moved = _shortest_queue(start, neighbour, new, placed)
    else:
        placed = queue + new
        if policy == "diffusion":
            ones = np.ones(len(network.edges))
            placed, moved = diffuse(network, placed, ones, safe_step(network, ones))
            messages = told
        elif policy == "metropolis":
            placed, moved = diffuse(network, placed, metropolis_weights(network), 1.0)
            messages = told
    return finish(placed, moved, messages, traffic)


def finish(placed: FloatArray, moved: float, messages: int, traffic: Traffic) -> Slot:
    """Serve what is queued, and report the slot."""
    done = np.minimum(placed, traffic.service)
    return Slot(placed - done, float(done.sum()), moved, messages)


@compiled
def _fixed_shares(start: IntArray, neighbour: IntArray, new: IntArray, queue: FloatArray) -> float:
    moved = 0.0
    for i in range(new.size):
        count = start[i + 1] - start[i]
        share = new[i] / (count + 1.0)
        queue[i] += share
        for k in range(start[i], start[i + 1]):
            queue[neighbour[k]] += share
        moved += share * count
    return moved


@compiled
def _shortest_queue(
    start: IntArray, neighbour: IntArray, new: IntArray, queue: FloatArray
) -> float:
    moved = 0.0
    for i in range(new.size):
        for _ in range(new[i]):
            best = i
            for k in range(start[i], start[i + 1]):
                if queue[neighbour[k]] < queue[best]:
                    best = neighbour[k]
            queue[best] += 1.0
            if best != i:
                moved += 1.0
    return moved
