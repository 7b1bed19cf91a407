"""A series, every column of a table, or many streams under watch: surprise and entropy."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.many import each_stream
from entro_nb.monitor.files import read_table
from entro_nb.monitor.judging import TYPES, WATCHED, Judging
from entro_nb.monitor.table import LARGEST, Pace, Row, Table, as_table, indexed, own_times, times_of
from entro_nb.results import dataset, parameters_of
from entro_nb.surprise import SurpriseConfig
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Check of values that may be missing.
_CHECK = functools.partial(validate.finite_array, low=-LARGEST, high=LARGEST, missing=True)


class Watcher:
    """Monitor of one stream that may miss values, piece by piece.

    A missing value is judged by nobody, and the monitor waits: the values that are there are
    judged as if it had never been due. The entropy is the Accountant's (seed 003, §3), of values
    that the Normalizer puts on one scale; the band is the range of the first 50 values (ours),
    so the entropy begins with the 50th.

    Parameters
    ----------
    config : SurpriseConfig, optional
        The defaults if not given.

    Examples
    --------
    >>> watcher = Watcher()
    >>> watcher.push(np.array([1.0, np.nan, 2.0]))[0].round(2)
    array([ 0.  ,   nan, 10.58])
    >>> watcher.seen, watcher.missing
    (2, 1)
    """

    def __init__(self, config: SurpriseConfig | None = None) -> None:
        self._judging = Judging(SurpriseConfig() if config is None else config)
        self._memory = self._judging.begin(np.zeros(1, np.int64))
        self.missing = 0

    @property
    def seen(self) -> int:
        """Values judged; those that were missing are not among them."""
        return int(self._judging.seen(self._memory)[0])

    def push(self, values: FloatArray) -> FloatArray:
        """Judge the values that come next.

        Parameters
        ----------
        values : ndarray
            Finite numbers, NaN where one is missing, shape (time,).

        Returns
        -------
        ndarray
            Rows of :data:`WATCHED` over time, alarm as 1 or 0; NaN where a value is missing, but
            for the alarm.

        Raises
        ------
        DataError, ParameterError
            If a value is infinite, or too large to tell a range of; the state is then unchanged.
        """
        x = _CHECK("values", values, ndim=1, empty=True)
        self.missing += int(np.isnan(x).sum())
        rows = self._judging.go_on(x[np.newaxis], self._memory)
        return np.concatenate(rows).astype(np.float64)


def watch(
    series: npt.ArrayLike | pd.Series | pd.DataFrame | xr.DataArray | os.PathLike[str],
    config: SurpriseConfig | None = None,
    *,
    time: npt.ArrayLike | pd.Series | str | None = None,
    columns: Sequence[str] | None = None,
) -> xr.Dataset:
    """Surprise, alarms and entropy of one's own data, over their own time.

    Parameters
    ----------
    series : array_like, pandas.Series, pandas.DataFrame, xarray.DataArray, str or path-like
        Values in any units, shape (time,), NaN or None where one is missing; or a table, of which
        every column of numbers is judged by itself. A DataArray has the dim ``time`` and any
        others: each stream along it is judged by itself. A name is that of a file with a table, as
        for :func:`entro_nb.monitor.read_table`.
    config : SurpriseConfig, optional
        The promise, and the rest; the defaults if not given.
    time : array_like or str, optional
        Times of the values; of a table the name of the column that holds them. If not given the
        index of pandas, the coordinate of a DataArray, or the one column of a table whose values
        are times; else values are numbered. Text is ISO 8601, numbers may be seconds or
        milliseconds since 1970; what has a time zone is told in UTC.
    columns : sequence of str, optional
        Columns of a table that are judged.

    Returns
    -------
    xarray.Dataset
        Over `time` (and `column`, for a table): value, surprisal (bits), p_value, score and
        evidence (bits; an alarm asks for at least ``attrs["limit"]`` of both), alarm (bool) and
        entropy (bits; NaN before the 50th value), as :class:`Watcher` tells them; NaN where a
        value is missing. Attributes: the parameters; how many values (`missing`) and times
        (`missing_times`) were missing; the median `step` of the times in `time_units`, and how
        many were `gaps`, of more than ten times the median, which `mean_step` leaves out; columns
        that are `constant` or `empty`, and those `left_out` as they hold no numbers; the
        `strangest` value, if its score reached the limit, and whether it raised an alarm. Nothing
        is filled in, nothing resampled.

    Raises
    ------
    ParameterError
        If there is no such column (the nearest is named), or more than one could hold the times.
    DataError
        If there is nothing, no column of numbers, text in the place of a number, infinity, or a
        time before the one above it: column and row are named.

    See Also
    --------
    entro_nb.Surprise : The same value by value.

    Notes
    -----
    A DataArray that Dask holds in chunks is judged lazily, in the same chunks and to the same
    numbers, whatever they are, as by :func:`entro_nb.account`: chunks of streams run side by side,
    on all cores or on a cluster, along ``time`` one takes over from the other, and memory stays
    flat. Each of many streams has its own coin, which breaks ties between equally surprising
    values: its key follows from the seed and the stream's place in the whole array.

    Examples
    --------
    >>> import entro_nb as en
    >>> quakes = en.load_recording("earthquakes")
    >>> found = watch(quakes, en.SurpriseConfig(promise=200.0))
    >>> found.surprisal.attrs["units"], found.attrs["missing"], found.attrs["gaps"]
    ('bits', 0, 0)
    >>> en.monitor.alarms(found)[["time", "value"]]
                         time  value
    0 2024-07-11 02:13:18.585    7.1
    >>> en.monitor.promise_in_words(found.attrs)
    'at most one false alarm in about 41 days at this rate (200 values)'

    A hundred streams, of which Dask works on ten at a time:

    >>> import xarray as xr
    >>> x = xr.DataArray(np.random.default_rng(1).normal(size=(100, 400)), dims=("site", "time"))
    >>> found = watch(x.chunk(site=10, time=200), en.SurpriseConfig(promise=1000.0))
    >>> false = found.alarm.sum()  # nothing is computed yet
    >>> int(false.compute()) <= x.size / 1000
    True
    """
    import xarray as xr

    config = SurpriseConfig() if config is None else config
    if isinstance(series, (str, os.PathLike)):
        series = read_table(series, columns, None if time is None else str(time))
    if isinstance(series, xr.DataArray) and (series.dims != ("time",) or series.chunks is not None):
        return _watch_streams(series, config, time, columns)
    table = as_table(series, time, columns)
    return TableWatcher(config).push(table)


def _watch_streams(
    x: xr.DataArray, config: SurpriseConfig, time: Any, columns: Sequence[str] | None
) -> xr.Dataset:
    if columns is not None:
        raise ParameterError("columns", columns, "None, for what is no table")
    added = "value", "missing"
    rows = each_stream(x, Judging(config), TYPES, name="series", taken=added, check=_CHECK)
    units, name = str(x.attrs.get("units", "1")), str(x.name or "series")
    variables: dict[str, tuple[Any, Any, str, str]] = {added[0]: (x.dims, x.data, units, name)}
    for key, values in rows.items():
        variables[key] = x.dims, values, *WATCHED[key]
    gone = x.isnull().sum("time")
    variables[added[1]] = gone.dims, gone.data, "1", "how many values are missing"
    times, attrs = times_of(own_times(x) if time is None else time, x.sizes["time"])
    pace = Pace()
    if attrs.get("units") != "samples":
        pace.push("time", times)
    about = parameters_of(config, limit=config.limit, **_paced(pace, times, attrs))
    found = dataset(variables, parameters=about, title="Watch").assign_coords(x.coords)
    return found.assign_coords(time=("time", times, attrs))


def assembled(table: Table, rows: FloatArray, about: Mapping[str, object]) -> xr.Dataset:
    """Dataset of what is told of a table, rows of :data:`WATCHED` over time and column."""
    dims = "time" if table.single else ("time", "column")
    name = table.names[0] if table.single else "value"
    units = table.units[0] if len(set(table.units)) == 1 else "1"
    variables: dict[str, tuple[Any, Any, str, str]] = {"value": (dims, table.values, units, name)}
    for key, values in zip(WATCHED, rows, strict=True):
        variables[key] = (dims, values > 0.0 if key == "alarm" else values, *WATCHED[key])
    if table.single:
        variables = {k: (d, v[:, 0], *rest) for k, (d, v, *rest) in variables.items()}
    found = dataset(
        variables,
        coords={} if table.single else {"column": (list(table.names), "1")},
        parameters=about,
        title="Watch",
    )
    return found.assign_coords(time=("time", table.time, table.time_attrs))


class Tally:
    """What is said of a whole table, however many pieces it comes in.

    Parameters
    ----------
    config : SurpriseConfig
        As for :func:`watch`.

    Examples
    --------
    >>> tally = Tally(SurpriseConfig())
    >>> tally.push(as_table([1.0, None, 1.0]))
    >>> about = tally.attrs()
    >>> about["rows"], about["missing"], about["constant"]
    (3, 1, '{"series": 1.0}')
    """

    def __init__(self, config: SurpriseConfig) -> None:
        self._config = config
        self._pace = Pace()
        self._rows = self._missing = 0
        self._strangest: dict[str, Any] = {}
        self._table: Table | None = None
        self._low = self._high = np.empty(0)

    def push(self, table: Table, row: Row = indexed) -> None:
        """Take a piece of the table; nothing is taken of one whose times run backwards."""
        if table.time_attrs.get("units") != "samples":
            times = np.asarray(table.time)
            self._pace.push(table.time_attrs.get("long_name", "time"), times, row)
        if self._table is None:
            self._table = table
            self._low, self._high = (np.full(len(table.names), sign * np.inf) for sign in (1, -1))
        self._rows += len(table.values)
        self._missing += int(np.isnan(table.values).sum())
        self._low = np.fmin(self._low, np.fmin.reduce(table.values, axis=0))
        self._high = np.fmax(self._high, np.fmax.reduce(table.values, axis=0))

    def judged(self, table: Table, scores: FloatArray, raised: FloatArray) -> None:
        """Take the scores of the last piece, shape (time, column), and those of its alarms."""
        import pandas as pd

        known = np.nan_to_num(scores, nan=0.0)
        strangest = self._strangest
        if known.size and known.max() > strangest.get("score", self._config.limit):
            row, column = np.unravel_index(known.argmax(), known.shape)
            time = np.asarray(table.time)[row]
            self._strangest = strangest = {
                "time": str(pd.Timestamp(time)) if time.dtype.kind == "M" else time.item(),
                "column": table.names[column],
                "value": float(table.values[row, column]),
                "score": float(known[row, column]),
                "alarm": False,
            }
        if strangest and raised.size:
            strangest["alarm"] |= bool(raised.max() >= strangest["score"])

    def attrs(self) -> dict[str, Any]:
        """Parameters and findings, fit for NetCDF attributes."""
        pace, table = self._pace, self._table
        if table is None:
            raise DataError("series", "nothing", "at least one value")
        names, alike = np.array(table.names), self._low == self._high
        return parameters_of(
            self._config,
            limit=self._config.limit,
            columns=list(table.names),
            left_out=list(table.left_out),
            rows=self._rows,
            missing=self._missing,
            empty=names[self._low > self._high].tolist(),
            constant=dict(zip(names[alike].tolist(), self._low[alike].tolist(), strict=True)),
            strangest=self._strangest,
            **_paced(pace, table.time, table.time_attrs),
        )


def _paced(pace: Pace, time: Any, attrs: Mapping[str, str]) -> dict[str, Any]:
    """What is said of the times themselves."""
    return {
        "time": attrs.get("long_name", ""),
        "time_units": "s" if np.asarray(time[:0]).dtype.kind in "mM" else attrs["units"],
        "missing_times": pace.missing,
        "start": pace.start,
        "stop": pace.stop,
        "step": pace.step,
        "mean_step": pace.mean,
        "gaps": pace.gaps,
    }


def alarms(
    found: xr.Dataset, before: Sequence[FloatArray] | None = None, start: int = 0
) -> pd.DataFrame:
    """The alarms as a table, in order of time.

    Parameters
    ----------
    found : xarray.Dataset
        From :func:`entro_nb.watch`.
    before : sequence of ndarray, optional
        For each column the scores just before, if this is a piece of something longer.
    start : int
        Row that the piece begins with.

    Returns
    -------
    pandas.DataFrame
        A line for each alarm: row (from 0), time, column (of a table; of many streams, their own
        dims), value, surprisal (bits), p_value, evidence (bits), and score (bits): the largest of
        the last values.

    Examples
    --------
    >>> x = np.append(np.random.default_rng(5).standard_normal(2000), [9.0, 9.5])
    >>> alarms(watch(x, SurpriseConfig(promise=1000.0)))[["time", "value"]]
       time  value
    0  2000    9.0
    """
    import pandas as pd

    table = found.transpose("time", ...)
    dims = table.alarm.dims[1:]
    shape = tuple(table.sizes[dim] for dim in dims)

    def flat(name: str) -> FloatArray:
        return table[name].values.reshape(table.sizes["time"], -1)

    at, column = np.nonzero(flat("alarm"))
    frame: dict[str, Any] = {"row": start + at, "time": table.time.values[at]}
    for dim, places in zip(dims, np.unravel_index(column, shape) if dims else (), strict=True):
        frame[str(dim)] = table[dim].values[places]
    for name in ("value", "surprisal", "p_value", "evidence"):
        frame[name] = flat(name)[at, column]
    apart = int(found.attrs["apart"])
    scores = flat("score")
    peaks = []
    for t, c in zip(at.tolist(), column.tolist(), strict=True):
        late = judged_last(scores[: t + 1, c], apart, () if before is None else before[c])
        peaks.append(float(late.max()))
    return pd.DataFrame(frame | {"score": np.array(peaks, dtype=np.float64)})


def judged_last(
    scores: FloatArray, n: int, before: Sequence[float] | FloatArray = ()
) -> FloatArray:
    """The last n scores of values that were not missing.

    Examples
    --------
    >>> judged_last(np.array([1.0, np.nan, 2.0]), 3, [7.0, 8.0])
    array([8., 1., 2.])
    """
    # Missing values are few; where they are not, the whole is looked at.
    late = scores[-2 * n :]
    if np.isnan(late).sum() > n:
        late = scores
    late = late[~np.isnan(late)][-n:]
    result: FloatArray = np.append(before, late)[-n:] if late.size < n else late
    return result


class TableWatcher:
    """Every column of a table under watch, piece by piece: the same numbers in any pieces.

    Parameters
    ----------
    config : SurpriseConfig, optional
        The defaults if not given.

    Examples
    --------
    >>> watcher = TableWatcher()
    >>> found = watcher.push(as_table([1.0, None, 2.0]))
    >>> watcher.push(as_table([2.0])).attrs["rows"]
    4
    """

    def __init__(self, config: SurpriseConfig | None = None) -> None:
        self._config = SurpriseConfig() if config is None else config
        self._tally = Tally(self._config)
        self._watchers: list[Watcher] = []
        self._before: list[FloatArray] = []
        self._rows = 0
        #: Those of the last piece; none before the first.
        self.alarms: Any = ()

    @property
    def attrs(self) -> dict[str, Any]:
        """What is said of all pieces so far, as in the attributes of :func:`watch`."""
        return self._tally.attrs()

    def push(self, table: Table, row: Row = indexed) -> xr.Dataset:
        """Judge a piece: what :func:`watch` gives, with the attributes of all pieces so far.

        Raises
        ------
        DataError
            If the times run backwards, also over the end of a piece; the row is named.
        """
        self._tally.push(table, row)
        if not self._watchers:
            self._watchers = [Watcher(self._config) for _ in table.names]
            self._before = [np.empty(0) for _ in table.names]
        streams = zip(self._watchers, table.values.T, strict=True)
        rows = np.stack([watcher.push(x) for watcher, x in streams], axis=-1)
        found = assembled(table, rows, self.attrs)
        self.alarms = alarms(found, self._before, self._rows)
        self._rows += len(table.values)
        scores = rows[list(WATCHED).index("score")]
        self._tally.judged(table, scores, self.alarms.score.to_numpy())
        found.attrs |= self.attrs
        kept = zip(scores.T, self._before, strict=True)
        self._before = [judged_last(x, self._config.apart, before) for x, before in kept]
        return found
