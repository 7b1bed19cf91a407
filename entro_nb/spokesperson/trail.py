"""The audit trail's reading end: records again, datasets, exports. It never writes."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb.accountant import Decision, EeFrame, Stability
from entro_nb.accountant import Path as GatePath
from entro_nb.errors import DataError
from entro_nb.spokesperson import schema
from entro_nb.spokesperson.record import Record

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Trail"]

_RECORDS = """
SELECT f.id, f.channel, c.stream, f.time, f.raw, f.sequence, f.value, f.entropy, f.esi,
       f.velocity, f.acceleration, f.jerk, f.confidence, f.stability, d.path, d.reason
FROM frames f JOIN channels c ON c.id = f.channel JOIN decisions d ON d.frame = f.id
WHERE f.id > ? ORDER BY f.id LIMIT ?
"""
_STABILITY = tuple(Stability)
_PATHS = {path.value: path for path in GatePath}
_PATH_CODES = {path.value: code for code, path in enumerate(GatePath)}
#: Variables of the dataset: column, units, long name.
_VARIABLES = {
    "raw": ("stream's own", "value as received"),
    "value": ("1", "normalised value"),
    "entropy": ("bits", "entropy H of the window"),
    "esi": ("1", "Environmental Stability Index, H / log2(bins)"),
    "velocity": ("bits", "velocity H′"),
    "acceleration": ("bits", "acceleration H″"),
    "jerk": ("bits", "jerk H‴"),
    "confidence": ("1", "confidence"),
}


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
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError("audit", self.path.name, "a file that exists")
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=5.0)
        try:
            if not schema.check(self._connection, self.path):
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

    def after(self, number: int, limit: int = 1000) -> list[Record]:
        """Records after a frame's number, in order, at most so many."""
        rows = self._connection.execute(_RECORDS, (number, limit)).fetchall()
        return [
            Record(
                channel=row[1],
                stream=row[2],
                time=row[3],
                raw=row[4],
                frame=EeFrame(*(*row[5:13], _STABILITY[row[13]])),
                decision=Decision(_PATHS[row[14]], row[15]),
                number=row[0],
            )
            for row in rows
        ]

    def records(self, number: int = 0) -> Iterator[Record]:
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
            Value, entropy and its rates, ESI, confidence, and the codes of stability class and
            path, over `time`, in the order of their frames.
        """
        import xarray as xr

        columns = ", ".join(f"f.{name}" for name in _VARIABLES)
        where, values = ["1"], []
        for clause, value in (
            ("c.stream = ?", stream), ("f.time >= ?", start), ("f.time < ?", stop)
        ):  # fmt: skip
            if value is not None:
                where.append(clause)
                values.append(value)
        rows = self._connection.execute(
            f"SELECT f.time, f.id, f.channel, f.sequence, c.stream, f.stability, d.path, {columns}"
            " FROM frames f JOIN channels c ON c.id = f.channel JOIN decisions d ON d.frame = f.id"
            f" WHERE {' AND '.join(where)} ORDER BY f.id",
            values,
        ).fetchall()
        table = list(zip(*rows, strict=True)) or [()] * (7 + len(_VARIABLES))
        time, number, channel, sequence, streams, stability, path = table[:7]
        data: dict[str, Any] = {
            name: ("time", np.array(column, dtype=np.float64), {"units": u, "long_name": text})
            for (name, (u, text)), column in zip(_VARIABLES.items(), table[7:], strict=True)
        }
        data["stability"] = (
            "time", np.array(stability, dtype=np.int8),
            _flags("stability class", [s.name for s in Stability], [int(s) for s in Stability]),
        )  # fmt: skip
        data["path"] = (
            "time", np.array([_PATH_CODES[p] for p in path], dtype=np.int8),
            _flags("path of the Decision Gate", list(_PATH_CODES), list(_PATH_CODES.values())),
        )  # fmt: skip
        return xr.Dataset(
            data,
            coords={
                "time": ("time", _dates(time)),
                "number": ("time", np.array(number, dtype=np.int64)),
                "channel": ("time", np.array(channel, dtype=np.int64)),
                "sequence": ("time", np.array(sequence, dtype=np.int64)),
                "stream": ("time", np.array(streams, dtype=str)),
            },
            attrs={
                "title": "Audit trail",
                "source": "seed 003, section 4",
                "channels": json.dumps(self.rows("channels")),
            },
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of one of the tables, in order."""
        return self._select(table, "ASC")

    def _select(self, table: str, order: str) -> list[dict[str, Any]]:
        if table not in schema.TABLES:
            raise DataError("table", table, f"one of {', '.join(schema.TABLES)}")
        key = "frame" if table == "decisions" else "id"
        cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {key} {order}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def latest(self, table: str, count: int) -> list[dict[str, Any]]:
        """Last rows of one of the tables, the newest first."""
        return self._select(table, f"DESC LIMIT {int(count)}")

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
        for table in schema.TABLES:
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


def _flags(name: str, meanings: list[str], values: list[int]) -> dict[str, Any]:
    return {
        "units": "1", "long_name": name, "flag_values": values, "flag_meanings": " ".join(meanings)
    }  # fmt: skip


def _dates(seconds: Any) -> Any:
    microseconds = np.round(np.array(seconds, dtype=np.float64) * 1e6).astype(np.int64)
    return microseconds.astype("datetime64[us]").astype("datetime64[ns]")
