"""Tables from files, piece by piece: CSV, NetCDF and Parquet, and lines that are still to come.

What kind of file it is says the file itself. Which columns hold the times and the numbers is said
by its first rows, whatever the pieces; an error names the line.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import math
import os
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from entro_nb.errors import DataError
from entro_nb.monitor.table import TIMES, Layout, Row, Table, instants, plan_of, table_of

if TYPE_CHECKING:
    import pandas as pd

#: Rows by which a table is planned, and rows of a piece.
HEAD, PIECE = 1000, 131072
#: What stands between fields; of those that divide the first lines alike, the one that does most.
DELIMITERS = (",", ";", "\t", "|", " ")
#: Lines by which that is found; and bytes that are taken at once from lines still to come.
_LINES, _BLOCK = 50, 2**20


class Raw(NamedTuple):
    """Rows as they stand in a file."""

    frame: pd.DataFrame
    row: Row  #: how an error tells one
    done: float  #: share of the file that has been read


class Piece(NamedTuple):
    """Rows of a table."""

    table: Table
    row: Row  #: how an error tells one
    done: float  #: share of the file that has been read


class Dialect(NamedTuple):
    """How a text is divided into fields."""

    delimiter: str
    names: tuple[str, ...]
    header: bool  #: whether the first line holds the names
    decimal: str

    def options(self) -> dict[str, Any]:
        """What pandas is told of it."""
        spaces = self.delimiter == " "
        return {
            "sep": r"\s+" if spaces else self.delimiter,
            "decimal": self.decimal,
            "names": list(self.names),
            "header": None,
            "index_col": False,
            "skipinitialspace": True,
            "low_memory": False,
        }


def dialect_of(lines: Sequence[str]) -> Dialect:
    """Delimiter, names and decimal sign by the first lines of a text.

    The first line holds names if nothing in it is a number or a time. Where fields are divided by
    semicolons, numbers may have a decimal comma.

    Examples
    --------
    >>> dialect_of(["when;load", "2026-03-02;1,5"])
    Dialect(delimiter=';', names=('when', 'load'), header=True, decimal=',')
    >>> dialect_of(["1.5", "2.5"]).names
    ('value',)
    """
    counted = {d: [len(f) for f in _fields(lines, d)] for d in DELIMITERS}
    alike = {d: n[0] for d, n in counted.items() if n and n[0] > 1 and len(set(n)) == 1}
    if not alike:  # a line that is too short or too long will be told of
        alike = {d: n[0] for d, n in counted.items() if n and n[0] > 1 and d != " "}
    delimiter = max(alike, key=lambda d: alike[d]) if alike else ","
    fields = next(_fields(lines, delimiter), [])
    first = [field.strip() for field in fields]
    header = any(first) and not any(_is_value(field) for field in first)
    single = ("value",) if len(first) < 2 else None
    numbered = tuple(f"column {k + 1}" for k in range(len(first)))
    names = tuple(name or numbered[k] for k, name in enumerate(first)) if header else numbered
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError("column", twice, "a name that no other column has")
    comma = delimiter == ";" and any(re.search(r"(^|;)\s*-?\d+,\d+\s*(;|$)", x) for x in lines)
    return Dialect(delimiter, names if header else single or names, header, "," if comma else ".")


def _fields(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    full = [line for line in lines if line.strip()]
    if delimiter == " ":
        yield from (line.split() for line in full)
    else:
        yield from csv.reader(full, delimiter=delimiter, skipinitialspace=True)


def _is_value(field: str) -> bool:
    import pandas as pd

    with suppress(ValueError):
        float(field.replace(",", "."))
        return True
    with suppress(DataError):
        return bool(field) and not np.isnat(instants("time", pd.Series([field]))).any()
    return False


def read_pieces(
    path: str | os.PathLike[str],
    columns: Sequence[str] | None = None,
    time: str | None = None,
    rows: int = PIECE,
) -> Iterator[Piece]:
    r"""Table in a file, piece by piece, so that it need not fit into memory.

    Parameters
    ----------
    path : path-like
        CSV (also with semicolons, tabs, bars or blanks between fields, with or without a line of
        names, also with ``.gz``), NetCDF, as ``entro-nb record`` writes it, or Parquet.
    columns, time : optional
        As for :func:`entro_nb.watch`.
    rows : int
        Rows of a piece, after a first one of :data:`HEAD`.

    Raises
    ------
    ParameterError
        If there is no such column (the nearest is named), or more than one could hold the times.
    DataError
        If there is no such file, it is empty or of another kind, no column holds numbers, or
        there is text in the place of a number: column and line are named.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("when,load\n2026-03-02,1.5\n2026-03-03,\n")
    ...     file.flush()
    ...     [piece.table.values.tolist() for piece in read_pieces(file.name)]
    [[[1.5], [nan]]]
    """
    plan, start = None, 0
    for raw in _raw(Path(path), rows):
        plan = plan or plan_of(raw.frame.head(HEAD), time, columns)
        yield Piece(table_of(plan, raw.frame, start, raw.row), raw.row, raw.done)
        start += len(raw.frame)
    if start == 0:
        raise DataError("file", Path(path).name, "a table with at least one row")


def read_table(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, time: str | None = None
) -> pd.DataFrame:
    r"""Table in a file, whole, as :func:`entro_nb.watch` takes it.

    Parameters
    ----------
    path, columns, time
        As for :func:`read_pieces`.

    Returns
    -------
    pandas.DataFrame
        Columns of numbers, NaN where one is missing, and that of the times, if there is one, read;
        other columns as they are. Units, where the file has them, in ``attrs["units"]``.

    Raises
    ------
    ParameterError, DataError
        As :func:`read_pieces`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("when,load\n2026-03-02,1.5\n2026-03-03,\n")
    ...     file.flush()
    ...     read_table(file.name)
            when  load
    0 2026-03-02   1.5
    1 2026-03-03   NaN
    """
    import pandas as pd

    plan, frames = None, []
    for raw in _raw(Path(path), PIECE):
        plan = plan or plan_of(raw.frame.head(HEAD), time, columns)
        table = table_of(plan, raw.frame, 0, raw.row)
        read = dict(zip(plan.names, table.values.T, strict=True))
        if plan.time:
            read[plan.time] = table.time
        kept = [name for name in raw.frame if name in read or name in plan.left_out]
        frames.append(raw.frame[kept].assign(**read))
    if plan is None:
        raise DataError("file", Path(path).name, "a table with at least one row")
    whole = pd.concat(frames, ignore_index=True)
    whole.attrs["units"] = dict(zip(plan.names, plan.units, strict=True))
    return whole


def read_lines(
    stream: io.BufferedIOBase, columns: Sequence[str] | None = None, time: str | None = None
) -> Iterator[Piece]:
    r"""Table in lines that are still to come, as many at a time as there are.

    Parameters
    ----------
    stream : binary file
        CSV with a record in each line, or one number in each; that of ``sys.stdin.buffer``, say.
    columns, time
        As for :func:`read_pieces`.

    Raises
    ------
    ParameterError, DataError
        As :func:`read_pieces`; whatever stands before a line that is refused has been given.

    Examples
    --------
    >>> [piece.table.values.tolist() for piece in read_lines(io.BytesIO(b"1.5\n2.5\n"))]
    [[[1.5], [2.5]]]
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    reader = _LineReader(columns, time)
    held, number, more = "", 0, True
    waiting: list[tuple[int, str]] = []
    while more:
        more = bool(block := stream.read1(_BLOCK))
        *lines, held = (held + decoder.decode(block, not more)).split("\n")
        lines += [] if more or not held else [held]
        waiting += [(number + k + 1, line) for k, line in enumerate(lines) if line.strip()]
        number += len(lines)
        if not (waiting := reader.without_header(waiting, more)) or reader.dialect is None:
            continue
        try:
            pieces: Iterable[Piece] = [reader.piece(waiting)]
        except DataError:
            # What stands before the line that is wrong is given first.
            pieces = (reader.piece([line]) for line in waiting)
        yield from pieces
        waiting = []
    if reader.start == 0:
        raise DataError("lines", "nothing", "at least one line of numbers")


class _LineReader:
    """Pieces of a table from lines with their numbers."""

    def __init__(self, columns: Sequence[str] | None, time: str | None) -> None:
        self.dialect: Dialect | None = None
        self.start = 0
        self._plan: Layout | None = None
        self._columns, self._time = columns, time

    def without_header(self, lines: list[tuple[int, str]], more: bool) -> list[tuple[int, str]]:
        """The lines without that of the names; alone, it does not say yet what it names."""
        if self.dialect is not None or not lines:
            return lines
        dialect = dialect_of([line for _, line in lines[:_LINES]])
        if dialect.header and len(lines) == 1 and more:
            return lines
        self.dialect = dialect
        return lines[1:] if dialect.header else lines

    def piece(self, lines: Sequence[tuple[int, str]]) -> Piece:
        """Table of lines."""
        import pandas as pd

        assert self.dialect is not None
        text = io.StringIO("\n".join(line for _, line in lines))
        try:
            with pd.read_csv(text, iterator=True, **self.dialect.options()) as reader:
                frame = _chunk(reader, len(lines))
        except _unlike() as error:
            number, line = lines[0]
            raise DataError(f"line {number}", line, f"{len(self.dialect.names)} fields") from error
        frame = _named(frame, self.dialect)
        self._plan = self._plan or plan_of(frame, self._time, self._columns)
        table = table_of(self._plan, frame, self.start, row := _Numbered(lines))
        self.start += len(frame)
        return Piece(table, row, math.nan)


class _Numbered:
    """Tells a row by the number of its line."""

    def __init__(self, lines: Sequence[tuple[int, str]]) -> None:
        self._lines = lines

    def __call__(self, row: int) -> str:
        return f", line {self._lines[row][0]}"


def _raw(path: Path, rows: int) -> Iterator[Raw]:
    """Rows of a file of any kind, a first piece of HEAD rows and then of so many."""
    try:
        with path.open("rb") as file:
            begin = file.read(8)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError("file", str(path), f"a file that can be read ({reason})") from error
    if begin.startswith(b"PAR1"):
        yield from _parquet(path, max(rows, HEAD))
    elif begin.startswith((b"\x89HDF", b"CDF")):
        yield from _netcdf(path, rows)
    else:
        yield from _csv(path, rows)


def _csv(path: Path, rows: int) -> Iterator[Raw]:
    import pandas as pd

    size = max(path.stat().st_size, 1)
    try:
        with path.open("rb") as binary, _text(path, binary) as text:
            dialect = dialect_of(list(islice(text, _LINES)))
        start, skipped = 0, 1 if dialect.header else 0
        with path.open("rb") as binary, _text(path, binary) as text:
            reader = pd.read_csv(text, iterator=True, skiprows=skipped, **dialect.options())
            while len(frame := _chunk(reader, rows if start else HEAD)):
                row = _Lines(path, dialect, start)
                yield Raw(_named(frame, dialect), row, binary.tell() / size)
                start += len(frame)
    except pd.errors.EmptyDataError:
        return
    except (*_unlike(), UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
        raise DataError("file", path.name, f"CSV, NetCDF or Parquet ({reason})") from error


def _chunk(reader: Any, rows: int) -> pd.DataFrame:
    import pandas as pd

    with warnings.catch_warnings():
        # Fields beyond the names would be dropped with no more than a warning.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return reader.get_chunk(rows)
        except StopIteration:
            return pd.DataFrame()


def _unlike() -> Any:
    """What pandas raises at lines with more fields than the first."""
    import pandas as pd

    return pd.errors.ParserError, pd.errors.ParserWarning


def _named(frame: pd.DataFrame, dialect: Dialect) -> pd.DataFrame:
    """Without columns that a line of names has no name for: they number the rows, if anything."""
    if not dialect.header:
        return frame
    return frame.drop(columns=[f for k, f in enumerate(dialect.names) if f == f"column {k + 1}"])


def _text(path: Path, binary: IO[bytes]) -> io.TextIOWrapper:
    plain: Any = gzip.GzipFile(fileobj=binary) if path.suffix == ".gz" else binary
    return io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")


class _Lines:
    """Tells a row of a file by its line, as an editor counts them."""

    def __init__(self, path: Path, dialect: Dialect, start: int) -> None:
        self._path, self._dialect, self._start = path, dialect, start

    def __call__(self, row: int) -> str:
        wanted = self._start + row + (1 if self._dialect.header else 0)
        with self._path.open("rb") as binary, _text(self._path, binary) as text:
            # Quoted fields may go over several lines, and lines without anything are skipped.
            reader = csv.reader(text, delimiter=self._dialect.delimiter)
            full = (
                fields
                for fields in reader
                if any(field.strip() for field in fields[:1]) or fields[1:]
            )
            next(islice(full, wanted, None), None)
            return f", line {reader.line_num}"


def _parquet(path: Path, rows: int) -> Iterator[Raw]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        needed = 'CSV or NetCDF; for Parquet: pip install "entro-nb[parquet]"'
        raise DataError("file", path.name, needed) from None
    start = 0
    with ParquetFile(path) as file:
        total = max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=rows):
            frame = batch.to_pandas().reset_index(drop=True)
            yield Raw(frame, _Rows(start), (start + len(frame)) / total)
            start += len(frame)


class _Rows:
    """Tells a row of a table that has no lines, counted from 1."""

    def __init__(self, start: int) -> None:
        self._start = start

    def __call__(self, row: int) -> str:
        return f", row {self._start + row + 1}"


def _netcdf(path: Path, rows: int) -> Iterator[Raw]:
    import pandas as pd
    import xarray as xr

    try:
        file = xr.open_dataset(path, engine="netcdf4")
    except (OSError, ValueError) as error:
        raise DataError("file", path.name, f"NetCDF ({error})") from error
    with file:
        dims = {dim for variable in file.data_vars.values() for dim in variable.dims}
        if len(dims) != 1:
            named = ", ".join(map(str, sorted(dims, key=str))) or "none"
            raise DataError("dims of the file", named, "one: the time")
        (dim,) = dims
        names = {}
        if dim in file.coords:
            known = file[dim].dtype.kind in "mM" or str(dim).lower() in TIMES
            names[dim] = str(dim) if known else TIMES[0]
        names |= {name: str(name) for name in file.data_vars}
        units = {name: str(file[at].attrs.get("units", "1")) for at, name in names.items()}
        total, start = file.sizes[dim], 0
        while start < total:
            stop = min(start + (rows if start else HEAD), total)
            part = file.isel({dim: slice(start, stop)})
            frame = pd.DataFrame({name: part[at].values for at, name in names.items()})
            frame.attrs["units"] = units
            yield Raw(frame, _Rows(start), stop / total)
            start = stop
