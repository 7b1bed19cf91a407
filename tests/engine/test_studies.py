"""Fronts, matched losses, ablation, and where the headroom law fails."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.engine import (
    HeadroomLaw,
    Phase,
    ablation,
    candidates,
    fronts,
    identify,
    pipeline,
    simulate,
    trials,
)
from entro_nb.engine.studies import _front, matching_allowance, scenarios
from entro_nb.errors import ParameterError


@pytest.fixture(scope="module")
def plant():
    return identify(replicates=50)[0].pipeline()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20))
def test_front_is_what_nothing_beats(points):
    violations, lost = np.array(points, dtype=float).T
    chosen = _front(violations, lost)
    for k in chosen:
        beaten = ((violations <= violations[k]) & (lost < lost[k])) | (
            (violations < violations[k]) & (lost <= lost[k])
        )
        assert not beaten.any()
    for k in range(len(points)):
        assert any(violations[c] <= violations[k] and lost[c] <= lost[k] for c in chosen)


@given(needed=st.lists(st.floats(0.1, 100.0), min_size=1, max_size=30), share=st.floats(0.01, 1.2))
def test_matching_allowance_loses_what_it_should(needed, share):
    needs = np.array(needed)
    lost = share * needs.mean()
    allowance = matching_allowance(needs, lost)
    mean = np.minimum(needs, allowance).mean()
    assert mean == pytest.approx(min(lost, needs.mean()), rel=1e-9)


def test_no_baseline_beats_the_headroom_law_on_the_identified_plant(plant):
    # A coarse version of the notebook's comparison: every family, fewer settings and runs.
    families = {
        name: laws[:: max(len(laws) // 12, 1)]
        for name, laws in candidates().items()
        if name != "headroom"
    }
    front = fronts(plant, families, replicates=20, points=4)
    assert set(front.family.values) == set(families)
    assert float((front.avoided + front.avoided_ci).min()) >= 0.0
    assert float((front.lost_share_headroom - front.lost_share).max()) < 1e-2
    # And it is no tie: where a baseline both loses work and breaks the budget, it breaks it more.
    strict = front.where((front.violations > 5) & (front.lost_share > 0.5), drop=True)
    assert strict.sizes["setting"] > 5
    assert float((strict.avoided - strict.avoided_ci).min()) > 0.0


def test_allowance_is_spent_in_the_best_way_on_a_small_plant():
    """Exhaustive search over all admissions of a small integer plant: nothing does better.

    Capacity 1, offered 3 for five steps and then 0; Ψ ≤ ln 9 allows a queue of 3.5 beside r = 1.
    """
    budget, demand, horizon = math.log(9.0) + 1e-9, 3, 14
    best = {}
    for rates in itertools.product(range(demand + 1), repeat=5):
        queue, violations = 0, 0
        for r in [*rates, *[0] * (horizon - 5)]:
            queue = max(queue + r - 1, 0)
            violations += math.log1p(r) + math.log1p(queue) > budget
        lost = 5 * demand - sum(rates)
        best[lost] = min(best.get(lost, horizon), violations)
    best = {x: min(v for y, v in best.items() if y <= x) for x in best}
    phases = [Phase("surge", 0.0, 5.0, 3.0), Phase("quiet", 5.0, float(horizon), 0.0)]
    small = pipeline(phases, noise=0.0, capacity=1.0)
    for lost, least in best.items():
        law = HeadroomLaw(psi_budget=budget, allowance=float(lost))
        run = simulate(small, law, budget=budget)
        assert float(run.lost[0]) <= lost + 1e-9
        assert int(run.violations[0]) <= least, lost


def test_ablation_shows_what_each_change_buys(plant):
    table = ablation(plant, replicates=20)
    now = table.violations.sel(delay="0 steps")
    assert float(now.sel(variant="+ share among valves")) < float(
        now.sel(variant="Eq. 14, integral")
    )
    assert float(now.sel(variant="+ look ahead")) == 0.0
    assert float(now.sel(variant="action in nats")) > 30.0
    later = table.violations.sel(delay="4 steps")
    assert float(later.sel(variant="+ look ahead")) == 0.0
    assert float(later.sel(variant="+ look ahead, no prediction")) > 10.0


def test_where_the_headroom_law_fails(plant):
    table = trials(plant, replicates=5)
    violations = table.violations.sel(law="headroom")
    assert float(violations.sel(scenario="as identified")) == 0.0
    assert float(violations.sel(scenario="delay of 20 steps")) == 0.0
    # A capacity that is not there, believed or lost, breaks the budget.
    assert float(violations.sel(scenario="capacity believed 25 % too high")) > 20.0
    assert float(violations.sel(scenario="service at 40 % during the surge")) > 20.0
    # An allowance for one surge is gone before the second.
    spent = table.violations.sel(law="headroom, allowance")
    assert float(spent.sel(scenario="two surges")) > 100.0


def test_scenarios_offer_what_they_say(plant):
    cases = scenarios(plant)
    offered = {name: float(simulate(case.plant).arrived[0]) for name, case in cases.items()}
    assert offered["two surges"] > offered["as identified"] + 50.0
    assert offered["surge twice as long"] > offered["as identified"] + 50.0
    slow = simulate(cases["service at 40 % during the surge"].plant).served[0, 220, 1]
    assert float(slow) == pytest.approx(0.4 * 1.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: candidates("half"), "preset"),
        (lambda p: fronts(p, replicates=1), "replicates"),
        (lambda p: fronts(p, points=1), "points"),
        (lambda p: ablation(p, replicates=0), "replicates"),
        (lambda p: trials(p, replicates=0), "replicates"),
    ],
)
def test_bad_input_is_refused(plant, call, message):
    with pytest.raises(ParameterError, match=message):
        call(plant)
