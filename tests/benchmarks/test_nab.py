"""The corpus on one core, and river's detectors on it: ``pytest tests/benchmarks -n 0 -s``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from river import anomaly, compose, drift, preprocessing

from entro_nb import benchmark
from entro_nb.benchmark import DETECTORS, HALVES, detect, score_nab
from entro_nb.surprise import Surprise


def scorer(build: Callable[[], Any]) -> Callable[[np.ndarray], list[float]]:
    """Scores of one of river's anomaly detectors: each value judged, then learnt from."""

    def scores(values: np.ndarray) -> list[float]:
        model, found = build(), []
        for value in values.tolist():
            sample = {"value": value}
            found.append(model.score_one(sample))
            model.learn_one(sample)
        return found

    return scores


def univariate(build: Callable[[], Any]) -> Callable[[np.ndarray], list[float]]:
    """The same for those that take the number itself; by its modulus where it has a sign."""

    def scores(values: np.ndarray) -> list[float]:
        model, found = build(), []
        for value in values.tolist():
            found.append(abs(model.score_one(None, value)))
            model.learn_one(None, value)
        return found

    return scores


def flags(build: Callable[[], Any]) -> Callable[[np.ndarray], list[bool]]:
    """Alarms of one of river's drift detectors, on values in deviations of the probation."""

    def alarms(values: np.ndarray) -> list[bool]:
        first = values[: max(benchmark.probation(values.size), 1)]
        model, found = build(), []
        for value in ((values - first.mean()) / (first.std() or 1.0)).tolist():
            model.update(value)
            found.append(model.drift_detected)
        return found

    return alarms


#: river's detectors (0.26) with the parameters they come with, and the standard score of each.
RIVER = {
    "HalfSpaceTrees": (
        scorer(
            lambda: compose.Pipeline(preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=1))
        ),
        12.0,
    ),
    "LODA": (scorer(lambda: anomaly.LODA(seed=1)), 50.0),
    "OneClassSVM": (
        scorer(lambda: compose.Pipeline(preprocessing.StandardScaler(), anomaly.OneClassSVM())),
        11.1,
    ),
    "StandardAbsoluteDeviation": (univariate(anomaly.StandardAbsoluteDeviation), 40.6),
    "ADWIN": (flags(drift.ADWIN), 23.2),
    "PageHinkley": (flags(drift.PageHinkley), 16.9),
}


def row(name: str, detector: benchmark.Detector) -> tuple[float, float]:
    """Print what a detector scores; its standard score, and the seconds of it and the scorer."""
    start = time.perf_counter()
    scores = detect(detector)
    found = np.ravel([score_nab(scores, half).score.values for half in HALVES])
    seconds = time.perf_counter() - start
    print(f"\n{name:34}", *(f"{score:6.1f}" for score in found), f"{seconds:8.2f} s", end="")
    return float(found[0]), seconds


@pytest.mark.parametrize("name", DETECTORS)
def test_the_corpus_takes_seconds(name: str) -> None:
    detect(DETECTORS[name], [next(iter(benchmark.nab_corpus()))])  # compiled
    assert row(name, DETECTORS[name])[1] < 2.0


def test_the_scorer_alone() -> None:
    scores = detect(DETECTORS["Gaussian of a window"])
    score_nab(scores)
    start = time.perf_counter()
    score_nab(scores)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("name", RIVER)
def test_what_river_scores(name: str) -> None:
    detector, standard = RIVER[name]
    assert row(f"river's {name}", detector)[0] == pytest.approx(standard, abs=0.5)


def seconds(call: Callable[[], object], values: int) -> float:
    """Processor seconds for a value, at best: others may want the machine at the same time."""
    times = []
    for _ in range(5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times) / values


def test_surprise_beside_rivers_detectors() -> None:
    x = np.random.default_rng(0).standard_normal(500_000)
    few = x[:10_000]
    monitor = Surprise()

    def one_by_one() -> None:
        monitor.reset()
        for value in few.tolist():
            monitor.process(value)

    def batch() -> None:
        monitor.reset()
        monitor.judge(x)

    ours = {"batch": seconds(batch, x.size), "one by one": seconds(one_by_one, few.size)}
    theirs = {
        name: seconds(lambda run=RIVER[name][0]: run(few), few.size)
        for name in ("HalfSpaceTrees", "ADWIN")
    }
    for name, took in (ours | theirs).items():
        print(
            f"\n{name}: {1e-6 / took:.2f} M values a second, {took / ours['batch']:.1f} x", end=""
        )
    assert ours["batch"] <= 1e-6 / 3
    assert theirs["HalfSpaceTrees"] >= 30 * ours["batch"]
    # river's ADWIN is a compiled step too, and asks only whether the mean has changed.
    assert theirs["ADWIN"] >= 0.5 * ours["batch"]
