"""The audit trail: append-only, exact, safe from a second writer, a newer version, a full disk."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from entro_nb.accountant import (
    COLUMNS,
    JUDGED,
    Accountant,
    AccountantConfig,
    DecisionGate,
    account,
)
from entro_nb.errors import DataError, ParameterError
from entro_nb.spokesperson import Audit, FrameRecord, Trail
from entro_nb.surprise import Surprise

CONFIG = AccountantConfig(window=8, bins=4, derivative_window=4)


def records(
    count: int, *, channel: int = 1, start: float = 1e9, seed: int = 0
) -> list[FrameRecord]:
    accountant, monitor, gate = Accountant(CONFIG), Surprise(), DecisionGate()
    values = np.random.default_rng(seed).standard_normal(count)
    made = []
    for k, x in enumerate(values.tolist()):
        judged = monitor.process(x / 3) if k else None  # one that nobody judged
        frame = accountant.process(x, "numbers", start + k / 8, x / 3, judged)
        made.append(FrameRecord(channel, frame, gate.route(frame)))
    return made


def filled(path: Path, count: int = 50) -> list[FrameRecord]:
    made = records(count)
    with Audit(path) as audit:
        audit.channel(1, 1e9, "numbers", "1", {"window": 8})
        audit.frames(made)
        audit.action(1e9 + 1, "ada", "pause", {"why": "tea"}, "done")
        audit.event(1, 1e9 + 2, "skipped", "not JSON", 3)
        audit.commit()
    return made


def test_every_number_comes_back_exactly(tmp_path: Path) -> None:
    made = filled(tmp_path / "a.db")
    with Trail(tmp_path / "a.db") as trail:
        found = list(trail.records())
    assert [r.number for r in found] == list(range(1, 51))
    for before, after in zip(made, found, strict=True):
        assert after.frame == before.frame
        assert after.decision == before.decision
        assert after.frame.stream == "numbers"
    assert found[0].frame.velocity is None
    assert found[0].frame.surprisal is None is found[0].frame.alarm
    assert found[1].frame.alarm is False


def test_one_table_says_what_a_frame_holds(tmp_path: Path) -> None:
    made = filled(tmp_path / "a.db")
    with Trail(tmp_path / "a.db") as trail:
        rows, ds = trail.rows("frames"), trail.frames()
    assert set(rows[0]) == {"id", "channel", *COLUMNS} - {"stream"}  # that is the channel's
    assert list(made[0].frame.to_dict()) == list(COLUMNS)
    measured = account([0.0, 1.0, 2.0], CONFIG)
    for name, column in COLUMNS.items():
        if name == "stream":
            continue
        assert [row[name] for row in rows] == [getattr(r.frame, name) for r in made]
        for shown in (ds, measured):
            if name in shown.data_vars:
                attributes = shown[name].attrs
                assert (attributes["units"], attributes["long_name"]) == column[:2]
        if name in ds.data_vars and name not in ("stability", "alarm"):
            shown = [getattr(r.frame, name) for r in made]
            np.testing.assert_array_equal(ds[name], np.array(shown, float))
    given = {name for name, column in COLUMNS.items() if column.given}
    assert given == {"stream", "time", "raw"}
    assert set(COLUMNS) - set(measured.data_vars) == {"sequence", "value", *JUDGED} | given
    assert set(COLUMNS) - set(ds.data_vars) == {"sequence", "stream", "time"}


def test_reading_on_from_a_number(tmp_path: Path) -> None:
    filled(tmp_path / "a.db")
    with Trail(tmp_path / "a.db") as trail:
        assert [r.number for r in trail.after(10, limit=3)] == [11, 12, 13]
        assert trail.after(50) == []
        assert trail.last == 50


def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "a.db")
    audit.channel(1, 0.0, "numbers", "1", {})
    audit.frames(records(3))
    with Trail(tmp_path / "a.db") as trail:
        assert trail.last == 0
        assert audit.commit() == audit.acknowledged == 3
        assert trail.last == 3
        audit.frames(records(2))
        audit.rollback()
        audit.frames(records(4))
        audit.close()
        audit.close()  # a second time does no harm
        assert trail.last == 7
        assert len(trail.rows("decisions")) == 7


@pytest.mark.parametrize("table", ["channels", "frames", "decisions", "actions", "events"])
def test_nothing_can_be_changed_or_deleted(tmp_path: Path, table: str) -> None:
    filled(tmp_path / "a.db")
    connection = sqlite3.connect(tmp_path / "a.db")
    key = "frame" if table == "decisions" else "id"
    for statement in (f"UPDATE {table} SET {key} = 99", f"DELETE FROM {table}"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Audit(tmp_path / "a.db"), pytest.raises(DataError, match="nobody writes"):
        Audit(tmp_path / "a.db")
    with Audit(tmp_path / "a.db") as again:
        assert again.acknowledged == 0


def test_a_trail_is_taken_up_again(tmp_path: Path) -> None:
    filled(tmp_path / "a.db", 5)
    with Audit(tmp_path / "a.db") as audit:
        assert (audit.acknowledged, audit.channels) == (5, 1)
        audit.frames(records(2))
    with Trail(tmp_path / "a.db") as trail:
        assert trail.last == 7


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "a.db")
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    for kind in (Audit, Trail):
        with pytest.raises(DataError, match=r"version of a.db = 7 .* newer entro_nb"):
            kind(tmp_path / "a.db")


#: Tables of the first version, as that wrote them.
FIRST = """
PRAGMA application_id = 1164866674; PRAGMA user_version = 1;
CREATE TABLE channels (id INTEGER PRIMARY KEY, time REAL NOT NULL, stream TEXT NOT NULL,
units TEXT NOT NULL, parameters TEXT NOT NULL);
CREATE TABLE frames (id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, sequence INTEGER NOT NULL,
value REAL NOT NULL, entropy REAL NOT NULL, esi REAL NOT NULL, velocity REAL, acceleration REAL,
jerk REAL, confidence REAL NOT NULL, stability INTEGER NOT NULL, time REAL NOT NULL,
raw REAL NOT NULL);
CREATE TABLE decisions (frame INTEGER PRIMARY KEY, path TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE actions (id INTEGER PRIMARY KEY, time REAL NOT NULL, who TEXT NOT NULL,
command TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, time REAL NOT NULL, channel INTEGER,
kind TEXT NOT NULL, detail TEXT NOT NULL, count INTEGER NOT NULL);
CREATE TRIGGER frames_update BEFORE UPDATE ON frames
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER frames_delete BEFORE DELETE ON frames
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
"""


def first_version(path: Path, count: int) -> list[FrameRecord]:
    """A trail of the first version: nothing is known of its values' surprisal."""
    measured = Accountant(CONFIG)
    made = []
    for k, x in enumerate(np.random.default_rng(0).standard_normal(count).tolist()):
        frame = measured.process(x, "numbers", 1e9 + k, x / 3)
        made.append(FrameRecord(1, frame, DecisionGate().route(frame), k + 1))
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    connection.execute("INSERT INTO channels VALUES (1, 1e9, 'numbers', '1', '{}')")
    old = [name for name in COLUMNS if name not in ("stream", *JUDGED)]
    for record in made:
        row = (record.number, 1, *(getattr(record.frame, name) for name in old))
        connection.execute(f"INSERT INTO frames VALUES ({', '.join('?' * len(row))})", row)
        decision = (record.number, record.decision.path.value, record.decision.reason)
        connection.execute("INSERT INTO decisions VALUES (?, ?, ?)", decision)
    connection.commit()
    connection.close()
    return made


def test_a_trail_of_the_first_version_is_read_and_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made = first_version(path, 30)
    before = path.read_bytes()
    with Trail(path) as trail:
        assert list(trail.records()) == made
        ds = trail.frames()
        assert np.isnan(ds.surprisal).all()
        assert not ds.alarm.any()
        trail.to_netcdf(tmp_path / "a.nc")
        assert path.read_bytes() == before  # reading changes nothing
        with Audit(path) as audit:
            assert audit.acknowledged == 30
            audit.frames(records(20))
        # The same reader, open meanwhile, goes on.
        found = list(trail.records())
    assert found[:30] == made
    assert [r.frame for r in found[30:]] == [r.frame for r in records(20)]
    with Audit(path) as audit, Trail(path) as trail:
        assert audit.acknowledged == trail.last == 50
        assert trail.frames().sizes == {"time": 50}
    connection = sqlite3.connect(path)
    fresh = tmp_path / "b.db"
    Audit(fresh).close()
    tables = [
        [row[1:4] for row in file.execute("PRAGMA table_info(frames)")]
        for file in (connection, sqlite3.connect(fresh))
    ]
    assert tables[0] == tables[1]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("UPDATE frames SET surprisal = 1")
    connection.close()


def test_what_is_no_trail_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look at" * 9)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.close()
    (tmp_path / "empty.db").touch()
    for name in ("text.db", "other.db"):
        for kind in (Audit, Trail):
            with pytest.raises(DataError, match="an audit trail of entro_nb"):
                kind(tmp_path / name)
    for name in ("empty.db", "none.db"):
        with pytest.raises(DataError):
            Trail(tmp_path / name)
    with pytest.raises(DataError, match="a file to write"):
        Audit(tmp_path)
    assert not (tmp_path / "none.db").exists()


def test_frames_as_a_dataset(tmp_path: Path) -> None:
    made = filled(tmp_path / "a.db")
    with Trail(tmp_path / "a.db") as trail:
        ds = trail.frames()
        assert ds.sizes == {"time": 50}
        np.testing.assert_array_equal(ds.entropy, [r.frame.entropy for r in made])
        np.testing.assert_array_equal(ds.raw, [r.frame.raw for r in made])
        assert math.isnan(ds.velocity[0])
        assert ds.entropy.attrs["units"] == "bits"
        assert str(ds.time.values[0]) == "2001-09-09T01:46:40.000000000"
        names = ds.path.attrs["flag_meanings"].split()
        assert [names[int(p)] for p in ds.path] == [r.decision.path.value for r in made]
        assert json.loads(ds.attrs["channels"])[0]["stream"] == "numbers"
        assert trail.frames("numbers", start=1e9 + 1, stop=1e9 + 2).sizes["time"] == 8
        assert trail.frames("another").sizes["time"] == 0


def test_exports(tmp_path: Path) -> None:
    made = filled(tmp_path / "a.db")
    with Trail(tmp_path / "a.db") as trail:
        trail.to_netcdf(tmp_path / "a.nc")
        files = trail.to_csv(tmp_path / "csv")
    with xr.open_dataset(tmp_path / "a.nc") as ds:
        np.testing.assert_array_equal(ds.jerk, np.array([r.frame.jerk for r in made], float))
        assert set(ds.stream.values) == {"numbers"}
    with xr.open_dataset(tmp_path / "a.nc", group="actions") as actions:
        assert actions.who.values.tolist() == ["ada"]
    assert {f.stem for f in files} == {"channels", "frames", "decisions", "actions", "events"}
    with (tmp_path / "csv" / "frames.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [float(r["raw"]) for r in rows] == [r.frame.raw for r in made]


def test_an_empty_trail_exports_too(tmp_path: Path) -> None:
    Audit(tmp_path / "a.db").close()
    with Trail(tmp_path / "a.db") as trail:
        trail.to_netcdf(tmp_path / "a.nc")
        trail.to_csv(tmp_path / "csv")
    with xr.open_dataset(tmp_path / "a.nc") as ds:
        assert ds.sizes == {"time": 0}


def test_a_spreadsheet_finds_no_formula(tmp_path: Path) -> None:
    with Audit(tmp_path / "a.db") as audit:
        audit.action(0.0, "=HYPERLINK(1)", "@x", {}, "-1+1")
    with Trail(tmp_path / "a.db") as trail:
        trail.to_csv(tmp_path)
    with (tmp_path / "actions.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert (row["who"], row["command"], row["outcome"]) == ("'=HYPERLINK(1)", "'@x", "'-1+1")


def test_retention_by_age_is_a_request_and_leaves_a_trace(tmp_path: Path) -> None:
    filled(tmp_path / "a.db")  # frames every 1/8 s from 1e9 on
    with Audit(tmp_path / "a.db") as audit:
        assert audit.retain(1e9 + 6, "ada", seconds=3.0) == 24
        audit.frames(records(1))
    with Trail(tmp_path / "a.db") as trail:
        numbers = [r["id"] for r in trail.rows("frames")]
        assert numbers == [*range(25, 51), 51]
        assert [r["frame"] for r in trail.rows("decisions")] == numbers
        assert [a["command"] for a in trail.rows("actions")] == ["pause", "retain"]
        assert trail.rows("actions")[-1]["outcome"] == "24 frames deleted"
        assert trail.rows("events") == []
    connection = sqlite3.connect(tmp_path / "a.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("DELETE FROM frames")
    connection.close()


def test_retention_by_size_gives_the_space_back(tmp_path: Path) -> None:
    made = records(20_000)
    with Audit(tmp_path / "a.db") as audit:
        audit.channel(1, 0.0, "numbers", "1", {})
        audit.frames(made)
        audit.commit()
        before = (tmp_path / "a.db").stat().st_size + (tmp_path / "a.db-wal").stat().st_size
        gone = audit.retain(2e9, "ada", megabytes=1.0)
        after = (tmp_path / "a.db").stat().st_size
    assert before > 2e6
    assert 0 < gone < 20_000
    assert after == pytest.approx(1e6, rel=0.25)
    with Audit(tmp_path / "a.db") as audit:
        assert audit.retain(2e9, "ada", megabytes=50.0) == 0
        for wrong in ({}, {"seconds": 1.0, "megabytes": 1.0}, {"seconds": -1.0}):
            with pytest.raises(ParameterError):
                audit.retain(2e9, "ada", **wrong)
