"""Fault isolation: the rule, its published form, and what it protects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb import graphs
from entro_nb.errors import ParameterError
from entro_nb.network import (
    FAULTS,
    FaultIsolation,
    IsolationRule,
    IsolationWarning,
    NetThreshold,
    Outbreak,
    contagion,
    nodes_protected,
    spared_by_overload,
)


@given(st.lists(st.floats(0.0, 1.0), max_size=40))
def test_the_window_counts_what_plain_python_counts(values):
    iso = FaultIsolation.published()
    for t, psi in enumerate(values):
        recent = values[max(0, t - 4) : t + 1]
        assert iso.check_node(7, psi) == (sum(p > 0.8 for p in recent) >= 3)


def test_hysteresis_needs_calm_in_a_row_and_clears_the_record():
    iso = FaultIsolation(calm=3)
    assert [iso.check_node(0, p) for p in (0.9, 0.9, 0.9)] == [False, False, True]
    # A spike between calm observations starts the count again.
    assert [iso.check_node(0, p) for p in (0.1, 0.1, 0.9, 0.1, 0.1, 0.1)] == [True] * 5 + [False]
    assert iso.check_node(0, 0.9) is False


def test_published_readmission_keeps_the_old_faults():
    iso = FaultIsolation.published()
    for _ in range(3):
        iso.check_node(0, 0.9)
    iso.recover(0, 0.39)
    assert not iso.is_isolated(0)
    iso.check_node(0, 0.9)
    assert iso.is_isolated(0)


def test_published_isolation_may_take_every_node():
    iso = FaultIsolation.published()
    for _ in range(3):
        for node in range(3):
            iso.check_node(node, 0.9)
    assert iso.isolated == [0, 1, 2]


def test_bad_isolations():
    iso = FaultIsolation(n_nodes=2)
    iso.isolate(0)
    with pytest.warns(IsolationWarning, match="node 0"):
        iso.isolate(0)
    with pytest.raises(ParameterError, match="last healthy"):
        iso.isolate(1)
    for _ in range(2):
        iso.check_node(1, 0.9)
    with pytest.raises(ParameterError, match="last healthy"):
        iso.check_node(1, 0.9)
    for unknown in (2, -1):
        with pytest.raises(ParameterError, match="node"):
            iso.check_node(unknown, 0.5)
    with pytest.raises(ParameterError, match="psi of node 1 = nan"):
        iso.check_node(1, float("nan"))
    with pytest.raises(ParameterError, match="min_faults"):
        FaultIsolation(window=3, min_faults=4)
    with pytest.raises(ParameterError, match="recovery"):
        FaultIsolation(psi_critical=0.8, recovery=0.8)


def test_threshold_variants_and_what_they_never_gate():
    formula, averaged = NetThreshold(1.4, 2.5, window=1), NetThreshold(1.4, 2.5)
    assert averaged.value == 1.4
    calm, wild = [0.3, 0.3], [0.0, 1.0]
    assert formula.update(wild) == pytest.approx(1.4 + 2.5 * 0.25)
    assert formula.update(calm) == pytest.approx(1.4)
    averaged.update(wild)
    assert averaged.update(calm) == pytest.approx(1.4 + 2.5 * 0.125)
    # Ψ in [0, 1] has a variance of at most 1/4: θ_net stays in [1.0, 2.5], never below Ψ.
    assert NetThreshold(0.0, 20.0).update(wild) == 2.5
    assert NetThreshold(0.0, 0.0).update(wild) == 1.0
    with pytest.raises(ParameterError, match=r"psi\[1\]"):
        formula.update([0.1, float("nan")])
    with pytest.raises(ParameterError, match="gamma"):
        NetThreshold(gamma=-1.0)


def by_hand(graph, outbreak, noise, faulty, step):
    """The contagion run with the class of the package, node by node, isolation by level."""
    n = graph.n_nodes
    iso = FaultIsolation()
    x = np.full(n, 0.339)
    start, neighbour, _ = graph.adjacency
    neighbours = [neighbour[start[i] : start[i + 1]] for i in range(n)]
    psi, isolated = [], []
    for t in range(len(noise)):
        sick = faulty & (t >= outbreak.onset)
        x = np.where(sick, 0.95, 0.339 + 0.98 * (x - 0.339) + 0.01 * noise[t])
        out = np.array([iso.check_node(i, float(x[i])) for i in range(n)])
        new = x.copy()
        for i in range(n):
            if not (sick[i] or out[i]):
                new[i] += step * sum(x[j] - x[i] for j in neighbours[i] if not out[j])
        x = new
        psi.append(x)
        isolated.append(out)
    return np.array(psi), np.array(isolated)


def test_contagion_is_its_plain_self():
    graph, outbreak = graphs.connected(12, 3.0, 1), Outbreak(isolation="level", onset=20)
    run = contagion(graph, 3, outbreak, steps=120, replicates=1, seed=9)
    rng = np.random.default_rng([9, 0])
    faulty = np.zeros(12, bool)
    faulty[rng.choice(12, 3, replace=False)] = True
    noise = rng.standard_normal((120, 12))
    psi, isolated = by_hand(graph, outbreak, noise, faulty, run.attrs["step"])
    np.testing.assert_allclose(run.psi, psi, rtol=1e-12)
    np.testing.assert_array_equal(run.isolated, isolated)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("n_faulty", [1, 5])
def test_published_isolation_protects_no_better_than_none(fault, n_faulty):
    graph = graphs.Graph.complete(15)
    none, published, sound = (
        contagion(graph, n_faulty, Outbreak(fault, kind), replicates=10)
        for kind in ("none", "published", "sound")
    )
    np.testing.assert_array_equal(none.psi, published.psi)
    assert (sound.protection >= none.protection).all()
    assert float(sound.protection.mean()) > 0.95


def test_published_wiring_isolates_the_healthy():
    run = contagion(graphs.Graph.complete(15), 1, Outbreak(isolation="published"), replicates=4)
    assert (run.false_isolations == 14).all()
    assert float(run.protection.max()) == 0.0


def test_a_liar_escapes_the_level_rule_and_not_its_neighbours():
    graph = graphs.Graph.complete(15)
    level = contagion(graph, 1, Outbreak("lying", "level"), replicates=4)
    sound = contagion(graph, 1, Outbreak("lying", "sound"), replicates=4)
    assert np.isnan(level.time_to_isolate).all()
    assert float(level.protection.mean()) < 0.1
    assert (sound.time_to_isolate == 3).all()
    assert (sound.protection == 1.0).all()


def test_no_fault_no_isolation():
    run = contagion(graphs.Graph.complete(10), 0, steps=5000, replicates=4)
    assert int(run.false_isolations.sum()) == 0
    assert int(run.healthy_steps.sum()) == 10 * 5000 * 4
    assert np.isnan(run.time_to_isolate).all()


def test_bad_outbreaks_are_refused():
    with pytest.raises(ParameterError, match="fault"):
        Outbreak("stuk")
    with pytest.raises(ParameterError, match="n_faulty"):
        contagion(graphs.graph("ring", 5), 5)
    with pytest.raises(ParameterError, match="steps"):
        contagion(graphs.graph("ring", 5), 1, steps=50)
    with pytest.raises(ParameterError, match="calm"):
        IsolationRule(calm=0)


def test_protection_counts_runs():
    graph = graphs.Graph.complete(9)
    none = nodes_protected(graph, [1, 3], "none", faults=["stuck"], replicates=4)
    saved = sum(
        int((contagion(graph, k, Outbreak("stuck", "none"), replicates=4).protection == 1).sum())
        for k in (1, 3)
    )
    assert none.measured.value == saved / 8
    assert none.verdict == "fails"
    assert nodes_protected(graph, [1, 3], faults=["stuck"], replicates=4).verdict == "holds"


@pytest.mark.parametrize("exchanging", [False, True])
def test_an_overload_is_passed_on_as_in_plain_python(exchanging):
    graph = graphs.connected(10, 3.0, 1)
    got = spared_by_overload(graph, 2, 0.15, exchanging=exchanging, steps=120, replicates=2, seed=3)
    lists = [[] for _ in range(10)]
    for i, j in graph.edges.tolist():
        lists[i].append(j)
        lists[j].append(i)
    for run in range(2):
        rng = np.random.default_rng([3, run])
        shocked = set(rng.choice(10, 2, replace=False).tolist())
        x, lost = [0.95 if i in shocked else 0.339 for i in range(10)], set()
        for xi in rng.standard_normal((120, 10)):
            above = [value > 0.8 for value in x]
            load = [sum(above[j] for j in lists[i]) / len(lists[i]) for i in range(10)]
            x = [
                min(1.0, 0.339 + 0.98 * (x[i] - 0.339) + 0.15 * load[i] + 0.01 * xi[i])
                for i in range(10)
            ]
            if exchanging:
                step = graph.spectrum.optimal
                x = [x[i] + step * sum(x[j] - x[i] for j in lists[i]) for i in range(10)]
            lost |= {i for i in range(10) if x[i] > 0.8}
        assert got[run] == pytest.approx(1 - len(lost - shocked) / 8)


def test_an_overload_needs_a_node_to_spare():
    with pytest.raises(ParameterError, match="n_shocked"):
        spared_by_overload(graphs.graph("ring", 4), 4)
