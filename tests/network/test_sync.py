"""Ψ-Sync: published and sound forms, on any graph, with good and bad input."""

from __future__ import annotations

import warnings

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb import graphs
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.network import (
    DisconnectedWarning,
    IsolationWarning,
    PsiSync,
    StabilityWarning,
    contraction,
    guaranteed_decrease,
    net_variance,
    pairwise,
    v_net,
)
from entro_nb.network.sync import Tuning, tune

states = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=40)


def published_by_hand(psi, kappa, alpha):
    """The published sum, pair by pair and clipped, in plain Python."""
    out = []
    for i, own in enumerate(psi):
        total = sum(
            alpha * kappa * (other - own) + alpha**2 * (other - own) ** 3
            for j, other in enumerate(psi)
            if j != i
        )
        out.append(min(1.0, max(0.0, own + total)))
    return np.array(out)


@given(states, st.floats(0.01, 2.0), st.floats(0.5, 5.0))
def test_published_broadcast_is_the_pairwise_sum(psi, kappa, alpha):
    sync = PsiSync.published(len(psi), kappa, alpha, adaptive=False)
    assert sync.broadcast(psi) == pytest.approx(
        published_by_hand(psi, kappa, alpha), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_power_sums_agree_with_pairs_to_1e_12(n):
    psi = np.random.default_rng(n).random(n)
    expected = pairwise(psi, 0.3, 0.7)
    sync = PsiSync.published(n, kappa=0.3 / 0.7**0.5, aggression=0.7**0.5, adaptive=False)
    np.testing.assert_allclose(
        sync.exchange(psi), expected, rtol=0, atol=1e-12 * abs(expected).max()
    )


def test_power_sums_survive_a_large_common_level():
    # Without centring, S₂ and S₃ of 1e4 ± 1e-3 would lose ten digits.
    psi = 1e4 + 1e-3 * np.random.default_rng(0).random(200)
    expected = pairwise(psi, 0.01, 0.5)
    sync = PsiSync.published(200, 0.01 / 0.5**0.5, 0.5**0.5, adaptive=False)
    np.testing.assert_allclose(sync.exchange(psi), expected, atol=2e-11)


def test_sparse_and_implicit_complete_graph_agree():
    n = 40
    psi = np.random.default_rng(1).random(n)
    dense = PsiSync(n, 0.01, cubic=True)
    sparse = PsiSync(n, 0.01, cubic=True, graph=nx.complete_graph(n))
    assert not sparse.graph.is_complete
    np.testing.assert_allclose(dense.broadcast(psi), sparse.broadcast(psi), rtol=1e-12)


@given(st.integers(3, 30), st.integers(0, 10_000), st.floats(0.01, 0.999), st.data())
@settings(deadline=None)
def test_no_admissible_step_ever_adds_variance(n, seed, share, data):
    degree = data.draw(st.floats(2.0, float(n) - 0.5))
    graph = graphs.connected(n, degree, seed)
    psi = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=n, max_size=n)))
    step = share * 2.0 / graph.spectrum.largest
    out = PsiSync(n, step, graph=graph).broadcast(psi)
    assert (
        net_variance(out) <= net_variance(psi) * contraction(step, graph) ** 2 * (1 + 1e-9) + 1e-24
    )
    assert out.mean() == pytest.approx(psi.mean(), abs=1e-12)
    # V_net falls by no less than the theorem says, whatever the target.
    fall = v_net(psi, 0.7) - v_net(out, 0.7)
    assert fall >= guaranteed_decrease(psi, step, graph) - 1e-9


@given(st.integers(3, 25), st.integers(0, 1000), st.floats(0.5, 5.0), st.floats(0.01, 1.0))
@settings(deadline=None)
def test_limited_cubic_term_never_overshoots(n, seed, alpha, kappa):
    rng = np.random.default_rng(seed)
    graph = graphs.connected(n, 2.5, seed)
    psi = rng.random(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StabilityWarning)
        sync = PsiSync(n, kappa, alpha, graph=graph, cubic=True)
    out = sync.broadcast(psi)
    assert net_variance(out) <= net_variance(psi) + 1e-15
    assert psi.min() - 1e-12 <= out.min()
    assert out.max() <= psi.max() + 1e-12
    assert out.mean() == pytest.approx(psi.mean())


@pytest.mark.parametrize("n", [3, 5, 20, 50, 1000, 10**6])
def test_default_step_reduces_the_variance_of_a_complete_graph_by_more_than_half(n):
    psi = np.random.default_rng(n).random(n)
    assert net_variance(PsiSync(n).broadcast(psi)) < 1e-20
    assert net_variance(PsiSync(n, kappa=0.1, step="degree").broadcast(psi)) < net_variance(psi)


def test_default_step_on_a_ring_halves_the_variance_on_average():
    psi = np.random.default_rng(2).random(1000)
    out = PsiSync(1000, graph=graphs.graph("ring", 1000)).broadcast(psi)
    assert net_variance(out) < 0.55 * net_variance(psi)


def test_optimal_step_balances_the_ends_of_the_spectrum():
    graph = graphs.graph("path", 6)
    sync = PsiSync(6, graph=graph)
    values = np.linalg.eigvalsh(nx.laplacian_matrix(nx.path_graph(6)).toarray())
    assert sync.step == pytest.approx(2.0 / (values[1] + values[-1]))
    assert contraction(sync.step, graph) == pytest.approx(
        (values[-1] - values[1]) / (values[-1] + values[1])
    )


def test_published_adaptation_follows_its_recurrence():
    sync = PsiSync.published(3, kappa=0.1)
    alpha, velocity, previous = 1.0, 0.0, 1.0
    rng = np.random.default_rng(3)
    for _ in range(50):
        psi = rng.random(3)
        sync.broadcast(psi)
        variance = psi.var()
        stress = variance + 0.3 * abs(psi - 0.339).max() + 0.2 * abs(psi - 0.339).mean()
        gain = (previous - variance) / previous
        target = np.clip(1 + 3 * stress + (-0.5 * gain if gain > 0 else 0.2 * gain), 0.5, 5)
        velocity = 0.9 * velocity + 0.05 * (target - alpha)
        alpha = float(np.clip(alpha + velocity, 0.5, 5))
        previous = variance
        assert sync.aggression == pytest.approx(alpha, rel=1e-12)
        assert sync.coupling == pytest.approx(np.clip(2 * variance * alpha**0.5, 0.05, 0.9))
        assert sync.collective_state(psi) == pytest.approx(psi.mean() + alpha * sync.coupling)


def test_adaptation_is_safe_where_the_variance_was_zero():
    assert tune(Tuning(1.0, variance=0.0), 0.1, 0.3, 0.2).aggression > 0.5


def test_collective_state_of_the_sound_form_is_the_page_s():
    sync = PsiSync(2, 0.1, aggression=2.0, weights=[0.25, 0.75])
    assert sync.collective_state([0.0, 1.0]) == pytest.approx(0.75 + 0.5)


def test_isolated_nodes_neither_give_nor_take():
    sync = PsiSync(4, 0.1)
    sync.isolate_node(3)
    psi = np.array([0.2, 0.4, 0.6, 0.95])
    out = sync.broadcast(psi)
    assert out[3] == 0.95
    np.testing.assert_allclose(out[:3], PsiSync(3, 0.1).broadcast(psi[:3]), rtol=1e-14)
    ring = PsiSync(5, 0.3, graph=graphs.graph("ring", 5))
    ring.isolate_node(0)
    moved = ring.broadcast([9.0, 0.1, 0.2, 0.3, 0.4])
    path = PsiSync(4, 0.3, graph=graphs.graph("path", 4)).broadcast([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(moved, [9.0, *path])


def test_an_isolated_node_may_be_silent():
    sync = PsiSync(3)
    sync.isolate_node(1)
    out = sync.broadcast([0.2, float("nan"), 0.4])
    np.testing.assert_allclose(out[[0, 2]], 0.3)
    with pytest.raises(DataError, match=r"psi\[2\] = inf"):
        sync.broadcast([0.2, 0.3, float("inf")])


def test_isolating_one_stuck_node_saves_the_other_four():
    # As published, one node at 0.95 among four at 0.3 gets all five isolated in ten steps.
    sync = PsiSync(5, 0.1)
    psi = np.array([0.95, 0.3, 0.3, 0.3, 0.3])
    for _ in range(10):
        for node in sync.detect_fault(psi):
            sync.isolate_node(node)
        psi = sync.broadcast(psi)
        psi[0] = 0.95
    assert sync.isolated == [0]
    assert psi[1:].max() < 0.8


def test_readmitted_nodes_start_with_a_clean_record():
    sync = PsiSync(3)
    for _ in range(3):
        sync.detect_fault([0.9, 0.3, 0.3])
    sync.isolate_node(0)
    assert sync.step == pytest.approx(1 / 2)
    sync.readmit_node(0)
    assert sync.isolated == []
    assert sync.step == pytest.approx(1 / 3)
    assert sync.detect_fault([0.9, 0.3, 0.3]) == []


def test_output_can_go_into_an_array_of_the_caller():
    sync, out = PsiSync(3), np.empty(3)
    assert sync.broadcast([0.0, 0.5, 1.0], out=out) is out
    psi = np.zeros(3)
    for bad in (psi, np.empty(2), np.empty(3, np.float32)):
        with pytest.raises(ParameterError, match="out"):
            sync.broadcast(psi, out=bad)


def test_one_node_alone_has_nobody_to_exchange_with():
    assert PsiSync(1).broadcast([0.7]) == pytest.approx([0.7])
    assert contraction(0.1, graphs.Graph.complete(1)) == 0.0


@pytest.mark.parametrize("n_nodes", [0, -3])
def test_no_nodes_are_refused(n_nodes):
    with pytest.raises(ParameterError, match="n_nodes"):
        PsiSync(n_nodes)


def test_nodes_are_counted_in_whole_numbers():
    with pytest.raises(ParameterTypeError, match="n_nodes"):
        PsiSync(2.5)


@pytest.mark.parametrize("psi", [[0.1, 0.2], [0.1] * 4, [[0.1, 0.2, 0.3]]])
def test_wrong_length_is_refused(psi):
    with pytest.raises(ParameterError, match="psi"):
        PsiSync(3).broadcast(psi)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("make", [PsiSync, PsiSync.published])
def test_a_faulty_value_is_named_by_its_node_and_changes_nothing(make, bad):
    sync = make(3, 0.1)
    before = sync.coupling, sync.aggression
    with pytest.raises(DataError, match=r"psi\[1\]"):
        sync.broadcast([0.2, bad, 0.3])
    assert (sync.coupling, sync.aggression) == before


@pytest.mark.parametrize("kappa", [0.0, -0.1, float("nan")])
@pytest.mark.parametrize("make", [PsiSync, PsiSync.published])
def test_kappa_must_be_positive(make, kappa):
    with pytest.raises(ParameterError, match="kappa"):
        make(3, kappa)


def test_an_unstable_kappa_is_told_with_its_bound():
    with pytest.warns(StabilityWarning, match=r"2/λ_max = 0\.4"):
        PsiSync(5, kappa=1.0)
    with pytest.warns(StabilityWarning, match=r"2/λ_max = 0\.5"):
        PsiSync(4, kappa=0.25, aggression=2.0)
    with pytest.warns(StabilityWarning, match="lower bound"):
        PsiSync(2000, kappa=5.0, graph=graphs.graph("path", 2000))


def test_a_stable_kappa_is_not_warned_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PsiSync(5, kappa=0.399)


def test_steps_that_cannot_be_had_are_refused():
    with pytest.raises(ParameterError, match="step"):
        PsiSync(2000, graph=graphs.graph("path", 2000), step="optimal")
    with pytest.raises(ParameterError, match="kappa"):
        PsiSync(3, step="kappa")
    with pytest.raises(ParameterError, match="did you mean 'optimal'"):
        PsiSync(3, step="optimum")


def test_a_disconnected_graph_is_told_with_its_components():
    with pytest.warns(DisconnectedWarning, match=r"\[0, 1\].*\[2, 3\]"):
        sync = PsiSync(4, graph=[(0, 1), (2, 3)])
    np.testing.assert_allclose(sync.broadcast([0.0, 1.0, 0.2, 0.4]), [0.5, 0.5, 0.3, 0.3])


def test_isolation_that_cuts_the_graph_in_two_is_told():
    sync = PsiSync(3, graph=graphs.graph("path", 3))
    with pytest.warns(DisconnectedWarning, match=r"\[\[0\], \[2\]\]"):
        sync.isolate_node(1)


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5], [1.0], [0.5, float("nan")]])
def test_weights_must_be_a_distribution_over_the_nodes(weights):
    with pytest.raises(ParameterError, match="weights"):
        PsiSync(2, weights=weights)


@pytest.mark.parametrize("node", [-1, 3, 99])
def test_isolating_an_unknown_node_is_refused(node):
    with pytest.raises(ParameterError, match="node"):
        PsiSync(3).isolate_node(node)


def test_isolating_twice_warns_and_the_last_one_is_refused():
    sync = PsiSync(2)
    sync.isolate_node(0)
    with pytest.warns(IsolationWarning, match="node 0"):
        sync.isolate_node(0)
    with pytest.raises(ParameterError, match="last"):
        sync.isolate_node(1)
    with pytest.raises(ParameterError, match="isolated node"):
        sync.readmit_node(1)


def test_a_graph_of_another_size_is_refused():
    with pytest.raises(ParameterError, match="graph"):
        PsiSync(3, graph=graphs.graph("ring", 4))
