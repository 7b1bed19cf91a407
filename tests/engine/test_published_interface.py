"""The published package's interface, called as its documentation and tests call it."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from entro_nb.engine import (
    ENTROEngineController,
    EntropyBudget,
    ProportionalAllocator,
    aggregate,
    fairness,
    proxies,
    psi_from_rate,
    psi_total,
)
from entro_nb.errors import DataError, ParameterError

PSI = st.floats(0.0, 50.0)


def test_psi_from_rate():
    assert psi_from_rate(0.0) == 0.0
    assert psi_from_rate(1.2) == pytest.approx(math.log(2.2), rel=1e-15)
    assert type(psi_from_rate(3)) is float
    assert np.array_equal(psi_from_rate([0.0, 3.0]), proxies([0.0, 3.0]))
    with pytest.raises(ParameterError, match="rate"):
        psi_from_rate(-1.0)


def test_psi_total_of_a_list():
    assert psi_total([]) == 0.0
    assert psi_total([1.0, 2.0]) == float(aggregate([1.0, 2.0])) == 3.0
    assert type(psi_total([1, 2])) is float
    with pytest.raises(DataError, match=r"psi\[1\]"):
        psi_total([1.0, math.nan])


def test_pressure_is_clamped_and_ratio_of_nothing_is_zero():
    controller = ENTROEngineController(0.5, 2.0, 3.0)
    assert controller.compute_pressure(4.0) == 1.0
    assert controller.compute_pressure(2.0) == 0.0
    assert controller.compute_ratio(1.5, 4.0) == 0.375
    assert controller.compute_ratio(0.0, 0.0) == 0.0
    assert type(controller.compute_pressure(4)) is type(controller.compute_ratio(1, 4)) is float
    assert controller.compute_pressure([2.0, 4.0]).tolist() == [0.0, 1.0]


def test_control_is_made_of_pressure_and_ratio():
    controller = ENTROEngineController(alpha=0.5, beta=2.0, psi_budget=3.0)
    signal = controller.compute_control(psi_i=1.5, psi_total=4.0)
    assert signal.rho == controller.compute_ratio(1.5, 4.0)
    assert signal.delta == controller.compute_pressure(4.0)
    assert signal.u == pytest.approx(-0.5 * signal.rho * math.tanh(2.0 * signal.delta), abs=1e-15)


def test_budget_check():
    budget = EntropyBudget(psi_budget=3.0)
    over, under = budget.check(4.5), budget.check(2.0)
    assert (over.is_violated, over.violation, over.remaining) == (True, 1.5, 0.0)
    assert (under.is_violated, under.violation, under.remaining) == (False, 0.0, 1.0)
    assert type(over.is_violated) is bool
    assert budget.check(3.0).is_violated is False
    many = budget.check([2.0, 4.0])
    assert many.is_violated.tolist() == [False, True]
    assert many.violation.tolist() == [0.0, 1.0]


def test_allocation_by_name():
    allocator = ProportionalAllocator(alpha=0.5, beta=2.0, psi_budget=2.0)
    result = allocator.allocate({"scraper": 1.0, "llm": 2.0})
    assert list(result) == ["scraper", "llm"]
    controller = ENTROEngineController(0.5, 2.0, 2.0)
    for name, psi in (("scraper", 1.0), ("llm", 2.0)):
        assert result[name] == controller.compute_control(psi_i=psi, psi_total=3.0)
    assert result["llm"].u == pytest.approx(2.0 * result["scraper"].u)
    assert allocator.get_fairness_metric(result) == pytest.approx(1.0)


def test_allocation_of_nothing_and_of_no_pressure():
    allocator = ProportionalAllocator(0.5, 2.0, 3.0)
    assert allocator.allocate({}) == {}
    assert allocator.get_fairness_metric({}) == 1.0
    idle = allocator.allocate({"scraper": 0.0, "llm": 0.0})
    assert [signal.u for signal in idle.values()] == [0.0, 0.0]
    assert allocator.get_fairness_metric(idle) == 1.0


def test_fairness_of_an_allocation_is_jains_index_of_its_entropies():
    allocator = ProportionalAllocator(0.5, 2.0, 1.0)
    psi = {"a": 1.0, "b": 3.0}
    result = allocator.allocate(psi)
    unfair = {"a": result["a"], "b": result["b"]._replace(u=0.0)}
    expected = fairness([result["a"].u, 0.0], list(psi.values()))
    assert allocator.get_fairness_metric(unfair) == pytest.approx(float(expected)) == 0.5


@given(psi=st.dictionaries(st.text(), PSI, min_size=1, max_size=8), budget=st.floats(0.1, 20.0))
def test_names_and_arrays_get_the_same_signals(psi, budget):
    allocator = ProportionalAllocator(0.7, 1.5, budget)
    signal = allocator.control(list(psi.values()))
    by_name = allocator.allocate(psi)
    assert [s.u for s in by_name.values()] == signal.u.tolist()
    assert [s.rho for s in by_name.values()] == signal.rho.tolist()
    assert {s.delta for s in by_name.values()} == set(signal.delta.tolist())
