"""Bets are fair, evidence is what the recursion says, and the promise is kept for any law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import norm

from entro_nb.results import share_interval
from entro_nb.streams import load_recording
from entro_nb.surprise import ROWS, Surprise, SurpriseConfig, odds
from entro_nb.surprise.evidence import BINS, LEARNER, LEVELS, MEMORY, SCALES, bet, nothing_known

SHAPES = [(level, 1.0) for level in LEVELS] + [(0.0, scale) for scale in SCALES]


def cell_of(u: float) -> tuple[int, int]:
    """Half and cell of a rank, counted from the edges."""
    half, v = (0, u) if u < 0.5 else (1, 1.0 - u)
    edges = [2.0 ** -(o + 2) * (1 + s / 4) for o in range(14) for s in range(4)]
    edges[52] = 0.0
    return half, max((c for c in range(56) if edges[c] <= v), key=lambda c: edges[c])


def test_every_bet_is_a_density() -> None:
    lower = np.array([2.0 ** -(o + 2) * (1 + s / 4) for o in range(14) for s in range(4)])
    upper = np.array([2.0 ** -(o + 2) * (1 + (s + 1) / 4) for o in range(14) for s in range(4)])
    lower[52] = 0.0
    width = upper - lower
    assert width.sum() == pytest.approx(0.5, abs=1e-15)
    assert (odds() > 0.0).all()
    np.testing.assert_allclose((odds() @ width).sum(axis=1), 1.0, rtol=1e-9)


@pytest.mark.parametrize("u", [1e-9, 1e-4, 0.01, 0.2, 0.3, 0.49999, 0.5, 0.6, 0.97, 1 - 1e-6])
def test_odds_are_likelihood_ratios_of_a_cell(u: float) -> None:
    half, cell = cell_of(u)
    table = odds()
    edges = [2.0 ** -(o + 2) * (1 + s / 4) for o in range(14) for s in range(4)]
    tops = [2.0 ** -(o + 2) * (1 + (s + 1) / 4) for o in range(14) for s in range(4)]
    low, high = (0.0 if cell == 52 else edges[cell]), tops[cell]
    # Both halves in the lower tail, where a normal law's share keeps all its digits.
    side = 1.0 if half == 0 else -1.0
    for j, (level, scale) in enumerate(SHAPES):
        share = np.diff(norm.cdf(norm.ppf([low, high]), side * level, scale))[0]
        assert table[j, half, cell] == pytest.approx(share / (high - low), rel=1e-5)


@given(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=50))
def test_evidence_is_the_mean_of_all_bets_since_every_start(ranks: list[float]) -> None:
    # R by its recursion is the sum, over all places where one could have begun to bet, of what a
    # stake of one has grown to.
    bets, late = nothing_known()
    table = odds()
    for u in ranks:
        evidence = bet(u, bets, late, table)
    held = np.ones(BINS)
    factors = []
    for u in ranks:
        b = min(int(u * BINS), BINS - 1)
        learned = held[b] * BINS / held.sum()
        held += (1.0 - held) / MEMORY
        held[b] += 1.0
        factors.append([*table[:, *cell_of(u)], learned])
    grown = np.cumprod(np.array(factors)[::-1], axis=0).sum(axis=0)
    weights = np.array([(1 - LEARNER) / len(SHAPES)] * len(SHAPES) + [LEARNER])
    assert evidence == pytest.approx(float(weights @ grown), rel=1e-9)


def stream(law: str, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    match law:
        case "normal":
            return rng.standard_normal(n)
        case "exponential":
            return rng.exponential(size=n)
        case "cauchy":
            return rng.standard_cauchy(n)
        case "rounded":
            return np.round(rng.standard_normal(n), 1)
        case "earthquakes":
            return rng.choice(load_recording("earthquakes").values, n)
        case _:
            return rng.integers(0, 2, n).astype(float)


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize(
    "law", ["normal", "exponential", "cauchy", "rounded", "earthquakes", "coin"]
)
def test_the_promise_is_kept_whatever_the_law(law: str, changes: bool) -> None:
    promise, n = 200.0, 100_000
    config = SurpriseConfig(promise=promise, changes=changes)
    alarms = int(Surprise(config).judge(stream(law, n, 1))[ROWS.index("alarm")].sum())
    # Not told from one in the promise, or rarer.
    assert share_interval(alarms, n, 0.999).low <= 1.0 / promise
    if changes:
        # And not by being deaf: the bets come within five times of what was promised.
        assert alarms > n / (5.0 * promise)


def test_a_promise_that_is_not_kept_would_be_seen() -> None:
    # Twice the odds on one bet: not fair any more, and the run length falls below the promise.
    n = 100_000
    u = np.random.default_rng(2).random(n)
    alarms = {}
    for factor in (1.0, 1.2):
        (bets, late), count = nothing_known(), 0
        table = factor * odds()
        for x in u:
            if bet(x, bets, late, table) >= 200.0:
                count += 1
                bets[:], late[:] = 0.0, 1.0
        alarms[factor] = count
    assert share_interval(alarms[1.0], n, 0.999).low <= 1 / 200 < share_interval(alarms[1.2], n).low


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x + 1.0,
        lambda x: 2.0 * x,
        lambda x: 0.4 * x,
        lambda x: np.sign(x) + 0.2 * x,
        lambda x: x + np.linspace(0.0, 3.0, x.size),
    ],
)
def test_a_change_of_level_scale_or_shape_is_an_alarm(change) -> None:  # type: ignore[no-untyped-def]
    x = np.random.default_rng(8).standard_normal(4_000)
    x[2_000:] = change(x[2_000:])
    alarm = Surprise(SurpriseConfig(promise=5_000.0, changes=True)).judge(x)[ROWS.index("alarm")]
    first = np.flatnonzero(alarm)[0]
    assert 2_000 <= first < 2_600


def autoregressive(phi: float, n: int) -> np.ndarray:
    rng = np.random.default_rng(9)
    x, noise = np.zeros(n), rng.standard_normal(n)
    for t in range(1, n):
        x[t] = phi * x[t - 1] + noise[t]
    return x


def alarms_of(x: np.ndarray, **parameters: float) -> int:
    config = SurpriseConfig(promise=500.0, **parameters)  # type: ignore[arg-type]
    return int(Surprise(config).judge(x)[ROWS.index("alarm")].sum())


@pytest.mark.parametrize("phi", [0.5, 0.9, 0.99, 1.0])
def test_whitening_gives_the_promise_back_to_a_stream_with_memory(phi: float) -> None:
    x = autoregressive(phi, 50_000)
    assert alarms_of(x, changes=True) > 2 * 50_000 / 500
    assert alarms_of(x, changes=True, order=1) <= 50_000 / 500


def test_the_predictor_learns_what_least_squares_finds() -> None:
    from entro_nb.surprise.whitening import untaught, whiten

    rng = np.random.default_rng(10)
    x = np.zeros(5_000)
    for t in range(2, x.size):
        x[t] = 3.0 + 0.5 * x[t - 1] - 0.3 * x[t - 2] + 0.01 * rng.standard_normal()
    state = untaught(2)
    residual = np.array([whiten(v, state) for v in x])
    assert state[0, 1:3] == pytest.approx([0.5, -0.3], abs=0.05)
    assert residual[1_000:].std() == pytest.approx(0.01, rel=0.05)
    assert untaught(0).size == 0
    # In other units the same, to the bit.
    other = untaught(2)
    scaled = np.array([whiten(v * 2.0**30, other) for v in x])
    assert (scaled == residual * 2.0**30).all()


def test_numbers_too_large_to_multiply_are_passed_on() -> None:
    from entro_nb.surprise.whitening import untaught, whiten

    state = untaught(1)
    assert [whiten(x, state) for x in (1e308, -1e308)][1] == -1e308
    assert math.isfinite(whiten(1.0, state))
