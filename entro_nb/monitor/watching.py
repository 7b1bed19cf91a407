"""A series, or every column of a table, under watch: surprise and entropy over its own time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb.accountant import (
    Accountant,
    AccountantConfig,
    Normalizer,
    NormalizerConfig,
    Thresholds,
)
from entro_nb.errors import DataError
from entro_nb.monitor.table import Pace, Row, Table, as_table, indexed
from entro_nb.results import dataset, parameters_of
from entro_nb.surprise import ROWS, Surprise, SurpriseConfig
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Values from whose range the band of the Normalizer comes, before the entropy is told.
ENTROPY = 50
#: What is told of each value: rows of `Watcher.push`, with units and name.
_ABOUT = {
    "surprisal": ("bits", "surprisal by the values before"),
    "p_value": ("1", "share of values at least as surprising"),
    "score": ("bits", "how much stranger than anything of late"),
    "evidence": ("bits", "evidence against chance"),
    "alarm": ("1", "whether an alarm is raised"),
    "entropy": ("bits", "entropy H of a window of normalised values"),
}
WATCHED = {name: _ABOUT[name] for name in (*ROWS, "entropy")}


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
        self._surprise = Surprise(config)
        self._first = np.empty(0)
        self._measurer: tuple[Normalizer, Accountant] | None = None
        self.missing = 0

    @property
    def seen(self) -> int:
        """Values judged; those that were missing are not among them."""
        return self._surprise.seen

    def push(self, values: FloatArray) -> FloatArray:
        """Judge the values that come next.

        Parameters
        ----------
        values : ndarray
            Finite numbers, NaN where one is missing, shape (time,).

        Returns
        -------
        ndarray
            Rows surprisal, p_value, score, alarm (1 or 0) and entropy over time; NaN where a value
            is missing, but for the alarm.
        """
        known = ~np.isnan(values)
        self.missing += int(values.size - known.sum())
        out = np.full((len(ROWS) + 1, values.size), np.nan)
        out[ROWS.index("alarm")] = 0.0
        if (present := values[known]).size:
            out[:-1, known] = self._surprise.judge(present)
            out[-1, known] = self._measured(present)
        return out

    def _measured(self, x: FloatArray) -> FloatArray:
        """Entropy with each value; NaN before the 50th."""
        before = self._first.size
        x = np.append(self._first, x)
        unknown = 0
        if self._measurer is None:
            if x.size < ENTROPY:
                self._first = x
                return np.full(x.size - before, np.nan)
            self._measurer, unknown = _measurer(x[:ENTROPY]), ENTROPY - 1
            self._first = x[:0]
        normalizer, accountant = self._measurer
        entropy = accountant.process_many(normalizer.process_many(x)).entropy.values
        entropy[:unknown] = np.nan
        result: FloatArray = entropy[before:]
        return result


def _measurer(first: FloatArray) -> tuple[Normalizer, Accountant]:
    """Normalizer of the band that the first values span, and an Accountant that only measures."""
    low, high = float(first.min()), float(first.max())
    if high - low < 1e-300:
        # All alike: a band as wide as they are large.
        half = abs(high) / 2 if abs(high) > 1e-300 else 1.0
        low, high = low - half, high + half
    return (
        Normalizer(NormalizerConfig(low=low, high=high)),
        Accountant(AccountantConfig(thresholds=Thresholds.never())),
    )


def watch(
    series: npt.ArrayLike | pd.Series | pd.DataFrame | xr.DataArray,
    config: SurpriseConfig | None = None,
    *,
    time: npt.ArrayLike | pd.Series | str | None = None,
    columns: Sequence[str] | None = None,
) -> xr.Dataset:
    """Surprise, alarms and entropy of one's own data, over their own time.

    Parameters
    ----------
    series : array_like, pandas.Series, pandas.DataFrame or xarray.DataArray
        Values in any units, shape (time,), NaN or None where one is missing; or a table, of which
        every column of numbers is judged by itself. A DataArray has the dim `time`.
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
        that are `constant` or `empty`, and those `left_out` as they hold no numbers. Nothing is
        filled in, nothing resampled.

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
    """
    config = SurpriseConfig() if config is None else config
    table = as_table(series, time, columns)
    tally = Tally(config)
    tally.push(table)
    rows = np.stack([Watcher(config).push(x) for x in table.values.T], axis=-1)
    return assembled(table, rows, tally.attrs())


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

    def attrs(self) -> dict[str, Any]:
        """Parameters and findings, fit for NetCDF attributes."""
        pace, table = self._pace, self._table
        if table is None:
            raise DataError("series", "nothing", "at least one value")
        names, alike = np.array(table.names), self._low == self._high
        units = "s" if np.asarray(table.time[:0]).dtype.kind in "mM" else table.time_attrs["units"]
        return parameters_of(
            self._config,
            limit=self._config.limit,
            columns=list(table.names),
            left_out=list(table.left_out),
            rows=self._rows,
            missing=self._missing,
            empty=names[self._low > self._high].tolist(),
            constant=dict(zip(names[alike].tolist(), self._low[alike].tolist(), strict=True)),
            time=table.time_attrs.get("long_name", ""),
            time_units=units,
            missing_times=pace.missing,
            start=pace.start,
            stop=pace.stop,
            step=pace.step,
            mean_step=pace.mean,
            gaps=pace.gaps,
        )
