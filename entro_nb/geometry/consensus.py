"""Consensus by averaging, x ← (I − αL)x, exactly how fast (seed 004, §3.3), and among liars.

Seed 004 claims Byzantine fault tolerance for averaging. One node that does not average drags
all others to its value. The rule that tolerates F liars near every node is to leave out the F
largest and F smallest values heard (W-MSR, LeBlanc et al. 2013), on a graph that is robust enough.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.graphs import Adjacency, Graph, GraphLike, as_graph, require_edges
from entro_nb.network.exchange import Gains, exchange_into, links_of
from entro_nb.network.liars import trimmed_average
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, Positive, Seed

if TYPE_CHECKING:
    import networkx as nx
    import xarray as xr

#: Disagreement below this fraction of the first is rounding, not convergence.
ROUNDING = 1e-11
#: Most nodes whose subsets are all looked at: 2**20 is a second's work.
LARGEST_EXACT = 20

Strategy = Literal["stubborn", "drift", "oscillate", "split"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Rule = Literal["average", "w-msr"]
RULES: tuple[Rule, ...] = get_args(Rule)


@validate.checked
def consensus(
    graph: GraphLike | Sequence[GraphLike],
    x0: npt.ArrayLike,
    *,
    step: Positive | None = None,
    steps: Count = 100,
    stubborn: Mapping[Hashable, float] | None = None,
    unstable: bool = False,
) -> xr.Dataset:
    """Averaging over a graph, x(k+1) = (I − αL) x(k) (seed 004, §3.3).

    Parameters
    ----------
    graph : networkx.Graph or Graph, or a sequence of them
        Several graphs on the same nodes are used in turn, one a step.
    x0 : array_like, shape (node,)
        First state, in the order of the nodes.
    step : float, optional
        α; by default the fastest, 2/(λ₂ + λ_max), and with several graphs the smallest 1/d_max.
    steps : int
        Number of steps, at least 1.
    stubborn : mapping, optional
        Node to the value that it holds for ever.
    unstable : bool
        Accept a step at or above 2/λ_max, to show the divergence.

    Returns
    -------
    xarray.Dataset
        ``x`` over (time, node), ``disagreement`` over time: norm of what differs from the mean
        of the node's own component (of all graphs together, when there are several).

    Raises
    ------
    ParameterError, DataError
        If the step reaches the bound, the graphs have no edge between them or differ in their
        nodes, or the state is not finite.

    Examples
    --------
    >>> import networkx as nx
    >>> run = consensus(nx.complete_graph(4), [0.0, 1.0, 2.0, 5.0], steps=2)
    >>> run.x.isel(time=-1).values.round(6)
    array([2., 2., 2., 2.])
    """
    graphs = [as_graph(g) for g in (graph if isinstance(graph, Sequence) else [graph])]
    if not graphs:
        raise DataError("graph", graph, "at least one graph")
    nodes = tuple(graphs[0].nodes)
    for one in graphs:
        if tuple(one.nodes) != nodes:
            raise ParameterError("graph", tuple(one.nodes), f"the same nodes in each: {nodes}")
    x = validate.finite_array("x0", x0, shape=(len(nodes),))
    spectra = [one.spectrum for one in graphs if one.n_edges]
    if not spectra:
        raise DataError("graph", "no edges", "edges, for averaging")
    bound = min(s.bound for s in spectra)
    if step is None:
        step = spectra[0].optimal if len(graphs) == 1 else min(s.sufficient for s in spectra)
    if step >= bound and not unstable:
        raise ParameterError(
            "step", step, f"below 2/λ_max = {bound:.6g} (unstable=True shows the divergence)"
        )

    held = np.zeros(x.size, dtype=np.bool_)
    states = np.empty((steps + 1, x.size))
    states[0] = x
    for name, value in (stubborn or {}).items():
        if name not in nodes:
            raise ParameterError("stubborn", name, "a node of the graph")
        held[nodes.index(name)] = True
        states[0, nodes.index(name)] = validate.real(f"stubborn[{name!r}]", value)
    links, everyone = [links_of(one) for one in graphs], np.ones(x.size, np.bool_)
    for t, (now, after) in enumerate(itertools.pairwise(states)):
        exchange_into(after, now, now, links[t % len(graphs)], Gains(step), everyone)
        after[held] = now[held]
    edges = np.unique(np.sort(np.concatenate([one.edges for one in graphs]), axis=1), axis=0)
    part = graphs[0].replace(edges=edges).labels
    means = np.array([np.bincount(part, weights=row) for row in states]) / np.bincount(part)
    return results.dataset(
        {
            "x": (("time", "node"), states, "1", "state"),
            "disagreement": (
                "time",
                np.linalg.norm(states - means[:, part], axis=1),
                "1",
                "distance from the mean of the component",
            ),
        },
        coords={"time": "steps", "node": (graphs[0].coordinate, "1")},
        parameters=results.parameters_of(
            step=step, bound=bound, graphs=len(graphs), stubborn=len(stubborn or {})
        ),
        title="Consensus by averaging",
        source="seed 004, §3.3",
    )


def measured_rate(run: xr.Dataset) -> float:
    """Factor per step on the disagreement, by least squares on its logarithm over the tail.

    The tail is the second half of the steps before rounding takes over.

    Examples
    --------
    >>> from entro_nb.graphs import graph
    >>> ring = graph("ring", 9)
    >>> run = consensus(ring, np.arange(9.0), steps=200)
    >>> abs(measured_rate(run) / ring.spectrum.rate(run.attrs["step"]) - 1) < 0.01
    True
    """
    values = run["disagreement"].values
    clear = np.flatnonzero(values > ROUNDING * values[0])
    # Equal disagreement from the start leaves nothing to measure.
    last = int(clear[-1]) if clear.size else 0
    if last < 4:
        raise DataError("run", f"{last} steps above rounding", "at least 4 steps of convergence")
    tail = np.arange(last // 2, last + 1)
    return float(np.exp(np.polyfit(tail, np.log(values[tail]), 1)[0]))


@validate.checked
def messages_to_agree(
    graph: GraphLike, within: Annotated[float, Bounds(0.0, 1.0, True, True)] = 1e-3
) -> int:
    """Messages until the disagreement is at most a fraction of the first, at the best step.

    Two on every edge in a step, and ⌈ln within / ln rate⌉ steps of the factor
    max(|1 − αλ₂|, |1 − αλ_max|) at α = 2/(λ₂ + λ_max): enough from any first state.

    Examples
    --------
    >>> from entro_nb.graphs import graph
    >>> messages_to_agree(graph("complete", 16)), messages_to_agree(graph("ring", 16))
    (240, 2912)
    """
    graph = require_edges(as_graph(graph), "averaging")
    rate = graph.spectrum.rate(graph.spectrum.optimal)
    # A factor that is zero but for rounding agrees in one step.
    steps = 1 if rate < ROUNDING else math.ceil(math.log(within) / math.log(rate))
    return 2 * graph.n_edges * steps


@dataclass(frozen=True)
class Liar(validate.Parameters):
    """How a faulty node lies.

    Parameters
    ----------
    strategy : {"stubborn", "drift", "oscillate", "split"}
        ``stubborn``: always `value`; ``drift``: the value moves by `value` every step;
        ``oscillate``: plus and minus `value` in turn; ``split``: `value` to half of its
        neighbours and minus `value` to the others in the same step. The last is Byzantine
        proper; the first three tell all neighbours the same (malicious).
    value : float
        Size of the lie, finite.

    Examples
    --------
    >>> Liar("split", 5.0).strategy
    'split'
    """

    strategy: Strategy = "stubborn"
    value: float = 1.0


@validate.checked
def resilient_consensus(
    graph: GraphLike,
    x0: npt.ArrayLike,
    liars: Mapping[Hashable, Liar],
    *,
    tolerated: Annotated[int, Bounds(0)] = 1,
    rule: Rule = "w-msr",
    steps: Count = 200,
) -> xr.Dataset:
    """Consensus with liars: each honest node averages itself with the neighbours it believes.

    ``w-msr``: of the values above its own a node drops the F largest (all, if there are fewer),
    of those below the F smallest; ``average``: it drops none, which is the same with F = 0.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        Undirected, with at least one edge.
    x0 : array_like, shape (node,)
        First state, in the order of the nodes; those of liars are not used.
    liars : mapping
        Node to :class:`Liar`; at least one node must be honest.
    tolerated : int
        F, how many liars among its neighbours a node is prepared for; at least 0.
    rule : {"w-msr", "average"}
        Update of honest nodes.
    steps : int
        Number of steps, at least 1.

    Returns
    -------
    xarray.Dataset
        ``x`` over (time, node), NaN for liars; ``honest`` over node; ``spread`` over time, the
        range of the honest states. Attributes ``low`` and ``high``: range of their first states.

    Raises
    ------
    ParameterError, DataError
        If a liar is no node, no node is honest, or the state is not finite.

    References
    ----------
    H. J. LeBlanc, H. Zhang, X. Koutsoukos, S. Sundaram, "Resilient asymptotic consensus in
    robust networks", IEEE JSAC 31, 2013.

    Examples
    --------
    >>> import networkx as nx
    >>> x0 = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 0.0]
    >>> run = resilient_consensus(nx.complete_graph(7), x0, {6: Liar("stubborn", 9.0)})
    >>> agreement(run)
    True
    """
    graph = require_edges(as_graph(graph), "consensus")
    states, honest = _simulate(graph, x0, liars, tolerated, rule, steps)
    spread = states[:, honest].max(axis=1) - states[:, honest].min(axis=1)
    return results.dataset(
        {
            "x": (("time", "node"), states, "1", "state of the honest nodes"),
            "honest": ("node", honest, "1", "node is honest"),
            "spread": ("time", spread, "1", "range of the honest states"),
        },
        coords={"time": "steps", "node": (graph.coordinate, "1")},
        parameters=results.parameters_of(
            tolerated=tolerated,
            rule=rule,
            liars=int((~honest).sum()),
            low=float(states[0, honest].min()),
            high=float(states[0, honest].max()),
        ),
        title="Consensus with liars",
        source="seed 004, abstract and §2.1",
    )


def agreement(run: xr.Dataset, tolerance: float = 1e-3) -> bool:
    """Whether honest nodes ended together, and within the range of their own first states.

    `tolerance` is a fraction of that range, for both.
    """
    return _agreed(run["x"].values[:, run["honest"].values], tolerance)


def _agreed(states: FloatArray, tolerance: float = 1e-3) -> bool:
    first, final = states[0], states[-1]
    near = tolerance * max(float(first.max() - first.min()), np.finfo(float).tiny)
    inside = final.min() >= first.min() - near and final.max() <= first.max() + near
    return bool(inside and float(final.max() - final.min()) <= near)


def _simulate(
    graph: Graph, x0: npt.ArrayLike, liars: Mapping[Hashable, Liar],
    tolerated: int, rule: Rule, steps: int,
) -> tuple[FloatArray, np.ndarray]:  # fmt: skip
    """States over (time, node), NaN for liars, and which nodes are honest."""
    n = graph.n_nodes
    code, value = np.full(n, -1), np.zeros(n)
    for name, liar in liars.items():
        if name not in graph.nodes:
            raise ParameterError("liars", name, "nodes of the graph")
        where = graph.nodes.index(name)
        code[where], value[where] = STRATEGIES.index(liar.strategy), liar.value
    honest = code < 0
    if not honest.any():
        raise ParameterError("liars", list(liars), "at least one honest node")
    states = np.empty((steps + 1, n))
    states[0] = validate.finite_array("x0", x0, shape=(n,))
    _run(graph.adjacency, code, value, tolerated if rule == "w-msr" else 0, states)
    states[:, ~honest] = np.nan
    return states, honest


@compiled
def _run(
    adjacency: Adjacency, code: IntArray, value: FloatArray, drop: int, states: FloatArray
) -> None:
    start, neighbour, _ = adjacency
    heard = np.empty(neighbour.size)
    for t in range(len(states) - 1):
        x, following = states[t], states[t + 1]
        for i in range(x.size):
            if code[i] >= 0:
                following[i] = x[i]
                continue
            count = start[i + 1] - start[i]
            for k in range(count):
                j = neighbour[start[i] + k]
                told = x[j]
                if code[j] == 0:
                    told = value[j]
                elif code[j] == 1:
                    told = x[j] + value[j] * (t + 1)
                elif code[j] == 2:
                    told = value[j] if t % 2 == 0 else -value[j]
                elif code[j] == 3:
                    told = value[j] if i % 2 == 0 else -value[j]
                heard[k] = told
            following[i] = trimmed_average(x[i], heard[:count], drop)


@validate.checked
def byzantine_study(
    graphs: Mapping[str, GraphLike],
    liars: Sequence[int] = (0, 1, 2),
    *,
    strategies: Sequence[Strategy] = STRATEGIES,
    runs: Count = 40,
    steps: Count = 300,
    value: float = 2.0,
    seed: Seed = 0,
) -> xr.Dataset:
    """Share of runs in which honest nodes agree within their own range, by rule.

    In each run the liars stand at random places and honest nodes start uniformly in [0, 1];
    W-MSR is told the number of liars. Both rules see the same draws.

    Parameters
    ----------
    graphs : mapping
        Name to graph.
    liars : sequence of int
        Numbers of liars to try, each below the number of nodes.
    strategies : sequence of str
        How they lie, see :class:`Liar`.
    runs, steps : int
        Runs for each combination, and steps of each.
    value : float
        Size of the lie; honest values lie in [0, 1].
    seed : int
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        ``share`` over (graph, liars, strategy, rule).
    """
    share = np.zeros((len(graphs), len(liars), len(strategies), len(RULES)))
    for g, graph in enumerate(map(as_graph, graphs.values())):
        n = graph.n_nodes
        for (f, count), (s, strategy), run in itertools.product(
            enumerate(liars), enumerate(strategies), range(runs)
        ):
            validate.integer("liars", count, 0, n - 1)
            # Keyed by place in the grid, so that a part of it gives the same numbers.
            rng = np.random.default_rng([seed, g, count, run])
            x0 = rng.random(n)
            chosen = rng.choice(n, size=count, replace=False)
            lies = {graph.nodes[k]: Liar(strategy, value) for k in chosen}
            for r, rule in enumerate(RULES):
                states, honest = _simulate(graph, x0, lies, count, rule, steps)
                share[g, f, s, r] += _agreed(states[:, honest])
    return results.dataset(
        {
            "share": (
                ("graph", "liars", "strategy", "rule"),
                share / runs,
                "1",
                "share of runs in which honest nodes agree within their own range",
            )
        },
        coords={
            "graph": (list(graphs), "1"),
            "liars": (list(liars), "nodes"),
            "strategy": (list(strategies), "1"),
            "rule": (list(RULES), "1"),
        },
        parameters=results.parameters_of(runs=runs, steps=steps, value=value, seed=seed),
        title="Agreement among liars",
        source="seed 004, abstract and §2.1",
    )


def robustness(graph: GraphLike) -> int:
    """Largest r for which a graph is r-robust, exact, by looking at every subset of nodes.

    A graph is r-robust if, of any two disjoint non-empty sets of nodes, at least one has a
    node with r or more neighbours outside its set. W-MSR withstands F liars near every node
    if the graph is (2F + 1)-robust.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        2 to 20 nodes.

    Raises
    ------
    ParameterError
        If the graph has fewer than 2 nodes, or too many to look at all subsets.

    References
    ----------
    LeBlanc et al. 2013, definitions 6 and 7.

    Examples
    --------
    >>> import networkx as nx
    >>> robustness(nx.complete_graph(7)), robustness(nx.cycle_graph(7))
    (4, 1)
    """
    graph = as_graph(graph)
    bits = np.zeros(validate.integer("number of nodes", graph.n_nodes, 2, LARGEST_EXACT), np.int64)
    for i, j in graph.edges:
        bits[i] |= 1 << int(j)
        bits[j] |= 1 << int(i)
    return int(_robustness(bits))


@compiled
def _robustness(bits: IntArray) -> int:
    n = bits.size
    full = (1 << n) - 1
    reach = np.zeros(full + 1, np.int64)  # most neighbours outside that a member has
    for subset in range(1, full + 1):
        for i in range(n):
            if subset >> i & 1:
                outside = bits[i] & ~subset
                count = 0
                while outside:
                    outside &= outside - 1
                    count += 1
                reach[subset] = max(reach[subset], count)
    # Least reach of any non-empty subset within a set, by adding one node at a time.
    least = reach.copy()
    least[0] = n
    for i in range(n):
        for subset in range(full + 1):
            if subset >> i & 1:
                least[subset] = min(least[subset], least[subset ^ (1 << i)])
    result = n
    for subset in range(1, full):
        result = min(result, max(reach[subset], least[full ^ subset]))
    return result


@validate.checked
def robust_graph(n: int, r: Count, seed: Seed = 0) -> nx.Graph:
    """Random graph that is r-robust by construction.

    Starts from the complete graph on 2r − 1 nodes, which is r-robust; every further node links
    to r of those before it, which keeps that so.

    Examples
    --------
    >>> robustness(robust_graph(12, 3)) >= 3
    True
    """
    import networkx as nx

    validate.integer("n", n, 2 * r - 1)
    rng = np.random.default_rng(seed)
    graph = nx.complete_graph(2 * r - 1)
    for node in range(2 * r - 1, n):
        graph.add_edges_from((node, int(k)) for k in rng.choice(node, size=r, replace=False))
    return graph
