"""One step of the headroom law: the budget itself, solved for the intake."""

from __future__ import annotations

import numpy as np

from entro_nb.compiled import compiled
from entro_nb.engine.flow import Flow, Valve, pass_through, total_entropy
from entro_nb.engine.subsystem import Node
from entro_nb.validate import FloatArray

__all__ = ["carry_forward", "decide_headroom"]

#: Ψ_total is brought this close to the budget, from below (nats).
PRECISION = 1e-10

#: False position needs about six; whatever it has after these is still within the budget.
SOLVER_STEPS = 40


@compiled
def _ahead(
    scale: float,
    nodes: FloatArray,
    route: FloatArray,
    demand: FloatArray,
    queues: FloatArray,
    capacity: float,
    dt: float,
    trial: FloatArray,
    flow: FloatArray,
) -> float:
    """Ψ_total after one more step in which each source admits `scale` of its demand's entropy."""
    for i in range(demand.size):
        if nodes[Node.STORES, i] == 0.0 and scale < 1.0:
            trial[Valve.CAP, i] = np.expm1(scale * np.log1p(demand[i]))
        else:
            trial[Valve.CAP, i] = np.inf
        flow[Flow.LOAD, i] = queues[i]
    pass_through(nodes, route, trial, demand, capacity, dt, flow)
    return total_entropy(flow)


@compiled
def carry_forward(
    nodes: FloatArray,
    route: FloatArray,
    queues: FloatArray,
    admitted: FloatArray,
    capacity: float,
    dt: float,
    trial: FloatArray,
    flow: FloatArray,
) -> None:
    """Advance `queues` in place by one step with known intakes of the sources."""
    for i in range(queues.size):
        trial[Valve.CAP, i] = np.inf
        flow[Flow.LOAD, i] = queues[i]
    pass_through(nodes, route, trial, admitted, capacity, dt, flow)
    for i in range(queues.size):
        queues[i] = flow[Flow.LOAD, i]


@compiled
def _solve(
    budget: float,
    nodes: FloatArray,
    route: FloatArray,
    demand: FloatArray,
    queues: FloatArray,
    capacity: float,
    dt: float,
    trial: FloatArray,
    flow: FloatArray,
) -> float:
    """Largest scale in [0, 1] that keeps Ψ_total within the budget (Illinois false position)."""
    high = 1.0
    above = _ahead(high, nodes, route, demand, queues, capacity, dt, trial, flow) - budget
    if above <= 0.0:
        return 1.0
    low = 0.0
    below = _ahead(low, nodes, route, demand, queues, capacity, dt, trial, flow) - budget
    if below > 0.0:
        return 0.0
    side = 0
    for _ in range(SOLVER_STEPS):
        # Aim just below the root, so that the bracket closes from the side that is allowed.
        middle = low + (high - low) * max(-below - 0.5 * PRECISION, 0.0) / (above - below)
        value = _ahead(middle, nodes, route, demand, queues, capacity, dt, trial, flow) - budget
        if value <= 0.0:
            low, below = middle, value
            if -value < PRECISION:
                break
            # An end that stays twice loses half its weight; else it would stay for ever.
            if side < 0:
                above *= 0.5
            side = -1
        else:
            high, above = middle, value
            if side > 0:
                below *= 0.5
            side = 1
    return low


@compiled
def decide_headroom(
    k: FloatArray,
    nodes: FloatArray,
    route: FloatArray,
    demand: FloatArray,
    queues: FloatArray,
    memory: FloatArray,
    dt: float,
    valves: FloatArray,
    trial: FloatArray,
    flow: FloatArray,
) -> None:
    """Find the largest intake that keeps the budget; memory: allowance spent, in requests.

    `k` are the coefficients of :class:`~entro_nb.engine.HeadroomLaw`, `queues` the loads as the
    law believes them now; `trial` and `flow` are scratch.
    """
    budget, lookahead, allowance, refill, belief = k[0], k[1], k[3], k[4], k[5]
    n = demand.size
    scale = 1.0
    if lookahead != 0.0:
        scale = _solve(budget, nodes, route, demand, queues, belief, dt, trial, flow)
    else:
        offered = stored = 0.0
        for i in range(n):
            if nodes[Node.STORES, i] != 0.0:
                stored += np.log1p(queues[i])
            else:
                offered += np.log1p(demand[i])
        if offered > budget - stored:
            scale = max((budget - stored) / offered, 0.0)
    memory[0, 0] = max(memory[0, 0] - refill * dt, 0.0)
    if scale >= 1.0:
        return
    held = 0.0
    for i in range(n):
        if nodes[Node.STORES, i] == 0.0:
            held += demand[i] - np.expm1(scale * np.log1p(demand[i]))
    # What the allowance does not cover is let in.
    left = max(allowance - memory[0, 0], 0.0)
    part = min(left / (held * dt), 1.0) if held > 0.0 else 1.0
    memory[0, 0] += part * held * dt
    for i in range(n):
        if nodes[Node.STORES, i] == 0.0:
            rate = demand[i] - part * (demand[i] - np.expm1(scale * np.log1p(demand[i])))
            valves[Valve.CAP, i] = rate
            valves[Valve.SIGNAL, i] = np.log1p(rate) - np.log1p(demand[i])
