from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entro_nb import entropy
from entro_nb.errors import DataError, EntroError, ParameterError


def brute(h: list[float], window: int) -> np.ndarray:
    """The definitions of seed 003, one value at a time."""
    rates: list[list[float]] = []
    for t in range(len(h)):
        recent = h[max(0, t - window + 1) : t + 1]
        velocity = h[t] - math.fsum(recent) / len(recent) if t >= 1 else math.nan
        acceleration = velocity - rates[t - 1][0] if t >= 2 else math.nan
        jerk = acceleration - rates[t - 1][1] if t >= 3 else math.nan
        rates.append([velocity, acceleration, jerk])
    return np.array(rates).T


@given(st.lists(st.floats(0, 16), min_size=4, max_size=60), st.data())
def test_against_the_definitions(h: list[float], data: Any) -> None:
    window = data.draw(st.integers(2, len(h)))
    np.testing.assert_allclose(entropy.derivatives(h, window), brute(h, window), atol=1e-12)


def test_availability() -> None:
    velocity, acceleration, jerk = entropy.derivatives([1.0, 2.0, 4.0, 8.0], 2)
    assert np.isnan(velocity).tolist() == [True, False, False, False]
    assert np.isnan(acceleration).tolist() == [True, True, False, False]
    assert np.isnan(jerk).tolist() == [True, True, True, False]


@pytest.mark.parametrize("window", [2, 5, 32])
@pytest.mark.parametrize("slope", [0.01, -0.3])
def test_a_ramp_settles_at_half_its_rise_over_the_window(window: int, slope: float) -> None:
    d = entropy.derivatives(slope * np.arange(100.0), window)
    np.testing.assert_allclose(d.velocity[window:], slope * (window - 1) / 2, atol=1e-12)
    np.testing.assert_allclose(d.acceleration[window + 1 :], 0, atol=1e-12)


def test_axis_and_scale() -> None:
    h = np.random.default_rng(0).uniform(0, 4, (3, 40))
    d = entropy.derivatives(h.T, 8, axis=0)
    np.testing.assert_array_equal(d.jerk.T, entropy.derivatives(h, 8).jerk)
    big = entropy.derivatives(h * 1e9, 8).velocity
    np.testing.assert_allclose(big, entropy.derivatives(h, 8).velocity * 1e9, rtol=1e-9)
    assert not entropy.derivatives(np.zeros(5), 2).velocity[1:].any()


@pytest.mark.parametrize(
    ("h", "window", "error", "match"),
    [
        ([1.0, 2.0], 1, ParameterError, "window = 1"),
        ([1.0, 2.0], 3, ParameterError, r"window = 3 .* \[2, 2\]"),
        ([1.0, math.nan], 2, DataError, r"h\[1\]"),
        ([], 2, DataError, "at least one"),
        (None, 2, EntroError, "h = None"),
    ],
)
def test_bad_input(h: Any, window: int, error: type[EntroError], match: str) -> None:
    with pytest.raises(error, match=match):
        entropy.derivatives(h, window)
