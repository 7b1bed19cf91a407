"""Closed-loop networks: nodes with dynamics of their own, disturbed, synchronised or not.

At each step Ψ_i moves by the node's own dynamics, is sent, and the exchange acts on messages of
the same age τ, Ψ_i ← Ψ_i + ε·Σ_j (m_j(t − τ) − m_i(t − τ)): what one node gains another gives,
so the exchange keeps the mean under delay, loss of links and rounding as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.graphs import GraphLike
from entro_nb.network import exchange
from entro_nb.network.isolation import WINDOW, ThresholdParameters, theta_net
from entro_nb.results import Objective, compiled, dataset, parameters_of, reduction_interval
from entro_nb.validate import Bounds, Count, FloatArray, NonNegative, Parameters, Positive, Share

if TYPE_CHECKING:
    import xarray as xr

#: Values of Ψ beyond which only the summary is kept, unless the nodes are asked for.
RECORD_LIMIT = 5_000_000

#: Complete graphs above this size are not written out link by link, which loss needs.
LINK_LIMIT = 2000


@dataclass(frozen=True)
class Autoregressive(Parameters):
    """Node that forgets: Ψ ← Ψ* + a·(Ψ − Ψ*) + (1 − a)·d + σ·ξ, ξ standard normal (ours).

    The plainest node with a memory, and linear, so that its spread with and without exchange
    is known in closed form. A constant disturbance d moves its mean by d.

    Attributes
    ----------
    persistence : float
        a in [0, 1): near 1 for slow nodes.
    noise : float
        σ ≥ 0, in Ψ.
    level : float
        Ψ*, in Ψ.
    """

    persistence: validate.PartOfOne = 0.95
    noise: NonNegative = 0.02
    level: float = exchange.FAMILY_TARGET

    @property
    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Transition matrix and noise vector of the deviation from Ψ*."""
        return np.array([[self.persistence]]), np.array([self.noise])


@dataclass(frozen=True)
class Oscillator(Parameters):
    """The family's single-node plant: Ψ̈ = −k·Ψ − c·Ψ̇ + u + d + noise, Ψ ≥ floor.

    u = −clip₀¹(w₁·σ(Ψ − θ) + w₂·tanh Ψ̇ + w₃·tanh Ψ̈), semi-implicit Euler of step dt.

    Attributes
    ----------
    dt : float
        Step, in seconds.
    stiffness, damping : float
        k and c; 1 and 0.5 in the family.
    noise : float
        Deviation of the acceleration's noise at each step.
    floor : float
        Smallest Ψ; minus infinity makes an uncontrolled oscillator linear.
    weights : tuple of float or None
        (w₁, w₂, w₃); None leaves the node uncontrolled.
    theta : float
        θ of the control, unless a network threshold supplies it.
    """

    dt: Annotated[float, Bounds(0.0, 1.0, open_low=True)] = 0.1
    stiffness: Positive = 1.0
    damping: Positive = 0.5
    noise: NonNegative = 0.01
    floor: Annotated[float, Bounds(infinite=True)] = 0.05
    weights: tuple[float, float, float] | None = (0.5, 0.3, 0.2)
    theta: float = 1.4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.floor == math.inf:
            raise ParameterError("floor", self.floor, "a finite number, or -inf for none")
        if self.weights is not None:
            validate.same_length(weights=self.weights, of_three=(0, 0, 0))
            validate.finite_array("weights", self.weights, ndim=1)

    @property
    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Transition matrix and noise vector of (Ψ, Ψ̇), without control and floor."""
        k, c, h = self.stiffness, self.damping, self.dt
        slow = 1.0 - h * c
        matrix = np.array([[1.0 - h * h * k, h * slow], [-h * k, slow]])
        return matrix, self.noise * np.array([h * h, h])


Node = Autoregressive | Oscillator

#: Where the coefficients stand, those of an oscillator without its weights.
_MEMORY, PLANT = validate.slots(Autoregressive), validate.slots(Oscillator)


@compiled
def control(
    psi: float, velocity: float, acceleration: float, weights: FloatArray, theta: float
) -> float:
    """Control of the family, u = −clip₀¹(w₁·σ(Ψ − θ) + w₂·tanh Ψ̇ + w₃·tanh Ψ̈).

    Examples
    --------
    >>> control(1.4, 0.0, 0.0, np.array([0.5, 0.3, 0.2]), 1.4)
    -0.25
    """
    pressure = weights[0] / (1.0 + np.exp(theta - psi))
    pressure = pressure + weights[1] * np.tanh(velocity) + weights[2] * np.tanh(acceleration)
    return -float(min(1.0, max(0.0, pressure)))


@compiled
def oscillate(
    psi: float, velocity: float, force: float, plant: FloatArray
) -> tuple[float, float, float]:
    """One step of an :class:`Oscillator`, by its coefficients, under a force: Ψ, Ψ̇ and Ψ̈.

    Examples
    --------
    >>> oscillate(1.0, 0.0, 1.0, Oscillator().coefficients())
    (1.0, 0.0, 0.0)
    """
    acceleration = force - plant[PLANT.stiffness] * psi - plant[PLANT.damping] * velocity
    velocity += plant[PLANT.dt] * acceleration
    psi = max(plant[PLANT.floor], psi + plant[PLANT.dt] * velocity)
    return psi, velocity, acceleration


Waveform = Literal["none", "scraper", "llm", "phase_shift"]

#: Names of the waveforms.
WAVEFORMS: tuple[Waveform, ...] = get_args(Waveform)


@dataclass(frozen=True)
class Disturbance(Parameters):
    """What acts on the nodes from disturbance.

    Attributes
    ----------
    regime : {"none", "scraper", "llm", "phase_shift"}
        Waveform common to all nodes, see :func:`waveform`.
    heterogeneity : float
        Node i takes the waveform times a gain drawn from 1 ± heterogeneity (ours): without
        it a common waveform makes no disagreement.
    shock_rate : float
        Chance of a shock per node and step.
    shock_size : float
        Jump of Ψ at a shock.
    """

    regime: Waveform = "none"
    heterogeneity: Share = 0.5
    shock_rate: Share = 0.0
    shock_size: float = 0.3


@validate.checked
def waveform(regime: Waveform, steps: Count, dt: Positive = 0.1) -> FloatArray:
    """Disturbance d(t) of the family over time.

    scraper: 0.5·sin(0.2πt) + 0.8·exp(−((t mod 20) − 10)²/30); llm: 0.01·t for t < 50, then
    0.5 + 0.1·sin(0.2t), t in seconds; phase_shift: 0, and 0.4 from step 250 (the jump of the
    scaling study); none: 0.

    Parameters
    ----------
    regime : str
        One of `WAVEFORMS`.
    steps : int
        Number of steps.
    dt : float
        Seconds a step.

    Returns
    -------
    ndarray
        Shape (steps,).

    Examples
    --------
    >>> waveform("phase_shift", 251)[[249, 250]]
    array([0. , 0.4])
    """
    t = np.arange(steps) * dt
    if regime == "scraper":
        bump = np.exp(-((t % 20.0 - 10.0) ** 2) / 30.0)
        return np.asarray(0.5 * np.sin(0.2 * np.pi * t) + 0.8 * bump)
    if regime == "llm":
        return np.where(t < 50.0, 0.01 * t, 0.5 + 0.1 * np.sin(0.2 * t))
    if regime == "phase_shift":
        return np.where(np.arange(steps) < 250, 0.0, 0.4)
    return np.zeros(steps)


@dataclass(frozen=True)
class Transmission(Parameters):
    """What happens to messages on their way (ours: the seeds' messages always arrive).

    Attributes
    ----------
    delay : int
        Age τ of the messages that the exchange acts on, in steps.
    loss : float
        Chance that a link carries nothing in a step, in both directions.
    quantum : float
        Messages are rounded to multiples of it, in Ψ; 0 sends them exactly.
    """

    delay: validate.Natural = 0
    loss: Share = 0.0
    quantum: NonNegative = 0.0


_WAY, _SHOCK = validate.slots(Transmission), validate.slots(Disturbance)


@compiled
def _closed_loop(
    oscillates: bool, c: FloatArray, weights: FloatArray, psi: FloatArray,
    drive: FloatArray, gains: FloatArray, shocks: FloatArray,
    links: exchange.Links, strength: exchange.Gains, way: FloatArray,
    gate: FloatArray, theta: float, record: bool, rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    """Run the loop in place over `psi`, shape (N,).

    Parameters
    ----------
    oscillates, c, weights : bool, ndarray, ndarray
        Which node, its coefficients, and the weights of its control, none of them without.
    drive, gains, shocks : ndarray
        Disturbance at each step, each node's share in it, coefficients of :class:`Disturbance`.
    links, strength, way : Links, Gains, ndarray
        The exchange, none with a strength of 0, and the coefficients of :class:`Transmission`.
    gate, theta : ndarray, float
        Coefficients of θ_net, or none for a constant `theta`.

    Returns
    -------
    summary : ndarray, shape (6, steps)
        Mean and variance before the exchange, mean and variance after it, θ, and the share of
        nodes above θ.
    observed, synced : ndarray, shape (steps, N), or (0, N) without `record`
        States before and after the exchange.
    """
    n, steps = psi.size, drive.size
    kept = steps if record else 0
    summary, observed, synced = np.zeros((6, steps)), np.zeros((kept, n)), np.zeros((kept, n))
    velocity, acceleration, after = np.zeros(n), np.zeros(n), np.zeros(n)
    delay, loss, quantum = int(way[_WAY.delay]), way[_WAY.loss], way[_WAY.quantum]
    shock_rate = shocks[_SHOCK.shock_rate]
    messages = np.zeros((delay + 1, n))
    open_links = exchange.Links(links.everyone, links.edges, links.conductance.copy())
    variances = np.zeros(int(gate[WINDOW]) if gate.size else 1)
    deviation = c[PLANT.noise] if oscillates else c[_MEMORY.noise]
    for t in range(drive.size):
        for i in range(n):
            noise = deviation * rng.standard_normal() if deviation > 0.0 else 0.0
            force = gains[i] * drive[t]
            if oscillates:
                if weights.size:
                    force += control(psi[i], velocity[i], acceleration[i], weights, theta)
                psi[i], velocity[i], acceleration[i] = oscillate(
                    psi[i], velocity[i], force + noise, c
                )
            else:
                a, level = c[_MEMORY.persistence], c[_MEMORY.level]
                psi[i] = level + a * (psi[i] - level) + (1.0 - a) * force + noise
            if shock_rate > 0.0 and rng.random() < shock_rate:
                psi[i] += shocks[_SHOCK.shock_size]
        sums = exchange.moments(psi)
        summary[0, t], summary[1, t] = sums.mean, sums.squares / n
        if record:
            observed[t] = psi
        if strength.linear > 0.0:
            sent = messages[t % (delay + 1)]
            for i in range(n):
                sent[i] = psi[i] if quantum == 0.0 else quantum * np.round(psi[i] / quantum)
            if t >= delay:
                if loss > 0.0:
                    for e in range(links.conductance.size):
                        lost = rng.random() < loss
                        open_links.conductance[e] = 0.0 if lost else links.conductance[e]
                heard = messages[(t - delay) % (delay + 1)]
                exchange.exchange_into(after, psi, heard, open_links, strength, exchange.EVERYBODY)
                psi[:] = after
        sums = exchange.moments(psi)
        summary[2, t], summary[3, t] = sums.mean, sums.squares / n
        if record:
            synced[t] = psi
        if gate.size:
            variances[t % variances.size] = summary[3, t]
            theta = theta_net(variances, t + 1, gate)
        over = 0
        for value in psi:
            over += value > theta
        summary[4, t] = theta
        summary[5, t] = over / n
    return summary, observed, synced


@validate.checked
def simulate(
    n_nodes: Count = 5,
    steps: Count = 800,
    *,
    synchronised: bool = True,
    graph: GraphLike | npt.ArrayLike | None = None,
    kappa: Positive | None = None,
    step: str | None = None,
    node: Node | None = None,
    disturbance: Disturbance | str = "none",
    transmission: Transmission | None = None,
    threshold: ThresholdParameters | None = None,
    initial: npt.ArrayLike | None = None,
    replicates: Count = 1,
    seed: validate.Seed = 0,
    record: bool | None = None,
) -> xr.Dataset:
    """Network of nodes in closed loop: each moves, then hears its neighbours, and so on.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    steps : int
        Steps of the run.
    synchronised : bool
        Whether the nodes exchange; without, the same draws make the run to compare with
        (loss of links apart, which draws too).
    graph, kappa, step
        As for :class:`PsiSync`: complete graph and fastest admissible step by default.
    node : Autoregressive or Oscillator, optional
        What a node does by itself; autoregressive by default.
    disturbance : Disturbance or str
        What acts from outside, or the name of its regime.
    transmission : Transmission, optional
        Delay, loss and rounding of messages; perfect by default.
    threshold : ThresholdParameters, optional
        Networked threshold; it takes the place of θ in the control of oscillators.
    initial : array_like, optional
        Ψ of each node at the start, shape (N,); the level of the nodes by default.
    replicates : int
        Independent runs, seeded by (seed, replicate).
    seed : int
        Seed of :func:`numpy.random.default_rng`.
    record : bool, optional
        Whether to keep every node's Ψ; by default when that is at most five million values.

    Returns
    -------
    xarray.Dataset
        Over ``replicate, time``: `variance_before` and `variance` (population variance over
        nodes before and after the exchange, psi²), `mean_before`, `mean`, `v_net`, `theta`
        and `over_threshold` (share of nodes above it). With `record` also `observed` and
        `psi` (before and after the exchange) over ``replicate, time, node``, in psi.

    Raises
    ------
    ParameterError
        If a parameter is out of range, or loss is asked for on a complete graph of more than
        2000 nodes.

    Warns
    -----
    StabilityWarning
        If the step is not below 2/λ_max.

    Examples
    --------
    >>> with_it = simulate(10, 500, seed=1)
    >>> without = simulate(10, 500, seed=1, synchronised=False)
    >>> bool(with_it.variance.mean() < without.variance.mean() / 2)
    True
    """
    made = exchange.graph_for(graph, n_nodes)
    node = Autoregressive() if node is None else node
    if not isinstance(node, (Autoregressive, Oscillator)):
        raise ParameterTypeError("node", node, "an Autoregressive or an Oscillator")
    if not isinstance(disturbance, Disturbance):
        disturbance = Disturbance(validate.choice("regime", disturbance, WAVEFORMS))
    way = Transmission() if transmission is None else transmission
    epsilon = exchange.admissible_step(made, kappa, 1.0, step) if synchronised else 0.0
    links = exchange.links_of(made)
    if links.everyone and way.loss > 0.0:
        if n_nodes > LINK_LIMIT:
            raise ParameterError("n_nodes", n_nodes, f"at most {LINK_LIMIT} with loss on all links")
        links = exchange.Links(False, made.edges, made.conductance)
    oscillates = isinstance(node, Oscillator)
    theta, weights, floor, dt = np.inf, np.zeros(0), -np.inf, 0.1
    if isinstance(node, Oscillator):
        theta, weights, floor, dt = node.theta, np.array(node.weights or ()), node.floor, node.dt
    gate = np.zeros(0)
    if threshold is not None:
        gate = threshold.coefficients()
        theta = theta_net(np.zeros(0), 0, gate)
    drive = waveform(disturbance.regime, steps, dt)
    started = _initial(node, n_nodes, initial)
    if record is None:
        record = n_nodes * steps * replicates <= RECORD_LIMIT
    low, high = 1.0 - disturbance.heterogeneity, 1.0 + disturbance.heterogeneity
    runs = []
    for k in range(replicates):
        rng = np.random.default_rng([seed, k])
        runs.append(
            _closed_loop(
                oscillates, node.coefficients(), weights, started.copy(), drive,
                rng.uniform(low, high, n_nodes), disturbance.coefficients(), links,
                exchange.Gains(epsilon, low=floor), way.coefficients(), gate, theta, record, rng,
            )
        )  # fmt: skip
    summary, observed, synced = (np.array(part) for part in zip(*runs, strict=True))
    dims = ("replicate", "time")
    mean, variance = summary[:, 2], summary[:, 3]
    target = exchange.FAMILY_TARGET if isinstance(node, Oscillator) else node.level
    v_net = 0.5 * n_nodes * ((mean - target) ** 2 + variance)
    variables: dict[str, tuple[tuple[str, ...] | str, Any, str, str]] = {
        "mean_before": (dims, summary[:, 0], "psi", "mean over nodes before the exchange"),
        "variance_before": (dims, summary[:, 1], "psi²", "variance before the exchange"),
        "mean": (dims, mean, "psi", "mean over nodes after the exchange"),
        "variance": (dims, variance, "psi²", "variance over nodes after the exchange"),
        "v_net": (dims, v_net, "psi²", "Lyapunov candidate V_net"),
        "theta": (dims, summary[:, 4], "psi", "threshold"),
        "over_threshold": (dims, summary[:, 5], "1", "share of nodes above the threshold"),
    }
    coords = {"replicate": "1", "time": "steps"}
    if record:
        whole = ("replicate", "time", "node")
        variables["observed"] = (whole, observed, "psi", "state before the exchange")
        variables["psi"] = (whole, synced, "psi", "state after the exchange")
        coords["node"] = "1"
    return dataset(
        variables,
        coords=coords,
        parameters=parameters_of(
            node, disturbance, way, *([threshold] if threshold else []),
            n_nodes=n_nodes, steps=steps, graph=made.name, step=epsilon,
            node=type(node).__name__, seed=seed,
        ),
        title="Closed-loop network",
        source="seeds 001 and 002; node dynamics of the family",
    )  # fmt: skip


def _initial(node: Node, n_nodes: int, initial: npt.ArrayLike | None) -> FloatArray:
    if initial is None:
        level = node.level if isinstance(node, Autoregressive) else node.floor
        return np.full(n_nodes, level if np.isfinite(level) else 0.0)
    return validate.finite_array("initial", initial, shape=(n_nodes,))


def variance_removed(
    n_nodes: int,
    *,
    graph: GraphLike | npt.ArrayLike | None = None,
    kappa: float | None = None,
    node: Node | None = None,
    disturbance: Disturbance | str = "none",
    transmission: Transmission | None = None,
    steps: int = 400,
    replicates: int = 10,
    seed: int = 0,
    when: Literal["after", "before"] = "after",
) -> Objective:
    """Objective 1: share of the variance over nodes that the sound exchange takes away.

    The same nodes with the same noise, with and without exchange, the first half of each run
    left out. The variance is read just "after" each exchange, of the synchronised states as in
    the documents, or just "before" the next one, when the nodes have moved on by themselves.

    Examples
    --------
    >>> print(variance_removed(3, seed=1).verdict)
    holds
    """
    read = {"after": "variance", "before": "variance_before"}
    name = read[validate.choice("when", when, read)]
    node = Autoregressive() if node is None else node
    settings: dict[str, Any] = {
        "graph": graph, "node": node, "disturbance": disturbance,
        "replicates": replicates, "seed": seed, "record": False,
    }  # fmt: skip
    on = simulate(n_nodes, steps, kappa=kappa, transmission=transmission, **settings)
    off = simulate(n_nodes, steps, synchronised=False, **settings)
    half = steps // 2
    measured = reduction_interval(
        on[name][:, half:].mean("time").values, off.variance[:, half:].mean("time").values
    )
    return Objective(f"variance removed, N = {n_nodes}", 0.5, measured)
