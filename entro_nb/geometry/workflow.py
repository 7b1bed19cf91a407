"""Phases I to III of seed 004, §3.1, as a running loop, and its comparison with the classics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.balancing import (
    CLASSICAL,
    Classical,
    Slot,
    Traffic,
    arrivals,
    diffuse,
    finish,
    safe_step,
    serve,
)
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network, require_edges
from entro_nb.geometry.ollivier import curvature_and_distance
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["READINGS", "Phases", "Workflow", "compare", "cycle", "load_entropy", "run_workflow"]

Reading = Literal["conductance", "length", "proxy"]
READINGS: tuple[Reading, ...] = ("conductance", "length", "proxy")


@dataclass(frozen=True)
class Workflow:
    """Parameters of the loop.

    Parameters
    ----------
    rate : float
        Learning rate α of the flow, in (0, ½): weights move by the factor 1 − 2ακ.
    reading : {"conductance", "length", "proxy"}
        What g in §1.3 stands for. ``conductance``: g is bandwidth, as that section says, so
        that positive curvature loses bandwidth and bottlenecks gain it; ``length``: g is the
        distance of §1.1, the Ricci flow of the literature, which does the opposite;
        ``proxy``: the pseudo-code's |load difference|/distance, subtracted from bandwidth.
    every : int
        Slots between two updates of the weights, at least 1.
    floor : float
        Least weight as a fraction of the mean, in (0, 1).
    threshold : float
        Nats of entropy at which the state counts as locked, at least 0.
    published_lock : bool
        Lock when S < threshold, as drawn. The entropy of the load shares is *largest* when the
        load is level, so that this locks when everything sits on one node. By default the
        distance from level, ln N − S, is compared with the threshold.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> Workflow(reading="length").published_lock
    False
    """

    rate: float = 0.1
    reading: Reading = "conductance"
    every: int = 5
    floor: float = 0.05
    threshold: float = 0.05
    published_lock: bool = False

    def __post_init__(self) -> None:
        validate.real("rate", self.rate, 0.0, 0.5, open_low=True, open_high=True)
        validate.choice("reading", self.reading, READINGS)
        validate.integer("every", self.every, 1)
        validate.real("floor", self.floor, 0.0, 1.0, open_low=True, open_high=True)
        validate.real("threshold", self.threshold, 0.0)


class Phases(NamedTuple):
    """One turn of the loop, phase by phase."""

    curvature: FloatArray  #: II: R of every edge, shape (edge,)
    compress: np.ndarray  #: II: edges with R > 0
    conductance: FloatArray  #: III: weights after the step, shape (edge,)
    entropy: float  #: III: S of the load shares after redistribution, nats
    locked: bool  #: III: whether the loop would stop here


def load_entropy(load: npt.ArrayLike) -> float:
    """Shannon entropy of the load shares in nats; ln N when there is no load at all.

    Examples
    --------
    >>> round(load_entropy([1.0, 1.0]), 6), load_entropy([1.0, 0.0])
    (0.693147, 0.0)
    """
    x = validate.finite_array("load", load, ndim=1, low=0.0)
    total = float(x.sum())
    if total == 0.0:
        return float(np.log(x.size))
    p = x / total
    return -float((p * np.log(p, where=p > 0, out=np.zeros_like(p))).sum()) + 0.0


def cycle(
    network: Network, conductance: FloatArray, load: FloatArray, workflow: Workflow
) -> Phases:
    """Phases II and III on a mapped state: curvature check, flow, redistribution, entropy.

    The length of an edge is the time it takes: 1/g for the edge, and the mean load at its ends
    in units of the network's mean load for the wait there (ours).
    """
    i, j = network.edges.T
    mean = max(float(load.mean()), np.finfo(float).tiny)
    wait = (load[i] + load[j]) / (2.0 * mean)
    if workflow.reading == "proxy":
        # The seed's state vectors never move; here the distance is the edge's own length.
        curvature = np.abs(load[i] - load[j]) / (mean * (1.0 / conductance + wait))
        changed = np.maximum(conductance - 2.0 * workflow.rate * curvature, 0.0)
    else:
        curvature = curvature_and_distance(network, length=1.0 / conductance + wait)[0]
        factor = 1.0 - 2.0 * workflow.rate * curvature
        changed = (
            conductance * factor if workflow.reading == "conductance" else conductance / factor
        )
    weights = np.maximum(changed / max(float(changed.mean()), 1e-300), workflow.floor)
    weights /= weights.mean()
    levelled, _ = diffuse(network, load, weights, safe_step(network, weights))
    entropy = load_entropy(np.maximum(levelled, 0.0))
    measure = entropy if workflow.published_lock else float(np.log(load.size)) - entropy
    return Phases(curvature, curvature > 0.0, weights, entropy, measure < workflow.threshold)


def run_workflow(
    graph: Graph,
    workflow: Workflow | None = None,
    traffic: Traffic | None = None,
    *,
    seed: int = 0,
) -> xr.Dataset:
    """The loop of §3.1 on a queueing network: stream, curvature, flow, redistribution, lock.

    Parameters
    ----------
    graph : networkx.Graph or Network
        At least one edge; conductances start equal.
    workflow : Workflow, optional
        The loop.
    traffic : Traffic, optional
        The stream of load.
    seed : int
        Seed of the stream.

    Returns
    -------
    xarray.Dataset
        ``load`` and ``queue`` over (time, node), before redistribution and after service;
        ``curvature`` and ``conductance`` over (time, edge), held
        between updates; ``entropy``, ``locked``, ``served``, ``moved`` and ``messages`` over
        time. While locked, weights stay as they are.

    Raises
    ------
    ParameterError, DataError
        If the graph has no edges or a parameter is out of range.

    Examples
    --------
    >>> import networkx as nx
    >>> run = run_workflow(nx.cycle_graph(8), traffic=Traffic(slots=20))
    >>> run.sizes["time"], bool((run.conductance > 0).all())
    (20, True)
    """
    network = require_edges(as_network(graph), "the workflow")
    workflow, traffic = workflow or Workflow(), traffic or Traffic()
    stream = arrivals(network, traffic, seed)
    n, m = len(network.nodes), len(network.edges)
    load, after = np.empty((traffic.slots, n)), np.empty((traffic.slots, n))
    entropy = np.empty(traffic.slots)
    curvature, conductance = np.empty((traffic.slots, m)), np.empty((traffic.slots, m))
    locked = np.zeros(traffic.slots, dtype=bool)
    totals = np.empty((3, traffic.slots))

    queue, weights = np.zeros(n), np.ones(m)
    phases: Phases | None = None
    for t in range(traffic.slots):
        # Phase I: the stream becomes the state q, the load of every node.
        state = queue + stream[t]
        told = 2 * m
        if t % workflow.every == 0:
            phases = cycle(network, weights, state, workflow)
            # Curvature also needs the neighbours' lengths: once more each way on every edge.
            told *= 2
            if not phases.locked:
                weights = phases.conductance
        levelled, moved = diffuse(network, state, weights, safe_step(network, weights))
        slot = finish(np.maximum(levelled, 0.0), moved, told, traffic)
        queue = slot.queue
        load[t], after[t], conductance[t] = state, queue, weights
        entropy[t] = load_entropy(np.maximum(levelled, 0.0))
        if phases is not None:
            curvature[t], locked[t] = phases.curvature, phases.locked
        totals[:, t] = slot.served, slot.moved, slot.messages
    return results.dataset(
        {
            "load": (("time", "node"), load, "work", "load before redistribution"),
            "queue": (("time", "node"), after, "work", "load left after service"),
            "curvature": (("time", "edge"), curvature, "1", "curvature R"),
            "conductance": (("time", "edge"), conductance, "1", "weight g"),
            "entropy": ("time", entropy, "nats", "entropy of the load shares"),
            "locked": ("time", locked, "1", "consensus state locked"),
            "served": ("time", totals[0], "work", "load served"),
            "moved": ("time", totals[1], "work", "load moved along edges"),
            "messages": ("time", totals[2], "1", "messages sent"),
        },
        coords={
            "time": (np.arange(traffic.slots), "slots"),
            "node": (network.coordinate, "1"),
            "edge": (np.arange(m), "1"),
        },
        parameters=results.parameters_of(workflow, traffic, seed=seed),
        title="Workflow of the Isomorphic Entropy-Gradient Network",
        source="seed 004, §3.1",
    )


def compare(
    graph: Graph,
    policies: Sequence[str] | None = None,
    traffic: Traffic | None = None,
    *,
    replicates: int = 10,
    workflow: Workflow | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Load variance, latency and messages of IEGN and of the classical policies.

    Parameters
    ----------
    graph : networkx.Graph or Network
        At least one edge.
    policies : sequence of str, optional
        Classical names (:data:`~entro_nb.geometry.balancing.CLASSICAL`) and ``iegn-`` with a
        reading of :data:`READINGS`; by default all.
    traffic : Traffic, optional
        The stream; every policy meets the same draws.
    replicates : int
        Independent streams, at least 2.
    workflow : Workflow, optional
        The loop, its reading aside.
    seed : int
        Seed of the first stream.

    Returns
    -------
    xarray.Dataset
        Over (policy, replicate), means over slots: ``load_variance``, ``latency`` (slots that a
        unit waits, by Little's law), ``moved`` and ``messages`` per slot.

    Examples
    --------
    >>> import networkx as nx
    >>> run = compare(nx.cycle_graph(8), ["none", "diffusion"], Traffic(slots=50), replicates=2)
    >>> bool(run.latency.sel(policy="diffusion").mean() < run.latency.sel(policy="none").mean())
    True
    """
    network = require_edges(as_network(graph), "balancing")
    traffic, workflow = traffic or Traffic(), workflow or Workflow()
    known = [*CLASSICAL, *(f"iegn-{reading}" for reading in READINGS)]
    names = [validate.choice("policies", p, known) for p in (policies or known)]
    if not names:
        raise ParameterError("policies", policies, "at least one policy")
    replicates = validate.integer("replicates", replicates, 2)
    values = np.empty((4, len(names), replicates))
    for r in range(replicates):
        stream = arrivals(network, traffic, seed + r)
        for p, name in enumerate(names):
            if name in CLASSICAL:
                values[:, p, r] = _classical(network, stream, name, traffic)
            else:
                loop = replace(workflow, reading=name.removeprefix("iegn-"))  # type: ignore[arg-type]
                run = run_workflow(network, loop, traffic, seed=seed + r)
                values[:, p, r] = _summary(
                    run["queue"].values, *(run[k].values for k in ("served", "moved", "messages"))
                )
    units = {
        "load_variance": ("work²", "variance of the queues over nodes"),
        "latency": ("slots", "mean wait of a unit of load"),
        "moved": ("work/slot", "load moved along edges"),
        "messages": ("1/slot", "messages sent"),
    }
    return results.dataset(
        {
            key: (("policy", "replicate"), values[k], unit, text)
            for k, (key, (unit, text)) in enumerate(units.items())
        },
        coords={"policy": (names, "1"), "replicate": (np.arange(replicates), "1")},
        parameters=results.parameters_of(traffic, workflow, seed=seed),
        title="Balancing a queueing network with a moving hot spot",
        source="seed 004, §3.1",
    )


def _classical(
    network: Network, stream: IntArray, policy: Classical, traffic: Traffic
) -> FloatArray:
    queues, totals = np.empty(stream.shape), np.empty((3, len(stream)))
    queue = np.zeros(stream.shape[1])
    for t, new in enumerate(stream):
        slot: Slot = serve(network, queue, new, policy, traffic)
        queue = queues[t] = slot.queue
        totals[:, t] = slot.served, slot.moved, slot.messages
    return _summary(queues, *totals)


def _summary(
    queues: FloatArray, served: FloatArray, moved: FloatArray, messages: FloatArray
) -> FloatArray:
    """Load variance, latency by Little's law, load moved and messages, means over slots."""
    latency = queues.sum(axis=1).mean() / max(float(served.mean()), np.finfo(float).tiny)
    return np.array([queues.var(axis=1).mean(), latency, moved.mean(), messages.mean()])
