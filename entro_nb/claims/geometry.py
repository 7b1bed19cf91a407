"""Claims of IEGN (seed 004): G01 to G09."""

from __future__ import annotations

import networkx as nx
import numpy as np
from scipy.stats import spearmanr

from entro_nb import geometry, graphs
from entro_nb.claims.table import Finding, Reading
from entro_nb.geometry import Action, RicciFlow, Schedule, rugged
from entro_nb.results import Interval, mean_interval
from entro_nb.validate import FloatArray

NODES = 16
WALKERS = 4000
#: A rough landscape of eight states, and a temperature at which none of them is rare.
ENERGY, TEMPERATURE = np.array([0.0, 1.0, 0.4, 1.5, 0.2, 0.9, 0.7, 1.2]), 0.6


def _g01_stability(seed: int) -> Finding:
    x0 = np.random.default_rng(seed).random(NODES)
    radius, shrinks, apart = [], [], []
    for name in ("complete", "hypercube", "lattice", "star", "ring", "path"):
        graph = graphs.graph(name, NODES, seed=seed)
        step = 0.9 * graph.spectrum.bound
        radius.append(graph.spectrum.radius(step))
        run = geometry.consensus(graph, x0, step=step, steps=3000)
        shrinks.append(float(run.disagreement[-1]) < 1e-6)
        apart.append(abs(geometry.measured_rate(run) / graph.spectrum.rate(step) - 1))
    return Finding(
        Reading(
            f"ρ(I − αL) = {min(radius):.6f} on every one of {len(radius)} graphs; disagreement "
            f"vanishes on {sum(shrinks)}, at the rate of theory within {max(apart):.2%}",
            [max(radius) < 1, all(shrinks)],
        ),
        "The constant vector is an eigenvector of eigenvalue 1, so ρ is 1; what contracts is the "
        "disagreement, on connected graphs, for 0 < α < 2/λ_max.",
        instead="The bound is right for the disagreement; the fastest step is 2/(λ₂ + λ_max).",
    )


def _g02_boltzmann(seed: int) -> Finding:
    law = geometry.boltzmann(ENERGY, TEMPERATURE)

    def distance(temperature: float) -> float:
        final = geometry.metropolis(
            ENERGY, steps=400, walkers=WALKERS, seed=seed, temperature=temperature
        )
        counts = np.bincount(final, minlength=ENERGY.size)
        return float(geometry.total_variation(counts / WALKERS, law))

    noisy, descent = distance(TEMPERATURE), distance(0.0)
    pennies = geometry.biased_pennies(3.0)
    mixed = np.outer([1 / 2, 1 / 2], [1 / 3, 2 / 3]).ravel()
    astray = min(
        geometry.total_variation(geometry.stationary(geometry.logit_dynamics(pennies, lam)), mixed)
        for lam in np.geomspace(0.1, 10, 15)
    )
    return Finding(
        Reading(
            f"total variation from Boltzmann's law: {noisy:.3f} with noise, {descent:.3f} by "
            "gradient descent; from the Nash equilibrium of a game without a potential: at least "
            f"{astray:.2f}",
            [noisy < 0.05, descent < 0.05, astray < 0.05],
        ),
        "Noise at temperature λ is what makes a Boltzmann law; deterministic descent stops in the "
        "nearest minimum, and the link to Nash needs a potential game.",
        instead="True of Metropolis, Glauber and Langevin dynamics, and of logit dynamics in "
        "potential games.",
    )


def _g03_relief(seed: int) -> Finding:
    runs = geometry.compare(graphs.graph("lattice", 36), replicates=6, seed=seed).latency
    mean = runs.mean("replicate")
    latency = dict(zip(map(str, runs.policy.values), mean.values.tolist(), strict=True))
    best = min(latency, key=latency.__getitem__)
    flow = min((p for p in latency if p.startswith("iegn")), key=latency.__getitem__)
    published, nothing = latency["iegn-conductance"], latency["none"]
    club = geometry.karate_club()
    curvature = geometry.ollivier_ricci(club)
    through = nx.edge_betweenness_centrality(club)
    rank = float(spearmanr(*([of[e] for e in club.edges] for of in (curvature, through))).statistic)
    return Finding(
        Reading(
            f"latency on a grid: {published:.1f} slots as the document reads, "
            f"{latency[flow]:.1f} with {flow}, {nothing:.1f} without, {latency[best]:.1f} with "
            f"{best}; rank correlation of curvature and traffic on the karate club {rank:+.2f}",
            [published < nothing, rank > 0],
        ),
        "Negative curvature, not positive, marks the bottlenecks; reshaping the graph helps less "
        "than moving load along it.",
        mean_interval((runs.sel(policy=flow) - runs.sel(policy="diffusion")).values),
        "t-interval (95 %) over seeds",
        instead=f"{best.replace('_', ' ').capitalize()} balancing has the least latency there.",
    )


def _g04_byzantine(seed: int) -> Finding:
    halls = {"robust": geometry.robust_graph(12, 3, seed=seed), "complete": nx.complete_graph(9)}
    study = geometry.byzantine_study(halls, [1], runs=20, steps=300, value=2.0, seed=seed)
    share = study.share.min("strategy").sel(liars=1)
    plain, robust = (float(share.sel(rule=rule).mean()) for rule in ("average", "w-msr"))
    return Finding(
        Reading(
            f"with one liar, honest nodes agree within their range in {plain:.0%} of runs",
            plain == 1,
        ),
        "Averaging goes where a stubborn node stands: one liar moves everybody, on any connected "
        "graph.",
        instead=f"W-MSR on (2F + 1)-robust graphs does it: {robust:.0%} of the same runs.",
    )


def _g05_constant_time(seed: int) -> Finding:
    sizes = np.array([250, 500, 1000, 2000])
    pairs = sizes * (sizes - 1) // 2
    growth = float(np.polyfit(np.log(sizes), np.log(pairs), 1)[0])
    return Finding(
        Reading(
            f"distances in a step grow as N to the power {growth:.2f}",
            growth <= 0.1,
        ),
        "Every pair of nodes has an entry that depends on its own distance and loads; parallel "
        "hardware divides the work, it does not remove it.",
        instead="On a sparse graph the exact curvature costs a constant amount an edge.",
    )


def _optimizer(n_nodes: int, rng: np.random.Generator) -> geometry.ManifoldOptimizer:
    """The published code, on nodes of random loads."""
    nodes = [geometry.IEGN_Node(k, load) for k, load in enumerate(rng.random(n_nodes))]
    return geometry.ManifoldOptimizer(nodes, learning_rate=0.01)


def _g06_cosmological(seed: int) -> Finding:
    optimizer = _optimizer(20, np.random.default_rng(seed))
    for _ in range(50):
        optimizer.step_ricci_flow()
    zero = float((optimizer.adj_matrix == 0).mean())
    flows = RicciFlow(step=0.5, floor=0.0), RicciFlow(step=0.5, floor=0.0, barrier=0.05)
    without, barred = (
        float(geometry.ricci_flow(nx.barbell_graph(5, 0), flow, steps=200).length.min())
        for flow in flows
    )
    return Finding(
        Reading(
            f"{zero:.0%} of the weights of the published code are zero; least edge of the sound "
            f"flow {without:.0e} without a barrier, {barred:.2f} with a logarithmic one",
            zero == 0,
        ),
        "The term holds distances between state vectors, on which no weight depends; and the "
        "published code does not contain it.",
        instead="A barrier −Λ log w or a floor on w keeps every edge.",
    )


def _g07_minimised(seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    optimizer = _optimizer(30, rng)
    actions = [optimizer.minimize_action() for _ in range(100)]
    grid = graphs.graph("lattice", 9)
    start, push = rng.normal(size=9), rng.normal(size=9)
    rest = geometry.integrate(grid, start, push, Action(temperature=0.3, damping=1.0), steps=4000)
    left = float(np.abs(geometry.force(grid, rest.q[-1], Action(temperature=0.3))).max())
    return Finding(
        Reading(
            f"L = {actions[0]:.4f} at the first step and {actions[-1]:.4f} after {len(actions)}",
            actions[-1] < actions[0],
            proved=bool(actions[0] == actions[-1]),
        ),
        "The function computes L and returns it; weights start at zero and stay there, loads never "
        "move, so nothing changes.",
        instead=f"The Euler–Lagrange equations with friction come to rest (largest force left "
        f"{left:.0e}); a stationary action is not a least one.",
    )


def _g08_global_optimum(seed: int) -> Finding:
    places = np.linspace(-8, 8, 1601)
    lowest = float(places[np.argmin([rugged(x) for x in places])])

    def there(x: FloatArray) -> Interval:
        return mean_interval((np.abs(x - lowest) < 0.5).astype(float))

    crowd = WALKERS // 4
    descent = there(geometry.descend(crowd, seed=seed))
    annealed = there(geometry.anneal(Schedule(1.0, 0.02), steps=8000, walkers=crowd, seed=seed))
    return Finding(
        Reading(
            f"{descent.value:.0%} of descents end in the lowest minimum",
            descent.value >= 0.99,
        ),
        "Descent ends in the minimum of the valley where it begins.",
        descent,
        "t-interval (95 %) over seeds",
        instead=f"Slow annealing brings {annealed.value:.0%} of the same walkers there.",
    )


def _g09_noise(seed: int) -> Finding:
    def movement(n: int, noise: float) -> float:
        flow = RicciFlow(step=0.2, noise=noise)
        run = geometry.ricci_flow(nx.cycle_graph(n), flow, steps=300, seed=seed)
        return float(np.log(run.length).diff("time").isel(time=slice(150, None)).std())

    still, small, large = movement(8, 0.0), movement(8, 1.0), movement(64, 1.0)
    return Finding(
        Reading(
            f"movement per step: {still + 0.0:.4f} without noise, {small:.4f} with it at N = 8, "
            f"{large:.4f} at N = 64",
            [small > 10 * still + 1e-12, large > 0.5 * small],
        ),
        "Noise keeps the flow moving; the factor 1/N before it makes the movement fade as the "
        "network grows.",
        instead="Without the factor 1/N it holds at any size.",
    )
