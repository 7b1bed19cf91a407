"""Intervals, by their coverage and by known values, and the verdicts that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from entro_nb.errors import DataError, ParameterError
from entro_nb.results import Interval, Objective, mean_interval, reduction_interval, share_interval


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


@pytest.mark.parametrize(
    ("target", "interval", "verdict"),
    [
        (0.5, (0.6, 0.55, 0.65), "holds"),
        (0.5, (0.6, 0.45, 0.75), "undecided"),
        (0.5, (0.4, 0.35, 0.45), "fails"),
        (1.0, (1.0, 0.96, 1.0), "holds"),
        (1.0, (0.999, 0.99, 1.0), "fails"),
    ],
)
def test_verdicts_follow_from_the_interval(target, interval, verdict):
    objective = Objective("x", target, Interval(*interval))
    assert objective.verdict == verdict
    assert verdict in str(objective)
