"""One step of the plant: work flows through valves into queues and out again."""

from __future__ import annotations

import numpy as np

from entro_nb.engine.table import Row
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["pass_through", "total_entropy"]


@compiled
def pass_through(table: FloatArray, route: FloatArray, capacity: float, dt: float) -> float:
    """Move one step's work through the plant and return what left it completed, in req/s.

    Nothing is lost: offered = served + growth of the queue/dt + refused + deferred at each node.

    Parameters
    ----------
    table : ndarray, shape (row, node)
        Rows of :class:`~entro_nb.engine.table.Row`: plant, valves, demand and loads are read,
        flows and loads written.
    route : ndarray, shape (node, node)
        Share of a node's output that enters a later one.
    capacity : float
        Factor on all capacities.
    dt : float
        Step in s.
    """
    n = table.shape[1]
    for i in range(n):
        table[Row.OFFERED, i] = table[Row.DEMAND, i]
    completed = 0.0
    for i in range(n):
        offered = table[Row.OFFERED, i]
        admitted = offered
        refused = deferred = 0.0
        if table[Row.VALVE, i] != 0.0:
            admitted = min(offered * table[Row.FACTOR, i], table[Row.CAP, i])
            admitted = min(max(admitted + table[Row.PUSH, i], 0.0), offered)
        if table[Row.STORES, i] != 0.0:
            waiting = table[Row.LOAD, i]
            rate = table[Row.CAPACITY, i] * capacity
            # What is served in this step makes room for as much again.
            admitted = min(admitted, max((table[Row.ROOM, i] - waiting) / dt + rate, 0.0))
            served = min(rate, waiting / dt + admitted)
            table[Row.LOAD, i] = max(waiting + dt * (admitted - served), 0.0)
            refused = offered - admitted
        else:
            served = admitted
            table[Row.LOAD, i] = admitted
            deferred = offered - admitted
        table[Row.RATE, i] = admitted
        table[Row.SERVED, i] = served
        table[Row.REFUSED, i] = refused
        table[Row.DEFERRED, i] = deferred
        completed += served
        for j in range(i + 1, n):
            share = served * route[i, j]
            table[Row.OFFERED, j] += share
            completed -= share
    return completed


@compiled
def total_entropy(table: FloatArray) -> float:
    """Ψ_total = Σ ln(1 + load) of a table's loads, in nats (Eq. 6–8)."""
    total = 0.0
    for i in range(table.shape[1]):
        total += np.log1p(table[Row.LOAD, i])
    return total
