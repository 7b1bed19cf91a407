"""The control law against its closed form, its properties, and what it must refuse."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

import entro_nb
from entro_nb.engine import (
    ENTROEngineController,
    EntropyBudget,
    ProportionalAllocator,
    aggregate,
    fairness,
    loads,
    normalized_proxy,
    proxies,
)
from entro_nb.errors import DataError, ParameterError, ParameterTypeError

entropies = arrays(
    np.float64, st.integers(1, 12), elements=st.one_of(st.just(0.0), st.floats(1e-6, 50.0))
)
gains = st.floats(0.01, 10.0)


def test_quick_start_of_the_seed_prints_its_numbers():
    signal = entro_nb.ENTROEngineController(alpha=0.5, beta=2.0, psi_budget=3.0).compute_control(
        psi_i=1.5, psi_total=4.0
    )
    assert (f"{signal.u:.3f}", f"{signal.rho:.3f}", f"{signal.delta:.3f}") == (
        "-0.181",
        "0.375",
        "1.000",
    )
    assert all(isinstance(value, float) for value in signal)


def test_published_example_value_lies_outside_what_the_law_can_give():
    signal = ENTROEngineController().compute_control(1.5, 4.0)
    assert signal.u == pytest.approx(-0.5 * 0.375 * math.tanh(2.0), abs=1e-15)
    assert abs(-0.225) > 0.5 * 0.375 > abs(signal.u)


@given(psi=entropies, alpha=gains, beta=gains, budget=st.floats(0.1, 20.0))
def test_bounds_sums_and_signs(psi, alpha, beta, budget):
    signal = ENTROEngineController(alpha, beta, budget).control(psi)
    assert ((signal.u <= 0.0) & (signal.u >= -alpha)).all()
    total = signal.rho.sum()
    assert total == pytest.approx(1.0) if psi.sum() > 0.0 else total == 0.0
    pressure = max(psi.sum() - budget, 0.0)
    assert signal.u.sum() == pytest.approx(-alpha * math.tanh(beta * pressure) * total, abs=1e-12)


@given(psi=entropies, data=st.data())
def test_order_of_the_subsystems_does_not_matter(psi, data):
    order = data.draw(st.permutations(range(psi.size)))
    law = ENTROEngineController()
    assert law.control(psi[order]).u == pytest.approx(law.control(psi).u[order], abs=1e-12)


@given(psi=entropies, scale=st.floats(0.1, 10.0))
def test_ratios_know_no_scale(psi, scale):
    allocator = ProportionalAllocator()
    assert allocator.ratios(scale * psi) == pytest.approx(allocator.ratios(psi), abs=1e-9)


@given(beta=gains, low=st.floats(0.0, 5.0), step=st.floats(0.0, 5.0))
def test_more_pressure_never_means_a_weaker_signal(beta, low, step):
    # The share is kept fixed: both entropies grow with the total.
    law = ENTROEngineController(beta=beta)
    weak, strong = (law.compute_control(0.4 * (3.0 + d), 3.0 + d).u for d in (low, low + step))
    assert strong <= weak + 1e-12


def test_arrays_of_a_million_agree_with_one_at_a_time():
    rng = np.random.default_rng(5)
    psi = rng.exponential(1.0, 10**6)
    law = ENTROEngineController(psi_budget=1000.0)
    signal = law.control(psi)
    assert signal.u.shape == psi.shape
    total = float(psi.sum())
    for k in (0, 123_456, 999_999):
        one = law.compute_control(float(psi[k]), total)
        assert signal.u[k] == pytest.approx(one.u, rel=1e-12)


def test_control_works_along_any_axis_and_broadcasts():
    psi = np.random.default_rng(0).exponential(1.0, (4, 3))
    law = ENTROEngineController()
    along = law.control(psi, axis=0)
    assert along.u.shape == (4, 3)
    assert along.delta.shape == (1, 3)
    columns = [law.control(psi[:, j]).u for j in range(3)]
    assert along.u == pytest.approx(np.stack(columns, axis=1))
    pairs = law.compute_control(psi, psi.sum(axis=0))
    assert pairs.u == pytest.approx(along.u)


def test_nothing_to_share_and_nothing_to_press():
    law = ENTROEngineController()
    assert law.compute_control(0.0, 0.0) == (0.0, 0.0, 0.0)
    idle = law.compute_control(1.0, 2.0)
    assert idle.u == 0.0
    assert math.copysign(1.0, idle.u) == 1.0


def test_unclamped_pressure_is_negative_below_the_budget():
    assert EntropyBudget(3.0, clamped=False).pressure(2.0) == -1.0
    assert ENTROEngineController(clamped=False).compute_control(1.0, 2.0).u > 0.0


def test_budget_of_subsystems_is_equation_10():
    assert EntropyBudget.of_subsystems(2, 2.0, 0.75).psi_budget == 3.0
    assert EntropyBudget.of_subsystems(5).psi_budget == 7.5


@given(x=arrays(np.float64, 5, elements=st.floats(0.0, 1e6)))
def test_proxies_invert_and_add(x):
    psi = proxies(x)
    assert loads(psi) == pytest.approx(x, rel=1e-9, abs=1e-12)
    assert aggregate(psi) == pytest.approx(sum(math.log(1.0 + value) for value in x), rel=1e-9)


@given(x=st.floats(1e-6, 1e6), y=st.floats(1e-6, 1e6))
def test_normaliser_is_logistic_in_the_logarithm(x, y):
    # logit(Ψ_norm/Ψ_c) = ln Ψ − ln ref is what makes a curve logistic in ln Ψ.
    p, q = normalized_proxy([x, y]) / 2.0
    logit = lambda v: math.log(v) - math.log1p(-v)  # noqa: E731
    if max(p, q) < 1.0 - 1e-9:
        assert logit(p) - logit(q) == pytest.approx(math.log(x / y), abs=1e-5)
    assert normalized_proxy(-x) == 0.0


@settings(max_examples=50)
@given(psi=arrays(np.float64, st.integers(2, 8), elements=st.floats(0.1, 10.0)))
def test_proportional_pressure_is_fair_and_one_victim_is_not(psi):
    law = ENTROEngineController(psi_budget=0.05)
    assert fairness(law.control(psi).u, psi) == pytest.approx(1.0)
    victim = np.zeros(psi.size)
    victim[0] = -1.0
    assert fairness(victim, psi) == pytest.approx(1.0 / psi.size)
    assert fairness(np.zeros(psi.size), psi) == 1.0


@pytest.mark.parametrize("name", ["alpha", "beta", "psi_budget"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_gains_and_budget_must_be_positive_and_finite(name, value):
    with pytest.raises(ParameterError, match=name):
        ENTROEngineController(**{name: value})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.compute_control(4.5, 4.0), ParameterError, "psi_i = 4.5 .* at most psi_total"),
        (lambda c: c.compute_control(-0.1, 4.0), ParameterError, "psi_i"),
        (lambda c: c.compute_control(1.0, -4.0), ParameterError, "psi_total"),
        (lambda c: c.compute_control(math.nan, 4.0), DataError, "psi_i"),
        (lambda c: c.compute_control(1.0, math.inf), DataError, "psi_total"),
        (lambda c: c.compute_control([1.0, 1.0], [3.0, 3.0, 3.0]), ParameterError, "shapes"),
        (lambda c: c.compute_control([1.0, 9.0], [3.0, 3.0]), ParameterError, r"psi_i\[1\]"),
        (lambda c: c.control([1.0, -1.0]), ParameterError, r"psi\[1\]"),
        (lambda c: c.control([]), DataError, "psi"),
        (lambda c: c.control("no"), ParameterTypeError, "psi"),
        (lambda c: EntropyBudget(-3.0), ParameterError, "psi_budget"),
        (lambda c: EntropyBudget(3.0, clamped=1), ParameterTypeError, "clamped"),
        (lambda c: EntropyBudget.of_subsystems(0), ParameterError, "n = 0"),
        (lambda c: proxies([-1.0]), ParameterError, "load"),
        (lambda c: proxies([math.nan]), DataError, "load"),
        (lambda c: normalized_proxy(1.0, reference=0.0), ParameterError, "reference"),
        (lambda c: fairness([0.0, 1.0], [1.0]), ParameterError, "shapes"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(ENTROEngineController())
