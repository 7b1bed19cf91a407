"""Stage 6: the one task that empties the queue into the audit trail, a batch at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from entro_nb import validate
from entro_nb.errors import SessionError
from entro_nb.spokesperson.audit import Audit
from entro_nb.spokesperson.channel import Channel, Happened
from entro_nb.spokesperson.heartbeat import Beat, Heartbeat
from entro_nb.spokesperson.record import Record
from entro_nb.streams import Happening, Notice

__all__ = ["Action", "Keeper", "Opened", "Request"]

#: Frames written at a stretch, about a millisecond, before other tasks get their turn.
SLICE = 100

#: Largest batch. When the disk is slow the batches grow, and so keep pace; without any limit a
#: source that never pauses would keep a batch from becoming permanent.
BATCH = 50_000

#: Seconds between two tries to write when the disk refuses.
RETRY = 1.0


@dataclass(frozen=True, slots=True)
class Action:
    """What an operator asked for, and what came of it."""

    time: float
    who: str
    command: str
    detail: Mapping[str, Any]
    outcome: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A new chain."""

    time: float
    channel: Channel


@dataclass(frozen=True, slots=True)
class Request:
    """Something to do once all that came before it is permanent, and who waits for it."""

    act: Callable[[], Any] | None
    answer: asyncio.Future[Any]


Item = Record | Happened | Action | Opened | Notice | Request


class Keeper:
    """Writes what comes through the queue, and makes it permanent every `batch` seconds.

    It is the only one that writes: nobody else ever waits for the disk. While the disk refuses
    (it is full, say) the queue holds what comes, and nothing is lost.

    Parameters
    ----------
    audit : Audit
    batch : float
        Seconds that frames are gathered, at most 0.1.
    """

    def __init__(self, audit: Audit, batch: float) -> None:
        self.audit = audit
        self.batch = validate.real("batch", batch, low=0.0, high=0.1)
        #: The unbounded queue between the Accountants and the Spokesperson (seed 003, §4).
        self.queue: asyncio.Queue[Item] = asyncio.Queue()
        self.put: Callable[[Item], None] = self.queue.put_nowait
        #: Why the disk refuses, if it does.
        self.trouble = ""
        #: Called with the number of the last permanent frame, after each batch.
        self.told: list[Callable[[int], None]] = []
        self._hearts: dict[int, Heartbeat] = {}
        #: Taken out of the queue, and not permanent or not answered yet.
        self._hand: list[Item] = []
        self._doing: tuple[Request, Future[Any]] | None = None
        # One worker: commits wait for the disk, and must not make the event loop wait.
        self._worker = ThreadPoolExecutor(1, "audit")
        self._task = asyncio.create_task(self._run(), name="spokesperson")

    def forget(self, channel: Channel) -> None:
        """Keep the heartbeat of a channel no longer."""
        self._hearts.pop(channel.number, None)

    async def ask(self, act: Callable[[], Any] | None = None) -> Any:
        """Wait until all that came so far is permanent, then for what `act` returns."""
        answer = asyncio.get_running_loop().create_future()
        self.put(Request(act, answer))
        # When a program ends in haste its loop cancels every task, this one's too.
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            self._finish()
        return await answer

    async def close(self) -> str:
        """Make everything permanent and close the audit trail; why that failed, if it did.

        It can fail only if the program ends while the disk refuses: else it is tried again.
        """
        with suppress(SessionError):
            await self.ask()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._worker.shutdown()
        self.audit.rollback()  # what the disk refused to the last would keep the file open
        self.audit.close()
        return self.trouble

    async def _run(self) -> None:
        try:
            while True:
                self._hand.append(await self.queue.get())
                if not isinstance(self._hand[0], Request):
                    await asyncio.sleep(self.batch)
                self._take(BATCH - 1)
                batch = self._hand
                await self._keep(batch)
                while self._hand:
                    await self._answer(self._hand[0])
                    del self._hand[0]
        finally:
            self._finish()

    def _take(self, most: int) -> None:
        """Take from the queue what is there, so many items at most."""
        while not self.queue.empty() and most > 0:
            self._hand.append(self.queue.get_nowait())
            most -= 1

    def _finish(self) -> None:
        """Make everything permanent and answer everybody, at once: there is no other time."""
        self._worker.shutdown()  # a commit under way comes first
        self._take(self.queue.qsize())
        try:
            # Of a batch that is half written nothing is permanent: all of it is written again.
            self.audit.rollback()
            self._write(self._hand)
            self._commit()
            self.trouble = ""
        except sqlite3.Error as error:
            self.trouble = f"the audit trail cannot be written: {error}"
        requests = [item for item in self._hand if isinstance(item, Request)]
        self._hand = [item for item in self._hand if not isinstance(item, Request)]
        for request in requests:
            if not request.answer.done():
                self._reply(request)

    def _reply(self, request: Request) -> None:
        try:
            if self.trouble:
                raise SessionError(self.trouble)
            if self._doing is not None and self._doing[0] is request:
                result = self._doing[1].result()
            else:
                result = None if request.act is None else request.act()
            request.answer.set_result(result)
        except Exception as error:
            request.answer.set_exception(error)

    def _commit(self) -> int:
        number = self.audit.commit()
        self._hand = [item for item in self._hand if isinstance(item, Request)]
        return number

    async def _keep(self, batch: list[Item]) -> None:
        """Make a batch permanent, however often it has to be tried."""
        work = asyncio.get_running_loop().run_in_executor
        while True:
            try:
                for start in range(0, len(batch), SLICE):
                    self._write(batch[start : start + SLICE])
                    await asyncio.sleep(0)
                number = await work(self._worker, self._commit)
            except sqlite3.Error as error:
                self.trouble = f"the audit trail cannot be written: {error}"
                self.audit.rollback()
                await asyncio.sleep(RETRY)
            else:
                self.trouble = ""
                break
        for item in batch:
            if type(item) is Record:
                self._listen(item)
        for tell in self.told:
            tell(number)

    async def _answer(self, item: Item) -> None:
        assert isinstance(item, Request)
        if item.answer.done():
            return  # whoever asked has given up
        try:
            result = None
            if item.act is not None:
                self._doing = item, self._worker.submit(item.act)
                result = await asyncio.wrap_future(self._doing[1])
            item.answer.set_result(result)
        except Exception as error:
            item.answer.set_exception(error)

    def _write(self, items: list[Item]) -> None:
        audit = self.audit
        records = [item for item in items if type(item) is Record]
        if records:
            audit.frames(records)
        for item in items:
            match item:
                case Happened():
                    notice = item.notice
                    audit.event(
                        item.channel, notice.time, notice.kind.value, notice.detail, item.count
                    )
                case Notice():
                    audit.event(None, item.time, item.kind.value, item.detail)
                case Action():
                    audit.action(item.time, item.who, item.command, item.detail, item.outcome)
                case Opened():
                    channel = item.channel
                    audit.channel(
                        channel.number,
                        item.time,
                        channel.source.name,
                        channel.source.units,
                        channel.parameters(),
                    )
                    self._hearts[channel.number] = channel.heartbeat

    def _listen(self, record: Record) -> None:
        heart = self._hearts.get(record.channel)
        if heart is None:
            return
        before = heart.beat.unsteady
        beat = heart.hear(record.frame.stability)
        if beat.unsteady != before:
            notice = Notice(record.time, Happening.HEARTBEAT, _words(beat))
            self.put(Happened(record.channel, notice))


def _words(beat: Beat) -> str:
    state = "unsteady" if beat.unsteady else "steady again"
    return f"the classification is {state}: {beat.entropy:.2f} bits over the recent classes"
