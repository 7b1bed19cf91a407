"""Messages of measuring networks: USGS, NOAA, ThingSpeak, AirNow."""

from __future__ import annotations

import calendar
import re
from datetime import datetime
from typing import Any

from entro_nb.streams.messages.framing import whole
from entro_nb.streams.messages.message import Message, iso_moment, text_number, true_number

__all__ = ["airnow", "noaa", "thingspeak", "usgs"]


def usgs(payload: bytes) -> list[Message]:
    """Magnitude of the latest earthquake of a GeoJSON summary (seed 003, stream 5).

    The latest is the one with the largest time, wherever it stands; its magnitude may be
    negative, or null, which is missing.
    """
    return whole(payload, _summary)


def _summary(body: Any) -> Message:
    features = body.get("features") if isinstance(body, dict) else None
    if not isinstance(features, list):
        return Message.unreadable("no list of features")
    latest: tuple[float, dict[str, Any], Any] | None = None
    for feature in features:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            continue
        time = true_number(properties.get("time"))
        if time is not None and (latest is None or time > latest[0]):
            latest = (time, properties, feature.get("id"))
    if latest is None:
        return Message.missing("no earthquake")
    time, properties, identity = latest
    magnitude = true_number(properties.get("mag"))
    if magnitude is None:
        return Message.missing("no magnitude")
    return Message.of(
        magnitude, key=identity if isinstance(identity, str) else None, time=time / 1e3
    )


_WAVE_HEIGHT = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_CLOCK = re.compile(r"\d{1,4}", re.ASCII)

#: No wave is so high: the archives write 99.00 for missing where the live files write MM.
_NO_HEIGHT = 99.0


def noaa(payload: bytes) -> list[Message]:
    """Significant wave height of the newest row that has one, in metres (seed 003, stream 6).

    The column is found by its name, which not every file of a station has. A row that is cut
    off, at the end of a broken transfer, does not count.
    """
    try:
        lines = str(payload, "utf-8").splitlines()
    except UnicodeDecodeError:
        return [Message.unreadable("not UTF-8")]
    names = lines[0].lstrip("#").split() if lines else []
    if not names or names[0] not in ("YY", "YYYY"):
        return [Message.unreadable("no header")]
    if "WVHT" not in names:
        return [Message.missing("no wave height in this file")]
    column, clock = names.index("WVHT"), _clock(names)
    if not payload.endswith((b"\n", b"\r")) and column == len(names) - 1:
        lines.pop()
    newest: tuple[tuple[int, ...], float] | None = None
    for line in lines[1:]:
        row = line.split()
        if len(row) != len(names) or not all(_CLOCK.fullmatch(row[k]) for k in clock):
            continue
        if _WAVE_HEIGHT.fullmatch(row[column]) is None:
            continue
        height, time = float(row[column]), tuple(int(row[k]) for k in clock)
        if height < _NO_HEIGHT and (newest is None or time > newest[0]):
            newest = (time, height)
    if newest is None:
        return [Message.missing("no wave height yet")]
    time, height = newest
    return [Message.of(height, key=time, time=_epoch(time))]


def _clock(names: list[str]) -> list[int]:
    """Columns of the time: month is MM and minute mm, and some files write hhmm in one."""
    wanted = ("YY", "YYYY", "MM", "DD", "hh", "mm", "hhmm")
    return [names.index(name) for name in wanted if name in names]


def _epoch(time: tuple[int, ...]) -> float | None:
    if len(time) != 5 or not 1970 <= time[0] <= 9999:
        return None
    try:
        return float(calendar.timegm(datetime(*time).timetuple()))
    except ValueError:
        return None


def thingspeak(payload: bytes) -> list[Message]:
    """`field1` of the last entry of a channel, a number in text (seed 003, stream 7).

    The label of the field in the channel's own description is no value, and the bodies -1 and
    "-1" say that access is refused.
    """
    return whole(payload, _channel)


def _channel(body: Any) -> Message:
    if body in (-1, "-1"):
        return Message.other("access refused")
    if not isinstance(body, dict):
        return Message.unreadable("not an object")
    channel, feeds = body.get("channel"), body.get("feeds")
    if feeds is None and "entry_id" in body:
        feeds = [body]
    if not isinstance(feeds, list):
        return Message.unreadable("no list of entries")
    entry = feeds[-1] if feeds else None
    if not isinstance(entry, dict):
        return Message.missing("no entry")
    field = entry.get("field1")
    value = text_number(field.strip(" \t\r\n") if isinstance(field, str) else field)
    if value is None:
        return Message.missing("field1 holds no number")
    number = entry.get("entry_id")
    where = channel.get("id") if isinstance(channel, dict) else None
    known = type(number) is int and (where is None or type(where) is int)
    return Message.of(
        value, key=(where, number) if known else None, time=iso_moment(entry.get("created_at"))
    )


def airnow(payload: bytes) -> list[Message]:
    """Air Quality Index of a place: the largest over its pollutants (seed 003, stream 9).

    Records of the present service name it nowcastAQI, those of the retired ones AQI. A negative
    index stands for none.
    """
    return whole(payload, _observation)


def _observation(body: Any) -> Message:
    if isinstance(body, dict) and "WebServiceError" in body:
        return Message.other("an error message of the server")
    if not isinstance(body, list):
        return Message.unreadable("not a list")
    indices: list[float] = []
    identity: list[tuple[str, ...]] = []
    for record in body:
        if not isinstance(record, dict):
            continue
        current = "nowcastAQI" in record
        index = true_number(record.get("nowcastAQI" if current else "AQI"))
        if index is None or index < 0:
            continue
        indices.append(index)
        names = ("dateObserved", "hourObserved", "reportingAreaName", "parameterName")
        if not current:
            names = ("DateObserved", "HourObserved", "ReportingArea", "ParameterName")
        identity.append(tuple(str(record.get(name)) for name in names))
    if not indices:
        return Message.missing("no index")
    # One hour's observation, and again once another pollutant has come in or changed.
    return Message.of(max(indices), key=(tuple(sorted(identity)), tuple(sorted(indices))))
