"""Claims of IEGN (004): G01 to G12."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx
import numpy as np
from scipy.stats import spearmanr

from entro_nb import geometry, graphs
from entro_nb.claims.table import Finding, Reading
from entro_nb.geometry import Action, RicciFlow, Schedule, Workflow, rugged
from entro_nb.geometry.curvature import curvature_and_distance
from entro_nb.geometry.flow import FlowState
from entro_nb.results import Interval, mean_interval
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

NODES = 16
WALKERS = 4000
#: A rough landscape of eight states, and a temperature at which none of them is rare.
ENERGY, TEMPERATURE = np.array([0.0, 1.0, 0.4, 1.5, 0.2, 0.9, 0.7, 1.2]), 0.6
#: Temperature at which players are nearly cold.
COLD = 0.1
#: Sizes over which growth is measured.
SIZES = (64, 256, 1024)
#: Joules of a message, of a unit of work moved and of one that waits a slot; none are known.
PRICES: Mapping[str, float] = {}


class Averaged(NamedTuple):
    """Averaging on several graphs, at nine tenths of the largest step."""

    radius: list[float]  #: ρ(I − αL)
    left: list[float]  #: disagreement after 3000 steps
    apart: float  #: measured rate against that of theory, as a fraction


def _measured_stability(seed: int) -> Averaged:
    x0 = np.random.default_rng(seed).random(NODES)
    radius, left, apart = [], [], []
    for name in ("complete", "hypercube", "lattice", "star", "ring", "path"):
        graph = graphs.graph(name, NODES, seed=seed)
        step = 0.9 * graph.spectrum.bound
        run = geometry.consensus(graph, x0, step=step, steps=3000)
        radius.append(graph.spectrum.radius(step))
        left.append(float(run.disagreement[-1]))
        apart.append(abs(geometry.measured_rate(run) / graph.spectrum.rate(step) - 1))
    return Averaged(radius, left, max(apart))


def _g01_stability(seed: int) -> Finding:
    radius, left, apart = _measured_stability(seed)
    vanished = max(left) < 1e-6
    return Finding(
        (
            Reading(
                f"ρ(I − αL) = {min(radius):.6f} to {max(radius):.6f} on {len(radius)} graphs; "
                f"largest disagreement after 3000 steps {max(left):.0e}",
                [max(radius) < 1 - 1e-9, vanished],
                "ρ over all states, and e(k) → 0",
            ),
            Reading(
                f"rate of theory met within {apart:.2%}",
                [vanished, apart < 0.01],
                "ρ on what differs from the mean",
                literal=False,
            ),
        ),
        "The constant vector is an eigenvector of eigenvalue 1, so ρ is 1; what contracts is the "
        "disagreement, on connected graphs, for 0 < α < 2/λ_max.",
        instead="The bound is right for the disagreement; the fastest step is 2/(λ₂ + λ_max).",
        chosen=f"six connected graphs of {NODES} nodes, α at 0.9 of the bound: ours",
    )


def _measured_descent() -> dict[str, float]:
    """Total variation from Boltzmann's law after descent of F, by way."""
    law = geometry.boltzmann(ENERGY, TEMPERATURE)
    return {
        "over distributions": _distance_after("mirror", 400, law),
        "in softmax weights": _distance_after("softmax", 20_000, law),
    }


def _distance_after(way: str, steps: int, law: FloatArray) -> float:
    laws = geometry.descend_free_energy(ENERGY, TEMPERATURE, way=way, steps=steps)  # type: ignore[arg-type]
    return geometry.total_variation(laws[-1], law)


def _measured_walk(temperature: float, seed: int) -> float:
    """Total variation between walkers by Metropolis and Boltzmann's law at λ = 0.6."""
    final = geometry.metropolis(
        ENERGY, steps=400, walkers=WALKERS, seed=seed, temperature=temperature
    )
    share = np.bincount(final, minlength=ENERGY.size) / WALKERS
    return geometry.total_variation(share, geometry.boltzmann(ENERGY, TEMPERATURE))


class Players(NamedTuple):
    """Three players who share three resources, and a game without a potential."""

    on_nash: float  #: mass of Boltzmann's law on equilibria, cold
    own_gap: float  #: from Boltzmann's law where each descends its own F, at λ = 1
    own_on_nash: float  #: mass on equilibria there, cold
    astray: float  #: least distance from the equilibrium without a potential, over λ


def _measured_players() -> Players:
    sharing = geometry.congestion_game(3, [1.0, 1.3, 2.0])
    phi, nash = geometry.potential(sharing), geometry.pure_nash(sharing)
    assert phi is not None

    def together(temperature: float) -> FloatArray:
        return functools.reduce(
            np.multiply.outer, geometry.quantal_response(sharing, temperature, steps=1000)
        )

    law, warm, cold = geometry.boltzmann(phi, COLD), together(1.0), together(COLD)
    mixed = np.outer([1 / 2, 1 / 2], [1 / 3, 2 / 3]).ravel()
    pennies = geometry.biased_pennies(3.0)
    astray = min(
        geometry.total_variation(geometry.stationary(geometry.logit_dynamics(pennies, lam)), mixed)
        for lam in np.geomspace(0.1, 10, 15)
    )
    return Players(
        float(sum(law[at] for at in nash)),
        geometry.total_variation(warm.ravel(), geometry.boltzmann(phi, 1.0).ravel()),
        float(sum(cold[at] for at in nash)),
        astray,
    )


def _g02_boltzmann(seed: int) -> Finding:
    descent, players = _measured_descent(), _measured_players()
    noisy, still = _measured_walk(TEMPERATURE, seed), _measured_walk(0.0, seed)
    return Finding(
        (
            Reading(
                "total variation from Boltzmann's law "
                + ", ".join(f"{value:.0e} {way}" for way, value in descent.items())
                + f"; that law has {players.on_nash:.1%} on equilibria when cold",
                [max(descent.values()) < 1e-6, players.on_nash > 0.99],
                "one F of the whole",
            ),
            Reading(
                f"total variation {players.own_gap:.2f} from Boltzmann's law at λ = 1; "
                f"{players.own_on_nash:.1%} on equilibria when cold",
                [players.own_gap < 0.05, players.own_on_nash > 0.99],
                "each agent its own F",
            ),
            Reading(
                f"at least {players.astray:.2f} from the equilibrium at every temperature",
                players.astray < 0.05,
                "a game without a potential, logit dynamics",
            ),
            Reading(
                f"total variation {noisy:.3f} of {WALKERS} walkers",
                noisy < 0.05,
                "one agent with noise: Metropolis at λ",
                literal=False,
            ),
            Reading(
                f"total variation {still:.3f}",
                still < 0.05,
                "one agent without: Metropolis at 0, descent of U",
                literal=False,
            ),
        ),
        "F of a distribution is convex and least at Boltzmann's law, so descent of it gets there; "
        "agents who each descend their own F end at a product of laws (quantal response), and the "
        "link to Nash needs a potential game and a low temperature.",
        instead="True of F over distributions, of Metropolis, Glauber and Langevin dynamics, and "
        "of logit dynamics in potential games.",
        chosen=f"landscape of 8 states, λ = {TEMPERATURE}, cold λ = {COLD}, the two games: ours; "
        "on equilibria 68 % at λ = 1",
    )


@functools.cache
def _measured_policies(seed: int) -> xr.Dataset:
    """The queueing network under every policy."""
    return geometry.compare(graphs.graph("lattice", 36), replicates=5, seed=seed)


class Signs(NamedTuple):
    """Rank correlations of curvature with what may be called congestion."""

    load: dict[str, list[float]]  #: load at the ends in the loop, by reading, on each graph
    paths: float  #: share of shortest paths on an edge of the karate club


@functools.cache
def _measured_signs(seed: int) -> Signs:
    club = geometry.karate_club()
    load: dict[str, list[float]] = {"conductance": [], "length": [], "proxy": []}
    for graph in (graphs.graph("lattice", 36), graphs.as_graph(club)):
        for reading, ranks in load.items():
            loop = Workflow(reading=reading)  # type: ignore[arg-type]
            run = geometry.run_workflow(graph, loop, seed=seed).isel(time=slice(0, None, 5))
            at_ends = run["load"].values[:, graph.edges].mean(axis=2)
            ranks.append(float(spearmanr(run.curvature.values.ravel(), at_ends.ravel()).statistic))
    curvature, through = geometry.ollivier_ricci(club), nx.edge_betweenness_centrality(club)
    pair = ([of[edge] for edge in club.edges] for of in (curvature, through))
    return Signs(load, float(spearmanr(*pair).statistic))


def _g03_relief(seed: int) -> Finding:
    runs, signs = _measured_policies(seed), _measured_signs(seed)
    mean = runs.mean("replicate")
    latency = dict(zip(map(str, runs.policy.values), mean.latency.values.tolist(), strict=True))
    spread = dict(zip(map(str, runs.policy.values), mean.load_variance.values, strict=True))
    best = min(latency, key=latency.__getitem__)
    flow = min((p for p in latency if p.startswith("iegn")), key=latency.__getitem__)
    names = {
        "conductance": "g as bandwidth (1.3)",
        "length": "g as distance (1.1)",
        "proxy": "the proxy (3.2)",
    }
    readings = [
        Reading(
            f"latency {latency[policy]:.1f} slots, {latency['none']:.1f} without; rank "
            f"correlation of R and load {signs.load[key][0]:+.2f} on a grid, "
            f"{signs.load[key][1]:+.2f} on the karate club",
            [
                latency[policy] < latency["none"],
                spread[policy] < spread["none"],
                min(signs.load[key]) > 0.05,
            ],
            name,
        )
        for key, name in names.items()
        for policy in [f"iegn-{key}"]
    ]
    readings.append(
        Reading(
            f"rank correlation of R and the share of shortest paths {signs.paths:+.2f}",
            signs.paths > 0,
            "congestion as traffic through an edge, lengths equal",
        )
    )
    return Finding(
        tuple(readings),
        "Load diffuses along the edges whatever their weights, and unequal weights slow it; where "
        "lengths hold the wait, R mostly rises with the load, but an edge that all traffic must "
        "take has negative curvature.",
        mean_interval(
            (runs.latency.sel(policy=flow) - runs.latency.sel(policy="diffusion")).values
        ),
        f"latency of {flow} over plain diffusion, 95 % t-interval over seeds",
        instead=f"{best.replace('_', ' ').capitalize()} balancing has the least latency there, "
        f"{latency[best]:.1f} slots.",
        chosen="queueing network, grid of 36 nodes, hot spot of a fifth of the load: ours; relief "
        "for shares of 0.1 to 0.4, and R rising with the load (by more than 0.05) for two readings",
    )


def _measured_meetings(seed: int) -> dict[tuple[str, int], float]:
    """Share of runs with honest agreement in the honest range, by rule and number of liars."""
    halls = {"robust": geometry.robust_graph(12, 3, seed=seed), "complete": nx.complete_graph(9)}
    study = geometry.byzantine_study(halls, [0, 1], runs=20, steps=300, value=2.0, seed=seed)
    share = study.share.min("strategy").mean("graph")
    return {
        (rule, liars): float(share.sel(rule=rule, liars=liars))
        for rule in ("average", "w-msr")
        for liars in (0, 1)
    }


def _g04_byzantine(seed: int) -> Finding:
    share = _measured_meetings(seed)

    def reading(rule: str, name: str, literal: bool) -> Reading:
        none, one = share[rule, 0], share[rule, 1]
        text = (
            f"honest nodes agree within their range in {none:.0%} of runs, with one liar {one:.0%}"
        )
        return Reading(text, [none == 1, one == 1], name, literal)

    plain = reading("average", "averaging, as the energy and the update rule are written", True)
    robust = reading("w-msr", "W-MSR on (2F + 1)-robust graphs", False)
    return Finding(
        (plain, robust),
        "Averaging agrees without a vote; but it goes where a stubborn node stands: one liar moves "
        "everybody, on any connected graph.",
        instead=f"W-MSR on (2F + 1)-robust graphs withstands one: {share['w-msr', 1]:.0%} of the "
        "same runs.",
        chosen="two graphs, four kinds of liar, the worst counted: ours",
    )


def _measured_operations() -> dict[int, tuple[int, int, int]]:
    return {n: geometry.step_cost(n) for n in (8, 16, 32)}


def _g05_constant_time(_: int) -> Finding:
    cost = _measured_operations()
    step, action, work = zip(*cost.values(), strict=True)
    sizes = ", ".join(map(str, cost))
    return Finding(
        (
            Reading(
                f"N = {sizes}: {', '.join(map(str, step))} operations one after the other in a "
                f"step of the adjacency, {', '.join(map(str, action))} in L = T − V",
                [max(step) == min(step), max(action) == min(action)],
                "a processor for every pair and component",
            ),
            Reading(
                f"{', '.join(map(str, work))} operations, {work[-1] / work[0]:.1f} times as many "
                f"for {max(cost) // min(cost)} times the nodes",
                max(work) == min(work),
                "a machine of one size",
            ),
        ),
        "An entry of the adjacency depends on its own two nodes alone, so that its chain has one "
        "length; a sum over all entries has a chain of 2 log₂ N, and the work is N².",
        instead="On a sparse graph the exact curvature costs a constant amount an edge.",
    )


def _optimizer(n_nodes: int, rng: np.random.Generator) -> geometry.ManifoldOptimizer:
    """The published code, on nodes of random loads."""
    nodes = [geometry.IEGN_Node(k, load) for k, load in enumerate(rng.random(n_nodes))]
    return geometry.ManifoldOptimizer(nodes, learning_rate=0.01)


def _measured_barbell(form: str, barrier: float) -> tuple[float, float]:
    """Least length of a barbell under the document's Λ, at half time and in the end."""
    step = 0.1 if form == "ni" else 0.01
    flow = RicciFlow(step, form, floor=0.0, barrier=barrier, energy="inverse")  # type: ignore[arg-type]
    least = geometry.ricci_flow(nx.barbell_graph(5, 0), flow, steps=400).length.min("edge")
    return float(least[200]), float(least[-1])


def _measured_zeros(seed: int, push: float = 0.0, start: float = 0.0) -> float:
    """Share of the weights of the published code that are zero after 50 steps.

    `push` is the slope of the term Λ Σ 1/d with respect to a weight.
    """
    optimizer = _optimizer(20, np.random.default_rng(seed))
    pairs = np.triu_indices(20, 1)
    optimizer.adj_matrix = np.full((20, 20), start)
    for _ in range(50):
        optimizer.step_ricci_flow()
        optimizer.adj_matrix = np.maximum(optimizer.adj_matrix - optimizer.alpha * push, 0.0)
    return float((optimizer.adj_matrix[pairs] == 0).mean())


def _g06_cosmological(seed: int) -> Finding:
    strengths = (0.001, 0.01, 0.05)
    least = {
        form: [_measured_barbell(form, barrier) for barrier in (0.0, *strengths)]
        for form in ("ni", "written")
    }

    def shown(form: str) -> str:
        (_, without), *kept = least[form]
        return f"{', '.join(f'{end:.2f}' for _, end in kept)} against {without:.0e} without"

    def kept(form: str) -> bool:
        return all(end > 0.9 * half > 0 for half, end in least[form][1:])

    code, inverse = _measured_zeros(seed), _measured_zeros(seed, push=1.0, start=0.3)
    plain = _measured_zeros(seed, start=0.3)
    return Finding(
        (
            Reading(
                f"least edge of a barbell for Λ = {', '.join(map(str, strengths))}: {shown('ni')} "
                f"(total kept), {shown('written')} (as 1.3 is written)",
                [kept("ni"), kept("written")],
                "d the length of an edge (1.1), which is its weight",
            ),
            Reading(
                f"{code:.0%} of the weights zero after 50 steps",
                code == 0,
                "d between state vectors, as the code has it",
            ),
            Reading(
                f"from 0.3, {inverse:.0%} of the weights zero after 50 steps with Λ = 1, "
                f"{plain:.0%} without",
                inverse == 0,
                "the weight as bandwidth, g = 1/d (1.3)",
            ),
        ),
        "The term holds up what d stands for: lengths rest where Λ/w² meets the curvature. No "
        "weight of the code enters its d, and weights that are 1/d are pushed down.",
        instead="A barrier −Λ log w or a floor on w keeps every edge, too.",
        chosen="barbell of two complete graphs of 5, steps 0.1 and 0.01, Λ 0.001 to 0.05: ours",
    )


def _measured_turns(start: float, seed: int) -> FloatArray:
    """L at each turn of the published code, from equal weights."""
    optimizer = _optimizer(30, np.random.default_rng(seed))
    optimizer.adj_matrix = np.full((30, 30), start)
    return np.array([optimizer.minimize_action() for _ in range(100)])


def _measured_rest(seed: int) -> float:
    """Largest force left on the grid after motion with friction."""
    rng, grid = np.random.default_rng(seed), graphs.graph("lattice", 9)
    start, push = rng.normal(size=9), rng.normal(size=9)
    rest = geometry.integrate(grid, start, push, Action(temperature=0.3, damping=1.0), steps=4000)
    return float(np.abs(geometry.force(grid, rest.q[-1], Action(temperature=0.3))).max())


def _g07_minimised(seed: int) -> Finding:
    def reading(start: float, name: str, literal: bool) -> Reading:
        action = _measured_turns(start, seed)
        return Reading(
            f"L = {action[0]:.4f} at the first turn and {action[-1]:.4f} after {len(action)}",
            action[-1] < action[0],
            name,
            literal,
            # R ≥ 0, so no weight ever rises; no load moves: L = Σ load² − Σ g cannot fall.
            proved=bool((np.diff(action) >= 0).all()),
        )

    return Finding(
        (
            reading(0.0, "as published, from zero weights", True),
            reading(1.0, "from weights of one", False),
        ),
        "R is never negative, so that no weight rises, and loads do not move: L = Σ load² − Σ g "
        "cannot fall, from any start.",
        instead="The Euler–Lagrange equations with friction come to rest (largest force left "
        f"{_measured_rest(seed):.0e}); a stationary action is not a least one.",
    )


def _measured_ends(ratio: float, seed: int) -> FloatArray:
    """V + λS where descent ends on the grid, from 200 starts; `ratio` is λ over λ_c."""
    grid, rng = graphs.graph("lattice", 9), np.random.default_rng(seed)
    temperature = ratio * geometry.critical_temperature(grid, Action())
    motion = Action(temperature=temperature, damping=2.0)
    ends = []
    for _ in range(200):
        start = 4 * rng.normal(size=9)
        run = geometry.integrate(grid, start, np.zeros(9), motion, steps=4000, every=4000)
        ends.append(float(run.energy[-1]))
    return np.array(ends)


def _measured_valleys(seed: int) -> tuple[Interval, Interval]:
    """Share of walkers in the lowest of the valleys of our landscape: descent and annealing."""
    places = np.linspace(-8, 8, 1601)
    lowest = float(places[np.argmin([rugged(x) for x in places])])
    crowd = WALKERS // 4
    ends = (
        geometry.descend(crowd, seed=seed),
        geometry.anneal(Schedule(1.0, 0.02), steps=8000, walkers=crowd, seed=seed),
    )
    first, second = (mean_interval((np.abs(x - lowest) < 0.5).astype(float)) for x in ends)
    return first, second


def _g08_global_optimum(seed: int) -> Finding:
    ratios = {0.0: "V as implemented: disagreement and backlog", 1.5: "V + λS (1.1) at λ = 1.5 λ_c"}
    readings = []
    for ratio, name in ratios.items():
        ends = _measured_ends(ratio, seed)
        there = int((ends < ends.min() + 1e-6).sum())
        text = f"{there} of {len(ends)} starts reach the lowest end"
        readings.append(Reading(text, there == len(ends), name))
    descent, annealed = _measured_valleys(seed)
    readings.append(
        Reading(
            f"{descent.value:.0%} of descents end in the lowest minimum",
            descent.value >= 0.99,
            "a landscape of many valleys, ours",
            literal=False,
        )
    )
    return Finding(
        tuple(readings),
        "Where the potential has one valley, descent ends in it from anywhere; the λS of 1.1 makes "
        "several at 0.7 of λ_c = N(λ₂ + k) and above, and descent ends in the one it begins in.",
        descent,
        "share of descents in our landscape, 95 % t-interval over walkers",
        instead=f"Slow annealing brings {annealed.value:.0%} of the same walkers there.",
        chosen="V (disagreement and backlog k = 0.1) and λ: ours, the document leaves both open; "
        "all starts up to 0.6 λ_c, fewer from 0.7 on",
    )


def _measured_movement(n: int, noise: float, seed: int) -> float:
    """Movement of lengths a step, late in the flow as written on a cycle, which is flat."""
    flow = RicciFlow(step=0.02, form="written", noise=noise)
    run = geometry.ricci_flow(nx.cycle_graph(n), flow, steps=150, seed=seed)
    return float(run.length.diff("time").isel(time=slice(75, None)).std())


def _measured_stir(seed: int) -> float:
    """Largest change of any weight in a late step of the published code."""
    optimizer = _optimizer(20, np.random.default_rng(seed))
    for _ in range(50):
        optimizer.step_ricci_flow()
    before = optimizer.adj_matrix.copy()
    optimizer.step_ricci_flow()
    return float(np.abs(optimizer.adj_matrix - before).max())


def _g09_noise(seed: int) -> Finding:
    still = _measured_movement(8, 0.0, seed)
    small, large = (_measured_movement(n, 1.0, seed) for n in (8, 64))
    code = _measured_stir(seed)
    return Finding(
        (
            Reading(
                f"movement a step {still + 0.0:.4f} without Φ; with it {small:.4f} at N = 8 and "
                f"{large:.4f} at N = 64",
                [small > 1e3 * still + 1e-9, large > 1e3 * still + 1e-9],
                "1.3 as written, Φ normal fluxes of one strength",
            ),
            Reading(
                f"largest change of a weight in a late step {code:.4f}",
                code > 1e-9,
                "the code of 3.2",
            ),
            Reading(
                f"movement {large:.4f} against {small:.4f} at 8 times the size",
                large > 0.5 * small,
                "1.3, felt alike at every size",
                literal=False,
            ),
        ),
        "Noise moves what it is added to, and the factor 1/N of 1.3 makes that fade as the network "
        "grows; the code has no Φ, and rests at zero.",
        instead="Without the factor 1/N the movement is the same at any size.",
        chosen="law and strength σ = 1 of Φ: ours, the document gives none; with σ growing as N "
        "the third reading holds",
    )


class Locality(NamedTuple):
    """Who must be known, on a path of 25 nodes with unequal lengths."""

    written: int  #: edges to the furthest one that a changed length moves, as 1.3 is written
    kept: int  #: the same where the total is kept
    furthest: int
    entry: float  #: share of the code's entries that do not have the changed node and move
    lock: float  #: share of the nodes whose load the test of entropy needs


def _measured_locality(seed: int) -> Locality:
    rng, n = np.random.default_rng(seed), 25
    path, length = graphs.graph("path", n), rng.uniform(0.8, 1.2, n - 1)

    def reach(form: str) -> int:
        flow, after = RicciFlow(form=form), []  # type: ignore[arg-type]
        for change in (1.0, 1.1):
            now = length * np.where(np.arange(n - 1) == 0, change, 1.0)
            state = FlowState(now, *curvature_and_distance(path, length=now))
            after.append(geometry.ricci_step(path, state, flow).length)
        return int(np.flatnonzero(np.abs(after[1] - after[0]) > 1e-12).max())

    optimizer = _optimizer(n, rng)
    before = [optimizer.compute_ricci_curvature(i, j) for i in range(1, n) for j in range(1, i)]
    optimizer.nodes[0].current_load += 1.0
    late = [optimizer.compute_ricci_curvature(i, j) for i in range(1, n) for j in range(1, i)]
    load = rng.random(n)
    entropy = geometry.load_entropy(load)
    needed = [abs(geometry.load_entropy(load + e) - entropy) > 1e-9 for e in 0.1 * np.eye(n)]
    return Locality(
        reach("written"),
        reach("ni"),
        n - 2,
        float(np.mean(np.array(before) != np.array(late))),
        float(np.mean(needed)),
    )


def _g10_no_coordination(seed: int) -> Finding:
    found = _measured_locality(seed)
    return Finding(
        (
            Reading(
                f"a changed length moves edges up to {found.written} away of {found.furthest}; a "
                f"changed load moves {found.entry:.0%} of the entries of other pairs",
                [found.written < found.furthest, found.entry == 0],
                "the flow: 1.3 as written, and the code's entries",
            ),
            Reading(
                f"its test of entropy needs the loads of {found.lock:.0%} of the nodes",
                found.lock < 1,
                "the loop of 3.1, with its lock",
            ),
            Reading(
                f"a changed length moves edges up to {found.kept} away of {found.furthest}",
                found.kept < found.furthest,
                "a flow that keeps its total, which 1.3 does not ask for",
                literal=False,
            ),
        ),
        "Curvature is local and so is a step of the flow; but whether the whole is level is known "
        "to nobody without a sum over all nodes, nor is α < 2/λ_max.",
        instead="Averaging can compute such sums without a centre, in more rounds.",
    )


def _measured_messages(seed: int) -> dict[str, list[int]]:
    """Messages until agreement within a thousandth, by graph, over the sizes."""
    names = {
        "random 4-regular": "regular",
        "hypercube": "hypercube",
        "grid": "lattice",
        "cycle": "ring",
        "complete": "complete",
    }
    return {
        name: [
            geometry.messages_to_agree(graphs.graph(kind, n, degree=4, seed=seed)) for n in SIZES
        ]
        for name, kind in names.items()
    }


def _g11_messages(seed: int) -> Finding:
    n = np.array(SIZES, dtype=float)

    def growth(values: FloatArray) -> float:
        return float(np.log(values[-1] / values[0]) / np.log(n[-1] / n[0]))

    square, linearithmic = growth(n * (n - 1)), growth(n * np.log(n))
    messages = _measured_messages(seed)
    grows = {name: growth(np.array(counts, dtype=float)) for name, counts in messages.items()}
    return Finding(
        tuple(
            Reading(
                f"{counts[-1]} messages at N = {SIZES[-1]}, growing as N to the {grows[name]:.2f}",
                [grows[name] < 0.99 * square, grows[name] < 0.99 * linearithmic],
                f"averaging on a {name} graph",
            )
            for name, counts in messages.items()
        ),
        "Averaging needs two messages an edge and a number of rounds set by the spectrum of the "
        "graph; the document names no graph.",
        instead="Few on expanders such as random regular graphs, more than a vote on a cycle; and "
        "what they agree on is a number near the mean, without liars.",
        obtained="messages grow as N to the "
        + ", ".join(f"{power:.2f} ({name})" for name, power in grows.items())
        + f"; n² of a vote {square:.2f}, n log n {linearithmic:.2f}",
        chosen=f"the graphs, agreement to a thousandth, N from {SIZES[0]} to {SIZES[-1]}: ours",
    )


def _measured_counts(seed: int) -> dict[str, dict[str, float]]:
    """Messages and moved work a slot, and slots that work waits, by policy."""
    mean = _measured_policies(seed).mean("replicate")
    return {
        policy: {
            "message": float(mean.messages.sel(policy=policy)),
            "move": float(mean.moved.sel(policy=policy)),
            "wait": float(mean.latency.sel(policy=policy)),
        }
        for policy in ("none", "diffusion", "iegn-conductance", "iegn-length", "iegn-proxy")
    }


def _g12_footprint(seed: int) -> Finding:
    counts = _measured_counts(seed)
    flows = [policy for policy in counts if policy.startswith("iegn")]
    readings = ()
    if PRICES:
        joules = {
            policy: sum(PRICES.get(what, 0.0) * count for what, count in of.items())
            for policy, of in counts.items()
        }
        readings = tuple(  # type: ignore[assignment]
            Reading(
                f"{joules[policy]:.1f} J, {joules['none']:.1f} J without",
                joules[policy] < joules["none"],
                policy,
            )
            for policy in flows
        )

    def between(what: str) -> str:
        low, high = (f(counts[policy][what] for policy in flows) for f in (min, max))
        return f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}"

    return Finding(
        readings,
        "It would need the joules of a message, of work moved and of work that waits on a machine "
        "that runs it, beside the same machine without; neither the document nor its code has "
        "any, and which policy is thriftier follows from them.",
        instead="Counted without prices: plain diffusion sends fewer messages and has less wait.",
        obtained=f"{between('message')} messages a slot, {between('move')} units of work moved, "
        f"{between('wait')} slots of wait; without the flow 0, 0 and {counts['none']['wait']:.1f}; "
        f"plain diffusion {counts['diffusion']['message']:.1f}, {counts['diffusion']['move']:.1f} "
        f"and {counts['diffusion']['wait']:.1f}",
    )
