"""Ways to choose weights, compared: fixed, tuned beforehand, or learning, over the same seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.network.learner import START_WEIGHTS, AEWParameters, project
from entro_nb.network.learning import Task, parameters_for, run_episode
from entro_nb.results import dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["POLICIES", "compare_policies", "fixed_losses", "grid_best", "simplex_grid", "spsa"]

#: Ways to choose weights, in the order of the figures.
POLICIES = ("fixed", "grid", "spsa", "alone", "collective", "published", "reversed")


def fixed_losses(task: Task, seeds: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Mean loss of fixed weights, one value a seed, in Ψ²."""
    w = validate.finite_array("weights", weights, ndim=1)
    parameters = parameters_for(task, "fixed")
    return np.array([
        run_episode(task, int(s), w, "fixed", parameters)[0].mean() for s in np.atleast_1d(seeds)
    ])  # fmt: skip


def simplex_grid(divisions: int = 14, low: float = 0.1, high: float = 0.8) -> FloatArray:
    """Evenly spaced weights that sum to 1 with every one of them in [low, high].

    Examples
    --------
    >>> len(simplex_grid(7)), simplex_grid(7)[0].round(3)
    (36, array([0.1, 0.1, 0.8]))
    """
    m = validate.integer("divisions", divisions, 1)
    rest = 1.0 - 3.0 * low
    points = [
        (low + rest * i / m, low + rest * j / m, low + rest * (m - i - j) / m)
        for i in range(m + 1)
        for j in range(m + 1 - i)
    ]
    inside = [p for p in points if max(p) <= high + 1e-12]
    return np.array(inside)


def grid_best(task: Task, seeds: npt.ArrayLike, divisions: int = 14) -> FloatArray:
    """Fixed weights of least loss on a grid over the simplex, judged on the given seeds."""
    grid = simplex_grid(divisions)
    losses = [fixed_losses(task, seeds, w).mean() for w in grid]
    return np.array(grid[int(np.argmin(losses))])


def spsa(
    task: Task, seed: int, iterations: int = 40, gain: float = 0.2, probe: float = 0.05
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
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    w = np.array(START_WEIGHTS)
    p = AEWParameters()
    for k in range(1, validate.integer("iterations", iterations, 1) + 1):
        sign = rng.choice([-1.0, 1.0], 3)
        c = probe / k**0.101
        episode_seed = int(rng.integers(1 << 31))
        up, down = (
            fixed_losses(task, episode_seed, project(w + s * c * sign, p.low, p.high))[0]
            for s in (1.0, -1.0)
        )
        w = project(w - gain / (k + 10.0) ** 0.602 * (up - down) / (2.0 * c) * sign, p.low, p.high)
    return w


def compare_policies(
    task: Task, replicates: int = 100, seed: int = 0, tuning_seeds: int = 10
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
    count = validate.integer("replicates", replicates, 1)
    seed = validate.integer("seed", seed, 0)
    seeds = seed + np.arange(count)
    others = seed + count + np.arange(validate.integer("tuning_seeds", tuning_seeds, 1))
    start = {name: np.array(START_WEIGHTS) for name in POLICIES}
    start["grid"] = grid_best(task, others, divisions=10)
    start["spsa"] = spsa(task, seed + count)
    loss = np.zeros((len(POLICIES), count))
    weights = np.zeros((len(POLICIES), count, 3))
    for i, policy in enumerate(POLICIES):
        mode = "fixed" if policy in ("grid", "spsa") else policy
        parameters = parameters_for(task, mode)
        for k, s in enumerate(seeds):
            errors, _, _, final = run_episode(task, int(s), start[policy], mode, parameters)
            loss[i, k] = errors.mean()
            weights[i, k] = final.mean(axis=0)
    return dataset(
        {
            "loss": (
                ("policy", "replicate"),
                loss,
                "psi²",
                "mean squared distance from the target",
            ),
            "weights": (("policy", "replicate", "weight"), weights, "1", "weights at the end"),
        },
        coords={
            "policy": (list(POLICIES), "1"),
            "replicate": (np.arange(count), "1"),
            "weight": (["w1", "w2", "w3"], "1"),
        },
        parameters=parameters_of(task, seed=seed),
        title="Policies compared",
        source="seeds 001 and 002; plant and disturbances of the family",
    )
