"""Collective-AEW: weights learnt from a node's own error and the network's (seeds 001, 002).

One learner of weights, its coefficients, its state and its update as a compiled step: the class
`CollectiveAEW` and every episode of :mod:`entro_nb.network.learning` call the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.exchange import FAMILY_TARGET
from entro_nb.results import compiled
from entro_nb.validate import Bounds, FloatArray, IntArray, NonNegative, Parameters, Positive

#: Weights that every learner of the family starts from.
START_WEIGHTS = (0.5, 0.3, 0.2)

#: Errors that the learner remembers.
MEMORY = 20

#: The network gradients; "trend" is the published class's, "collective" the documents' formula.
Gradient = Literal["collective", "trend", "reversed"]


@dataclass(frozen=True)
class AEWParameters(Parameters):
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
    published : bool
        Whether the bounds act before the division by the sum, which can leave them again.
    """

    eta: Positive = 0.01
    target: float = FAMILY_TARGET
    beta: float = 0.3
    beta_min: NonNegative = 0.1
    beta_max: float = 2.0
    momentum: validate.PartOfOne = 0.9
    low: Annotated[float, Bounds(0.0, 1.0 / 3.0)] = 0.1
    high: Annotated[float, Bounds(1.0 / 3.0, 1.0)] = 0.8
    gradient: Gradient = "collective"
    adaptive: bool = True
    published: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("beta_max", self.beta_max, self.beta_min)
        validate.real("beta", self.beta, self.beta_min, self.beta_max)


#: Where the coefficients stand, and the numbers of the gradients among them.
AEW = validate.slots(AEWParameters)
_COLLECTIVE, _TREND, _REVERSED = range(3)


class Learner(NamedTuple):
    """State of one learner."""

    weights: FloatArray  #: (3,) w₁, w₂, w₃
    velocity: FloatArray  #: (3,) momentum of the weights
    errors: FloatArray  #: (20,) the last |e|, newest at `place[0] − 1`
    place: IntArray  #: (2,) next slot of `errors`, errors held
    cooperation: FloatArray  #: (2,) β and the last reward


@compiled
def new_learner(beta: float, weights: FloatArray) -> Learner:
    """Learner that has seen nothing yet; it changes `weights` in place."""
    place, cooperation = np.zeros(2, np.int64), np.array([beta, 0.0])
    return Learner(weights, np.zeros(3), np.zeros(MEMORY), place, cooperation)


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
    if c[AEW.adaptive] == 0.0:
        return
    beta = cooperation[0]
    beta += -0.02 * reward if abs(reward) > 0.05 else 0.002 * (0.5 - beta)
    cooperation[0] = min(c[AEW.beta_max], max(c[AEW.beta_min], beta))


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
    error = psi - c[AEW.target]
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
        if c[AEW.gradient] == _TREND:
            trend = mean_error
            if place[1] > 5:
                trend = (_past(errors, place, 0) - _past(errors, place, 4)) / 5.0
            gradient = gradient + cooperation[0] * trend
        else:
            gradient = gradient + cooperation[0] * 2.0 * mean_error * features
    if c[AEW.gradient] == _REVERSED:
        gradient = -gradient
    for k in range(3):
        velocity[k] = c[AEW.momentum] * velocity[k] - c[AEW.eta] * gradient[k]
        weights[k] += velocity[k]
    low, high = c[AEW.low], c[AEW.high]
    if c[AEW.published] != 0.0:
        # As published: clipped first and divided by the sum after, which can leave the bounds.
        for k in range(3):
            weights[k] = min(high, max(low, weights[k]))
        weights /= weights.sum()
    else:
        weights[:] = project(weights, low, high)


class CollectiveAEW:
    """Collective Adaptive Entropy Weighting, in the documents' form by default.

    w ← P[w + v], v ← 0.9·v − η·(∇L_local + β·∇L_collective), with
    ∇L_local = s·2e·(1 − Ψ, Ψ′, Ψ″), e = Ψ − Ψ*, s = 1 + min(2, mean of the last errors), and P
    the projection on {Σw = 1, low ≤ w ≤ high}. `CollectiveAEW.published` is the class as its
    package has it: the trend of the error as gradient of all three weights, and bounds that the
    division by the sum can break.

    Parameters
    ----------
    eta, target, beta, gradient, adaptive
        See :class:`AEWParameters`.
    parameters : AEWParameters, optional
        All of them at once, instead.

    Examples
    --------
    >>> aew = CollectiveAEW(eta=0.01, target=0.339)
    >>> aew.step([0.5, 0.6, 0.7]).round(3)
    array([0.498, 0.301, 0.201])
    >>> CollectiveAEW.published(beta=1.0).step(0.6, 0.1, 0.0, [0.2, 0.3]).round(4)
    array([0.5005, 0.3   , 0.1995])
    """

    def __init__(
        self,
        eta: float = 0.01,
        target: float = FAMILY_TARGET,
        beta: float = 0.3,
        *,
        gradient: Gradient = "collective",
        adaptive: bool = True,
        parameters: AEWParameters | None = None,
    ) -> None:
        self.parameters = parameters or AEWParameters(
            eta, target, beta, gradient=gradient, adaptive=adaptive
        )
        self._c = self.parameters.coefficients()
        self._state = new_learner(self.parameters.beta, np.array(START_WEIGHTS))
        self._means: list[float] = []

    @classmethod
    def published(
        cls, eta: float = 0.01, target: float = FAMILY_TARGET, beta: float = 0.3
    ) -> CollectiveAEW:
        """Learner as the published class has it: gradient "trend", bounds before the division."""
        coefficients = AEWParameters(eta, target, beta, gradient="trend", published=True)
        return cls(parameters=coefficients)

    @property
    def weights(self) -> FloatArray:
        """Present weights (w₁, w₂, w₃)."""
        return self._state.weights.copy()

    @weights.setter
    def weights(self, value: npt.ArrayLike) -> None:
        p = self.parameters
        checked = validate.probabilities("weights", value, shape=(3,))
        self._state.weights[:] = validate.finite_array("weights", checked, low=p.low, high=p.high)

    @property
    def beta(self) -> float:
        """Present cooperation β."""
        return float(self._state.cooperation[0])

    @property
    def reward(self) -> float:
        """Reward of the last step, 10·(|e| before − |mean network error|)."""
        return float(self._state.cooperation[1])

    def step(
        self,
        psi: float | npt.ArrayLike,
        d_psi: float | None = None,
        d2_psi: float | None = None,
        network_errors: npt.ArrayLike | None = None,
    ) -> FloatArray:
        """One update, in either published form.

        Parameters
        ----------
        psi : float or array_like
            Seed 002: the average Ψ, with its derivatives and the network's errors beside it.
            Seed 001: Ψ of every node, from which the rest is taken: their mean, its backward
            differences per step, and Ψ_i − Ψ*.
        d_psi, d2_psi : float, optional
            Ψ′ and Ψ″ in the first form.
        network_errors : array_like, optional
            Ψ_j − Ψ* of the nodes; without it only the local gradient acts.

        Returns
        -------
        ndarray
            Weights (w₁, w₂, w₃).

        Raises
        ------
        ParameterError
            If derivatives are given with an array of states, or only one of them is.
        DataError
            If something is NaN or infinite.
        """
        if np.ndim(psi) == 0:
            mean = validate.real("psi", psi)
            first = validate.real("d_psi", 0.0 if d_psi is None else d_psi)
            second = validate.real("d2_psi", 0.0 if d2_psi is None else d2_psi)
            errors = network_errors
        else:
            if d_psi is not None or d2_psi is not None or network_errors is not None:
                raise ParameterError("d_psi", d_psi, "nothing beside the states of all nodes")
            states = validate.finite_array("psi", psi, ndim=1)
            mean = float(states.mean())
            self._means = [*self._means[-2:], mean]
            past = self._means
            first = past[-1] - past[-2] if len(past) > 1 else 0.0
            second = past[-1] - 2.0 * past[-2] + past[-3] if len(past) > 2 else 0.0
            errors = states - self.parameters.target
        networked = errors is not None and np.size(errors) > 0
        mean_error = (
            float(validate.finite_array("network_errors", errors, ndim=1).mean())
            if errors is not None and networked
            else 0.0
        )
        learn(self._state, mean, first, second, mean_error, networked, self._c)
        return self.weights
