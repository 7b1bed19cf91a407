"""Lagrangian, Euler–Lagrange equations and their integrator; the seed's classes."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb import IEGN_Node, ManifoldOptimizer, graphs
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.geometry import (
    Action,
    RicciFlow,
    critical_temperature,
    discrete_action,
    force,
    integrate,
    lagrangian,
    lagrangian_as_coded,
    rest_energy,
    ricci_start,
    ricci_step,
)
from entro_nb.geometry.action import COMPONENTS, stable_step, step_cost

GRID = graphs.graph("lattice", 9)


def test_terms_by_hand() -> None:
    graph = nx.Graph()
    graph.add_edge(0, 1, conductance=3.0)
    action = Action(mass=2.0, backlog=0.5, temperature=0.25)
    terms = lagrangian(graph, [1.0, -1.0], [1.0, 2.0], action)
    p = np.exp([1.0, -1.0]) / np.exp([1.0, -1.0]).sum()
    assert terms.kinetic == pytest.approx(0.5 * 2 * (1 + 4))
    assert terms.potential == pytest.approx(0.5 * 3 * 4 + 0.5 * 0.5 * 2)
    assert terms.entropy == pytest.approx(-(p * np.log(p)).sum())
    assert terms.lagrangian == pytest.approx(terms.kinetic - terms.potential - 0.25 * terms.entropy)
    free = lagrangian(graph, [1.0, -1.0], [1.0, 2.0], Action(2.0, 0.5, 0.25, "free_energy"))
    assert free.energy == pytest.approx(terms.kinetic + terms.potential - 0.25 * terms.entropy)


@given(
    st.integers(0, 10**6),
    st.floats(0.0, 3.0),
    st.sampled_from(["lagrangian", "free_energy"]),
    st.floats(0.1, 3.0),
)
def test_force_is_the_slope(seed: int, temperature: float, sign: str, scale: float) -> None:
    action = Action(temperature=temperature, sign=sign)  # type: ignore[arg-type]
    q = scale * np.random.default_rng(seed).standard_normal(9)
    zero = np.zeros(9)
    h = 1e-5
    numerical = np.array(
        [
            lagrangian(GRID, q - h * e, zero, action).energy
            - lagrangian(GRID, q + h * e, zero, action).energy
            for e in np.eye(9)
        ]
    ) / (2 * h)
    np.testing.assert_allclose(force(GRID, q, action), numerical, atol=1e-7)


def test_harmonic_motion_has_its_closed_form() -> None:
    graph, h = nx.path_graph(2), 0.01
    run = integrate(
        graph, [1.0, -1.0], [0.0, 0.0], Action(backlog=0.0, temperature=0.0, step=h), steps=1000
    )
    # The difference of two equal masses on one spring: ω² = 2; Störmer–Verlet shifts it to
    # (2/h) arcsin(ωh/2), exactly.
    omega = 2 / h * math.asin(math.sqrt(2) * h / 2)
    np.testing.assert_allclose(run.q[:, 0], np.cos(omega * run.time), atol=1e-10)


def test_energy_error_stays_bounded_over_a_million_steps() -> None:
    rng = np.random.default_rng(0)
    action = Action(temperature=0.5, step=0.1)
    run = integrate(GRID, rng.normal(size=9), rng.normal(size=9), action, steps=10**6, every=1000)
    error = np.abs(run.energy - run.energy[0]).values / float(run.energy[0])
    assert error[-200:].max() < 2 * error[1:201].max() < 0.02
    coarse, fine = (
        np.abs(e - e[0]).max()
        for e in (
            integrate(
                GRID, np.arange(9.0) / 9, np.zeros(9), Action(step=h), steps=round(50 / h)
            ).energy.values
            for h in (0.1, 0.05)
        )
    )
    assert coarse / fine == pytest.approx(4.0, rel=0.2)  # second order


def test_motion_runs_backwards() -> None:
    rng = np.random.default_rng(1)
    q, v = rng.normal(size=9), rng.normal(size=9)
    there = integrate(GRID, q, v, steps=500)
    back = integrate(GRID, there.q[-1], -there.velocity[-1], steps=500)
    np.testing.assert_allclose(back.q[-1], q, atol=1e-9)


def test_action_is_stationary_and_not_least() -> None:
    rng = np.random.default_rng(2)
    action = Action(temperature=0.3, backlog=1.0, step=0.05)
    q = rng.normal(size=9)
    run = integrate(GRID, q, np.zeros(9), action, steps=200)
    path = run.q.values
    there = discrete_action(GRID, path, action)
    bump = rng.normal(size=path.shape)
    bump[[0, -1]] = 0.0
    small = 1e-5
    slope = (
        discrete_action(GRID, path + small * bump, action)
        - discrete_action(GRID, path - small * bump, action)
    ) / (2 * small)
    assert abs(slope) < 1e-6 * np.abs(bump).sum()
    # Ten units of time are more than half a period: a slow bend lowers the action …
    slow = np.sin(np.linspace(0, np.pi, len(path)))[:, None] * np.ones(9)
    assert discrete_action(GRID, path + slow, action) < there
    # … and a quick wiggle raises it: a saddle.
    quick = np.sin(np.linspace(0, 60 * np.pi, len(path)))[:, None] * np.ones(9)
    assert discrete_action(GRID, path + quick, action) > there


def test_friction_brings_it_to_the_minimum() -> None:
    rng = np.random.default_rng(3)
    start = rng.normal(size=9)
    run = integrate(GRID, start, np.zeros(9), Action(damping=1.0, step=0.1), steps=4000)
    assert np.abs(force(GRID, run.q[-1])).max() < 1e-10
    assert float(run.energy[-1]) == pytest.approx(rest_energy(GRID), abs=1e-12)
    assert (run.energy.diff("time") < 1e-4).all()
    free = integrate(GRID, start, np.zeros(9), Action(step=0.1), steps=4000)
    assert np.abs(force(GRID, free.q[-1])).max() > 0.01


@pytest.mark.parametrize("name", ["ring", "complete", "lattice"])
def test_critical_temperature(name: str) -> None:
    graph = graphs.graph(name, 9)
    critical = critical_temperature(graph, Action(backlog=0.2))
    rng = np.random.default_rng(0)
    nudge = 1e-3 * rng.normal(size=9)

    def ends(factor: float, sign: str) -> float:
        action = Action(
            backlog=0.2,
            temperature=factor * critical,
            sign=sign,
            damping=2.0,
            step=0.05,  # type: ignore[arg-type]
        )
        run = integrate(graph, nudge, np.zeros(9), action, steps=40000, every=40000)
        return float(run.q.isel(time=-1).std())

    assert ends(0.9, "lagrangian") < 1e-5
    assert ends(1.1, "lagrangian") > 0.1
    assert ends(1.1, "free_energy") < 1e-5


def test_stable_step_bounds_the_curvature_of_the_potential() -> None:
    rng = np.random.default_rng(4)
    network_action = Action(temperature=2.0, sign="free_energy")
    worst = 0.0
    h = 1e-5
    for scale in (0.1, 1.0, 3.0):
        q = scale * rng.normal(size=9)
        hessian = -np.array(
            [
                (force(GRID, q + h * e, network_action) - force(GRID, q - h * e, network_action))
                / (2 * h)
                for e in np.eye(9)
            ]
        )
        worst = max(worst, float(np.linalg.eigvalsh((hessian + hessian.T) / 2).max()))
    assert stable_step(GRID, network_action) <= 2 / math.sqrt(worst)


def test_as_coded_counts_every_edge_twice() -> None:
    adjacency = nx.to_numpy_array(GRID.to_networkx())
    assert lagrangian_as_coded(np.zeros(9), adjacency) == -2 * GRID.n_edges


def test_bad_input() -> None:
    for bad in ({"mass": 0.0}, {"backlog": -1.0}, {"temperature": -1.0}, {"sign": "plus"},
                {"damping": -1.0}, {"step": 0.0}, {"mass": math.nan}):  # fmt: skip
        with pytest.raises(ParameterError, match=next(iter(bad))):
            Action(**bad)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="stability limit"):
        integrate(GRID, np.zeros(9), np.zeros(9), Action(step=5.0))
    with pytest.raises(ParameterError, match=r"q .* shape \(9,\)"):
        integrate(GRID, np.zeros(8), np.zeros(9))
    with pytest.raises(DataError, match=r"q\[0\]"):
        force(GRID, [math.nan] * 9)
    with pytest.raises(ParameterError, match="path"):
        discrete_action(GRID, np.zeros((1, 9)))
    with pytest.raises(ParameterError, match="adjacency"):
        lagrangian_as_coded([1.0], np.zeros((2, 2)))


def test_one_node_and_no_edges() -> None:
    assert lagrangian(nx.empty_graph(1), [0.0], [1.0]).entropy == 0.0
    run = integrate(nx.empty_graph(2), [1.0, 0.0], [0.0, 0.0], steps=5)
    assert run.sizes["node"] == 2


def pseudo_code(
    adjacency: np.ndarray, loads: np.ndarray, states: np.ndarray, rate: float
) -> np.ndarray:
    """Seed 004, §3.2, written out as a double loop."""
    n = len(loads)
    delta = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            d = np.linalg.norm(states[i] - states[j])
            delta[i][j] = delta[j][i] = -2 * (abs(loads[i] - loads[j]) / (d + 1e-9)) * rate
    return np.maximum(adjacency + delta, 0)


def nodes(n: int, seed: int = 0) -> list[IEGN_Node]:
    rng = np.random.default_rng(seed)
    return [IEGN_Node(k, float(rng.normal())) for k in range(n)]


@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(0.001, 1.0))
def test_step_matches_the_pseudo_code(n: int, seed: int, rate: float) -> None:
    optimizer = ManifoldOptimizer(nodes(n, seed), rate)
    optimizer.adj_matrix = np.random.default_rng(seed).normal(size=(n, n))  # asymmetric, signed
    loads = np.array([node.current_load for node in optimizer.nodes])
    states = np.array([node.state_vector for node in optimizer.nodes])
    expected = pseudo_code(optimizer.adj_matrix, loads, states, rate)
    optimizer.step_ricci_flow()
    np.testing.assert_allclose(optimizer.adj_matrix, expected, rtol=0, atol=1e-12)


def test_nodes_at_the_same_place() -> None:
    pair = nodes(2)
    pair[1].state_vector = pair[0].state_vector.copy()
    optimizer = ManifoldOptimizer(pair, 1e-12)
    optimizer.adj_matrix = np.ones((2, 2))
    expected = pseudo_code(
        np.ones((2, 2)),
        np.array([n.current_load for n in pair]),
        np.array([n.state_vector for n in pair]),
        1e-12,
    )
    optimizer.step_ricci_flow()
    np.testing.assert_allclose(optimizer.adj_matrix, expected, atol=1e-12)


def test_it_stays_at_zero_for_ever() -> None:
    optimizer = ManifoldOptimizer(nodes(10), 0.05)
    values = [optimizer.minimize_action() for _ in range(50)]
    assert not optimizer.adj_matrix.any()
    loads = np.array([node.current_load for node in optimizer.nodes])
    assert values == [pytest.approx(float((loads**2).sum()))] * 50  # and nothing is minimised


def test_action_as_coded() -> None:
    optimizer = ManifoldOptimizer(nodes(3))
    optimizer.adj_matrix = np.full((3, 3), 2.0)
    loads = np.array([node.current_load for node in optimizer.nodes])
    assert optimizer.minimize_action() == pytest.approx(float((loads**2).sum()) - 18.0)


def test_curvature_of_a_pair_is_the_proxy() -> None:
    optimizer = ManifoldOptimizer(nodes(3))
    a, b = optimizer.nodes[0], optimizer.nodes[2]
    expected = abs(a.current_load - b.current_load) / (
        np.linalg.norm(a.state_vector - b.state_vector) + 1e-9
    )
    assert optimizer.compute_ricci_curvature(0, 2) == pytest.approx(expected)
    assert optimizer.compute_ricci_curvature(1, 1) == 0.0


def test_on_a_graph_it_is_the_flow() -> None:
    graph = nx.barbell_graph(4, 0)
    graph = nx.relabel_nodes(graph, {k: 7 - k for k in graph})  # listed in another order
    optimizer = ManifoldOptimizer(nodes(8), 0.1, graph=graph)
    assert optimizer.compute_ricci_curvature(3, 4) < 0 < optimizer.compute_ricci_curvature(0, 1)
    parameters = RicciFlow(step=0.2)
    state = ricci_start(graph, parameters)
    for _ in range(5):
        optimizer.step_ricci_flow()
        state = ricci_step(graph, state, parameters)
    for (u, v), length in zip(graph.edges, state.length, strict=True):
        assert optimizer.adj_matrix[u, v] == optimizer.adj_matrix[v, u] == pytest.approx(length)
    assert np.count_nonzero(optimizer.adj_matrix) == 2 * graph.number_of_edges()
    with pytest.raises(ParameterError, match="edge of the graph"):
        optimizer.compute_ricci_curvature(0, 7)


def test_state_vectors_repeat_and_differ() -> None:
    assert (IEGN_Node(1, 0.0).state_vector == IEGN_Node(1, 5.0).state_vector).all()
    assert (IEGN_Node(1, 0.0).state_vector != IEGN_Node(2, 0.0).state_vector).any()


def test_bad_input_to_the_classes_of_the_seed() -> None:
    for load in (math.nan, math.inf):
        with pytest.raises(ParameterError, match="load"):
            IEGN_Node(0, load)
    with pytest.raises(ParameterTypeError):
        IEGN_Node(0, "heavy")  # type: ignore[arg-type]
    with pytest.raises(DataError):
        ManifoldOptimizer([])
    with pytest.raises(ParameterTypeError):
        ManifoldOptimizer([1, 2])  # type: ignore[list-item]
    for rate in (0.0, -1.0, math.nan):
        with pytest.raises(ParameterError, match="learning_rate"):
            ManifoldOptimizer(nodes(2), rate)
    with pytest.raises(ParameterError, match="step"):
        ManifoldOptimizer(nodes(2), 0.5, graph=nx.path_graph(2))
    with pytest.raises(ParameterError, match="nodes 0 … 1"):
        ManifoldOptimizer(nodes(2), graph=nx.path_graph(3))
    with pytest.raises(ParameterError, match="j = 2"):
        ManifoldOptimizer(nodes(2)).compute_ricci_curvature(0, 2)
    spoilt = ManifoldOptimizer(nodes(2))
    spoilt.nodes[1].current_load = math.nan
    with pytest.raises(DataError, match=r"load\[1\]"):
        spoilt.step_ricci_flow()
    spoilt = ManifoldOptimizer(nodes(2))
    spoilt.adj_matrix = np.zeros((3, 3))
    with pytest.raises(ParameterError, match="adj_matrix"):
        spoilt.step_ricci_flow()


def test_every_node_has_its_own_mass() -> None:
    # Two masses on one spring: ω² = 1/m₁ + 1/m₂ of the relative motion; momentum is kept.
    graph, mass = nx.path_graph(2), (1.0, 3.0)
    action = Action(mass=mass, backlog=0.0, temperature=0.0, step=1e-3)
    run = integrate(graph, [0.75, -0.25], [0.0, 0.0], action, steps=2000)
    np.testing.assert_allclose(
        run.q[:, 0] - run.q[:, 1], np.cos(np.sqrt(4 / 3) * run.time), atol=1e-6
    )
    np.testing.assert_allclose(run.velocity.values @ np.array(mass), 0.0, atol=1e-12)
    np.testing.assert_allclose(run.kinetic, 0.5 * (run.velocity.values**2 @ np.array(mass)))
    assert lagrangian(graph, [0.0, 0.0], [2.0, 2.0], action).kinetic == 8.0
    for bad in ((1.0, 0.0), (1.0, math.nan)):
        with pytest.raises(ParameterError, match=r"mass\[1\]"):
            Action(mass=bad)
    with pytest.raises(ParameterError, match=r"mass .* shape \(2,\)"):
        lagrangian(graph, [0.0, 0.0], [0.0, 0.0], Action(mass=(1.0, 2.0, 3.0)))


@pytest.mark.parametrize("n", [1, 2, 7, 16])
def test_operations_by_their_closed_form(n: int) -> None:
    step, action, work = step_cost(n)
    pairs = n * (n - 1) // 2
    assert step == (0 if n == 1 else 2 + math.log2(COMPONENTS) + 7)
    assert action == max(1 + math.ceil(math.log2(n)), math.ceil(math.log2(n * n))) + 1
    assert work == pairs * (3 * COMPONENTS + 8) + n * n + 2 * n - 1
