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
from entro_nb.network.exchange import (
    EVERYBODY,
    FAMILY_TARGET,
    Gains,
    Links,
    admissible_step,
    exchange_into,
    graph_for,
    links_of,
)
from entro_nb.network.isolation import ThresholdParameters, theta_net
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import (
    Bounds,
    Count,
    FloatArray,
    NonNegative,
    Parameters,
    Positive,
    Seed,
    Share,
)

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

    persistence: Annotated[float, Bounds(0.0, 1.0, open_high=True)] = 0.95
    noise: NonNegative = 0.02
    level: float = FAMILY_TARGET

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


@compiled
def control(
    psi: float, velocity: float, acceleration: float, w1: float, w2: float, w3: float, theta: float
) -> float:
    """Control of the family, u = −clip₀¹(w₁·σ(Ψ − θ) + w₂·tanh Ψ̇ + w₃·tanh Ψ̈).

    Examples
    --------
    >>> control(1.4, 0.0, 0.0, 0.5, 0.3, 0.2, 1.4)
    -0.25
    """
    pressure = (
        w1 / (1.0 + np.exp(theta - psi)) + w2 * np.tanh(velocity) + w3 * np.tanh(acceleration)
    )
    return -float(min(1.0, max(0.0, pressure)))


@compiled
def oscillate(
    psi: float,
    velocity: float,
    force: float,
    dt: float,
    stiffness: float,
    damping: float,
    floor: float,
) -> tuple[float, float, float]:
    """One step of the oscillator under a force; returns Ψ, Ψ̇ and Ψ̈.

    Examples
    --------
    >>> oscillate(1.0, 0.0, 1.0, 0.1, 1.0, 0.5, 0.0)
    (1.0, 0.0, 0.0)
    """
    acceleration = force - stiffness * psi - damping * velocity
    velocity += dt * acceleration
    psi = max(floor, psi + dt * velocity)
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

    delay: Annotated[int, Bounds(0)] = 0
    loss: Share = 0.0
    quantum: NonNegative = 0.0


@compiled
def _variance(psi: FloatArray) -> tuple[float, float]:
    mean = psi.mean()
    total = 0.0
    for value in psi:
        total += (value - mean) ** 2
    return mean, total / psi.size


@compiled
def _closed_loop(
    kind: int,
    c: FloatArray,
    psi: FloatArray,
    drive: FloatArray,
    gains: FloatArray,
    shock_rate: float,
    shock_size: float,
    links: Links,
    strength: Gains,
    delay: int,
    loss: float,
    quantum: float,
    gate: FloatArray,
    window: int,
    theta: float,
    rng: np.random.Generator,
    summary: FloatArray,
    observed: FloatArray,
    synced: FloatArray,
) -> None:
    """Run the loop in place over `psi`, shape (N,).

    `summary`, shape (6, steps), takes mean and variance before the exchange, mean and variance
    after it, θ, and the share of nodes above θ. `observed` and `synced`, shape (steps, N) or
    (0, N), take the states before and after the exchange. `gate` holds the coefficients of
    θ_net, or is empty for a constant `theta`. A `strength` of 0 means no exchange.
    """
    n = psi.size
    velocity, acceleration, after = np.zeros(n), np.zeros(n), np.zeros(n)
    messages = np.zeros((delay + 1, n))
    open_links = Links(links.everyone, links.edges, links.conductance.copy())
    variances = np.zeros(window)
    for t in range(drive.size):
        for i in range(n):
            noise = c[1] * rng.standard_normal() if c[1] > 0.0 else 0.0
            force = gains[i] * drive[t]
            if kind == 0:
                psi[i] = c[2] + c[0] * (psi[i] - c[2]) + (1.0 - c[0]) * force + noise
            else:
                if c[6] > 0.0:
                    force += control(psi[i], velocity[i], acceleration[i], c[7], c[8], c[9], theta)
                psi[i], velocity[i], acceleration[i] = oscillate(
                    psi[i], velocity[i], force + noise, c[0], c[3], c[4], c[5]
                )
            if shock_rate > 0.0 and rng.random() < shock_rate:
                psi[i] += shock_size
        summary[0, t], summary[1, t] = _variance(psi)
        if observed.shape[0]:
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
                exchange_into(after, psi, heard, open_links, strength, EVERYBODY)
                psi[:] = after
        summary[2, t], summary[3, t] = _variance(psi)
        if synced.shape[0]:
            synced[t] = psi
        if gate.size:
            variances[t % window] = summary[3, t]
            theta = theta_net(variances, t + 1, gate)
        over = 0
        for value in psi:
            over += value > theta
        summary[4, t] = theta
        summary[5, t] = over / n


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
    seed: Seed = 0,
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
    made = graph_for(graph, n_nodes)
    node = Autoregressive() if node is None else node
    if not isinstance(node, (Autoregressive, Oscillator)):
        raise ParameterTypeError("node", node, "an Autoregressive or an Oscillator")
    if not isinstance(disturbance, Disturbance):
        disturbance = Disturbance(validate.choice("regime", disturbance, WAVEFORMS))
    way = Transmission() if transmission is None else transmission
    epsilon = admissible_step(made, kappa, 1.0, step) if synchronised else 0.0
    links = links_of(made)
    if links.everyone and way.loss > 0.0:
        if n_nodes > LINK_LIMIT:
            raise ParameterError("n_nodes", n_nodes, f"at most {LINK_LIMIT} with loss on all links")
        links = Links(False, made.edges, made.conductance)
    kind, coefficients = _coefficients(node)
    theta = node.theta if isinstance(node, Oscillator) else np.inf
    gate, window = np.zeros(0), 1
    if threshold is not None:
        gate, window = threshold.coefficients(), threshold.window
        theta = theta_net(np.zeros(0), 0, gate)
    drive = waveform(disturbance.regime, steps, node.dt if isinstance(node, Oscillator) else 0.1)
    started = _initial(node, n_nodes, initial)
    if record is None:
        record = n_nodes * steps * replicates <= RECORD_LIMIT
    kept = steps if record else 0
    summary = np.zeros((replicates, 6, steps))
    observed, synced = np.zeros((2, replicates, kept, n_nodes))
    strength = Gains(epsilon, low=node.floor if isinstance(node, Oscillator) else -np.inf)
    for k in range(replicates):
        rng = np.random.default_rng([seed, k])
        low, high = 1.0 - disturbance.heterogeneity, 1.0 + disturbance.heterogeneity
        _closed_loop(
            kind, coefficients, started.copy(), drive, rng.uniform(low, high, n_nodes),
            disturbance.shock_rate, disturbance.shock_size, links, strength, way.delay, way.loss,
            way.quantum, gate, window, theta, rng, summary[k], observed[k], synced[k],
        )  # fmt: skip
    dims = ("replicate", "time")
    mean, variance = summary[:, 2], summary[:, 3]
    target = FAMILY_TARGET if isinstance(node, Oscillator) else node.level
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
    coords = {"replicate": (np.arange(replicates), "1"), "time": (np.arange(steps), "steps")}
    if record:
        whole = ("replicate", "time", "node")
        variables["observed"] = (whole, observed, "psi", "state before the exchange")
        variables["psi"] = (whole, synced, "psi", "state after the exchange")
        coords["node"] = (np.arange(n_nodes), "1")
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


def _coefficients(node: Node) -> tuple[int, FloatArray]:
    if isinstance(node, Autoregressive):
        return 0, np.array([node.persistence, node.noise, node.level])
    w = node.weights or (0.0, 0.0, 0.0)
    controlled = 0.0 if node.weights is None else 1.0
    return 1, np.array(
        [node.dt, node.noise, 0.0, node.stiffness, node.damping, node.floor, controlled, *w]
    )


def _initial(node: Node, n_nodes: int, initial: npt.ArrayLike | None) -> FloatArray:
    if initial is None:
        level = node.level if isinstance(node, Autoregressive) else node.floor
        return np.full(n_nodes, level if np.isfinite(level) else 0.0)
    psi = validate.finite_array("initial", initial, ndim=1)
    if psi.shape != (n_nodes,):
        raise ParameterError(
            "initial", f"array of shape {psi.shape}", f"{n_nodes} values, one a node"
        )
    return psi
