"""The entropy exchange law (seeds 001 and 002): the one kernel that whoever exchanges calls.

A node i takes from a neighbour j what :func:`flow` says of their difference, times the
conductance of the link, so that over a whole network Ψ ← Ψ − ε·L·Ψ, and with seed 002's cubic term
Σ_j α²·(Ψ_j − Ψ_i)³ beside it. What one node gains another gives: the mean is kept. On the complete
graph the sum over all others has a closed form, :func:`flow_from_all`, and costs O(N); elsewhere
the kernel goes from link to link.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import EntroWarning, ParameterError
from entro_nb.graphs import Graph, GraphLike, as_graph
from entro_nb.results import compiled, reordered
from entro_nb.validate import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

#: Ψ* of the family: the level that every one of its documents steers towards.
FAMILY_TARGET = 0.339


class StabilityWarning(EntroWarning):
    """The exchange amplifies disagreement: the message names the step and its bound."""


#: What the kernel takes for `active` where every node takes part.
EVERYBODY = np.zeros(0, np.bool_)


class Links(NamedTuple):
    """Who exchanges with whom, as the kernel reads it."""

    everyone: bool  #: complete graph with links of conductance 1, which are not listed
    edges: IntArray  #: (link, 2) the nodes of each link
    conductance: FloatArray  #: (link,) what it carries, in shares of a link of conductance 1


class Gains(NamedTuple):
    """Strength of the exchange, and the limits that its result is cut to."""

    linear: float  #: ε, or ακ in the seeds
    cubic: float = 0.0  #: α² of seed 002
    low: float = -np.inf
    high: float = np.inf


class Moments(NamedTuple):
    """Centred sums of the states of a network."""

    mean: float  #: mean of Ψ
    squares: float  #: S₂ = Σ(Ψ − mean)²
    cubes: float  #: S₃ = Σ(Ψ − mean)³


def links_of(graph: Graph) -> Links:
    """Links of a graph, with its conductances.

    Examples
    --------
    >>> links_of(Graph(range(2), [(0, 1)], conductance=[0.5]))
    Links(everyone=False, edges=array([[0, 1]]), conductance=array([0.5]))
    >>> links_of(Graph.complete(1_000_000)).edges.size
    0
    """
    if graph.is_complete and not graph.is_weighted:
        return Links(True, np.zeros((0, 2), np.int64), np.zeros(0))
    return Links(False, graph.edges, graph.conductance)


@compiled
def flow(difference: float, linear: float, cubic: float) -> float:
    """What a node takes from a neighbour that lies d above it, g·d + c·d³ (seed 002).

    Examples
    --------
    >>> flow(0.5, 0.1, 0.0)
    0.05
    """
    return difference * (linear + cubic * difference * difference)


@compiled
def flow_from_all(
    deviation: float, n: float, squares: float, cubes: float, linear: float, cubic: float
) -> float:
    """What a node takes from all others of a complete graph, Σ_j flow(d_j − d_i), in O(1).

    With d_i = Ψ_i − mean, S₂ = Σd² and S₃ = Σd³ this is −g·N·d_i + c·(S₃ − 3·S₂·d_i − N·d_i³),
    because Σ_j (d_j − d_i)³ = S₃ − 3·d_i·S₂ + 3·d_i²·Σd − N·d_i³ and Σd = 0. Centring first
    keeps the sums free of cancellation.

    Examples
    --------
    >>> flow_from_all(0.5, 2, 0.5, 0.0, 0.1, 1.0) == 1.0 * (-0.1 - 1.0)
    True
    """
    slope = -linear * n - 3.0 * cubic * squares
    return cubic * cubes + deviation * (slope - cubic * n * deviation * deviation)


@reordered
def _total(psi: FloatArray) -> float:
    total = 0.0
    for i in range(psi.size):
        total += psi[i]
    return total


@reordered
def _centred(psi: FloatArray, mean: float) -> tuple[float, float, float]:
    one = 0.0
    two = 0.0
    three = 0.0
    for i in range(psi.size):
        d = psi[i] - mean
        one += d
        two += d * d
        three += d * d * d
    return one, two, three


@compiled
def moments(psi: FloatArray) -> Moments:
    """Mean and centred sums of squares and cubes of an array, in O(N).

    Examples
    --------
    >>> moments(np.array([0.0, 1.0, 2.0]))
    Moments(mean=1.0, squares=2.0, cubes=0.0)
    """
    guess = _total(psi) / psi.size
    rest, squares, cubes = _centred(psi, guess)
    # What rounding left in the mean is moved out of the sums as well.
    shift = rest / psi.size
    return Moments(
        guess + shift, squares - rest * shift, cubes - 3.0 * shift * squares + 2.0 * rest * shift**2
    )


@compiled
def exchange_into(
    out: FloatArray,
    own: FloatArray,
    heard: FloatArray,
    links: Links,
    gains: Gains,
    active: BoolArray,
    known: Moments | None = None,
) -> Moments:
    """One exchange: write own_i + Σ_j conductance_ij·flow(heard_j − heard_i) into `out`.

    This is Ψ ← Ψ − ε·L·Ψ and its cubic term, for every class and every simulation. Call it from
    compiled loops or from Python.

    Parameters
    ----------
    out : ndarray, shape (node,)
        Where the states go; neither `own` nor `heard`.
    own : ndarray, shape (node,)
        Present states.
    heard : ndarray, shape (node,)
        What the nodes sent, the same array as `own` where messages are exact and prompt.
    links : Links
        Who exchanges with whom, from :func:`links_of`.
    gains : Gains
        Strength, and limits that the result is cut to.
    active : ndarray of bool, shape (node,) or (0,)
        Nodes that take part; empty where all do. The others neither give nor take: their value
        passes unchanged.
    known : Moments, optional
        The :func:`moments` of what the active nodes sent, from a caller who has them already.

    Returns
    -------
    Moments
        Of what the active nodes sent, so that their variance is `squares` over their number.

    Examples
    --------
    >>> psi, out = np.array([0.0, 1.0]), np.empty(2)
    >>> links = links_of(Graph.complete(2))
    >>> exchange_into(out, psi, psi, links, Gains(0.25), EVERYBODY).mean
    0.5
    >>> out
    array([0.25, 0.75])
    """
    if known is None:
        sums = moments(heard) if active.size == 0 else moments(heard[active])
    else:
        sums = known
    linear, cubic, low, high = gains
    whole = active.size == 0
    if links.everyone:
        n = float(own.size) if whole else float(active.sum())
        for i in range(own.size):
            d = heard[i] - sums.mean
            taken = flow_from_all(d, n, sums.squares, sums.cubes, linear, cubic)
            out[i] = min(high, max(low, own[i] + taken))
    else:
        out[:] = own
        for e in range(links.conductance.size):
            i, j = links.edges[e, 0], links.edges[e, 1]
            if whole or (active[i] and active[j]):
                taken = links.conductance[e] * flow(heard[j] - heard[i], linear, cubic)
                out[i] += taken
                out[j] -= taken
        for i in range(own.size):
            out[i] = min(high, max(low, out[i]))
    if not whole:
        for i in range(own.size):
            if not active[i]:
                out[i] = own[i]
    return sums


@compiled
def pairwise(psi: FloatArray, linear: float, cubic: float) -> FloatArray:
    """Exchange of the complete graph summed pair by pair, O(N²), as seed 002 writes it.

    Examples
    --------
    >>> pairwise(np.array([0.0, 1.0]), 0.25, 0.0)
    array([ 0.25, -0.25])
    """
    out = np.zeros_like(psi)
    for i in range(psi.size):
        for j in range(psi.size):
            if j != i:
                out[i] += flow(psi[j] - psi[i], linear, cubic)
    return out


def graph_for(graph: GraphLike | npt.ArrayLike | None, n_nodes: int) -> Graph:
    """Graph of N nodes from what a caller gave: the complete one from None, else `as_graph`.

    Examples
    --------
    >>> graph_for([(0, 1), (1, 2)], 3)
    Graph('edges', 3 nodes, 2 edges)
    """
    if graph is None:
        return Graph.complete(n_nodes)
    listed = isinstance(graph, (list, tuple, set, frozenset))
    made = as_graph(graph, n_nodes if listed else None)
    if made.n_nodes != n_nodes:
        raise ParameterError("graph", f"{made.n_nodes} nodes", f"{n_nodes} nodes")
    return made


#: How the step of the exchange is chosen.
STEPS = ("kappa", "optimal", "degree")


def admissible_step(
    graph: Graph, kappa: float | None, aggression: float = 1.0, step: str | None = None
) -> float:
    """Step ε of the exchange Ψ ← Ψ − ε·L·Ψ, warned about when it is not below 2/λ_max.

    Parameters
    ----------
    graph : Graph
        Who exchanges with whom.
    kappa : float or None
        Synchronisation constant κ > 0; None chooses the step.
    aggression : float
        α, which multiplies κ.
    step : {"kappa", "optimal", "degree"}, optional
        ``"kappa"`` is ε = ακ, as in the seeds; ``"optimal"`` is 2/(λ₂ + λ_max), the fastest
        constant step (Xiao and Boyd 2004); ``"degree"`` is ακ/(d_max + 1), which is ακ/N on the
        complete graph and admissible for ακ ≤ 1 on any. Default: "kappa" where κ is given,
        else "optimal", or for graphs too large for λ₂ "degree" with ακ = 1.

    Warns
    -----
    StabilityWarning
        If ε ≥ 2/λ_max: some disagreement then grows, or at best never shrinks.

    Examples
    --------
    >>> admissible_step(Graph.complete(5), None)
    0.2
    >>> from entro_nb.graphs import graph
    >>> admissible_step(graph("ring", 8), 0.5, step="degree")
    0.16666666666666666
    """
    ends = graph.spectrum
    if ends.largest == 0.0:
        # Nobody exchanges with anybody: any step does the same, nothing.
        return 1.0 if kappa is None else aggression * kappa
    if step is None:
        step = "kappa" if kappa is not None else "optimal" if ends.smallest else "degree"
    step = validate.choice("step", step, STEPS)
    if step == "optimal":
        if ends.smallest is None:
            raise ParameterError(
                "step", step, f"'kappa' or 'degree' for a graph of {graph.n_nodes} nodes"
            )
        return ends.optimal
    if step == "degree":
        product = 1.0 if kappa is None else aggression * kappa
        chosen = product / (ends.largest_degree + 1.0)
    elif kappa is None:
        raise ParameterError("kappa", kappa, "a positive number with step='kappa'")
    else:
        chosen = aggression * kappa
    if chosen >= ends.bound:
        exactness = "" if ends.exact else " (a lower bound of it)"
        warnings.warn(
            f"step {chosen:g} of the exchange is not below 2/λ_max = {ends.bound:g}{exactness}: "
            f"disagreement grows up to {abs(1 - chosen * ends.largest):g}-fold at each "
            "broadcast; choose a smaller kappa, or step='optimal'",
            StabilityWarning,
            stacklevel=4,  # past the class or function that asked, and the check of its arguments
        )
    return chosen
