"""What a node does by itself between two broadcasts: the family's oscillator, or a plain AR(1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from entro_nb import validate
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["Autoregressive", "Node", "Oscillator", "control", "oscillate"]


@dataclass(frozen=True)
class Autoregressive:
    """Node that forgets: Ψ ← Ψ* + a·(Ψ − Ψ*) + (1 − a)·d + σ·ξ, ξ standard normal (ours).

    The plainest node with a memory, and linear, so that its spread with and without exchange
    is known in closed form. A constant disturbance d moves its mean by d.

    Attributes
    ----------
    persistence : float
        a in [0, 1): near 1 for slow nodes.
    noise : float
        σ ≥ 0, in Ψ.
    level : float
        Ψ*, in Ψ.
    """

    persistence: float = 0.95
    noise: float = 0.02
    level: float = FAMILY_TARGET

    def __post_init__(self) -> None:
        validate.real("persistence", self.persistence, 0.0, 1.0, open_high=True)
        validate.real("noise", self.noise, 0.0)
        validate.real("level", self.level)

    @property
    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Transition matrix and noise vector of the deviation from Ψ*."""
        return np.array([[self.persistence]]), np.array([self.noise])


@dataclass(frozen=True)
class Oscillator:
    """The family's single-node plant: Ψ̈ = −k·Ψ − c·Ψ̇ + u + d + noise, Ψ ≥ floor.

    u = −clip₀¹(w₁·σ(Ψ − θ) + w₂·tanh Ψ̇ + w₃·tanh Ψ̈), semi-implicit Euler of step dt.

    Attributes
    ----------
    dt : float
        Step, in seconds.
    stiffness, damping : float
        k and c; 1 and 0.5 in the family.
    noise : float
        Deviation of the acceleration's noise at each step.
    floor : float
        Smallest Ψ; minus infinity makes an uncontrolled oscillator linear.
    weights : tuple of float or None
        (w₁, w₂, w₃); None leaves the node uncontrolled.
    theta : float
        θ of the control, unless a network threshold supplies it.
    """

    dt: float = 0.1
    stiffness: float = 1.0
    damping: float = 0.5
    noise: float = 0.01
    floor: float = 0.05
    weights: tuple[float, float, float] | None = (0.5, 0.3, 0.2)
    theta: float = 1.4

    def __post_init__(self) -> None:
        validate.real("dt", self.dt, 0.0, 1.0, open_low=True)
        validate.real("stiffness", self.stiffness, 0.0, open_low=True)
        validate.real("damping", self.damping, 0.0, open_low=True)
        validate.real("noise", self.noise, 0.0)
        if self.floor != -math.inf:
            validate.real("floor", self.floor)
        if self.weights is not None:
            validate.same_length(weights=self.weights, of_three=(0, 0, 0))
            validate.finite_array("weights", self.weights, ndim=1)
        validate.real("theta", self.theta)

    @property
    def linear(self) -> tuple[FloatArray, FloatArray]:
        """Transition matrix and noise vector of (Ψ, Ψ̇), without control and floor."""
        k, c, h = self.stiffness, self.damping, self.dt
        slow = 1.0 - h * c
        matrix = np.array([[1.0 - h * h * k, h * slow], [-h * k, slow]])
        return matrix, self.noise * np.array([h * h, h])


Node = Autoregressive | Oscillator


@compiled
def control(
    psi: float, velocity: float, acceleration: float, w1: float, w2: float, w3: float, theta: float
) -> float:
    """Control of the family, u = −clip₀¹(w₁·σ(Ψ − θ) + w₂·tanh Ψ̇ + w₃·tanh Ψ̈).

    Examples
    --------
    >>> control(1.4, 0.0, 0.0, 0.5, 0.3, 0.2, 1.4)
    -0.25
    """
    pressure = (
        w1 / (1.0 + np.exp(theta - psi)) + w2 * np.tanh(velocity) + w3 * np.tanh(acceleration)
    )
    return -float(min(1.0, max(0.0, pressure)))


@compiled
def oscillate(
    psi: float,
    velocity: float,
    force: float,
    dt: float,
    stiffness: float,
    damping: float,
    floor: float,
) -> tuple[float, float, float]:
    """One step of the oscillator under a force; returns Ψ, Ψ̇ and Ψ̈.

    Examples
    --------
    >>> oscillate(1.0, 0.0, 1.0, 0.1, 1.0, 0.5, 0.0)
    (1.0, 0.0, 0.0)
    """
    acceleration = force - stiffness * psi - damping * velocity
    velocity += dt * acceleration
    psi = max(floor, psi + dt * velocity)
    return psi, velocity, acceleration
