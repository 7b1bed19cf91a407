"""Bounds against brute force, and the plant that three published numbers pin down."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from entro_nb.engine import (
    PUBLISHED,
    SHAPES,
    TOLERANCE,
    EntropyLaw,
    NoControl,
    Plant,
    PublishedRow,
    fitting_plants,
    identify,
    largest_service,
    least_peak_entropy,
    least_rate_memoryless,
    least_violations,
    pipeline,
    predict,
    simulate,
    sums,
    three_phases,
    traits,
)
from entro_nb.engine.plant import profile
from entro_nb.engine.published import interpretations, invert
from entro_nb.errors import ParameterError


def walk(rates, dt=1.0, capacity=1.2, budget=3.0):
    """Violations, peak queue and peak entropy of any admitted rates, step by step in Python."""
    q = peak = psi_peak = 0.0
    violations = 0
    for r in rates:
        q = max(q + dt * (r - capacity), 0.0)
        psi = math.log1p(r) + math.log1p(q)
        violations += psi > budget
        peak, psi_peak = max(peak, q), max(psi_peak, psi)
    return violations, peak, psi_peak


@settings(max_examples=300, deadline=None)
@given(
    rates=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60),
    dt=st.floats(0.1, 3.0),
    capacity=st.floats(0.2, 2.5),
)
def test_no_run_breaks_the_bounds(rates, dt, capacity):
    # Closed at the end, so that the queue falls as the bound supposes.
    drained = [*rates, *[0.0] * (int(sum(rates) / capacity) + 2)]
    violations, peak, psi = walk(drained, dt, capacity)
    if peak > 0.0:
        assert psi >= least_peak_entropy(peak, capacity) - 1e-12
        assert largest_service(peak, psi) >= capacity - 1e-9
        assert violations >= least_violations(peak * (1 - 1e-12), 3.0, capacity, 3.0, dt)
        least = least_violations(peak * (1 - 1e-12), 3.0, capacity, 3.0, dt, psi + 1e-9)
        assert violations >= least


def test_the_bound_on_violations_is_attained():
    # Creep up to the largest quiet queue, then full throttle to 23.4, then shut.
    quiet = math.exp(3.0) / 2.2 - 1.0
    gap = 23.4 - 8 * 1.8
    creep = [1.2 + 0.9 * quiet / 200] * 200
    level = sum(creep) - 200 * 1.2
    rates = [*creep, 1.2 + gap - level, *[3.0] * 8, *[0.0] * 20]
    violations, peak, _ = walk(rates)
    assert peak == pytest.approx(23.4)
    assert violations == least_violations(peak - 1e-9) == 12


def test_published_rows_against_the_bounds():
    controlled, static = PUBLISHED["ENTRO-ENGINE"], PUBLISHED["static limit"]
    assert least_peak_entropy(controlled.peak_queue) == pytest.approx(3.983, abs=1e-3)
    assert least_peak_entropy(static.peak_queue) == pytest.approx(4.621, abs=1e-3)
    assert controlled.peak_psi < 3.98
    assert static.peak_psi < 4.62
    assert largest_service(23.4, 3.31) < 0.13
    with pytest.raises(ParameterError, match=r"at least 3\.98"):
        least_violations(23.4, peak_psi=3.31)
    # The uncontrolled row is possible at dt = 1 and impossible at the published 0.1.
    assert least_violations(87.6) <= 312 < least_violations(87.6, dt=0.1)


@given(demand=st.floats(1.3, 5.0), queue=st.floats(0.0, 200.0), beta=st.floats(0.1, 50.0))
def test_memoryless_bound_holds_for_the_law_itself(demand, queue, beta):
    rate = demand
    for multiplicative in (False, True):
        least = least_rate_memoryless(demand, queue, 0.5, multiplicative=multiplicative)
        for _ in range(20):  # the law on a frozen queue, from any rate that it produced
            psi, other = math.log1p(rate), math.log1p(queue)
            u = -0.5 * psi / (psi + other) * math.tanh(beta * max(psi + other - 0.1, 0.0))
            rate = demand * (1.0 + u) if multiplicative else demand + u
            assert rate >= least - 1e-9


def test_inverse_of_a_noiseless_plant():
    plant = pipeline(three_phases(1.0, 2.7, 0.8, 100.0, 45.0, 1000.0), noise=0.0)
    total = sums(plant, NoControl())[0]
    surge_rate, surge, recovery = invert(
        PublishedRow(float(total[0]), float(total[1]), float(total[2]))
    )
    assert (surge_rate, surge) == pytest.approx((2.7, 45.0), rel=1e-6)
    assert recovery == pytest.approx(0.8, abs=5e-3)  # violations are whole steps


def test_identified_plant_gives_the_uncontrolled_row():
    plant, row = identify()
    for got, want, within in zip(row, PUBLISHED["uncontrolled"], TOLERANCE, strict=True):
        assert abs(got - want) <= within
    # The same on noise that the fit has not seen.
    fresh = sums(plant.pipeline(), NoControl(), replicates=400, seed=2024).mean(axis=0)
    assert fresh[:3] == pytest.approx(PUBLISHED["uncontrolled"], abs=2.0)
    assert (plant.surge_rate, plant.surge, plant.recovery_rate) == pytest.approx(
        (2.88, 52.2, 0.901), abs=0.1
    )


def test_all_fitting_plants_give_the_row_and_none_gives_the_others():
    plants = fitting_plants(42)
    assert [plant.shape for plant, _ in plants] == 14 * list(SHAPES)
    rows = predict(plants)
    first = rows.sel(reading="uncontrolled")
    for name, want, within in zip(
        PublishedRow._fields, PUBLISHED["uncontrolled"], TOLERANCE, strict=True
    ):
        assert float(abs(first[name] - want).max()) <= within
    static = rows.sel(reading="static limit 1.5")
    assert float(static.violations.max()) < 187
    assert float(static.peak_queue.max()) < 45.2
    controlled = rows.sel(reading=list(interpretations())[2:])
    published = PUBLISHED["ENTRO-ENGINE"]
    near = {"violations": 3.0, "peak_queue": 3.0, "peak_psi": 0.1}
    met = {
        name: abs(controlled[name] - getattr(published, name)) <= within
        for name, within in near.items()
    }
    # Each figure can be had by some reading on some shape; no two peaks, so no row.
    assert all(found.any() for found in met.values())
    assert not (met["peak_queue"] & met["peak_psi"]).any()
    assert {plant.proportional for plant, _ in plants} == {True, False}


def test_literal_reading_gives_the_published_violations_and_not_the_peaks():
    plant, _ = identify()
    law, both = interpretations()["every valve, integrated"]
    assert both
    assert law.relaxation == 0.0
    runs = sums(plant.pipeline(queue_valve=True), law, replicates=100, seed=5)
    assert np.median(runs[:, 0]) == pytest.approx(11.0, abs=1.5)  # 12 are published
    assert runs[:, 1].max() < 10.0
    assert runs[:, 2].min() > 3.4


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_offer_what_they_say(shape):
    plant = Plant(2.8, 60.0, 0.8, 100.0, 1.0, shape=shape, split=0.25, gap=30.0)
    rate, _ = profile(plant.phases(), 1.0, 1000)
    length = 90 if shape == "two surges" else 60
    assert (rate[:100] == 1.0).all()
    assert rate[100 + length - 1] == pytest.approx(2.8)
    assert rate[100 + length :] == pytest.approx(0.8)
    if shape == "two surges":
        assert rate[100:115] == pytest.approx(2.8)
        assert rate[115:145] == pytest.approx(1.0)
    elif shape == "ramp":
        assert (np.diff(rate[99:160]) > 0).all()
    family = traits([(plant, 1)])
    assert float(family.offered[0]) == pytest.approx(rate.sum())
    assert float(family.excess[0]) == pytest.approx(np.maximum(rate - 1.2, 0).sum(), rel=0.01)


def test_a_law_that_keeps_every_published_number_does_not_exist_even_without_its_plant():
    run = simulate(law=EntropyLaw(), replicates=20)
    least = [least_peak_entropy(float(q)) for q in run.peak_queue]
    assert (run.peak_psi.values >= np.array(least)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: identify(PublishedRow(312, 87.6, 4.0)), "target"),
        (lambda: identify(PublishedRow(10, 87.6, 5.84)), "target"),
        (lambda: identify(replicates=0), "replicates"),
        (lambda: fitting_plants(0), "n = 0"),
        (lambda: invert(PublishedRow(312, 87.6, 5.0)), "row"),
        (lambda: least_peak_entropy(-1.0), "peak_queue"),
        (lambda: least_violations(20.0, capacity=3.0), "rate_max"),
        (lambda: least_violations(20.0, dt=0.0), "dt"),
        (lambda: least_rate_memoryless(1.0, 1.0, alpha=0.0), "alpha"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
