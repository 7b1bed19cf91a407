"""Each baseline against a plain reading of its rule, step by step on a noisy pipeline."""

import math

import pytest

from entro_nb.engine import (
    AIMD,
    PID,
    CoDel,
    DriftPlusPenalty,
    HeadroomLaw,
    NoControl,
    StaticLimit,
    TokenBucket,
    pipeline,
    simulate,
    three_phases,
)

CAPACITY = 1.2
PLANT = pipeline(three_phases(1.0, 2.9, 0.8, warmup=10, surge=60, duration=200), noise=0.2)


def no_control(law, dt):
    while True:
        yield math.inf


def static(law, dt):
    while True:
        yield law.limit


def token_bucket(law, dt):
    tokens = law.burst
    seen = yield tokens / dt + law.rate
    while True:
        tokens = min(tokens + dt * (law.rate - seen["admitted"]), law.burst)
        seen = yield max(tokens / dt + law.rate, 0.0)


def aimd(law, dt):
    limit, hold = law.ceiling, 0.0
    seen = yield law.ceiling
    while True:
        hold = max(hold - dt, 0.0)
        if seen["queue"] <= law.threshold:
            limit = min(limit + law.increase * dt, law.ceiling)
        elif hold == 0.0:
            limit *= law.decrease
            hold = law.hold
        seen = yield limit


def pid(law, dt):
    integral = 0.0
    seen = {"psi": 0.0, "before": 0.0}
    while True:
        error = law.setpoint - seen["psi"]
        integral = min(max(integral + law.ki * dt * error, -law.bias), law.ceiling - law.bias)
        slope = (seen["before"] - seen["psi"]) / dt
        limit = law.bias + law.kp * error + integral + law.kd * slope
        seen = yield min(max(limit, 0.0), law.ceiling)


def codel(law, dt):
    above, count, dropping, since = 0.0, 0.0, False, 0.0
    seen = {"queue": 0.0, "offered": 0.0}
    while True:
        rate = 0.0
        if seen["queue"] / CAPACITY < law.target:
            above, dropping, since = 0.0, False, since + dt
        else:
            above += dt
            if above < law.interval:
                since += dt
            else:
                if not dropping:
                    soon = since < 16.0 * law.interval
                    count = max(count - 2.0, 1.0) if soon else 1.0
                    dropping, since = True, 0.0
                rate = math.sqrt(count) / law.interval
                count += rate * dt
        seen = yield ("refuse", rate)


def drift(law, dt):
    seen = {"queue": 0.0}
    while True:
        queue = seen["queue"]
        if law.utility == "linear":
            seen = yield math.inf if queue < law.v else 0.0
        else:
            seen = yield max(law.v / queue - 1.0, 0.0) if queue > 0.0 else math.inf


def headroom(law, dt):
    """On one source and one queue the budget is a quadratic in r; solve it by bisection."""
    seen = {"queue": 0.0, "offered": 0.0}
    while True:
        queue = seen["queue"]

        def ahead(r, queue=queue):
            return math.log1p(r) + math.log1p(max(queue + dt * (r - CAPACITY), 0.0))

        low, high = 0.0, 5.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if ahead(middle) <= law.psi_budget else (low, middle)
        seen = yield low


CASES = [
    (NoControl(), no_control),
    (StaticLimit(1.5), static),
    (TokenBucket(1.1, 6.0), token_bucket),
    (AIMD(), aimd),
    (AIMD(threshold=10.0, increase=0.2, decrease=0.8, hold=0.0), aimd),
    (PID(kd=0.5), pid),
    (PID(3.4, 5.0, 0.2), pid),
    (CoDel(), codel),
    (CoDel(2.0, 10.0), codel),
    (DriftPlusPenalty(), drift),
    (DriftPlusPenalty(7.0, "linear"), drift),
    (HeadroomLaw(), headroom),
]


@pytest.mark.parametrize("dt", [1.0, 0.5])
@pytest.mark.parametrize(("law", "rule"), CASES, ids=lambda x: getattr(x, "label", ""))
def test_law_is_its_rule(law, rule, dt):
    run = simulate(PLANT, law, dt=dt)
    offered = run.offered.values[0, :, 0]
    queue = psi = before = 0.0
    decide = rule(law, dt)
    answer = next(decide)
    for t, demand in enumerate(offered):
        limit = answer
        if isinstance(answer, tuple):
            limit = max(demand - answer[1], 0.0)
        rate = min(demand, limit)
        served = min(CAPACITY, queue / dt + rate)
        queue = max(queue + dt * (rate - served), 0.0)
        before, psi = psi, math.log1p(rate) + math.log1p(queue)
        assert float(run.rate[0, t, 0]) == pytest.approx(rate, abs=1e-7), t
        assert float(run.queue[0, t]) == pytest.approx(queue, abs=1e-6), t
        answer = decide.send(
            {"queue": queue, "psi": psi, "before": before, "admitted": rate, "offered": demand}
        )
    assert run.attrs["law_label"] == law.label
