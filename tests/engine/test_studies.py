"""Fronts, matched losses, ablation, and where the headroom law fails."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.engine import (
    PID,
    CoDel,
    EntropyLaw,
    HeadroomLaw,
    Phase,
    StaticLimit,
    ablation,
    beside_idle,
    candidates,
    fronts,
    identify,
    pipeline,
    simulate,
    sums,
    trials,
)
from entro_nb.engine.simulation import lost_work
from entro_nb.engine.studies import INFORMATION, matching_allowance, scenarios
from entro_nb.errors import ParameterError


@pytest.fixture(scope="module")
def plant():
    return identify(replicates=50)[0].pipeline()


@given(needed=st.lists(st.floats(0.1, 100.0), min_size=1, max_size=30), share=st.floats(0.01, 1.2))
def test_matching_allowance_loses_what_it_should(needed, share):
    needs = np.array(needed)
    lost = share * needs.mean()
    allowance = matching_allowance(needs, lost)
    mean = np.minimum(needs, allowance).mean()
    assert mean == pytest.approx(min(lost, needs.mean()), rel=1e-9)


@pytest.fixture(scope="module")
def front(plant):
    # A coarse version of the notebook's comparison: every family, fewer settings and runs.
    families = {name: some[:: max(len(some) // 12, 1)] for name, some in candidates().items()}
    return fronts(plant, families, losses=(4.0, 6.0), sets=2, replicates=20)


def test_every_family_is_measured_and_told_something(front):
    assert set(front.family.values) == set(candidates()) == set(INFORMATION)
    assert dict(zip(front.family.values, front.information.values, strict=True)) == INFORMATION
    assert not np.isnan(front.violations.sel(allowance="shared")).any()


def test_no_family_loses_more_than_it_may(front):
    over = front.lost_share.max("set") - front.loss
    assert float(over.max()) < 0.05  # chosen on other noises
    for family in ("static limit", "PID", "headroom"):
        assert float(abs(over.sel(family=family, allowance="shared")).max()) < 0.05


def test_an_allowance_helps_every_family_that_can_stop(front):
    gain = front.violations.sel(allowance="none") - front.violations.sel(allowance="shared")
    assert float(gain.min()) >= -1.0
    assert float(gain.sel(family="static limit").min()) > 15.0


def test_with_the_same_allowance_little_is_left_of_the_headroom_law(front):
    violations = front.violations.sel(allowance="shared")
    beyond = (violations - violations.sel(family="headroom")).mean("set")
    assert float(beyond.min()) >= 0.0  # none is better
    best = beyond.drop_sel(family=["headroom", "no control"]).min("family")
    assert float(best.max()) < 3.0  # and the best of the others is as good as that


def test_settings_can_be_measured_elsewhere(plant):
    limit = {"static limit": [StaticLimit(1.34)]}
    here, there = (
        fronts(plant, limit, losses=(6.0,), sets=1, replicates=20, elsewhere=other)
        for other in (None, identify(shape="ramp", replicates=50)[0].pipeline())
    )
    shared = {"allowance": "shared", "family": "static limit"}
    more = there.violations.sel(shared) - here.violations.sel(shared)
    assert more.item() > 5.0


@pytest.mark.parametrize("law", [StaticLimit(1.3), PID(), EntropyLaw(), HeadroomLaw(), CoDel()])
def test_an_allowance_is_the_same_for_every_law(plant, law):
    free = lost_work(sums(plant, law, replicates=10))
    for allowance in (0.0, 20.0, 1e9):
        held = lost_work(sums(plant, law, replicates=10, held_at_most=allowance))
        assert held == pytest.approx(np.minimum(free, allowance))
    own = sums(plant, HeadroomLaw(allowance=30.0), replicates=10)
    assert sums(plant, HeadroomLaw(), replicates=10, held_at_most=30.0) == pytest.approx(own)


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


def test_a_budget_lets_one_collapse_beside_another_that_idles():
    steps = beside_idle((0.5, 0.8), replicates=3).steps.mean("replicate")
    assert (steps.sel(share=0.5) == 0).all()
    uneven = steps.sel(share=0.8)
    without = float(uneven.sel(law="no control"))
    assert ((uneven.drop_sel(law="no control") > 0) & (uneven[1:] < without)).all()


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
        (lambda p: fronts(p, replicates=0), "replicates"),
        (lambda p: fronts(p, sets=0), "sets"),
        (lambda p: sums(p, StaticLimit(), held_at_most=-1.0), "held_at_most"),
        (lambda p: beside_idle(critical=0.0), "critical"),
        (lambda p: ablation(p, replicates=0), "replicates"),
        (lambda p: trials(p, replicates=0), "replicates"),
    ],
)
def test_bad_input_is_refused(plant, call, message):
    with pytest.raises(ParameterError, match=message):
        call(plant)
