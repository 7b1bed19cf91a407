from __future__ import annotations

import dataclasses
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entro_nb import AccountantConfig, account
from entro_nb.accountant import (
    Stability,
    Thresholds,
    calibrate,
    default_thresholds,
    run_lengths,
)
from entro_nb.accountant.calibration import key_of, stored
from entro_nb.errors import DataError, EntroError

SMALL = AccountantConfig(window=32, bins=8, derivative_window=8)


@pytest.mark.parametrize(
    ("config", "promised"), [(AccountantConfig(), 10_000.0), (SMALL, 10_000.0)]
)
def test_stored_thresholds_keep_their_promise(config: AccountantConfig, promised: float) -> None:
    limits = default_thresholds(config)
    assert limits.run_length == promised
    lengths = run_lengths(config, limits, runs=1500, seed=17)
    assert lengths.mean() == pytest.approx(promised, rel=0.10)


@pytest.mark.parametrize("run_length", [200.0, 2000.0])
def test_any_promise_is_kept(run_length: float) -> None:
    limits = calibrate(SMALL, run_length, precision=0.02)
    lengths = run_lengths(SMALL, limits, runs=3000, seed=5)
    assert lengths.mean() == pytest.approx(run_length, rel=0.10)


def test_a_promise_for_the_streams_own_distribution_is_kept() -> None:
    reference = np.random.default_rng(0).exponential(size=4000) - 1
    limits = calibrate(SMALL, 1000.0, reference=reference)
    lengths = run_lengths(SMALL, limits, reference=reference, runs=2000, seed=3)
    assert lengths.mean() == pytest.approx(1000, rel=0.10)
    # Thresholds made for a normal input promise nothing to this stream.
    normal = calibrate(SMALL, 1000.0)
    strangers = run_lengths(SMALL, normal, reference=reference, runs=500, seed=3)
    assert abs(strangers.mean() - 1000) > 200


def test_run_lengths_are_what_the_accountant_labels() -> None:
    # The same definition, counted from the frames of one long stream cut into runs.
    limits = calibrate(SMALL, 300.0)
    config = dataclasses.replace(SMALL, thresholds=limits)
    rng = np.random.default_rng(8)
    lengths = []
    for _ in range(600):
        ds = account(rng.standard_normal(3000), config)
        sure = ds.stability.values[ds.confidence.values == 1.0]
        alarms = np.flatnonzero(sure > Stability.STABLE)
        lengths.append(alarms[0] + 1 if alarms.size else 3000)
    assert np.mean(lengths) == pytest.approx(300, rel=0.12)


def test_each_quantity_has_a_share_of_the_alarms() -> None:
    limits = calibrate(SMALL, 500.0)
    off = {
        "entropy_low": -math.inf,
        "entropy_high": math.inf,
        "velocity": math.inf,
        "acceleration": math.inf,
        "jerk": math.inf,
    }
    for name in off:
        others = {key: value for key, value in off.items() if key != name}
        only = dataclasses.replace(limits, **others)
        assert run_lengths(SMALL, only, runs=400).mean() > 600


def test_a_longer_promise_means_wider_limits() -> None:
    short, long = calibrate(SMALL, 200.0), calibrate(SMALL, 5000.0)
    assert long.entropy_low < short.entropy_low < short.entropy_high <= long.entropy_high
    for name in ("velocity", "acceleration", "jerk"):
        assert getattr(long, name) > getattr(short, name)


def test_calibration_is_deterministic() -> None:
    assert calibrate(SMALL, 200.0, seed=4) == calibrate(SMALL, 200.0, seed=4)
    assert calibrate(SMALL, 200.0, seed=4) != calibrate(SMALL, 200.0, seed=5)


def test_the_store_can_be_made_again() -> None:
    tool = runpy.run_path(str(Path(__file__).parents[2] / ".ci" / "tools" / "thresholds.py"))
    entry = stored()["thresholds"][key_of(SMALL)]
    assert tool["content"]([SMALL])["thresholds"][key_of(SMALL)] == entry
    assert stored()["how"] == tool["content"]([])["how"]


def test_settings_that_are_not_stored_are_calibrated_quickly() -> None:
    config = AccountantConfig(window=48, bins=6, derivative_window=12)
    assert key_of(config) not in stored()["thresholds"]
    limits = default_thresholds(config)
    assert 0 < limits.standard_error < 0.4
    assert default_thresholds(dataclasses.replace(config, thresholds=limits)) is limits


def test_limits_that_cannot_be_exceeded_never_alarm() -> None:
    tiny = AccountantConfig(window=2, bins=2, derivative_window=2)
    limits = calibrate(tiny, 50.0)
    assert limits.entropy_high == 1.0  # the most that two samples can have
    assert run_lengths(tiny, Thresholds.never(), runs=3, longest=5000).tolist() == [5000] * 3


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"run_length": 10.0}, EntroError, "run_length = 10"),
        ({"run_length": math.inf}, EntroError, "run_length = inf"),
        ({"precision": 0.0}, EntroError, "precision = 0"),
        ({"seed": -1}, EntroError, "seed = -1"),
        ({"reference": []}, DataError, "reference"),
        ({"reference": [0.0, math.nan]}, DataError, r"reference\[1\]"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[EntroError], match: str) -> None:
    with pytest.raises(error, match=match):
        calibrate(SMALL, **change)
    with pytest.raises(EntroError, match="runs = 0"):
        run_lengths(SMALL, Thresholds.never(), runs=0)
