"""What an Accountant is told: its window, its bins, and the thresholds of its classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from entro_nb import validate
from entro_nb.entropy.rolling import checked_range
from entro_nb.errors import ParameterError, ParameterTypeError

__all__ = ["AccountantConfig", "Thresholds"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits beyond which a frame is not STABLE, and the promise they were set for.

    Nobody published thresholds for seed 003: these are ours, and come from
    :func:`entro_nb.accountant.calibrate`, not from a table of magic numbers.

    Parameters
    ----------
    entropy_low, entropy_high : float
        Band of H in bits; outside it the frame is UNSTABLE.
    velocity : float
        Limit of |H′| in bits; beyond it the frame is DRIFTING.
    acceleration : float
        Limit of |H″| in bits; beyond it the frame is ACCELERATING.
    jerk : float
        Limit of |H‴| in bits; beyond it the frame is a TRANSITION.
    run_length : float
        Mean number of frames between false alarms that the limits were set for; NaN if unknown.
    standard_error : float
        Relative standard error of the run length in the calibration; NaN if unknown.

    Raises
    ------
    ParameterError
        If a limit is NaN or negative, or the band is upside down.

    Examples
    --------
    >>> Thresholds(2.5, 3.6, 0.3, 0.1, 0.1).velocity
    0.3
    """

    entropy_low: float
    entropy_high: float
    velocity: float
    acceleration: float
    jerk: float
    run_length: float = math.nan
    standard_error: float = math.nan

    def __post_init__(self) -> None:
        for name in ("velocity", "acceleration", "jerk"):
            _limit(name, getattr(self, name), low=0.0)
        low = _limit("entropy_low", self.entropy_low, low=-math.inf)
        _limit("entropy_high", self.entropy_high, low=low)

    @classmethod
    def never(cls) -> Thresholds:
        """Limits that no frame exceeds: measure, and never alarm."""
        return cls(-math.inf, math.inf, math.inf, math.inf, math.inf, run_length=math.inf)


def _limit(name: str, value: float, low: float) -> float:
    # An infinite limit is meant: it switches that alarm off.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterTypeError(name, value, f"a number of at least {low:g}")
    if math.isnan(value) or value < low:
        raise ParameterError(name, value, f"a number of at least {low:g}")
    return float(value)


@dataclass(frozen=True, slots=True)
class AccountantConfig:
    """Parameters of an Accountant (seed 003, §3 and §4; the numbers are ours).

    Parameters
    ----------
    window : int
        Samples in the histogram, at least 2. Longer sees smaller changes, later.
    bins : int
        Categories, at least 2. With K bins and N samples the plug-in entropy is low by about
        (K − 1)/(2 N ln 2) bits: keep K well below N.
    low, high : float
        Ends of the fixed edges, in units of the normalised value; what lies outside counts in
        the end bins.
    derivative_window : int
        Entropy values in the mean that the velocity is measured from, the present one included:
        from 2 to `window`, the length of the history that an Accountant keeps.
    thresholds : Thresholds, optional
        Limits of the stability classes. Without them the calibrated ones for these parameters
        and a standard normal input are used.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> AccountantConfig(window=64, bins=8, derivative_window=16).bins
    8
    >>> AccountantConfig(window=1)
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: window = 1 is not allowed: expected an integer in [2, 16777216]
    """

    window: int = 128
    bins: int = 16
    low: float = -4.0
    high: float = 4.0
    derivative_window: int = 32
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        # Beyond these sizes the fixed-point sums would lose the digits that are promised.
        integer = validate.integer
        window = integer("window", self.window, 2, 2**24)
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "bins", integer("bins", self.bins, 2, 2**20))
        low, high = checked_range(self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        span = integer("derivative_window", self.derivative_window, 2, window)
        object.__setattr__(self, "derivative_window", span)
        if self.thresholds is not None and not isinstance(self.thresholds, Thresholds):
            raise ParameterTypeError("thresholds", self.thresholds, "a Thresholds, or None")
