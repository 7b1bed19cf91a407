"""One learner of weights: coefficients, state, and the update as a compiled step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.topology import IntArray
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["START_WEIGHTS", "AEWParameters", "Learner", "learn", "learner", "project"]

#: Weights that every learner of the family starts from.
START_WEIGHTS = (0.5, 0.3, 0.2)

#: Errors that the learner remembers.
MEMORY = 20

#: The network gradients; "trend" is the published class's, "collective" the documents' formula.
GRADIENTS = ("collective", "trend", "reversed")


@dataclass(frozen=True)
class AEWParameters:
    """Coefficients of Collective-AEW.

    Attributes
    ----------
    eta : float
        Learning rate η > 0.
    target : float
        Ψ*.
    beta : float
        Cooperation β at the start, within [beta_min, beta_max].
    beta_min, beta_max : float
        Limits of the adaptive β.
    momentum : float
        In [0, 1).
    low, high : float
        Bounds of each weight; three weights must be able to sum to 1 within them.
    gradient : {"collective", "trend", "reversed"}
        "collective": ∇L_collective = 2·ē·(1 − Ψ, Ψ′, Ψ″) with ē the network's mean error, the
        documents' w ← w − η·(∇L_local + β·∇L_collective) read as it stands. "trend": β·trend
        in all three components, as the published class has it. "reversed": "collective" with
        the opposite sign (ours): more weight means more control and a *lower* Ψ, so the
        documents' gradient climbs where it should descend.
    adaptive : bool
        Whether β follows the reward.
    """

    eta: float = 0.01
    target: float = FAMILY_TARGET
    beta: float = 0.3
    beta_min: float = 0.1
    beta_max: float = 2.0
    momentum: float = 0.9
    low: float = 0.1
    high: float = 0.8
    gradient: str = "collective"
    adaptive: bool = True

    def __post_init__(self) -> None:
        validate.real("eta", self.eta, 0.0, open_low=True)
        validate.real("target", self.target)
        validate.real("beta_min", self.beta_min, 0.0)
        validate.real("beta_max", self.beta_max, self.beta_min)
        validate.real("beta", self.beta, self.beta_min, self.beta_max)
        validate.real("momentum", self.momentum, 0.0, 1.0, open_high=True)
        validate.real("low", self.low, 0.0, 1.0 / 3.0)
        validate.real("high", self.high, 1.0 / 3.0, 1.0)
        validate.choice("gradient", self.gradient, GRADIENTS)

    def coefficients(self, *, published: bool = False) -> FloatArray:
        """The numbers that :func:`learn` reads, in its order."""
        return np.array([
            self.eta, self.target, self.beta_min, self.beta_max, self.momentum, self.low,
            self.high, GRADIENTS.index(self.gradient), self.adaptive, published,
        ], dtype=np.float64)  # fmt: skip


class Learner(NamedTuple):
    """State of one learner."""

    weights: FloatArray  #: (3,) w₁, w₂, w₃
    velocity: FloatArray  #: (3,) momentum of the weights
    errors: FloatArray  #: (20,) the last |e|, newest at `place[0] − 1`
    place: IntArray  #: (2,) next slot of `errors`, errors held
    cooperation: FloatArray  #: (2,) β and the last reward


def learner(beta: float, weights: npt.ArrayLike = START_WEIGHTS) -> Learner:
    """Learner that has seen nothing yet."""
    return Learner(
        np.array(weights, dtype=np.float64),
        np.zeros(3),
        np.zeros(MEMORY),
        np.zeros(2, np.int64),
        np.array([beta, 0.0]),
    )


@compiled
def project(weights: FloatArray, low: float, high: float) -> FloatArray:
    """Nearest weights that sum to 1 and each lie in [low, high], by bisection on the shift.

    Examples
    --------
    >>> project(np.array([0.9, 0.2, 0.1]), 0.1, 0.8).round(6)
    array([0.8, 0.1, 0.1])
    """
    below = weights.min() - 1.0
    above = weights.max()
    for _ in range(60):
        shift = 0.5 * (below + above)
        total = 0.0
        for w in weights:
            total += min(high, max(low, w - shift))
        if total > 1.0:
            below = shift
        else:
            above = shift
    out = np.empty_like(weights)
    for k in range(weights.size):
        out[k] = min(high, max(low, weights[k] - above))
    return out


@compiled
def _past(errors: FloatArray, place: IntArray, back: int) -> float:
    return float(errors[(place[0] - 1 - back) % errors.size])


@compiled
def _cooperate(state: Learner, mean_error: float, c: FloatArray) -> None:
    """Reward of the network's error, and β after it."""
    cooperation = state.cooperation
    if state.place[1] > 1:
        reward = 10.0 * (_past(state.errors, state.place, 1) - abs(mean_error))
    else:
        reward = -abs(mean_error)
    cooperation[1] = reward
    if c[8] == 0.0:
        return
    beta = cooperation[0]
    beta += -0.02 * reward if abs(reward) > 0.05 else 0.002 * (0.5 - beta)
    cooperation[0] = min(c[3], max(c[2], beta))


@compiled
def learn(
    state: Learner,
    psi: float,
    first: float,
    second: float,
    mean_error: float,
    networked: bool,
    c: FloatArray,
) -> None:
    """One update of a learner, in place, from Ψ, Ψ′, Ψ″ and the network's mean error.

    `c` is :meth:`AEWParameters.coefficients`; `networked` False leaves the network out.
    """
    weights, velocity, errors, place, cooperation = state
    error = psi - c[1]
    errors[place[0]] = abs(error)
    place[0] = (place[0] + 1) % errors.size
    place[1] = min(errors.size, place[1] + 1)
    scale = 1.0
    if place[1] > 5:
        scale += min(2.0, errors[: place[1]].mean())
    features = np.array([1.0 - psi, first, second])
    gradient = scale * 2.0 * error * features
    if networked:
        _cooperate(state, mean_error, c)
        if c[7] == 1.0:
            trend = mean_error
            if place[1] > 5:
                trend = (_past(errors, place, 0) - _past(errors, place, 4)) / 5.0
            gradient = gradient + cooperation[0] * trend
        else:
            gradient = gradient + cooperation[0] * 2.0 * mean_error * features
    if c[7] == 2.0:
        gradient = -gradient
    for k in range(3):
        velocity[k] = c[4] * velocity[k] - c[0] * gradient[k]
        weights[k] += velocity[k]
    if c[9] == 1.0:
        # As published: clipped first and divided by the sum after, which can leave the bounds.
        for k in range(3):
            weights[k] = min(c[6], max(c[5], weights[k]))
        weights /= weights.sum()
    else:
        weights[:] = project(weights, c[5], c[6])
