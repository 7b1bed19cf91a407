"""The audit trail's writing end: its tables, the file, and the one thread that owns it.

Frames, decisions, operator actions and stream events are rows of one SQLite file (write-ahead
log). Whatever is to be written goes through one unbounded queue to one thread: nobody else ever
waits for the disk.
"""

from __future__ import annotations

import atexit
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from entro_nb import validate
from entro_nb.accountant import COLUMNS, Decision, EeFrame
from entro_nb.errors import DataError, ParameterError, SessionError

#: Version of the tables. A file of a newer one is refused: this code cannot know what it means.
#: The second keeps what a monitor of the raw values says; files of the first are taken up.
VERSION = 2

#: "Entr", by which SQLite and `file` tell our files from others.
APPLICATION = 0x456E7472

#: Rows that one statement writes. SQLite lets go of Python's lock once a statement, and a thread
#: that gives it away for each row gets it back late when the event loop is busy.
AT_ONCE = (128, 8, 1)

#: Largest batch. When the disk is slow the batches grow, and so keep pace; without any limit a
#: source that never pauses would keep a batch from becoming permanent.
BATCH = 50_000

#: Seconds between two tries to write when the disk refuses.
RETRY = 1.0


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One frame with the decision on it (seed 003, §4, stages 5 and 6).

    Parameters
    ----------
    channel : int
        Number of the connection in the audit trail.
    frame : EeFrame
        What the Accountant said of a value, with stream, time and raw value.
    decision : Decision
        What the gate decided.
    number : int
        Number of the frame in the audit trail; 0 before it has one.
    """

    channel: int
    frame: EeFrame
    decision: Decision
    number: int = 0


#: Columns of the frames. The stream stands with the channel; time and raw value there must be.
KEPT = tuple(name for name in COLUMNS if name != "stream")


def _column(name: str) -> str:
    column = COLUMNS[name]
    kind = "INTEGER" if column.whole else "REAL"
    return f"{name} {kind}{' NOT NULL' if column.given or not column.optional else ''}"


#: The tables and their columns, as SQL has them.
TABLES: Mapping[str, str] = {
    "channels": "id INTEGER PRIMARY KEY, time REAL NOT NULL, stream TEXT NOT NULL, "
    "units TEXT NOT NULL, parameters TEXT NOT NULL",
    "frames": f"id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, {', '.join(map(_column, KEPT))}",
    "decisions": "frame INTEGER PRIMARY KEY, path TEXT NOT NULL, reason TEXT NOT NULL",
    "actions": "id INTEGER PRIMARY KEY, time REAL NOT NULL, who TEXT NOT NULL, "
    "command TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL",
    "events": "id INTEGER PRIMARY KEY, time REAL NOT NULL, channel INTEGER, kind TEXT NOT NULL, "
    "detail TEXT NOT NULL, count INTEGER NOT NULL",
}
_values = attrgetter(*KEPT)


def is_trail(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file holds an audit trail (True) or nothing yet (False).

    Raises
    ------
    DataError
        If it is something else, or was written by a newer version of this package.
    """
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        raise DataError("audit", path.name, "an audit trail of entro_nb") from None
    if application == 0 and tables == 0:
        return False
    if application != APPLICATION:
        raise DataError("audit", path.name, "an audit trail of entro_nb")
    if version > VERSION:
        raise DataError(
            f"schema version of {path.name}",
            version,
            f"at most {VERSION}: a newer entro_nb wrote this file, and only such a one reads it",
        )
    return True


def absent(connection: sqlite3.Connection) -> list[str]:
    """Columns of the frames that a file of an older version does not have."""
    there = {name for _, name, *_ in connection.execute("PRAGMA table_info(frames)")}
    return [name for name in KEPT if name not in there]


class Audit:
    """Append-only audit trail in one SQLite file (write-ahead log).

    What is written becomes permanent with :meth:`commit`: from then on it survives the death of
    the process, and of the machine. One Audit writes a file at a time; any number may read it.

    Parameters
    ----------
    path : path-like
        The file; made if it is not there.

    Raises
    ------
    DataError
        If the file is no audit trail, is one of a newer version, or is being written by another.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Audit(Path(folder) / "audit.db") as audit:
    ...         audit.action(0.0, "ada", "pause", {}, "done")
    ...         audit.commit()
    0
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            # Opened by whoever begins a session, then left to the thread that writes.
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=1.0
            )
        except sqlite3.OperationalError as error:
            raise DataError("audit", self.path.name, f"a file to write ({error})") from None
        try:
            self._open()
        except sqlite3.OperationalError as error:
            self._connection.close()
            raise DataError("audit", self.path.name, f"a file nobody writes ({error})") from None
        except DataError:
            self._connection.close()
            raise
        self._number = self._largest("frames")
        #: Number of the last frame that is permanent.
        self.acknowledged = self._number
        #: Number of the last channel in the file.
        self.channels = self._largest("channels")

    def _open(self) -> None:
        known, execute = is_trail(self._connection, self.path), self._connection.execute
        if not known:
            # Space given back by retention returns to the disk only with this, set first.
            execute("PRAGMA auto_vacuum = INCREMENTAL")
        execute("PRAGMA journal_mode = WAL")
        # A power cut then loses nothing that was committed, at the price of one fsync a batch.
        execute("PRAGMA synchronous = FULL")
        if not known:
            execute("BEGIN IMMEDIATE")
            for table, columns in TABLES.items():
                execute(f"CREATE TABLE {table} ({columns})")
            self._guard()
            execute(f"PRAGMA application_id = {APPLICATION}")
            execute(f"PRAGMA user_version = {VERSION}")
            execute("COMMIT")
        self._widen()
        self._begin()

    def _widen(self) -> None:
        """Add the columns that a file of an older version lacks: its frames have nothing there."""
        missing = absent(self._connection)
        if missing:
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            for name in missing:
                execute(f"ALTER TABLE frames ADD COLUMN {_column(name)}")
            execute(f"PRAGMA user_version = {VERSION}")
            execute("COMMIT")

    def _begin(self) -> None:
        # The write lock is held from batch to batch: a second writer is refused, not mixed in.
        self._connection.execute("BEGIN IMMEDIATE")

    def _guard(self, on: bool = True) -> None:
        """Forbid changes and deletions of what is written, or allow them for a transaction."""
        for table in TABLES:
            for verb in ("UPDATE", "DELETE"):
                trigger = f"{table}_{verb.lower()}"
                self._connection.execute(
                    f"CREATE TRIGGER {trigger} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
                    if on
                    else f"DROP TRIGGER {trigger}"
                )

    def _largest(self, table: str) -> int:
        (last,) = self._connection.execute(f"SELECT max(id) FROM {table}").fetchone()
        return int(last or 0)

    def __enter__(self) -> Audit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _insert(self, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
        at, places = 0, f"({', '.join('?' * len(rows[0]))})" if rows else ""
        for size in AT_ONCE:
            statement = f"INSERT INTO {into} VALUES {', '.join([places] * size)}"
            while len(rows) - at >= size:
                self._connection.execute(statement, [*chain(*rows[at : at + size])])
                at += size

    def channel(
        self, number: int, time: float, stream: str, units: str, parameters: Mapping[str, Any]
    ) -> None:
        """Write a new connection, with the parameters that make its frames."""
        self._insert("channels", [(number, time, stream, units, json.dumps(dict(parameters)))])

    def frames(self, records: Sequence[FrameRecord]) -> None:
        """Write frames and the decisions on them."""
        numbered = list(enumerate(records, self._number + 1))
        self._insert(
            f"frames (id, channel, {', '.join(KEPT)})",
            [(n, r.channel, *_values(r.frame)) for n, r in numbered],
        )
        self._insert(
            "decisions", [(n, r.decision.path.value, r.decision.reason) for n, r in numbered]
        )
        self._number += len(records)

    def action(
        self, time: float, who: str, command: str, detail: Mapping[str, Any], outcome: str
    ) -> None:
        """Write what an operator asked for, and what came of it."""
        row = (time, who, command, json.dumps(dict(detail), default=str), outcome)
        self._insert("actions (time, who, command, detail, outcome)", [row])

    def event(
        self, channel: int | None, time: float, kind: str, detail: str, count: int = 1
    ) -> None:
        """Write what happened, to a channel or to none, so many times."""
        row = (time, channel, kind, detail, count)
        self._insert("events (time, channel, kind, detail, count)", [row])

    def commit(self) -> int:
        """Make permanent what is written, and return the number of the last frame."""
        self._connection.execute("COMMIT")
        self.acknowledged = self._number
        self._begin()
        return self.acknowledged

    def rollback(self) -> None:
        """Give up what is written and not permanent, after an error."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._number = self.acknowledged
        self._begin()

    def retain(
        self, time: float, who: str, *, seconds: float | None = None, megabytes: float | None = None
    ) -> int:
        """Delete the oldest frames, decisions and events, because somebody asks for it.

        Operator actions and channels stay, and this one is written among them.

        Parameters
        ----------
        time : float
            Now, seconds since 1970.
        who : str
            Who asks.
        seconds : float, optional
            Age beyond which frames and events go.
        megabytes : float, optional
            Size of the file beyond which the oldest go, in 10⁶ bytes.

        Returns
        -------
        int
            How many frames went.

        Raises
        ------
        ParameterError
            If neither or both limits are given, or one is negative.
        """
        if (seconds is None) == (megabytes is None):
            raise ParameterError("limit", (seconds, megabytes), "either an age or a size")
        execute = self._connection.execute
        self.commit()
        if seconds is not None:
            before = time - validate.real("seconds", seconds, low=0.0)
            (keep,) = execute(
                "SELECT coalesce(min(id), ?) FROM frames WHERE time >= ?",
                (self._number + 1, before),
            ).fetchone()
        else:
            keep, before = self._within(validate.real("megabytes", megabytes, low=0.0) * 1e6)
        self._guard(False)
        gone = execute("DELETE FROM frames WHERE id < ?", (keep,)).rowcount
        execute("DELETE FROM decisions WHERE frame < ?", (keep,))
        execute("DELETE FROM events WHERE time < ?", (before,))
        self._guard()
        detail = {"seconds": seconds, "megabytes": megabytes}
        self.action(time, who, "retain", detail, f"{gone} frames deleted")
        execute("COMMIT")
        # As a script: a single statement would be stepped once, which frees a single page.
        self._connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
        self._begin()
        return int(gone)

    def _within(self, size: float) -> tuple[int, float]:
        """First frame to keep, and its time, so that the file holds about so many bytes."""
        execute = self._connection.execute
        (pages,) = execute("PRAGMA page_count").fetchone()
        (page,) = execute("PRAGMA page_size").fetchone()
        first, last = execute("SELECT min(id), max(id) FROM frames").fetchone()
        share = 1.0 - min(1.0, size / (pages * page))
        if first is None or share <= 0.0:
            return 0, -1.0
        keep = first + round(share * (last - first + 1))
        row = execute("SELECT time FROM frames WHERE id >= ?", (keep,)).fetchone()
        return keep, row[0] if row else float("inf")

    def close(self) -> None:
        """Make permanent what is written, and close the file."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.ProgrammingError:
            return  # closed already
        self.acknowledged = self._number
        self._connection.close()


#: What there is to write: a frame, or a function that writes something else.
_Item = FrameRecord | Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Request:
    """Something to do once all that came before it is permanent, and who waits for it."""

    act: Callable[[], Any]
    answer: Future[Any]


class Keeper:
    """The thread that owns the audit trail, and the queue that leads to it (seed 003, §4, stage 6).

    What comes through the queue is written and made permanent every `batch` seconds. While the
    disk refuses (it is full, say) the queue holds what comes, it is tried again, and nothing is
    lost. The thread outlives the event loop: a program that ends without a shutdown keeps what it
    has put.

    Parameters
    ----------
    path : path-like
        The file.
    batch : float
        Seconds that frames are gathered, at most 0.1.
    """

    def __init__(self, path: str | Path, batch: float) -> None:
        self._batch = validate.real("batch", batch, low=0.0, high=0.1)
        self.audit = Audit(path)
        #: Why the disk refuses, if it does.
        self.trouble = ""
        self._haste = threading.Event()
        #: The unbounded queue between the Accountants and the Spokesperson; None is the end.
        self._queue: queue.SimpleQueue[_Item | _Request | None] = queue.SimpleQueue()
        #: Takes a frame, or a function that writes something else; it never waits.
        self.put = self._queue.put
        # A daemon that is ended at exit: Python would wait for any other thread before that.
        self._thread = threading.Thread(target=self._run, name="audit trail", daemon=True)
        self._thread.start()
        atexit.register(self.close, haste=True)

    def write(self, row: Callable[..., object], *values: object) -> None:
        """Have something written besides frames: a method of :class:`Audit`, and its arguments."""
        self.put(partial(row, *values))

    def ask(self, act: Callable[[], Any] = lambda: None) -> Future[Any]:
        """What `act` returns, once all that came so far is permanent."""
        request = _Request(act, Future())
        self.put(request)
        return request.answer

    def hurry(self) -> None:
        """Let the program end: what the disk refuses is tried once more, and no longer."""
        self._haste.set()

    def close(self, *, haste: bool = False) -> str:
        """Make everything permanent and close the file; why that failed, if it did.

        It can fail only in haste: else it is tried again.
        """
        if haste:
            self.hurry()
        self.put(None)
        self._thread.join()
        atexit.unregister(self.close)
        return self.trouble

    def _run(self) -> None:
        held: list[_Item] = []
        over = False
        while not over:
            taken = [self._queue.get()]
            if taken[0] is not None and type(taken[0]) is not _Request:
                time.sleep(self._batch)
            taken += [self._queue.get() for _ in range(min(self._queue.qsize(), BATCH))]
            requests = [item for item in taken if type(item) is _Request]
            held += [i for i in taken if i is not None and not isinstance(i, _Request)]
            over = any(item is None for item in taken)
            if self._written(held):
                held = []
            for request in requests:
                self._answer(request)
        self.audit.rollback()  # what the disk refused to the last would keep the file open
        self.audit.close()

    def _written(self, items: list[_Item]) -> bool:
        """Make a batch permanent, however often it has to be tried; False if it was given up."""
        records = [item for item in items if isinstance(item, FrameRecord)]
        others = [item for item in items if not isinstance(item, FrameRecord)]
        while True:
            last = self._haste.is_set()
            try:
                self.audit.frames(records)
                for write in others:
                    write()
                self.audit.commit()
            except sqlite3.Error as error:
                self.trouble = f"the audit trail cannot be written: {error}"
                self.audit.rollback()
            else:
                self.trouble = ""
                return True
            if last:
                return False
            self._haste.wait(RETRY)

    def _answer(self, request: _Request) -> None:
        if not request.answer.set_running_or_notify_cancel():
            return  # whoever asked has given up
        try:
            if self.trouble:
                raise SessionError(self.trouble)
            request.answer.set_result(request.act())
        except Exception as error:
            self.audit.rollback()  # of what it began
            request.answer.set_exception(error)
