"""Noise at temperature λ: Metropolis, Glauber and Langevin sampling of Boltzmann's law.

Lemma 1 of seed 004 holds at the level of the distribution: F[ρ] = E[U] − λS[ρ] falls along
the Fokker–Planck equation and is least at Boltzmann's law. For the single agent that equation
*is* noise of strength λ. Gradient descent without it ends in the nearest minimum.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.graph import IntArray
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "boltzmann",
    "descend",
    "drift",
    "free_energy",
    "langevin",
    "metropolis",
    "rugged",
    "rugged_slope",
    "total_variation",
]


def boltzmann(energy: npt.ArrayLike, temperature: float) -> FloatArray:
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
    temperature = validate.real("temperature", temperature, 0.0, open_low=True)
    weight = np.exp((u.min() - u) / temperature)
    law: FloatArray = weight / weight.sum()
    return law


def free_energy(p: npt.ArrayLike, energy: npt.ArrayLike, temperature: float) -> float:
    """F = E[U] − λS of a distribution over states, S in nats (Lemma 1).

    Least at Boltzmann's law, where it is −λ ln Σ exp(−U/λ).

    Examples
    --------
    >>> round(free_energy([0.5, 0.5], [0.0, 0.0], 1.0), 6)
    -0.693147
    """
    law = validate.probabilities("p", p)
    u = validate.finite_array("energy", energy)
    if u.shape != law.shape:
        raise ParameterError("energy", f"shape {u.shape}", f"the shape of p, {law.shape}")
    temperature = validate.real("temperature", temperature, 0.0)
    entropy = -float((law * np.log(law, where=law > 0, out=np.zeros_like(law))).sum())
    return float((law * u).sum()) - temperature * entropy


def total_variation(p: npt.ArrayLike, q: npt.ArrayLike) -> float:
    """½ Σ |p − q|: 0 for the same law, 1 for laws with nothing in common.

    Examples
    --------
    >>> total_variation([1.0, 0.0], [0.5, 0.5])
    0.5
    """
    a, b = validate.probabilities("p", p), validate.probabilities("q", q)
    if a.shape != b.shape:
        raise ParameterError("q", f"shape {b.shape}", f"the shape of p, {a.shape}")
    return float(np.abs(a - b).sum()) / 2.0


def metropolis(
    energy: npt.ArrayLike,
    temperature: float,
    *,
    steps: int = 1000,
    walkers: int = 1000,
    rule: Literal["metropolis", "glauber"] = "metropolis",
    start: int | None = None,
    seed: int = 0,
) -> IntArray:
    """Final states of independent walkers on a ring of states, steps to either neighbour.

    A move to a state higher by ΔU is accepted with probability min(1, exp(−ΔU/λ))
    (Metropolis) or 1/(1 + exp(ΔU/λ)) (Glauber). Walkers are independent, so their final states
    are a sample that the usual tests apply to.

    Parameters
    ----------
    energy : array_like, shape (state,)
        U of every state, at least 3 states.
    temperature : float
        λ ≥ 0; at 0 only moves that do not climb are made: deterministic descent.
    steps, walkers : int
        At least 1 each.
    rule : {"metropolis", "glauber"}
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
    temperature = validate.real("temperature", temperature, 0.0)
    steps, walkers = validate.integer("steps", steps, 1), validate.integer("walkers", walkers, 1)
    glauber = validate.choice("rule", rule, ("metropolis", "glauber")) == "glauber"
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    if start is None:
        state = rng.integers(u.size, size=walkers)
    else:
        state = np.full(walkers, validate.integer("start", start, 0, u.size - 1))
    for _ in range(steps):
        uniform = rng.random(walkers)
        move = np.where(rng.random(walkers) < 0.5, 1, -1)
        _hop(u, temperature, glauber, move, uniform, state)
    return state


@compiled
def _hop(
    energy: FloatArray,
    temperature: float,
    glauber: bool,
    move: IntArray,
    uniform: FloatArray,
    state: IntArray,
) -> None:
    n = energy.size
    for w in range(state.size):
        target = (state[w] + move[w]) % n
        rise = energy[target] - energy[state[w]]
        if temperature == 0.0:
            accept = rise < 0.0 or (rise == 0.0 and not glauber)
        elif glauber:
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


def langevin(
    temperature: float,
    *,
    steps: int = 2000,
    walkers: int = 1000,
    step: float = 0.05,
    width: float = 8.0,
    seed: int = 0,
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
    temperature = validate.real("temperature", temperature, 0.0)
    steps, walkers = validate.integer("steps", steps, 1), validate.integer("walkers", walkers, 1)
    step = validate.real("step", step, 0.0, 0.4, open_low=True)
    width = validate.real("width", width, 0.0, open_low=True)
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    x = rng.uniform(-width, width, walkers)
    before = rng.standard_normal(walkers)
    for _ in range(steps):
        after = rng.standard_normal(walkers)
        drift(x, step, np.sqrt(temperature * step / 2.0), before, after)
        before = after
    return x


@compiled
def drift(x: FloatArray, step: float, spread: float, before: FloatArray, after: FloatArray) -> None:
    """One step of every walker; each noise serves in two steps."""
    for w in range(x.size):
        x[w] += -step * rugged_slope(x[w]) + spread * (before[w] + after[w])


def descend(walkers: int = 1000, *, width: float = 8.0, seed: int = 0) -> FloatArray:
    """Where plain gradient descent on :func:`rugged` ends: :func:`langevin` at λ = 0."""
    return langevin(0.0, steps=4000, walkers=walkers, width=width, seed=seed)
