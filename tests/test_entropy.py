"""Entropy: distributions, estimators, rolling windows, derivatives."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from entro_nb import entropy
from entro_nb.errors import DataError, EntroError, ParameterError, ParameterTypeError


@st.composite
def distributions(draw: Any) -> Any:
    weights = draw(
        arrays(
            float, draw(st.integers(2, 12)), elements=st.floats(0, 1, allow_subnormal=False)
        ).filter(lambda w: w.sum() > 1e-3)
    )
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("p", "bits"),
    [([1, 0], 0.0), ([0.5, 0.5], 1.0), ([0.5, 0.25, 0.25], 1.5), ([1 / 8] * 8, 3.0), ([1.0], 0.0)],
)
def test_closed_forms(p: list[float], bits: float) -> None:
    assert entropy.shannon(p) == pytest.approx(bits, abs=1e-15)


@given(distributions())
def test_against_an_independent_sum(p: np.ndarray) -> None:
    brute = -math.fsum(q * math.log2(q) for q in p.tolist() if q > 0)
    assert entropy.shannon(p) == pytest.approx(brute, abs=1e-12)
    assert entropy.shannon(p) == pytest.approx(scipy.stats.entropy(p, base=2), abs=1e-12)


@given(distributions(), st.randoms())
def test_bounds_symmetry_and_expansibility(p: np.ndarray, random: Any) -> None:
    h = entropy.shannon(p)
    shuffled = p.copy()
    random.shuffle(shuffled)
    assert 0 <= h <= math.log2(p.size) + 1e-12
    assert entropy.shannon(shuffled) == pytest.approx(float(h), abs=1e-12)
    assert entropy.shannon([*p, 0.0]) == pytest.approx(float(h), abs=1e-12)
    assert entropy.normalized(p) == pytest.approx(h / math.log2(p.size), abs=1e-12)
    # Empty categories count: the same entropy, of a larger ceiling.
    assert entropy.normalized([*p, 0.0]) <= entropy.normalized(p) + 1e-12


@given(distributions(), distributions())
def test_chain_rule_and_additivity(p: np.ndarray, q: np.ndarray) -> None:
    product = np.outer(p, q).ravel()
    product /= product.sum()
    for measure in (
        entropy.shannon,
        lambda r: entropy.renyi(r, 2),
        lambda r: entropy.renyi(r, 0.5),
    ):
        assert measure(product) == pytest.approx(float(measure(p) + measure(q)), abs=1e-9)
    groups = [list(range(p.size // 2 + 1)), list(range(p.size // 2 + 1, p.size))]
    groups = [g for g in groups if g]
    assert entropy.chain_rule_gap(entropy.shannon, p, groups) == pytest.approx(0, abs=1e-12)


def test_only_shannon_obeys_the_chain_rule() -> None:
    p, groups = [0.5, 0.25, 0.25], [[0], [1, 2]]
    assert entropy.renyi(p, 2) == pytest.approx(-math.log2(3 / 8))
    assert entropy.chain_rule_gap(lambda r: entropy.renyi(r, 2), p, groups) < -0.08
    assert abs(entropy.chain_rule_gap(entropy.gini, p, groups)) > 0.1


@given(distributions())
def test_renyi_is_continuous_at_one_and_decreasing(p: np.ndarray) -> None:
    h = float(entropy.shannon(p))
    assert entropy.renyi(p, 1) == pytest.approx(h, abs=1e-12)
    assert entropy.renyi(p, 1 + 1e-7) == pytest.approx(h, abs=1e-4)
    assert entropy.renyi(p, 2) <= h + 1e-9 <= entropy.renyi(p, 0.5) + 2e-9
    assert entropy.renyi(p, 0) == pytest.approx(math.log2((p > 0).sum()), abs=1e-12)


def test_axis_of_a_distribution() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=(3, 4))
    h = entropy.shannon(p)
    assert h.shape == (3, 4)
    np.testing.assert_allclose(entropy.shannon(np.moveaxis(p, -1, 0), axis=0), h, atol=1e-15)
    np.testing.assert_allclose(entropy.gini(p)[1, 2], 1 - (p[1, 2] ** 2).sum())


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ([0.5, 0.6], ParameterError),
        ([0.5, 0.4], ParameterError),
        ([1.5, -0.5], ParameterError),
        ([math.nan, 1.0], DataError),
        ([math.inf, 0.0], DataError),
        ([], DataError),
        (["a", "b"], ParameterTypeError),
        (None, ParameterTypeError),
        ("half", ParameterTypeError),
        (1.0, ParameterError),
        ([True, False], ParameterTypeError),
    ],
)
def test_bad_probabilities(bad: Any, error: type[EntroError]) -> None:
    for function in (entropy.shannon, entropy.normalized, entropy.gini):
        with pytest.raises(error, match="p"):
            function(bad)


def test_bad_parameters() -> None:
    with pytest.raises(ParameterError, match=r"axis = 2 .* \[-1, 0\]"):
        entropy.shannon([0.5, 0.5], axis=2)
    with pytest.raises(ParameterError, match="categories = 1"):
        entropy.normalized([1.0])
    with pytest.raises(ParameterError, match="order = -1"):
        entropy.renyi([0.5, 0.5], -1)
    with pytest.raises(ParameterError, match="groups"):
        entropy.chain_rule_gap(entropy.shannon, [0.5, 0.5], [[0]])


def test_plugin_is_the_entropy_of_the_shares() -> None:
    counts = np.array([[3, 0, 1], [2, 2, 4]])
    np.testing.assert_allclose(
        entropy.plugin(counts), entropy.shannon(counts / counts.sum(-1, keepdims=True)), atol=1e-15
    )


@pytest.mark.parametrize("p", [[0.5, 0.5], [0.2, 0.3, 0.5]])
def test_expected_plugin_against_every_outcome(p: list[float]) -> None:
    # All sequences of five draws, each with its probability: no binomials involved.
    mean = 0.0
    for draws in product(range(len(p)), repeat=5):
        counts = np.bincount(draws, minlength=len(p))
        mean += math.prod(p[k] for k in draws) * float(entropy.plugin(counts))
    assert entropy.expected_plugin(p, 5) == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize(
    ("bins", "window", "published"), [(32, 128, 0.963), (16, 64, 0.955), (10, 50, 0.959)]
)
def test_expected_normalised_entropy_of_a_uniform_source(
    bins: int, window: int, published: float
) -> None:
    exact = entropy.expected_plugin([1 / bins] * bins, window) / math.log2(bins)
    assert exact == pytest.approx(published, abs=5e-4)
    first_order = 1 + entropy.expected_bias(bins, window) / math.log2(bins)
    assert first_order == pytest.approx(exact, abs=5e-3)


def test_miller_madow_removes_most_of_the_bias() -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(128, [1 / 32] * 32, size=20_000)
    corrected = entropy.miller_madow(counts).mean() / 5
    assert corrected == pytest.approx(0.997, abs=1e-3)
    assert entropy.plugin(counts).mean() / 5 == pytest.approx(0.963, abs=1e-3)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ([0, 0], DataError),
        ([-1, 2], ParameterError),
        ([0.5, 1], ParameterError),
        ([], DataError),
        ([math.nan, 1], DataError),
        ([[1, 2], [0, 0]], DataError),
        (3, ParameterError),
    ],
)
def test_bad_counts(bad: Any, error: type[EntroError]) -> None:
    for function in (entropy.plugin, entropy.miller_madow):
        with pytest.raises(error, match="counts"):
            function(bad)


def test_bad_sizes() -> None:
    with pytest.raises(ParameterError, match="samples = 0"):
        entropy.expected_bias(2, 0)
    with pytest.raises(ParameterError, match="samples = 0"):
        entropy.expected_plugin([0.5, 0.5], 0)


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


def test_axis_of_a_rolling_window() -> None:
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
def test_bad_windows(change: dict[str, Any], error: type[EntroError], match: str) -> None:
    good: dict[str, Any] = {"x": [0.0, 1.0], "window": 4, "bins": 4}
    with pytest.raises(error, match=match):
        entropy.rolling(**(good | change))


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
def test_bad_series(h: Any, window: int, error: type[EntroError], match: str) -> None:
    with pytest.raises(error, match=match):
        entropy.derivatives(h, window)
