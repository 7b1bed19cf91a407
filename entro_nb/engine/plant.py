"""The run: laws and plant stepped together by one compiled loop."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from entro_nb.engine.decide import decide_baseline, decide_entropy
from entro_nb.engine.flow import pass_through
from entro_nb.engine.headroom import carry_forward, decide_headroom
from entro_nb.engine.law import Code
from entro_nb.engine.table import Row, clear_valves
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["RECORDED", "Total", "run"]


#: Rows that a record keeps, from ``Row.OFFERED`` on; the law's signal comes after them.
RECORDED = int(Row.LOAD) - int(Row.OFFERED) + 1


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
    plant: FloatArray,
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
    plant, route : ndarray
        The empty pipeline, see :meth:`entro_nb.engine.Pipeline.wiring`; left as it is.
    law, k : int, ndarray
        Code and coefficients of the law.
    demand, capacity : ndarray, shapes (step, node) and (step,)
        Offered rates in req/s and factors on the capacities.
    dt, delay, budget : float, int, float
        Step in s, delay of the loop in steps, budget against which violations count, in nats.
    record : ndarray, shape (7, step or 0, node)
        Rows from ``Row.OFFERED`` to ``Row.LOAD``, then the law's signal. With no steps, only
        sums are kept.
    total : ndarray, shape (10,)
        See :class:`Total`.
    """
    steps, n = demand.shape
    keep = record.shape[1] > 0
    table, trial = plant.copy(), plant.copy()
    length = delay + 2
    loads, proxies, sums = np.zeros((length, n)), np.zeros((length, n)), np.zeros(length)
    intake = 0.0
    place = 0  # of this step's state in the rings; zeros stand for the empty plant before t = 0
    violations = peak_queue = peak_psi = waiting = effort = 0.0
    arrived = done = deferred = refused = 0.0
    failed = -1
    for t in range(steps):
        for i in range(n):
            table[Row.DEMAND, i] = demand[t, i]
        if law != Code.NONE:
            clear_valves(table)
            # Rows of the ring of past states, written one after the other: the one about to be
            # overwritten is two older than the delay, the next is the one that is seen.
            before = sums[place]
            row = place + 1 if place + 1 < length else 0
            for i in range(n):
                table[Row.SEEN, i] = loads[row, i]
                table[Row.SEEN_PSI, i] = proxies[row, i]
            if law == Code.ENTROPY:
                decide_entropy(k, table, before, dt)
            elif law == Code.HEADROOM:
                for i in range(n):
                    trial[Row.LOAD, i] = table[Row.SEEN, i]
                predict, belief = k[2], k[5]
                if predict != 0.0:
                    for back in range(row + 1, row + 1 + delay):
                        past = loads[back if back < length else back - length]
                        carry_forward(trial, route, past, belief, dt)
                decide_headroom(k, table, trial, route, dt)
            else:
                decide_baseline(law, k, table, before, intake, dt)
        done += pass_through(table, route, capacity[t], dt) * dt
        psi_total = 0.0
        intake = 0.0
        for i in range(n):
            load = table[Row.LOAD, i]
            psi = np.log1p(load)
            loads[place, i] = load
            proxies[place, i] = psi
            psi_total += psi
            if table[Row.STORES, i] != 0.0:
                peak_queue = max(peak_queue, load)
                waiting += load * dt
            else:
                intake += load
                arrived += table[Row.DEMAND, i] * dt
            refused += table[Row.REFUSED, i] * dt
            deferred += table[Row.DEFERRED, i] * dt
            effort += (table[Row.OFFERED, i] - table[Row.RATE, i]) ** 2 * dt
            if keep:
                for field in range(RECORDED):
                    record[field, t, i] = table[Row.OFFERED + field, i]
                record[RECORDED, t, i] = table[Row.SIGNAL, i]
        sums[place] = psi_total
        place = place + 1 if place + 1 < length else 0
        if not np.isfinite(psi_total):
            failed = t
            break
        if psi_total > budget:
            violations += 1.0
        peak_psi = max(peak_psi, psi_total)
    queued = 0.0
    for i in range(n):
        if table[Row.STORES, i] != 0.0:
            queued += table[Row.LOAD, i]
    total[Total.VIOLATIONS], total[Total.PEAK_QUEUE] = violations, peak_queue
    total[Total.PEAK_PSI], total[Total.ARRIVED] = peak_psi, arrived
    total[Total.COMPLETED], total[Total.QUEUED] = done, queued
    total[Total.DEFERRED], total[Total.REFUSED] = deferred, refused
    total[Total.WAITING], total[Total.EFFORT] = waiting, effort
    return failed
