"""The flow reaches constant curvature, keeps what it must, and finds communities."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb import graphs
from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry import (
    RicciFlow,
    adjusted_rand,
    airports,
    cut,
    flow_communities,
    karate_club,
    louvain,
    modularity,
    ollivier_ricci,
    planted_communities,
    ricci_flow,
    ricci_start,
    ricci_step,
    split_of,
)
from entro_nb.geometry.flow import pushed_up


def uneven(graph: nx.Graph, seed: int = 0) -> nx.Graph:
    rng = np.random.default_rng(seed)
    for _, _, data in graph.edges.data():
        data["length"] = float(rng.uniform(0.5, 1.5))
    return graph


@pytest.mark.parametrize("name", ["ring", "star", "tree", "hypercube", "regular", "random"])
@pytest.mark.parametrize("form", ["ni", "bai"])
def test_constant_curvature_is_reached(name: str, form: str) -> None:
    parameters = RicciFlow(step=0.5, form=form)  # type: ignore[arg-type]
    run = ricci_flow(uneven(graphs.graph(name, 16).to_networkx()), parameters, steps=300)
    spread = run.curvature.std("edge")
    assert spread[0] > 0.05
    assert spread[-1] < 1e-4


def test_constant_curvature_on_a_star_is_the_one_known() -> None:
    # Equal lengths; leaf to hub: half of the mass has to go one step, shared out among leaves.
    run = ricci_flow(uneven(graphs.graph("star", 6).to_networkx()), RicciFlow(step=0.5), steps=200)
    expected = ollivier_ricci(nx.star_graph(5))[0, 1]
    np.testing.assert_allclose(run.curvature.isel(time=-1), expected, atol=1e-9)
    np.testing.assert_allclose(run.length.isel(time=-1), 1.0, atol=1e-9)


@settings(max_examples=25)
@given(
    st.integers(0, 1000),
    st.sampled_from(["ni", "bai"]),
    st.floats(0.05, 0.99),
    st.floats(0.0, 3.0),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([1e-9, 0.2]),
)
def test_lengths_stay_positive_and_keep_their_sum(
    seed: int, form: str, step: float, noise: float, barrier: float, floor: float
) -> None:
    graph = uneven(planted_communities(2, 6, 0.7, 0.1, seed=seed), seed)
    parameters = RicciFlow(step, form, 0.5, noise, barrier, floor)  # type: ignore[arg-type]
    run = ricci_flow(graph, parameters, steps=40, seed=seed)
    total = graph.number_of_edges() if form == "ni" else 1.0
    np.testing.assert_allclose(run.length.sum("edge"), total, rtol=1e-9)
    mean = total / graph.number_of_edges()
    assert float(run.length.min()) >= floor * mean * (1 - 1e-9) > 0


def test_a_very_long_run_does_not_reach_zero() -> None:
    run = ricci_flow(nx.barbell_graph(4, 0), RicciFlow(step=0.9), steps=3000)
    assert float(run.length.min()) > 0
    assert np.isfinite(run.curvature).all()


def test_barrier_holds_lengths_apart() -> None:
    graph = nx.barbell_graph(5, 0)
    free = ricci_flow(graph, RicciFlow(step=0.5), steps=60).length.isel(time=-1).min()
    held = ricci_flow(graph, RicciFlow(step=0.5, barrier=0.05), steps=60).length.isel(time=-1).min()
    assert held > 100 * free


def test_noise_keeps_moving_and_fades_with_size() -> None:
    def movement(n: int, noise: float) -> float:
        run = ricci_flow(nx.cycle_graph(n), RicciFlow(step=0.2, noise=noise), steps=400, seed=1)
        return float(np.log(run.length).diff("time").isel(time=slice(200, None)).std())

    assert movement(8, 0.0) < 1e-12
    assert movement(8, 1.0) > 1e-3
    # The seed's factor 1/N: eight times the nodes, about an eighth of the movement.
    assert movement(8, 1.0) / movement(64, 1.0) == pytest.approx(8.0, rel=0.25)


def test_noise_repeats_with_its_seed() -> None:
    parameters = RicciFlow(noise=1.0)
    first, again, other = (
        ricci_flow(nx.cycle_graph(6), parameters, steps=5, seed=s).length.values for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first[1:] != other[1:]).any()


def test_surgery_cuts_the_bridge_and_can_be_told_not_to() -> None:
    graph = nx.barbell_graph(5, 0)
    parameters = RicciFlow(step=0.5)
    apart = ricci_flow(graph, parameters, steps=20, surgery_every=5, cutoff=3.0)
    assert apart.components.values[0] == 1
    assert apart.components.values[-1] == 2
    assert np.isnan(apart.length.isel(time=-1)).sum() == 1
    whole = ricci_flow(
        graph, parameters, steps=20, surgery_every=5, cutoff=3.0, keep_connected=True
    )
    assert (whole.components == 1).all()


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.2, 2.0))
def test_connectivity_is_never_lost_when_asked_to_be_kept(seed: int, cutoff: float) -> None:
    graph = planted_communities(3, 6, 0.6, 0.05, seed=seed)
    before = nx.number_connected_components(graph)
    run = ricci_flow(
        graph, RicciFlow(step=0.8), steps=10, surgery_every=1, cutoff=cutoff, keep_connected=True
    )
    assert (run.components == before).all()


def test_everything_cut_ends_the_run() -> None:
    run = ricci_flow(nx.cycle_graph(5), steps=10, surgery_every=2, cutoff=0.5)
    assert run.sizes["time"] == 2


def test_karate_club_falls_apart_about_where_it_did() -> None:
    club = karate_club()
    known = split_of(club, "club")
    by_flow = adjusted_rand(flow_communities(club), known)
    by_louvain = np.median([adjusted_rand(louvain(club, seed), known) for seed in range(9)])
    assert by_flow > 0.5
    assert by_flow >= by_louvain


def test_planted_communities_are_found() -> None:
    graph = planted_communities(4, 25, 0.4, 0.02, seed=0)
    assert adjusted_rand(flow_communities(graph), split_of(graph, "block")) == 1.0


def test_scores_against_networkx_and_closed_forms() -> None:
    club = karate_club()
    labels = louvain(club)
    parts = [set(np.flatnonzero(labels == k)) for k in range(labels.max() + 1)]
    expected = nx.community.modularity(nx.Graph(club.edges), parts, weight=None)
    assert modularity(club, labels) == pytest.approx(expected, abs=1e-12)
    assert adjusted_rand([0, 0, 1, 2], [0, 0, 1, 1]) == pytest.approx(0.571428571, abs=1e-9)
    rng = np.random.default_rng(0)
    chance = [adjusted_rand(rng.integers(3, size=60), rng.integers(3, size=60)) for _ in range(200)]
    assert abs(np.mean(chance)) < 0.01


def test_bad_input() -> None:
    path = nx.path_graph(3)
    for bad in (
        {"step": 0.0}, {"step": 1.0}, {"alpha": 1.0}, {"noise": -1.0}, {"barrier": -1.0},
        {"floor": 1.0}, {"form": "hamilton"},
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=next(iter(bad))):
            RicciFlow(**bad)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="edges"):
        ricci_flow(nx.empty_graph(3))
    with pytest.raises(DataError, match="edges"):
        ricci_start(nx.empty_graph(1))
    with pytest.raises(ParameterError, match="rng"):
        ricci_step(path, ricci_start(path), RicciFlow(noise=1.0))
    with pytest.raises(ParameterError, match="steps"):
        ricci_flow(path, steps=0)
    with pytest.raises(ParameterError, match="cutoff"):
        ricci_flow(path, cutoff=0.0)
    with pytest.raises(ParameterError, match=r"length .* shape \(2,\)"):
        cut(path, [1.0], 2.0)
    with pytest.raises(ParameterError, match="attribute"):
        split_of(path, "club")
    with pytest.raises(ParameterError, match="labels"):
        modularity(path, [0, 1])


def test_real_graphs() -> None:
    assert karate_club().number_of_edges() == 78
    routes = airports()
    assert nx.is_connected(routes)
    # Boston to Los Angeles is about 4200 km.
    assert 4.1 < routes.edges["BOS", "LAX"]["length"] < 4.3


def test_as_written_a_sphere_is_a_point_in_finite_time_and_a_flat_cycle_stays() -> None:
    # κ is the same on every edge and does not change with the scale: w(t) = 1 − 2κt.
    flow = RicciFlow(step=0.01, form="written")
    run = ricci_flow(nx.complete_graph(5), flow, steps=100)
    expected = np.maximum(1 - 2 * 0.625 * run.time.values, flow.floor)
    np.testing.assert_allclose(run.length, np.repeat(expected[:, None], 10, axis=1), atol=1e-12)
    np.testing.assert_allclose(ricci_flow(nx.cycle_graph(8), flow, steps=50).length, 1.0)


def test_as_written_is_added_and_nothing_is_rescaled() -> None:
    graph = uneven(nx.balanced_tree(2, 3))
    flow = RicciFlow(step=0.05, form="written", noise=0.3)
    before = ricci_start(graph, flow)
    still, stirred = (
        ricci_step(graph, before, f, np.random.default_rng(3))
        for f in (RicciFlow(step=0.05, form="written"), flow)
    )
    np.testing.assert_allclose(still.length, before.length - 0.1 * before.curvature)
    one, two = (ricci_step(graph, before, RicciFlow(step=0.05, form="written", noise=x),
                           np.random.default_rng(3)).length - still.length
                for x in (0.3, 0.6))  # fmt: skip
    np.testing.assert_allclose(2 * one, two, atol=1e-12)
    # A divergence: what one edge gains others lose.
    assert stirred.length.sum() == pytest.approx(still.length.sum())
    assert still.length.sum() != pytest.approx(before.length.sum(), rel=1e-3)
    assert one.std() > 0


@given(st.floats(-5, 50), st.floats(1e-9, 10.0), st.sampled_from(["log", "inverse"]))
def test_a_barrier_is_the_implicit_step_of_its_force(before: float, push: float, energy) -> None:
    (after,) = pushed_up(np.array([before]), push, energy)
    force = push / after if energy == "log" else push / after**2
    assert after > 0
    if before > -0.1:  # else both sides of the next line are rounding
        assert after == pytest.approx(before + force, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("push", [0.001, 0.01, 0.05])
def test_the_documents_barrier_comes_to_rest_where_its_force_meets_the_curvature(push) -> None:
    # As written, 2κ = Λ/w² on a complete graph.
    flow = RicciFlow(step=0.01, form="written", barrier=push, energy="inverse", floor=0.0)
    run = ricci_flow(nx.complete_graph(5), flow, steps=1000)
    np.testing.assert_allclose(run.length[-1], np.sqrt(push / (2 * 0.625)), rtol=1e-6)


def test_the_documents_barrier_keeps_the_lengths_of_a_barbell() -> None:
    least = {}
    for push in (0.0, 0.01):
        flow = RicciFlow(step=0.5, floor=0.0, barrier=push, energy="inverse")
        least[push] = ricci_flow(nx.barbell_graph(5, 0), flow, steps=200).length.min("edge")
    assert float(least[0.0][-1]) < 1e-6 * float(least[0.0][100])
    assert float(least[0.01][-1]) == pytest.approx(float(least[0.01][100]), rel=1e-6)
