"""Alerts: one for each stretch of readings that broke the budget or was critical."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.periods.calendar import SECOND, instants

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Alert", "alerts_csv", "alerts_of", "gap_limit"]

#: A pause this many times the usual distance of readings is a gap.
GAP = 10.0


@dataclass(frozen=True)
class Alert:
    """One alert of a report (seed 000's fields; DATA_GAP and CLOCK_SET_BACK are ours).

    Parameters
    ----------
    time : int
        When it began, in nanoseconds since 1970, UTC.
    kind : {"BUDGET_VIOLATION", "CRITICAL_REGIME", "DATA_GAP", "CLOCK_SET_BACK"}
    severity : {"WARNING", "HIGH", "INFO"}
    message : str
    value : float
        Peak Ψ in nats, peak load, or length in s.
    """

    time: int
    kind: str
    severity: str
    message: str
    value: float

    @property
    def when(self) -> str:
        """Time as text, UTC."""
        return str(np.datetime64(self.time, "ns").astype("datetime64[s]")) + "Z"


def gap_limit(data: xr.Dataset, gap: float = 0.0) -> float:
    """Longest distance of readings that is no gap, in s: `gap`, or ten times the usual one."""
    gap = validate.real("gap", gap, 0.0)
    steps = np.diff(instants(data.time.values)) / SECOND
    steps = steps[steps > 0.0]
    return gap or (GAP * float(np.median(steps)) if steps.size else float("inf"))


def alerts_of(data: xr.Dataset, gap: float = 0.0) -> list[Alert]:
    """Alerts of all readings, in order of time.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`entro_nb.periods.readings` gives.
    gap : float
        Distance of readings that counts as a gap, in s; 0 for ten times the usual one. A gap
        ends a stretch.

    Examples
    --------
    >>> from entro_nb.periods import readings
    >>> hours = np.datetime64("2026-01-01") + np.arange(4) * np.timedelta64(1, "h")
    >>> data = readings(hours, [1, 9, 9, 1], [0.5, 3.5, 4.0, 0.5], 3.0, regime=[0, 0, 0, 0])
    >>> [(alert.kind, alert.severity, alert.value) for alert in alerts_of(data)]
    [('BUDGET_VIOLATION', 'WARNING', 4.0)]
    """
    if data.sizes["time"] == 0:
        return []
    time, limit = instants(data.time.values), gap_limit(data, gap)
    steps = np.diff(time) / SECOND
    broken = np.concatenate([[True], steps > limit])
    budget = float(data.attrs["budget"])
    found = [
        Alert(
            int(time[a]), "BUDGET_VIOLATION", "WARNING",
            f"Psi above the budget of {budget:.3g} nats in {_readings(b - a)}",
            float(data.psi.values[a:b].max()),
        )
        for a, b in _stretches(data.violation.values, broken)
    ]  # fmt: skip
    found += [
        Alert(
            int(time[a]), "CRITICAL_REGIME", "HIGH", f"critical in {_readings(b - a)}",
            float(data["load"].values[a:b].max()),
        )
        for a, b in _stretches(data.regime.values == 2, broken)
    ]  # fmt: skip
    found += [
        Alert(int(time[k]), "DATA_GAP", "INFO", f"no reading for {steps[k]:.0f} s", float(steps[k]))
        for k in np.flatnonzero(steps > limit)
    ]
    back = data.set_back.values
    found += [
        Alert(
            int(time[k]), "CLOCK_SET_BACK", "INFO", f"the clock was set back {back[k]:.3g} s",
            float(back[k]),
        )
        for k in np.flatnonzero(back > 0.0)
    ]  # fmt: skip
    return sorted(found, key=lambda alert: alert.time)


def _readings(number: int) -> str:
    return f"{number} reading{'' if number == 1 else 's'}"


def _stretches(
    holds: npt.NDArray[np.bool_], broken: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Index of the first reading of each stretch, and of the first after it."""
    before = np.concatenate([[False], holds[:-1]])
    starts = np.flatnonzero(holds & (~before | broken))
    after = np.concatenate([~holds[1:] | broken[1:], [True]])
    stops = np.flatnonzero(holds & after) + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def alerts_csv(alerts: Sequence[Alert]) -> str:
    """Alerts as CSV: time (UTC), kind, severity, message, value.

    Examples
    --------
    >>> print(alerts_csv([Alert(0, "DATA_GAP", "INFO", "no reading for 9 s", 9.0)]), end="")
    time,kind,severity,message,value
    1970-01-01T00:00:00Z,DATA_GAP,INFO,no reading for 9 s,9
    """
    text = io.StringIO()
    writer: Any = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "kind", "severity", "message", "value"])
    for alert in alerts:
        value = f"{alert.value:.6g}"
        writer.writerow([alert.when, alert.kind, alert.severity, alert.message, value])
    return text.getvalue()
