"""Tables of the audit trail, and what proves that a file is one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from entro_nb.errors import DataError

__all__ = ["TABLES", "VERSION", "check", "create", "guard", "unguard"]

#: Version of these tables. A file of a newer one is refused: this code cannot know what it means.
VERSION = 1

#: "Entr", by which SQLite and `file` tell our files from others.
APPLICATION = 0x456E7472

TABLES = ("channels", "frames", "decisions", "actions", "events")

_CREATE = """
CREATE TABLE channels (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, stream TEXT NOT NULL, units TEXT NOT NULL,
    parameters TEXT NOT NULL
);
CREATE TABLE frames (
    id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, sequence INTEGER NOT NULL,
    time REAL NOT NULL, raw REAL NOT NULL, value REAL NOT NULL, entropy REAL NOT NULL,
    esi REAL NOT NULL, velocity REAL, acceleration REAL, jerk REAL, confidence REAL NOT NULL,
    stability INTEGER NOT NULL
);
CREATE TABLE decisions (frame INTEGER PRIMARY KEY, path TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE actions (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, who TEXT NOT NULL, command TEXT NOT NULL,
    detail TEXT NOT NULL, outcome TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, channel INTEGER, kind TEXT NOT NULL,
    detail TEXT NOT NULL, count INTEGER NOT NULL
);
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, append-only from the start."""
    connection.executescript(f"BEGIN IMMEDIATE; {_CREATE}")
    guard(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def guard(connection: sqlite3.Connection) -> None:
    """Forbid changes and deletions of what is written."""
    for table in TABLES:
        for verb in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
            )


def unguard(connection: sqlite3.Connection) -> None:
    """Allow deletions, within the transaction that calls this, for retention on request."""
    for table in TABLES:
        connection.execute(f"DROP TRIGGER {table}_delete")
        connection.execute(f"DROP TRIGGER {table}_update")


def check(connection: sqlite3.Connection, path: Path) -> bool:
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
