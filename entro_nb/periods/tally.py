"""Sums of readings that can be added: a whole is the sum of its parts, however it is cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["QUANTITIES", "Spread", "Tally", "tally"]

#: What is averaged, and between which extremes it moved.
QUANTITIES = ("load", "psi", "stability", "energy", "memory")


@dataclass(frozen=True)
class Spread:
    """Sum and extremes of one quantity; NaN extremes of nothing."""

    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def __add__(self, other: Spread) -> Spread:
        return Spread(
            self.total + other.total, min(self.low, other.low), max(self.high, other.high)
        )


@dataclass(frozen=True)
class Tally:
    """What a stretch of readings adds up to.

    Parameters
    ----------
    count : int
        Readings.
    spreads : tuple of Spread
        In the order of `QUANTITIES`.
    regimes : (int, int, int)
        Readings that were stable, stress, critical.
    violations : int
        Readings with Ψ above the budget.

    Examples
    --------
    >>> Tally() + Tally() == Tally()
    True
    """

    count: int = 0
    spreads: tuple[Spread, ...] = tuple(Spread() for _ in QUANTITIES)
    regimes: tuple[int, int, int] = (0, 0, 0)
    violations: int = 0

    def __add__(self, other: Tally) -> Tally:
        a, b = self.regimes, other.regimes
        return Tally(
            self.count + other.count,
            tuple(x + y for x, y in zip(self.spreads, other.spreads, strict=True)),
            (a[0] + b[0], a[1] + b[1], a[2] + b[2]),
            self.violations + other.violations,
        )

    def mean(self, quantity: str) -> float:
        """Mean over the readings; NaN if there are none."""
        total = self.spreads[QUANTITIES.index(quantity)].total
        return total / self.count if self.count else math.nan

    def peak(self, quantity: str) -> float:
        """Largest value; NaN if there is none."""
        return self.spreads[QUANTITIES.index(quantity)].high if self.count else math.nan

    def least(self, quantity: str) -> float:
        """Smallest value; NaN if there is none."""
        return self.spreads[QUANTITIES.index(quantity)].low if self.count else math.nan

    def share(self, regime: int) -> float:
        """Share of the readings in a regime; NaN if there are none."""
        return self.regimes[regime] / self.count if self.count else math.nan


def tally(data: xr.Dataset) -> Tally:
    """Tally of all readings of a Dataset."""
    count = data.sizes["time"]
    if count == 0:
        return Tally()
    spreads = []
    for name in QUANTITIES:
        x = data[name].values
        # Rounded once, so that the order of the readings does not matter.
        spreads.append(Spread(math.fsum(x), float(x.min()), float(x.max())))
    counts = np.bincount(data.regime.values.astype(int), minlength=3)
    return Tally(
        count,
        tuple(spreads),
        (int(counts[0]), int(counts[1]), int(counts[2])),
        int(data.violation.values.sum()),
    )
