"""One step of the headroom law: the budget itself, solved for the intake."""

from __future__ import annotations

import numpy as np

from entro_nb.engine.flow import pass_through, total_entropy
from entro_nb.engine.table import Row
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["carry_forward", "decide_headroom"]

#: Ψ_total is brought this close to the budget, from below (nats).
PRECISION = 1e-10

#: False position needs about six; whatever it has after these is still within the budget.
SOLVER_STEPS = 40


@compiled
def carry_forward(
    trial: FloatArray, route: FloatArray, past: FloatArray, belief: float, dt: float
) -> None:
    """Advance the trial table by one step in which the sources admitted what `past` says."""
    for i in range(trial.shape[1]):
        trial[Row.CAP, i] = np.inf
        trial[Row.DEMAND, i] = past[i] if trial[Row.STORES, i] == 0.0 else 0.0
    pass_through(trial, route, belief, dt)


@compiled
def _ahead(
    scale: float, table: FloatArray, trial: FloatArray, route: FloatArray, belief: float, dt: float
) -> float:
    """Ψ_total after one more step in which each source admits `scale` of its demand's entropy.

    The queues as the law believes them now stand in the SEEN row of the trial table.
    """
    for i in range(table.shape[1]):
        demand = table[Row.DEMAND, i]
        trial[Row.DEMAND, i] = demand
        trial[Row.CAP, i] = np.inf
        if table[Row.STORES, i] == 0.0 and scale < 1.0:
            trial[Row.CAP, i] = np.expm1(scale * np.log1p(demand))
        trial[Row.LOAD, i] = trial[Row.SEEN, i]
    pass_through(trial, route, belief, dt)
    return total_entropy(trial)


@compiled
def _solve(
    budget: float, table: FloatArray, trial: FloatArray, route: FloatArray, belief: float, dt: float
) -> float:
    """Largest scale in [0, 1] that keeps Ψ_total within the budget (Illinois false position)."""
    high = 1.0
    above = _ahead(high, table, trial, route, belief, dt) - budget
    if above <= 0.0:
        return 1.0
    low = 0.0
    below = _ahead(low, table, trial, route, belief, dt) - budget
    if below > 0.0:
        return 0.0
    side = 0
    for _ in range(SOLVER_STEPS):
        # Aim just below the root, so that the bracket closes from the side that is allowed.
        middle = low + (high - low) * max(-below - 0.5 * PRECISION, 0.0) / (above - below)
        value = _ahead(middle, table, trial, route, belief, dt) - budget
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
    k: FloatArray, table: FloatArray, trial: FloatArray, route: FloatArray, dt: float
) -> None:
    """Find the largest intake that keeps the budget; memory: allowance spent, in requests.

    `k` are the coefficients of :class:`~entro_nb.engine.HeadroomLaw`; the loads of the trial
    table are the queues as the law believes them now.
    """
    budget, lookahead, allowance, refill, belief = k[0], k[1], k[3], k[4], k[5]
    n = table.shape[1]
    scale = 1.0
    if lookahead != 0.0:
        for i in range(n):
            trial[Row.SEEN, i] = trial[Row.LOAD, i]
        scale = _solve(budget, table, trial, route, belief, dt)
    else:
        offered = stored = 0.0
        for i in range(n):
            if table[Row.STORES, i] != 0.0:
                stored += np.log1p(trial[Row.LOAD, i])
            else:
                offered += np.log1p(table[Row.DEMAND, i])
        if offered > budget - stored:
            scale = max((budget - stored) / offered, 0.0)
    spent = max(table[Row.MEMORY_A, 0] - refill * dt, 0.0)
    table[Row.MEMORY_A, 0] = spent
    if scale >= 1.0:
        return
    held = 0.0
    for i in range(n):
        if table[Row.STORES, i] == 0.0:
            demand = table[Row.DEMAND, i]
            held += demand - np.expm1(scale * np.log1p(demand))
    # What the allowance does not cover is let in.
    part = min(max(allowance - spent, 0.0) / (held * dt), 1.0) if held > 0.0 else 1.0
    table[Row.MEMORY_A, 0] = spent + part * held * dt
    for i in range(n):
        if table[Row.STORES, i] == 0.0:
            demand = table[Row.DEMAND, i]
            rate = demand - part * (demand - np.expm1(scale * np.log1p(demand)))
            table[Row.CAP, i] = rate
            table[Row.SIGNAL, i] = np.log1p(rate) - np.log1p(demand)
