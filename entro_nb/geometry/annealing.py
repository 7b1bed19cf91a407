"""Temperature λ: sampling of Boltzmann's law, annealing, the "CAP slider", and noisy games.

Lemma 1 of seed 004 holds at the level of the distribution: F[p] = E[U] − λS[p] is convex, and
descent of it ends at Boltzmann's law from anywhere. For the single agent, descent of F along the
Fokker–Planck equation *is* noise of strength λ: Metropolis, Glauber and Langevin dynamics.
Descent of U alone ends in the nearest minimum. §2.2 maps annealing, a temperature that falls, to
tuning, and calls the temperature a "CAP theorem slider" between agreement and freedom.

Small games with noisy players show where Lemma 1's link to the Nash equilibrium holds. Logit
dynamics: one player at a time draws a new action with probability ∝ exp(−cost/λ). If the game has
a potential, the long-run law is Boltzmann's law of that potential, and a cold one sits on its
minimum, which is a Nash equilibrium. Without a potential neither need hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.entropy import shannon
from entro_nb.errors import ParameterError
from entro_nb.graphs import Adjacency, GraphLike, as_graph, require_edges
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, NonNegative, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr

#: Time step of a walker; above 0.4 the method is unstable on :func:`rugged`.
WalkStep = Annotated[float, Bounds(0.0, 0.4, open_low=True)]
#: Differences of a game's cost below this count as none.
SAME = 1e-9


@validate.checked
def boltzmann(energy: npt.ArrayLike, temperature: Positive) -> FloatArray:
    """Boltzmann's law p ∝ exp(−U/λ) over the states of a finite landscape.

    Parameters
    ----------
    energy : array_like
        U of every state.
    temperature : float
        λ > 0, in the units of energy.

    Returns
    -------
    ndarray
        Probabilities, in the shape of `energy`.

    Examples
    --------
    >>> boltzmann([0.0, 0.0], 1.0)
    array([0.5, 0.5])
    """
    u = validate.finite_array("energy", energy)
    weight = np.exp((u.min() - u) / temperature)
    law: FloatArray = weight / weight.sum()
    return law


@validate.checked
def free_energy(p: npt.ArrayLike, energy: npt.ArrayLike, temperature: NonNegative) -> float:
    """F = E[U] − λS of a distribution over states, S in nats (Lemma 1).

    Least at Boltzmann's law, where it is −λ ln Σ exp(−U/λ).

    Examples
    --------
    >>> round(free_energy([0.5, 0.5], [0.0, 0.0], 1.0), 6)
    -0.693147
    """
    law = validate.probabilities("p", p)
    u = validate.finite_array("energy", energy, shape=law.shape)
    return float((law * u).sum() - temperature * math.log(2.0) * shannon(law).sum())


@validate.checked
def descend_free_energy(
    energy: npt.ArrayLike,
    temperature: Positive,
    *,
    way: Literal["mirror", "softmax"] = "mirror",
    start: npt.ArrayLike | None = None,
    steps: Count = 200,
    rate: Annotated[float, Bounds(0.0, 1.0, open_low=True)] = 0.1,
) -> FloatArray:
    """Laws on the way down F = E[U] − λS, by gradient descent from one law (Lemma 1).

    ``mirror``: p ← p·exp(−η ∂F/∂p), normalised, which takes the logarithm of p towards that of
    Boltzmann's law by the factor 1 − ηλ a step; ``softmax``: θ ← θ − η ∂F/∂θ of the weights in
    p = softmax(θ). With η = rate/λ for both.

    Parameters
    ----------
    energy : array_like, shape (state,)
        U of every state.
    temperature : float
        λ > 0.
    way : {"mirror", "softmax"}
        What the gradient is taken along.
    start : array_like, shape (state,), optional
        First law, nowhere zero; by default equal shares.
    steps : int
        At least 1.
    rate : float
        ηλ in (0, 1].

    Returns
    -------
    ndarray, shape (steps + 1, state)

    Raises
    ------
    ParameterError
        If the first law is zero anywhere: what is never there, no descent brings back.

    References
    ----------
    A. Beck, M. Teboulle, "Mirror descent and nonlinear projected subgradient methods", 2003.

    Examples
    --------
    >>> law = boltzmann([0.0, 1.0, 0.5], 0.5)
    >>> total_variation(descend_free_energy([0.0, 1.0, 0.5], 0.5, steps=400)[-1], law) < 1e-12
    True
    """
    u = validate.finite_array("energy", energy, ndim=1)
    first = np.full(u.size, 1.0 / u.size) if start is None else start
    law = validate.probabilities("start", first, shape=u.shape)
    if (law == 0.0).any():
        raise ParameterError("start", 0.0, "a law that is nowhere zero")
    laws, weights = np.empty((steps + 1, u.size)), np.log(law)
    laws[0] = law
    for t in range(1, steps + 1):
        slope = u + temperature * np.log(laws[t - 1])  # ∂F/∂p, but for a constant
        if way == "softmax":
            slope = laws[t - 1] * (slope - laws[t - 1] @ slope)
        weights = weights - rate / temperature * slope
        weights -= weights.max()
        laws[t] = boltzmann(-weights, 1.0)
    return laws


def total_variation(p: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """½ Σ |p − q|: 0 for the same law, 1 for laws with nothing in common.

    Examples
    --------
    >>> total_variation([1.0, 0.0], [0.5, 0.5])
    0.5
    """
    a = validate.probabilities("p", p)
    b = validate.probabilities("q", q, shape=a.shape)
    return float(np.abs(a - b).sum()) / 2.0


@validate.checked
def metropolis(
    energy: npt.ArrayLike,
    temperature: NonNegative,
    *,
    steps: Count = 1000,
    walkers: Count = 1000,
    rule: Literal["metropolis", "glauber", "greedy"] = "metropolis",
    start: int | None = None,
    seed: Seed = 0,
) -> IntArray:
    """Final states of independent walkers on a ring of states, steps to either neighbour.

    A move to a state higher by ΔU is accepted with probability min(1, exp(−ΔU/λ))
    (Metropolis) or 1/(1 + exp(ΔU/λ)) (Glauber). The exploration rate ε that §2.2 writes in the
    place of the temperature accepts every climb with the same probability ε (greedy): that is
    Metropolis where all climbs are λ ln 1/ε, and no Boltzmann law elsewhere. Walkers are
    independent, so their final states are a sample that the usual tests apply to.

    Parameters
    ----------
    energy : array_like, shape (state,)
        U of every state, at least 3 states.
    temperature : float
        λ ≥ 0; at 0 only moves that do not climb are made: descent of U. For ``greedy``, ε.
    steps, walkers : int
        At least 1 each.
    rule : {"metropolis", "glauber", "greedy"}
        Acceptance.
    start : int, optional
        First state of all; by default each starts anywhere.
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray of int64, shape (walker,)

    Raises
    ------
    ParameterError, DataError
        If a parameter is out of range or an energy is not finite.

    Examples
    --------
    >>> final = metropolis([0.0, 1.0, 0.0, 1.0], 0.5, walkers=4000)
    >>> share = np.bincount(final, minlength=4) / 4000
    >>> total_variation(share, boltzmann([0.0, 1.0, 0.0, 1.0], 0.5)) < 0.05
    True
    """
    u = validate.finite_array("energy", energy, ndim=1)
    validate.integer("number of states", u.size, 3)
    if rule == "greedy":
        validate.real("temperature", temperature, 0.0, 1.0)
    rng = np.random.default_rng(seed)
    if start is None:
        state = rng.integers(u.size, size=walkers)
    else:
        state = np.full(walkers, validate.integer("start", start, 0, u.size - 1))
    for _ in range(steps):
        uniform = rng.random(walkers)
        move = np.where(rng.random(walkers) < 0.5, 1, -1)
        _hop(u, temperature, rule, move, uniform, state)
    return state


@compiled
def _hop(
    energy: FloatArray, temperature: float, rule: str,
    move: IntArray, uniform: FloatArray, state: IntArray,
) -> None:  # fmt: skip
    n = energy.size
    for w in range(state.size):
        target = (state[w] + move[w]) % n
        rise = energy[target] - energy[state[w]]
        if rule == "greedy":
            accept = rise <= 0.0 or uniform[w] < temperature
        elif temperature == 0.0:
            accept = rise < 0.0 or (rise == 0.0 and rule != "glauber")
        elif rule == "glauber":
            accept = uniform[w] < 1.0 / (1.0 + np.exp(min(rise / temperature, 700.0)))
        else:
            accept = rise <= 0.0 or uniform[w] < np.exp(-rise / temperature)
        if accept:
            state[w] = target


@compiled
def rugged(x: float) -> float:
    """Landscape of notebook 12: 0.05 x² + 0.6 (1 − cos 2x) + 0.25 x, many minima, one lowest."""
    return float(0.05 * x * x + 0.6 * (1.0 - np.cos(2.0 * x)) + 0.25 * x)


@compiled
def rugged_slope(x: float) -> float:
    """Derivative of :func:`rugged`."""
    return float(0.1 * x + 1.2 * np.sin(2.0 * x) + 0.25)


@validate.checked
def langevin(
    temperature: NonNegative,
    *,
    steps: Count = 2000,
    walkers: Count = 1000,
    step: WalkStep = 0.05,
    width: Positive = 8.0,
    seed: Seed = 0,
) -> FloatArray:
    """Final places of independent walkers, dx = −U′dt + √(2λ) dB, on :func:`rugged`.

    Uses the method of Leimkuhler and Matthews, x ← x − hU′ + √(λh/2)(ξ + ξ′) with each noise
    used twice in a row: its stationary law is right to second order in the step, where the
    Euler–Maruyama method is to first.

    Parameters
    ----------
    temperature : float
        λ ≥ 0. At 0 it is gradient descent.
    steps, walkers : int
        At least 1 each.
    step : float
        h in (0, 0.4]: above, the method is unstable on this landscape.
    width : float
        Walkers start uniformly in [−width, width].
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray, shape (walker,)

    References
    ----------
    B. Leimkuhler, C. Matthews, "Rational construction of stochastic numerical methods for
    molecular sampling", 2013.

    Examples
    --------
    >>> round(float(langevin(0.0, steps=4000, walkers=1, width=0.1)[0]), 3)
    -0.101
    """
    return _walked(np.full(steps, temperature), walkers, step, width, seed)


def _walked(
    heat: Iterable[float], walkers: int, step: float, width: float, seed: int
) -> FloatArray:
    """Final places of walkers under one temperature after the other."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-width, width, walkers)
    before = rng.standard_normal(walkers)
    for temperature in heat:
        after = rng.standard_normal(walkers)
        _drift(x, step, np.sqrt(temperature * step / 2.0), before, after)
        before = after
    return x


@compiled
def _drift(
    x: FloatArray, step: float, spread: float, before: FloatArray, after: FloatArray
) -> None:
    """One step of every walker; each noise serves in two steps."""
    for w in range(x.size):
        x[w] += -step * rugged_slope(x[w]) + spread * (before[w] + after[w])


def descend(walkers: int = 1000, *, width: float = 8.0, seed: int = 0) -> FloatArray:
    """Where plain gradient descent on :func:`rugged` ends: :func:`langevin` at λ = 0."""
    return langevin(0.0, steps=4000, walkers=walkers, width=width, seed=seed)


@dataclass(frozen=True)
class Schedule(validate.Parameters):
    """Temperature over time.

    Parameters
    ----------
    first, last : float
        λ at the start and end, first ≥ last > 0.
    shape : {"geometric", "logarithmic", "constant"}
        ``geometric`` falls by the same factor each step; ``logarithmic`` as first/ln(e + k)
        in step k, the shape for which convergence to the lowest minimum is proved (Geman and
        Geman 1984), and too slow to get near `last`; ``constant`` stays at `first`.

    Examples
    --------
    >>> temperatures(Schedule(1.0, 0.25), 3)
    array([1.  , 0.5 , 0.25])
    """

    first: float = 2.0
    last: Positive = 0.02
    shape: Literal["geometric", "logarithmic", "constant"] = "geometric"

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("first", self.first, self.last)


@validate.checked
def temperatures(schedule: Schedule, steps: Annotated[int, Bounds(2)]) -> FloatArray:
    """λ at every step of a schedule, shape (steps,)."""
    t = np.arange(steps) / (steps - 1)
    if schedule.shape == "constant":
        return np.full(steps, schedule.first)
    if schedule.shape == "geometric":
        return schedule.first * (schedule.last / schedule.first) ** t
    slow: FloatArray = schedule.first / np.log(math.e + np.arange(steps))
    return slow


@validate.checked
def anneal(
    schedule: Schedule | None = None,
    *,
    steps: Annotated[int, Bounds(2)] = 4000,
    walkers: Count = 1000,
    step: WalkStep = 0.05,
    width: Positive = 8.0,
    seed: Seed = 0,
) -> FloatArray:
    """Final places of walkers on the rugged landscape while the temperature falls (seed 004, §2.2).

    Examples
    --------
    >>> lowest = -3.12
    >>> bool(np.mean(abs(anneal(walkers=400) - lowest) < 0.5) > 0.5)
    True
    """
    return _walked(temperatures(schedule or Schedule(), steps), walkers, step, width, seed)


@validate.checked
def cap_slider(
    graph: GraphLike,
    levels: npt.ArrayLike,
    *,
    sweeps: Count = 400,
    warmup: Annotated[int, Bounds(0)] = 100,
    seed: Seed = 0,
) -> xr.Dataset:
    """Consistency against freedom to change, by temperature: the seed's "CAP slider" (§2.2).

    Nodes hold one of two versions; a pair of neighbours that differ costs the conductance of
    their edge. Glauber dynamics at λ: cold nodes agree and hardly ever change, hot ones change
    freely and disagree. This is the Ising model, and nothing in it is new but the name.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        At least one edge.
    levels : array_like
        Temperatures λ > 0.
    sweeps, warmup : int
        Updates per node that are measured, and that come before.
    seed : int
        Seed of the draws, the same for each temperature.

    Returns
    -------
    xarray.Dataset
        Over ``temperature``: ``agreement``, mean share of edges whose ends hold the same
        version, and ``turnover``, share of updates that change a node.

    References
    ----------
    E. Ising, "Beitrag zur Theorie des Ferromagnetismus", 1925. R. J. Glauber, "Time-dependent
    statistics of the Ising model", 1963.

    Examples
    --------
    >>> import networkx as nx
    >>> run = cap_slider(nx.cycle_graph(20), [0.1, 10.0])
    >>> bool(run.agreement[0] > run.agreement[1]), bool(run.turnover[0] < run.turnover[1])
    (True, True)
    """
    graph = require_edges(as_graph(graph), "disagreement between neighbours")
    heat = validate.finite_array("levels", levels, ndim=1)
    if (heat <= 0).any():
        raise ParameterError("levels", float(heat.min()), "temperatures above 0")
    n, adjacency = graph.n_nodes, graph.adjacency
    (i, j), strength = graph.edges.T, graph.conductance[adjacency.edge]
    agreement, turnover = np.zeros((2, heat.size))
    for k, temperature in enumerate(heat):
        rng = np.random.default_rng(seed)
        spins = rng.integers(2, size=n) * 2 - 1
        for sweep in range(warmup + sweeps):
            order, uniform = rng.integers(n, size=n), rng.random(n)
            changed = _sweep(adjacency, strength, temperature, order, uniform, spins)
            if sweep >= warmup:
                agreement[k] += np.mean(spins[i] == spins[j])
                turnover[k] += changed
    agreement, turnover = agreement / sweeps, turnover / (sweeps * n)
    return results.dataset(
        {
            "agreement": ("temperature", agreement, "1", "edges whose ends agree"),
            "turnover": ("temperature", turnover, "1", "updates that change a node"),
        },
        coords={"temperature": (heat, "energy")},
        parameters=results.parameters_of(sweeps=sweeps, warmup=warmup, seed=seed),
        title="Consistency against freedom to change",
        source="seed 004, §2.2",
    )


@compiled
def _sweep(
    adjacency: Adjacency, strength: FloatArray, temperature: float,
    order: IntArray, uniform: FloatArray, spins: IntArray,
) -> int:  # fmt: skip
    start, neighbour, _ = adjacency
    changed = 0
    for k in range(order.size):
        i = order[k]
        pull = 0.0
        for a in range(start[i], start[i + 1]):
            pull += strength[a] * spins[neighbour[a]]
        # Energy Σ c·(differ) over edges: holding +1 rather than −1 costs −pull.
        up = 1.0 / (1.0 + np.exp(max(min(-pull / temperature, 700.0), -700.0)))
        new = 1 if uniform[k] < up else -1
        changed += new != spins[i]
        spins[i] = new
    return changed


@validate.checked
def congestion_game(players: Annotated[int, Bounds(1, 8)], slopes: npt.ArrayLike) -> FloatArray:
    """Costs of players who share resources: slope of the resource × number of its users.

    Parameters
    ----------
    players : int
        At least 1.
    slopes : array_like, shape (resource,)
        Cost per user, positive.

    Returns
    -------
    ndarray, shape (player, action of player 0, action of player 1, …)

    Examples
    --------
    >>> costs = congestion_game(2, [1.0, 1.5])
    >>> float(costs[0, 0, 0]), float(costs[0, 0, 1]), float(costs[1, 0, 1])
    (2.0, 1.0, 1.5)
    """
    slope = validate.finite_array("slopes", slopes, ndim=1, low=0.0)
    costs = np.empty((players, *(slope.size,) * players))
    for profile in np.ndindex(*costs.shape[1:]):
        users = np.bincount(profile, minlength=slope.size)
        for player, action in enumerate(profile):
            costs[(player, *profile)] = slope[action] * users[action]
    return costs


@validate.checked
def biased_pennies(stake: Positive = 3.0) -> FloatArray:
    """Costs of matching pennies with a larger stake on one side: a game with no potential.

    Player 0 wants to match, player 1 to differ; matching on action 0 is worth `stake` to player
    0. The only Nash equilibrium is mixed: player 1 plays action 0 with probability
    2/(stake + 3), player 0 with ½.

    Examples
    --------
    >>> potential(biased_pennies()) is None
    True
    """
    return np.array([[[-stake, 1.0], [1.0, -1.0]], [[1.0, -1.0], [-1.0, 1.0]]])


def potential(costs: npt.ArrayLike) -> FloatArray | None:
    """Exact potential of a game, zero at the first profile, or None where there is none.

    A function of the profile that changes by what the player who moves gains or loses.

    Examples
    --------
    >>> potential(congestion_game(2, [1.0, 1.5]))
    array([[ 0. , -0.5],
           [-0.5,  1.5]])
    """
    table = _game(costs)
    shape = table.shape[1:]
    value = np.zeros(shape)
    # One player after the other moves away from action 0.
    for profile in np.ndindex(*shape):
        at = [0] * len(shape)
        for player, action in enumerate(profile):
            before = table[(player, *at)]
            at[player] = action
            value[profile] += table[(player, *at)] - before
    for player in range(len(shape)):
        own = table[player] - value
        # What is left may not depend on the player's own action.
        if float(np.abs(own - own.take([0], axis=player)).max()) > SAME:
            return None
    return value


def pure_nash(costs: npt.ArrayLike) -> list[tuple[int, ...]]:
    """Profiles in which no player gains by moving alone.

    Examples
    --------
    >>> pure_nash(congestion_game(2, [1.0, 1.5]))
    [(0, 1), (1, 0)]
    """
    table = _game(costs)
    stable = np.ones(table.shape[1:], dtype=bool)
    for player in range(len(table)):
        stable &= table[player] <= table[player].min(axis=player, keepdims=True) + SAME
    return [tuple(int(a) for a in profile) for profile in np.argwhere(stable)]


@validate.checked
def logit_dynamics(costs: npt.ArrayLike, temperature: Positive) -> FloatArray:
    """Transition matrix between profiles: a random player draws ∝ exp(−cost/λ).

    Parameters
    ----------
    costs : array_like, shape (player, actions…)
        As :func:`congestion_game`.
    temperature : float
        λ > 0.

    Returns
    -------
    ndarray, shape (profile, profile)
        Rows sum to 1; profiles in C order.

    Examples
    --------
    >>> logit_dynamics(congestion_game(1, [1.0, 1.0]), 1.0)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    table = _game(costs)
    shape = table.shape[1:]
    size = int(np.prod(shape))
    matrix = np.zeros((size, size))
    for profile in np.ndindex(*shape):
        here = np.ravel_multi_index(profile, shape)
        for player, actions in enumerate(shape):
            options = [(*profile[:player], a, *profile[player + 1 :]) for a in range(actions)]
            cost = np.array([table[(player, *option)] for option in options])
            for option, share in zip(options, boltzmann(cost, temperature), strict=True):
                matrix[here, np.ravel_multi_index(option, shape)] += share / len(shape)
    return matrix


@validate.checked
def quantal_response(
    costs: npt.ArrayLike,
    temperature: Positive,
    *,
    steps: Count = 4000,
    rate: Annotated[float, Bounds(0.0, 1.0, open_low=True)] = 0.05,
) -> list[FloatArray]:
    """Mixed actions where every player descends its own F = E[cost] − λS (Lemma 1, "local").

    Each player takes a mirror step, as in :func:`descend_free_energy`, against what the others
    play. Where that comes to rest every action has a probability ∝ exp(−expected cost/λ): the
    logit quantal response equilibrium, a law for each player and not one of all together.

    Parameters
    ----------
    costs : array_like, shape (player, actions…)
        As :func:`congestion_game`.
    temperature : float
        λ > 0.
    steps : int
        At least 1.
    rate : float
        ηλ in (0, 1].

    Returns
    -------
    list of ndarray
        Probabilities of the actions of each player.

    References
    ----------
    R. D. McKelvey, T. R. Palfrey, "Quantal response equilibria for normal form games", 1995.

    Examples
    --------
    >>> [p.round(3) for p in quantal_response(congestion_game(1, [1.0, 2.0]), 1.0)]
    [array([0.731, 0.269])]
    """
    table = _game(costs)
    # From slightly unequal shares: players who begin alike stay alike, whatever they share.
    mixed = [boltzmann(np.arange(n) * 1e-3 * (k + 1), 1.0) for k, n in enumerate(table.shape[1:])]
    for _ in range(steps):
        before = list(mixed)
        for player, law in enumerate(before):
            expected = table[player]
            # From the last axis to the first, so that the ones before keep their places.
            for other in range(len(before) - 1, -1, -1):
                if other != player:
                    expected = np.tensordot(expected, before[other], axes=(other, 0))
            weight = (1.0 - rate) * np.log(law) - rate / temperature * expected
            mixed[player] = boltzmann(-weight, 1.0)
    return mixed


def stationary(matrix: npt.ArrayLike) -> FloatArray:
    """Long-run law π = πP of an irreducible transition matrix.

    Examples
    --------
    >>> stationary([[0.5, 0.5], [0.25, 0.75]]).round(6)
    array([0.333333, 0.666667])
    """
    p = validate.finite_array("matrix", matrix, ndim=2, low=0.0)
    if p.shape[0] != p.shape[1]:
        raise ParameterError("matrix", f"shape {p.shape}", "a square matrix")
    validate.probabilities("matrix", p)
    n = len(p)
    # π(P − I) = 0 has one redundant equation; Σπ = 1 takes its place.
    system = np.vstack([(p.T - np.eye(n))[:-1], np.ones(n)])
    return np.linalg.solve(system, np.r_[np.zeros(n - 1), 1.0])


def _game(costs: npt.ArrayLike) -> FloatArray:
    table = validate.finite_array("costs", costs)
    if table.ndim < 2 or len(table) != table.ndim - 1:
        raise ParameterError(
            "costs", f"shape {table.shape}", "shape (players, actions of each player in turn)"
        )
    return table
