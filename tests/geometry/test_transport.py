"""Optimal transport against a linear programme and against POT's network simplex."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import linprog

from entro_nb.errors import ParameterError
from entro_nb.geometry import wasserstein


def by_linear_programme(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> float:
    n, m = cost.shape
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    return float(
        linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.r_[a, b], method="highs").fun
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10**6), st.booleans())
def test_against_a_linear_programme(n: int, m: int, seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    cost = rng.integers(1, 4, (n, m)).astype(float) if whole else rng.random((n, m))
    assert wasserstein(a, b, cost) == pytest.approx(by_linear_programme(a, b, cost), abs=1e-9)


@pytest.mark.parametrize("size", [3, 30, 120])
def test_against_pot(size: int) -> None:
    ot = pytest.importorskip("ot", reason="POT is the oracle")
    rng = np.random.default_rng(size)
    a = np.full(size, 1 / size)  # equal masses: many ties
    b = rng.dirichlet(np.ones(size + 5))
    cost = rng.integers(1, 4, (size, size + 5)).astype(float)
    assert wasserstein(a, b, cost) == pytest.approx(ot.emd2(a, b, cost), abs=1e-9)


def test_closed_forms() -> None:
    # On a line W₁ is the area between the distribution functions.
    x, y = np.array([0.0, 1.0, 5.0]), np.array([2.0, 3.0])
    cost = np.abs(x[:, None] - y[None, :])
    assert wasserstein([0.2, 0.3, 0.5], [0.5, 0.5], cost) == pytest.approx(
        0.2 * 2 + 0.3 * 1 + 0.5 * 2, abs=1e-12
    )
    assert wasserstein([1.0], [1.0], [[7.0]]) == 7.0
    assert wasserstein([2.0], [1.0, 1.0], [[1.0, 3.0]]) == 4.0
    assert wasserstein([0.0], [0.0], [[1.0]]) == 0.0


@pytest.mark.parametrize(
    ("a", "b", "cost"),
    [
        ([1.0], [0.5], [[1.0]]),
        ([1.0], [1.0], [[1.0, 2.0]]),
        ([-1.0], [-1.0], [[1.0]]),
        ([1.0], [1.0], [[math.nan]]),
        ([], [], [[]]),
    ],
)
def test_bad_input(a: list[float], b: list[float], cost: list[list[float]]) -> None:
    with pytest.raises(ParameterError):
        wasserstein(a, b, cost)
