"""What a monitor found, told to a reader: the alarms as a table and in words, the promise in days.

Words come from the attributes of what :func:`entro_nb.watch` found, and from its table of alarms.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb.monitor.table import SECONDS, spelled_time

if TYPE_CHECKING:
    import pandas as pd

#: Units that a length of time is told in: from how many seconds on, seconds in one, and its name.
_YEAR = 31556952.0
_SPANS = (
    (2 * _YEAR, _YEAR, "year"),
    (100 * 86400.0, _YEAR / 12, "month"),
    (36 * 3600.0, 86400.0, "day"),
    (90 * 60.0, 3600.0, "hour"),
    (90.0, 60.0, "minute"),
    (0.1, 1.0, "second"),
    (1e-4, 1e-3, "millisecond"),
    (0.0, 1e-6, "microsecond"),
)
#: Alarms that are told in words; the others are in the table.
LISTED = 20


def how_long(seconds: float) -> str:
    """A length of time in words, to two digits.

    Examples
    --------
    >>> how_long(2000 * 1300.0), how_long(7200.0), how_long(1.0)
    ('30 days', '2 hours', '1 second')
    """
    _, size, name = next(span for span in _SPANS if seconds >= span[0])
    digits = _two_digits(seconds / size)
    return f"{digits} {name}{'' if digits == '1' else 's'}"


def _two_digits(x: float) -> str:
    return f"{float(f'{x:.1e}'):,.0f}" if x >= 9.95 else f"{x:.2g}"


def promise_in_words(about: Mapping[str, Any]) -> str:
    """The promise in the reader's terms: how long between false alarms, at the rate of the data.

    The rate is that of the values that are there, gaps left out.

    Parameters
    ----------
    about : mapping
        Attributes of what :func:`entro_nb.watch` found.

    Examples
    --------
    >>> import entro_nb as en
    >>> print(promise_in_words(en.watch(en.load_recording("earthquakes")).attrs))
    at most one false alarm in about 13 months at this rate (2,000 values)
    """
    promise = float(about["promise"])
    # Of many streams nobody has counted what is missing.
    each, share = " in each stream", 1.0
    if "columns" in about:
        columns = len(json.loads(about["columns"]))
        each = " in each column" if columns > 1 else ""
        share = 1.0 - about["missing"] / (about["rows"] * columns)
    scale = SECONDS.get(about["time_units"], math.nan)
    seconds = promise * float(about["mean_step"]) * scale / share if share else math.nan
    if not seconds > 0.0:
        return f"at most one false alarm in {promise:,.0f} values{each}"
    length = f"in about {how_long(seconds)} at this rate"
    return f"at most one false alarm {length}{each} ({promise:,.0f} values)"


def alarm_in_words(alarm: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """One line of the table of alarms, as a sentence.

    Examples
    --------
    >>> import entro_nb as en
    >>> x = np.append(np.random.default_rng(5).standard_normal(2000), 9.0)
    >>> found = en.watch(x, en.SurpriseConfig(promise=1000.0))
    >>> alarm_in_words(en.monitor.alarms(found).iloc[0], found.attrs).split(" (score")[0]
    '2000: 9, as surprising as 1 value in 2,000'
    """
    (name, *rest) = json.loads(about["columns"])
    if rest:
        name = str(alarm["column"])
    named = "" if name == "series" else f"{name} "
    # Ties are broken by a coin: of n values none is rarer than one in n.
    rarity = min(1.0 / float(alarm["p_value"]), float(alarm["row"]) + 1.0)
    rare = f"as surprising as 1 value in {_two_digits(rarity)}"
    return (
        f"{told_time(alarm['time'])}: {named}{alarm['value']:.6g}, {rare} "
        f"(score {alarm['score']:.1f} bits, limit {about['limit']:.1f})"
    )


def told_time(time: Any) -> str:
    """A time as a reader writes it, to the second; nothing where none is known."""
    import pandas as pd

    if pd.isna(time):
        return "no time"
    if isinstance(time, (pd.Timestamp, np.datetime64)):
        return str(pd.Timestamp(time).round("s"))
    return spelled_time(time)


def in_words(about: Mapping[str, Any], table: pd.DataFrame, listed: int = LISTED) -> list[str]:
    r"""What was found, line by line: what was read, what was missing, the promise, the alarms.

    Parameters
    ----------
    about : mapping
        Attributes of what :func:`entro_nb.watch` found.
    table : pandas.DataFrame
        Its :func:`~entro_nb.monitor.alarms`.
    listed : int
        Alarms that are told one by one; none with 0.

    Examples
    --------
    >>> import entro_nb as en
    >>> found = en.watch([5.0] * 100)
    >>> print(*in_words(found.attrs, en.monitor.alarms(found)), sep="\n")
    100 rows
    every value is 5: nothing in it can be strange
    at most one false alarm in 2,000 values
    no alarm
    """
    names, constant = json.loads(about["columns"]), json.loads(about["constant"])
    many = len(names) > 1
    lines = [_read(about)]
    if about["missing"] or about["missing_times"]:
        lines.append(_missing(about))
    if left_out := json.loads(about["left_out"]):
        lines.append(f"left out, as they hold no numbers: {', '.join(left_out)}")
    empty = json.loads(about["empty"])
    lines += [f"every value{f' of {name}' if many else ''} is missing" for name in empty]
    for name, value in constant.items():
        of = f" of {name}" if many else ""
        lines.append(f"every value{of} is {value:.6g}: nothing in it can be strange")
    lines.append(promise_in_words(about))
    if table.empty:
        return [*lines, "no alarm", *_strange(about)]
    lines.append("1 alarm" if len(table) == 1 else f"{len(table):,} alarms")
    lines += [alarm_in_words(row, about) for _, row in table.head(listed).iterrows()]
    if len(table) > listed > 0:
        lines.append(f"and {len(table) - listed:,} more")
    return [*lines, *_strange(about)]


def _strange(about: Mapping[str, Any]) -> list[str]:
    """What is said of the strangest value if it raised no alarm."""
    most = json.loads(about["strangest"])
    if most.get("alarm", True):
        return []
    named = "" if most["column"] == "series" else f"{most['column']} "
    return [
        f"the strangest, {_moment(most['time'])}: {named}{most['value']:.6g} (score "
        f"{most['score']:.1f} bits), raised none: of so few values one must be the strangest"
    ]


def _moment(time: Any) -> str:
    return told_time(np.datetime64(time) if isinstance(time, str) else time)


def _read(about: Mapping[str, Any]) -> str:
    """How many rows, of when, and how far apart."""
    line = f"{about['rows']:,} row{'' if about['rows'] == 1 else 's'}"
    if len(names := json.loads(about["columns"])) > 1:
        line += f" of {', '.join(names)}"
    if not about.get("start"):
        return line
    line += f" from {about['start']} to {about['stop']}"
    if about.get("time"):
        line += f" (column {about['time']})"
    step = float(about["step"])
    if not step > 0.0:
        return line
    scale = SECONDS.get(about["time_units"])
    apart = f"{step:g} {about['time_units']}" if scale is None else how_long(scale * step)
    gaps = f", {about['gaps']:,} gap{'' if about['gaps'] == 1 else 's'}" if about["gaps"] else ""
    return f"{line}, {apart} apart in the median{gaps}"


def _missing(about: Mapping[str, Any]) -> str:
    parts = []
    for name, key in (("value", "missing"), ("time", "missing_times")):
        if n := about[key]:
            parts.append(f"{n:,} {name}{' is' if n == 1 else 's are'} missing")
    return f"{' and '.join(parts)}: counted, not filled in"
