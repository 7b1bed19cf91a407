"""One step of the plant: work flows through valves into queues and out again.

Tables of (row, node) stand for records here: a compiled loop reads them many times faster than
a tuple of arrays. Their rows have names.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from entro_nb.compiled import compiled
from entro_nb.engine.subsystem import Node
from entro_nb.validate import FloatArray

__all__ = ["Flow", "Valve", "open_valves", "pass_through", "total_entropy"]


class Valve(IntEnum):
    """What a law asks of each node: intake = min(factor·offered, cap) + push, in [0, offered]."""

    FACTOR = 0
    CAP = 1  # req/s
    PUSH = 2  # req/s
    SIGNAL = 3  # the law's u behind it, for the record


class Flow(IntEnum):
    """Rates of one step at each node in req/s, and the load after it."""

    OFFERED = 0
    RATE = 1  # what was admitted
    SERVED = 2
    REFUSED = 3  # what found no room or no entry at a queue
    DEFERRED = 4  # what a source held back
    LOAD = 5  # a source's rate in req/s, a queue's requests


@compiled
def open_valves(valves: FloatArray) -> None:
    """Open all valves."""
    for i in range(valves.shape[1]):
        valves[Valve.FACTOR, i] = 1.0
        valves[Valve.CAP, i] = np.inf
        valves[Valve.PUSH, i] = valves[Valve.SIGNAL, i] = 0.0


@compiled
def pass_through(
    nodes: FloatArray,
    route: FloatArray,
    valves: FloatArray,
    demand: FloatArray,
    capacity: float,
    dt: float,
    flow: FloatArray,
) -> float:
    """Move one step's work through the plant and return what left it completed, in req/s.

    Nothing is lost: offered = served + growth of the queue/dt + refused + deferred at each node.

    Parameters
    ----------
    nodes, route : ndarray
        The pipeline, see :meth:`entro_nb.engine.Pipeline.wiring`.
    valves : ndarray, shape (4, node)
        Rows of :class:`Valve`.
    demand : ndarray, shape (node,)
        Rate offered to each source in req/s, 0 at queues.
    capacity : float
        Factor on all capacities.
    dt : float
        Step in s.
    flow : ndarray, shape (6, node)
        Rows of :class:`Flow`, overwritten; its loads are the state.
    """
    n = demand.size
    for i in range(n):
        flow[Flow.OFFERED, i] = demand[i]
        flow[Flow.REFUSED, i] = flow[Flow.DEFERRED, i] = 0.0
    completed = 0.0
    for i in range(n):
        offered = flow[Flow.OFFERED, i]
        admitted = offered
        if nodes[Node.VALVE, i] != 0.0:
            admitted = min(offered * valves[Valve.FACTOR, i], valves[Valve.CAP, i])
            admitted = min(max(admitted + valves[Valve.PUSH, i], 0.0), offered)
        if nodes[Node.STORES, i] != 0.0:
            waiting = flow[Flow.LOAD, i]
            rate = nodes[Node.CAPACITY, i] * capacity
            # What is served in this step makes room for as much again.
            admitted = min(admitted, max((nodes[Node.ROOM, i] - waiting) / dt + rate, 0.0))
            served = min(rate, waiting / dt + admitted)
            flow[Flow.LOAD, i] = max(waiting + dt * (admitted - served), 0.0)
            flow[Flow.REFUSED, i] = offered - admitted
        else:
            served = admitted
            flow[Flow.LOAD, i] = admitted
            flow[Flow.DEFERRED, i] = offered - admitted
        flow[Flow.RATE, i] = admitted
        flow[Flow.SERVED, i] = served
        completed += served
        for j in range(i + 1, n):
            share = served * route[i, j]
            flow[Flow.OFFERED, j] += share
            completed -= share
    return completed


@compiled
def total_entropy(flow: FloatArray) -> float:
    """Ψ_total = Σ ln(1 + load) of a flow's loads, in nats (Eq. 6–8)."""
    total = 0.0
    for i in range(flow.shape[1]):
        total += np.log1p(flow[Flow.LOAD, i])
    return total
