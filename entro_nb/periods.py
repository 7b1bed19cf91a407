"""Daily, weekly and monthly reports of a pipeline or a stream, as seed 000 files them.

`simulated` and `recorded` give readings, `summarize` sums them up by the calendar, `plain` and
`alerts_csv` write them down.

The published reports give load, Ψ, stability, energy, memory and regime and do not say how they
are had. Ours: with Ψ against its budget as load, x_t = x_c·Ψ_t/Ψ_budget, the fields of the regime
engine v9 (seed 000) are observers,

    e_t = clip(0.92·e_{t−1} + f·tanh(x_t − x_c), ±2),  m_t = 0.82·m_{t−1} + 0.18·x_t/x_c,
    s_t = clip(1 − w·m_t, 0.05, 1).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from entro_nb import engine, results, validate
from entro_nb.engine import LAWS, REGIMES
from entro_nb.errors import DataError, ParameterError
from entro_nb.validate import Bounds, Count, FloatArray, NonNegative, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr

Kind = Literal["daily", "weekly", "monthly"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: How pandas calls the periods, and how each is labelled; weeks begin on Monday.
CALENDAR = {"daily": ("D", "%Y-%m-%d"), "weekly": ("W-SUN", "%G-W%V"), "monthly": ("M", "%Y-%m")}

#: Nanoseconds in a second: instants are counted as NumPy's datetime64[ns] does.
SECOND = 1_000_000_000

#: What is averaged, and between which extremes it moved.
QUANTITIES = ("load", "psi", "stability", "energy", "memory")

#: Budget of a stream: Ψ of a value three deviations off, in nats.
STREAM_BUDGET = math.log1p(3.0)

#: A pause this many times the usual distance of readings is a gap.
GAP = 10.0

#: Risk is HIGH below the first health or above the first share of critical readings, MODERATE
#: below the second or above the second share of violations (ours).
HIGH_RISK, MODERATE_RISK = (50.0, 0.10), (80.0, 0.01)

#: Alerts listed in a report; the rest is counted, and all are in their own file.
LISTED = 10


@dataclass(frozen=True)
class Period:
    """Stretch of the calendar, from its first midnight to before the next one's.

    Parameters
    ----------
    label : str
        ``2026-03-29``, ``2026-W13`` or ``2026-03``.
    start, stop : int
        In nanoseconds since 1970, UTC.
    """

    label: str
    start: int
    stop: int

    @property
    def seconds(self) -> float:
        """Length in s; a day on which clocks change has 23 or 25 hours."""
        return (self.stop - self.start) / SECOND


def calendar_periods(first: int, last: int, kind: str, timezone: str = "UTC") -> list[Period]:
    """Every period from that of one instant to that of another, without gap or overlap.

    Parameters
    ----------
    first, last : int
        Instants, in nanoseconds since 1970.
    kind : {"daily", "weekly", "monthly"}
    timezone : str
        Whose midnights count.

    Raises
    ------
    ParameterError
        If the kind or the time zone is unknown, or the instants are in the wrong order.

    Examples
    --------
    >>> day = np.datetime64("2026-03-29T12:00", "ns").astype(int)
    >>> calendar_periods(day, day, "daily", "Europe/Berlin")[0].seconds / 3600
    23.0
    """
    import pandas as pd

    frequency, label = CALENDAR[validate.choice("period", kind, KINDS)]
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        allowed = "a name like Europe/Berlin, or UTC"
        raise ParameterError("timezone", timezone, allowed) from error
    if last < first:
        raise ParameterError("last", last, f"an instant not before the first, {first}")
    ends = pd.to_datetime([first, last], unit="ns", utc=True).tz_convert(zone).tz_localize(None)
    spans = pd.period_range(*ends.to_period(frequency), freq=frequency)
    midnights = spans.union(spans[-1:] + 1).to_timestamp()
    # Python's zones, not `tz_localize`: pandas moves a midnight that clocks skip too far (Kathmandu
    # in 1986). One that comes twice is the first of the two.
    instants = [int(t.replace(tzinfo=zone).timestamp()) * SECOND for t in midnights.to_pydatetime()]
    labels = midnights.strftime(label)[:-1]
    return [Period(*one) for one in zip(labels, instants, instants[1:], strict=False)]


@validate.checked
def readings_of(
    time: Any,
    load: Annotated[FloatArray, Bounds(ndim=1, empty=True)],
    psi: Annotated[FloatArray, Bounds(low=0.0, ndim=1, empty=True)],
    budget: Positive,
    *,
    regime: npt.ArrayLike | None = None,
    units: str = "1",
    source: str = "",
) -> xr.Dataset:
    """Readings in the order of time, with all that a period report sums up.

    Parameters
    ----------
    time : array_like of datetime64, shape (time,)
        When each was taken, in UTC, in the order in which they came. Where the clock was set
        back the order of time differs; those places are counted.
    load : array_like, shape (time,)
        In `units`.
    psi : array_like, shape (time,)
        Ψ in nats, not negative.
    budget : float
        Ψ_budget in nats.
    regime : array_like of int, optional
        0 stable, 1 stress, 2 critical; from the observers if not given.
    units, source : str
        Of the load, and of it all.

    Returns
    -------
    xarray.Dataset
        Over ``time``: load, psi, stability, energy, memory, regime, violation, and set_back,
        by how many s the clock was behind the reading before.

    Raises
    ------
    ParameterError, DataError
        If the lengths differ or a value is not finite.

    Examples
    --------
    >>> day = np.datetime64("2026-01-01") + np.arange(3) * np.timedelta64(1, "h")
    >>> readings_of(day, [1, 2, 3], [0.5, 1.0, 3.5], 3.0).violation.values
    array([False, False,  True])
    """
    moments = np.asarray(time, dtype="datetime64[ns]")
    validate.same_length(time=moments, load=load, psi=psi)
    if np.isnat(moments).any():
        raise DataError("time", "NaT", "instants")
    strain = engine.WaveEngine().critical_load * psi / budget
    energy, memory, stability, own = engine.observers(strain)
    state = own.astype(np.int8) if regime is None else np.asarray(regime, dtype=np.int8)
    if state.shape != load.shape or ((state < 0) | (state > 2)).any():
        raise ParameterError("regime", regime, "0, 1 or 2 for each reading")
    back = np.zeros(load.size)
    back[1:] = np.maximum(-_steps(moments), 0.0)
    made = results.dataset(
        {
            "load": ("time", load, units, "load"),
            "psi": ("time", psi, "nats", "entropy Ψ"),
            "stability": ("time", stability, "1", "stability s"),
            "energy": ("time", energy, "1", "energy field e"),
            "memory": ("time", memory, "1", "stress memory m"),
            "regime": ("time", state, "1", "0 stable, 1 stress, 2 critical"),
            "violation": ("time", psi > budget, "1", "whether Ψ is above the budget"),
            "set_back": ("time", back, "s", "by how much the clock was set back"),
        },
        parameters=results.parameters_of(budget=budget),
        title="readings",
        source=source,
    )
    timed: xr.Dataset = made.assign_coords(time=moments)
    return timed.isel(time=np.argsort(moments, kind="stable"))


def _instants(times: object) -> npt.NDArray[np.int64]:
    """Instants of datetime64 in nanoseconds since 1970."""
    return np.asarray(times, dtype="datetime64[ns]").astype(np.int64)


def _steps(times: object) -> FloatArray:
    """Seconds from each instant to the next."""
    return np.diff(_instants(times)) / SECOND


@validate.checked
def simulated(
    days: Count = 35, law: str = "entropy", seed: Seed = 1, start: str = "2026-03-02T00:00"
) -> xr.Dataset:
    """Readings of a simulated pipeline, one a minute, with days, weekends and surges.

    The plant is that of :func:`entro_nb.engine.simulate` with the minute as its unit of time:
    capacity 1.2 requests a minute. Demand (ours) follows the hour and the day of the week, and
    on some days there is a surge.

    Parameters
    ----------
    days : int
        Length of the run.
    law : str
        What controls it, by its name in `engine.LAWS`: none, static, entropy, headroom, …
    seed : int
        Seed of surges and noise.
    start : str
        First instant, UTC.

    Examples
    --------
    >>> simulated(days=2).sizes["time"]
    2880
    """
    chosen = LAWS[validate.choice("law", law, LAWS)]
    rng = np.random.default_rng(seed)
    phases = []
    for day in range(days):
        surge = int(rng.integers(8, 20)) if rng.random() < 0.35 else -1
        for hour in range(24):
            rate = 0.75 + 0.3 * math.sin(2.0 * math.pi * (hour - 8) / 24.0)
            rate = (0.6 if day % 7 >= 5 else 1.0) * rate if hour != surge else 2.6
            begin = 60.0 * (24 * day + hour)
            phases.append(engine.Phase(f"day {day} hour {hour}", begin, begin + 60.0, rate))
    run = engine.simulate(engine.pipeline(phases), chosen, seed=seed).isel(replicate=0)
    minutes = (np.arange(run.sizes["time"]) * 60).astype("timedelta64[s]")
    try:
        time = np.datetime64(start, "ns") + minutes
    except ValueError as error:
        raise ParameterError("start", start, "an instant like 2026-03-02T00:00") from error
    return readings_of(
        time,
        run.level.sum("subsystem").values,
        run.psi_total.values,
        float(run.attrs["budget"]),
        units="requests",
        source=f"simulated pipeline, {run.attrs['law_label']}, seed {seed}",
    )


def recorded(path: str | Path, stream: str = "", budget: float = STREAM_BUDGET) -> xr.Dataset:
    """Readings of a stream from an audit trail.

    The load is the size of the normalised value, in deviations, Ψ = ln(1 + load), and the regime
    is what the Decision Gate made of the frame: PROCEED stable, PAUSE stress, the rest critical
    (all ours).

    Parameters
    ----------
    path : path-like
        The trail; it may be written to at the same time.
    stream : str
        Which one; may be left out if there is only one.
    budget : float
        Ψ_budget in nats; three deviations by default.

    Raises
    ------
    DataError
        If the file is no audit trail or holds no frames.
    ParameterError
        If there are several streams and none, or one that is not there, is named.
    """
    from entro_nb.accountant import Path as GatePath
    from entro_nb.spokesperson import Trail

    with Trail(path) as trail:
        frames = trail.frames()
    names = sorted({str(name) for name in frames.stream.values})
    if not names:
        raise DataError("audit", Path(path).name, "an audit trail with at least one frame")
    if not stream and len(names) > 1:
        raise ParameterError("stream", stream, f"one of {', '.join(map(repr, names))}")
    stream = validate.choice("stream", stream or names[0], names)
    frames = frames.isel(time=np.flatnonzero(frames.stream.values == stream))
    gate = list(GatePath)
    regimes = {gate.index(GatePath.PROCEED): 0, gate.index(GatePath.PAUSE): 1}
    load = np.abs(frames["value"].values)
    return readings_of(
        frames.time.values,
        load,
        np.log1p(load),
        budget,
        regime=[regimes.get(int(code), 2) for code in frames.path.values],
        units="deviations",
        source=f"audit trail of {stream}",
    )


@dataclass(frozen=True)
class PeriodTotals:
    """What a stretch of readings adds up to: a whole is the sum of its parts, however it is cut.

    Parameters
    ----------
    count : int
        Readings.
    violations : int
        Readings with Ψ above the budget.
    regimes : (int, int, int)
        Readings that were stable, stress, critical.
    sums, lows, highs : tuple of float
        Sum and extremes of each of `QUANTITIES`, in that order.

    Examples
    --------
    >>> PeriodTotals() + PeriodTotals() == PeriodTotals()
    True
    """

    count: int = 0
    violations: int = 0
    regimes: tuple[int, ...] = (0,) * len(REGIMES)
    sums: tuple[float, ...] = (0.0,) * len(QUANTITIES)
    lows: tuple[float, ...] = (math.inf,) * len(QUANTITIES)
    highs: tuple[float, ...] = (-math.inf,) * len(QUANTITIES)

    @classmethod
    def of(cls, data: xr.Dataset) -> PeriodTotals:
        """Totals of all readings of a Dataset."""
        if data.sizes["time"] == 0:
            return cls()
        columns = [data[name].values for name in QUANTITIES]
        return cls(
            data.sizes["time"],
            int(data.violation.values.sum()),
            tuple(np.bincount(data.regime.values, minlength=len(REGIMES)).tolist()),
            # Rounded once, so that the order of the readings does not matter.
            tuple(math.fsum(x) for x in columns),
            tuple(float(x.min()) for x in columns),
            tuple(float(x.max()) for x in columns),
        )

    def __add__(self, other: PeriodTotals) -> PeriodTotals:
        return PeriodTotals(
            self.count + other.count,
            self.violations + other.violations,
            tuple(map(add, self.regimes, other.regimes)),
            tuple(map(add, self.sums, other.sums)),
            tuple(map(min, self.lows, other.lows)),
            tuple(map(max, self.highs, other.highs)),
        )

    def mean(self, quantity: str) -> float:
        """Mean over the readings; NaN if there are none."""
        total = self.sums[QUANTITIES.index(quantity)]
        return total / self.count if self.count else math.nan

    def peak(self, quantity: str) -> float:
        """Largest value; NaN if there is none."""
        return self.highs[QUANTITIES.index(quantity)] if self.count else math.nan

    def least(self, quantity: str) -> float:
        """Smallest value; NaN if there is none."""
        return self.lows[QUANTITIES.index(quantity)] if self.count else math.nan

    def share(self, regime: int) -> float:
        """Share of the readings in a regime; NaN if there are none."""
        return self.regimes[regime] / self.count if self.count else math.nan


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


@validate.checked
def gap_limit(data: xr.Dataset, gap: NonNegative = 0.0) -> float:
    """Longest distance of readings that is no gap, in s: `gap`, or ten times the usual one."""
    steps = _steps(data.time.values)
    steps = steps[steps > 0.0]
    return gap or (GAP * float(np.median(steps)) if steps.size else float("inf"))


def alerts_of(data: xr.Dataset, gap: float = 0.0) -> list[Alert]:
    """Alerts in order of time: one for each stretch that broke the budget or was critical.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`readings_of` gives.
    gap : float
        Distance of readings that counts as a gap, in s; 0 for ten times the usual one. A gap
        ends a stretch.

    Examples
    --------
    >>> hours = np.datetime64("2026-01-01") + np.arange(4) * np.timedelta64(1, "h")
    >>> data = readings_of(hours, [1, 9, 9, 1], [0.5, 3.5, 4.0, 0.5], 3.0, regime=[0, 0, 0, 0])
    >>> [(alert.kind, alert.severity, alert.value) for alert in alerts_of(data)]
    [('BUDGET_VIOLATION', 'WARNING', 4.0)]
    """
    if data.sizes["time"] == 0:
        return []
    time, steps, limit = _instants(data.time.values), _steps(data.time.values), gap_limit(data, gap)
    broken = np.concatenate([[True], steps > limit])
    above = f"Psi above the budget of {data.attrs['budget']:.3g} nats"
    found = []
    for holds, values, kind, severity, what in (
        (data.violation, data.psi, "BUDGET_VIOLATION", "WARNING", above),
        (data.regime == 2, data["load"], "CRITICAL_REGIME", "HIGH", "critical"),
    ):
        for a, b in _stretches(holds.values, broken):
            message = f"{what} in {b - a} reading{'' if b - a == 1 else 's'}"
            peak = float(values.values[a:b].max())
            found.append(Alert(int(time[a]), kind, severity, message, peak))
    back = data.set_back.values
    for holds, spans, kind, message in (
        (steps > limit, steps, "DATA_GAP", "no reading for {:.0f} s"),
        (back > 0.0, back, "CLOCK_SET_BACK", "the clock was set back {:.3g} s"),
    ):
        for k in np.flatnonzero(holds):
            span = float(spans[k])
            found.append(Alert(int(time[k]), kind, "INFO", message.format(span), span))
    return sorted(found, key=lambda alert: alert.time)


def _stretches(
    holds: npt.NDArray[np.bool_], broken: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Index of the first reading of each stretch, and of the first after it."""
    starts = np.flatnonzero(holds & (~np.r_[False, holds[:-1]] | broken))
    stops = np.flatnonzero(holds & np.r_[~holds[1:] | broken[1:], True]) + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def alerts_csv(alerts: Sequence[Alert]) -> str:
    """Alerts as CSV: time (UTC), kind, severity, message, value.

    Examples
    --------
    >>> print(alerts_csv([Alert(0, "DATA_GAP", "INFO", "no reading for 9 s", 9.0)]), end="")
    time,kind,severity,message,value
    1970-01-01T00:00:00Z,DATA_GAP,INFO,no reading for 9 s,9
    """
    import pandas as pd

    rows = [asdict(alert) | {"time": alert.when} for alert in alerts]
    table = pd.DataFrame(rows, columns=["time", "kind", "severity", "message", "value"])
    return str(table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


@dataclass(frozen=True)
class Summary:
    """One period of a report (seed 000 names the fields; health, risk and advice are ours).

    Parameters
    ----------
    period : Period
    totals : PeriodTotals
        What its readings add up to.
    alerts : tuple of Alert
        Those that began in it.
    covered : float
        Time in it that lies between readings without a gap, in s.
    budget : float
        Ψ_budget in nats.
    """

    period: Period
    totals: PeriodTotals
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
        return 100.0 * (self.totals.share(0) + 0.5 * self.totals.share(1))

    @property
    def risk(self) -> str:
        """LOW, MODERATE, HIGH, or UNKNOWN for an empty period."""
        if self.totals.count == 0:
            return "UNKNOWN"
        if self.health < HIGH_RISK[0] or self.totals.share(2) > HIGH_RISK[1]:
            return "HIGH"
        broken = self.totals.violations / self.totals.count
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
        t = self.totals
        if t.count == 0:
            return ("No readings: find out whether the source or its recording was down.",)
        advice = {
            f"Psi broke its budget in {t.violations} of {t.count} readings, up to "
            f"{t.peak('psi'):.2f} of {self.budget:.2f} nats: hold back more, or earlier.":
                t.violations > 0,
            f"{t.share(2):.1%} of the readings were critical: look at the alerts marked HIGH.":
                t.regimes[2] > 0,
            f"The stress memory averaged {t.mean('memory'):.2f} of what can be carried: "
            "lasting load, not a burst; add capacity.": t.mean("memory") > 0.8,
            f"Only {self.coverage:.0%} of the period was observed: read the figures with care.":
                self.coverage < 0.95,
            "The clock was set back: the order of some readings is uncertain.":
                any(alert.kind == "CLOCK_SET_BACK" for alert in self.alerts),
        }  # fmt: skip
        return tuple(text for text, holds in advice.items() if holds) or ("Nothing to do.",)


def summarize(
    data: xr.Dataset, kind: str = "daily", timezone: str = "UTC", gap: float = 0.0
) -> list[Summary]:
    """Every period from the first reading to the last, empty ones included.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`readings_of` gives.
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
    >>> [summary.totals.count for summary in summarize(simulated(days=3))]
    [1440, 1440, 1440]
    """
    time = _instants(data.time.values)
    if time.size == 0:
        # The checks of the calendar hold all the same.
        calendar_periods(0, 0, kind, timezone)
        return []
    alerts, limit = alerts_of(data, gap), gap_limit(data, gap)

    def summary(period: Period) -> Summary:
        first, last = np.searchsorted(time, [period.start, period.stop])
        # The stretches between readings that reach into the period, and no gaps among them.
        near = time[max(np.searchsorted(time, period.start, side="right") - 1, 0) : last + 1]
        inside = np.diff(near.clip(period.start, period.stop)) / SECOND
        return Summary(
            period,
            PeriodTotals.of(data.isel(time=slice(first, last))),
            tuple(a for a in alerts if period.start <= a.time < period.stop),
            math.fsum(inside[np.diff(near) / SECOND <= limit]),
            float(data.attrs["budget"]),
        )

    return [*map(summary, calendar_periods(int(time[0]), int(time[-1]), kind, timezone))]


def plain(summary: Summary, source: str = "", units: str = "1") -> str:
    """Report of one period as plain text, in lines of at most 100 characters.

    Parameters
    ----------
    summary : Summary
    source : str
        What was observed.
    units : str
        Units of the load.

    Examples
    --------
    >>> print(plain(summarize(simulated(days=1))[0]).splitlines()[0])
    REPORT 2026-03-02
    """
    t, s = summary.totals, summary
    lines = [f"REPORT {s.period.label}"]
    if source:
        lines.append(f"of           {source}")
    lines += [
        f"hours        {s.period.seconds / 3600:g}",
        f"readings     {t.count}",
        f"observed     {s.coverage:.1%} of the time",
    ]
    if t.count:
        shares = ", ".join(
            f"{name} {number} ({t.share(k):.1%})"
            for k, (name, number) in enumerate(zip(REGIMES, t.regimes, strict=True))
        )
        lines += [
            f"load         average {t.mean('load'):.3f}, peak {t.peak('load'):.3f} {units}",
            f"Psi          average {t.mean('psi'):.3f}, peak {t.peak('psi'):.3f} nats, "
            f"budget {s.budget:.3f}",
            f"stability    average {t.mean('stability'):.3f}, minimum {t.least('stability'):.3f}",
            f"energy       average {t.mean('energy'):.3f}, peak {t.peak('energy'):.3f}",
            f"memory       average {t.mean('memory'):.3f}, peak {t.peak('memory'):.3f}",
            f"regimes      {shares}",
            f"violations   {t.violations} readings",
        ]
    counts = ", ".join(f"{number} {name}" for name, number in s.severities.items()) or "none"
    lines.append(f"alerts       {counts}")
    lines += [f"  {a.when}  {a.severity:7}  {a.kind:16}  {a.message}" for a in s.alerts[:LISTED]]
    if len(s.alerts) > LISTED:
        lines.append(f"  and {len(s.alerts) - LISTED} more")
    lines.append(f"health       {s.health:.1f} of 100" if t.count else "health       unknown")
    lines.append(f"risk         {s.risk}")
    lines += [f"advice       {text}" for text in s.recommendations]
    return "\n".join(lines) + "\n"
