"""Intervals, by their coverage and by known values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from entro_nb.errors import DataError, ParameterError
from entro_nb.results import mean_interval, reduction_interval, share_interval


def test_student_s_interval_is_scipy_s():
    x = np.random.default_rng(0).normal(size=9)
    low, high = stats.t.interval(0.9, 8, x.mean(), stats.sem(x))
    assert mean_interval(x, 0.9) == pytest.approx((x.mean(), low, high))


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10)])
def test_exact_share_is_scipy_s(k, n):
    expected = stats.binomtest(k, n).proportion_ci(method="exact")
    assert share_interval(k, n) == pytest.approx((k / n, expected.low, expected.high))


def test_reduction_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        base = rng.gamma(20.0, size=20)
        with_it = 0.3 * base * rng.gamma(50.0, 1 / 50, size=20)
        interval = reduction_interval(with_it, base)
        hits += interval.low < 0.7 < interval.high
    assert 0.91 < hits / 400 < 0.985


def test_too_few_runs_are_refused():
    with pytest.raises(DataError, match="two runs"):
        mean_interval([1.0])
    with pytest.raises(DataError, match="without"):
        reduction_interval([1.0, 1.0], [0.0, 0.0])
    with pytest.raises(ParameterError, match="successes"):
        share_interval(3, 2)
