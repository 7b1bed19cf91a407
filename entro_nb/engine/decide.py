"""One step of Eq. 14 and of each baseline: from what was seen to what the valves shall do."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from entro_nb.compiled import compiled
from entro_nb.engine.flow import Valve
from entro_nb.engine.law import Code
from entro_nb.engine.subsystem import Node
from entro_nb.validate import FloatArray

__all__ = ["Seen", "decide_baseline", "decide_entropy"]

#: CoDel resumes its old count if trouble returns within this many intervals (RFC 8289, §5.4).
RESUME_INTERVALS = 16.0


class Seen(IntEnum):
    """Rows of what a law sees; measurements are as old as the loop's delay, demand is present."""

    LOAD = 0  # rates of sources in req/s, requests in queues
    PSI = 1  # their proxies, nats
    DEMAND = 2  # offered to each source now, req/s


@compiled
def decide_entropy(
    k: FloatArray,
    nodes: FloatArray,
    seen: FloatArray,
    before: float,
    memory: FloatArray,
    dt: float,
    valves: FloatArray,
) -> None:
    """Eq. 14 and its actuation; column 0 of `memory` holds the integral a of each node, req/s.

    `k` are the coefficients of :class:`~entro_nb.engine.EntropyLaw`, `before` is Ψ_total one
    step before the measurement.
    """
    alpha, beta, budget, clamped = k[0], k[1], k[2], k[3]
    actuation, relaxation, valves_only, velocity = k[4], k[5], k[6], k[7]
    n = seen.shape[1]
    total = 0.0
    shared = 0.0
    for i in range(n):
        total += seen[Seen.PSI, i]
        if valves_only == 0.0 or nodes[Node.VALVE, i] != 0.0:
            shared += seen[Seen.PSI, i]
    delta = total + velocity * (total - before) / dt - budget
    if clamped != 0.0:
        delta = max(delta, 0.0)
    pressure = alpha * np.tanh(beta * delta) if delta != 0.0 else 0.0
    keep = np.exp(-relaxation * dt)
    for i in range(n):
        if nodes[Node.VALVE, i] == 0.0:
            continue
        u = -pressure * seen[Seen.PSI, i] / shared if shared > 0.0 else 0.0
        valves[Valve.SIGNAL, i] = u
        if actuation == 0.0:
            # Bounded by what a valve can do, or the integral would wind up far beyond it. What a
            # queue's valve is offered is known only after the step; its bound is its capacity.
            stores = nodes[Node.STORES, i] != 0.0
            most = nodes[Node.CAPACITY, i] if stores else seen[Seen.DEMAND, i]
            memory[i, 0] = min(max(memory[i, 0] * keep + dt * u, -most), 0.0)
            valves[Valve.PUSH, i] = memory[i, 0]
        elif actuation == 1.0:
            valves[Valve.PUSH, i] = u
        else:
            valves[Valve.FACTOR, i] = 1.0 + u


@compiled
def _token_bucket(k: FloatArray, admitted: float, memory: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.TokenBucket`; memory: tokens, whether begun."""
    rate, burst = k[0], k[1]
    if memory[1] == 0.0:
        memory[1] = 1.0
        memory[0] = burst
    else:
        memory[0] = min(memory[0] + dt * (rate - admitted), burst)
    return float(max(memory[0] / dt + rate, 0.0))


@compiled
def _aimd(k: FloatArray, waiting: float, memory: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.AIMD`; memory: ceiling less limit, time left on hold."""
    threshold, increase, decrease, hold, ceiling = k[0], k[1], k[2], k[3], k[4]
    limit = ceiling - memory[0]
    memory[1] = max(memory[1] - dt, 0.0)
    if waiting <= threshold:
        limit = min(limit + increase * dt, ceiling)
    elif memory[1] == 0.0:
        limit *= decrease
        memory[1] = hold
    memory[0] = ceiling - limit
    return float(limit)


@compiled
def _pid(k: FloatArray, total: float, before: float, memory: FloatArray, dt: float) -> float:
    """Limit of :class:`~entro_nb.engine.PID`; memory: the integral, within the actuator's range."""
    setpoint, kp, ki, kd, bias, ceiling = k[0], k[1], k[2], k[3], k[4], k[5]
    error = setpoint - total
    memory[0] = min(max(memory[0] + ki * dt * error, -bias), ceiling - bias)
    limit = bias + kp * error + memory[0] + kd * (before - total) / dt
    return float(min(max(limit, 0.0), ceiling))


@compiled
def _codel(k: FloatArray, sojourn: float, memory: FloatArray, dt: float) -> float:
    """Rate of refusal in req/s; memory: time above target, refused, dropping, time since."""
    target, interval = k[0], k[1]
    if sojourn < target:
        memory[0] = 0.0
        memory[2] = 0.0
        memory[3] += dt
        return 0.0
    memory[0] += dt
    if memory[0] < interval:
        memory[3] += dt
        return 0.0
    if memory[2] == 0.0:
        memory[2] = 1.0
        resumed = memory[3] < RESUME_INTERVALS * interval
        memory[1] = max(memory[1] - 2.0, 1.0) if resumed else 1.0
        memory[3] = 0.0
    rate = np.sqrt(memory[1]) / interval
    memory[1] += rate * dt
    return float(rate)


@compiled
def decide_baseline(
    law: int,
    k: FloatArray,
    nodes: FloatArray,
    seen: FloatArray,
    before: float,
    admitted: float,
    memory: FloatArray,
    dt: float,
    valves: FloatArray,
) -> None:
    """Baselines limit the total intake; each source is cut by the same factor.

    `admitted` is the total intake of the last step, which the valve itself knows.
    """
    n = seen.shape[1]
    offered = waiting = sojourn = total = 0.0
    for i in range(n):
        offered += seen[Seen.DEMAND, i]
        total += seen[Seen.PSI, i]
        if nodes[Node.STORES, i] != 0.0:
            waiting += seen[Seen.LOAD, i]
            sojourn += seen[Seen.LOAD, i] / nodes[Node.CAPACITY, i]
    limit = np.inf
    if law == Code.STATIC:
        limit = k[0]
    elif law == Code.TOKEN_BUCKET:
        limit = _token_bucket(k, admitted, memory[0], dt)
    elif law == Code.AIMD:
        limit = _aimd(k, waiting, memory[0], dt)
    elif law == Code.PID:
        limit = _pid(k, total, before, memory[0], dt)
    elif law == Code.CODEL:
        limit = max(offered - _codel(k, sojourn, memory[0], dt), 0.0)
    elif law == Code.DRIFT_PLUS_PENALTY:
        v, linear = k[0], k[1]
        if linear != 0.0:
            limit = np.inf if waiting < v else 0.0
        elif waiting > 0.0:
            limit = max(v / waiting - 1.0, 0.0)
    if offered > limit:
        for i in range(n):
            if nodes[Node.STORES, i] == 0.0:
                valves[Valve.FACTOR, i] = limit / offered
