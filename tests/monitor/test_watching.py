"""One's own data under watch: kept times, told gaps, refusals by name and row, no look ahead."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st

import entro_nb as en
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.monitor import WATCHED, Pace, Watcher, alarms, how_long, in_words, promise_in_words
from entro_nb.surprise import ROWS

QUICK = en.SurpriseConfig(promise=50.0, warm_up=10)

#: Values that a stream may have, some of them missing; constant stretches and steps among them.
values = st.one_of(
    st.floats(-1e300, 1e300),
    st.sampled_from([math.nan, 0.0, 1.0, 1.5, -2.0, 1e-320]),
)


def rows_of(found: xr.Dataset) -> np.ndarray:
    return np.stack([found[name].values.astype(np.float64) for name in WATCHED])


@st.composite
def pieces(draw: Any) -> tuple[np.ndarray, list[int]]:
    x = draw(st.lists(values, min_size=1, max_size=30))
    x = np.array(x * draw(st.integers(1, 6)))
    cuts = draw(st.lists(st.integers(0, x.size), max_size=4))
    return x, [0, *sorted(cuts), x.size]


@settings(max_examples=60, deadline=None)
@given(pieces())
def test_every_row_is_the_same_at_every_prefix_and_in_every_cut(case) -> None:
    x, cuts = case
    whole = rows_of(en.watch(x, QUICK))
    for end in {1, 49, 50, 51, x.size // 2} & set(range(1, x.size)):
        np.testing.assert_array_equal(rows_of(en.watch(x[:end], QUICK)), whole[:, :end])
    watcher = Watcher(QUICK)
    cut = [watcher.push(x[a:b]) for a, b in itertools.pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(cut, axis=1), whole)
    assert watcher.seen == np.isfinite(x).sum()


def test_what_is_missing_is_waited_for_and_counted() -> None:
    x = np.random.default_rng(3).standard_normal(300)
    holes = np.insert(x, [0, 40, 40, 200], np.nan)
    whole, found = en.watch(x), en.watch(holes)
    known = ~np.isnan(holes)
    assert found.attrs["missing"] == 4
    np.testing.assert_array_equal(rows_of(found)[:, known], rows_of(whole))
    there = [name for name in WATCHED if name != "alarm"]
    assert all(np.isnan(found[name].values[~known]).all() for name in there)
    assert not found.alarm.values[~known].any()
    assert found.alarm.dtype == bool
    assert in_words(found.attrs, alarms(found))[1] == "4 values are missing: counted, not filled in"


def test_the_rows_are_those_of_surprise_and_of_the_accountant() -> None:
    x = np.random.default_rng(1).gamma(2.0, 3.0, 200)
    found = en.watch(x, QUICK)
    np.testing.assert_array_equal(rows_of(found)[:-1], en.Surprise(QUICK).judge(x))
    assert tuple(WATCHED) == (*ROWS, "entropy")
    from entro_nb.accountant import NormalizerConfig

    band = NormalizerConfig(low=float(x[:50].min()), high=float(x[:50].max()))
    entropy = en.account(en.normalize(x, band)).entropy.values
    assert np.isnan(found.entropy.values[:49]).all()
    np.testing.assert_array_equal(found.entropy.values[49:], entropy[49:])


@pytest.mark.parametrize("level", [0.0, -3.0, 1e300, 1e-320])
def test_what_stands_still_has_no_entropy_and_no_alarm_and_says_so(level) -> None:
    found = en.watch(np.full(120, level))
    assert not found.alarm.any()
    assert (found.entropy.values[49:] == 0.0).all()
    said = in_words(found.attrs, alarms(found))
    assert said[1] == f"every value is {level:.6g}: nothing in it can be strange"
    assert said[-1] == "no alarm"


def test_units_parameters_and_the_limit_are_in_the_attributes(tmp_path) -> None:
    found = en.watch(en.load_recording("sea_temperature")[:500], QUICK)
    assert {name: found[name].attrs["units"] for name in found.data_vars} == {
        "value": "degC",
        "surprisal": "bits",
        "p_value": "1",
        "score": "bits",
        "evidence": "bits",
        "alarm": "1",
        "entropy": "bits",
    }
    assert found.attrs["promise"] == 50.0
    assert found.attrs["limit"] == math.log2(50.0)
    found.to_netcdf(tmp_path / "watch.nc")
    with xr.open_dataset(tmp_path / "watch.nc") as back:
        xr.testing.assert_identical(back.load(), found)


# Times


def test_the_index_of_pandas_and_the_coordinate_of_a_dataarray_are_kept() -> None:
    days = pd.date_range("2026-03-01", periods=60, freq="D")
    x = np.arange(60.0)
    for series in (
        pd.Series(x, days),
        pd.DataFrame({"load": x}, days),
        xr.DataArray(x, coords={"time": days}, dims="time"),
        pd.Series(x, days.to_period("D")),
        pd.Series(x, days.tz_localize("UTC").tz_convert("Asia/Tokyo")),
    ):
        found = en.watch(series)
        np.testing.assert_array_equal(found.time.values, days.values)
        assert found.attrs["step"] == 86400.0
    for time in (days, days.astype(str), days.as_unit("s").astype("int64")):
        np.testing.assert_array_equal(en.watch(x, time=time).time.values, days.values)
    plain = en.watch(pd.Series(x, days[::-1].astype(str)))
    np.testing.assert_array_equal(plain.time.values, np.arange(60))
    assert plain.time.attrs["units"] == "samples"


def test_numbers_as_times_keep_their_units() -> None:
    time = ("time", [0.0, 0.5, 1.0, 1.5], {"units": "h"})
    found = en.watch(xr.DataArray([1.0, 2.0, 3.0, 4.0], coords={"time": time}, dims="time"))
    assert found.time.attrs["units"] == found.attrs["time_units"] == "h"
    assert promise_in_words(found.attrs) == (
        "at most one false alarm in about 42 days at this rate (2,000 values)"
    )
    bare = en.watch([1.0, 2.0, 3.0], time=[0.0, 1.0, 2.0])
    assert promise_in_words(bare.attrs) == "at most one false alarm in 2,000 values"


def test_a_gap_is_counted_and_says_nothing_of_the_rate() -> None:
    minutes = np.delete(np.arange(300), np.arange(100, 200))
    time = np.datetime64("2026-03-01", "s") + minutes * np.timedelta64(60, "s")
    found = en.watch(np.random.default_rng(1).random(200), time=time)
    assert found.time.size == 200  # nothing filled in
    assert (found.attrs["gaps"], found.attrs["step"], found.attrs["mean_step"]) == (1, 60.0, 60.0)
    line, promise, *_ = in_words(found.attrs, alarms(found))
    assert line == (
        "200 rows from 2026-03-01 00:00:00 to 2026-03-01 04:59:00, "
        "1 minute apart in the median, 1 gap"
    ).replace("1 minute", "60 seconds")
    assert promise.startswith("at most one false alarm in about 33 hours at this rate")


def test_the_promise_is_told_at_the_rate_of_the_values_that_are_there() -> None:
    time = pd.date_range("2026-03-01", periods=400, freq="h")
    x = np.random.default_rng(1).random(400)
    half = np.where(np.arange(400) % 2, x, np.nan)
    both = pd.DataFrame({"a": x, "b": x}, time)
    assert "about 83 days" in promise_in_words(en.watch(x, time=time).attrs)
    assert "about 5.5 months" in promise_in_words(en.watch(half, time=time).attrs)
    assert "about 83 days at this rate in each column" in promise_in_words(en.watch(both).attrs)


@given(st.lists(st.floats(0.0, 1e6), min_size=2, max_size=40), st.data())
def test_the_pace_is_the_same_however_the_times_are_cut(steps, data) -> None:
    times = np.cumsum(steps)
    whole = Pace()
    whole.push("time", times)
    cut = Pace()
    for piece in np.split(times, sorted(data.draw(st.lists(st.integers(0, times.size))))):
        cut.push("time", piece)
    assert (cut.step, cut.gaps, cut.mean) == (whole.step, whole.gaps, whole.mean)
    median = float(np.median(np.diff(times)))
    assert whole.step == median
    assert whole.gaps == (int((np.diff(times) > 10 * median).sum()) if median else 0)


def test_the_pace_of_a_long_stream_stands_on_its_first_steps(monkeypatch) -> None:
    monkeypatch.setattr("entro_nb.monitor.table.FIRST", 10)
    times = np.concatenate([np.arange(11.0), 10.0 + 11.0 * np.arange(1, 31)])
    for cuts in ([], [5], [11], [3, 12, 40]):
        pace = Pace()
        for piece in np.split(times, cuts):
            pace.push("time", piece)
        assert (pace.step, pace.gaps, pace.mean) == (1.0, 30, 1.0)


def test_missing_times_are_counted_and_stay_missing() -> None:
    time = pd.to_datetime(["2026-03-01", None, "2026-03-03", "2026-03-04"])
    found = en.watch([1.0, 2.0, 3.0, 4.0], time=time)
    assert found.attrs["missing_times"] == 1
    assert np.isnat(found.time.values[1])
    assert "1 time is missing: counted" in in_words(found.attrs, alarms(found))[1]


def test_times_that_run_backwards_are_refused_by_row() -> None:
    times = ["2026-03-01", "2026-03-02", "2026-03-02", "2026-03-01T12:00"]
    with pytest.raises(DataError, match=r"^time\[3\] = '2026-03-01 12:00:00' .*2026-03-02 00"):
        en.watch([1.0, 2.0, 3.0, 4.0], time=times)
    with pytest.raises(DataError, match=r"^when\[2\]"):
        en.watch(pd.DataFrame({"when": [1.0, 2.0, 1.5], "x": 0.0}), time="when")
    pace = Pace()
    pace.push("time", np.array([1.0, 2.0]))
    with pytest.raises(DataError, match=r"time\[1\] = '1.5'"):
        pace.push("time", np.array([np.nan, 1.5]))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (["2026-03-01", "yesterday"], r"time\[1\] = 'yesterday' .* a time as 2026-03-02T10:00"),
        (["2026-03-01", "2027"], r"time\[1\] = '2027'"),
        (["03/04/2026", "04/04/2026"], r"time\[0\] = '03/04/2026'"),
        ([1.0], "1 times' is not allowed: expected 2"),
    ],
)
def test_what_is_no_time_is_refused(given, wrong) -> None:
    with pytest.raises(ParameterError, match=wrong):
        en.watch([1.0, 2.0], time=given)


def test_seconds_since_1970_are_told_by_where_they_lie() -> None:
    moment = np.datetime64("2026-01-01", "ns")
    for unit, step in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        since = [int(moment.astype(f"datetime64[{unit}]").astype(int)) + k for k in range(3)]
        found = en.watch([1.0, 2.0, 3.0], time=since)
        assert found.time.values[0] == moment
        assert found.attrs["step"] == pytest.approx(step)


# Tables


def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    time = pd.date_range("2026-03-01", periods=300, freq="min").astype(str)
    return pd.DataFrame(
        {"when": time, "load": rng.random(300), "site": "north", "wait": rng.random(300)}
    )


def test_each_column_of_numbers_is_judged_by_itself_and_the_times_are_found() -> None:
    frame = table()
    found = en.watch(frame, QUICK)
    assert found.score.dims == ("time", "column")
    assert [*found.column.values] == ["load", "wait"]
    assert json.loads(found.attrs["left_out"]) == ["site"]
    assert found.attrs["time"] == "when"
    for name in ("load", "wait"):
        alone = en.watch(frame[name].to_numpy(), QUICK)
        np.testing.assert_array_equal(rows_of(found.sel(column=name)), rows_of(alone))
    assert [*en.watch(frame, columns=["wait"]).column.values] == ["wait"]
    said = in_words(found.attrs, alarms(found))
    assert said[0].startswith("300 rows of load, wait from 2026-03-01 00:00:00 to")
    assert said[0].endswith("(column when), 60 seconds apart in the median")
    assert "left out, as they hold no numbers: site" in said


def test_several_columns_of_times_are_not_chosen_from() -> None:
    frame = table().assign(seen=table()["when"])
    with pytest.raises(ParameterError, match=r"time = None .* hold times, 'when', 'seen'"):
        en.watch(frame)
    assert en.watch(frame, time="seen").attrs["time"] == "seen"
    named = frame.rename(columns={"seen": "Timestamp"})
    assert en.watch(named).attrs["time"] == "Timestamp"


def test_a_column_t_is_of_times_unless_it_falls() -> None:
    t = np.array([1.0, 2.0, 2.0, 3.0])
    assert en.watch(pd.DataFrame({"t": t, "x": t})).attrs["time"] == "t"
    assert [*en.watch(pd.DataFrame({"t": -t, "x": t})).column.values] == ["t", "x"]


@pytest.mark.parametrize(
    ("asked", "error", "wrong"),
    [
        ({"columns": ["lode"]}, ParameterError, r"column = 'lode' .*did you mean 'load'"),
        ({"columns": []}, ParameterError, "at least one name"),
        ({"time": "wen"}, ParameterError, r"time = 'wen' .*did you mean 'when'"),
        ({"columns": ["site"]}, DataError, r"site\[0\] = 'north' .* a number"),
    ],
)
def test_columns_that_are_none_are_refused_with_the_nearest(asked, error, wrong) -> None:
    with pytest.raises(error, match=wrong):
        en.watch(table(), **asked)


def test_text_in_a_column_of_numbers_is_refused_by_row() -> None:
    frame = table()
    frame["load"] = frame["load"].astype(object)
    frame.loc[[3, 4], "load"] = [None, "  "]
    frame.loc[17, "wait"] = np.nan
    assert en.watch(frame).attrs["missing"] == 3
    frame.loc[17, "load"] = "off"
    with pytest.raises(DataError, match=r"^load\[17\] = 'off' is not allowed: expected a number"):
        en.watch(frame)


@pytest.mark.parametrize(
    ("series", "error", "wrong"),
    [
        ([], DataError, "at least one value"),
        (pd.DataFrame({"a": []}), DataError, "at least one row"),
        (pd.DataFrame({"a": ["x", "y"], "b": [True, False]}), DataError, "'a', 'b'.*holds numbers"),
        (["1", "one"], DataError, r"series\[1\] = 'one'"),
        ([1.0, math.inf], DataError, r"series\[1\] = inf"),
        (pd.Series([1.0, -1e301], name="q"), DataError, r"q\[1\] = -1e\+301"),
        (np.zeros((2, 2)), ParameterError, "2 dimensions"),
        (3.0, ParameterError, "0 dimensions"),
        ([True, False], ParameterTypeError, "bool"),
        ([1j], ParameterTypeError, "complex"),
        (xr.DataArray([1.0], dims="x"), ParameterError, "'time', and any others"),
    ],
)
def test_refusals(series, error, wrong) -> None:
    with pytest.raises(error, match=wrong):
        en.watch(series)
    if not isinstance(series, pd.DataFrame):
        with pytest.raises(ParameterError, match="no table"):
            en.watch(series, columns=["a"])


def test_nothing_but_missing_values_is_told() -> None:
    found = en.watch(pd.DataFrame({"a": [np.nan] * 3, "b": [1.0, 2.0, 3.0]}))
    assert found.attrs["missing"] == 3
    assert "every value of a is missing" in in_words(found.attrs, alarms(found))
    assert promise_in_words(en.watch([None, None]).attrs)


# Alarms


def test_alarms_are_a_table_and_words() -> None:
    x = np.append(np.random.default_rng(5).standard_normal((2000, 2)), [[0.1, 9.0]], axis=0)
    time = pd.date_range("2026-03-01", periods=2001, freq="5min")
    found = en.watch(pd.DataFrame(x, time, ["a", "b"]), en.SurpriseConfig(promise=1000.0))
    rows = alarms(found)
    assert list(rows) == [
        "row",
        "time",
        "column",
        "value",
        "surprisal",
        "p_value",
        "evidence",
        "score",
    ]
    assert len(rows) == int(found.alarm.sum()) > 0
    last = rows.iloc[-1]
    assert (last["row"], last["column"], last["value"], last["time"]) == (2000, "b", 9.0, time[-1])
    assert (rows["score"] >= found.attrs["limit"]).all()
    line = in_words(found.attrs, rows)[-1]
    assert line.startswith("2026-03-07 22:40:00: b 9, as surprising as 1 value in 2,000 (score ")


def test_the_score_of_an_alarm_is_the_one_that_raised_it_whatever_is_missing_between() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.standard_normal(1000), 12.0 + rng.standard_normal(3)])
    x = np.insert(x, np.repeat([1001, 1002], 60), np.nan)
    found = en.watch(x, en.SurpriseConfig(promise=1e4))
    rows = alarms(found)
    assert rows["score"].min() >= found.attrs["limit"]
    late = found.isel(time=slice(1001, None))
    before = [found.score.values[900:1001]]
    same = alarms(late, before)
    np.testing.assert_array_equal(same["score"], rows["score"][rows["row"] > 1000])


def test_no_more_than_some_alarms_are_listed() -> None:
    x = np.cumsum(np.repeat(2.0 ** np.arange(0, 300, 3), 40))
    found = en.watch(x, en.SurpriseConfig(promise=2.0, warm_up=2, apart=1))
    rows = alarms(found)
    assert len(rows) > 20
    assert in_words(found.attrs, rows)[-1] == f"and {len(rows) - 20} more"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2e-6, "2 microseconds"),
        (0.02, "20 milliseconds"),
        (1.0, "1 second"),
        (89.0, "89 seconds"),
        (600.0, "10 minutes"),
        (86400.0, "24 hours"),
        (30.2 * 86400, "30 days"),
        (1e9, "32 years"),
        (1e11, "3,200 years"),
    ],
)
def test_a_length_of_time_in_words(seconds, words) -> None:
    assert how_long(seconds) == words


@pytest.mark.parametrize("spike", [1, 2])
def test_the_strangest_value_is_told_though_it_raised_no_alarm(spike: int) -> None:
    # One value of 700 is no evidence at one in a million, whatever it is; several in a row are.
    x = np.random.default_rng(3).standard_normal(700)
    x[600 : 600 + 3 * (spike - 1) + 1] = 40.0 + 20.0 * np.arange(3 * (spike - 1) + 1)
    found = en.watch(x, en.SurpriseConfig(promise=1e5))
    said = in_words(found.attrs, alarms(found))
    told = [line for line in said if line.startswith("the strangest, ")]
    if spike == 1:
        assert said[-2:] == ["no alarm", *told]
        assert "600: 40 (score 1" in told[0]
    else:
        assert told == []
        assert len(alarms(found)) == 1
