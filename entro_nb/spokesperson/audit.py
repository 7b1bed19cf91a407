"""The audit trail's writing end: frames, decisions, operator actions and stream events."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.spokesperson import schema
from entro_nb.spokesperson.record import Record

__all__ = ["Audit"]

_FRAME = "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DECISION = "INSERT INTO decisions VALUES (?, ?, ?)"


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
        self._lock = threading.RLock()
        try:
            # The event loop writes and a worker commits, never both at once: see the lock.
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=1.0
            )
        except sqlite3.OperationalError as error:
            raise DataError("audit", self.path.name, f"a file to write ({error})") from None
        try:
            known = schema.check(self._connection, self.path)
            if not known:
                # Space given back by retention returns to the disk only with this, set first.
                self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A power cut then loses nothing that was committed, at the price of one fsync a batch.
            self._connection.execute("PRAGMA synchronous = FULL")
            if not known:
                schema.create(self._connection)
            self._begin()
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

    def _largest(self, table: str) -> int:
        (last,) = self._connection.execute(f"SELECT max(id) FROM {table}").fetchone()
        return int(last or 0)

    def __enter__(self) -> Audit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        # The write lock is held from batch to batch: a second writer is refused, not mixed in.
        self._connection.execute("BEGIN IMMEDIATE")

    def channel(
        self, number: int, time: float, stream: str, units: str, parameters: Mapping[str, Any]
    ) -> None:
        """Write a new connection, with the parameters that make its frames."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO channels VALUES (?, ?, ?, ?, ?)",
                (number, time, stream, units, json.dumps(dict(parameters))),
            )

    def frames(self, records: Sequence[Record]) -> None:
        """Write frames and the decisions on them."""
        number = self._number
        with self._lock:
            self._connection.executemany(
                _FRAME,
                (
                    (
                        n, r.channel, f.sequence, r.time, r.raw, f.value, f.entropy, f.esi,
                        f.velocity, f.acceleration, f.jerk, f.confidence, int(f.stability),
                    )
                    for n, r in enumerate(records, number + 1)
                    for f in (r.frame,)
                ),
            )  # fmt: skip
            self._connection.executemany(
                _DECISION,
                (
                    (n, r.decision.path.value, r.decision.reason)
                    for n, r in enumerate(records, number + 1)
                ),
            )
        self._number = number + len(records)

    def action(
        self, time: float, who: str, command: str, detail: Mapping[str, Any], outcome: str
    ) -> None:
        """Write what an operator asked for, and what came of it."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO actions (time, who, command, detail, outcome) VALUES (?, ?, ?, ?, ?)",
                (time, who, command, json.dumps(dict(detail), default=str), outcome),
            )

    def event(
        self, channel: int | None, time: float, kind: str, detail: str, count: int = 1
    ) -> None:
        """Write what happened, to a channel or to none, so many times."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO events (time, channel, kind, detail, count) VALUES (?, ?, ?, ?, ?)",
                (time, channel, kind, detail, count),
            )

    def commit(self) -> int:
        """Make permanent what is written, and return the number of the last frame."""
        with self._lock:
            number = self._number
            self._connection.execute("COMMIT")
            self._begin()
        self.acknowledged = number
        return number

    def rollback(self) -> None:
        """Give up what is written and not permanent, after an error."""
        with self._lock:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._number = self.acknowledged
            self._begin()

    def retain(
        self,
        time: float,
        who: str,
        *,
        seconds: float | None = None,
        megabytes: float | None = None,
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
        with self._lock:
            self.commit()
            if seconds is not None:
                seconds = validate.real("seconds", seconds, low=0.0)
                (keep,) = self._connection.execute(
                    "SELECT coalesce(min(id), ?) FROM frames WHERE time >= ?",
                    (self._number + 1, time - seconds),
                ).fetchone()
                before = time - seconds
            else:
                keep, before = self._within(validate.real("megabytes", megabytes, low=0.0) * 1e6)
            schema.unguard(self._connection)
            gone = self._connection.execute("DELETE FROM frames WHERE id < ?", (keep,)).rowcount
            self._connection.execute("DELETE FROM decisions WHERE frame < ?", (keep,))
            self._connection.execute("DELETE FROM events WHERE time < ?", (before,))
            schema.guard(self._connection)
            detail = {"seconds": seconds, "megabytes": megabytes}
            self.action(time, who, "retain", detail, f"{gone} frames deleted")
            self._connection.execute("COMMIT")
            # As a script: a single statement would be stepped once, which frees a single page.
            self._connection.executescript(
                "PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)"
            )
            self._begin()
        return int(gone)

    def _within(self, size: float) -> tuple[int, float]:
        """First frame to keep, and its time, so that the file holds about so many bytes."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (page,) = self._connection.execute("PRAGMA page_size").fetchone()
        first, last = self._connection.execute("SELECT min(id), max(id) FROM frames").fetchone()
        share = 1.0 - min(1.0, size / (pages * page))
        if first is None or share <= 0.0:
            return 0, -1.0
        keep = first + round(share * (last - first + 1))
        row = self._connection.execute("SELECT time FROM frames WHERE id >= ?", (keep,)).fetchone()
        return keep, row[0] if row else float("inf")

    def close(self) -> None:
        """Make permanent what is written, and close the file."""
        with self._lock:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.ProgrammingError:
                return  # closed already
            self.acknowledged = self._number
            self._connection.close()
