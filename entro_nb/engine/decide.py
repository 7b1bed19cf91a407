"""One step of Eq. 14 and of each baseline: from what was seen to what the valves shall do."""

from __future__ import annotations

import numpy as np

from entro_nb.engine.law import Code
from entro_nb.engine.table import Row
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["decide_baseline", "decide_entropy"]

#: CoDel resumes its old count if trouble returns within this many intervals (RFC 8289, §5.4).
RESUME_INTERVALS = 16.0


@compiled
def decide_entropy(k: FloatArray, table: FloatArray, before: float, dt: float) -> None:
    """Eq. 14 and its actuation; the memory holds the integral a of each node, in req/s.

    `k` are the coefficients of :class:`~entro_nb.engine.EntropyLaw`, `before` is Ψ_total one
    step before the measurement.
    """
    alpha, beta, budget, clamped = k[0], k[1], k[2], k[3]
    actuation, relaxation, valves_only, velocity = k[4], k[5], k[6], k[7]
    n = table.shape[1]
    total = 0.0
    shared = 0.0
    for i in range(n):
        total += table[Row.SEEN_PSI, i]
        if valves_only == 0.0 or table[Row.VALVE, i] != 0.0:
            shared += table[Row.SEEN_PSI, i]
    delta = total + velocity * (total - before) / dt - budget
    if clamped != 0.0:
        delta = max(delta, 0.0)
    pressure = alpha * np.tanh(beta * delta) if delta != 0.0 else 0.0
    keep = np.exp(-relaxation * dt)
    for i in range(n):
        if table[Row.VALVE, i] == 0.0:
            continue
        u = -pressure * table[Row.SEEN_PSI, i] / shared if shared > 0.0 else 0.0
        table[Row.SIGNAL, i] = u
        if actuation == 0.0:
            # Bounded by what a valve can do, or the integral would wind up far beyond it. What a
            # queue's valve is offered is known only after the step; its bound is its capacity.
            stores = table[Row.STORES, i] != 0.0
            most = table[Row.CAPACITY, i] if stores else table[Row.DEMAND, i]
            action = min(max(table[Row.MEMORY_A, i] * keep + dt * u, -most), 0.0)
            table[Row.MEMORY_A, i] = table[Row.PUSH, i] = action
        elif actuation == 1.0:
            table[Row.PUSH, i] = u
        else:
            table[Row.FACTOR, i] = 1.0 + u


@compiled
def _token_bucket(k: FloatArray, admitted: float, table: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.TokenBucket`; memory: tokens, whether begun."""
    rate, burst = k[0], k[1]
    if table[Row.MEMORY_B, 0] == 0.0:
        table[Row.MEMORY_B, 0] = 1.0
        table[Row.MEMORY_A, 0] = burst
    else:
        table[Row.MEMORY_A, 0] = min(table[Row.MEMORY_A, 0] + dt * (rate - admitted), burst)
    return float(max(table[Row.MEMORY_A, 0] / dt + rate, 0.0))


@compiled
def _aimd(k: FloatArray, waiting: float, table: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.AIMD`; memory: ceiling less limit, time left on hold."""
    threshold, increase, decrease, hold, ceiling = k[0], k[1], k[2], k[3], k[4]
    limit = ceiling - table[Row.MEMORY_A, 0]
    table[Row.MEMORY_B, 0] = max(table[Row.MEMORY_B, 0] - dt, 0.0)
    if waiting <= threshold:
        limit = min(limit + increase * dt, ceiling)
    elif table[Row.MEMORY_B, 0] == 0.0:
        limit *= decrease
        table[Row.MEMORY_B, 0] = hold
    table[Row.MEMORY_A, 0] = ceiling - limit
    return float(limit)


@compiled
def _pid(k: FloatArray, total: float, before: float, table: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.PID`; memory: the integral, within the actuator's range."""
    setpoint, kp, ki, kd, bias, ceiling = k[0], k[1], k[2], k[3], k[4], k[5]
    error = setpoint - total
    integral = min(max(table[Row.MEMORY_A, 0] + ki * dt * error, -bias), ceiling - bias)
    table[Row.MEMORY_A, 0] = integral
    limit = bias + kp * error + integral + kd * (before - total) / dt
    return float(min(max(limit, 0.0), ceiling))


@compiled
def _codel(k: FloatArray, sojourn: float, table: FloatArray, dt: float) -> float:
    """Rate of refusal in req/s; memory: time above target, refused, dropping, time since."""
    target, interval = k[0], k[1]
    if sojourn < target:
        table[Row.MEMORY_A, 0] = 0.0
        table[Row.MEMORY_C, 0] = 0.0
        table[Row.MEMORY_D, 0] += dt
        return 0.0
    table[Row.MEMORY_A, 0] += dt
    if table[Row.MEMORY_A, 0] < interval:
        table[Row.MEMORY_D, 0] += dt
        return 0.0
    if table[Row.MEMORY_C, 0] == 0.0:
        table[Row.MEMORY_C, 0] = 1.0
        resumed = table[Row.MEMORY_D, 0] < RESUME_INTERVALS * interval
        table[Row.MEMORY_B, 0] = max(table[Row.MEMORY_B, 0] - 2.0, 1.0) if resumed else 1.0
        table[Row.MEMORY_D, 0] = 0.0
    rate = np.sqrt(table[Row.MEMORY_B, 0]) / interval
    table[Row.MEMORY_B, 0] += rate * dt
    return float(rate)


@compiled
def decide_baseline(
    law: int, k: FloatArray, table: FloatArray, before: float, admitted: float, dt: float
) -> None:
    """Baselines limit the total intake; each source is cut by the same factor.

    `admitted` is the total intake of the last step, which the valve itself knows. What a
    baseline remembers stands in the memory of the first node.
    """
    n = table.shape[1]
    offered = waiting = sojourn = total = 0.0
    for i in range(n):
        offered += table[Row.DEMAND, i]
        total += table[Row.SEEN_PSI, i]
        if table[Row.STORES, i] != 0.0:
            waiting += table[Row.SEEN, i]
            sojourn += table[Row.SEEN, i] / table[Row.CAPACITY, i]
    limit = np.inf
    if law == Code.STATIC:
        limit = k[0]
    elif law == Code.TOKEN_BUCKET:
        limit = _token_bucket(k, admitted, table, dt)
    elif law == Code.AIMD:
        limit = _aimd(k, waiting, table, dt)
    elif law == Code.PID:
        limit = _pid(k, total, before, table, dt)
    elif law == Code.CODEL:
        limit = max(offered - _codel(k, sojourn, table, dt), 0.0)
    elif law == Code.DRIFT_PLUS_PENALTY:
        v, linear = k[0], k[1]
        if linear != 0.0:
            limit = np.inf if waiting < v else 0.0
        elif waiting > 0.0:
            limit = max(v / waiting - 1.0, 0.0)
    if offered > limit:
        for i in range(n):
            if table[Row.STORES, i] == 0.0:
                table[Row.FACTOR, i] = limit / offered
