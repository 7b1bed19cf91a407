"""Small games with noisy players: where Lemma 1's link to the Nash equilibrium holds.

Logit dynamics: one player at a time draws a new action with probability ∝ exp(−cost/λ). If the
game has a potential, the long-run law is Boltzmann's law of that potential, and a cold one sits
on its minimum, which is a Nash equilibrium. Without a potential neither need hold.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.annealing import boltzmann
from entro_nb.validate import Bounds, FloatArray, Positive

#: Differences of cost below this count as none.
SAME = 1e-9


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
