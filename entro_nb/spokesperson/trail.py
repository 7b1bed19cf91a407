"""The audit trail's reading end: records again, datasets, exports; who reads them, and how.

A `Trail` never writes. The display and every extension read one, each at its own pace: nothing
behind the queue can slow an Accountant or change what it does.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import validate
from entro_nb.accountant import (
    COLUMNS,
    Decision,
    EeFrame,
    Path as GatePath,
    Stability,
    flags,
    one_in,
)
from entro_nb.errors import DataError, ParameterError
from entro_nb.spokesperson.audit import TABLES, FrameRecord, absent, is_trail
from entro_nb.streams import CATALOG

if TYPE_CHECKING:
    import xarray as xr

#: Seconds between two looks of an extension at the audit trail.
LOOK = 0.05

_PATHS = {path.value: path for path in GatePath}
#: What the frames' Dataset holds besides classes, paths and coordinates: units and long name.
_VARIABLES = {
    name: column[:2]
    for name, column in COLUMNS.items()
    if not column.whole and name not in ("stream", "time")
}
_CLASS_AT, _ALARM_AT = (list(COLUMNS).index(name) for name in ("stability", "alarm"))
_FIELDS = ", ".join("c.stream" if name == "stream" else f"f.{name}" for name in COLUMNS)


class Trail:
    """Read-only view of an audit trail, also of one that is being written.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    DataError
        If there is no such file, it is no audit trail, or a newer version wrote it.

    Examples
    --------
    >>> Trail("nowhere.db")
    Traceback (most recent call last):
    ...
    entro_nb.errors.DataError: audit = 'nowhere.db' is not allowed: expected a file that exists
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError("audit", self.path.name, "a file that exists")
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=5.0)
        try:
            if not is_trail(self._connection, self.path):
                raise DataError("audit", self.path.name, "an audit trail of entro_nb")
        except DataError:
            self._connection.close()
            raise

    def __enter__(self) -> Trail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def last(self) -> int:
        """Number of the last frame."""
        return int(self._connection.execute("SELECT max(id) FROM frames").fetchone()[0] or 0)

    def after(self, number: int, limit: int = 1000) -> list[FrameRecord]:
        """Records after a frame's number, in order, at most so many."""
        rows = self._connection.execute(
            f"SELECT f.id, f.channel, d.path, d.reason, {_FIELDS} "
            f"FROM {self._joined()} WHERE f.id > ? ORDER BY f.id LIMIT ?",
            (number, limit),
        )
        found = []
        for number, channel, path, reason, *row in rows:
            row[_CLASS_AT] = Stability(row[_CLASS_AT])
            if row[_ALARM_AT] is not None:
                row[_ALARM_AT] = bool(row[_ALARM_AT])
            found.append(
                FrameRecord(channel, EeFrame(*row), Decision(_PATHS[path], reason), number)
            )
        return found

    def _joined(self) -> str:
        """Frames with their channels and decisions; what an older file lacks is NULL."""
        nothing = "".join(f", NULL AS {name}" for name in absent(self._connection))
        return (
            f"(SELECT *{nothing} FROM frames) f "
            "JOIN channels c ON c.id = f.channel JOIN decisions d ON d.frame = f.id"
        )

    def records(self, number: int = 0) -> Iterator[FrameRecord]:
        """Every record after a frame's number: the afternoon again."""
        while found := self.after(number):
            yield from found
            number = found[-1].number

    def frames(
        self, stream: str | None = None, start: float | None = None, stop: float | None = None
    ) -> xr.Dataset:
        """Frames and decisions as a Dataset over `time`.

        Parameters
        ----------
        stream : str, optional
            Only this one's; of all streams otherwise, told apart by the coordinate `stream`.
        start, stop : float, optional
            Seconds since 1970: from the first on, and before the second.

        Returns
        -------
        xarray.Dataset
            Value, entropy and its rates, ESI, confidence, surprisal with p-value and score (NaN
            where nobody judged the value) and whether an alarm is raised, and the codes of
            stability class and path, over `time`, in the order of their frames.
        """
        import pandas as pd
        import xarray as xr

        given = {"c.stream = ?": stream, "f.time >= ?": start, "f.time < ?": stop}
        asked = {clause: value for clause, value in given.items() if value is not None}
        names = "f.time, f.id AS number, f.channel, f.sequence, c.stream, d.path, f.stability"
        names += ", coalesce(f.alarm, 0) AS alarm"
        table = pd.read_sql_query(
            f"SELECT {', '.join([names, *_VARIABLES])} FROM {self._joined()}"
            f" WHERE {' AND '.join(['1', *asked])} ORDER BY f.id",
            self._connection,
            params=list(asked.values()),
            coerce_float=False,
        )
        data: dict[str, Any] = {
            name: ("time", table[name].to_numpy(np.float64), {"units": units, "long_name": text})
            for name, (units, text) in _VARIABLES.items()
        }
        paths = {p.value: code for code, p in enumerate(GatePath)}
        classes = {s.name: int(s) for s in Stability}
        for name, text, codes, kinds in (
            ("stability", COLUMNS["stability"].long_name, table["stability"], classes),
            ("path", "path of the Decision Gate", table["path"].map(paths), paths),
        ):
            attributes = {"units": "1", "long_name": text} | flags(kinds)
            data[name] = ("time", codes.to_numpy(np.int8), attributes)
        attributes = {"units": "1", "long_name": COLUMNS["alarm"].long_name}
        data["alarm"] = ("time", table["alarm"].to_numpy(bool), attributes)
        kept = {"number": np.int64, "channel": np.int64, "sequence": np.int64, "stream": str}
        return xr.Dataset(
            data,
            coords={"time": ("time", _dates(table["time"]))}
            | {name: ("time", table[name].to_numpy(kind)) for name, kind in kept.items()},
            attrs={
                "title": "Audit trail",
                "source": "seed 003, section 4",
                "channels": json.dumps(self.rows("channels")),
            },
        )

    def rows(self, table: str, latest: int | None = None) -> list[dict[str, Any]]:
        """Rows of one of the tables, in order; or the latest so many, the newest first."""
        if table not in TABLES:
            raise DataError("table", table, f"one of {', '.join(TABLES)}")
        key = "frame" if table == "decisions" else "id"
        order = "ASC" if latest is None else f"DESC LIMIT {int(latest)}"
        cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {key} {order}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def log(self, table: str) -> xr.Dataset:
        """Operator actions or stream events as a Dataset over `time`."""
        import xarray as xr

        rows = self.rows(table)
        names = [name for name in (rows[0] if rows else {}) if name != "time"]
        return xr.Dataset(
            {
                name: ("time", np.array(["" if r[name] is None else r[name] for r in rows]))
                for name in names
            },
            coords={"time": ("time", _dates([r["time"] for r in rows]))},
            attrs={"title": f"Audit trail: {table}"},
        )

    def to_netcdf(self, path: str | Path) -> Path:
        """Write frames, and actions and events as groups of their own, to one NetCDF file."""
        target = Path(path)
        self.frames().to_netcdf(target, engine="netcdf4")
        for table in ("actions", "events"):
            self.log(table).to_netcdf(target, mode="a", group=table, engine="netcdf4")
        return target

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write every table to a CSV file of its name, into a folder, and return the files."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        written = []
        for table in TABLES:
            cursor = self._connection.execute(f"SELECT * FROM {table}")
            with (target / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow([column[0] for column in cursor.description])
                writer.writerows([_inert(cell) for cell in row] for row in cursor)
            written.append(target / f"{table}.csv")
        return written


def _inert(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula, made one that it takes for text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t") else cell


def _dates(seconds: Any) -> Any:
    microseconds = np.round(np.array(seconds, dtype=np.float64) * 1e6).astype(np.int64)
    return microseconds.astype("datetime64[us]").astype("datetime64[ns]")


_CLASS = {
    Stability.UNKNOWN: "is still being learnt",
    Stability.STABLE: "is stable",
    Stability.TRANSITION: "has made one sharp move",
    Stability.ACCELERATING: "is changing faster and faster",
    Stability.DRIFTING: "is drifting",
    Stability.UNSTABLE: "is outside its usual range",
}
_PATH = {
    GatePath.PROCEED: "carry on",
    GatePath.PAUSE: "wait and look",
    GatePath.REVISE: "have it done again",
    GatePath.VOTE: "ask the others",
    GatePath.ABORT: "stop",
}


def sentence(name: str, frame: EeFrame, decision: Decision) -> str:
    """What a frame and the decision on it say, for a reader who knows no information theory.

    Parameters
    ----------
    name : str
        What the stream is called.
    frame : EeFrame
    decision : Decision

    Returns
    -------
    str
        One sentence; the words are the same for the same class and path, and tell an alarm.

    Examples
    --------
    >>> frame = EeFrame(200, 0.1, 3.1, 0.78, -0.4, 0.1, 0.0, 1.0, Stability.DRIFTING)
    >>> sentence("Wikipedia", frame, Decision(GatePath.PAUSE, "DRIFTING at confidence 1.00"))
    'Wikipedia is drifting: disorder is at 78 % of its ceiling and falling; wait and look.'
    """
    trend = _trend(frame)
    doubt = f" (confidence {100 * frame.confidence:.0f} %)" if frame.confidence < 1.0 else ""
    level = f"disorder is at {100 * frame.esi:.0f} % of its ceiling{trend}{doubt}"
    alarm = ""
    if frame.alarm and (number := one_in(frame)) is not None:
        alarm = f"; alarm, a value so unlikely comes once in {number}"
    return f"{name} {_CLASS[frame.stability]}: {level}{alarm}; {_PATH[decision.path]}."


def _trend(frame: EeFrame) -> str:
    """Direction of H, told only where it matters."""
    if frame.velocity is None or frame.stability in (Stability.STABLE, Stability.UNKNOWN):
        return ""
    if frame.velocity == 0.0:
        return " and level"
    return " and rising" if frame.velocity > 0.0 else " and falling"


class Display:
    """Reads the audit trail at its own pace.

    A display that is paused only stops looking. Nothing waits for it, and nothing is kept in
    memory for it: it goes on where it stopped, however long ago.

    Parameters
    ----------
    trail : callable
        Returns the trail to read.
    held : callable
        Says whether it is paused or the session over: commands, which only the session takes.

    Attributes
    ----------
    number : int
        Number of the last frame shown.
    """

    def __init__(self, trail: Callable[[], Trail], held: Callable[[], bool]) -> None:
        self._trail, self._held = trail, held
        self.number = 0

    @property
    def paused(self) -> bool:
        """Whether it is held."""
        return self._held()

    def look(self, limit: int = 5000) -> list[FrameRecord]:
        """Records since the last look, at most so many; none while paused."""
        if self.paused:
            return []
        records = self._trail().after(self.number, limit)
        if records:
            self.number = records[-1].number
        return records

    def speak(self, tell: Callable[[str], object], limit: int = 5000) -> None:
        """Say each record since the last look in one sentence."""
        for record in self.look(limit):
            stream = str(record.frame.stream)
            name = CATALOG[stream].title if stream in CATALOG else stream
            tell(sentence(name, record.frame, record.decision))


class Extension:
    """One reader of records, on a thread of its own, from the frame after `number` on.

    Seed 003 leaves the Librarian, the Calibrator, the Comparator and the Diagnostician for later.
    Each of them reads records. An extension reads them from the audit trail: one that blocks,
    raises or is slow holds up nobody, and misses nothing.

    Parameters
    ----------
    path : path-like
        The audit trail.
    read : callable
        Gets each record in turn. What it returns is ignored, and what it raises is reported.
    name : str
        How it is called in reports.
    number : int
        Frame after which it begins.
    report : callable, optional
        Told, in words, when `read` raises and when it is shut down; it must be safe to call from
        any thread.
    """

    def __init__(
        self,
        path: str | Path,
        read: Callable[[FrameRecord], object],
        name: str,
        number: int = 0,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.path, self.read, self.name = Path(path), read, name
        #: Number of the last frame that it has read.
        self.number = number
        self.errors = 0
        self._report = report
        self._stop, self._now = threading.Event(), False
        # A daemon: one that blocks for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"extension {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with Trail(self.path) as trail:
            while True:
                stopping = self._stop.is_set()
                records = trail.after(self.number)
                for record in records:
                    if self._now:
                        return
                    try:
                        self.read(record)
                    except Exception as error:
                        self.errors += 1
                        # The first of a row and every thousandth: a log is not to be flooded.
                        if self._report is not None and self.errors % 1000 == 1:
                            self._report(f"extension {self.name} raised {type(error).__name__}")
                    self.number = record.number
                if not records:
                    if stopping:
                        return
                    self._stop.wait(LOOK)

    def close(self, patience: float = 1.0, *, now: bool = False) -> bool:
        """Let it read to the end of the trail, or no further now; whether it is over in so long.

        Whoever shuts it down, it is reported.
        """
        if not self._stop.is_set() and self._report is not None:
            self._report(f"extension {self.name} is shut down")
        self._now = now
        self._stop.set()
        self._thread.join(patience)
        return not self._thread.is_alive()


class WeightedEsi:
    """Environmental Stability Index of several streams, ESI = Σ wᵢ ESIᵢ / Σ wᵢ.

    Seed 003's note on ESI: with one stream it is the normalised entropy, with several a weighted
    sum of contributions; that the weights sum to 1 is ours. A stream counts from its first frame
    with full confidence. Attach :meth:`read` to a session.

    Parameters
    ----------
    weights : mapping
        Weight of each stream by name, not negative; streams left out do not count.
    length : int
        Values remembered.

    Examples
    --------
    >>> from entro_nb.accountant import Decision, EeFrame, Path, Stability
    >>> esi = WeightedEsi({"usgs": 1.0, "noaa": 3.0})
    >>> for stream, value in (("usgs", 1.0), ("noaa", 0.5)):
    ...     frame = EeFrame(9, 0.0, 0.0, value, 0.0, 0.0, 0.0, 1.0, Stability.STABLE, stream)
    ...     esi.read(FrameRecord(1, frame, Decision(Path.PROCEED, "")))
    >>> esi.value
    0.625
    """

    def __init__(self, weights: Mapping[str, float], length: int = 10_000) -> None:
        checked = {
            name: validate.real(f"weights[{name!r}]", w, low=0.0) for name, w in weights.items()
        }
        if sum(checked.values()) <= 0.0:
            raise ParameterError("weights", dict(weights), "at least one weight above 0")
        self.weights = MappingProxyType(checked)
        self._latest: dict[str, float] = {}
        #: (time, ESI) of the recent frames.
        self.history: deque[tuple[float | None, float]] = deque(maxlen=length)

    @property
    def value(self) -> float | None:
        """Present value, None until a stream counts."""
        total = sum(self.weights[name] for name in self._latest)
        if total <= 0.0:
            return None
        return sum(self.weights[name] * esi for name, esi in self._latest.items()) / total

    def read(self, record: FrameRecord) -> None:
        """Take in one record."""
        frame, stream = record.frame, str(record.frame.stream)
        if stream not in self.weights or frame.confidence < 1.0:
            return
        self._latest[stream] = frame.esi
        if (value := self.value) is not None:
            self.history.append((frame.time, value))
