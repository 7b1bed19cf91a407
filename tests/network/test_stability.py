"""Stability of the exchange: closed forms against exchanges carried out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.errors import ParameterError
from entro_nb.network import (
    SETTINGS,
    PsiSync,
    net_variance,
    no_overshoot,
    outcome_map,
    pair_factor,
    uniform_factor,
)
from entro_nb.network.stability import GROWS, LEVELS


@given(st.floats(0.001, 3.0), st.floats(0.1, 2.0), st.floats(0.001, 1.0))
def test_pair_factor_is_what_two_nodes_do(kappa, alpha, d):
    sync = PsiSync.published(2, kappa, alpha, adaptive=False)
    psi = np.array([0.0, d])
    out = psi + sync.exchange(psi)
    assert out[1] - out[0] == pytest.approx(d * float(pair_factor(kappa, alpha, d)), abs=1e-12)


@pytest.mark.parametrize("gain", [0.1, 0.9, 1.7, 3.0, 20.0])
@pytest.mark.parametrize("half_width", [0.0, 0.02, 0.2])
def test_uniform_factor_is_what_many_uniform_nodes_do(gain, half_width):
    n, alpha = 20_001, 0.05
    amplitude = half_width if half_width else 1e-9
    psi = np.linspace(-amplitude, amplitude, n)
    sync = PsiSync.published(n, gain / (alpha * n), alpha, adaptive=False)
    after = net_variance(psi + sync.exchange(psi))
    expected = uniform_factor(gain, alpha**2 * n * amplitude**2)
    assert after / net_variance(psi) == pytest.approx(float(expected), rel=2e-3, abs=1e-6)


@given(st.integers(2, 20), st.floats(0.01, 1.0), st.floats(0.1, 2.0), st.integers(0, 1000))
def test_no_overshoot_is_sufficient(n, kappa, alpha, seed):
    psi = np.random.default_rng(seed).random(n)
    sync = PsiSync.published(n, kappa, alpha, adaptive=False)
    if no_overshoot(n, kappa, alpha, np.ptp(psi)):
        out = psi + sync.exchange(psi)
        assert np.ptp(out) <= np.ptp(psi) + 1e-12
        assert net_variance(out) <= net_variance(psi) + 1e-15


@pytest.mark.parametrize("n", [2, 5, 30])
def test_linear_map_turns_at_two_whatever_the_amplitude(n):
    gains = np.array([0.1, 1.0, 1.9, 2.1, 3.0])
    outcome = outcome_map(n, gains, [0.01, 0.5], cubic=False)
    assert (outcome[:3] == LEVELS).all()
    assert (outcome[3:] == GROWS).all()


def test_the_cubic_term_takes_away_amplitude_and_adds_no_gain():
    gains, amplitudes = np.linspace(0.1, 1.9, 7), np.array([1e-4, 0.05, 0.5])
    outcome = outcome_map(10, gains, amplitudes, aggression=1.0)
    assert (outcome[:, 0] == LEVELS).all()
    assert (outcome[:, 2] == GROWS).all()


def test_two_nodes_turn_where_the_pair_formula_says():
    amplitudes = np.linspace(0.05, 0.9, 50)
    kappa, alpha = 0.1, 1.0
    outcome = outcome_map(2, [2 * kappa * alpha], amplitudes, alpha, steps=2000)[0]
    # Two nodes at ±A differ by 2A; they level when |factor| < 1 at the start.
    levels = np.abs(pair_factor(kappa, alpha, 2 * amplitudes)) < 1
    np.testing.assert_array_equal(outcome == LEVELS, levels)


def test_the_documents_settings_lie_on_both_sides():
    inside = [s.gain < 2 for s in SETTINGS]
    assert inside[0]
    assert not any(inside[1:])


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match="n_nodes"):
        outcome_map(1, [1.0], [0.1])
    with pytest.raises(ParameterError, match="amplitudes"):
        outcome_map(3, [1.0], [0.0])
    with pytest.raises(ParameterError, match="bend"):
        uniform_factor(1.0, -1.0)
