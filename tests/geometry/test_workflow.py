"""The workflow's phases, its conservation laws, and who balances best."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.spatial.distance import cdist

from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry import (
    Traffic,
    Workflow,
    arrivals,
    compare,
    error_rate,
    load_entropy,
    run_workflow,
    vectorised,
)
from entro_nb.geometry.workflow import (
    CLASSICAL,
    READINGS,
    cycle,
    metropolis_weights,
    serve_slot,
)
from entro_nb.graphs import as_graph, graph

GRID = graph("lattice", 16)


@settings(max_examples=20)
@given(st.sampled_from(READINGS), st.integers(0, 1000), st.floats(0.01, 0.49))
def test_nothing_is_lost_and_weights_stay_positive(reading: str, seed: int, rate: float) -> None:
    traffic = Traffic(slots=40)
    run = run_workflow(GRID, Workflow(rate, reading), traffic, seed=seed)  # type: ignore[arg-type]
    came = arrivals(GRID, traffic, seed).sum()
    assert came == pytest.approx(float(run.served.sum() + run.queue.isel(time=-1).sum()))
    assert float(run.queue.min()) >= 0
    np.testing.assert_allclose(run.conductance.mean("edge"), 1.0)
    assert float(run.conductance.min()) > 0


@pytest.mark.parametrize("policy", CLASSICAL)
def test_classical_policies_lose_nothing(policy: str) -> None:
    rng = np.random.default_rng(0)
    queue = 20 * rng.random(16)
    new = rng.poisson(3.0, 16)
    slot = serve_slot(GRID, queue, new, policy, Traffic())  # type: ignore[arg-type]
    assert float(slot.queue.sum()) + slot.served == pytest.approx(float(queue.sum() + new.sum()))
    assert slot.queue.min() >= 0
    assert (slot.moved == 0) == (policy == "none")


def test_metropolis_weights_match_their_definition() -> None:
    star = as_graph(nx.star_graph(4))
    assert metropolis_weights(star).tolist() == [0.2] * 4


def test_arrivals_have_the_mean_they_should() -> None:
    traffic = Traffic(utilisation=0.7, service=5.0, slots=4000, dwell=5)
    stream = arrivals(GRID, traffic, seed=1)
    assert stream.sum() / 4000 == pytest.approx(0.7 * 5.0 * 16, rel=0.01)


def test_the_two_readings_do_the_opposite() -> None:
    bell = as_graph(nx.barbell_graph(5, 0))
    load, ones = np.ones(10), np.ones(len(bell.edges))
    bridge = bell.edge_names.index((4, 5))
    as_bandwidth = cycle(bell, ones, load, Workflow(reading="conductance"))
    as_distance = cycle(bell, ones, load, Workflow(reading="length"))
    assert as_bandwidth.curvature[bridge] < 0
    assert not as_bandwidth.compress[bridge]
    assert as_bandwidth.conductance[bridge] > 1 > as_distance.conductance[bridge]


def test_the_proxy_never_expands() -> None:
    load = np.arange(16.0)
    phases = cycle(GRID, np.ones(len(GRID.edges)), load, Workflow(reading="proxy"))
    assert (phases.curvature >= 0).all()


def test_the_published_lock_holds_when_all_sits_on_one_node() -> None:
    ones = np.ones(len(GRID.edges))
    level, heap = np.ones(16), np.zeros(16)
    heap[5] = 16.0
    sound, published = Workflow(threshold=0.05), Workflow(threshold=2.0, published_lock=True)
    assert cycle(GRID, ones, level, sound).locked
    assert not cycle(GRID, ones, heap, sound).locked
    assert not cycle(GRID, ones, level, published).locked
    assert cycle(GRID, ones, heap, published).locked


def test_entropy_of_the_load() -> None:
    assert load_entropy(np.ones(8)) == pytest.approx(math.log(8))
    assert load_entropy(np.zeros(8)) == pytest.approx(math.log(8))
    assert load_entropy([3.0, 0.0]) == 0.0


def test_plain_diffusion_beats_every_reading_of_the_flow() -> None:
    run = compare(GRID, replicates=3, traffic=Traffic(slots=150))
    latency = run.latency.mean("replicate")
    for reading in READINGS:
        assert latency.sel(policy="diffusion") < latency.sel(policy=f"iegn-{reading}")
        assert latency.sel(policy=f"iegn-{reading}") < latency.sel(policy="none")
    assert (run.messages.sel(policy="none") == 0).all()
    again = compare(GRID, ["diffusion"], replicates=2, traffic=Traffic(slots=150))
    np.testing.assert_array_equal(
        again.latency.sel(policy="diffusion"), run.latency.sel(policy="diffusion")[:2]
    )


def test_bad_input() -> None:
    for bad in ({"rate": 0.5}, {"rate": 0.0}, {"reading": "speed"}, {"every": 0}, {"floor": 0.0},
                {"threshold": -1.0}):  # fmt: skip
        with pytest.raises(ParameterError, match=next(iter(bad))):
            Workflow(**bad)  # type: ignore[arg-type]
    for bad in ({"utilisation": 1.0}, {"hot": 1.5}, {"dwell": 0}, {"service": 0.0}, {"slots": 1}):
        with pytest.raises(ParameterError, match=next(iter(bad))):
            Traffic(**bad)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="edges"):
        run_workflow(nx.empty_graph(3))
    with pytest.raises(ParameterError, match="policies"):
        compare(GRID, ["luck"])
    with pytest.raises(ParameterError, match="replicates"):
        compare(GRID, ["none"], replicates=1)
    with pytest.raises(DataError, match=r"load\[0\]"):
        load_entropy([math.nan])
    with pytest.raises(ParameterError, match=r"load\[1\]"):
        load_entropy([1.0, -1.0])


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_vectors_go_to_the_nearest_state(measure: str) -> None:
    rng = np.random.default_rng(0)
    items, state = rng.normal(size=(50, 6)), rng.normal(size=(9, 6))
    expected = cdist(items, state, measure).argmin(axis=1)
    np.testing.assert_array_equal(vectorised(items, state, measure), expected)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="6 components"):
        vectorised(items[:, :5], state)


@pytest.mark.parametrize("mapping", ["cosine", "euclidean"])
def test_mapped_load_is_what_arrives_and_the_hot_spot_gets_its_share(mapping: str) -> None:
    traffic = Traffic(slots=60, dwell=100, hot=0.5, mapping=mapping)  # type: ignore[arg-type]
    load = arrivals(GRID, traffic, 1)
    offered = traffic.utilisation * traffic.service * 16
    assert load.sum(axis=1).mean() == pytest.approx(offered, abs=5 * np.sqrt(offered / 60))
    assert 0.5 - 0.05 < (load.sum(axis=0) / load.sum()).max() < 0.9
    own = graph("lattice", 16).replace(state=np.eye(16))
    assert arrivals(own, traffic, 1).sum(axis=1).mean() == pytest.approx(offered, rel=0.1)


def test_energy_is_latency_and_error_rate() -> None:
    assert error_rate(np.zeros((3, 2)), Traffic()) == 0.0
    assert error_rate([[20.0], [30.0]], Traffic(service=4.0, patience=5.0)) == 10 / 50
    run = compare(GRID, ["none", "diffusion"], Traffic(slots=80), replicates=2)
    np.testing.assert_allclose(run.energy, run.latency + run.error_rate)
    assert (run.error_rate.sel(policy="none") > run.error_rate.sel(policy="diffusion")).all()
    assert ((run.error_rate >= 0) & (run.error_rate <= 1)).all()
