"""The dashboard without a browser: friendly lines, and text that never becomes markup."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from entro_nb import views
from entro_nb.accountant import JUDGED, Decision, EeFrame, Path as GatePath, Stability
from entro_nb.spokesperson import FrameRecord, Session, Trail
from entro_nb.streams import CATALOG, Event, Happening, Message, Notice, catalog, sample
from entro_nb.surprise import SurpriseConfig
from entro_nb.views.board import SHOWN, Lamp, Strips, html_table
from entro_nb.views.dashboard import (
    Dashboard,
    afternoon,
    from_trail,
    surprisal_curve,
    weighted_esi,
)

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def plain(text: str) -> None:
    """Assert that what is shown holds no element of the stream's making."""
    assert "<script" not in text
    assert "<img" not in text
    assert html.escape(SCRIPT) in text or "script" not in text


def test_a_table_shows_text_as_text() -> None:
    shown = html_table([{"time": 0.0, SCRIPT: SCRIPT, "n": 0.123456, "none": None}])
    plain(shown)
    assert "1970-01-01 00:00:00" in shown
    assert "0.1235" in shown
    assert "nothing" in html_table([])


def test_what_the_audit_says_is_shown_in_words_not_in_json() -> None:
    detail = json.dumps({"stream": "usgs", "limits": "Limits(low=2.6534567890123, high=1e-05)"})
    nested = json.dumps({"window": 128, "share": 0.1234567, "gate": {"routes": [1, None]}})
    shown = html_table([{"time": 0.0, "detail": detail, "parameters": nested, "odd": "{no JSON"}])
    assert "<td>stream=usgs, limits=Limits(low=2.653, high=1e-05)</td>" in shown
    assert "<td>window=128, share=0.1235, gate=(routes=(1, none))</td>" in shown
    assert "{no JSON" in shown
    assert "time (UTC)" in shown
    (cell,) = re.findall(r"<td>(.*)</td>", html_table([{"detail": "many words " * 100}]))
    assert re.fullmatch(r"(many words )*(many )?…", cell)


def record(path: GatePath, number: int, reason: str = "") -> FrameRecord:
    frame = EeFrame(number, 0.1, 3.1, 0.78, -0.4, 0.1, 0.0, 1.0, Stability.STABLE, time=0.0)
    return FrameRecord(1, frame, Decision(path, reason), number)


def test_the_verdict_is_a_lamp() -> None:
    lamp, seen = Lamp(), set()
    for number, path in enumerate((GatePath.PROCEED, GatePath.PAUSE, GatePath.ABORT)):
        lamp.light("Earthquakes", [record(GatePath.PAUSE, 1), record(path, number, SCRIPT)])
        shown = str(lamp.pane.object)
        plain(shown)
        assert f"<strong>{path.value}</strong>" in shown
        assert f"aria-label='Verdict: {path.value}. Earthquakes'" in shown
        assert "1970-01-01 00:00:00 UTC" in shown
        look = re.search(r"background:(#\w{6}).*<svg[^>]*>(.*)</svg>", shown)
        assert look is not None
        seen.update(look.groups())
    assert len(seen) == 6  # three colours, three signs
    assert "PROCEED 1, PAUSE 4, ABORT 1" in str(lamp.pane.object)
    lamp.dark("Tides", "NOT CONNECTED")
    assert "Verdict: NOT CONNECTED. Tides" in str(lamp.pane.object)
    lamp.light("Tides", [record(GatePath.PAUSE, 1)])
    assert "PROCEED 0, PAUSE 1, ABORT 0" in str(lamp.pane.object)


def test_strips_show_the_limits_and_no_axis_is_wasted_on_the_warm_up() -> None:
    app = views.apps.Spokesperson()
    strips, run = Strips(), app.result
    strips.show(run, "Earthquakes")
    assert strips.title.text == "Earthquakes"
    sure = run.frames.confidence.values == 1.0
    for name in ("velocity", "acceleration", "jerk", "entropy"):
        band, axis = strips.bands[name], strips.ranges[name]
        assert axis.start <= band.bottom < band.top <= axis.end  # type: ignore[operator]
        shown = run.frames[name].values[sure]
        assert axis.start < shown.min() < shown.max() < axis.end  # type: ignore[operator]
        early = run.frames[name].values[~sure]
        assert np.nanmin(early) < axis.start or np.nanmax(early) > axis.end  # type: ignore[operator]
    assert (strips.bands["entropy"].bottom, strips.bands["entropy"].top) == (
        app.limits.entropy_low,
        app.limits.entropy_high,
    )
    strips.limit(replace(app.limits, velocity=1.25, jerk=float("inf")))
    assert (strips.bands["velocity"].bottom, strips.bands["velocity"].top) == (-1.25, 1.25)
    assert float(strips.ranges["velocity"].end) > 1.25  # type: ignore[arg-type]
    assert not isinstance(strips.bands["jerk"].top, float)  # the edge of the frame


def test_what_is_shown_bears_the_name_of_its_stream() -> None:
    async def run() -> None:
        app = views.apps.Spokesperson(pace=200)
        board = Dashboard(app)

        def shows(name: str, word: str) -> None:
            assert board.strips.title.text == name
            assert f"Verdict: {word}. {name}" in str(board.lamp.pane.object)

        shows("Earthquakes along the Pacific Ring of Fire, April to July 2024", "NOT CONNECTED")
        app.stream = "mta"
        mta = "Imitation of: MTA Long Island Rail Road, mean delay"
        shows(mta, "NOT CONNECTED")
        await board._guarded(board._connect)(None)
        app.stream, app.velocity = "usgs", 1.25
        while not board.strips.data.data["number"] or board.strips.bands["velocity"].top != 1.25:
            board.look()
            await asyncio.sleep(0.01)
        assert board.strips.title.text == mta
        assert re.search(f"Verdict: (PROCEED|PAUSE|ABORT). {mta}", str(board.lamp.pane.object))
        assert "not shown: USGS earthquakes" in str(board.status.object)
        await board._guarded(board._connect)(None)
        board.look()
        assert "Earthquakes" in str(board.strips.title.text)
        assert "not shown" not in str(board.status.object)
        await board._guarded(board._end)(None)
        assert "SHUT DOWN" in str(board.lamp.pane.object)
        await board._close()

    asyncio.run(run())


def test_script_tags_in_every_string_of_a_message_reach_no_page(
    tmp_path: Path, payloads: Path
) -> None:
    """Every string field of every recorded JSON message, every notice and title, made a script."""

    def poisoned(tree: object) -> object:
        if isinstance(tree, dict):
            return {k: poisoned(v) for k, v in tree.items()} | {SCRIPT: SCRIPT}
        if isinstance(tree, list):
            return [poisoned(v) for v in tree]
        return f"{tree}{SCRIPT}" if isinstance(tree, str) else tree

    bodies: list[tuple[str, bytes]] = []
    names = list(CATALOG)
    for file in sorted(payloads.glob("*.json")):
        stream = names[int(file.name[:2]) - 1]
        bodies.append((stream, json.dumps(poisoned(json.loads(file.read_bytes()))).encode()))

    async def said(stream: str) -> AsyncIterator[Event]:
        from entro_nb.streams import adapter

        live = adapter(stream)
        for name, body in bodies:
            if name == stream:
                for event in live._events(body):
                    yield event
        yield live.notice(Happening.DROPPED, f"the broker says: {SCRIPT}")
        yield Notice(0.0, Happening.SKIPPED, SCRIPT)

    async def run() -> None:
        data = xr.DataArray([1.0], coords={"time": [0.0]}, dims="time", attrs={"title": SCRIPT})
        async with Session(tmp_path / "a.db", who=SCRIPT) as session:
            for stream in names[:12]:
                session.connect(stream, said(stream))
            session.connect(replace(CATALOG["usgs"], name="other", title=SCRIPT), data)
            await session.finished()

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        events = trail.rows("events")
        for name in ("channels", "frames", "decisions", "actions", "events"):
            plain(html_table(trail.rows(name, latest=1000)))
    assert any(SCRIPT in e["detail"] for e in events)  # it was there to be shown


def test_the_status_line_shows_text_as_text() -> None:
    board = Dashboard(views.apps.Spokesperson())
    board._say(SCRIPT)
    plain(str(board.status.object))


def test_live_without_a_network_is_told_in_a_friendly_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = CATALOG["usgs"].at("http://127.0.0.1:9/")
    monkeypatch.setitem(catalog._ENTRIES, "usgs", nowhere)

    async def run() -> str:
        board = Dashboard(views.apps.Spokesperson(network=True))
        await board._connect()
        for _ in range(100):
            board.look()
            if "cannot be reached" in str(board.status.object):
                break
            await asyncio.sleep(0.05)
        text = str(board.status.object)
        await board._close()
        return text

    assert "A replay needs no network" in asyncio.run(run())


def test_strips_keep_the_latest_frames(tmp_path: Path) -> None:
    async def run() -> list[object]:
        data = xr.DataArray(np.arange(SHOWN + 500.0) % 7, dims="time")
        data = data.assign_coords(time=np.arange(SHOWN + 500.0))
        source = replace(
            CATALOG["usgs"], name="numbers", read=lambda payload: [Message.other("none")]
        )
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(source, data)
            await session.finished()
            return session.display.look(10_000)

    records = asyncio.run(run())
    strips = Strips()
    strips.push(records[:100])  # type: ignore[arg-type]
    strips.push(records[100:])  # type: ignore[arg-type]
    strips.push([])
    shown = strips.data.data
    assert list(shown["number"]) == list(range(501, SHOWN + 501))
    assert {len(column) for column in shown.values()} == {SHOWN}
    strips.clear()
    assert {len(column) for column in strips.data.data.values()} == {0}


def test_a_trail_is_drawn_like_a_replay(tmp_path: Path) -> None:
    app = views.apps.Spokesperson()

    async def run() -> xr.Dataset:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect("usgs")
            await session.finished()
            return session.trail().frames()

    frames = asyncio.run(run())
    run_again = from_trail(frames, app.limits)
    at_once = afternoon("usgs", app.limits)
    np.testing.assert_array_equal(run_again.values, at_once.values)
    for name in ("entropy", *JUDGED):
        np.testing.assert_array_equal(run_again.frames[name], at_once.frames[name])
        assert run_again.frames[name].attrs["units"] == at_once.frames[name].attrs["units"]
    for view in app.views:
        assert view(run_again) is not None


def burst(count: int = 600) -> xr.DataArray:
    """Numbers among which one is far from all others."""
    values = np.random.default_rng(0).standard_normal(count)
    values[500] = 50.0
    return xr.DataArray(values, coords={"time": np.arange(count) * 1.0}, dims="time")


def test_surprisal_is_drawn_with_its_alarms_marked(tmp_path: Path) -> None:
    async def run(monitor: SurpriseConfig | None, name: str) -> list[FrameRecord]:
        async with Session(tmp_path / name, who="ada") as session:
            session.connect("usgs", burst(), surprise=monitor)
            await session.finished()
            return session.display.look(10_000)

    records = asyncio.run(run(SurpriseConfig(promise=100.0), "a.db"))
    alarms = [k for k, r in enumerate(records) if r.frame.alarm]
    assert 500 in alarms
    strips = Strips()
    strips.push(records)
    surprisal, marks = (np.array(strips.data.data[name]) for name in ("surprisal", "alarm"))
    assert surprisal.tolist() == [r.frame.surprisal for r in records]
    assert np.flatnonzero(np.isfinite(marks)).tolist() == alarms
    np.testing.assert_array_equal(marks[alarms], surprisal[alarms])

    with Trail(tmp_path / "a.db") as trail:
        again = from_trail(trail.frames(), views.apps.Spokesperson().limits)
    line, dots = surprisal_curve(again)
    assert line.dimension_values(1).tolist() == surprisal.tolist()
    assert dots.dimension_values(0).tolist() == alarms
    assert line.get_dimension(1).label == "surprisal (bits)"
    strips.show(again)
    np.testing.assert_array_equal(strips.data.data["alarm"], marks)

    unjudged = asyncio.run(run(None, "b.db"))
    strips.push(unjudged)
    assert np.isnan(strips.data.data["surprisal"][-600:]).all()
    assert np.isnan(strips.data.data["alarm"][-600:]).all()


def test_the_readout_and_the_promise_at_the_operators_hand() -> None:
    async def run() -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
        app = views.apps.Spokesperson(pace=200, promise=500)
        board = Dashboard(app)
        await board._guarded(board._connect)(None)
        assert board.session is not None
        app.promise = 100
        while board.session.channels["usgs"].promise != 100.0:
            await asyncio.sleep(0.01)
        while not board.strips.data.data["number"]:
            board.look()
            await asyncio.sleep(0.01)
        said = str(board.status.object)
        trail = board.session.trail()
        rows, channels = trail.rows("actions"), trail.rows("channels")
        await board._close()
        return said, rows, channels

    said, rows, channels = asyncio.run(run())
    assert re.search(r"Surprisal \d+\.\d bits, p-value [\d.e-]+\.", said)
    assert json.loads(channels[0]["parameters"])["surprise"]["promise"] == 500.0
    promised = [json.loads(r["detail"])["promise"] for r in rows if r["command"] == "promise"]
    assert promised == [100]


def test_controls_work_from_a_thread_with_a_loop_of_its_own() -> None:
    """As in JupyterLab, where all clicks but the first arrive on another thread."""

    async def run() -> tuple[list[str], str]:
        board = Dashboard(views.apps.Spokesperson(pace=200))

        def elsewhere(control: Callable[[], Awaitable[None]]) -> None:
            asyncio.run(board._guarded(control)(None))

        await board._guarded(board._connect)(None)
        assert board.session is not None
        while not board.session.channels["usgs"].readings:
            await asyncio.sleep(0.01)
        for control in (board._hold, board._hold, board._end):
            await asyncio.to_thread(elsewhere, control)
        assert board.path is not None
        with Trail(board.path) as trail:
            done = [a["command"] for a in trail.rows("actions") if a["outcome"] == "done"]
        said = str(board.status.object)
        await board._close()
        return done, said

    done, said = asyncio.run(run())
    assert [name for name in done if name in ("pause", "resume", "shutdown")] == [
        "pause", "resume", "shutdown",
    ]  # fmt: skip
    assert "The session is shut down" in said


def test_after_a_switch_nothing_of_the_former_stream_is_drawn() -> None:
    """Its last frames are still on their way to the trail when the new stream begins."""

    async def run() -> tuple[set[int], set[int]]:
        app = views.apps.Spokesperson(pace=200)
        board = Dashboard(app)
        await board._connect()
        assert board.session is not None
        gone = 0
        for stream in ("wikipedia", "usgs"):
            (channel,) = board.session._channels.values()
            # One frame has just gone into the queue, and stays there for a batch's time.
            while channel.readings < 20 or (
                gone + channel.readings != board.session.acknowledged + 1
            ):
                await asyncio.sleep(0.001)
            app.stream = stream
            await board._connect()
            gone += channel.readings
        board.look()  # clears away what was drawn before the switch
        while len(board.strips.data.data["number"]) < 20:
            board.look()
            await asyncio.sleep(0.01)
        drawn = set(board.strips.data.data["number"])
        rows = board.session.trail().rows("frames")
        await board._close()
        return {row["channel"] for row in rows}, {
            row["channel"] for row in rows if row["id"] in drawn
        }

    written, drawn = asyncio.run(run())
    assert written == {1, 2, 3}
    assert drawn == {3}


def test_weighted_esi_is_drawn_in_the_order_of_the_samples() -> None:
    """Whatever order the frames of two streams have in the trail, the figure is the same."""
    weights = {"mta": 1.0, "airnow": 2.0}

    async def run() -> list[FrameRecord]:
        async with Session(who="ada") as session:
            for name in weights:
                session.connect(name, sample(name, 300))
            await session.finished()
            return list(session.trail().records())

    records = asyncio.run(run())
    one = weighted_esi(records, weights)
    other = weighted_esi(sorted(records, key=lambda r: (r.frame.stream, r.frame.sequence)), weights)
    for left, right in zip(one, other, strict=True):
        assert left.label == right.label
        np.testing.assert_array_equal(left.array(), right.array())
    mta, airnow, total = (dict(zip(*part.columns().values(), strict=True)) for part in one)
    sure = {r.frame.sequence for r in records if r.frame.confidence == 1.0}
    assert set(total) == sure
    for k in sure:
        assert total[k] == pytest.approx((mta[k] + 2 * airnow[k]) / 3, abs=1e-12)
