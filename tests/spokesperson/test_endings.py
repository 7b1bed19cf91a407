"""The ends of sessions, in order and in haste, and Python's garbage collector meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback.chains import actions, endless, numbers

from entro_nb.errors import SessionError
from entro_nb.spokesperson import Session, Trail


def full() -> int:
    raise sqlite3.OperationalError("database or disk is full")


def test_full_collections_are_short_while_a_session_runs_and_as_before_afterwards() -> None:
    async def run() -> tuple[int, int]:
        async with Session(who="ada") as one, Session(who="bob") as other:
            one.connect(numbers(), endless(0.001))
            first = gc.get_freeze_count()
            other.connect(numbers("others"), endless(0.001))
            await one.shutdown()
            return first, gc.get_freeze_count()

    before = gc.get_freeze_count()
    first, second = asyncio.run(run())
    # What was there before, some 10⁵ objects, is not looked at; the rest is.
    assert before == 0
    assert first > 50_000
    assert second > 50_000
    assert gc.get_freeze_count() == 0


def test_connecting_a_further_stream_looks_through_nothing_that_was_set_aside() -> None:
    """Such a look would stop every stream that runs."""
    looks: list[int] = []

    def look(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            looks.append(gc.get_freeze_count())

    async def run() -> int:
        async with Session(who="ada") as session:
            session.connect(numbers(), endless(0.001))
            aside = gc.get_freeze_count()
            gc.callbacks.append(look)
            try:
                for k in range(3):
                    session.connect(numbers(f"others{k}"), endless(0.001))
            finally:
                gc.callbacks.remove(look)
            # Some may have gone since; had more been set aside, garbage could be among it.
            assert gc.get_freeze_count() <= aside
            return aside

    aside = asyncio.run(run())
    # The collector may well look through what is new.
    assert all(count > 0.9 * aside for count in looks)


def test_a_program_that_froze_its_objects_itself_keeps_them_so() -> None:
    async def run() -> None:
        async with Session(who="ada") as session:
            session.connect(numbers(), endless(0.001))

    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        asyncio.run(run())
        # Some of them have gone, and none was added or given back to the collector.
        assert 0.9 * frozen < gc.get_freeze_count() <= frozen
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("turn", range(10))
def test_a_program_that_fails_elsewhere_ends_and_loses_nothing(tmp_path: Path, turn: int) -> None:
    """Then the loop cancels every task at once, the Spokesperson's before the session's."""
    path, channels = tmp_path / "a.db", []

    async def hold() -> None:
        async with Session(path, who="ada") as session:
            session.connect(numbers(), endless(0.0))
            channels.extend(session._channels.values())
            await asyncio.sleep(60)

    async def fail() -> None:
        await asyncio.sleep(0.1 + 0.017 * turn)
        raise RuntimeError("elsewhere")

    async def main() -> None:
        await asyncio.gather(hold(), fail())

    with pytest.raises(RuntimeError, match="elsewhere"):
        asyncio.run(main())
    with Trail(path) as trail:
        sequence = [row["sequence"] for row in trail.rows("frames")]
        assert len(trail.rows("decisions")) == len(sequence)
    assert sequence == list(range(channels[0].readings))
    assert len(sequence) > 100
    assert actions(path)[-1] == ("ada", "shutdown", "done")


def test_what_was_asked_is_done_once_also_when_the_session_ends(tmp_path: Path) -> None:
    done = []

    async def main() -> list[object]:
        session = Session(tmp_path / "a.db", who="ada")
        await session.__aenter__()
        keeper = session._running()

        def slow() -> str:
            time.sleep(0.3)
            done.append("slow")
            return "slow"

        def failing() -> None:
            raise ValueError("no")

        asked = [
            asyncio.wrap_future(keeper.ask(act))
            for act in (slow, failing, lambda: "last", lambda: None)
        ]
        await asyncio.sleep(0.1)
        given_up = asyncio.wrap_future(keeper.ask(lambda: done.append("given up")))
        given_up.cancel()
        await session.shutdown()
        return await asyncio.gather(*asked, return_exceptions=True)

    slow, failing, last, nothing = asyncio.run(main())
    assert (slow, last, nothing) == ("slow", "last", None)
    assert isinstance(failing, ValueError)
    assert done == ["slow"]


def test_what_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            audit = session._running().audit

            def half() -> None:
                audit.event(None, 0.0, "half", "of two")
                full()

            with pytest.raises(sqlite3.OperationalError, match="disk is full"):
                await asyncio.wrap_future(session._running().ask(half))
            session.pause()

    asyncio.run(main())
    assert [command for _, command, _ in actions(tmp_path / "a.db")] == [
        "start",
        "pause",
        "shutdown",
    ]
    with Trail(tmp_path / "a.db") as trail:
        assert trail.rows("events") == []


@pytest.mark.parametrize("stage", ["in the session", "in its shutdown"])
def test_a_full_disk_when_the_program_ends_is_told_and_the_session_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    sessions, waiting = [], []

    async def hold() -> None:
        session = Session(tmp_path / "a.db", who="ada")
        sessions.append(session)
        async with session:
            session.connect(numbers(), endless(0.001))
            await session.settled()
            monkeypatch.setattr(session._running().audit, "commit", full)
            waiting.append(session._running().ask())
            if stage == "in the session":
                await asyncio.sleep(60)

    async def main() -> None:
        held = asyncio.create_task(hold())
        while not waiting and not held.done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert not held.done()  # while the program goes on the disk is waited for
        held.cancel()
        await held

    with pytest.raises(SessionError, match="disk is full"):
        asyncio.run(main())
    with pytest.raises(SessionError, match="disk is full"):
        waiting[0].result(10)
    assert not sessions[0].open
    assert gc.get_freeze_count() == 0
    with Trail(tmp_path / "a.db") as trail:
        assert ("ada", "connect", "done") in [
            (a["who"], a["command"], a["outcome"]) for a in trail.rows("actions")
        ]


def test_a_disk_that_has_room_again_at_the_very_end_gets_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Session(tmp_path / "a.db", who="ada") as session:
            keeper = session._running()
            monkeypatch.setattr(keeper.audit, "commit", full)
            session.pause()
            while not keeper.trouble:
                await asyncio.sleep(0.01)
            keeper.hurry()
            with pytest.raises(SessionError, match="disk is full"):
                await session.settled()
            monkeypatch.undo()

    asyncio.run(main())
    done = [command for _, command, _ in actions(tmp_path / "a.db")]
    assert done == ["start", "pause", "shutdown"]


def test_a_program_that_ends_without_a_shutdown_keeps_what_came(tmp_path: Path) -> None:
    code = f"""
import asyncio
from loopback.chains import endless, numbers
from entro_nb.spokesperson import Session
async def main():
    session = await Session({str(tmp_path / "a.db")!r}, who="ada").__aenter__()
    session.connect(numbers(), endless(0.001))
    await asyncio.sleep(0.3)
    session.pause()
asyncio.run(main())
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert actions(tmp_path / "a.db")[-1] == ("ada", "pause", "done")
    with Trail(tmp_path / "a.db") as trail:
        assert [r["sequence"] for r in trail.rows("frames")] == list(range(trail.last))
        assert trail.last > 10
