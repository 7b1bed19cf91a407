"""The loop of seed 004, §3.1, on a queueing network, and the classical ways to balance it.

Ours: seed 004 claims that its flow relieves congestion and says on nothing what is congested.
Here load arrives at nodes in Poisson batches, most of it around a hot spot that wanders over
the graph; every node serves at the same rate, and edges can carry load away. All policies that
use edge weights have the same total of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.entropy import shannon
from entro_nb.errors import ParameterError
from entro_nb.geometry.action import COMPONENTS
from entro_nb.geometry.curvature import curvature_and_distance
from entro_nb.graphs import Adjacency, Graph, GraphLike, as_graph, require_edges
from entro_nb.network.exchange import Gains, Links, exchange_into
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, NonNegative, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr

Classical = Literal["none", "static", "diffusion", "metropolis", "least_loaded"]
CLASSICAL: tuple[Classical, ...] = get_args(Classical)
Mapping = Literal["poisson", "cosine", "euclidean"]
Reading = Literal["conductance", "length", "proxy"]
READINGS: tuple[Reading, ...] = get_args(Reading)

#: Standard deviation, by component, of what arrives at the hot spot around its state (ours);
#: two states drawn from U(0, 1)¹²⁸ are apart by 0.4 a component.
NEAR = 0.1
#: Share strictly between nothing and all.
Fraction = Annotated[float, Bounds(0.0, 1.0, open_low=True, open_high=True)]


@dataclass(frozen=True)
class Traffic(validate.Parameters):
    """Load offered to the network.

    Parameters
    ----------
    utilisation : float
        Mean load offered per slot as a fraction of all service, in (0, 1).
    hot : float
        Share of the load that arrives at the hot spot, in [0, 1].
    dwell : int
        Slots that the hot spot stays before it moves to a random neighbour, at least 1.
    service : float
        Load that a node serves per slot, above 0.
    slots : int
        Length of a run, at least 2.
    mapping : {"poisson", "cosine", "euclidean"}
        Phase I, the stream that becomes load. ``poisson``: numbers drawn for every node;
        the others: vectors, each of them a unit of load for the node whose state vector is
        nearest by that measure, see :func:`vectorised`.
    patience : float
        Slots of waiting after which a unit of work counts as an error, at least 0 (ours).

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> Traffic(hot=0.5).utilisation
    0.8
    """

    utilisation: Fraction = 0.8
    hot: validate.Share = 0.2
    dwell: Count = 40
    service: Positive = 4.0
    slots: Annotated[int, Bounds(2)] = 400
    mapping: Mapping = "poisson"
    patience: NonNegative = 5.0


class Slot(NamedTuple):
    """What one slot did: queues after it, load served and moved, messages sent."""

    queue: FloatArray
    served: float
    moved: float
    messages: int


@validate.checked
def arrivals(graph: GraphLike, traffic: Traffic, seed: Seed = 0) -> IntArray:
    """Whole units of load that arrive at each node in each slot, shape (slot, node).

    Vectors are mapped onto the nodes' own states, or where the graph has none onto states drawn
    from U(0, 1)¹²⁸ as in §3.2. Those of the hot spot lie around its state, the others anywhere
    in the cube of the states.

    Examples
    --------
    >>> import networkx as nx
    >>> arrivals(nx.cycle_graph(8), Traffic(slots=5)).shape
    (5, 8)
    """
    graph = require_edges(as_graph(graph), "a hot spot that moves")
    rng, n = np.random.default_rng(seed), graph.n_nodes
    start, neighbour, _ = graph.adjacency
    offered = traffic.utilisation * traffic.service * n
    rate = np.full((traffic.slots, n), (1.0 - traffic.hot) * offered / n)
    here = int(rng.choice(graph.edges.ravel()))  # a node that has somewhere to go
    spot = np.empty(traffic.slots, np.int64)
    for t in range(traffic.slots):
        if t and t % traffic.dwell == 0:
            here = int(rng.choice(neighbour[start[here] : start[here + 1]]))
        rate[t, here] += traffic.hot * offered
        spot[t] = here
    if traffic.mapping == "poisson":
        return rng.poisson(rate).astype(np.int64)
    state = graph.state if graph.state.shape[1] else rng.random((n, COMPONENTS))
    load = np.empty((traffic.slots, n), np.int64)
    for t, hottest in enumerate(spot):
        items = rng.random((rng.poisson(offered), state.shape[1]))
        hot = rng.random(len(items)) < traffic.hot
        items[hot] = state[hottest] + NEAR * rng.standard_normal((hot.sum(), state.shape[1]))
        load[t] = np.bincount(vectorised(items, state, traffic.mapping), minlength=n)
    return load


@validate.checked
def vectorised(
    items: npt.ArrayLike, state: npt.ArrayLike, measure: Literal["cosine", "euclidean"] = "cosine"
) -> IntArray:
    """Phase I of §3.1, "vectorization": the node that each vector belongs to, shape (item,).

    ``cosine``: the node with the largest x·s/‖s‖; ``euclidean``: with the least ‖x − s‖.

    Parameters
    ----------
    items : array_like, shape (item, component)
        What arrives.
    state : array_like, shape (node, component)
        State vectors of the nodes.
    measure : {"cosine", "euclidean"}
        What is nearest.

    Examples
    --------
    >>> state = [[1.0, 0.0], [5.0, 5.0]]
    >>> vectorised([[1.0, 1.0]], state), vectorised([[1.0, 1.0]], state, "euclidean")
    (array([1]), array([0]))
    """
    s = validate.finite_array("state", state, ndim=2)
    x = validate.finite_array("items", items, ndim=2, empty=True)
    if x.shape[1] != s.shape[1]:
        raise ParameterError("items", f"shape {x.shape}", f"{s.shape[1]} components, as the states")
    squares = (s**2).sum(axis=1)
    if measure == "cosine":
        near = x @ s.T / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
    else:
        near = 2.0 * x @ s.T - squares  # −‖x − s‖², but for ‖x‖²
    nearest: IntArray = near.argmax(axis=1).astype(np.int64)
    return nearest


def metropolis_weights(graph: Graph) -> FloatArray:
    """1/(1 + max(dᵢ, dⱼ)) of every edge: averaging weights that need no global knowledge."""
    weight: FloatArray = 1.0 / (1.0 + graph.degrees[graph.edges].max(axis=1))
    return weight


def _diffuse(
    graph: Graph, queue: FloatArray, conductance: FloatArray, step: float | None = None
) -> tuple[FloatArray, float]:
    """Queues after x ← (I − αL)x with the given weights, and the load that moved.

    By default α = 1/d_max: below the bound 2/λ_max, and no queue is sent more than it holds.
    """
    (i, j), n = graph.edges.T, queue.size
    if step is None:
        step = 1.0 / float(np.bincount(graph.edges.ravel(), np.repeat(conductance, 2), n).max())
    result = np.empty(n)
    links = Links(False, graph.edges, conductance)
    exchange_into(result, queue, queue, links, Gains(step), np.ones(n, np.bool_))
    return result, float((step * conductance * np.abs(queue[i] - queue[j])).sum())


def serve_slot(
    graph: Graph, queue: FloatArray, new: IntArray, policy: Classical, traffic: Traffic
) -> Slot:
    """One slot under a classical policy.

    ``none``: load is served where it arrives; ``static``: every node passes fixed equal shares
    of what arrives to itself and its neighbours; ``diffusion``: x ← (I − L/d_max)x on the
    queues; ``metropolis``: the same with Metropolis weights; ``least_loaded``: each unit that
    arrives joins the shortest queue among the node and its neighbours.

    Messages: one each way on every edge when the policy needs the neighbours' load.
    """
    moved, placed = 0.0, queue + new
    if policy in ("static", "least_loaded"):
        placed = queue.copy()
        place = _fixed_shares if policy == "static" else _shortest_queue
        moved = place(graph.adjacency, new, placed)
    elif policy == "diffusion":
        placed, moved = _diffuse(graph, placed, np.ones(graph.n_edges))
    elif policy == "metropolis":
        placed, moved = _diffuse(graph, placed, metropolis_weights(graph), 1.0)
    return _served(placed, moved, 0 if policy in ("none", "static") else 2 * graph.n_edges, traffic)


def _served(placed: FloatArray, moved: float, messages: int, traffic: Traffic) -> Slot:
    """Serve what is queued, and report the slot."""
    done = np.minimum(placed, traffic.service)
    return Slot(placed - done, float(done.sum()), moved, messages)


@compiled
def _fixed_shares(adjacency: Adjacency, new: IntArray, queue: FloatArray) -> float:
    start, neighbour, _ = adjacency
    moved = 0.0
    for i in range(new.size):
        count = start[i + 1] - start[i]
        share = new[i] / (count + 1.0)
        queue[i] += share
        for k in range(start[i], start[i + 1]):
            queue[neighbour[k]] += share
        moved += share * count
    return moved


@compiled
def _shortest_queue(adjacency: Adjacency, new: IntArray, queue: FloatArray) -> float:
    start, neighbour, _ = adjacency
    moved = 0.0
    for i in range(new.size):
        for _ in range(new[i]):
            best = i
            for k in range(start[i], start[i + 1]):
                if queue[neighbour[k]] < queue[best]:
                    best = neighbour[k]
            queue[best] += 1.0
            if best != i:
                moved += 1.0
    return moved


@dataclass(frozen=True)
class Workflow(validate.Parameters):
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

    rate: Annotated[float, Bounds(0.0, 0.5, open_low=True, open_high=True)] = 0.1
    reading: Reading = "conductance"
    every: Count = 5
    floor: Fraction = 0.05
    threshold: NonNegative = 0.05
    published_lock: bool = False


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
    return math.log(2.0) * float(shannon(x / total))


def cycle(graph: Graph, conductance: FloatArray, load: FloatArray, workflow: Workflow) -> Phases:
    """Phases II and III on a mapped state: curvature check, flow, redistribution, entropy.

    The length of an edge is the time it takes: 1/g for the edge, and the mean load at its ends
    in units of the network's mean load for the wait there (ours).
    """
    i, j = graph.edges.T
    mean = max(float(load.mean()), np.finfo(float).tiny)
    wait = (load[i] + load[j]) / (2.0 * mean)
    if workflow.reading == "proxy":
        # The seed's state vectors never move; here the distance is the edge's own length.
        curvature = np.abs(load[i] - load[j]) / (mean * (1.0 / conductance + wait))
        changed = np.maximum(conductance - 2.0 * workflow.rate * curvature, 0.0)
    else:
        curvature = curvature_and_distance(graph, length=1.0 / conductance + wait)[0]
        factor = 1.0 - 2.0 * workflow.rate * curvature
        changed = (
            conductance * factor if workflow.reading == "conductance" else conductance / factor
        )
    weights = np.maximum(changed / max(float(changed.mean()), 1e-300), workflow.floor)
    weights /= weights.mean()
    levelled, _ = _diffuse(graph, load, weights)
    entropy = load_entropy(np.maximum(levelled, 0.0))
    measure = entropy if workflow.published_lock else float(np.log(load.size)) - entropy
    return Phases(curvature, curvature > 0.0, weights, entropy, measure < workflow.threshold)


@validate.checked
def run_workflow(
    graph: GraphLike,
    workflow: Workflow | None = None,
    traffic: Traffic | None = None,
    *,
    seed: Seed = 0,
) -> xr.Dataset:
    """The loop of §3.1 on a queueing network: stream, curvature, flow, redistribution, lock.

    Parameters
    ----------
    graph : networkx.Graph or Graph
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
    graph = require_edges(as_graph(graph), "the workflow")
    workflow, traffic = workflow or Workflow(), traffic or Traffic()
    stream = arrivals(graph, traffic, seed)
    n, m = graph.n_nodes, graph.n_edges
    load, after = np.empty((2, traffic.slots, n))
    curvature, conductance = np.empty((2, traffic.slots, m))
    entropy, locked = np.empty(traffic.slots), np.zeros(traffic.slots, dtype=bool)
    totals = np.empty((3, traffic.slots))

    queue, weights = np.zeros(n), np.ones(m)
    for t in range(traffic.slots):
        # Phase I: the stream becomes the state q, the load of every node.
        state = queue + stream[t]
        told = 2 * m
        if t % workflow.every == 0:
            phases = cycle(graph, weights, state, workflow)
            # Curvature also needs the neighbours' lengths: once more each way on every edge.
            told *= 2
            if not phases.locked:
                weights = phases.conductance
        levelled, moved = _diffuse(graph, state, weights)
        levelled = np.maximum(levelled, 0.0)
        slot = _served(levelled, moved, told, traffic)
        queue = slot.queue
        load[t], after[t], conductance[t] = state, queue, weights
        entropy[t] = load_entropy(levelled)
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
        coords={"time": "slots", "node": (graph.coordinate, "1"), "edge": "1"},
        parameters=results.parameters_of(workflow, traffic, seed=seed),
        title="Workflow of the Isomorphic Entropy-Gradient Network",
        source="seed 004, §3.1",
    )


@validate.checked
def compare(
    graph: GraphLike,
    policies: Sequence[str] | None = None,
    traffic: Traffic | None = None,
    *,
    replicates: Annotated[int, Bounds(2)] = 10,
    workflow: Workflow | None = None,
    seed: Seed = 0,
) -> xr.Dataset:
    """Load variance, latency and messages of IEGN and of the classical policies.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        At least one edge.
    policies : sequence of str, optional
        Classical names (:data:`CLASSICAL`) and ``iegn-`` with a
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
        unit waits, by Little's law), ``moved`` and ``messages`` per slot, ``error_rate`` (share
        of the queued work that is more than the traffic's patience from being served) and
        ``energy``, the E = latency + error rate of §2.2.

    Examples
    --------
    >>> import networkx as nx
    >>> run = compare(nx.cycle_graph(8), ["none", "diffusion"], Traffic(slots=50), replicates=2)
    >>> bool(run.latency.sel(policy="diffusion").mean() < run.latency.sel(policy="none").mean())
    True
    """
    graph = require_edges(as_graph(graph), "balancing")
    traffic, workflow = traffic or Traffic(), workflow or Workflow()
    known = [*CLASSICAL, *(f"iegn-{reading}" for reading in READINGS)]
    names = [validate.choice("policies", p, known) for p in (policies or known)]
    if not names:
        raise ParameterError("policies", policies, "at least one policy")
    values = np.empty((6, len(names), replicates))
    for r in range(replicates):
        stream = arrivals(graph, traffic, seed + r)
        for p, name in enumerate(names):
            if name in CLASSICAL:
                queues, totals = _classical(graph, stream, name, traffic)
            else:
                loop = replace(workflow, reading=name.removeprefix("iegn-"))  # type: ignore[arg-type]
                run = run_workflow(graph, loop, traffic, seed=seed + r)
                queues = run.queue.values
                totals = np.array([run[k].values for k in ("served", "moved", "messages")])
            served, moved, messages = totals.mean(axis=1)
            latency = queues.sum(axis=1).mean() / max(served, np.finfo(float).tiny)  # Little's law
            late = error_rate(queues, traffic)
            spread = queues.var(axis=1).mean()
            values[:, p, r] = spread, latency, moved, messages, late, latency + late
    units = {
        "load_variance": ("work²", "variance of the queues over nodes"),
        "latency": ("slots", "mean wait of a unit of load"),
        "moved": ("work/slot", "load moved along edges"),
        "messages": ("1/slot", "messages sent"),
        "error_rate": ("1", "share of the queued work that waits too long"),
        "energy": ("1", "latency in slots, and error rate"),
    }
    return results.dataset(
        {
            key: (("policy", "replicate"), values[k], unit, text)
            for k, (key, (unit, text)) in enumerate(units.items())
        },
        coords={"policy": (names, "1"), "replicate": "1"},
        parameters=results.parameters_of(traffic, workflow, seed=seed),
        title="Balancing a queueing network with a moving hot spot",
        source="seed 004, §3.1",
    )


def error_rate(queues: npt.ArrayLike, traffic: Traffic) -> float:
    """Share of the queued work that is more than `patience` slots from being served.

    Examples
    --------
    >>> error_rate([[30.0, 0.0]], Traffic(patience=5.0, service=4.0))
    0.3333333333333333
    """
    q = validate.finite_array("queues", queues, low=0.0)
    late = np.maximum(q - traffic.patience * traffic.service, 0.0).sum()
    return float(late / max(float(q.sum()), np.finfo(float).tiny))


def _classical(
    graph: Graph, stream: IntArray, policy: Classical, traffic: Traffic
) -> tuple[FloatArray, FloatArray]:
    """Queues over (slot, node), and load served, load moved and messages over slots."""
    queues, totals = np.empty(stream.shape), np.empty((3, len(stream)))
    queue = np.zeros(stream.shape[1])
    for t, new in enumerate(stream):
        slot = serve_slot(graph, queue, new, policy, traffic)
        queue = queues[t] = slot.queue
        totals[:, t] = slot.served, slot.moved, slot.messages
    return queues, totals
