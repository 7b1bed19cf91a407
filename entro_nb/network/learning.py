"""Learning measured: nodes that tune their weights in closed loop, episode by episode.

A network of the family's oscillators under one of its disturbances; every node learns its own
weights, the loss is the mean of (Ψ − Ψ*)² over nodes and steps, and every policy sees the same
noise. Weights are handed to a new node by fingerprints, a registry and a blend (seed 001). All of
the measuring is ours: the documents report one figure and no experiment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.graphs import Graph
from entro_nb.network import exchange, learner
from entro_nb.network.learner import START_WEIGHTS, AEWParameters, Gradient, project
from entro_nb.network.simulation import PLANT, Oscillator, Waveform, control, oscillate, waveform
from entro_nb.results import Objective, compiled, dataset, parameters_of, reduction_interval
from entro_nb.validate import Bounds, Count, FloatArray, Parameters, Positive, Seed, Share

if TYPE_CHECKING:
    import xarray as xr

#: Ways to choose weights, in the order of the figures.
POLICIES = ("fixed", "grid", "spsa", "alone", "collective", "published", "reversed")

#: Coordinate of the weights, and its units.
WEIGHTS = (("w1", "w2", "w3"), "1")

#: Ways in which weights move during an episode.
Policy = Literal["fixed", "alone", "collective", "published", "reversed"]

#: Steps after which a regime of the family repeats itself (once it is stationary).
PERIODS: dict[Waveform, int] = {"scraper": 200, "llm": 314}

#: First step from which each of them is stationary.
STATIONARY = {"scraper": 0, "llm": 1000}

#: Steps a new node is watched before it takes over weights, as in the family.
PROBE = 50


@dataclass(frozen=True)
class Task(Parameters):
    """What the nodes have to do.

    Attributes
    ----------
    n_nodes, steps : int
        Nodes and steps of an episode.
    regime : str
        Disturbance, see :func:`waveform`.
    heterogeneity : float
        Node i feels the disturbance times a gain in 1 ± heterogeneity.
    coupling : float
        κN of the exchange after each step, in [0, 2); 0 leaves the nodes alone.
    target : float
        Ψ*.
    theta : float
        θ of the control.
    start : int
        Step of the disturbance at which the episode begins.
    eta : float
        Learning rate η > 0.
    """

    n_nodes: Count = 5
    steps: Count = 800
    regime: Waveform = "scraper"
    heterogeneity: Share = 0.5
    coupling: Annotated[float, Bounds(0.0, 2.0, open_high=True)] = 0.0
    target: float = exchange.FAMILY_TARGET
    theta: float = 1.4
    start: validate.Natural = 0
    eta: Positive = 0.01

    def drives(self, seed: int) -> FloatArray:
        """Force on each node at each step, disturbance and noise, shape (steps, nodes)."""
        rng = np.random.default_rng(seed)
        gains = rng.uniform(1.0 - self.heterogeneity, 1.0 + self.heterogeneity, self.n_nodes)
        plant = Oscillator()
        noise = plant.noise * rng.standard_normal((self.steps, self.n_nodes))
        wave = waveform(self.regime, self.start + self.steps, plant.dt)[self.start :]
        return wave[:, np.newaxis] * gains + noise


@compiled
def _episode(
    forces: FloatArray, weights: FloatArray, plant: FloatArray, links: exchange.Links,
    strength: exchange.Gains, learns: bool, networked: bool, c: FloatArray, beta: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    """Loss, mean weights and states at each step; `weights` is learnt in place."""
    steps, n = forces.shape
    losses, trace, states = np.zeros(steps), np.zeros((steps, 3)), np.zeros((steps, n))
    psi = np.full(n, plant[PLANT.floor])
    velocity, acceleration, after = np.zeros(n), np.zeros(n), np.empty(n)
    learners = [learner.new_learner(beta, weights[i]) for i in range(n)]
    target = c[learner.AEW.target]
    for t in range(steps):
        for i in range(n):
            u = control(psi[i], velocity[i], acceleration[i], weights[i], plant[PLANT.theta])
            psi[i], velocity[i], acceleration[i] = oscillate(
                psi[i], velocity[i], u + forces[t, i], plant
            )
        if strength.linear > 0.0:
            exchange.exchange_into(after, psi, psi, links, strength, exchange.EVERYBODY)
            psi[:] = after
        total = 0.0
        for i in range(n):
            total += (psi[i] - target) ** 2
            states[t, i] = psi[i]
        losses[t] = total / n
        if learns:
            mean_error = psi.mean() - target
            for i in range(n):
                learner.learn(
                    learners[i], psi[i], velocity[i], acceleration[i], mean_error, networked, c
                )
        for i in range(n):
            trace[t] += weights[i] / n
    return losses, trace, states


def _run_episode(
    task: Task, seed: int, weights: FloatArray, policy: str
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Loss, mean weights and states at each step of an episode, and the weights at its end."""
    gradients: dict[str, Gradient] = {"published": "trend", "reversed": "reversed"}
    rule = AEWParameters(
        task.eta, task.target, gradient=gradients.get(policy, "collective"),
        published=policy == "published",
    )  # fmt: skip
    plant, n = Oscillator(theta=task.theta), task.n_nodes
    own = np.array(np.broadcast_to(weights, (n, 3)))
    run = _episode(
        task.drives(seed), own, plant.coefficients(), exchange.links_of(Graph.complete(n)),
        exchange.Gains(task.coupling / n, low=plant.floor), policy != "fixed", policy != "alone",
        rule.coefficients(), rule.beta,
    )  # fmt: skip
    return *run, own


@validate.checked
def episode(
    task: Task, policy: Policy, seed: Seed, weights: npt.ArrayLike = START_WEIGHTS
) -> xr.Dataset:
    """One episode of one policy.

    Parameters
    ----------
    task : Task
        What the nodes have to do.
    policy : {"fixed", "alone", "collective", "published", "reversed"}
        How the weights move: not at all, by each node's own gradient, with the network's in
        the documents' form, as the published class does, or in the opposite direction.
    seed : int
        Seed of gains and noise.
    weights : array_like
        Weights at the start, shape (3,) or (nodes, 3).

    Returns
    -------
    xarray.Dataset
        `loss` over ``time`` (mean over nodes of (Ψ − Ψ*)², psi²), `weights` over ``time,
        weight`` (mean over nodes), `psi` over ``time, node``, and the weights at the end,
        `final_weights`, over ``node, weight``.

    Examples
    --------
    >>> e = episode(Task(steps=50), "fixed", seed=1)
    >>> e.weights[-1].values
    array([0.5, 0.3, 0.2])
    """
    start = validate.probabilities("weights", weights)
    if start.shape not in ((3,), (task.n_nodes, 3)):
        raise ParameterError("weights", f"shape {start.shape}", f"(3,) or ({task.n_nodes}, 3)")
    errors, trace, states, final = _run_episode(task, seed, start, policy)
    return dataset(
        {
            "loss": ("time", errors, "psi²", "squared distance from the target"),
            "weights": (("time", "weight"), trace, "1", "weights, mean over nodes"),
            "psi": (("time", "node"), states, "psi", "state"),
            "final_weights": (("node", "weight"), final, "1", "weights at the end"),
        },
        coords={"time": "steps", "weight": WEIGHTS, "node": "1"},
        parameters=parameters_of(task, policy=policy, seed=seed),
        title="Learning episode",
        source="seeds 001 and 002; plant and disturbances of the family",
    )


def fixed_losses(task: Task, seeds: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Mean loss of fixed weights, one value a seed, in Ψ²."""
    w = validate.finite_array("weights", weights, ndim=1)
    runs = [_run_episode(task, int(s), w, "fixed") for s in np.atleast_1d(seeds)]
    return np.array([errors.mean() for errors, *_ in runs])


@validate.checked
def simplex_grid(divisions: Count = 14, low: float = 0.1, high: float = 0.8) -> FloatArray:
    """Evenly spaced weights that sum to 1 with every one of them in [low, high].

    Examples
    --------
    >>> len(simplex_grid(7)), simplex_grid(7)[0].round(3)
    (36, array([0.1, 0.1, 0.8]))
    """
    m = divisions
    shares = [(i, j, m - i - j) for i in range(m + 1) for j in range(m + 1 - i)]
    points = low + (1.0 - 3.0 * low) * np.array(shares) / m
    return np.array(points[points.max(axis=1) <= high + 1e-12])


def grid_best(task: Task, seeds: npt.ArrayLike, divisions: int = 14) -> FloatArray:
    """Fixed weights of least loss on a grid over the simplex, judged on the given seeds."""
    grid = simplex_grid(divisions)
    losses = [fixed_losses(task, seeds, w).mean() for w in grid]
    return np.array(grid[int(np.argmin(losses))])


@validate.checked
def spsa(
    task: Task, seed: Seed, iterations: Count = 40, gain: float = 0.2, probe: float = 0.05
) -> FloatArray:
    """Fixed weights by simultaneous perturbation (Spall 1992), two episodes an iteration.

    w ← P[w − a_k·(L(w + c_kΔ) − L(w − c_kΔ))/(2c_k)·Δ], Δ a random sign for each weight,
    a_k = a/(k + 10)^0.602, c_k = c/k^0.101, P the projection on the bounded simplex.

    Parameters
    ----------
    task : Task
        What the nodes have to do.
    seed : int
        Seed of the signs; the episodes take seeds of their own from it.
    iterations : int
        Iterations, of two episodes each.
    gain, probe : float
        a and c.

    Returns
    -------
    ndarray
        Weights, shape (3,).

    Examples
    --------
    >>> w = spsa(Task(steps=100), seed=1, iterations=3)
    >>> round(float(w.sum()), 9)
    1.0
    """
    rng = np.random.default_rng(seed)
    w = np.array(START_WEIGHTS)
    p = AEWParameters()
    for k in range(1, iterations + 1):
        sign = rng.choice([-1.0, 1.0], 3)
        c = probe / k**0.101
        episode_seed = int(rng.integers(1 << 31))
        up, down = (
            fixed_losses(task, episode_seed, project(w + s * c * sign, p.low, p.high))[0]
            for s in (1.0, -1.0)
        )
        w = project(w - gain / (k + 10.0) ** 0.602 * (up - down) / (2.0 * c) * sign, p.low, p.high)
    return w


@validate.checked
def compare_policies(
    task: Task, replicates: Count = 100, seed: Seed = 0, tuning_seeds: Count = 10
) -> xr.Dataset:
    """Loss of every policy over the same seeds; tuned weights come from other seeds.

    Parameters
    ----------
    task : Task
        What the nodes have to do.
    replicates : int
        Seeds on which all policies are judged.
    seed : int
        First of them; the tuning seeds follow after the last.
    tuning_seeds : int
        Seeds on which the grid is judged.

    Returns
    -------
    xarray.Dataset
        `loss` over ``policy, replicate`` (psi²) and `weights` over ``policy, replicate,
        weight``, at the end of the episode and averaged over nodes.

    Examples
    --------
    >>> c = compare_policies(Task(steps=60), replicates=2, tuning_seeds=1)
    >>> c.policy.values.tolist()[:3]
    ['fixed', 'grid', 'spsa']
    """
    seeds = seed + np.arange(replicates)
    others = seed + replicates + np.arange(tuning_seeds)
    start = {name: np.array(START_WEIGHTS) for name in POLICIES}
    start["grid"] = grid_best(task, others, divisions=10)
    start["spsa"] = spsa(task, seed + replicates)
    loss = np.zeros((len(POLICIES), replicates))
    weights = np.zeros((len(POLICIES), replicates, 3))
    for i, policy in enumerate(POLICIES):
        mode = "fixed" if policy in ("grid", "spsa") else policy
        for k, s in enumerate(seeds):
            errors, _, _, final = _run_episode(task, int(s), start[policy], mode)
            loss[i, k] = errors.mean()
            weights[i, k] = final.mean(axis=0)
    return dataset(
        {
            "loss": (("policy", "replicate"), loss, "psi²", "mean squared distance from Ψ*"),
            "weights": (("policy", "replicate", "weight"), weights, "1", "weights at the end"),
        },
        coords={"policy": (POLICIES, "1"), "replicate": "1", "weight": WEIGHTS},
        parameters=parameters_of(task, seed=seed),
        title="Policies compared",
        source="seeds 001 and 002; plant and disturbances of the family",
    )


def fingerprint(psi: npt.ArrayLike) -> FloatArray:
    """Fingerprint (μ_Ψ, σ_Ψ, μ_Ψ′, σ_Ψ′) of a node's states, Ψ′ per step.

    Parameters
    ----------
    psi : array_like
        Ψ over time, at least three values.

    Returns
    -------
    ndarray
        Shape (4,), in psi and psi per step.

    Examples
    --------
    >>> fingerprint([0.0, 1.0, 0.0, 1.0]).round(3)
    array([0.5  , 0.5  , 0.333, 0.943])
    """
    x = validate.finite_array("psi", psi, ndim=1)
    if x.size < 3:
        raise DataError("psi", x.tolist(), "at least three values")
    change = np.diff(x)
    return np.array([x.mean(), x.std(), change.mean(), change.std()])


class Match(NamedTuple):
    """Nearest entry of a registry."""

    name: str
    similarity: float  #: cosine of the two fingerprints
    weights: FloatArray


@dataclass
class Registry:
    """Fingerprints and the weights that were learnt under them.

    Parameters
    ----------
    default : tuple of float
        Weights of a node that finds nothing like itself.

    Examples
    --------
    >>> r = Registry()
    >>> r.add("calm", [0.3, 0.1, 0.0, 0.0], [0.8, 0.1, 0.1])
    >>> r.blend([0.3, 0.1, 0.0, 0.0])
    array([0.8, 0.1, 0.1])
    """

    default: tuple[float, float, float] = START_WEIGHTS

    def __post_init__(self) -> None:
        validate.probabilities("default", self.default)
        self._entries: dict[str, tuple[FloatArray, FloatArray]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, mark: npt.ArrayLike, weights: npt.ArrayLike) -> None:
        """Enter weights under a name and a fingerprint; the same name replaces."""
        learnt = validate.probabilities("weights", weights, shape=(3,))
        self._entries[name] = (validate.finite_array("fingerprint", mark, shape=(4,)), learnt)

    def nearest(self, mark: npt.ArrayLike) -> Match:
        """Entry whose fingerprint has the largest cosine with this one.

        Raises
        ------
        ParameterError
            If the registry is empty.
        """
        if not self._entries:
            raise ParameterError("registry", "empty", "at least one entry")
        x = validate.finite_array("fingerprint", mark, shape=(4,))
        best = max(self._entries, key=lambda name: _cosine(x, self._entries[name][0]))
        entry, weights = self._entries[best]
        return Match(best, _cosine(x, entry), weights.copy())

    def blend(self, mark: npt.ArrayLike) -> FloatArray:
        """Weights λ·w_registry + (1 − λ)·w_default with λ = clip₀¹(similarity)."""
        match = self.nearest(mark)
        share = min(1.0, max(0.0, match.similarity))
        return share * match.weights + (1.0 - share) * np.array(self.default)


@validate.checked
def adaptation_time(loss: npt.ArrayLike, steady: npt.ArrayLike, tolerance: Positive = 0.1) -> int:
    """Steps until the loss stays within 10 % of its steady value.

    A disturbance that varies makes the steady loss vary with it: `steady` is the loss, step by
    step, of a node that has adapted already and lives through the same noise. The adaptation
    time is the first step from which the two never differ by more than the tolerance times the
    mean of `steady`.

    Parameters
    ----------
    loss, steady : array_like
        Loss at each step, of the new node and of the adapted one.
    tolerance : float
        Share of the mean steady loss.

    Returns
    -------
    int
        In steps; the length of the record if they never come together.

    Examples
    --------
    >>> adaptation_time([4.0, 2.0, 1.05, 1.0], [1.0, 1.0, 1.0, 1.0])
    2
    """
    x = validate.finite_array("loss", loss, ndim=1)
    y = validate.finite_array("steady", steady, ndim=1)
    validate.same_length(loss=x, steady=y)
    outside = np.flatnonzero(np.abs(x - y) > tolerance * abs(float(y.mean())))
    return int(outside[-1]) + 1 if outside.size else 0


def probe_and_transfer(
    registry: Registry, task: Task, policy: Policy, seed: int, probe_counts: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Loss of a new node that probes for 50 steps, takes over weights and goes on learning.

    Where the probe does not count, the node begins with the weights that it would have found:
    the "instant transfer" of seed 001.

    Returns
    -------
    loss : ndarray
        At each step, the probe included where it counts.
    weights : ndarray
        What it took over.
    """
    probe = episode(replace(task, steps=PROBE), "fixed", seed, registry.default)
    weights = registry.blend(fingerprint(probe.psi.values[:, 0]))
    # The probe is lived through again, so that noise and disturbance are those of the run.
    rest = episode(task, policy, seed, weights).loss.values
    if probe_counts:
        rest = np.concatenate([probe.loss.values, rest[PROBE:]])
    return rest, weights


@validate.checked
def transfer_study(
    regime: Literal["scraper", "llm"] = "scraper",
    policy: Policy = "reversed",
    *,
    eta: Positive = 0.01,
    replicates: Count = 40,
    periods: Annotated[int, Bounds(2)] = 8,
    seed: Seed = 0,
    probe_counts: bool = True,
) -> xr.Dataset:
    """Adaptation time of new nodes that start from scratch, and of the same with transfer.

    Teachers, one for each regime, learn on seeds of their own and fill the registry; then every
    new node lives through the same noise three times: from scratch, with transfer, and as the
    adapted node that both are compared with, which starts from the weights it ended with.

    Parameters
    ----------
    regime : {"scraper", "llm"}
        Disturbance of the new nodes.
    policy : str
        How they learn, see :func:`episode`.
    eta : float
        Learning rate.
    replicates : int
        New nodes.
    periods : int
        Length of their life, in periods of the disturbance.
    seed : int
        First seed.
    probe_counts : bool
        Whether the 50 steps in which a new node is watched are part of its adaptation.

    Returns
    -------
    xarray.Dataset
        Over ``start, replicate`` with the starts "scratch", "transfer" and "adapted":
        `adaptation_time` (steps, of the first two) and `loss_early` (mean loss over the first
        period, psi²); `loss` over ``start, replicate, time``; `taken_over` over ``replicate,
        weight``.

    Examples
    --------
    >>> s = transfer_study(replicates=2, periods=2)
    >>> s.adaptation_time.dims
    ('start', 'replicate')
    """
    period = PERIODS[regime]
    length = periods * period
    task = Task(n_nodes=1, steps=length, regime=regime, start=STATIONARY[regime], eta=eta)
    registry = Registry()
    for k, name in enumerate(PERIODS):
        first = seed + replicates + k
        lesson = replace(task, regime=name, start=STATIONARY[name], steps=12 * PERIODS[name])
        watched = episode(replace(lesson, steps=PROBE), "fixed", first)
        learnt = episode(lesson, policy, first).final_weights.values[0]
        registry.add(name, fingerprint(watched.psi.values[:, 0]), learnt)
    times = np.zeros((3, replicates), np.int64)  # the adapted node needs none
    losses = np.zeros((3, replicates, length))
    taken = np.zeros((replicates, 3))
    for k in range(replicates):
        scratch = episode(task, policy, seed + k)
        adapted = episode(task, policy, seed + k, scratch.final_weights.values)
        losses[0, k], losses[2, k] = scratch.loss.values, adapted.loss.values
        losses[1, k], taken[k] = probe_and_transfer(registry, task, policy, seed + k, probe_counts)
        for j in range(2):
            times[j, k] = adaptation_time(losses[j, k], losses[2, k])
    dims = ("start", "replicate")
    text = "steps until the loss stays within 10 % of the adapted node's"
    return dataset(
        {
            "adaptation_time": (dims, times, "steps", text),
            "loss": ((*dims, "time"), losses, "psi²", "squared distance from Ψ*"),
            "loss_early": (dims, losses[:, :, :period].mean(-1), "psi²", "loss at first"),
            "taken_over": (("replicate", "weight"), taken, "1", "weights taken over"),
        },
        coords={
            "start": (["scratch", "transfer", "adapted"], "1"),
            "replicate": "1",
            "time": "steps",
            "weight": WEIGHTS,
        },
        parameters=parameters_of(
            task, policy=policy, seed=seed, probe=PROBE, probe_counts=probe_counts
        ),
        title="Weight transfer to new nodes",
        source="seed 001; fingerprints of the family",
    )


def _cosine(a: FloatArray, b: FloatArray) -> float:
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0.0 else 0.0


def adaptation_saved(
    regime: Literal["scraper", "llm"] = "scraper",
    policy: Policy = "collective",
    *,
    eta: float = 0.01,
    replicates: int = 40,
    seed: int = 0,
    probe_counts: bool = True,
) -> Objective | None:
    """Objective 2: share of the adaptation time that transferred weights save.

    None where nodes without transfer are adapted from their first step on: nothing can be
    saved there.

    Examples
    --------
    >>> adaptation_saved("scraper", "reversed", eta=3e-4, replicates=8).verdict
    'holds'
    """
    study = transfer_study(
        regime, policy, eta=eta, replicates=replicates, seed=seed, probe_counts=probe_counts
    )
    scratch, transfer, _ = study.adaptation_time.values.astype(np.float64)
    if scratch.mean() == 0.0:
        return None
    name = f"adaptation time saved, {regime}, {policy}, η = {eta:g}"
    return Objective(name, 0.7, reduction_interval(transfer, scratch))
