"""The networked threshold θ_net, which follows the spread of the network (seeds 001, 002)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy.typing as npt

from entro_nb import validate

__all__ = ["NetThreshold", "ThresholdParameters"]


@dataclass(frozen=True)
class ThresholdParameters:
    """Coefficients of θ_net.

    Attributes
    ----------
    theta_base : float
        θ_base: 1.2 in seed 001's quick start, 1.4 in seed 002.
    gamma : float
        γ ≥ 0, sensitivity to variance: 2.5 to 20 in seed 002.
    window : int
        Broadcasts over which the variance is averaged.
    low, high : float
        Clip of θ_net.
    """

    theta_base: float = 1.4
    gamma: float = 2.5
    window: int = 20
    low: float = 1.0
    high: float = 2.5

    def __post_init__(self) -> None:
        validate.real("theta_base", self.theta_base)
        validate.real("gamma", self.gamma, 0.0)
        validate.integer("window", self.window, 1)
        validate.real("low", self.low)
        validate.real("high", self.high, low=self.low)


class NetThreshold:
    """Networked threshold θ_net = clip(θ_base + γ·mean of the last variances, 1, 2.5).

    With ``window=1`` it is the formula of the documents, θ_net = θ_base + γ·Var[Ψ_net]; with
    the default window of 20 broadcasts, that of the published class. Since Ψ ≤ 1 after the
    published clip and θ_net ≥ 1 always, Ψ never exceeds it there; lower `low` and `theta_base`
    to put it within reach.

    Parameters
    ----------
    theta_base, gamma, window, low, high
        See :class:`ThresholdParameters`.

    Examples
    --------
    >>> NetThreshold(theta_base=1.2, gamma=10.0).update([0.3, 0.5])
    1.3
    >>> NetThreshold(theta_base=1.4).update([0.0, 1.0])
    2.025
    """

    def __init__(
        self,
        theta_base: float = 1.4,
        gamma: float = 2.5,
        window: int = 20,
        low: float = 1.0,
        high: float = 2.5,
    ) -> None:
        self.parameters = ThresholdParameters(theta_base, gamma, window, low, high)
        self._variances: deque[float] = deque(maxlen=window)

    @property
    def value(self) -> float:
        """Present θ_net, within its clip; θ_base clipped before the first update."""
        p = self.parameters
        held = self._variances
        mean = sum(held) / len(held) if held else 0.0
        return min(p.high, max(p.low, p.theta_base + p.gamma * mean))

    def update(self, psi: npt.ArrayLike) -> float:
        """Take in the states of one broadcast and return θ_net.

        Parameters
        ----------
        psi : array_like
            Ψ of each node, shape (N,).

        Returns
        -------
        float
            θ_net, in the unit of Ψ.

        Raises
        ------
        DataError
            If a state is NaN or infinite, named by its index.
        """
        states = validate.finite_array("psi", psi, ndim=1)
        self._variances.append(float(states.var()))
        return self.value
