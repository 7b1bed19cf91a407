"""Speed of the pipeline: ratios against a plain Python loop of the same equations, and budgets.

Run by hand: ``pytest tests/benchmarks/test_engine.py -n 0 -s``. Figures depend on the machine;
the best of several runs is nearest to what it can do when nothing else wants it.
"""

import math
import time

import numpy as np
import pytest

from entro_nb.engine import ENTROEngineController, EntropyLaw, HeadroomLaw, pipeline, sums
from entro_nb.engine.laws import NUMBERS
from entro_nb.engine.plant import profile
from entro_nb.engine.simulation import Run, Total, run_loop


def best(call, repeats):
    """Shortest of several runs, in seconds of one core, so that a shared machine matters little."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def plain_python(demand, capacity=1.2, room=math.inf, dt=1.0, law=EntropyLaw(), record=None):  # noqa: B008
    """The pipeline under the integral form of Eq. 14, with the same outputs, as one would type it.

    With a list as `record`, the signals of both subsystems are kept at each step.
    """
    alpha, beta, budget = law.alpha, law.beta, law.psi_budget
    queue = action = psi_s = psi_l = 0.0
    violations = peak_queue = peak_psi = arrived = completed = 0.0
    deferred = refused = waiting = effort = 0.0
    for offered in demand:
        total = psi_s + psi_l
        share = psi_s / total if total > 0.0 else 0.0
        u = -alpha * share * math.tanh(beta * max(total - budget, 0.0))
        action = min(max(action * math.exp(-law.relaxation * dt) + dt * u, -offered), 0.0)
        rate = min(max(offered + action, 0.0), offered)
        intake = min(rate, max((room - queue) / dt + capacity, 0.0))
        served = min(capacity, queue / dt + intake)
        queue = max(queue + dt * (intake - served), 0.0)
        psi_s, psi_l = math.log1p(rate), math.log1p(queue)
        total = psi_s + psi_l
        violations += total > budget
        peak_queue, peak_psi = max(peak_queue, queue), max(peak_psi, total)
        arrived += offered * dt
        completed += served * dt
        deferred += (offered - rate) * dt
        refused += (rate - intake) * dt
        waiting += queue * dt
        effort += ((offered - rate) ** 2 + (rate - intake) ** 2) * dt
        if record is not None:
            record.append((offered, rate, rate, 0.0, offered - rate, rate, u))
            record.append((rate, intake, served, rate - intake, 0.0, queue, 0.0))
    sums = [violations, peak_queue, peak_psi, arrived, completed, queue]
    return [*sums, deferred, refused, waiting, effort]


@pytest.fixture(scope="module")
def arguments():
    plant = pipeline()
    table, route = plant.wiring()
    base, capacity = profile(plant.subsystems[0].phases, 1.0, 1000)
    noise = np.random.default_rng(42).standard_normal(1000)
    demand = np.zeros((1000, 2))
    demand[:, 0] = np.clip(base + 0.05 * noise, 0.0, 3.0)
    return table, route, demand, capacity


def call_of(law, arguments, keep):
    plant, route, demand, capacity = arguments
    record, total = np.empty((7, 1000 if keep else 0, 2)), np.empty(len(Total))
    run = Run(plant, route, NUMBERS[type(law)], law.coefficients(), 1.0, 0, 3.0, np.inf)

    def call():
        run_loop(run, demand, capacity, record, total)
        return total, record

    return call


def test_one_recorded_run_against_plain_python(arguments):
    call = call_of(EntropyLaw(), arguments, keep=True)
    offered = [float(x) for x in arguments[2][:, 0]]
    rows = []
    expected = plain_python(offered, record=rows)
    total, record = call()
    assert total == pytest.approx(expected)
    assert record.transpose(1, 2, 0).reshape(2000, 7) == pytest.approx(np.array(rows))
    compiled = best(call, 50)
    plain = best(lambda: plain_python(offered, record=[]), 10)
    ratio = plain / compiled
    print(f"\n1000 steps: {compiled * 1e6:.0f} µs, plain {plain * 1e6:.0f} µs: {ratio:.0f} ×")
    assert compiled < 200e-6
    assert ratio > 15.0


def test_ten_thousand_runs_against_plain_python():
    plant, law = pipeline(), EntropyLaw()
    sums(plant, law, replicates=10)
    batch = best(lambda: sums(plant, law, replicates=10_000), 3)
    base = profile(plant.subsystems[0].phases, 1.0, 1000)[0]

    def loop():
        rng = np.random.default_rng(42)
        for _ in range(20):
            noise = rng.standard_normal(1000)
            plain_python(
                [min(max(b + 0.05 * z, 0.0), 3.0) for b, z in zip(base, noise, strict=True)]
            )

    plain = best(loop, 3) / 20 * 10_000
    ratio = plain / batch
    print(f"\n10 000 runs × 1000 steps: {batch:.2f} s, plain {plain:.1f} s: {ratio:.0f} ×")
    assert batch < 2.0
    assert ratio >= 30.0


def test_headroom_costs_a_few_times_equation_14(arguments):
    ours = best(call_of(HeadroomLaw(), arguments, keep=False), 20)
    theirs = best(call_of(EntropyLaw(), arguments, keep=False), 20)
    print(f"\nheadroom {ours * 1e6:.0f} µs, Eq. 14 {theirs * 1e6:.0f} µs")
    assert ours / theirs < 10.0


def test_a_million_subsystems_in_one_call():
    psi = np.random.default_rng(1).exponential(1.0, 10**6)
    law = ENTROEngineController(psi_budget=1e5)
    many = best(lambda: law.control(psi), 5)

    def one_by_one():
        total = float(psi[:1000].sum())
        for value in psi[:1000]:
            law.compute_control(float(value), total)

    single = best(one_by_one, 3) * 1000
    print(f"\n10⁶ subsystems: {many * 1e3:.0f} ms in one call, {single:.1f} s one by one")
    assert single / many > 50.0
