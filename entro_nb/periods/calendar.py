"""Days, ISO weeks and months of a time zone, as instants in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError

__all__ = ["KINDS", "SECOND", "Period", "instants", "periods", "zone"]

KINDS = ("daily", "weekly", "monthly")

#: Nanoseconds in a second: instants are counted as NumPy's datetime64[ns] does.
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Period:
    """Stretch of the calendar, from its first midnight to before the next one's.

    Parameters
    ----------
    label : str
        ``2026-03-29``, ``2026-W13`` or ``2026-03``.
    start, stop : int
        In nanoseconds since 1970, UTC.
    """

    label: str
    start: int
    stop: int

    @property
    def seconds(self) -> float:
        """Length in s; a day on which clocks change has 23 or 25 hours."""
        return (self.stop - self.start) / SECOND


def zone(name: str) -> ZoneInfo:
    """Time zone by its name in the IANA database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ParameterError("timezone", name, "a name like Europe/Berlin, or UTC") from error


def periods(first: int, last: int, kind: str, timezone: str = "UTC") -> list[Period]:
    """Every period from that of one instant to that of another, without gap or overlap.

    Parameters
    ----------
    first, last : int
        Instants, in nanoseconds since 1970.
    kind : {"daily", "weekly", "monthly"}
    timezone : str
        Whose midnights count.

    Raises
    ------
    ParameterError
        If the kind or the time zone is unknown, or the instants are in the wrong order.

    Examples
    --------
    >>> day = np.datetime64("2026-03-29T12:00", "ns").astype(int)
    >>> periods(day, day, "daily", "Europe/Berlin")[0].seconds / 3600
    23.0
    """
    kind = validate.choice("period", kind, KINDS)
    tz = zone(timezone)
    if last < first:
        raise ParameterError("last", last, f"an instant not before the first, {first}")
    here = datetime.fromtimestamp(first // SECOND, UTC).astimezone(tz).date()
    monday = here - timedelta(days=here.weekday())
    day = {"daily": here, "weekly": monday, "monthly": here.replace(day=1)}[kind]
    found = []
    while (start := _midnight(day, tz)) <= last:
        after = _next(day, kind)
        found.append(Period(_label(day, kind), start, _midnight(after, tz)))
        day = after
    return found


def _midnight(day: date, tz: ZoneInfo) -> int:
    moment = datetime(day.year, day.month, day.day, tzinfo=tz)
    return int(moment.timestamp()) * SECOND


def _next(day: date, kind: str) -> date:
    if kind == "monthly":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if kind == "weekly" else 1)


def _label(day: date, kind: str) -> str:
    if kind == "weekly":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return day.strftime("%Y-%m-%d" if kind == "daily" else "%Y-%m")


def instants(times: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Instants of a coordinate of datetime64, in nanoseconds since 1970."""
    return np.asarray(times, dtype="datetime64[ns]").astype(np.int64)
