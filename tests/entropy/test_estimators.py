from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from entro_nb import entropy
from entro_nb.errors import DataError, EntroError, ParameterError


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
