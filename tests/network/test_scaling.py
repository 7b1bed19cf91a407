"""The published scaling study to every printed digit, and its cause."""

from __future__ import annotations

import numpy as np
import pytest

from entro_nb.errors import ParameterError
from entro_nb.network import (
    CEILING,
    common_level,
    goodness,
    input_states,
    linear_law,
    predicted_variance,
    published_variance,
    refit_linear,
    refit_saturation,
    saturation_law,
    scaling_study,
    study_nodes,
    unclipped_variance,
)

LARGE = {20: "0.165380 ± 0.002169", 30: "0.197713 ± 0.002204", 50: "0.221481 ± 0.000677"}
SMALL = {
    2: ".0003", 3: ".0019", 4: ".0062", 5: ".0140", 6: ".0213", 7: ".0313",
    8: ".0409", 9: ".0527", 10: ".0686", 12: ".0914", 15: ".1272",
}  # fmt: skip


@pytest.mark.parametrize("n", LARGE)
def test_published_figures_to_every_digit(n):
    v = published_variance(n)
    assert f"{v.mean():.6f} ± {v.std(ddof=1):.6f}" == LARGE[n]


@pytest.mark.parametrize("n", SMALL)
def test_published_table_for_few_nodes_to_every_digit(n):
    v = published_variance(n, steps=300, runs=3)
    assert f"{v.mean():.4f}".removeprefix("0") == SMALL[n]


def test_input_has_the_variance_that_the_draws_have():
    v = scaling_study([20], steps=200, runs=2)
    assert float(v.unsynchronised.mean()) == pytest.approx(0.01 / 12 * 19 / 20, rel=0.03)


def test_unclipped_variance_is_exact_where_nothing_clips():
    # One broadcast far from the ends, weak enough that the cubic term is far below the error.
    n, gain = 6, 0.7
    rng = np.random.default_rng(0)
    psi = 0.45 + 0.1 * rng.random((200_000, n))
    mean = psi.mean(axis=1, keepdims=True)
    out = psi - gain * n * (psi - mean)
    assert ((out > 0) & (out < 1)).all()
    assert out.var(axis=1).mean() == pytest.approx(unclipped_variance(n, gain), rel=0.005)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 10, 15, 20, 30, 50, 100, 300, 1000])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_cause_predicts_the_fixed_study_within_3_percent(n, alpha):
    # The study itself draws 100 phases a run; here many independent draws of the same phases.
    steps, tail, runs = 800, 100, max(4, 60_000 // n**2 * 4) if n < 100 else 6
    rng = np.random.default_rng(n)
    levels = np.array([common_level("scraper", t) for t in range(steps - tail, steps)])
    runs = min(runs, 4000)
    psi = levels[:, None] + 0.1 * rng.random((runs, tail, n))
    d = psi - psi.mean(-1, keepdims=True)
    squares, cubes = (d**2).sum(-1, keepdims=True), (d**3).sum(-1, keepdims=True)
    out = psi - alpha * n * d + alpha**2 * (cubes - 3 * squares * d - n * d**3)
    measured = np.clip(out, 0, 1).var(-1)
    predicted = predicted_variance(n, alpha)
    noise = 3 * measured.mean(1).std(ddof=1) / runs**0.5
    # ακN = 1 levels two nodes at once: what is left there is of the order of 1e-9.
    assert abs(predicted - measured.mean()) < 0.03 * measured.mean() + noise + 1e-8
    assert noise < 0.03 * measured.mean()
    assert predicted >= 0.0
    assert predicted < CEILING


@pytest.mark.parametrize("n", [2, 5, 15, 30, 100])
def test_the_cause_predicts_the_adaptive_study_with_its_measured_alpha(n):
    runs = 150 if n <= 5 else 12
    study = scaling_study([n], steps=300, runs=runs)
    measured = study.variance.values[0]
    predicted = np.array([predicted_variance(n, a, steps=300) for a in study.aggression.values[0]])
    noise = 3 * (measured - predicted).std(ddof=1) / runs**0.5
    assert abs(predicted.mean() - measured.mean()) < 0.03 * measured.mean() + noise


def test_the_ceiling_of_the_seeds_is_broken_by_more_nodes():
    assert 0.228 < predicted_variance(100) < predicted_variance(1000) < CEILING
    assert published_variance(100, steps=200, runs=2).min() > 0.228


def test_the_sound_protocol_on_the_same_input_never_adds():
    study = scaling_study([3, 20], steps=120, runs=2)
    assert (study.sound < 1e-20).all()
    assert (study.gentle < 0.5 * study.unsynchronised).all()
    assert (study.variance > study.unsynchronised).all()


def test_published_fits_with_their_true_goodness():
    nodes = np.array([*SMALL, *LARGE], float)
    data = np.array([float(v) for v in SMALL.values()] + [0.165380, 0.197713, 0.221481])
    fit = goodness(data, saturation_law(nodes))
    assert fit.r2 == pytest.approx(0.763, abs=5e-4)
    assert fit.rmse == pytest.approx(0.035, abs=5e-4)
    best = refit_saturation(nodes, data)
    assert best.r2 == pytest.approx(0.915, abs=5e-4)
    assert best.parameters == pytest.approx((0.351, 43.3), rel=2e-3)
    few = goodness(data[:11], linear_law(nodes[:11]))
    assert few.pearson == pytest.approx(0.986, abs=5e-4)
    assert few.r2 == pytest.approx(0.973, abs=5e-4)
    assert refit_linear(nodes[:11], data[:11]).parameters == pytest.approx(
        (0.0101, -0.0331), abs=5e-5
    )


def test_refits_agree_with_a_general_least_squares():
    from scipy.optimize import curve_fit

    x = np.array([2.0, 5.0, 10.0, 20.0, 50.0])
    y = saturation_law(x, 0.3, 20.0) + np.array([0.01, -0.01, 0.005, 0.0, -0.004])
    expected, _ = curve_fit(lambda n, c, s: c * (1 - np.exp(-n / s)), x, y, p0=(0.2, 10.0))
    assert refit_saturation(x, y).parameters == pytest.approx(expected, rel=1e-4)


def test_phase_shift_regime_steps_up_once():
    values = [psi.mean() for psi in input_states(50, 260, 0, "phase_shift")]
    assert np.mean(values[:250]) == pytest.approx(0.35, abs=0.01)
    assert np.mean(values[250:]) == pytest.approx(0.75, abs=0.02)
    assert predicted_variance(20, regime="phase_shift") > 0


def test_bad_input_is_refused():
    with pytest.raises(ParameterError, match="n_nodes"):
        published_variance(0)
    with pytest.raises(ParameterError, match="regime"):
        published_variance(3, regime="scrapper")
    with pytest.raises(ParameterError, match="kappa"):
        published_variance(3, steps=1, runs=1, kappa=0.0)
    with pytest.raises(ParameterError, match="aggression"):
        predicted_variance(3, [1.0, 2.0])
    with pytest.raises(ParameterError, match="data"):
        goodness([1.0, 1.0], [1.0, 1.0])


@pytest.mark.parametrize(("n", "regime"), [(3, "scraper"), (15, "phase_shift"), (16, "scraper")])
def test_nodes_observed_in_order_give_the_input_of_the_study(n, regime):
    nodes = study_nodes(n, 2, regime)
    seen = [[node.observe() for node in nodes] for _ in range(300)]
    np.testing.assert_array_equal(seen, list(input_states(n, 300, 2, regime)))
    with pytest.raises(ParameterError, match="run"):
        study_nodes(3, -1)
