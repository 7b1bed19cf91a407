from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
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


def test_axis() -> None:
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
