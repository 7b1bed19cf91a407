"""Velocity, acceleration and jerk of an entropy series (seed 003, §3).

The "velocity" of the seed is the entropy less its own recent mean: a high-pass filter, not a
derivative. On a ramp of slope s per step it settles at s·(n − 1)/2 for a window of n values.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.entropy.rolling import IntArray, Place
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["Derivatives", "derivatives"]


class Derivatives(NamedTuple):
    """The three rates of an entropy series, in bits; NaN where history is too short."""

    velocity: FloatArray  #: H′, from the 2nd value on
    acceleration: FloatArray  #: H″, from the 3rd
    jerk: FloatArray  #: H‴, from the 4th


def resolution(window: int, largest: float) -> float:
    """Fixed-point step for values up to `largest`: as fine as keeps the sum below 2**62."""
    return 2.0 ** -math.floor(61 - math.log2(max(largest, 2.0**-900) * window))


@compiled
def advance(
    h: float, history: IntArray, place: Place, velocity: float, acceleration: float, step: float
) -> tuple[float, float, float, Place]:
    """Take one entropy value in; (H′, H″, H‴), NaN where not yet defined, and where we stand.

    `history` (derivative window,) holds recent entropies in fixed point and is changed in place;
    `velocity` and `acceleration` are the ones before (NaN at the start).
    """
    slot, seen, total = place
    # The mean is of whole numbers (H in fixed point), so that it never drifts.
    value = np.int64(np.rint(h * (1.0 / step)))
    total += value - history[slot]
    history[slot] = value
    slot += 1
    if slot == history.size:
        slot = 0
    seen += 1
    # Each rate needs one more value than the one before; NaN carries that through.
    now = h - total * step / min(seen, history.size) if seen >= 2 else np.nan
    change = now - velocity
    return now, change, change - acceleration, Place(slot, seen, total)


@compiled
def _derivatives(h: FloatArray, history: IntArray, step: float, out: FloatArray) -> None:
    place = Place(0, 0, 0)
    velocity, acceleration = np.nan, np.nan
    for t in range(h.size):
        velocity, acceleration, jerk, place = advance(
            h[t], history, place, velocity, acceleration, step
        )
        out[0, t], out[1, t], out[2, t] = velocity, acceleration, jerk


def derivatives(h: npt.ArrayLike, window: int, axis: int = -1) -> Derivatives:
    """Velocity H′ = H − mean(H over the window), and its differences H″, H‴ (seed 003, §3).

    Parameters
    ----------
    h : array_like
        Entropy values along `axis`, in bits.
    window : int
        Values in the mean, the current one included: from 2 to the length of the series.
        While fewer exist, the mean is over those that do.
    axis : int
        Axis of time.

    Returns
    -------
    Derivatives
        Three arrays with the shape of `h`, in bits; NaN before the 2nd, 3rd and 4th value.

    Raises
    ------
    ParameterError, DataError
        If the window is longer than the series, or `h` is empty or not finite.

    Examples
    --------
    >>> d = derivatives([0.0, 1.0, 2.0, 3.0, 4.0], window=3)
    >>> d.velocity  # a ramp of slope 1: settles at (3 - 1) / 2
    array([nan, 0.5, 1. , 1. , 1. ])
    >>> d.jerk
    array([ nan,  nan,  nan, -0.5,  0. ])
    """
    values = validate.finite_array("h", h)
    if values.ndim == 0:
        values = values[np.newaxis]
    axis = validate.checked_axis(axis, values.ndim)
    window = validate.integer("window", window, 2, max(values.shape[axis], 2))
    lanes = np.moveaxis(values, axis, -1)
    out = np.empty((*lanes.shape[:-1], 3, lanes.shape[-1]))
    step = resolution(window, float(np.abs(values).max()))
    for lane in np.ndindex(lanes.shape[:-1]):
        _derivatives(np.ascontiguousarray(lanes[lane]), np.zeros(window, np.int64), step, out[lane])
    return Derivatives(*(np.moveaxis(out[..., k, :], -1, axis) for k in range(3)))
