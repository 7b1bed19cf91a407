"""Collective-AEW, its baselines, and transfer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.errors import DataError, ParameterError
from entro_nb.network import (
    AEWParameters,
    CollectiveAEW,
    Registry,
    Task,
    adaptation_saved,
    adaptation_time,
    compare_policies,
    episode,
    fingerprint,
    fixed_losses,
    grid_best,
    learning,
    probe_and_transfer,
    project,
    simplex_grid,
    spsa,
    transfer_study,
)

triples = st.lists(st.floats(-2, 2), min_size=3, max_size=3)


def published_by_hand(observations, beta):
    """The published learner in plain Python, momentum, reward and trend included."""
    w, v = [0.5, 0.3, 0.2], [0.0] * 3
    errors = []
    for psi, d1, d2, network in observations:
        e = psi - 0.339
        errors = [*errors[-19:], abs(e)]
        scale = 1 + min(2, np.mean(errors)) if len(errors) > 5 else 1
        mean = np.mean(network)
        reward = 10 * (errors[-2] - abs(mean)) if len(errors) > 1 else -abs(mean)
        beta += -0.02 * reward if abs(reward) > 0.05 else 0.002 * (0.5 - beta)
        beta = min(2.0, max(0.1, beta))
        trend = (errors[-1] - errors[-5]) / 5 if len(errors) > 5 else mean
        for k, feature in enumerate((1 - psi, d1, d2)):
            v[k] = 0.9 * v[k] - 0.01 * (scale * 2 * e * feature + beta * trend)
            w[k] += v[k]
        w = [min(0.8, max(0.1, x)) for x in w]
        w = [x / sum(w) for x in w]
    return w, beta


@pytest.mark.parametrize("seed", range(5))
def test_published_learner_follows_its_recurrence_and_breaks_its_bounds(seed):
    rng = np.random.default_rng(seed)
    aew = CollectiveAEW.published(beta=1.0)
    seen, lowest = [], 1.0
    for _ in range(300):
        observation = (rng.random(), *rng.normal(size=2), 0.3 * rng.normal(size=4))
        seen.append(observation)
        lowest = min(lowest, aew.step(*observation).min())
    weights, beta = published_by_hand(seen, 1.0)
    np.testing.assert_allclose(aew.weights, weights, rtol=1e-10)
    assert aew.beta == pytest.approx(beta)
    assert lowest < 0.1


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=50
    )
)
def test_sound_bounds_always_hold(observations):
    aew = CollectiveAEW(eta=0.5)
    for psi, d1, d2 in observations:
        w = aew.step(psi, d1, d2, [psi - 0.339, 0.1])
        assert w.sum() == pytest.approx(1.0)
        assert w.min() >= 0.1
        assert w.max() <= 0.8
        assert 0.1 <= aew.beta <= 2.0


@given(triples)
def test_projection_is_the_nearest_point(weights):
    w = np.array(weights)
    nearest = project(w, 0.1, 0.8)
    assert nearest.sum() == pytest.approx(1.0)
    distance = ((simplex_grid(28) - w) ** 2).sum(axis=1).min()
    assert ((nearest - w) ** 2).sum() <= distance + 1e-9


def test_one_step_is_the_documents_formula():
    aew = CollectiveAEW(eta=0.01, target=0.3, beta=0.5, adaptive=False)
    psi, d1, d2, errors = 0.5, 0.2, -0.1, [0.1, 0.3]
    features = np.array([1 - psi, d1, d2])
    gradient = 2 * 0.2 * features + 0.5 * 2 * np.mean(errors) * features
    expected = project(np.array([0.5, 0.3, 0.2]) - 0.01 * gradient, 0.1, 0.8)
    np.testing.assert_allclose(aew.step(psi, d1, d2, errors), expected)
    reverse = CollectiveAEW(0.01, 0.3, 0.5, adaptive=False, gradient="reversed")
    expected = project(np.array([0.5, 0.3, 0.2]) + 0.01 * gradient, 0.1, 0.8)
    np.testing.assert_allclose(reverse.step(psi, d1, d2, errors), expected)


def test_states_of_all_nodes_mean_the_same_as_their_averages():
    by_states, by_hand = CollectiveAEW(), CollectiveAEW()
    history = []
    for t in range(30):
        states = np.array([0.3, 0.5, 0.7]) + 0.1 * np.sin(t)
        history.append(states.mean())
        first = history[-1] - history[-2] if t else 0.0
        second = first - (history[-2] - history[-3]) if t > 1 else 0.0
        a = by_states.step(states)
        b = by_hand.step(history[-1], first, second, states - 0.339)
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_without_a_network_only_the_local_gradient_acts():
    aew = CollectiveAEW()
    before = aew.beta
    aew.step(0.6, 0.1, 0.0)
    assert (aew.beta, aew.reward) == (before, 0.0)


@pytest.mark.parametrize(
    "weights", [[0.9, 0.05, 0.05], [0.5, 0.5], [0.5, 0.3, 0.3], [0.5, float("nan"), 0.5]]
)
def test_weights_out_of_bounds_are_refused(weights):
    with pytest.raises(ParameterError, match="weights"):
        CollectiveAEW().weights = weights


def test_bad_learners_and_steps_are_refused():
    with pytest.raises(ParameterError, match="eta"):
        CollectiveAEW(eta=0.0)
    with pytest.raises(ParameterError, match="beta"):
        CollectiveAEW(beta=3.0)
    with pytest.raises(ParameterError, match="low"):
        AEWParameters(low=0.4)
    with pytest.raises(ParameterError, match="gradient"):
        AEWParameters(gradient="trent")
    with pytest.raises(DataError, match=r"psi\[1\]"):
        CollectiveAEW().step([0.1, float("nan")])
    with pytest.raises(ParameterError, match="psi"):
        CollectiveAEW().step(float("inf"), 0.0, 0.0)
    with pytest.raises(ParameterError, match="d_psi"):
        CollectiveAEW().step([0.1, 0.2], 0.1)


def test_an_episode_of_learning_is_the_class_at_work():
    task = Task(n_nodes=1, steps=80)
    run = episode(task, "collective", seed=2)
    forces = task.drives(2)[:, 0]
    aew = CollectiveAEW()
    psi, velocity, acceleration = 0.05, 0.0, 0.0
    for t in range(80):
        w = aew.weights
        pressure = w[0] / (1 + np.exp(1.4 - psi)) + w[1] * np.tanh(velocity)
        pressure += w[2] * np.tanh(acceleration)
        acceleration = forces[t] - np.clip(pressure, 0, 1) - psi - 0.5 * velocity
        velocity += 0.1 * acceleration
        psi = max(0.05, psi + 0.1 * velocity)
        aew.step(psi, velocity, acceleration, [psi - 0.339])
        assert run.psi.values[t, 0] == pytest.approx(psi)
        np.testing.assert_allclose(run.weights[t], aew.weights, rtol=1e-9)
        assert float(run.loss[t]) == pytest.approx((psi - 0.339) ** 2)


def test_policies_are_judged_on_the_same_seeds():
    task = Task(n_nodes=3, steps=200)
    c = compare_policies(task, replicates=4, seed=7, tuning_seeds=2)
    np.testing.assert_allclose(
        c.loss.sel(policy="fixed"), fixed_losses(task, [7, 8, 9, 10], (0.5, 0.3, 0.2))
    )
    alone = [float(episode(task, "alone", s).loss.mean()) for s in (7, 8, 9, 10)]
    np.testing.assert_allclose(c.loss.sel(policy="alone"), alone)


def test_the_grid_finds_no_worse_than_the_default_and_spsa_moves_downhill():
    task = Task(n_nodes=3, steps=400)
    seeds = [50, 51, 52]
    start = fixed_losses(task, seeds, (0.5, 0.3, 0.2)).mean()
    best = fixed_losses(task, seeds, grid_best(task, seeds, divisions=7)).mean()
    assert best <= start
    assert fixed_losses(task, seeds, spsa(task, 1, iterations=60)).mean() < start


def test_the_sign_that_control_asks_for_learns_where_the_documents_unlearns():
    task = Task(regime="llm", steps=600)
    c = compare_policies(task, replicates=8, tuning_seeds=1)
    loss = c.loss.mean("replicate")
    assert loss.sel(policy="reversed") < loss.sel(policy="fixed") < loss.sel(policy="collective")


def test_adaptation_time_of_known_losses():
    steps = np.arange(400)
    steady = np.ones(400)
    assert adaptation_time(steady, steady) == 0
    assert adaptation_time(np.where(steps < 30, 9.0, 1.0), steady) == 30
    assert adaptation_time(1.0 + np.exp(-steps / 20.0), steady) == int(np.ceil(-20 * np.log(0.1)))
    # A steady loss that varies hides nothing: only the difference counts.
    wave = 1.0 + np.sin(steps)
    assert adaptation_time(wave + (steps < 7), wave) == 7
    assert adaptation_time(wave + 1.0, wave) == 400
    with pytest.raises(ParameterError, match="loss and steady"):
        adaptation_time(np.ones(10), np.ones(9))


def test_registry_finds_the_nearest_and_blends():
    registry = Registry()
    with pytest.raises(ParameterError, match="registry"):
        registry.nearest([1, 0, 0, 0])
    registry.add("a", [1, 0, 0, 0], [0.8, 0.1, 0.1])
    registry.add("b", [0, 1, 0, 0], [0.1, 0.8, 0.1])
    assert len(registry) == 2
    match = registry.nearest([3.0, 4.0, 0, 0])
    assert match.name == "b"
    assert match.similarity == pytest.approx(0.8)
    np.testing.assert_allclose(
        registry.blend([3.0, 4.0, 0, 0]),
        0.8 * np.array([0.1, 0.8, 0.1]) + 0.2 * np.array([0.5, 0.3, 0.2]),
    )
    np.testing.assert_allclose(registry.blend([-1.0, -1.0, 0, 0]), [0.5, 0.3, 0.2])
    with pytest.raises(ParameterError, match="weights"):
        registry.add("c", [1, 0, 0, 0], [1.0, 1.0, -1.0])
    with pytest.raises(ParameterError, match="fingerprint"):
        registry.nearest([1.0, 2.0])
    with pytest.raises(DataError, match="psi"):
        fingerprint([1.0, 2.0])


def test_transfer_hands_over_what_the_registry_holds():
    registry = Registry()
    registry.add("only", [1, 0, 0, 0], [0.8, 0.1, 0.1])
    task = Task(n_nodes=1, steps=300)
    loss, weights = probe_and_transfer(registry, task, "fixed", seed=3)
    assert loss.shape == (300,)
    probe = episode(Task(n_nodes=1, steps=50), "fixed", 3)
    np.testing.assert_allclose(weights, registry.blend(fingerprint(probe.psi.values[:, 0])))
    np.testing.assert_allclose(loss[:50], probe.loss)


def test_transfer_compares_lives_under_the_same_noise():
    study = transfer_study("scraper", "collective", eta=1e-3, replicates=3, periods=3, seed=5)
    task = Task(n_nodes=1, steps=600, eta=1e-3)
    for k in range(3):
        scratch = episode(task, "collective", 5 + k)
        adapted = episode(task, "collective", 5 + k, scratch.final_weights.values)
        np.testing.assert_allclose(study.loss[0, k], scratch.loss)
        assert study.adaptation_time[0, k] == adaptation_time(scratch.loss, adapted.loss)
    # Transferred nodes live through their probe with the default weights first.
    probe = episode(Task(n_nodes=1, steps=50), "fixed", 5)
    np.testing.assert_allclose(study.loss[1, 0, :50], probe.loss)
    with pytest.raises(ParameterError, match="regime"):
        transfer_study("phase_shift")


def test_transfer_saves_slow_learners_and_not_quick_ones():
    slow = adaptation_saved("scraper", "reversed", eta=3e-4, replicates=12)
    quick = adaptation_saved("scraper", "collective", replicates=40)
    assert slow is not None
    assert slow.verdict == "holds"
    assert quick is None or quick.verdict == "fails"


def test_nothing_to_save_is_said_and_not_divided_by(monkeypatch):
    study = transfer_study("scraper", replicates=2, periods=2)
    study.adaptation_time[:] = 0
    monkeypatch.setattr(learning, "transfer_study", lambda *_, **__: study)
    assert adaptation_saved() is None


def test_instant_transfer_starts_with_the_weights_that_the_probe_finds():
    task, registry = Task(1, 300), Registry()
    registry.add("one", [0.3, 0.2, 0.01, 0.01], [0.8, 0.1, 0.1])
    counted, taken = probe_and_transfer(registry, task, "collective", 5)
    instant, same = probe_and_transfer(registry, task, "collective", 5, probe_counts=False)
    plain = episode(task, "collective", 5, taken)
    np.testing.assert_array_equal(taken, same)
    np.testing.assert_array_equal(instant, plain.loss)
    np.testing.assert_array_equal(instant[50:], counted[50:])
    watched = episode(Task(1, 50), "fixed", 5)
    np.testing.assert_array_equal(counted[:50], watched.loss)
    study = transfer_study(replicates=2, periods=2, probe_counts=False)
    k = study.taken_over.values[1]
    again = episode(Task(1, 400, eta=0.01), "reversed", 1, k)
    np.testing.assert_allclose(study.loss.values[1, 1], again.loss)
