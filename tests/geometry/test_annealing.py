"""Noise reaches Boltzmann's law; descent does not; games with and without a potential."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare, kstest

from entro_nb import graphs
from entro_nb.errors import ParameterError
from entro_nb.geometry import (
    Schedule,
    anneal,
    biased_pennies,
    boltzmann,
    cap_slider,
    congestion_game,
    descend,
    descend_free_energy,
    free_energy,
    langevin,
    logit_dynamics,
    metropolis,
    potential,
    pure_nash,
    quantal_response,
    rugged,
    stationary,
    temperatures,
    total_variation,
)
from entro_nb.geometry.annealing import rugged_slope

LANDSCAPE = np.array([0.0, 1.0, 0.4, 1.5, 0.2, 0.9, 0.7, 1.2])


@pytest.mark.parametrize("rule", ["metropolis", "glauber"])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_walkers_follow_boltzmann(rule: str, temperature: float) -> None:
    final = metropolis(
        LANDSCAPE,
        temperature,
        steps=400,
        walkers=20_000,
        rule=rule,
        seed=5,  # type: ignore[arg-type]
    )
    counts = np.bincount(final, minlength=8)
    law = boltzmann(LANDSCAPE, temperature)
    assert total_variation(counts / counts.sum(), law) < 0.02
    assert chisquare(counts, law * counts.sum()).pvalue > 1e-3


def test_without_noise_they_stay_in_the_nearest_minimum() -> None:
    final = metropolis(LANDSCAPE, 0.0, steps=500, walkers=5000, seed=1)
    assert set(final) <= {0, 2, 4, 6}
    counts = np.bincount(final, minlength=8) / 5000
    for temperature in (0.1, 0.3, 1.0, 5.0):
        assert total_variation(counts, boltzmann(LANDSCAPE, temperature)) > 0.15


def test_boltzmann_has_the_least_free_energy() -> None:
    rng = np.random.default_rng(0)
    law = boltzmann(LANDSCAPE, 0.7)
    least = free_energy(law, LANDSCAPE, 0.7)
    assert least == pytest.approx(-0.7 * math.log(np.exp(-LANDSCAPE / 0.7).sum()))
    for _ in range(200):
        assert free_energy(rng.dirichlet(np.ones(8)), LANDSCAPE, 0.7) >= least


def rugged_law(temperature: float) -> tuple[np.ndarray, np.ndarray]:
    grid = np.linspace(-40, 40, 80_001)
    weight = np.exp(-np.array([rugged(x) for x in grid]) / temperature)
    return grid, np.cumsum(weight) / weight.sum()


@pytest.mark.parametrize("temperature", [0.8, 2.0])
def test_langevin_follows_boltzmann(temperature: float) -> None:
    x = langevin(temperature, steps=4000, walkers=4000, step=0.1, seed=2)
    grid, law = rugged_law(temperature)
    assert kstest(x, lambda v: np.interp(v, grid, law)).pvalue > 1e-3


def test_slope_of_the_landscape() -> None:
    for x in np.linspace(-5, 5, 41):
        assert (rugged(x + 1e-6) - rugged(x - 1e-6)) / 2e-6 == pytest.approx(
            rugged_slope(x), abs=1e-8
        )


def test_annealing_finds_what_descent_misses() -> None:
    lowest = min(np.linspace(-8, 8, 16_001), key=rugged)
    found = np.mean(np.abs(anneal(walkers=400, seed=1) - lowest) < 0.5)
    missed = np.mean(np.abs(descend(400, seed=1) - lowest) < 0.5)
    slower = np.mean(np.abs(anneal(steps=16_000, walkers=400, seed=1) - lowest) < 0.5)
    assert slower > found + 0.03 > found > 0.5 > 0.3 > missed


def test_schedules() -> None:
    for shape in ("geometric", "logarithmic", "constant"):
        values = temperatures(Schedule(2.0, 0.1, shape), 50)  # type: ignore[arg-type]
        assert values[0] == pytest.approx(2.0)
        assert (np.diff(values) <= 0).all()
    assert temperatures(Schedule(2.0, 0.1), 50)[-1] == pytest.approx(0.1)


def test_cap_slider_trades_agreement_for_freedom() -> None:
    run = cap_slider(graphs.graph("lattice", 36), [0.3, 1.0, 3.0, 30.0], sweeps=200)
    assert (np.diff(run.agreement) < 0).all()
    assert (np.diff(run.turnover) > 0).all()
    assert run.agreement[-1] == pytest.approx(0.5, abs=0.03)
    assert run.turnover[-1] == pytest.approx(0.5, abs=0.03)


def test_cap_slider_on_one_edge_is_exact() -> None:
    # Two versions on one edge: agreeing has energy 0, differing 1.
    run = cap_slider(nx.path_graph(2), [0.5], sweeps=20_000)
    assert float(run.agreement[0]) == pytest.approx(1 / (1 + math.exp(-2)), abs=0.01)


@given(st.integers(1, 4), st.lists(st.floats(0.5, 3.0), min_size=2, max_size=3), st.floats(0.2, 5))
def test_congestion_games_settle_on_boltzmann(
    players: int, slopes: list[float], temperature: float
) -> None:
    costs = congestion_game(players, slopes)
    phi = potential(costs)
    assert phi is not None
    # Rosenthal's potential is Σ slope · n(n+1)/2, up to a constant.
    for profile in np.ndindex(*phi.shape):
        users = np.bincount(profile, minlength=len(slopes))
        rosenthal = float((np.array(slopes) * users * (users + 1) / 2).sum())
        first = slopes[0] * players * (players + 1) / 2
        assert phi[profile] == pytest.approx(rosenthal - first, abs=1e-9)
    law = stationary(logit_dynamics(costs, temperature))
    np.testing.assert_allclose(law, boltzmann(phi, temperature).ravel(), atol=1e-9)


def test_cold_potential_games_sit_on_nash() -> None:
    costs = congestion_game(3, [1.0, 1.3, 2.0])
    law = stationary(logit_dynamics(costs, 0.05)).reshape(costs.shape[1:])
    assert sum(law[profile] for profile in pure_nash(costs)) > 0.99


def test_without_a_potential_neither_holds() -> None:
    costs = biased_pennies(3.0)
    assert potential(costs) is None
    assert pure_nash(costs) == []
    mixed = np.outer([1 / 2, 1 / 2], [1 / 3, 2 / 3])
    # The equilibrium of the docstring: each is indifferent between its two actions.
    assert np.ptp(costs[0] @ [1 / 3, 2 / 3]) == pytest.approx(0)
    assert np.ptp([1 / 2, 1 / 2] @ costs[1]) == pytest.approx(0)
    for temperature in (0.1, 0.5, 1.0):
        law = stationary(logit_dynamics(costs, temperature))
        assert total_variation(law, mixed.ravel()) > 0.05


def test_bad_input() -> None:
    with pytest.raises(ParameterError, match="temperature"):
        boltzmann([0.0], 0.0)
    with pytest.raises(ParameterError, match="temperature"):
        metropolis(LANDSCAPE, -1.0)
    with pytest.raises(ParameterError, match="number of states"):
        metropolis([0.0, 1.0], 1.0)
    with pytest.raises(ParameterError, match="step"):
        langevin(1.0, step=0.5)
    with pytest.raises(ParameterError, match="first"):
        Schedule(0.1, 1.0)
    with pytest.raises(ParameterError, match="levels"):
        cap_slider(nx.path_graph(2), [0.0])
    with pytest.raises(ParameterError, match="edges"):
        cap_slider(nx.empty_graph(2), [1.0])
    with pytest.raises(ParameterError, match="costs"):
        potential(np.zeros((3, 2)))
    with pytest.raises(ParameterError, match="square"):
        stationary(np.full((2, 3), 1 / 3))
    with pytest.raises(ParameterError, match=r"q .* shape \(1,\)"):
        total_variation([1.0], [0.5, 0.5])
    with pytest.raises(ParameterError, match=r"energy .* shape \(1,\)"):
        free_energy([1.0], [0.5, 0.5], 1.0)


@given(st.integers(0, 10**6), st.floats(0.05, 5.0), st.floats(0.01, 1.0))
def test_mirror_descent_shrinks_the_logarithm_by_one_factor(seed, temperature, rate) -> None:
    rng = np.random.default_rng(seed)
    energy, start = rng.normal(size=6), rng.dirichlet(np.ones(6)) + 1e-3
    start /= start.sum()
    laws = descend_free_energy(energy, temperature, start=start, steps=12, rate=rate)
    target = np.log(boltzmann(energy, temperature))
    expected = target + (1 - rate) ** 12 * (np.log(start) - target)
    np.testing.assert_allclose(laws[12], np.exp(expected) / np.exp(expected).sum(), atol=1e-10)


@pytest.mark.parametrize("way", ["mirror", "softmax"])
def test_descent_of_the_free_energy_never_climbs_and_ends_at_boltzmanns_law(way: str) -> None:
    energy = np.array([0.0, 1.0, 0.4, 1.5, 0.2, 0.9, 0.7, 1.2])
    laws = descend_free_energy(energy, 0.6, way=way, steps=20_000)  # type: ignore[arg-type]
    falls = np.diff([free_energy(p, energy, 0.6) for p in laws[::50]])
    assert falls.max() < 1e-12
    assert falls[0] < -1e-4
    assert total_variation(laws[-1], boltzmann(energy, 0.6)) < 1e-12


def test_softmax_weights_go_down_the_slope_of_the_free_energy() -> None:
    energy, lam, theta = np.array([0.3, 1.0, -0.5]), 0.7, np.array([0.2, -0.1, 0.4])

    def value(weights: np.ndarray) -> float:
        return free_energy(boltzmann(-weights, 1.0), energy, lam)

    slope = [(value(theta + e) - value(theta - e)) / 2e-5 for e in 1e-5 * np.eye(3)]
    laws = descend_free_energy(
        energy, lam, way="softmax", start=boltzmann(-theta, 1.0), steps=1, rate=0.05
    )
    expected = boltzmann(-(theta - 0.05 / lam * np.array(slope)), 1.0)
    np.testing.assert_allclose(laws[1], expected, atol=1e-9)
    with pytest.raises(ParameterError, match="nowhere zero"):
        descend_free_energy(energy, lam, start=[1.0, 0.0, 0.0])


def test_exploration_is_a_temperature_only_where_all_climbs_are_alike() -> None:
    alike, lam = np.array([0.0, 1.0, 2.0, 3.0, 2.0, 1.0]), 0.8
    same = {"steps": 200, "walkers": 3000, "seed": 2}
    np.testing.assert_array_equal(
        metropolis(alike, lam, **same), metropolis(alike, math.exp(-1 / lam), rule="greedy", **same)
    )
    uneven = np.array([0.0, 2.0, 0.5, 0.6])
    final = metropolis(uneven, 0.3, rule="greedy", **same)
    share = np.bincount(final, minlength=4) / final.size
    assert (
        min(total_variation(share, boltzmann(uneven, heat)) for heat in np.geomspace(0.05, 20, 60))
        > 0.05
    )  # no temperature gives this law
    with pytest.raises(ParameterError, match="temperature"):
        metropolis(uneven, 1.5, rule="greedy")


@pytest.mark.parametrize("lam", [0.3, 1.0, 5.0])
def test_where_each_descends_its_own_free_energy_nobody_can_do_better(lam: float) -> None:
    costs = np.random.default_rng(4).normal(size=(3, 2, 3, 2))
    mixed = quantal_response(costs, lam, rate=0.02, steps=6000)
    for player, law in enumerate(mixed):
        letters = "abc"
        others = [k for k in range(3) if k != player]
        expected = np.einsum(
            f"abc,{letters[others[0]]},{letters[others[1]]}->{letters[player]}",
            costs[player], *(mixed[k] for k in others),
        )  # fmt: skip
        np.testing.assert_allclose(law, boltzmann(expected, lam), atol=1e-9)
