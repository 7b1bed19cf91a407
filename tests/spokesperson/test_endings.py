"""The ends of sessions, in order and in haste, and Python's garbage collector meanwhile."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
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
            channels.extend(session.channels.values())
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


def test_what_was_asked_is_done_once_also_when_the_loop_ends(tmp_path: Path) -> None:
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
            asyncio.create_task(keeper.ask(act)) for act in (slow, failing, lambda: "last", None)
        ]
        await asyncio.sleep(0.1)
        keeper._task.cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await session.shutdown()
        return answers

    slow, failing, last, nothing = asyncio.run(main())
    assert (slow, last, nothing) == ("slow", "last", None)
    assert isinstance(failing, ValueError)
    assert done == ["slow"]


def test_a_full_disk_when_the_loop_ends_is_told_and_the_session_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        session = Session(tmp_path / "a.db", who="ada")
        async with session:
            session.connect(numbers(), endless(0.001))
            keeper = session._running()
            await session.settled()
            monkeypatch.setattr(keeper.audit, "commit", full)
            keeper._task.cancel()
            with pytest.raises(SessionError, match="disk is full"):
                await session.settled()
            with pytest.raises(SessionError, match="disk is full"):
                await session.shutdown()
            assert not session.open

    asyncio.run(main())
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
            keeper._task.cancel()
            with pytest.raises(SessionError, match="disk is full"):
                await session.settled()
            monkeypatch.undo()

    asyncio.run(main())
    assert actions(tmp_path / "a.db") == [("ada", "start", "done"), ("ada", "shutdown", "done")]
