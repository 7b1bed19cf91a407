"""Demand over time: phases of constant rate, averaged over each step."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

__all__ = ["Phase", "profile", "three_phases"]


@dataclass(frozen=True)
class Phase:
    """Stretch of time with a constant offered rate.

    Parameters
    ----------
    name : str
        What it is called, for figures.
    start, stop : float
        From `start` to before `stop`, in s; 0 ≤ start < stop.
    rate : float
        Offered rate in req/s, not negative.
    capacity : float
        Factor on every queue's capacity during the phase, above 0: below 1 for a service that
        suffers at the same time as demand surges.

    Examples
    --------
    >>> Phase("surge", 200.0, 252.0, rate=2.9).duration
    52.0
    """

    name: str
    start: float
    stop: float
    rate: float
    capacity: float = 1.0

    def __post_init__(self) -> None:
        validate.real("start", self.start, 0.0)
        validate.real("stop", self.stop, 0.0)
        if self.stop <= self.start:
            raise ParameterError(
                f"phase {self.name!r}", (self.start, self.stop), "a stop after its start"
            )
        validate.real("rate", self.rate, 0.0)
        validate.real("capacity", self.capacity, 0.0, open_low=True)

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.stop - self.start


def checked(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Phases in order of time, refused when they overlap, leave a gap, or are none."""
    if not phases:
        raise ParameterError("phases", tuple(phases), "at least one phase")
    for phase in phases:
        if not isinstance(phase, Phase):
            raise ParameterTypeError("phases", phase, "Phase objects")
    ordered = tuple(sorted(phases, key=lambda phase: phase.start))
    if ordered[0].start != 0.0:
        raise ParameterError("start of the first phase", ordered[0].start, "0 s")
    for before, after in itertools.pairwise(ordered):
        if after.start != before.stop:
            fault = "overlap" if after.start < before.stop else "leave a gap"
            raise ParameterError(
                f"phases {before.name!r} and {after.name!r}",
                (before.stop, after.start),
                f"the second to start where the first stops (they {fault})",
            )
    return ordered


def three_phases(
    warmup_rate: float = 1.0,
    surge_rate: float = 2.88,
    recovery_rate: float = 0.9,
    warmup: float = 200.0,
    surge: float = 52.0,
    duration: float = 1000.0,
) -> tuple[Phase, Phase, Phase]:
    """Warm-up, surge and recovery, as the seed's pipeline names them.

    The seed gives no rates and no lengths. The defaults are close to what
    :func:`entro_nb.engine.identify` finds from its uncontrolled row (rates in req/s, times in s).

    Examples
    --------
    >>> [phase.stop for phase in three_phases()]
    [200.0, 252.0, 1000.0]
    """
    validate.real("warmup", warmup, 0.0, open_low=True)
    validate.real("surge", surge, 0.0, open_low=True)
    return (
        Phase("warm-up", 0.0, float(warmup), warmup_rate),
        Phase("surge", float(warmup), float(warmup + surge), surge_rate),
        Phase("recovery", float(warmup + surge), float(duration), recovery_rate),
    )


def profile(phases: Sequence[Phase], dt: float, steps: int) -> FloatArray:
    """Offered rate and capacity factor of each step, averaged over the step.

    A phase that ends inside a step counts for its part of it, so that the work offered does
    not depend on how the steps fall.

    Returns
    -------
    ndarray, shape (2, steps)
        Rates in req/s, and capacity factors. After the last phase its values go on.

    Examples
    --------
    >>> profile([Phase("a", 0.0, 1.5, 2.0), Phase("b", 1.5, 3.0, 4.0)], 1.0, 3)[0]
    array([2., 3., 4.])
    """
    ordered = checked(phases)
    edges = np.arange(steps + 1) * dt
    knots = np.array([phase.start for phase in ordered])
    table = np.array([[phase.rate, phase.capacity] for phase in ordered]).T
    done = np.hstack([np.zeros((2, 1)), np.cumsum(table[:, :-1] * np.diff(knots), axis=1)])
    at = np.searchsorted(knots, edges, side="right") - 1
    integral = done[:, at] + table[:, at] * (edges - knots[at])
    mean: FloatArray = np.diff(integral, axis=1) / dt
    # Differences of running integrals carry rounding noise; whole steps get their exact values.
    whole = at[:-1] == np.maximum(np.searchsorted(knots, edges[1:], side="left") - 1, 0)
    return np.where(whole, table[:, at[:-1]], mean)
