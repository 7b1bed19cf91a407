"""A period summed up: what happened, how healthy it was, what to do."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb.periods.alerts import Alert, alerts_of, gap_limit
from entro_nb.periods.calendar import SECOND, Period, instants, periods
from entro_nb.periods.tally import Tally, tally

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Summary", "summarize"]

#: Risk is HIGH below the first health or above the first share of critical readings, MODERATE
#: below the second or above the second share of violations (ours).
HIGH_RISK, MODERATE_RISK = (50.0, 0.10), (80.0, 0.01)


@dataclass(frozen=True)
class Summary:
    """One period of a report (seed 000 names the fields; health, risk and advice are ours).

    Parameters
    ----------
    period : Period
    tally : Tally
        What its readings add up to.
    alerts : tuple of Alert
        Those that began in it.
    covered : float
        Time in it that lies between readings without a gap, in s.
    budget : float
        Ψ_budget in nats.
    """

    period: Period
    tally: Tally
    alerts: tuple[Alert, ...]
    covered: float
    budget: float

    @property
    def coverage(self) -> float:
        """Share of the period that was observed."""
        return self.covered / self.period.seconds

    @property
    def health(self) -> float:
        """100 when always stable, 50 always in stress, 0 always critical; NaN if empty."""
        return 100.0 * (self.tally.share(0) + 0.5 * self.tally.share(1))

    @property
    def risk(self) -> str:
        """LOW, MODERATE, HIGH, or UNKNOWN for an empty period."""
        if self.tally.count == 0:
            return "UNKNOWN"
        if self.health < HIGH_RISK[0] or self.tally.share(2) > HIGH_RISK[1]:
            return "HIGH"
        broken = self.tally.violations / self.tally.count
        if self.health < MODERATE_RISK[0] or broken > MODERATE_RISK[1]:
            return "MODERATE"
        return "LOW"

    @property
    def severities(self) -> dict[str, int]:
        """Number of alerts of each severity."""
        return dict(Counter(alert.severity for alert in self.alerts))

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What the numbers ask for, each with its number."""
        t = self.tally
        if t.count == 0:
            return ("No readings: find out whether the source or its recording was down.",)
        rules = (
            (
                t.violations > 0,
                f"Psi broke its budget in {t.violations} of {t.count} readings, up to "
                f"{t.peak('psi'):.2f} of {self.budget:.2f} nats: hold back more, or earlier.",
            ),
            (
                t.regimes[2] > 0,
                f"{t.share(2):.1%} of the readings were critical: look at the alerts marked HIGH.",
            ),
            (
                t.mean("memory") > 0.8,
                f"The stress memory averaged {t.mean('memory'):.2f} of what can be carried: "
                "lasting load, not a burst; add capacity.",
            ),
            (
                self.coverage < 0.95,
                f"Only {self.coverage:.0%} of the period was observed: read the figures with care.",
            ),
            (
                any(alert.kind == "CLOCK_SET_BACK" for alert in self.alerts),
                "The clock was set back: the order of some readings is uncertain.",
            ),
        )
        return tuple(text for holds, text in rules if holds) or ("Nothing to do.",)


def summarize(
    data: xr.Dataset, kind: str = "daily", timezone: str = "UTC", gap: float = 0.0
) -> list[Summary]:
    """Every period from the first reading to the last, empty ones included.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`entro_nb.periods.readings` gives.
    kind : {"daily", "weekly", "monthly"}
    timezone : str
        Whose midnights count; days on which clocks change there have 23 or 25 hours.
    gap : float
        Distance of readings that counts as a gap, in s; 0 for ten times the usual one.

    Returns
    -------
    list of Summary
        In order; each reading and each alert belongs to one.

    Raises
    ------
    ParameterError
        If kind or time zone are unknown.

    Examples
    --------
    >>> from entro_nb.periods import simulated
    >>> [summary.tally.count for summary in summarize(simulated(days=3))]
    [1440, 1440, 1440]
    """
    time = instants(data.time.values)
    if time.size == 0:
        # The checks of the calendar hold all the same.
        periods(0, 0, kind, timezone)
        return []
    alerts = alerts_of(data, gap)
    limit = gap_limit(data, gap)
    found = []
    for period in periods(int(time[0]), int(time[-1]), kind, timezone):
        first, last = np.searchsorted(time, [period.start, period.stop])
        found.append(
            Summary(
                period,
                tally(data.isel(time=slice(int(first), int(last)))),
                tuple(a for a in alerts if period.start <= a.time < period.stop),
                _covered(time, limit, period),
                float(data.attrs["budget"]),
            )
        )
    return found


def _covered(time: npt.NDArray[np.int64], limit: float, period: Period) -> float:
    """Seconds of a period between readings that are no gap apart."""
    first = max(int(np.searchsorted(time, period.start, side="right")) - 1, 0)
    last = int(np.searchsorted(time, period.stop, side="left")) + 1
    part = time[first:last]
    start, stop = part[:-1], part[1:]
    close = (stop - start) / SECOND <= limit
    inside = np.minimum(stop, period.stop) - np.maximum(start, period.start)
    return math.fsum(np.where(close, np.maximum(inside, 0), 0) / SECOND)
