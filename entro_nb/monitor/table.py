"""What a reader brings, as columns of numbers over time: nothing filled in, nothing left unsaid.

A missing value is NaN and stays one. Times are kept as they are, or read where they are text or
seconds since 1970; where there are none, values are numbered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Names that columns of times go by.
TIMES = ("time", "timestamp", "date", "datetime", "date_time", "ts", "t", "epoch")
#: A pause this many times the usual step is a gap; the usual step is the median of the first ones.
GAP, FIRST = 10.0, 65536
#: Seconds in a unit of time, by the names that it goes by.
SECONDS = {"s": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0,
           "hours": 3600.0, "d": 86400.0, "days": 86400.0}  # fmt: skip
#: Beyond this a range of values could not be told in floating point.
LARGEST = 1e300
#: Seconds, milliseconds, … since 1970 lie between these, in seconds: 1973 and 2603.
_EPOCH = (1e8, 2e10)
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}

#: How an error tells a row, from 0, after the name of its column.
Row = Callable[[int], str]


def indexed(row: int) -> str:
    """A row as an index, ``[3]``: how Python counts."""
    return f"[{row}]"


class Table(NamedTuple):
    """Columns of numbers over one time."""

    values: FloatArray  #: (time, column), NaN where one is missing
    time: Any  #: (time,) instants, numbers, or a range of pandas
    time_attrs: dict[str, str]  #: units, where they are known, and where the times come from
    names: tuple[str, ...]  #: of the columns
    units: tuple[str, ...]  #: of the columns
    single: bool  #: whether it was one series, and not a table
    left_out: tuple[str, ...] = ()  #: columns that hold no numbers


class Pace:
    """Steps of the times of a stream, piece by piece: their median, and the gaps.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.push("time", np.array([0.0, 1.0, 2.0, 30.0]))
    >>> pace.step, pace.gaps, pace.mean
    (1.0, 1, 1.0)
    """

    def __init__(self) -> None:
        self.missing = 0
        self._known = 0
        self._start: Any = None
        self._last: Any = None
        self._first: list[FloatArray] = []
        self._held = 0
        self._median = math.nan
        self._pauses, self._paused = 0, 0.0

    def push(self, name: str, times: Any, row: Row = indexed) -> None:
        """Take the times that come next, instants or numbers, NaT or NaN where one is missing.

        Raises
        ------
        DataError
            If they run backwards; the row is named.
        """
        known = np.flatnonzero(~np.isnan(times))
        self.missing += times.size - known.size
        if known.size == 0:
            return
        given = times[known]
        whole = given if self._last is None else np.concatenate([[self._last], given])
        steps = np.diff(whole)
        zero = np.zeros(1, steps.dtype)[0]
        if (back := steps < zero).any():
            k = int(np.flatnonzero(back)[0])
            wrong = known[k + given.size - steps.size]
            later = f"a time not before the one above it, {spelled_time(whole[k])}"
            raise DataError(f"{name}{row(int(wrong))}", spelled_time(times[wrong]), later)
        self._known += known.size
        self._start = given[0] if self._start is None else self._start
        self._last = given[-1]
        lengths = _seconds(steps)
        if math.isnan(self._median):
            self._first.append(lengths)
            self._held += lengths.size
            if self._held < FIRST:
                return
            lengths = self._settle()
        self._count(lengths)

    @property
    def start(self) -> str:
        """The first time; nothing before it."""
        return "" if self._start is None else spelled_time(self._start)

    @property
    def stop(self) -> str:
        """The last time."""
        return "" if self._last is None else spelled_time(self._last)

    def _settle(self) -> FloatArray:
        lengths = np.concatenate(self._first)
        self._first.clear()
        self._median = float(np.median(lengths[:FIRST]))
        return lengths

    def _count(self, lengths: FloatArray) -> None:
        if self._median > 0.0:  # else most values come at the same instant as another
            # One by one: the same sum however the stream is cut.
            for length in lengths[lengths > GAP * self._median].tolist():
                self._pauses += 1
                self._paused += length

    def _all(self) -> None:
        if math.isnan(self._median) and self._held:
            self._count(self._settle())

    @property
    def step(self) -> float:
        """Median of the steps, in s where times are instants; NaN before the second time."""
        self._all()
        return self._median

    @property
    def gaps(self) -> int:
        """Steps of more than ten times the median."""
        self._all()
        return self._pauses

    @property
    def mean(self) -> float:
        """Mean step with the gaps left out; NaN before the second time."""
        self._all()
        n = self._known - 1 - self._pauses
        if n <= 0:
            return math.nan
        span = float(_seconds(np.array([self._last - self._start]))[0])
        return (span - self._paused) / n


def _seconds(steps: Any) -> FloatArray:
    timed = steps.dtype.kind == "m"
    result: FloatArray = (steps / np.timedelta64(1, "s") if timed else steps).astype(np.float64)
    return result


def spelled_time(time: Any) -> str:
    """A time as a reader writes it.

    Examples
    --------
    >>> spelled_time(np.datetime64("2026-03-02T10:00:00.250")), spelled_time(17.0)
    ('2026-03-02 10:00:00.25', '17')
    """
    if isinstance(time, np.datetime64):
        whole = str(time).replace("T", " ")
        return whole if "." not in whole else whole.rstrip("0").rstrip(".")
    return str(time) if isinstance(time, np.timedelta64) else f"{float(time):.15g}"


def numbers(name: str, column: pd.Series, row: Row = indexed) -> FloatArray:
    """Values of a column, NaN where one is missing.

    Parameters
    ----------
    name : str
        Name used in errors.
    column : pandas.Series
        Numbers, or text that spells them.
    row : callable
        How an error tells a row.

    Raises
    ------
    ParameterTypeError
        If the column holds something that is not meant as numbers.
    DataError
        If a value is text that is no number, or infinite; its row is named.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers("x", pd.Series([1, None, "2.5"]))
    array([1. , nan, 2.5])
    >>> numbers("x", pd.Series([1, "two"]))
    Traceback (most recent call last):
    ...
    entro_nb.errors.DataError: x[1] = 'two' is not allowed: expected a number, or nothing
    """
    import pandas as pd

    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not _no_number(kind):
        values = column.to_numpy(np.float64, na_value=np.nan)
    elif pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind):
        values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        spelled = ~_empty(column)
        if (wrong := spelled & np.isnan(values)).any():
            k = int(np.flatnonzero(wrong)[0])
            raise DataError(f"{name}{row(k)}", column.iloc[k], "a number, or nothing")
    else:
        raise ParameterTypeError(name, str(kind), "numbers")
    if (wild := np.abs(values) > LARGEST).any():
        k = int(np.flatnonzero(wild)[0])
        raise DataError(f"{name}{row(k)}", float(values[k]), f"a number within ±{LARGEST:g}")
    return np.array(values, dtype=np.float64)


def _no_number(kind: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_bool_dtype(kind) or pd.api.types.is_complex_dtype(kind))


def _empty(column: pd.Series) -> Any:
    """Where nothing stands, or nothing but blanks."""
    text = column.map(lambda value: isinstance(value, str) and not value.strip())
    return (column.isna() | text).to_numpy(bool)


def meant_as_numbers(column: pd.Series) -> bool:
    """Whether a column holds numbers, or text at least half of which spells them.

    Examples
    --------
    >>> import pandas as pd
    >>> meant_as_numbers(pd.Series(["1", "2", "off"])), meant_as_numbers(pd.Series(["a", "1", "b"]))
    (True, False)
    """
    import pandas as pd

    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind):
        return not _no_number(kind)
    if not (pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind)):
        return False
    given = column[~_empty(column)]
    spelled = int(pd.to_numeric(given, errors="coerce").notna().sum())
    return 2 * spelled >= len(given) > 0


def kind_of_times(column: pd.Series) -> str:
    """How a column tells times: as ``dates``, ``text``, ``numbers``, or in a unit since 1970.

    Whole columns of numbers that lie between 1973 and 2603 when taken as seconds, milli-, micro-
    or nanoseconds since 1970 are taken as those.

    Examples
    --------
    >>> import pandas as pd
    >>> kind_of_times(pd.Series([1767225600, 1767225660])), kind_of_times(pd.Series([0.0, 0.5]))
    ('s', 'numbers')
    """
    import pandas as pd

    kind = column.dtype
    if pd.api.types.is_numeric_dtype(kind) and not _no_number(kind):
        return epoch_unit(column.to_numpy(np.float64, na_value=np.nan)) or "numbers"
    timed = pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind)
    if timed or isinstance(kind, pd.PeriodDtype):
        return "dates"
    # Text: the first says whether it is of dates, or of numbers among which something is wrong.
    first = column[~_empty(column)].iloc[:1]
    spelled = pd.to_numeric(first, errors="coerce").notna().any()
    return kind_of_times(pd.to_numeric(column, errors="coerce")) if spelled else "text"


def instants(name: str, column: pd.Series, row: Row = indexed, kind: str | None = None) -> Any:
    """Times of a column: instants in UTC, or plain numbers.

    Parameters
    ----------
    name : str
        Name used in errors.
    column : pandas.Series
        Dates of pandas, text in the manner of ISO 8601, or numbers.
    row : callable
        How an error tells a row.
    kind : str, optional
        As :func:`kind_of_times` says of the column, or of the one that this is a piece of.

    Raises
    ------
    DataError
        If text is no time; its row is named.

    Examples
    --------
    >>> import pandas as pd
    >>> instants("t", pd.Series(["2026-03-02 10:00", "2026-03-02T12:00+01:00"]))
    array(['2026-03-02T10:00:00.000000', '2026-03-02T11:00:00.000000'],
          dtype='datetime64[us]')
    """
    import pandas as pd

    kind = kind_of_times(column) if kind is None else kind
    if kind == "dates":
        if isinstance(column.dtype, pd.PeriodDtype):
            column = column.dt.start_time
        return _moments(column)
    if kind != "text":
        since = numbers(name, column, row)
        if kind == "numbers":
            return since
        exact = column if pd.api.types.is_integer_dtype(column.dtype) else pd.Series(since)
        return pd.to_datetime(exact, unit=kind).to_numpy()
    text = column.astype(object)
    # Whole numbers would be read as years.
    read = pd.to_datetime(
        text.where(text.map(lambda v: isinstance(v, str) and not v.strip().isdigit())),
        format="ISO8601", utc=True, errors="coerce",
    )  # fmt: skip
    if (wrong := read.isna().to_numpy() & ~_empty(column)).any():
        k = int(np.flatnonzero(wrong)[0])
        allowed = "a time as 2026-03-02T10:00, or seconds since 1970"
        raise DataError(f"{name}{row(k)}", column.iloc[k], allowed)
    return _moments(read)


def _moments(column: pd.Series) -> Any:
    """Instants without a zone: what has one is told in UTC."""
    kind = column.dtype
    if getattr(kind, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.to_numpy()


def epoch_unit(times: FloatArray) -> str | None:
    """Unit in which numbers are a time since 1970, or None where they are none.

    Examples
    --------
    >>> epoch_unit(np.array([1767225600.0])), epoch_unit(np.array([1.0, 2.0]))
    ('s', None)
    """
    known = times[np.isfinite(times)]
    if known.size == 0:
        return None
    low, high = float(known.min()), float(known.max())
    for unit, size in _UNITS.items():
        if _EPOCH[0] * size <= low and high <= _EPOCH[1] * size:
            return unit
    return None


def find_time(frame: pd.DataFrame) -> str | None:
    """Name of the column that holds the times, or None where there is none.

    It is the one whose values are instants, in pandas or as text; else the one of numbers that
    has a name of :data:`TIMES`.

    Raises
    ------
    ParameterError
        If several could be meant.

    Examples
    --------
    >>> import pandas as pd
    >>> find_time(pd.DataFrame({"when": ["2026-03-02", "2026-03-03"], "load": [1.0, 2.0]}))
    'when'
    """
    import pandas as pd

    def numeric(kind: Any) -> bool:
        return bool(pd.api.types.is_numeric_dtype(kind))

    named = [name for name in frame if str(name).strip().lower() in TIMES]
    timed = [name for name in frame if not numeric(frame[name].dtype) and _timed(frame[name])]
    # A `t` that falls is a temperature, say.
    falls = [name for name in named if str(name).strip().lower() == "t"
             and not frame[name].dropna().is_monotonic_increasing]  # fmt: skip
    found = timed or [n for n in named if numeric(frame[n].dtype) and n not in falls]
    if len(found) > 1:
        found = [name for name in found if name in named] or found
    if len(found) > 1:
        several = f"the name of one of those that hold times, {', '.join(map(repr, found))}"
        raise ParameterError("time", None, several)
    return found[0] if found else None


def _timed(column: pd.Series) -> bool:
    kind = kind_of_times(column)
    if kind == "text":
        try:
            return not np.isnat(instants("time", column)).all()
        except (DataError, TypeError):
            return False
    return kind == "dates" and column.notna().any()


class Layout(NamedTuple):
    """What is read of a table: by its first rows, if it comes in pieces."""

    time: str  #: name of the column that holds the times; empty where none does
    kind: str  #: how it tells them
    names: tuple[str, ...]  #: of the columns that are judged
    left_out: tuple[str, ...]  #: columns that hold no numbers
    units: tuple[str, ...]  #: of the columns that are judged
    time_units: str  #: of times that are numbers


def plan_of(
    frame: pd.DataFrame, time: str | None = None, columns: Sequence[str] | None = None
) -> Layout:
    """What is read of a table whose first rows these are.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its columns by name; units may be in ``attrs["units"]``.
    time : str, optional
        The column that holds the times; empty if none does, found if not given.
    columns : sequence of str, optional
        Those that are judged; all that hold numbers if not given.

    Raises
    ------
    ParameterError
        If there is no such column (the nearest is named), or more than one could hold the times.
    DataError
        If no column holds numbers.
    """
    source = find_time(frame) if time is None else time
    if source:
        validate.choice("time", source, frame.columns)
    rest = [name for name in frame.columns if name != source]
    names = columns_of(frame, rest, columns)
    left_out = tuple(name for name in rest if name not in names) if columns is None else ()
    units = frame.attrs.get("units", {})
    kind = kind_of_times(frame[source]) if source else ""
    told = tuple(units.get(name, "1") for name in names)
    return Layout(source or "", kind, names, left_out, told, units.get(source, "1"))


def table_of(plan: Layout, frame: pd.DataFrame, start: int = 0, row: Row = indexed) -> Table:
    """A table, or the piece of it that begins at a row, read as planned.

    Raises
    ------
    DataError
        If a value is text that is no number or no time, or infinite; its row is named.
    """
    import pandas as pd

    values = np.stack([numbers(name, frame[name], row) for name in plan.names], axis=1)
    times: Any = pd.RangeIndex(start, start + len(frame))
    attrs = {"units": "samples"}
    if plan.time:
        times = instants(plan.time, frame[plan.time], row, plan.kind)
        attrs = {"long_name": plan.time} | (
            {"units": plan.time_units} if plan.kind == "numbers" else {}
        )
    return Table(values, times, attrs, plan.names, plan.units, False, plan.left_out)


def as_table(series: Any, time: Any = None, columns: Sequence[str] | None = None) -> Table:
    """Columns of numbers over time from whatever holds them.

    Parameters
    ----------
    series : array_like, pandas.Series, pandas.DataFrame or xarray.DataArray
        As for :func:`entro_nb.watch`.
    time : array_like or str, optional
        Times, or the name of the column that holds them.
    columns : sequence of str, optional
        Columns of a table that count.

    Raises
    ------
    ParameterError, DataError
        As :func:`entro_nb.watch`.
    """
    import pandas as pd
    import xarray as xr

    if isinstance(series, pd.DataFrame):
        return _of_frame(series, time, columns)
    if columns is not None:
        raise ParameterError("columns", columns, "None, for what is no table")
    units, name = "1", "series"
    index: Any = time
    if isinstance(series, xr.DataArray):
        if series.dims != ("time",):
            raise ParameterError("dims of series", series.dims, "the single dim 'time'")
        units, name = str(series.attrs.get("units", "1")), str(series.name or name)
        index = own_times(series) if index is None else index
        series = series.values
    elif isinstance(series, pd.Series):
        name = str(name if series.name is None else series.name)
        index = _index(series) if index is None else index
    elif np.ndim(series) != 1:
        allowed = "one dimension; a table has named columns: a DataFrame or a DataArray"
        raise ParameterError("series", f"{np.ndim(series)} dimensions", allowed)
    column = pd.Series(series)
    if len(column) == 0:
        raise DataError("series", "nothing", "at least one value")
    values = numbers(name, column)
    times, attrs = times_of(index, values.size)
    return Table(values[:, None], times, attrs, (name,), (units,), True)


def _index(series: pd.Series | pd.DataFrame) -> pd.Series | None:
    """The index of a series if it is of times."""
    import pandas as pd

    timed = isinstance(series.index, (pd.DatetimeIndex, pd.TimedeltaIndex, pd.PeriodIndex))
    return series.index.to_series() if timed else None


def own_times(x: xr.DataArray) -> xr.DataArray | None:
    """The coordinate `time` of an array, if it has one."""
    # As a dict: xarray counts a dim that has no coordinate when it is asked for one.
    coords: dict[Any, xr.DataArray] = dict(x.coords)
    return coords.get("time")


def times_of(given: Any, n: int) -> tuple[Any, dict[str, str]]:
    """Times of n values with their attributes; values are numbered where none are given."""
    import pandas as pd
    import xarray as xr

    if given is None:
        return pd.RangeIndex(n), {"units": "samples"}
    if len(given) != n:
        raise ParameterError("time", f"{len(given)} times", f"{n}, one for each value")
    if isinstance(given, xr.DataArray) and given.dtype.kind in "iuf":
        return given.values.astype(np.float64), {"units": str(given.attrs.get("units", "1"))}
    times = instants("time", pd.Series(given))
    return times, {} if times.dtype.kind in "mM" else {"units": "1"}


def _of_frame(frame: pd.DataFrame, time: Any, columns: Sequence[str] | None) -> Table:

    if frame.shape[0] == 0:
        raise DataError("series", "a table without rows", "at least one row")
    frame = frame.set_axis([str(name) for name in frame.columns], axis="columns")
    if time is None:
        time = _index(frame)
    if time is None or isinstance(time, str):
        return table_of(plan_of(frame, time, columns), frame)
    times, attrs = times_of(time, len(frame))
    return table_of(plan_of(frame, "", columns), frame)._replace(time=times, time_attrs=attrs)


def columns_of(
    frame: pd.DataFrame, names: Sequence[str], columns: Sequence[str] | None
) -> tuple[str, ...]:
    """Columns that are judged: those asked for, or all that are meant as numbers.

    Raises
    ------
    ParameterError
        If there is no column of a name; the nearest is suggested.
    DataError
        If no column holds numbers.
    """
    if columns is not None:
        asked = [columns] if isinstance(columns, str) else list(columns)
        if not asked:
            raise ParameterError("columns", asked, "at least one name")
        return tuple(validate.choice("column", name, names) for name in asked)
    found = tuple(name for name in names if meant_as_numbers(frame[name]))
    if not found:
        listed = ", ".join(map(repr, names)) or "nothing"
        raise DataError("columns", listed, "at least one that holds numbers")
    return found
