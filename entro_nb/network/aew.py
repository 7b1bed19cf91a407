"""Collective-AEW: weights learnt from a node's own error and the network's (seeds 001, 002)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.learner import AEWParameters, learn, learner
from entro_nb.validate import FloatArray

__all__ = ["CollectiveAEW"]


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
        gradient: str = "collective",
        adaptive: bool = True,
        parameters: AEWParameters | None = None,
    ) -> None:
        self.parameters = parameters or AEWParameters(
            eta, target, beta, gradient=gradient, adaptive=adaptive
        )
        self._c = self.parameters.coefficients()
        self._state = learner(self.parameters.beta)
        self._means: list[float] = []

    @classmethod
    def published(
        cls, eta: float = 0.01, target: float = FAMILY_TARGET, beta: float = 0.3
    ) -> CollectiveAEW:
        """Learner as the published class has it: gradient "trend", bounds before the division."""
        new = cls(eta, target, beta, gradient="trend")
        new._c = new.parameters.coefficients(published=True)
        return new

    @property
    def weights(self) -> FloatArray:
        """Present weights (w₁, w₂, w₃)."""
        return self._state.weights.copy()

    @weights.setter
    def weights(self, value: npt.ArrayLike) -> None:
        p = self.parameters
        checked = validate.probabilities("weights", value)
        if checked.shape != (3,):
            raise ParameterError("weights", f"array of shape {checked.shape}", "three weights")
        validate.finite_array("weights", checked, low=p.low, high=p.high)
        self._state.weights[:] = checked

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
