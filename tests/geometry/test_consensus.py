"""Averaging against the spectrum, liars against W-MSR, robustness against its definition."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb import graphs
from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry import (
    Liar,
    agreement,
    byzantine_study,
    consensus,
    measured_rate,
    messages_to_agree,
    resilient_consensus,
    robust_graph,
    robustness,
)
from entro_nb.graphs import as_graph


@pytest.mark.parametrize("name", ["ring", "path", "star", "lattice", "hypercube", "small_world"])
@pytest.mark.parametrize("fraction", [0.3, 0.8, None])
def test_measured_rate_matches_theory(name: str, fraction: float | None) -> None:
    graph = graphs.graph(name, 16, seed=1)
    known = graph.spectrum
    step = None if fraction is None else fraction * known.bound
    x0 = np.random.default_rng(0).random(16)
    run = consensus(graph, x0, step=step, steps=3000)
    assert measured_rate(run) == pytest.approx(known.rate(run.attrs["step"]), rel=0.01)


def test_closed_form_spectra() -> None:
    assert as_graph(nx.complete_graph(7)).spectrum.largest == pytest.approx(7)
    assert as_graph(nx.cycle_graph(8)).spectrum.smallest == pytest.approx(
        2 - 2 * math.cos(2 * math.pi / 8)
    )
    assert as_graph(nx.star_graph(6)).spectrum.largest == pytest.approx(7)
    np.testing.assert_allclose(
        as_graph(nx.karate_club_graph()).laplacian(),
        nx.laplacian_matrix(nx.karate_club_graph(), weight=None).toarray(),
    )


@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_bounds_and_radius(seed: int, fraction: float) -> None:
    graph = nx.gnm_random_graph(10, 14, seed=seed)
    known = as_graph(graph).spectrum
    step = fraction * known.bound
    assert known.radius(step) == pytest.approx(1.0)  # never below 1, whatever the seed says
    assert known.rate(step) < 1
    assert known.sufficient <= known.bound * (1 + 1e-12)
    for other in np.linspace(0.01, 0.99, 20) * known.bound:
        assert known.rate(known.optimal) <= known.rate(float(other)) + 1e-12


def test_one_step_is_the_matrix() -> None:
    graph = graphs.graph("small_world", 12, seed=2).to_networkx()
    for k, (_, _, data) in enumerate(graph.edges.data()):
        data["conductance"] = 1.0 + k % 3
    x = np.random.default_rng(1).normal(size=12)
    run = consensus(graph, x, step=0.05, steps=3)
    matrix = np.eye(12) - 0.05 * as_graph(graph).laplacian()
    np.testing.assert_allclose(run.x[3], np.linalg.matrix_power(matrix, 3) @ x, atol=1e-12)
    np.testing.assert_allclose(run.x.mean("node"), x.mean(), atol=1e-12)


def test_beyond_the_bound_it_diverges_and_at_it_it_swings() -> None:
    graph = nx.complete_graph(5)
    bound = as_graph(graph).spectrum.bound
    x = np.arange(5.0)
    with pytest.raises(ParameterError, match=r"2/λ_max = 0\.4"):
        consensus(graph, x, step=bound)
    beyond = consensus(graph, x, step=1.1 * bound, steps=50, unstable=True).disagreement
    assert beyond[-1] > 100 * beyond[0]
    at = consensus(graph, x, step=bound, steps=50, unstable=True).disagreement
    np.testing.assert_allclose(at, at[0])


def test_two_components_give_two_averages() -> None:
    graph = nx.disjoint_union(nx.complete_graph(3), nx.path_graph(2))
    graph.add_node(5)
    run = consensus(graph, [0.0, 1.0, 2.0, 10.0, 20.0, 7.0], steps=200)
    np.testing.assert_allclose(run.x[-1], [1, 1, 1, 15, 15, 7], atol=1e-9)
    assert run.disagreement[-1] < 1e-9


def test_switching_graphs_none_of_them_connected() -> None:
    edges = [[(0, 1)], [(1, 2)], [(2, 3)]]
    graphs = []
    for one in edges:
        graph = nx.empty_graph(4)
        graph.add_edges_from(one)
        graphs.append(graph)
    run = consensus(graphs, [0.0, 0.0, 0.0, 4.0], step=0.5, steps=300)
    np.testing.assert_allclose(run.x[-1], 1.0, atol=1e-9)


def test_a_stubborn_node_drags_all() -> None:
    graph = graphs.graph("small_world", 12, seed=0)
    run = consensus(graph, np.zeros(12), steps=5000, stubborn={3: 9.0})
    np.testing.assert_allclose(run.x[-1], 9.0, atol=1e-3)


def brute_robustness(graph: nx.Graph) -> int:
    nodes = list(graph)
    subsets = [set(c) for k in range(1, len(nodes)) for c in itertools.combinations(nodes, k)]
    reach = {frozenset(s): max(len(set(graph[i]) - s) for i in s) for s in subsets}
    return min(
        max(reach[frozenset(a)], reach[frozenset(b)])
        for a, b in itertools.combinations(subsets, 2)
        if not a & b
    )


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_robustness_against_its_definition(seed: int, n: int) -> None:
    graph = nx.gnp_random_graph(n, 0.7, seed=seed)
    assert robustness(graph) == brute_robustness(graph)


def test_known_robustness() -> None:
    for n in range(2, 11):
        assert robustness(nx.complete_graph(n)) == math.ceil(n / 2)
    assert robustness(nx.empty_graph(4)) == 0
    assert robustness(graphs.graph("lattice", 16)) == 1
    for r in (1, 2, 3, 4):
        assert robustness(robust_graph(14, r, seed=r)) >= r


@settings(max_examples=20)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["stubborn", "drift", "oscillate", "split"]),
    st.floats(-20, 20),
)
def test_w_msr_withstands_f_liars_on_robust_graphs(seed: int, strategy: str, value: float) -> None:
    tolerated = 1 + seed % 2
    graph = robust_graph(14, 2 * tolerated + 1, seed=seed)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(14, size=tolerated, replace=False)
    liars = {int(k): Liar(strategy, value) for k in chosen}  # type: ignore[arg-type]
    run = resilient_consensus(graph, rng.random(14), liars, tolerated=tolerated, steps=3000)
    assert agreement(run)
    # No honest value ever leaves the range of the honest first values.
    honest = run.x.values[:, run.honest.values]
    assert honest.min() >= run.attrs["low"] - 1e-12
    assert honest.max() <= run.attrs["high"] + 1e-12


def test_plain_averaging_does_not() -> None:
    graph = nx.complete_graph(8)
    x0 = np.linspace(0, 1, 8)
    for liar in (Liar("stubborn", 5.0), Liar("drift", 0.1), Liar("split", 5.0)):
        assert not agreement(resilient_consensus(graph, x0, {0: liar}, rule="average"))
        assert agreement(resilient_consensus(graph, x0, {0: liar}, rule="w-msr"))


def test_without_liars_both_agree_and_f_zero_is_averaging() -> None:
    graph = graphs.graph("small_world", 12, seed=1)
    x0 = np.random.default_rng(0).random(12)
    plain = resilient_consensus(graph, x0, {}, rule="average", steps=500)
    zero = resilient_consensus(graph, x0, {}, rule="w-msr", tolerated=0, steps=500)
    np.testing.assert_array_equal(plain.x, zero.x)
    assert agreement(plain)


def test_study_is_a_theorem_on_robust_graphs() -> None:
    graphs = {"robust": robust_graph(12, 3), "cycle": nx.cycle_graph(12)}
    study = byzantine_study(graphs, [0, 1], runs=5)
    robust = study.share.sel(rule="w-msr", graph="robust")
    assert (robust == 1.0).all()
    assert (study.share.sel(rule="average", liars=1) == 0.0).all()
    assert study.share.sel(rule="w-msr", graph="cycle", liars=1).mean() < 0.5
    again = byzantine_study({"robust": robust_graph(12, 3)}, [1], runs=5)
    assert (again.share.sel(graph="robust") == study.share.sel(graph="robust", liars=[1])).all()


def test_bad_input() -> None:
    path = nx.path_graph(3)
    with pytest.raises(DataError, match="edges"):
        consensus(nx.empty_graph(3), np.zeros(3))
    with pytest.raises(ParameterError, match=r"x0 .* shape \(3,\)"):
        consensus(path, np.zeros(2))
    with pytest.raises(DataError, match=r"x0\[1\]"):
        consensus(path, [0.0, math.nan, 0.0])
    with pytest.raises(ParameterError, match="step"):
        consensus(path, np.zeros(3), step=0.0)
    with pytest.raises(ParameterError, match="the same nodes"):
        consensus([path, nx.path_graph(4)], np.zeros(3))
    with pytest.raises(DataError, match="at least one graph"):
        consensus([], [])
    with pytest.raises(ParameterError, match="stubborn"):
        consensus(path, np.zeros(3), stubborn={9: 1.0})
    with pytest.raises(DataError, match="steps of convergence"):
        measured_rate(consensus(path, np.ones(3)))
    with pytest.raises(ParameterError, match="liars"):
        resilient_consensus(path, np.zeros(3), {9: Liar()})
    with pytest.raises(ParameterError, match="honest"):
        resilient_consensus(path, np.zeros(3), {k: Liar() for k in range(3)})
    with pytest.raises(ParameterError, match="tolerated"):
        resilient_consensus(path, np.zeros(3), {}, tolerated=-1)
    with pytest.raises(ParameterError, match="rule"):
        resilient_consensus(path, np.zeros(3), {}, rule="raft")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="strategy"):
        Liar("honest")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="value"):
        Liar(value=math.inf)
    for n in (1, 21):
        with pytest.raises(ParameterError, match="number of nodes"):
            robustness(nx.complete_graph(n))
    with pytest.raises(ParameterError, match="n = 3"):
        robust_graph(3, 3)


@pytest.mark.parametrize("name", ["ring", "star", "lattice", "complete"])
def test_messages_are_those_that_a_run_needs(name: str) -> None:
    graph = graphs.graph(name, 16)
    # From the slowest mode, where the bound is met.
    slowest = np.linalg.eigh(graph.laplacian())[1][:, 1]
    run = consensus(graph, slowest, steps=400)
    needed = int(np.argmax(run.disagreement.values <= 1e-3 * (1 + 1e-9)))
    assert messages_to_agree(graph) == 2 * graph.n_edges * needed
    assert messages_to_agree(graph, 0.5) <= messages_to_agree(graph)
