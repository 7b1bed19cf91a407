"""Closed-loop networks: nodes with dynamics of their own, disturbed, synchronised or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.closed_loop import run
from entro_nb.network.disturbances import Disturbance, waveform
from entro_nb.network.nodes import Autoregressive, Node, Oscillator
from entro_nb.network.step import admissible_step
from entro_nb.network.threshold import ThresholdParameters
from entro_nb.network.topology import Topology
from entro_nb.results import dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Channel", "simulate"]

#: Values of Ψ beyond which only the summary is kept, unless the nodes are asked for.
RECORD_LIMIT = 5_000_000

#: Complete graphs above this size are not written out link by link, which loss needs.
LINK_LIMIT = 2000


@dataclass(frozen=True)
class Channel:
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

    delay: int = 0
    loss: float = 0.0
    quantum: float = 0.0

    def __post_init__(self) -> None:
        validate.integer("delay", self.delay, 0)
        validate.real("loss", self.loss, 0.0, 1.0)
        validate.real("quantum", self.quantum, 0.0)


@dataclass(frozen=True)
class _Plan:
    topology: Topology
    step: float
    node: Node
    disturbance: Disturbance
    channel: Channel
    threshold: ThresholdParameters | None
    drive: FloatArray
    attributes: dict[str, Any] = field(default_factory=dict)


def simulate(
    n_nodes: int = 5,
    steps: int = 800,
    *,
    synchronised: bool = True,
    graph: Any = None,
    kappa: float | None = None,
    step: str | None = None,
    node: Node | None = None,
    disturbance: Disturbance | str = "none",
    channel: Channel | None = None,
    threshold: ThresholdParameters | None = None,
    initial: npt.ArrayLike | None = None,
    replicates: int = 1,
    seed: int = 0,
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
    channel : Channel, optional
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
    n = validate.integer("n_nodes", n_nodes, 1)
    steps = validate.integer("steps", steps, 1)
    replicates = validate.integer("replicates", replicates, 1)
    seed = validate.integer("seed", seed, 0)
    plan = _planned(
        n, steps, synchronised, graph, kappa, step, node, disturbance, channel, threshold
    )
    started = _initial(plan, n, initial)
    if record is None:
        record = n * steps * replicates <= RECORD_LIMIT
    kept = steps if record else 0
    summary = np.zeros((replicates, 6, steps))
    observed = np.zeros((replicates, kept, n))
    synced = np.zeros((replicates, kept, n))
    for k in range(replicates):
        rng = np.random.default_rng([seed, k])
        _one_run(plan, started.copy(), rng, summary[k], observed[k], synced[k])
    return _results(plan, summary, observed, synced, seed)


def _planned(
    n: int,
    steps: int,
    synchronised: bool,
    graph: Any,
    kappa: float | None,
    step: str | None,
    node: Node | None,
    disturbance: Disturbance | str,
    channel: Channel | None,
    threshold: ThresholdParameters | None,
) -> _Plan:
    if kappa is not None:
        validate.real("kappa", kappa, 0.0, open_low=True)
    listed = isinstance(graph, (list, tuple, set, frozenset))
    topology = Topology.complete(n) if graph is None else Topology.of(graph, n if listed else None)
    if topology.n_nodes != n:
        raise ParameterError("graph", f"{topology.n_nodes} nodes", f"{n} nodes")
    node = Autoregressive() if node is None else node
    if not isinstance(node, (Autoregressive, Oscillator)):
        raise ParameterTypeError("node", node, "an Autoregressive or an Oscillator")
    if not isinstance(disturbance, Disturbance):
        disturbance = Disturbance(disturbance)
    channel = Channel() if channel is None else channel
    epsilon = admissible_step(topology, kappa, 1.0, step) if synchronised else 0.0
    if topology.is_complete and channel.loss > 0.0:
        if n > LINK_LIMIT:
            raise ParameterError("n_nodes", n, f"at most {LINK_LIMIT} with loss on all links")
        topology = Topology.of(topology.edges.tolist(), n)
    dt = node.dt if isinstance(node, Oscillator) else 0.1
    attributes = parameters_of(
        node,
        disturbance,
        channel,
        *([threshold] if threshold else []),
        n_nodes=n,
        steps=steps,
        graph=topology.name,
        step=epsilon,
        node=type(node).__name__,
    )
    return _Plan(
        topology,
        epsilon,
        node,
        disturbance,
        channel,
        threshold,
        waveform(disturbance.regime, steps, dt),
        attributes,
    )


def _coefficients(node: Node) -> tuple[int, FloatArray]:
    if isinstance(node, Autoregressive):
        return 0, np.array([node.persistence, node.noise, node.level])
    w = node.weights or (0.0, 0.0, 0.0)
    controlled = 0.0 if node.weights is None else 1.0
    return 1, np.array(
        [node.dt, node.noise, 0.0, node.stiffness, node.damping, node.floor, controlled, *w]
    )


def _initial(plan: _Plan, n: int, initial: npt.ArrayLike | None) -> FloatArray:
    if initial is None:
        level = plan.node.level if isinstance(plan.node, Autoregressive) else plan.node.floor
        return np.full(n, level if np.isfinite(level) else 0.0)
    psi = validate.finite_array("initial", initial, ndim=1)
    if psi.shape != (n,):
        raise ParameterError("initial", f"array of shape {psi.shape}", f"{n} values, one a node")
    return psi


def _one_run(
    plan: _Plan,
    psi: FloatArray,
    rng: np.random.Generator,
    summary: FloatArray,
    observed: FloatArray,
    synced: FloatArray,
) -> None:
    kind, coefficients = _coefficients(plan.node)
    spread = plan.disturbance.heterogeneity
    gains = rng.uniform(1.0 - spread, 1.0 + spread, psi.size)
    gate = np.zeros(0)
    theta = plan.node.theta if isinstance(plan.node, Oscillator) else np.inf
    if plan.threshold is not None:
        p = plan.threshold
        gate = np.array([p.theta_base, p.gamma, p.window, p.low, p.high])
        theta = min(p.high, max(p.low, p.theta_base))
    run(
        kind, coefficients, psi, plan.drive, gains,
        plan.disturbance.shock_rate, plan.disturbance.shock_size,
        plan.topology.start, plan.topology.neighbour, plan.topology.is_complete,
        plan.step, plan.channel.delay, plan.channel.loss, plan.channel.quantum,
        gate, theta, rng, summary, observed, synced,
    )  # fmt: skip


def _results(
    plan: _Plan,
    summary: FloatArray,
    observed: FloatArray,
    synced: FloatArray,
    seed: int,
) -> xr.Dataset:
    dims = ("replicate", "time")
    mean, variance = summary[:, 2], summary[:, 3]
    n = plan.topology.n_nodes
    target = plan.node.level if isinstance(plan.node, Autoregressive) else FAMILY_TARGET
    variables: dict[str, tuple[tuple[str, ...] | str, Any, str, str]] = {
        "mean_before": (dims, summary[:, 0], "psi", "mean over nodes before the exchange"),
        "variance_before": (dims, summary[:, 1], "psi²", "variance before the exchange"),
        "mean": (dims, mean, "psi", "mean over nodes after the exchange"),
        "variance": (dims, variance, "psi²", "variance over nodes after the exchange"),
        "v_net": (
            dims, 0.5 * n * ((mean - target) ** 2 + variance), "psi²", "Lyapunov candidate V_net",
        ),
        "theta": (dims, summary[:, 4], "psi", "threshold"),
        "over_threshold": (dims, summary[:, 5], "1", "share of nodes above the threshold"),
    }  # fmt: skip
    if observed.shape[1]:
        whole = ("replicate", "time", "node")
        variables["observed"] = (whole, observed, "psi", "state before the exchange")
        variables["psi"] = (whole, synced, "psi", "state after the exchange")
    steps = summary.shape[2]
    coords = {
        "replicate": (np.arange(summary.shape[0]), "1"),
        "time": (np.arange(steps), "steps"),
    }
    if observed.shape[1]:
        coords["node"] = (np.arange(n), "1")
    return dataset(
        variables,
        coords=coords,
        parameters=plan.attributes | {"seed": seed},
        title="Closed-loop network",
        source="seeds 001 and 002; node dynamics of the family",
    )
