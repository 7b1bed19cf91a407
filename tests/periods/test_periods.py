"""Period reports: sums of parts, the calendar, gaps, clocks, alerts, audit trails."""

from __future__ import annotations

import csv
import io
import itertools
import math
import sqlite3

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from entro_nb import Accountant, DecisionGate
from entro_nb.errors import DataError, ParameterError
from entro_nb.periods import (
    KINDS,
    SECOND,
    PeriodTotals,
    alerts_csv,
    alerts_of,
    calendar_periods,
    plain,
    readings_of,
    recorded,
    simulated,
    summarize,
)
from entro_nb.spokesperson import Audit, FrameRecord

START = np.datetime64("2026-01-01T00:00", "ns")
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")


def hourly(psi, budget=3.0, regime=None, every="1h", start=START):
    step = np.timedelta64(int(every[:-1]), every[-1])
    psi = np.asarray(psi, dtype=float)
    return readings_of(
        start + np.arange(psi.size) * step, np.expm1(psi), psi, budget, regime=regime
    )


def close(a: PeriodTotals, b: PeriodTotals) -> bool:
    exact = (a.count, a.regimes, a.violations) == (b.count, b.regimes, b.violations)
    return (
        exact
        and (a.lows, a.highs) == (b.lows, b.highs)
        and all(
            math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-9)
            for x, y in zip(a.sums, b.sums, strict=True)
        )
    )


@settings(max_examples=60)
@given(
    psi=st.lists(st.floats(0.0, 6.0), min_size=1, max_size=300),
    cuts=st.lists(st.integers(0, 300), max_size=6),
)
def test_a_whole_is_the_sum_of_its_parts_however_it_is_cut(psi, cuts):
    data = hourly(psi)
    edges = sorted({0, len(psi), *(min(cut, len(psi)) for cut in cuts)})
    parts = [PeriodTotals.of(data.isel(time=slice(a, b))) for a, b in itertools.pairwise(edges)]
    assert close(sum(parts, PeriodTotals()), PeriodTotals.of(data))


@settings(max_examples=40)
@given(
    steps=st.lists(st.integers(1, 100_000), min_size=2, max_size=200),
    zone=st.sampled_from(ZONES),
    seed=st.integers(0, 99),
)
def test_days_weeks_and_months_agree(steps, zone, seed):
    """Readings, alerts and observed time of any period are the sums of those of its days."""
    time = START + np.cumsum(steps).astype("timedelta64[s]")
    psi = np.random.default_rng(seed).uniform(0.0, 5.0, len(steps))
    data = readings_of(time, psi, psi, 3.0)
    whole, alerts = PeriodTotals.of(data), alerts_of(data)
    made = {kind: summarize(data, kind, zone) for kind in KINDS}
    for found in made.values():
        assert close(sum((s.totals for s in found), PeriodTotals()), whole)
        assert [a for s in found for a in s.alerts] == alerts
        assert all(a.period.stop == b.period.start for a, b in itertools.pairwise(found))
        assert all(0.0 <= s.coverage <= 1.0 + 1e-12 for s in found)
    observed = [math.fsum(s.covered for s in found) for found in made.values()]
    assert observed == pytest.approx([observed[0]] * 3)
    month = made["monthly"][0]
    days = [s for s in made["daily"] if s.period.start < month.period.stop]
    assert close(sum((s.totals for s in days), PeriodTotals()), month.totals)


def test_figures_against_a_count_by_hand():
    data = hourly([1.0, 2.0, 3.5, 3.0, 0.5], regime=[0, 1, 2, 2, 0])
    (day,) = summarize(data)
    t = day.totals
    assert (t.count, t.regimes, t.violations) == (5, (2, 1, 2), 1)
    assert t.mean("psi") == pytest.approx(2.0)
    assert (t.peak("psi"), t.least("psi")) == (3.5, 0.5)
    assert t.peak("load") == pytest.approx(math.expm1(3.5))
    assert day.health == pytest.approx(100 * (2 + 0.5) / 5)
    assert day.risk == "HIGH"
    assert day.covered == 4 * 3600
    assert {a.kind: a.value for a in day.alerts} == pytest.approx(
        {"BUDGET_VIOLATION": 3.5, "CRITICAL_REGIME": math.expm1(3.5)}
    )


def test_the_observers_are_the_equations():
    psi = np.array([1.0, 4.0, 2.0])
    data = hourly(psi)
    e = m = 0.0
    for k, x in enumerate(2.35 * psi / 3.0):
        e = np.clip(0.92 * e + 0.15 * np.tanh(x - 2.35), -2, 2)
        m = 0.82 * m + 0.18 * x / 2.35
        assert data.energy.values[k] == pytest.approx(e)
        assert data.memory.values[k] == pytest.approx(m)
        assert data.stability.values[k] == pytest.approx(np.clip(1 - 0.4 * m, 0.05, 1))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("UTC", "2026-03-29", 24),
    ],
)
def test_days_on_which_clocks_change(zone, day, hours):
    noon = int(np.datetime64(f"{day}T10:00", "ns").astype(int))
    (found,) = calendar_periods(noon, noon, "daily", zone)
    assert found.label == day
    assert found.seconds == hours * 3600
    minutes = np.arange(found.start, found.stop, 60 * SECOND).astype("datetime64[ns]")
    (only,) = summarize(
        readings_of(minutes, [0.0] * minutes.size, [0.0] * minutes.size, 1.0), "daily", zone
    )
    assert only.totals.count == hours * 60


def test_weeks_are_iso_weeks_and_months_are_months():
    first, last = (int(np.datetime64(d, "ns").astype(int)) for d in ("2025-12-30", "2026-02-01"))
    assert [p.label for p in calendar_periods(first, last, "weekly")][:2] == [
        "2026-W01",
        "2026-W02",
    ]
    months = calendar_periods(first, last, "monthly")
    assert [(p.label, p.seconds / 86400) for p in months] == [
        ("2025-12", 31), ("2026-01", 31), ("2026-02", 28),
    ]  # fmt: skip


def test_an_empty_period_is_reported_as_such():
    data = hourly([1.0] * 12 + [1.0] * 12)
    late = np.where(np.arange(24) < 12, 0, 5 * 24).astype("timedelta64[h]")
    data = readings_of(data.time.values + late, data["load"].values, data.psi.values, 3.0)
    found = summarize(data)
    assert [s.totals.count for s in found] == [12, 0, 0, 0, 0, 12]
    empty = found[2]
    assert math.isnan(empty.health)
    assert (empty.risk, empty.coverage) == ("UNKNOWN", 0.0)
    assert "No readings" in plain(empty)
    (gap,) = alerts_of(data)
    assert (gap.kind, gap.severity, gap.value) == ("DATA_GAP", "INFO", (5 * 24 + 1) * 3600)
    assert summarize(data.isel(time=slice(0))) == []


def test_a_gap_ends_a_stretch_of_violations():
    psi = [4.0, 4.0, 4.0, 4.0]
    time = START + np.array([0, 1, 50, 51]).astype("timedelta64[m]")
    data = readings_of(time, psi, psi, 3.0, regime=[0] * 4)
    kinds = [a.kind for a in alerts_of(data)]
    assert kinds.count("BUDGET_VIOLATION") == 2
    assert kinds.count("DATA_GAP") == 1
    assert [a.kind for a in alerts_of(data, gap=7200)] == ["BUDGET_VIOLATION"]


def test_a_clock_that_is_set_back_is_told_and_nothing_is_lost():
    time = START + np.array([0, 60, 120, 30, 90]).astype("timedelta64[s]")
    data = readings_of(time, [0, 1, 2, 3, 4], [0.0] * 5, 3.0)
    assert (np.diff(data.time.values).astype(int) >= 0).all()
    assert sorted(data["load"].values) == [0, 1, 2, 3, 4]
    (alert,) = alerts_of(data)
    assert (alert.kind, alert.value) == ("CLOCK_SET_BACK", 90.0)
    (day,) = summarize(data)
    assert any("set back" in text for text in day.recommendations)


def test_alerts_are_a_file_of_their_own():
    found = [a for s in summarize(simulated(days=7), "weekly") for a in s.alerts]
    rows = list(csv.DictReader(io.StringIO(alerts_csv(found))))
    assert len(rows) == len(found) > 0
    assert list(rows[0]) == ["time", "kind", "severity", "message", "value"]
    assert {row["severity"] for row in rows} <= {"WARNING", "HIGH", "INFO"}
    assert all(row["time"].endswith("Z") for row in rows)


def test_the_text_holds_what_the_documents_reports_hold():
    week = summarize(simulated(days=7), "weekly")[0]
    text = plain(week, "a pipeline", "requests")
    for word in (
        "load", "Psi", "stability", "energy", "memory", "regimes", "violations", "alerts",
        "health", "risk", "advice", "average", "peak", "minimum",
    ):  # fmt: skip
        assert word in text
    assert f"violations   {week.totals.violations} " in text
    assert text.isascii()


def test_a_stronger_law_makes_a_healthier_month():
    def month(law):
        return summarize(simulated(law=law, days=28), "monthly")[0]

    assert month("headroom").totals.violations < month("entropy").totals.violations
    assert month("entropy").totals.violations < month("none").totals.violations
    same = [simulated(days=2, seed=3).psi.values for _ in range(2)]
    assert np.array_equal(*same)


@pytest.fixture
def trail(tmp_path):
    """An audit trail of a day of two streams, a value a minute, with a burst."""
    path = tmp_path / "audit.db"
    gate = DecisionGate()
    seconds = START.astype("datetime64[s]").astype(int)
    with Audit(path) as audit:
        for channel, name in ((1, "quiet"), (2, "loud")):
            accountant = Accountant()
            rng = np.random.default_rng(channel)
            audit.channel(channel, float(seconds), name, "m", {})
            records = []
            for minute in range(600):
                value = float(np.clip(rng.normal(0, 1 if channel == 1 else 4), -4, 4))
                frame = accountant.process(value, name, float(seconds + 60 * minute), value)
                records.append(FrameRecord(channel, frame, gate.route(frame)))
            audit.frames(records)
        audit.commit()
        yield path  # still being written


def test_an_audit_trail_in_use_can_be_reported_on(trail):
    with pytest.raises(ParameterError, match="'loud', 'quiet'"):
        recorded(trail)
    with pytest.raises(ParameterError, match="did you mean 'quiet'"):
        recorded(trail, "quite")
    quiet, loud = (summarize(recorded(trail, name))[0] for name in ("quiet", "loud"))
    assert quiet.totals.count == loud.totals.count == 600
    assert loud.totals.violations > 10 * quiet.totals.violations
    assert loud.health < quiet.health
    assert loud.coverage == pytest.approx(599 / 1440)


def test_what_is_no_audit_trail_is_refused(tmp_path):
    with pytest.raises(DataError, match="a file that exists"):
        recorded(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("not a database, but long enough to look like one" * 50)
    with pytest.raises(DataError, match="an audit trail"):
        recorded(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(DataError, match="an audit trail"):
        recorded(tmp_path / "other.db")
    with Audit(tmp_path / "empty.db"):
        pass
    with pytest.raises(DataError, match="at least one frame"):
        recorded(tmp_path / "empty.db")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: summarize(d, "yearly"), "period = 'yearly'"),
        (lambda d: summarize(d, "daily", "Mars/Olympus"), "timezone = 'Mars/Olympus'"),
        (lambda d: summarize(d.isel(time=slice(0)), "yearly"), "period = 'yearly'"),
        (lambda d: summarize(d, gap=-1.0), "gap = -1"),
        (lambda d: simulated(law="iron"), "law = 'iron'"),
        (lambda d: simulated(days=0), "days = 0"),
        (lambda d: simulated(days=1, start="noon"), "start = 'noon'"),
        (lambda d: readings_of(d.time, [1.0], [1.0], 3.0), "equal lengths"),
        (lambda d: readings_of(d.time, d["load"], d.psi * np.nan, 3.0), "psi"),
        (lambda d: readings_of(d.time, d["load"], d.psi, 0.0), "budget = 0"),
        (lambda d: readings_of(d.time, d["load"], d.psi, 3.0, regime=[3, 0, 0]), "0, 1 or 2"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call(hourly([1.0, 2.0, 3.0]))
