"""Learning measured: nodes that tune their weights in closed loop, episode by episode.

A network of the family's oscillators under one of its disturbances; every node learns its own
weights, the loss is the mean of (Ψ − Ψ*)² over nodes and steps, and every policy sees the same
noise. All of it is ours: the documents report one figure and no experiment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.disturbances import waveform
from entro_nb.network.learner import START_WEIGHTS, AEWParameters, Learner, learn
from entro_nb.network.nodes import Oscillator, control, oscillate
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Task", "episode", "parameters_for", "run_episode"]


@dataclass(frozen=True)
class Task:
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

    n_nodes: int = 5
    steps: int = 800
    regime: str = "scraper"
    heterogeneity: float = 0.5
    coupling: float = 0.0
    target: float = FAMILY_TARGET
    theta: float = 1.4
    start: int = 0
    eta: float = 0.01

    def __post_init__(self) -> None:
        validate.integer("n_nodes", self.n_nodes, 1)
        validate.integer("steps", self.steps, 1)
        waveform(self.regime, 1)
        validate.real("heterogeneity", self.heterogeneity, 0.0, 1.0)
        validate.real("coupling", self.coupling, 0.0, 2.0, open_high=True)
        validate.real("target", self.target)
        validate.real("theta", self.theta)
        validate.integer("start", self.start, 0)
        validate.real("eta", self.eta, 0.0, open_low=True)

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
    forces: FloatArray,
    weights: FloatArray,
    plant: FloatArray,
    coupling: float,
    learns: bool,
    networked: bool,
    c: FloatArray,
    beta: float,
    errors: FloatArray,
    trace: FloatArray,
    states: FloatArray,
) -> None:
    steps, n = forces.shape
    psi = np.full(n, plant[3])
    velocity = np.zeros(n)
    acceleration = np.zeros(n)
    learners = [
        Learner(weights[i], np.zeros(3), np.zeros(20), np.zeros(2, np.int64), np.array([beta, 0.0]))
        for i in range(n)
    ]
    for t in range(steps):
        for i in range(n):
            w = weights[i]
            u = control(psi[i], velocity[i], acceleration[i], w[0], w[1], w[2], plant[4])
            psi[i], velocity[i], acceleration[i] = oscillate(
                psi[i], velocity[i], u + forces[t, i], plant[0], plant[1], plant[2], plant[3]
            )
        mean = psi.mean()
        if coupling > 0.0:
            for i in range(n):
                psi[i] = max(plant[3], psi[i] + coupling * (mean - psi[i]))
        total = 0.0
        for i in range(n):
            total += (psi[i] - c[1]) ** 2
            states[t, i] = psi[i]
        errors[t] = total / n
        if learns:
            mean_error = psi.mean() - c[1]
            for i in range(n):
                learn(learners[i], psi[i], velocity[i], acceleration[i], mean_error, networked, c)
        for i in range(n):
            trace[t] += weights[i] / n


def run_episode(
    task: Task, seed: int, weights: FloatArray, policy: str, parameters: AEWParameters
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Loss, mean weights and states at each step of an episode, and the weights at its end."""
    plant = Oscillator()
    settings = np.array([plant.dt, plant.stiffness, plant.damping, plant.floor, task.theta])
    errors, trace = np.zeros(task.steps), np.zeros((task.steps, 3))
    states = np.zeros((task.steps, task.n_nodes))
    own = np.array(np.broadcast_to(weights, (task.n_nodes, 3)))
    _episode(
        task.drives(seed), own, settings, task.coupling, policy != "fixed", policy != "alone",
        parameters.coefficients(published=policy == "published"), parameters.beta,
        errors, trace, states,
    )  # fmt: skip
    return errors, trace, states, own


def parameters_for(task: Task, policy: str) -> AEWParameters:
    """Coefficients of a policy's learner on a task."""
    gradient = {"published": "trend", "reversed": "reversed"}.get(policy, "collective")
    return AEWParameters(eta=task.eta, target=task.target, gradient=gradient)


def episode(
    task: Task, policy: str, seed: int, weights: npt.ArrayLike = START_WEIGHTS
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
    policy = validate.choice(
        "policy", policy, ("fixed", "alone", "collective", "published", "reversed")
    )
    seed = validate.integer("seed", seed, 0)
    start = validate.probabilities("weights", weights)
    if start.shape not in ((3,), (task.n_nodes, 3)):
        raise ParameterError("weights", f"shape {start.shape}", f"(3,) or ({task.n_nodes}, 3)")
    errors, trace, states, final = run_episode(
        task, seed, start, policy, parameters_for(task, policy)
    )
    return dataset(
        {
            "loss": ("time", errors, "psi²", "squared distance from the target"),
            "weights": (("time", "weight"), trace, "1", "weights, mean over nodes"),
            "psi": (("time", "node"), states, "psi", "state"),
            "final_weights": (("node", "weight"), final, "1", "weights at the end"),
        },
        coords={
            "time": (np.arange(task.steps), "steps"),
            "weight": (["w1", "w2", "w3"], "1"),
            "node": (np.arange(task.n_nodes), "1"),
        },
        parameters=parameters_of(task, policy=policy, seed=seed),
        title="Learning episode",
        source="seeds 001 and 002; plant and disturbances of the family",
    )
