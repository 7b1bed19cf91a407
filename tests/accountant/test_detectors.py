from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from entro_nb import AccountantConfig, account
from entro_nb.accountant.detectors import (
    DETECTORS,
    ENTROPY,
    LEARNING,
    detection_delays,
    limit_for,
    mean_entropy,
    statistic,
)
from entro_nb.errors import EntroError
from entro_nb.streams import Scenario, generate
from entro_nb.surprise import Surprise, SurpriseConfig

X = np.random.default_rng(0).standard_normal(600)


def test_cusums_against_their_definition_as_a_maximum() -> None:
    # max(0, S + x − k) is the largest sum of (x − k) over any stretch that ends here.
    def largest(steps: np.ndarray) -> np.ndarray:
        total = np.concatenate([[0.0], np.cumsum(steps)])
        return np.array([total[t + 1] - total[: t + 2].min() for t in range(len(steps))])

    expected = np.maximum(largest(X - 0.5), largest(-X - 0.5))
    np.testing.assert_allclose(statistic("CUSUM", X), expected, atol=1e-10)
    log2 = math.log(2)
    ratio = np.maximum(largest(0.375 * X**2 - log2), largest(-1.5 * X**2 + log2))
    np.testing.assert_allclose(statistic("variance CUSUM", X), ratio, atol=1e-10)


def test_variance_cusum_steps_are_log_likelihood_ratios() -> None:
    def log_density(x: float, deviation: float) -> float:
        return -math.log(deviation) - x**2 / (2 * deviation**2)

    x = 1.7
    up = statistic("variance CUSUM", np.array([x]))[0]
    assert up == pytest.approx(log_density(x, 2) - log_density(x, 1))
    down = statistic("variance CUSUM", np.array([0.1]))[0]
    assert down == pytest.approx(log_density(0.1, 0.5) - log_density(0.1, 1))


def test_ewma_against_its_closed_form() -> None:
    t = len(X)
    weights = 0.1 * 0.9 ** np.arange(t)[::-1]
    assert statistic("EWMA", X)[-1] == pytest.approx(abs(weights @ X) / math.sqrt(0.1 / 1.9))


def test_adaptive_window_finds_a_step() -> None:
    x = np.concatenate([np.zeros(200), np.ones(56)])
    got = statistic("ADWIN's cut", x)
    # The worst cut leaves 64 samples, 56 of them ones, and none but zeros before it.
    assert got[-1] == pytest.approx(56 / 64 / math.sqrt(1 / 64 + 1 / 192))
    assert got[199] == 0


def test_entropy_statistics_are_those_of_the_accountant() -> None:
    ds = account(X)
    sure = ds.confidence.values == 1
    np.testing.assert_allclose(statistic("H′", X)[sure], np.abs(ds.velocity.values[sure]))
    assert not statistic("H", X)[~sure].any()
    assert account(np.random.default_rng(1).standard_normal(400_000)).entropy[
        200:
    ].mean().item() == (pytest.approx(mean_entropy(AccountantConfig()), abs=3e-3))


@pytest.mark.parametrize("name", LEARNING)
def test_detectors_that_learn_are_told_nothing(name: str) -> None:
    stray = np.append(X, [40.0, 41.0, 42.0, 43.0])
    np.testing.assert_array_equal(statistic(name, stray), statistic(name, 2.0**20 * stray))
    assert statistic(name, stray)[X.size :].max() > statistic(name, X).max()


def test_evidence_is_what_an_alarm_of_a_monitor_stands_on() -> None:
    # Until its first alarm, and but for what a rarer promise bets on single values.
    x = np.append(X, np.random.default_rng(1).normal(1.5, 1.0, 200))
    monitor = Surprise(SurpriseConfig(promise=1e6, changes=True))
    judged = [monitor.process(value) for value in x.tolist()]
    first = next(t for t, j in enumerate(judged) if j.alarm)
    assert first > X.size
    usual = [j.evidence for j in judged[:first]]
    np.testing.assert_allclose(statistic("evidence", x)[:first], usual)
    assert statistic("evidence", x)[first] >= monitor.config.limit


def test_the_evidence_keeps_what_the_theorem_promises() -> None:
    # 9.97 bits would do for any law; for normal samples a little less does.
    assert 7.0 < limit_for("evidence", 1000.0, runs=100) <= math.log2(1000.0)


def test_limits_of_independent_samples_follow_from_the_normal_distribution() -> None:
    from scipy.stats import norm

    exact = norm.isf(1 / 370.4 / 2)
    assert limit_for("Shewhart", 370.4, runs=2000) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("name", ["CUSUM", "H", "H′"])
def test_limits_keep_their_promise(name: str) -> None:
    limit = limit_for(name, 500.0, runs=1000)
    rng = np.random.default_rng(99)
    first = []
    for _ in range(1000):
        alarms = np.flatnonzero(statistic(name, rng.standard_normal(6256))[256:] > limit)
        first.append(alarms[0] + 1 if alarms.size else 6000)
    assert np.mean(first) == pytest.approx(500, rel=0.12)


def test_each_detector_is_best_at_what_it_was_made_for() -> None:
    names = [*DETECTORS, *LEARNING, *ENTROPY]
    limits = {name: limit_for(name, 500.0, runs=200) for name in names}

    def median(kind: str, size: float) -> dict[str, float]:
        streams = [
            generate(Scenario(kind, samples=1500, change=700, size=size), seed).values
            for seed in range(60)
        ]
        delay = detection_delays(streams, 700, limits).delay.fillna(np.inf)
        return dict(zip(limits, delay.median("replicate").values.tolist(), strict=True))

    level, scale, shape = median("level", 1.0), median("scale", 1.0), median("shape", 0.95)
    assert level["CUSUM"] < level["H"]
    assert scale["variance CUSUM"] < scale["H"]
    assert shape["H"] < min(shape[name] for name in DETECTORS)
    assert shape["evidence"] < shape["H"]
    for delay in (level, scale):
        assert delay["evidence"] <= min(delay.values()) + 3


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: statistic("CUSSUM", X), "did you mean 'CUSUM'"),
        (lambda: statistic("CUSUM", np.array([np.nan])), r"x\[0\]"),
        (lambda: limit_for("CUSUM", 1.0), "run_length = 1"),
        (lambda: detection_delays([X], 600, {}), "change = 600"),
        (lambda: detection_delays([X, X[:5]], 3, {}), "equal lengths"),
    ],
)
def test_bad_input(call: Any, match: str) -> None:
    with pytest.raises(EntroError, match=match):
        call()
