"""A session: six stages, commands on record, several streams, extensions that cannot interfere."""

from __future__ import annotations

import asyncio
import inspect
import json
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from loopback.chains import actions, data, endless, numbers

from entro_nb import streams
from entro_nb.accountant import (
    JUDGED,
    Accountant,
    AccountantConfig,
    DecisionGate,
    Normalizer,
    NormalizerConfig,
    Path as GatePath,
    Stability,
    Thresholds,
    rarity,
)
from entro_nb.errors import EntroError, ParameterError, ParameterTypeError, SessionError
from entro_nb.spokesperson import (
    Audit,
    FrameRecord,
    Heartbeat,
    Session,
    Trail,
    WeightedEsi,
    sentence,
)
from entro_nb.spokesperson.audit import Keeper
from entro_nb.spokesperson.channel import Channel
from entro_nb.streams import Arrival, Event, Happening, Notice, sample
from entro_nb.surprise import Surprise, SurpriseConfig


def test_frames_are_those_of_the_stages_one_after_another(tmp_path: Path) -> None:
    x = data(600)

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), x)
            await session.finished()

    asyncio.run(run())
    normalizer, accountant = Normalizer(NormalizerConfig(-3.0, 3.0)), Accountant()
    monitor = Surprise()
    expected = [
        accountant.process(normalizer.process(v), "numbers", t, v, monitor.process(v))
        for t, v in zip(x.time.values.tolist(), x.values.tolist(), strict=True)
    ]
    with Trail(tmp_path / "a.db") as trail:
        found = list(trail.records())
        channel = json.loads(trail.rows("channels")[0]["parameters"])
        kinds = [e["kind"] for e in trail.rows("events")]
    assert [r.frame for r in found] == expected
    assert channel["accountant"]["window"] == 128
    assert channel["surprise"]["promise"] == SurpriseConfig().promise
    assert kinds == ["connected", "ended"]


def test_the_same_replay_gives_the_same_trail(tmp_path: Path) -> None:
    async def run(path: Path) -> xr.Dataset:
        async with Session(path, who="ada", now=lambda: 5.0) as session:
            session.connect("usgs")
            session.connect("wikipedia", sample("wikipedia", 300))
            await session.finished()
            return session.trail().frames("usgs")

    first, second = (asyncio.run(run(tmp_path / f"{k}.db")) for k in "ab")
    xr.testing.assert_identical(first.drop_vars("number"), second.drop_vars("number"))
    assert first.sizes["time"] == 596


def test_a_missing_value_is_marked_and_counted_and_not_invented(tmp_path: Path) -> None:
    x = data(40)
    x[[5, 6, 7, 20]] = np.nan

    async def run() -> list[dict[str, Any]]:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), x)
            await session.finished()
            assert session.channels["numbers"].totals[Happening.MISSING] == 4
            assert session.trail().last == 36
            return session.trail().rows("events")

    missing = [e for e in asyncio.run(run()) if e["kind"] == "missing"]
    assert sum(e["count"] for e in missing) == 4


def test_every_command_is_on_record_with_who_and_when_and_what_came_of_it(tmp_path: Path) -> None:
    moments = iter(range(100))

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada", now=lambda: float(next(moments))) as s:
            s.connect(numbers(), endless())
            s.pause(who="bob")
            s.resume()
            limits = replace(Thresholds.never(), velocity=0.5)
            s.thresholds("numbers", limits, who="bob")
            assert s.channels["numbers"].thresholds == limits
            await s.switch(numbers("other"), data=endless())
            for wrong in (
                lambda: s.connect("nonsense"),
                lambda: s.connect(numbers("other")),
                lambda: s.thresholds("numbers", limits),
                lambda: s.thresholds("other", 3),  # type: ignore[arg-type]
            ):
                with pytest.raises(EntroError):
                    wrong()
            with pytest.raises(ParameterError):
                await s.switch("nonsense")
            await s.disconnect("other")
            with pytest.raises(ParameterError):
                await s.disconnect("other")
            await s.shutdown(who="bob")
            with pytest.raises(SessionError):
                s.pause()

    asyncio.run(run())
    log = actions(tmp_path / "a.db")
    assert [(who, command) for who, command, outcome in log if outcome == "done"] == [
        ("ada", "start"), ("ada", "connect"), ("bob", "pause"), ("ada", "resume"),
        ("bob", "thresholds"), ("ada", "switch"), ("ada", "connect"), ("ada", "disconnect"),
        ("bob", "shutdown"),
    ]  # fmt: skip
    refused = [outcome for _, _, outcome in log if outcome != "done"]
    assert len(refused) == 6
    assert all(outcome.startswith("refused: ") for outcome in refused)
    with Trail(tmp_path / "a.db") as trail:
        times = [a["time"] for a in trail.rows("actions")]
    assert times == sorted(times)


def test_switching_resets_the_accountant(tmp_path: Path) -> None:
    async def run() -> list[FrameRecord]:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), data(300))
            await session.finished()
            await session.switch(numbers("other"), data=data(50))
            await session.finished()
            return list(session.trail().records())

    found = asyncio.run(run())
    second = [r for r in found if r.frame.stream == "other"]
    assert [r.frame.sequence for r in second] == list(range(50))
    assert second[0].frame.stability is Stability.UNKNOWN
    judged = Surprise().judge(data(50))
    assert [r.frame.surprisal for r in second] == judged[0].tolist()
    assert second[0].channel != found[0].channel


def test_live_needs_to_be_asked_for_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRNOW_API_KEY", raising=False)

    async def run() -> None:
        async with Session(who="ada") as session:
            session.connect("airnow")
            await session.finished()
            events = session.trail().rows("events")
            assert events[0]["detail"].startswith("replay of Imitation")
            await session.disconnect("airnow")
            with pytest.raises(ParameterError, match="set AIRNOW_API_KEY"):
                session.connect("airnow", live=True)
            with pytest.raises(ParameterError, match="False for a recording"):
                session.connect("usgs", sample("usgs"), live=True)

    asyncio.run(run())


def test_a_display_that_is_held_loses_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            shown: list[FrameRecord] = []
            session.connect(numbers(), endless(0.0))
            while len(shown) < 50:
                await asyncio.sleep(0.02)
                shown += session.display.look()
            session.pause()
            before = session.channels["numbers"].readings
            await asyncio.sleep(0.3)
            assert session.display.look() == []
            await session.disconnect("numbers")
            await session.settled()
            assert session.acknowledged > before
            session.resume()
            while records := session.display.look(limit=500):
                shown += records
            assert [r.number for r in shown] == list(range(1, session.acknowledged + 1))
            assert [r.frame.sequence for r in shown] == list(range(len(shown)))

    asyncio.run(run())


def test_the_display_speaks() -> None:
    async def run() -> list[str]:
        said: list[str] = []
        async with Session(who="ada") as session:
            session.connect("usgs")
            await session.finished()
            session.display.speak(said.append)
        return said

    said = asyncio.run(run())
    assert len(said) == 596
    assert all(text.startswith("USGS earthquakes of the past hour ") for text in said)


def test_a_thirteenth_stream_takes_ten_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    from entro_nb.streams import catalog

    monkeypatch.setattr(catalog, "_ENTRIES", dict(catalog._ENTRIES))
    monkeypatch.setattr(catalog, "CATALOG", catalog._ENTRIES)
    streams.add(numbers("cellar"))
    streams.add(streams.find("cellar"))
    assert streams.scalars("cellar", b"21.5") == [21.5]
    with pytest.raises(ParameterError, match="does not have yet"):
        streams.add(replace(streams.find("cellar"), low=-9.0))
    with pytest.raises(ParameterTypeError):
        streams.add("cellar")  # type: ignore[arg-type]


def test_an_adapter_that_breaks_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from entro_nb.spokesperson import session as module

    monkeypatch.setattr(module, "RESTART", 0.01)

    class Fragile:
        tries = 0

        async def __aiter__(self) -> AsyncIterator[Event]:
            Fragile.tries += 1
            yield Arrival(0.0, 1.0, time.perf_counter())
            if Fragile.tries < 3:
                raise RuntimeError("a fault of ours")

    async def run() -> list[dict[str, Any]]:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), Fragile())
            await session.finished()
            assert session.trail().last == 3
            return session.trail().rows("events")

    failed = [e["detail"] for e in asyncio.run(run()) if e["kind"] == "dropped"]
    assert failed == ["the chain failed: RuntimeError"] * 2


def test_an_extension_reads_everything_in_order(tmp_path: Path) -> None:
    async def run() -> list[FrameRecord]:
        seen: list[FrameRecord] = []
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.attach(seen.append, name="collector")
            session.connect("usgs")
            await session.finished()
        return seen

    seen = asyncio.run(run())
    assert [r.number for r in seen] == list(range(1, 597))
    assert ("ada", "attach", "done") in actions(tmp_path / "a.db")


def test_extensions_that_block_or_raise_hold_up_nobody(tmp_path: Path) -> None:
    release = threading.Event()

    async def run() -> tuple[list[float], int]:
        latencies: list[float] = []
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.attach(lambda record: release.wait(30), name="blocks")
            raising = session.attach(lambda record: 1 / 0, name="raises")
            session.connect(numbers(), data(3000))
            session._channels["numbers"].watch = latencies.append
            await asyncio.wait_for(session.finished(), 20)
            for _ in range(200):
                if raising.number == 3000:
                    break
                await asyncio.sleep(0.05)
            assert raising.errors == 3000
            last = session.trail().last
        return latencies, last

    start = time.monotonic()
    latencies, last = asyncio.run(run())
    assert time.monotonic() - start < 25
    release.set()
    assert last == 3000
    assert np.quantile(latencies, 0.99) < 0.01
    with Trail(tmp_path / "a.db") as trail:
        told = [e["detail"] for e in trail.rows("events") if e["kind"] == "extension"]
        frames = [replace(r.frame, stream=None, time=None, raw=None) for r in trail.records()]
    raised = [text for text in told if "raised" in text]
    assert set(raised) == {"extension raises raised ZeroDivisionError"}
    assert len(raised) <= 4
    assert sorted(set(told) - set(raised)) == [
        "extension blocks is shut down", "extension raises is shut down",
    ]  # fmt: skip
    normalizer, accountant = Normalizer(NormalizerConfig(-3.0, 3.0)), Accountant()
    monitor = Surprise()
    assert frames == [
        accountant.process(normalizer.process(v), judged=monitor.process(v))
        for v in data(3000).values.tolist()
    ]


def test_weighted_esi_of_several_streams(tmp_path: Path) -> None:
    esi = WeightedEsi({"one": 1.0, "two": 3.0})

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.attach(esi.read)
            session.connect(numbers("one"), data(300, 1))
            session.connect(numbers("two"), data(200, 2))
            session.connect(numbers("three"), data(200, 3))
            await session.finished()

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        last = {r.frame.stream: r.frame.esi for r in trail.records()}
    assert esi.value == pytest.approx((last["one"] + 3 * last["two"]) / 4)
    assert esi.history
    for wrong in ({}, {"one": -1.0}, {"one": 0.0}):
        with pytest.raises(ParameterError):
            WeightedEsi(wrong)


def test_a_disk_that_refuses_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from entro_nb.spokesperson import audit as module

    monkeypatch.setattr(module, "RETRY", 0.05)

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            keeper = session._running()
            await session.settled()
            connection = keeper.audit._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 8}")
            session.connect(numbers(), data(2000))
            while not keeper.trouble:
                await asyncio.sleep(0.01)
            assert "full" in keeper.trouble
            while session.channels["numbers"].readings < 2000:
                await asyncio.sleep(0.01)
            assert session.acknowledged < 2000
            connection.execute("PRAGMA max_page_count = 100000")
            await session.finished()
            assert keeper.trouble == ""

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        assert [r["sequence"] for r in trail.rows("frames")] == list(range(2000))
        assert len(trail.rows("decisions")) == 2000


def test_notices_that_come_thick_are_counted(tmp_path: Path) -> None:
    async def noisy() -> AsyncIterator[Event]:
        for k in range(5000):
            yield Notice(float(k), Happening.SKIPPED, "not JSON")

    async def run() -> list[dict[str, Any]]:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), noisy())
            await session.finished()
            return session.trail().rows("events")

    events = asyncio.run(run())
    assert len(events) < 10
    assert sum(e["count"] for e in events) == 5000


def test_a_session_before_and_after() -> None:
    session = Session(who="ada")
    with pytest.raises(SessionError, match="async with"):
        session.connect("usgs")
    with pytest.raises(SessionError):
        session.trail()


def test_a_command_from_another_loop_is_refused_whole(tmp_path: Path) -> None:
    """JupyterLab hands what widgets say to threads with event loops of their own."""

    async def run() -> int:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), endless(0.001))

            def from_a_thread() -> None:
                with pytest.raises(SessionError, match="another event loop"):
                    asyncio.run(session.shutdown(who="eve"))
                with pytest.raises(SessionError, match="another event loop"):
                    session.pause(who="eve")
                # The way that the message names.
                asyncio.run_coroutine_threadsafe(handed_over(), session.loop).result(10)

            async def handed_over() -> None:
                session.pause(who="bob")

            await asyncio.to_thread(from_a_thread)
            assert session.display.paused
            before = session.trail().last
            while session.trail().last <= before:
                await asyncio.sleep(0.01)
            return session.trail().last

    assert asyncio.run(run()) > 0
    who = [(name, command) for name, command, _ in actions(tmp_path / "a.db")]
    assert ("bob", "pause") in who
    assert "eve" not in [name for name, _ in who]


def reached(session: Session) -> Iterator[tuple[str, Any]]:
    """Every object that public names lead to from a session, with the way to it."""
    waiting: list[tuple[str, Any]] = [("session", session)]
    met: list[Any] = []
    while waiting:
        way, item = waiting.pop()
        if any(item is other for other in met):
            continue
        met.append(item)
        yield way, item
        if isinstance(item, Mapping):
            waiting += [(f"{way}[{key!r}]", value) for key, value in item.items()]
        elif isinstance(item, list | tuple | deque):
            waiting += [(f"{way}[{k}]", value) for k, value in enumerate(item)]
        else:
            waiting += [(f"{way}.{name}", getattr(item, name)) for name in public(item)]


def public(item: Any) -> list[str]:
    """Public attributes of an object of ours, without its methods."""
    if not type(item).__module__.startswith("entro_nb."):
        return []
    names = [name for name in dir(item) if not name.startswith("_")]
    return [name for name in names if not inspect.ismethod(getattr(item, name))]


def test_no_public_name_leads_past_the_audit_trail(tmp_path: Path) -> None:
    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.attach(lambda record: None, name="reader")
            session.connect(numbers(), endless())
            await asyncio.sleep(0.05)
            ways = dict(reached(session))
            assert {"session.display", "session.extensions[0]"} <= set(ways)
            assert isinstance(ways["session.channels['numbers'].thresholds"], Thresholds)
            inside = (Accountant, Normalizer, Channel, Heartbeat, Keeper, Audit, DecisionGate,
                      Surprise)  # fmt: skip
            for way, item in ways.items():
                assert not isinstance(item, inside), way
                for name in ("set_thresholds", "set_promise", "reset", "process"):
                    assert not hasattr(item, name), f"{way}.{name}"

    asyncio.run(run())


def test_whatever_is_written_over_the_limits_in_force_stay(tmp_path: Path) -> None:
    limits = Thresholds(3.0, 3.2, 0.1, 0.1, 0.1)

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), endless())
            chain = session._channels["numbers"]
            session.thresholds("numbers", limits)
            old = []
            for _, item in list(reached(session)):
                for name in public(item):
                    value = getattr(item, name)
                    with suppress(AttributeError, TypeError):
                        setattr(item, name, Thresholds.never())
                        old.append((item, name, value))
            assert {name for item, name, _ in old if item is session} == {"path", "loop", "display"}
            before = chain.readings
            while chain.readings < before + 300:
                await asyncio.sleep(0)
            for item, name, value in old:
                setattr(item, name, value)

    asyncio.run(run())
    normalizer, gate = Normalizer(NormalizerConfig(-3.0, 3.0)), DecisionGate()
    accountant, monitor = Accountant(AccountantConfig(thresholds=limits)), Surprise()
    with Trail(tmp_path / "a.db") as trail:
        records = list(trail.records())
    assert len(records) >= 300
    for record in records:
        x = float(record.frame.raw or 0.0)
        told = "numbers", record.frame.time, x, monitor.process(x)
        frame = accountant.process(normalizer.process(x), *told)
        assert (record.frame, record.decision) == (frame, gate.route(frame))
    done = [command for _, command, _ in actions(tmp_path / "a.db")]
    assert done == ["start", "connect", "thresholds", "shutdown"]


def test_the_trail_alone_says_which_limits_were_in_force_when(tmp_path: Path) -> None:
    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), endless())
            for k in range(6):
                await asyncio.sleep(0.02 + 0.01 * k)
                session.thresholds("numbers", replace(Thresholds.never(), entropy_high=k / 2))

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        records = list(trail.records())
        (channel,) = trail.rows("channels")
        changes = [json.loads(a["detail"]) for a in trail.rows("actions")]
    limits = Thresholds(**json.loads(channel["parameters"])["thresholds"])
    normalizer = Normalizer(NormalizerConfig(-3.0, 3.0))
    accountant = Accountant(AccountantConfig(thresholds=limits))
    later = {c["from"]: c["thresholds"] for c in changes if "thresholds" in c}
    assert len(later) > 1
    seen = set()
    for k, record in enumerate(records):
        if k in later:
            known = {"Thresholds": Thresholds, "inf": math.inf, "nan": math.nan}
            accountant.set_thresholds(eval(later[k], known))
        frame = accountant.process(normalizer.process(float(record.frame.raw or 0.0)))
        assert record.frame.stability is frame.stability
        seen.add(frame.stability)
    assert {Stability.STABLE, Stability.UNSTABLE} <= seen


def odd(count: int, strange: Mapping[int, float]) -> xr.DataArray:
    """Numbers among which some are far from all others."""
    x = data(count)
    for at, value in strange.items():
        x[at] = value
    return x


def test_an_alarm_is_in_the_frame_in_the_log_and_on_the_path(tmp_path: Path) -> None:
    async def run(gate: DecisionGate, path: Path) -> list[FrameRecord]:
        async with Session(path, who="ada", gate=gate) as session:
            config = SurpriseConfig(promise=500.0)
            session.connect(numbers(), odd(1500, {1000: 40.0}), surprise=config)
            await session.finished()
            found = list(session.trail().records())
            state = session.channels["numbers"]
            assert state.totals[Happening.ALARM] == sum(bool(r.frame.alarm) for r in found)
            assert state.promise == 500.0
            return found

    seed = asyncio.run(run(DecisionGate(), tmp_path / "seed.db"))
    held = asyncio.run(run(DecisionGate(on_alarm=GatePath.ABORT), tmp_path / "held.db"))
    assert [r.frame for r in seed] == [r.frame for r in held]
    alarms = [k for k, r in enumerate(held) if r.frame.alarm]
    assert 1000 in alarms
    assert [k for k in range(1500) if seed[k].decision != held[k].decision] == alarms
    assert {held[k].decision.path for k in alarms} == {GatePath.ABORT}
    assert seed[1000].decision.path is GatePath.PROCEED
    frame = held[1000].frame
    assert held[1000].decision.reason.endswith(f"and an alarm: {rarity(frame)}")
    assert "alarm, a value so unlikely comes once in" in sentence("X", frame, held[1000].decision)
    with Trail(tmp_path / "held.db") as trail:
        events = [e for e in trail.rows("events") if e["kind"] == "alarm"]
        (channel,) = trail.rows("channels")
        frames = trail.frames()
    assert [e["time"] for e in events] == [held[k].frame.time for k in alarms]
    assert f"value 40: {rarity(frame)}" in [e["detail"] for e in events]
    assert json.loads(channel["parameters"])["on_alarm"] == "ABORT"
    assert np.flatnonzero(frames.alarm).tolist() == alarms
    assert frames.surprisal.values.tolist() == [r.frame.surprisal for r in held]


def test_the_trail_alone_gives_every_surprisal_again_to_the_bit(tmp_path: Path) -> None:
    """With the promise changed and the monitor shut down and begun afresh meanwhile."""

    async def values() -> AsyncIterator[Event]:
        draw = np.random.default_rng(5)
        for k in range(10**9):
            value = float(draw.standard_normal() * (30.0 if k % 97 == 0 else 1.0))
            yield Arrival(float(k), value, time.perf_counter())
            await asyncio.sleep(0)

    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), values(), surprise=SurpriseConfig(promise=500.0, seed=3))

            async def after(count: int) -> None:
                goal = session.channels["numbers"].readings + count
                while session.channels["numbers"].readings < goal:
                    await asyncio.sleep(0)

            await after(400)
            session.promise("numbers", 20.0, who="bob")
            assert session.channels["numbers"].promise == 20.0
            await after(400)
            session.surprise("numbers", None)
            assert session.channels["numbers"].promise is None
            await after(100)
            session.surprise("numbers", SurpriseConfig(promise=50.0))
            await after(400)

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        frames = [record.frame for record in trail.records()]
        (channel,) = trail.rows("channels")
        details = [json.loads(a["detail"]) for a in trail.rows("actions")]
    commands = {d["from"]: d for d in details if "from" in d}
    assert len(commands) == 3
    monitor: Surprise | None = Surprise(
        SurpriseConfig(**json.loads(channel["parameters"])["surprise"])
    )
    alarms = 0
    for k, frame in enumerate(frames):
        if k in commands and "promise" in commands[k]:
            assert monitor is not None
            monitor.set_promise(commands[k]["promise"])
        elif k in commands:
            config = eval(commands[k]["config"], {"SurpriseConfig": SurpriseConfig})
            monitor = None if config is None else Surprise(config)
        assert frame.raw is not None
        judged = None if monitor is None else monitor.process(frame.raw)
        for name in JUDGED:
            assert getattr(frame, name) == getattr(judged, name, None)
        alarms += bool(frame.alarm)
    assert alarms > 1
    assert {frame.surprisal is None for frame in frames} == {True, False}
    done = [(who, what) for who, what, outcome in actions(tmp_path / "a.db") if outcome == "done"]
    assert ("bob", "promise") in done
    assert [what for _, what in done].count("surprise") == 2


def test_a_chain_without_a_monitor_says_nothing_of_surprise(tmp_path: Path) -> None:
    async def run() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            session.connect(numbers(), data(50), surprise=None)
            await session.finished()
            assert session.channels["numbers"].promise is None
            with pytest.raises(ParameterError, match="one whose values a monitor judges"):
                session.promise("numbers", 100.0)
            for wrong in (
                lambda: session.promise("other", 100.0),
                lambda: session.surprise("other", None),
                lambda: session.surprise("numbers", 100.0),  # type: ignore[arg-type]
            ):
                with pytest.raises(EntroError):
                    wrong()
            session.surprise("numbers", SurpriseConfig())
            with pytest.raises(ParameterError, match="promise = 1"):
                session.promise("numbers", 1.0)
            assert session.channels["numbers"].promise == 2000.0

    asyncio.run(run())
    with Trail(tmp_path / "a.db") as trail:
        frames = trail.frames()
        assert {r.frame.surprisal for r in trail.records()} == {None}
        assert {r.frame.alarm for r in trail.records()} == {None}
        (channel,) = trail.rows("channels")
    assert json.loads(channel["parameters"])["surprise"] is None
    assert not frames.alarm.any()
    assert np.isnan(frames.surprisal).all()
    outcomes = [outcome for *_, outcome in actions(tmp_path / "a.db")]
    assert sum(outcome.startswith("refused: ") for outcome in outcomes) == 5


def test_any_component_is_shut_down_alone_and_on_record(tmp_path: Path) -> None:
    seen: list[FrameRecord] = []

    async def run() -> list[dict[str, Any]]:
        async with Session(tmp_path / "a.db", who="ada") as session:
            for name in ("one", "two"):
                session.connect(numbers(name), endless())
            reader = session.attach(seen.append, name="reader")
            kept = session.attach(lambda record: None, name="kept")
            while not seen:
                await asyncio.sleep(0.01)
            await session.detach(reader, who="bob")
            assert session.extensions == (kept,)
            count = len(seen)
            with pytest.raises(ParameterError, match=r"attached \(kept\)"):
                await session.detach(reader)

            assert session.channels["one"].beat is not None
            session.heartbeat("one", False, who="bob")
            assert session.channels["one"].beat is None
            assert session.channels["two"].beat is not None
            readings = session.channels["one"].readings
            await asyncio.sleep(0.1)
            assert session.channels["one"].readings > readings
            session.heartbeat("one", True)
            assert session.channels["one"].beat is not None
            with pytest.raises(ParameterError):
                session.heartbeat("three", False)

            await session.disconnect("one", who="bob")
            assert list(session.channels) == ["two"]
            readings = session.channels["two"].readings
            while kept.number < 100 or session.channels["two"].readings == readings:
                await asyncio.sleep(0.01)
            assert len(seen) == count
            kept.close()  # not by a command: the part itself writes it down
            await session.settled()
            return session.trail().rows("events")

    told = [e["detail"] for e in asyncio.run(run()) if e["kind"] == "extension"]
    assert told == ["extension reader is shut down", "extension kept is shut down"]
    done = [(who, command) for who, command, outcome in actions(tmp_path / "a.db")
            if outcome == "done"]  # fmt: skip
    for command in ("detach", "heartbeat", "disconnect"):
        assert ("bob", command) in done
