"""Where the exchange levels and where it amplifies, in (ακN, amplitude) on the complete graph.

Linear exchange: every disagreement is multiplied by 1 − ακN, so it shrinks exactly when
0 < ακN < 2, whatever the amplitude. The cubic term makes the factor depend on the amplitude:
with a = α²N·A², A the half-width of the states, the plane (ακN, a) holds every case.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "SETTINGS",
    "Setting",
    "no_overshoot",
    "outcome_map",
    "pair_factor",
    "uniform_factor",
]

#: Outcomes of `outcome_map`: how far the variance is from its start after many exchanges.
LEVELS, STAYS, GROWS = 0, 1, 2


class Setting(NamedTuple):
    """A setting named in the documents, or used in their studies."""

    name: str
    n_nodes: int
    kappa: float
    aggression: float
    source: str

    @property
    def gain(self) -> float:
        """ακN."""
        return self.aggression * self.kappa * self.n_nodes


#: Settings that the documents name or use, with α where they start it.
SETTINGS = (
    Setting("quick start, 3 nodes", 3, 0.1, 1.0, "seed 001"),
    Setting("quick start, 5 nodes", 5, 1.0, 1.0, "seed 002"),
    Setting("scaling study, N = 20", 20, 1.0, 1.0, "seed 001"),
    Setting("scaling study, N = 30", 30, 1.0, 1.0, "seed 001"),
    Setting("scaling study, N = 50", 50, 1.0, 1.0, "seed 001"),
)


def uniform_factor(gain: npt.ArrayLike, bend: npt.ArrayLike = 0.0) -> FloatArray:
    """Factor on the variance in one exchange, for states spread uniformly over ±A.

    (1 − g − a)² − 1.2·(1 − g − a)·a + (3/7)·a² with g = ακN and a = α²N·A²; exact for many
    nodes, and with a = 0 the square of the linear factor 1 − g for any number.

    Parameters
    ----------
    gain : array_like
        g = ακN.
    bend : array_like
        a = α²N·A², 0 without the cubic term.

    Returns
    -------
    ndarray
        Variance after over variance before: below 1 the exchange levels.

    Examples
    --------
    >>> float(uniform_factor(0.3).round(2)), float(uniform_factor(20.0))
    (0.49, 361.0)
    """
    g = validate.finite_array("gain", gain)
    a = validate.finite_array("bend", bend, low=0.0)
    # S₂ takes 3·α²·S₂ = α²N·A² = a off the slope; the rest is −α²N·d³.
    slope = 1.0 - g - a
    return np.asarray(slope**2 - 1.2 * slope * a + 3.0 / 7.0 * a**2)


def pair_factor(
    kappa: float, aggression: float, difference: npt.ArrayLike, *, cubic: bool = True
) -> FloatArray:
    """Factor on the difference of two nodes in one exchange, 1 − 2·(ακ + α²d²).

    Contraction exactly when 0 < ακ + α²d² < 1.

    Examples
    --------
    >>> pair_factor(0.1, 1.0, [0.0, 0.5])
    array([0.8, 0.3])
    """
    kappa = validate.real("kappa", kappa, 0.0, open_low=True)
    alpha = validate.real("aggression", aggression, 0.0, open_low=True)
    d = validate.finite_array("difference", difference)
    return 1.0 - 2.0 * (alpha * kappa + (alpha * d) ** 2 * bool(cubic))


def no_overshoot(
    n_nodes: int, kappa: float, aggression: float, width: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Whether (N − 1)·(ακ + α²D²) ≤ 1: then no node passes its neighbours, D = max − min.

    Sufficient for levelling with the cubic term, not necessary.

    Examples
    --------
    >>> no_overshoot(3, 0.1, 1.0, [0.1, 0.9]).tolist()
    [True, False]
    """
    n = validate.integer("n_nodes", n_nodes, 1)
    kappa = validate.real("kappa", kappa, 0.0, open_low=True)
    alpha = validate.real("aggression", aggression, 0.0, open_low=True)
    d = validate.finite_array("width", width, low=0.0)
    return np.asarray((n - 1) * (alpha * kappa + (alpha * d) ** 2) <= 1.0)


@compiled
def _outcomes(
    gains: FloatArray, amplitudes: FloatArray, start: FloatArray, cubic: float, steps: int
) -> FloatArray:
    n = start.size
    out = np.zeros((gains.size, amplitudes.size))
    for i in range(gains.size):
        for k in range(amplitudes.size):
            d = start * amplitudes[k]
            for _ in range(steps):
                d = d - d.mean()
                squares = (d * d).sum()
                cubes = (d * d * d).sum()
                d = d * (1.0 - gains[i] - 3.0 * cubic * squares) + cubic * (cubes - n * d**3)
                size = np.abs(d).max()
                if not size < 1e3 or size < 1e-9:
                    break
            final = np.abs(d).max() / amplitudes[k]
            out[i, k] = LEVELS if final < 0.5 else STAYS if final < 1e3 else GROWS
    return out


def outcome_map(
    n_nodes: int,
    gains: npt.ArrayLike,
    amplitudes: npt.ArrayLike,
    aggression: float = 1.0,
    *,
    cubic: bool = True,
    steps: int = 300,
) -> FloatArray:
    """What becomes of N evenly spread states after many exchanges without a clip.

    Parameters
    ----------
    n_nodes : int
        N ≥ 2.
    gains, amplitudes : array_like
        ακN, and the half-width A > 0 of the states.
    aggression : float
        α, whose square weighs the cubic term.
    cubic : bool
        Whether the cubic term acts.
    steps : int
        Exchanges before the verdict.

    Returns
    -------
    ndarray
        Shape (gains, amplitudes): 0 where the states level (their spread at least halves),
        1 where they stay spread, 2 where they run away (a thousandfold).

    Examples
    --------
    >>> outcome_map(5, [0.5, 2.5], [0.1], cubic=False).ravel()
    array([0., 2.])
    """
    n = validate.integer("n_nodes", n_nodes, 2)
    g = validate.finite_array("gains", gains, ndim=1, low=0.0)
    a = validate.finite_array("amplitudes", amplitudes, ndim=1, low=1e-9)
    alpha = validate.real("aggression", aggression, 0.0, open_low=True)
    steps = validate.integer("steps", steps, 1)
    spread_evenly = np.linspace(-1.0, 1.0, n)
    return _outcomes(g, a, spread_evenly, alpha**2 * bool(cubic), steps)
