"""Closed-loop simulation against the discrete Lyapunov equation and against plain Python."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from entro_nb import graphs
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.network import (
    Autoregressive,
    Disturbance,
    NetThreshold,
    Oscillator,
    StabilityWarning,
    ThresholdParameters,
    Transmission,
    delay_bound,
    simulate,
    steady_variance,
    variance_removed,
    waveform,
)
from entro_nb.results import mean_interval, reduction_interval

LINEAR = Oscillator(weights=None, floor=-np.inf)
CASES = [
    (graph, step, node, channel)
    for graph, step in ((graphs.Graph.complete(10), 0.05), (graphs.graph("ring", 12), 0.3))
    for node, channel in (
        (Autoregressive(0.9, 0.02), Transmission()),
        (Autoregressive(0.9, 0.02), Transmission(delay=2)),
        (Autoregressive(0.9, 0.02), Transmission(loss=0.3)),
        (LINEAR, Transmission()),
        (LINEAR, Transmission(delay=1)),
    )
]


@pytest.mark.parametrize(("graph", "step", "node", "channel"), CASES)
def test_simulation_settles_where_lyapunov_says(graph, step, node, channel):
    step = step / (1 + channel.delay)
    expected = steady_variance(graph, step, node, channel)
    settings = {
        "graph": graph, "node": node, "replicates": 24, "seed": 5, "record": False,
    }  # fmt: skip
    run = simulate(graph.n_nodes, 4000, kappa=step, transmission=channel, **settings)
    free = simulate(graph.n_nodes, 4000, synchronised=False, **settings)
    for measured, value in (
        (run.variance_before, expected.before),
        (run.variance, expected.after),
        (free.variance, expected.without),
    ):
        interval = mean_interval(measured[:, 500:].mean("time").values, confidence=0.9999)
        assert interval.low < value < interval.high
        assert interval.high - interval.low < 0.25 * value


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_the_delay_bound_is_where_levelling_ends(delay):
    graph = graphs.Graph.complete(4)
    slow = Autoregressive(persistence=1 - 1e-9, noise=1e-3)
    bound = delay_bound(delay) / graph.spectrum.largest
    assert steady_variance(graph, 0.99 * bound, slow, Transmission(delay)).after > 0
    with pytest.raises(ParameterError, match="stable"):
        steady_variance(graph, 1.01 * bound, slow, Transmission(delay))


def test_loss_is_averaged_as_brute_force_does():
    graph, step, loss = graphs.graph("path", 3), 0.4, 0.3
    expected = steady_variance(graph, step, Autoregressive(0.8, 1.0), Transmission(loss=loss))
    laplacians = []
    for i, j in graph.edges:
        link = np.zeros((3, 3))
        link[[i, j], [i, j]], link[[i, j], [j, i]] = 1, -1
        laplacians.append(link)
    # P is linear in P: one Kronecker system over all four patterns of lost links.
    system = np.zeros((9, 9))
    for first in (0, 1):
        for second in (0, 1):
            chance = (loss if first == 0 else 1 - loss) * (loss if second == 0 else 1 - loss)
            mix = np.eye(3) - step * (first * laplacians[0] + second * laplacians[1])
            system += chance * np.kron(mix, mix)
    centre = (np.eye(3) - 1 / 3).ravel()
    covariance = np.linalg.solve(np.eye(9) - 0.64 * system, centre).reshape(3, 3)
    assert expected.before == pytest.approx(np.trace(covariance) / 3)
    assert expected.after == pytest.approx(
        np.trace((system @ covariance.ravel()).reshape(3, 3)) / 3
    )


@pytest.mark.parametrize("node", [Autoregressive(noise=0.0), Oscillator(noise=0.0)])
@pytest.mark.parametrize("delay", [0, 2])
def test_the_loop_is_its_plain_python_self(node, delay):
    n, steps, quantum = 4, 60, 0.01
    graph = graphs.graph("star", n)
    run = simulate(
        n, steps, graph=graph, kappa=0.2, node=node, seed=3,
        disturbance=Disturbance("scraper", 0.4),
        transmission=Transmission(delay=delay, quantum=quantum),
    )  # fmt: skip
    gains = np.random.default_rng([3, 0]).uniform(0.6, 1.4, n)
    drive = waveform("scraper", steps)
    psi = np.full(n, node.level if isinstance(node, Autoregressive) else node.floor)
    velocity, acceleration, sent = np.zeros(n), np.zeros(n), []
    for t in range(steps):
        force = gains * drive[t]
        if isinstance(node, Autoregressive):
            a = node.persistence
            psi = node.level + a * (psi - node.level) + (1 - a) * force
        else:
            w = node.weights
            pressure = w[0] / (1 + np.exp(node.theta - psi)) + w[1] * np.tanh(velocity)
            pressure += w[2] * np.tanh(acceleration)
            acceleration = force - np.clip(pressure, 0, 1) - psi - 0.5 * velocity
            velocity = velocity + 0.1 * acceleration
            psi = np.maximum(0.05, psi + 0.1 * velocity)
        np.testing.assert_allclose(run.observed.values[0, t], psi, rtol=1e-12)
        sent.append(quantum * np.round(psi / quantum))
        if t >= delay:
            psi = psi - 0.2 * graph.laplacian() @ sent[t - delay]
            if isinstance(node, Oscillator):
                psi = np.maximum(0.05, psi)
        np.testing.assert_allclose(run.psi.values[0, t], psi, rtol=1e-12)
        assert run.variance.values[0, t] == pytest.approx(psi.var(), rel=1e-9, abs=1e-15)


def test_complete_and_listed_graphs_give_the_same_run():
    listed = graphs.as_graph(graphs.Graph.complete(6).edges.tolist(), 6)
    a = simulate(6, 100, kappa=0.1, seed=1)
    b = simulate(6, 100, kappa=0.1, seed=1, graph=listed)
    np.testing.assert_allclose(a.psi, b.psi, rtol=1e-12)


def test_the_exchange_keeps_the_mean_under_loss_delay_and_rounding():
    run = simulate(
        8, 200, graph=graphs.graph("ring", 8), transmission=Transmission(0, 0.5, 0.05), seed=2
    )
    np.testing.assert_allclose(run["mean"], run.mean_before, rtol=1e-12)
    late = simulate(
        8, 200, graph=graphs.graph("ring", 8), kappa=0.1, transmission=Transmission(3), seed=2
    )
    np.testing.assert_allclose(late["mean"], late.mean_before, rtol=1e-12)


def test_runs_repeat_and_replicates_differ():
    a, b = (simulate(5, 50, seed=4, replicates=2) for _ in range(2))
    assert a.equals(b)
    assert not np.allclose(a.psi[0], a.psi[1])
    single = simulate(5, 50, seed=4)
    np.testing.assert_array_equal(single.psi[0], a.psi[0])


def test_results_carry_units_and_parameters():
    run = simulate(5, 20, disturbance="llm", replicates=2)
    assert run.psi.dims == ("replicate", "time", "node")
    assert run.variance.attrs["units"] == "psi²"
    assert run.attrs["regime"] == "llm"
    assert run.attrs["n_nodes"] == 5
    assert "psi" not in simulate(5, 20, record=False)


def test_network_threshold_follows_the_published_class_and_is_not_crossed():
    run = simulate(
        5, 300, node=Oscillator(), disturbance="scraper", threshold=ThresholdParameters(1.4, 10.0)
    )
    threshold = NetThreshold(1.4, 10.0)
    expected = [threshold.update(psi) for psi in run.psi.values[0]]
    np.testing.assert_allclose(run.theta.values[0], expected, rtol=1e-12)
    assert (
        float(run.over_threshold.max())
        == np.mean(run.psi.values[0] > run.theta.values[0][:, None], axis=1).max()
    )


def test_disturbances_act_as_they_are_written():
    drive = waveform("llm", 2000)
    assert drive[100] == pytest.approx(0.1)
    assert drive[1000] == pytest.approx(0.5 + 0.1 * np.sin(20.0))
    assert waveform("scraper", 101)[100] == pytest.approx(0.8, abs=1e-12)
    quiet = simulate(2000, 50, synchronised=False, record=False, node=Autoregressive(noise=0.0))
    shaken = simulate(
        2000, 50, synchronised=False, record=False, node=Autoregressive(0.0, 0.0),
        disturbance=Disturbance(shock_rate=0.1, shock_size=1.0),
    )  # fmt: skip
    assert float(quiet.variance.max()) < 1e-20
    assert float(shaken["mean"].mean()) == pytest.approx(0.339 + 0.1, abs=0.005)


@pytest.mark.parametrize("n", [3, 10, 1000, 30_000])
def test_objective_1_more_than_half_the_variance_at_every_size(n):
    steps = max(60, 200_000 // n if n < 1000 else 60)
    on = simulate(n, min(steps, 3000), replicates=8, record=False)
    off = simulate(n, min(steps, 3000), replicates=8, record=False, synchronised=False)
    cut = reduction_interval(on.variance.mean("time").values, off.variance.mean("time").values)
    assert cut.low > 0.5


def test_a_displaced_node_comes_back_as_the_modes_say():
    node, graph = Autoregressive(0.9, 0.0), graphs.Graph.complete(4)
    displaced = np.full(4, node.level)
    displaced[2] += 0.4
    run = simulate(4, 20, graph=graph, kappa=0.1, node=node, initial=displaced)
    # The mean falls by a, the deviation from it by a·(1 − εN).
    t = np.arange(1, 21)
    mean = node.level + 0.1 * 0.9**t
    np.testing.assert_allclose(run.psi.values[0, :, 2], mean + 0.3 * (0.9 * 0.6) ** t)
    with pytest.raises(ParameterError, match="initial"):
        simulate(4, 5, initial=[0.1])


def test_an_unstable_step_is_told():
    with pytest.warns(StabilityWarning, match="2/λ_max"):
        simulate(5, 5, kappa=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(5, 5, kappa=0.39)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"n_nodes": 0}, "n_nodes"),
        ({"steps": 0}, "steps"),
        ({"kappa": 0.0}, "kappa"),
        ({"graph": graphs.graph("ring", 4)}, "graph"),
        ({"disturbance": "scrape"}, "regime"),
        ({"n_nodes": 3000, "transmission": Transmission(loss=0.1)}, "n_nodes"),
        ({"replicates": 0}, "replicates"),
    ],
)
def test_bad_settings_are_refused(settings, name):
    with pytest.raises(ParameterError, match=name):
        simulate(**settings)


def test_bad_parts_are_refused():
    with pytest.raises(ParameterTypeError, match="node"):
        simulate(3, 5, node="oscillator")
    with pytest.raises(ParameterError, match="loss"):
        Transmission(loss=1.5)
    with pytest.raises(ParameterError, match="persistence"):
        Autoregressive(persistence=1.0)
    with pytest.raises(ParameterError, match="weights"):
        Oscillator(weights=(0.5, 0.5))
    with pytest.raises(ParameterError, match="linear"):
        steady_variance(graphs.Graph.complete(3), 0.1, Oscillator())
    with pytest.raises(ParameterError, match="rounding"):
        steady_variance(graphs.Graph.complete(3), 0.1, transmission=Transmission(quantum=0.1))
    with pytest.raises(ParameterError, match="no loss"):
        steady_variance(graphs.Graph.complete(3), 0.1, LINEAR, Transmission(loss=0.1))
    with pytest.raises(ParameterError, match="stable"):
        steady_variance(graphs.Graph.complete(3), 1.0)
    with pytest.raises(ParameterError, match="connected"):
        steady_variance(graphs.as_graph([(0, 1)], 3), 0.1)


def test_variance_removed_is_what_lyapunov_expects():
    ring = graphs.graph("ring", 30)
    step = 0.3
    measured = variance_removed(30, graph=ring, kappa=step, replicates=20, steps=3000).measured
    theory = steady_variance(ring, step)
    assert measured.low < theory.reduction < measured.high
    before = variance_removed(
        30, graph=ring, kappa=step, replicates=20, steps=3000, when="before"
    ).measured
    assert before.low < 1 - theory.before / theory.without < before.high
    assert before.high < measured.low
    with pytest.raises(ParameterError, match="when"):
        variance_removed(3, when="never")


def test_variance_removed_compares_the_same_noise():
    settings = {"replicates": 3, "seed": 4, "record": False}
    on = simulate(4, 100, kappa=0.1, **settings).variance[:, 50:].mean()
    off = simulate(4, 100, synchronised=False, **settings).variance[:, 50:].mean()
    measured = variance_removed(4, kappa=0.1, steps=100, replicates=3, seed=4).measured
    assert measured.value == pytest.approx(float(1 - on / off))
