from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entro_nb import entropy
from entro_nb.errors import DataError, EntroError, ParameterError, ParameterTypeError


def recount(x: np.ndarray, window: int, bins: int, low: float, high: float) -> np.ndarray:
    """Histogram every window anew with NumPy: slow, and sharing nothing with the package."""
    out = np.empty(len(x))
    for t in range(len(x)):
        held = np.clip(x[max(0, t - window + 1) : t + 1], low, high)
        counts, _ = np.histogram(held, bins=bins, range=(low, high))
        p = counts[counts > 0] / counts.sum()
        out[t] = -(p * np.log2(p)).sum()
    return out


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.integers(2, 40),
    st.integers(2, 12),
    st.floats(-10, 10),
    st.floats(1e-3, 20),
)
def test_against_a_recount(
    x: list[float], window: int, bins: int, low: float, width: float
) -> None:
    high = low + width
    got = entropy.rolling(x, window, bins, low, high)
    np.testing.assert_allclose(got, recount(np.array(x), window, bins, low, high), atol=1e-12)


@given(st.integers(2, 40), st.floats(-10, 10), st.floats(1e-3, 20))
def test_values_on_the_edges_count_where_numpy_counts_them(
    bins: int, low: float, width: float
) -> None:
    edges = np.linspace(low, low + width, bins + 1)
    x = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)])
    got = entropy.rolling(x, x.size, bins, low, low + width)
    np.testing.assert_allclose(got, recount(x, x.size, bins, low, low + width), atol=1e-12)


def test_fixed_edges_see_a_change_of_scale_and_minmax_edges_do_not() -> None:
    x = np.random.default_rng(1).standard_normal(500)
    fixed = entropy.rolling(x, 64, 16) - entropy.rolling(2 * x + 1.5, 64, 16)
    assert np.abs(fixed[63:]).min() > 0.2
    # A power of two and nothing added: not one value moves over a min-max edge by rounding.
    minmax = [entropy.rolling(y, 64, 16, edges="minmax") for y in (x, 2 * x)]
    np.testing.assert_array_equal(*minmax)


def test_minmax_of_a_constant_is_zero() -> None:
    assert (entropy.rolling(np.full(10, 3.0), 4, 8, edges="minmax") == 0).all()


def test_axis() -> None:
    x = np.random.default_rng(2).standard_normal((50, 2, 3))
    h = entropy.rolling(x, 10, 4, axis=0)
    assert h.shape == x.shape
    np.testing.assert_array_equal(h[:, 1, 2], entropy.rolling(x[:, 1, 2], 10, 4))


def test_bin_counts_hold_what_lies_outside() -> None:
    assert entropy.bin_counts([-1e9, 1e9, 0.0], 2, -1, 1).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"window": 1}, ParameterError, "window = 1"),
        ({"window": 2.5}, ParameterTypeError, "window"),
        ({"window": True}, ParameterTypeError, "window"),
        ({"bins": 1}, ParameterError, "bins = 1"),
        ({"bins": "16"}, ParameterTypeError, "bins"),
        ({"low": 4.0}, ParameterError, "high = 4"),
        ({"low": 5.0}, ParameterError, "high = 4"),
        ({"high": math.inf}, ParameterError, "high = inf"),
        ({"low": math.nan}, ParameterError, "low = nan"),
        ({"edges": "fixd"}, ParameterError, "did you mean 'fixed'"),
        ({"x": []}, DataError, "at least one"),
        ({"x": [1.0, math.nan]}, DataError, r"x\[1\] = nan"),
        ({"x": [-math.inf]}, DataError, r"x\[0\] = -inf"),
        ({"x": None}, ParameterTypeError, "x = None"),
        ({"x": "text"}, ParameterTypeError, "real numbers"),
        ({"x": [1, "2"]}, ParameterTypeError, "real numbers"),
        ({"x": [1 + 2j]}, ParameterTypeError, "real numbers"),
        ({"axis": 1}, ParameterError, "axis = 1"),
    ],
)
def test_bad_input(change: dict[str, Any], error: type[EntroError], match: str) -> None:
    good: dict[str, Any] = {"x": [0.0, 1.0], "window": 4, "bins": 4}
    with pytest.raises(error, match=match):
        entropy.rolling(**(good | change))
