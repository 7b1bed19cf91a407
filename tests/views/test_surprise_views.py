"""Views of a monitor draw what it says, and the apps take what a reader brings, or say why not."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import entro_nb as en
from entro_nb import SurpriseConfig, monitor, views
from entro_nb.benchmark import nab_corpus
from entro_nb.views import surprise as view

views.setup()


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    x = np.random.default_rng(4).standard_normal(20_000)
    x[15_000] = 30.0
    x[[100, *range(8000, 8100)]] = np.nan
    time = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.arange(x.size), "min")
    time = time.where(np.arange(x.size) < 12_000, time + pd.Timedelta("3D"))
    return monitor.watch(pd.Series(x, time, name="load"), SurpriseConfig(promise=1000.0))


def part(overlay: hv.Overlay, kind: type) -> hv.Element:
    return next(element for element in overlay if isinstance(element, kind))


def test_the_outline_of_a_long_curve_keeps_its_ends_its_gaps_and_what_is_asked_for() -> None:
    x = np.random.default_rng(1).standard_normal(50_000)
    x[20_000:20_100] = np.nan
    x[[5, 30_000]] = -50.0, 60.0
    places = view.outline(x, [7, 49_998])
    assert {5, 7, 30_000, 49_998} <= set(places.tolist())
    assert np.isnan(x[places]).any()
    assert (np.diff(places) > 0).all()
    assert places.size <= 3 * view.GROUPS + 2
    assert np.array_equal(view.outline(x[:3000]), np.arange(3000))


def test_nothing_is_drawn_where_nothing_was_measured(found: xr.Dataset) -> None:
    curve = part(view.values(found), hv.Curve)
    x, time = curve.dimension_values("value"), curve.dimension_values("time")
    drawn = np.isfinite(x[1:]) & np.isfinite(x[:-1])
    steps = np.diff(time)[drawn] / np.timedelta64(1, "m")
    assert steps.max() < 100  # neither over the 100 missing values nor over the three days
    assert np.nanmax(x) == 30.0


def test_alarms_and_windows_stand_where_they_are(found: xr.Dataset) -> None:
    at = found.time.values[found.alarm.values]
    assert found.time.values[15_000] in at
    window = (found.time.values[14_900], found.time.values[15_100])
    drawn = view.values(found, [window])
    assert np.array_equal(part(drawn, hv.Scatter).dimension_values("time"), at)
    assert part(drawn, hv.VSpans).dimension_values(1)[0] == window[1]
    for each in view.watched(found):
        assert np.array_equal(part(each, hv.VLines).dimension_values(0), at)


def test_the_limit_of_the_score_is_the_promise_in_bits(found: xr.Dataset) -> None:
    drawn = view.score(found)
    assert part(drawn, hv.HLine).data == pytest.approx(np.log2(1000))
    score, evidence = (e for e in drawn if isinstance(e, hv.Curve))
    assert np.nanmax(score.dimension_values(1)) == pytest.approx(found.score.max().item())
    assert np.nanmax(evidence.dimension_values(1)) == pytest.approx(found.evidence.max().item())


def test_what_was_measured_stands_beneath_the_stream_with_its_windows() -> None:
    stream = nab_corpus()[view.TAXI]
    value, bits = view.beneath(stream, {"H (bits)": 2.0 * np.log2(1.0 + stream.values)})
    for drawn in (value, bits):
        bands = [element for element in drawn if isinstance(element, hv.Area)]
        assert len(bands) == len(stream.windows)
        for band, window in zip(bands, stream.windows, strict=True):
            ends = stream.time[[window.start, window.stop - 1]]
            assert np.array_equal(band.dimension_values("time"), ends)
    (line,) = (element for element in value if type(element) is hv.Curve)
    assert line.dimension_values("value").max() == stream.values.max()
    assert next(iter(bits)).vdims[0].label == "H (bits)"


def test_the_ranking_tells_published_from_ours_and_leaves_out_the_ends() -> None:
    names = ["perfect", "surprise", "theirs", "peer", "null"]
    scores = np.full((5, 3, 3), np.nan)
    scores[:, 0] = np.array([100.0, 71.0, 70.0, 40.0, 0.0])[:, None]
    scores[[1, 3], 1:] = 50.0
    board = xr.Dataset(
        {
            "score": (("detector", "files", "profile"), scores),
            "published": ("detector", [True, False, True, False, True]),
        },
        {
            "detector": names,
            "files": ["all", "odd", "even"],
            "profile": ["standard", "low_fp", "low_fn"],
        },
    )
    drawn = view.ranking(board)
    bars = part(drawn, hv.Rectangles)
    assert bars.dimension_values("measured").tolist() == ["measured here", "published", "ours"]
    assert bars.dimension_values("end").tolist() == [40.0, 70.0, 71.0]
    assert [len(e) for e in drawn if isinstance(e, hv.Scatter)] == [2, 2]


def test_a_reader_brings_a_table_and_any_promise() -> None:
    table = pd.DataFrame({"cpu": np.arange(100.0) % 7, "disk": np.ones(100)})
    app = views.apps.Watch(monitor.watch(table).value, promise=1500.0)
    assert app.stream == "cpu"
    assert app.param.stream.objects[:3] == ["cpu", "disk", "earthquakes"]
    assert app.result.found.attrs["promise"] == 1500.0
    assert 1500.0 in app.twin[1]
    assert 1500.0 not in views.apps.Watch().twin[1]
    app.stream = "disk"
    assert any("every value is 1" in line for line in app.said())
    app.stream = "earthquakes"
    assert app.result.found.sizes["time"] == en.load_recording("earthquakes").size


def test_a_file_is_read_or_refused_in_a_line() -> None:
    app = views.apps.Watch()
    app.panel()

    def drop(name: str, content: bytes) -> None:
        app.file.param.update(filename=name, value=content or None)  # as the widget has it

    drop("mine.csv", b"load,room\n1,a\n2,b\n4,a\n")
    assert (app.stream, app.refused) == ("mine.csv: load", "")
    for content in (b"", b"room\na\n", b"load\n1\ntwo\n3\n", b"\xff\xfe\x00\x01" * 9, b"load\n"):
        app.refused = ""
        drop("../<b>bad.csv", content)
        assert app.refused.startswith("<b>bad.csv was not read: ")
        assert "\n" not in app.refused
        assert app.stream == "mine.csv: load"
    assert "<b>" not in view._paragraphs([app.refused])
    drop("mine.csv", b"load\n7\n8\n")  # a later version of the same file
    assert app.param.stream.objects.count("mine.csv: load") == 1
    assert app.result.found.value.values.tolist() == [7.0, 8.0]


def test_the_benchmark_is_told_as_it_was_marked() -> None:
    name = "realKnownCause/machine_temperature_system_failure.csv"
    app = views.apps.Benchmark(stream=name, promise=2000)
    stream = nab_corpus()[name]
    alarms = set(np.flatnonzero(app.result.found.alarm.values).tolist())
    late = {k for k in alarms if k >= stream.probation}
    hit = sum(bool(late & set(window)) for window in stream.windows)
    outside = late - {k for window in stream.windows for k in window}
    told = " ".join(app.said())
    assert hit > 0
    assert f"{len(alarms)} alarms, {len(alarms - late)} while learning" in told
    assert f"one: {hit} of {len(stream.windows)}; alarms outside of any: {len(outside)}." in told
    assert len(app.param.stream.objects) == 58


def test_the_table_of_alarms_is_as_long_as_it_says(found: xr.Dataset) -> None:
    many = monitor.watch(en.load_recording("apple"), SurpriseConfig(promise=50.0))
    count = int(many.alarm.sum())
    assert count > view.ROWS
    table = view.alarms_table(many)
    assert table.count("<tr>") == view.ROWS + 1
    assert f"and {count - view.ROWS} more" in table
    assert "2026-03-14" in view.alarms_table(found)
