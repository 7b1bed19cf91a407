"""The run: laws and plant stepped together by one compiled loop."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from entro_nb.compiled import compiled
from entro_nb.engine.decide import Seen, decide_baseline, decide_entropy
from entro_nb.engine.flow import Flow, Valve, open_valves, pass_through
from entro_nb.engine.headroom import carry_forward, decide_headroom
from entro_nb.engine.law import Code
from entro_nb.engine.subsystem import Node
from entro_nb.validate import FloatArray

__all__ = ["Total", "run"]


#: Lengths of the tables; a compiled loop cannot ask an enumeration for its length.
VALVE_ROWS, FLOW_ROWS, SEEN_ROWS = len(Valve), len(Flow), len(Seen)


class Total(IntEnum):
    """What a run adds up, and where in its sums."""

    VIOLATIONS = 0
    PEAK_QUEUE = 1
    PEAK_PSI = 2
    ARRIVED = 3
    COMPLETED = 4
    QUEUED = 5
    DEFERRED = 6
    REFUSED = 7
    WAITING = 8  # time integral of all queues, req·s
    EFFORT = 9  # time integral of the squared action, req²/s


@compiled
def run(
    nodes: FloatArray,
    route: FloatArray,
    law: int,
    k: FloatArray,
    demand: FloatArray,
    capacity: FloatArray,
    dt: float,
    delay: int,
    budget: float,
    record: FloatArray,
    total: FloatArray,
) -> int:
    """One run; fills `record` and `total`, returns the step that left the finite numbers, or −1.

    Within a step: the law decides on the state after step t − 1 − delay, work flows, the state
    after the step is measured.

    Parameters
    ----------
    nodes, route : ndarray
        The pipeline, see :meth:`entro_nb.engine.Pipeline.wiring`.
    law, k : int, ndarray
        Code and coefficients of the law.
    demand, capacity : ndarray, shapes (step, node) and (step,)
        Offered rates in req/s and factors on the capacities.
    dt, delay, budget : float, int, float
        Step in s, delay of the loop in steps, budget against which violations count, in nats.
    record : ndarray, shape (7, step or 0, node)
        Rows of :class:`Flow`, then the law's signal. With no steps, only sums are kept.
    total : ndarray, shape (10,)
        See :class:`Total`.
    """
    steps, n = demand.shape
    length = delay + 2
    keep = record.shape[1] > 0
    valves, trial = np.zeros((VALVE_ROWS, n)), np.zeros((VALVE_ROWS, n))
    open_valves(valves)
    open_valves(trial)
    flow, scratch = np.zeros((FLOW_ROWS, n)), np.zeros((FLOW_ROWS, n))
    memory = np.zeros((n, 4))
    loads, proxies, sums = np.zeros((length, n)), np.zeros((length, n)), np.zeros(length)
    seen = np.zeros((SEEN_ROWS, n))
    now, queues, admitted = np.zeros(n), np.zeros(n), np.zeros(n)
    intake = 0.0
    place = 0  # of this step's state in the rings; zeros stand for the empty plant before t = 0
    total[:] = 0.0
    for t in range(steps):
        for i in range(n):
            now[i] = demand[t, i]
        if law != Code.NONE:
            open_valves(valves)
            # Rows of the ring of past states, written one after the other: the one about to be
            # overwritten is two older than the delay, the next is the one that is seen.
            before = sums[place]
            row = place + 1 if place + 1 < length else 0
            for i in range(n):
                seen[Seen.DEMAND, i] = now[i]
                seen[Seen.LOAD, i] = loads[row, i]
                seen[Seen.PSI, i] = proxies[row, i]
            if law == Code.ENTROPY:
                decide_entropy(k, nodes, seen, before, memory, dt, valves)
            elif law == Code.HEADROOM:
                for i in range(n):
                    queues[i] = seen[Seen.LOAD, i]
                predict, belief = k[2], k[5]
                if predict != 0.0:
                    for back in range(row + 1, row + 1 + delay):
                        past = back if back < length else back - length
                        for i in range(n):
                            source = nodes[Node.STORES, i] == 0.0
                            admitted[i] = loads[past, i] if source else 0.0
                        carry_forward(nodes, route, queues, admitted, belief, dt, trial, scratch)
                decide_headroom(k, nodes, route, now, queues, memory, dt, valves, trial, scratch)
            else:
                decide_baseline(law, k, nodes, seen, before, intake, memory, dt, valves)
        completed = pass_through(nodes, route, valves, now, capacity[t], dt, flow)
        psi_total = 0.0
        intake = 0.0
        for i in range(n):
            load = flow[Flow.LOAD, i]
            psi = np.log1p(load)
            loads[place, i] = load
            proxies[place, i] = psi
            psi_total += psi
            if nodes[Node.STORES, i] != 0.0:
                total[Total.PEAK_QUEUE] = max(total[Total.PEAK_QUEUE], load)
                total[Total.WAITING] += load * dt
            else:
                intake += load
                total[Total.ARRIVED] += now[i] * dt
            total[Total.REFUSED] += flow[Flow.REFUSED, i] * dt
            total[Total.DEFERRED] += flow[Flow.DEFERRED, i] * dt
            total[Total.EFFORT] += (flow[Flow.OFFERED, i] - flow[Flow.RATE, i]) ** 2 * dt
            if keep:
                for field in range(FLOW_ROWS):
                    record[field, t, i] = flow[field, i]
                record[FLOW_ROWS, t, i] = valves[Valve.SIGNAL, i]
        sums[place] = psi_total
        place = place + 1 if place + 1 < length else 0
        if not np.isfinite(psi_total):
            return t
        if psi_total > budget:
            total[Total.VIOLATIONS] += 1.0
        total[Total.PEAK_PSI] = max(total[Total.PEAK_PSI], psi_total)
        total[Total.COMPLETED] += completed * dt
    for i in range(n):
        if nodes[Node.STORES, i] != 0.0:
            total[Total.QUEUED] += flow[Flow.LOAD, i]
    return -1
