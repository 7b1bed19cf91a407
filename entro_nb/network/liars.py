"""How far liars can drag a network that does not catch them, and a rule that bounds it.

Healthy nodes forget slowly and exchange, as in :mod:`entro_nb.network.isolation`; liars know all
and send each neighbour what they like within [0, 1]. The *harm* is the distance of the healthy
nodes' mean from what it would be with the same noise and the liars' links cut. All of it is ours:
the documents promise protection, and count only nodes that cross Ψ_critical.

A rule that looks for liars has a liar who is never found. On the complete graph k of them who stay
at the edge of what passes, d above the median and never above Ψ_critical, move the others until
their memory holds against it, Δ = a·Δ + ε·k·min(d, Ψ_critical − Ψ* − a·Δ), which
:func:`unseen_harm` solves. The rule "clipped" looks for nobody: what a node takes from a neighbour
is at most ε·c a step,

    Ψ_i ← x_i + ε·Σ_j clip(m_ij − x_i, −c, c),

and what healthy nodes take from each other is odd in their difference, so it adds up to nothing.
Of the mean of n healthy nodes with E links to liars there is left Δ ← a·Δ + (ε/n)·Σ_E clip(…), so
that |Δ| ≤ ε·c·E / (n·(1 − a)) for ever, on any graph, whatever is sent (:func:`harm_bound`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.graphs import Adjacency, Graph
from entro_nb.network import exchange
from entro_nb.network.isolation import IsolationRule, Outbreak, remember
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, Parameters, Positive, Seed

Defence = Literal["averaging", "documented", "sound", "local", "w-msr", "clipped"]

#: What healthy nodes do with what they hear.
DEFENCES: tuple[Defence, ...] = get_args(Defence)

_AVERAGING, _DOCUMENTED, _SOUND, _LOCAL, _TRIMMED, _CLIPPED = range(len(DEFENCES))

#: A distance, or none.
Reach = Annotated[float, Bounds(0.0, infinite=True)]

#: Steps of a run, and how many of the last ones the harm is measured over.
STEPS, LAST = 400, 100


@dataclass(frozen=True)
class Defended(Parameters):
    """What healthy nodes do with what they hear, and its constants.

    Attributes
    ----------
    defence : {"averaging", "documented", "sound", "local", "w-msr", "clipped"}
        "averaging" believes all. "documented" cuts a link on which 3 of the last 5 messages lie
        above Ψ_critical. "sound" does not use a message above it or further than `distance`
        from the median of all nodes, and cuts the link at 3 of 5 such; "local" takes the median
        of the node and its neighbours, since nobody on a ring can know that of all. "w-msr"
        leaves out the `tolerated` largest above the node's own value and smallest below, and
        averages (LeBlanc et al. 2013). "clipped" takes at most `reach` into account.
    distance : float
        d of the two rules with a median.
    tolerated : int
        F of W-MSR.
    reach : float
        c of "clipped", in Ψ; several times what healthy nodes differ by.
    """

    defence: Defence = "clipped"
    distance: Positive = 0.25
    tolerated: validate.Natural = 1
    reach: Positive = 0.01


_DEFENDED, _RULE = validate.slots(Defended), validate.slots(IsolationRule)


@dataclass(frozen=True)
class Lie(Parameters):
    """What a liar sends: b + offset + drift·t + amplitude·(±1 in turn) + face·(±1), in [0, cap].

    Attributes
    ----------
    offset : float
        Added to Ψ*, or to the present median of the healthy nodes where the liar is `following`.
    drift : float
        Change a step.
    amplitude, period : float
        Of a square wave; the period in steps.
    face : float
        Added for receivers of even number and taken off for the others: two-faced.
    cap : float
        Largest value that is sent.
    following : bool
        Whether the liar follows the median.
    """

    offset: float = 0.0
    drift: float = 0.0
    amplitude: float = 0.0
    period: Positive = 10.0
    face: float = 0.0
    cap: float = 1.0
    following: bool = False


_LIE = validate.slots(Lie)


@compiled
def trimmed_average(own: float, heard: FloatArray, drop: int) -> float:
    """Mean of a node's own value and those it hears, F of each side left out: W-MSR.

    Of the values above its own the F largest go (all, if there are fewer), of those below the F
    smallest (LeBlanc, Zhang, Koutsoukos and Sundaram 2013).

    Examples
    --------
    >>> trimmed_average(1.0, np.array([2.0, 3.0, 9.0, -9.0, 1.5]), 1)
    1.875
    """
    values = np.sort(heard)
    below = above = 0
    for value in values:
        below += value < own
        above += value > own
    total, kept = own, 1
    for k in range(min(drop, below), values.size - min(drop, above)):
        total += values[k]
        kept += 1
    return total / kept


@compiled
def _told(lie: FloatArray, t: int, receiver: int, middle: float) -> float:
    value = middle if lie[_LIE.following] != 0.0 else exchange.FAMILY_TARGET
    value += lie[_LIE.offset] + lie[_LIE.drift] * t
    turn = int(2.0 * t / lie[_LIE.period]) % 2
    value += lie[_LIE.amplitude] * (1.0 - 2.0 * turn)
    value += lie[_LIE.face] * (1.0 - 2.0 * (receiver % 2))
    return float(min(lie[_LIE.cap], max(0.0, value)))


@compiled
def _attacked(
    adjacency: Adjacency, step: float, lying: exchange.BoolArray, lie: FloatArray,
    script: FloatArray, d: FloatArray, rule: FloatArray, persistence: float, noise: FloatArray,
    heeded: bool,
) -> tuple[FloatArray, int]:  # fmt: skip
    """States of healthy nodes at each step (liars NaN), and links to liars that were cut.

    `noise` holds σ·ξ; `script`, where it is not empty, what each node sends each other one at
    each step; without `heeded` the links of liars carry nothing.
    """
    start, neighbour, _ = adjacency
    steps, n = noise.shape
    defence, critical = d[_DEFENDED.defence], rule[_RULE.psi_critical]
    states = np.full((steps, n), np.nan)
    x, heard = np.full(n, exchange.FAMILY_TARGET), np.empty(neighbour.size)
    ring = np.zeros((neighbour.size, int(rule[_RULE.window])), np.int64)
    place = np.zeros((neighbour.size, 3), np.int64)
    cut = np.zeros(neighbour.size, np.bool_)
    for t in range(steps):
        for i in range(n):
            x[i] = exchange.FAMILY_TARGET + persistence * (x[i] - exchange.FAMILY_TARGET)
            x[i] += noise[t, i]
        middle = np.median(x[~lying])
        shown = x.copy()
        for i in range(n):
            if lying[i]:
                shown[i] = _told(lie, t, 0, middle)
        overall = np.median(shown)
        for i in range(n):
            if lying[i]:
                continue
            count = 0
            for k in range(start[i], start[i + 1]):
                j = neighbour[k]
                if cut[k] or (lying[j] and not heeded):
                    continue
                told = x[j]
                if lying[j]:
                    told = script[t, j, i] if script.size else _told(lie, t, i, middle)
                heard[count] = told
                count += 1
            centre = overall
            if defence == _LOCAL:
                centre = np.median(np.append(heard[:count], x[i]))
            taken, place_heard = 0.0, 0
            for k in range(start[i], start[i + 1]):
                if cut[k] or (lying[neighbour[k]] and not heeded):
                    continue
                told = heard[place_heard]
                place_heard += 1
                away = told - x[i]
                if defence in (_DOCUMENTED, _SOUND, _LOCAL):
                    suspect = told > critical
                    if defence != _DOCUMENTED:
                        suspect = suspect or abs(told - centre) > d[_DEFENDED.distance]
                        away = 0.0 if suspect else away
                    cut[k] = remember(ring[k], place[k], suspect) >= rule[_RULE.min_faults]
                    away = 0.0 if cut[k] else away
                elif defence == _CLIPPED:
                    away = min(d[_DEFENDED.reach], max(-d[_DEFENDED.reach], away))
                taken += away
            states[t, i] = x[i] + step * taken
            if defence == _TRIMMED:
                states[t, i] = trimmed_average(x[i], heard[:count], int(d[_DEFENDED.tolerated]))
        for i in range(n):
            if not lying[i]:
                x[i] = states[t, i]
    caught = 0
    for i in range(n):
        for k in range(start[i], start[i + 1]):
            caught += cut[k] and lying[neighbour[k]] and not lying[i]
    return states, caught


class Attack(NamedTuple):
    """What came of one lie."""

    harm: float  #: mean distance of the healthy mean from the truth, over the last 100 steps
    caught: int  #: links to liars that were cut
    states: FloatArray  #: (step, node) states, NaN of liars
    truth: FloatArray  #: (step,) the healthy mean without liars


@validate.checked
def attack(
    graph: Graph,
    liars: npt.ArrayLike,
    lie: Lie | None = None,
    defended: Defended | None = None,
    *,
    script: npt.ArrayLike | None = None,
    steps: Count = STEPS,
    seed: Seed = 0,
) -> Attack:
    """One run with liars, and the same without.

    Parameters
    ----------
    graph : Graph
        Who hears whom.
    liars : array_like of int
        Numbers of the liars; not all nodes.
    lie : Lie, optional
        What they send.
    defended : Defended, optional
        What the others do about it.
    script : array_like, shape (steps, node, node), optional
        Instead of a lie: what sender j tells receiver i at step t, ``script[t, j, i]``.
    steps : int
        Steps of the run.
    seed : int
        Seed of the noise.

    Examples
    --------
    >>> found = attack(Graph.complete(15), [0], Lie(cap=0.8, offset=1.0), Defended("documented"))
    >>> round(found.harm, 2), found.caught
    (0.35, 0)
    """
    own, d = Outbreak(), Defended() if defended is None else defended
    lying = np.zeros(graph.n_nodes, np.bool_)
    lying[[validate.integer("liars", k, 0, graph.n_nodes - 1) for k in np.atleast_1d(liars)]] = True
    validate.integer("liars", int(lying.sum()), 0, graph.n_nodes - 1)
    shape = (steps, graph.n_nodes, graph.n_nodes)
    told = np.zeros((0, 0, 0))
    if script is not None:
        told = validate.finite_array("script", script, shape=shape)
    noise = own.noise * np.random.default_rng(seed).standard_normal((steps, graph.n_nodes))
    step = exchange.admissible_step(graph, None)
    runs = [
        _attacked(
            graph.adjacency, step, lying, (lie or Lie()).coefficients(), told, d.coefficients(),
            own.rule.coefficients(), own.persistence, noise, heeded,
        )
        for heeded in (True, False)
    ]  # fmt: skip
    states, truth = runs[0][0], runs[1][0][:, ~lying].mean(axis=1)
    away = np.abs(states[:, ~lying].mean(axis=1) - truth)
    return Attack(float(away[-LAST:].mean()), runs[0][1], states, truth)


@validate.checked
def harm_bound(graph: Graph, liars: npt.ArrayLike, reach: Positive = 0.01) -> float:
    """Bound on the harm under "clipped", ε·c·E / (n·(1 − a)), at every step and whatever is sent.

    E is the number of links between the liars and the n healthy nodes. A liar who sends more
    than any node's value and c comes as near to it as time allows: it is attained.

    Examples
    --------
    >>> round(harm_bound(Graph.complete(15), [0]), 4)
    0.0333
    """
    lying = np.zeros(graph.n_nodes, np.bool_)
    lying[np.atleast_1d(np.asarray(liars, dtype=np.int64))] = True
    across = int((lying[graph.edges[:, 0]] != lying[graph.edges[:, 1]]).sum())
    step, memory = exchange.admissible_step(graph, None), Outbreak().persistence
    return float(step * reach * across / ((~lying).sum() * (1.0 - memory)))


@validate.checked
def unseen_harm(n_nodes: Count, n_liars: validate.Natural, distance: Reach = math.inf) -> float:
    """Where liars who are never found lead a complete graph, without noise.

    The fixed point of Δ = a·Δ + ε·k·min(d, Ψ_critical − Ψ* − a·Δ), ε = 1/N: their messages stay
    at the edge of what the rules "documented" (d infinite) and "sound" let pass. As the nodes
    move up with what they hear, no message that passes at every step moves them further.

    Examples
    --------
    >>> round(unseen_harm(15, 1), 3), round(unseen_harm(15, 5, 0.25), 3)
    (0.36, 0.443)
    """
    own = Outbreak()
    gain, memory = n_liars / n_nodes, own.persistence
    room = own.rule.psi_critical - exchange.FAMILY_TARGET
    capped = gain * room / (1.0 - memory + gain * memory)
    return float(min(capped, gain * distance / (1.0 - memory)))


#: Kinds of lies, and the free numbers of each with their ends.
LIES: dict[str, dict[str, tuple[float, float]]] = {
    "constant": {"offset": (-0.339, 0.661)},
    "drifting": {"drift": (0.0, 0.01), "cap": (0.4, 1.0)},
    "oscillating": {"offset": (0.0, 0.661), "amplitude": (0.0, 0.5), "period": (2.0, 40.0)},
    "two-faced": {"offset": (0.0, 0.661), "face": (0.0, 0.5)},
    "following": {"offset": (0.0, 0.6), "cap": (0.6, 1.0)},
}


class Worst(NamedTuple):
    """The lie that does most harm among those tried."""

    harm: float
    kind: str
    lie: Lie
    caught: int


@validate.checked
def worst_lie(
    graph: Graph,
    liars: npt.ArrayLike,
    defended: Defended | None = None,
    *,
    tries: Count = 40,
    seed: Seed = 0,
) -> Worst:
    """Search for the lie that does most harm, over the kinds of `LIES`.

    For each kind first points drawn over the ranges of its numbers, some at their ends, and the
    edge of what passes among them; then a walk from the best one, half of the `tries` each. A
    search finds a lie, not the bound: that there is none worse it cannot say.

    Parameters
    ----------
    graph : Graph
        Who hears whom.
    liars : array_like of int
        Numbers of the liars, who lie alike.
    defended : Defended, optional
        What the others do about it.
    tries : int
        Runs for each kind of lie.
    seed : int
        Seed of the noise and of the search.

    Examples
    --------
    >>> worst = worst_lie(Graph.complete(15), [0], Defended("sound"), tries=10)
    >>> bool(worst.harm > 0.25), worst.caught
    (True, 0)
    """
    own, d = Outbreak(), Defended() if defended is None else defended
    rng = np.random.default_rng([seed, 1])
    best = Worst(-math.inf, "", Lie(), 0)
    for kind, free in LIES.items():
        low, high = np.array(list(free.values())).T
        here, there = -math.inf, (low + high) / 2
        for k in range(tries):
            if k == 0 and kind == "following":
                # Just within what passes, of nodes that noise spreads.
                point = np.array([min(0.6, 0.95 * d.distance), own.rule.psi_critical])
            elif k < tries // 2:
                point = rng.uniform(low, high)
                # An end of a range is where many a worst lie is.
                point = np.where(rng.random(low.size) < 0.25, high, point)
            else:
                width = 0.5 ** (1 + 6 * (k - tries // 2) / tries) * (high - low)
                point = np.clip(there + width * rng.normal(size=low.size), low, high)
            lie = Lie(**dict(zip(free, point.tolist(), strict=True)), following=kind == "following")
            found = attack(graph, liars, lie, d, seed=seed)
            if found.harm > here:
                here, there = found.harm, point
            if found.harm > best.harm:
                best = Worst(found.harm, kind, lie, found.caught)
    return best


def spread_removed(graph: Graph, defended: Defended | None = None, *, seed: int = 0) -> float:
    """Share of the variance over nodes that an exchange so defended takes away, with no liar.

    Examples
    --------
    >>> round(spread_removed(Graph.complete(15)), 2)
    0.98
    """
    own = Outbreak()
    found = attack(graph, np.zeros(0, np.int64), None, defended, seed=seed, steps=2000)
    free = own.noise**2 / (1.0 - own.persistence**2) * (1.0 - 1.0 / graph.n_nodes)
    return 1.0 - float(found.states[-1000:].var(axis=1).mean()) / free
