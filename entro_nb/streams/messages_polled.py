"""Messages of the streams that are asked: CoinGecko, USGS, NOAA, ThingSpeak, MTA, AirNow."""

from __future__ import annotations

import calendar
import math
import re
from datetime import datetime
from typing import Any

from entro_nb.streams.messages import (
    Message,
    document,
    identity,
    iso_moment,
    item,
    moment,
    text_number,
    true_number,
)


@document
def coingecko(body: Any) -> Message:
    """Price of one bitcoin in US dollars (seed 003, stream 4); either error body carries none."""
    if not isinstance(body, dict):
        return Message.unreadable("not an object")
    if "error_code" in body or isinstance(body.get("status"), dict):
        return Message.other("an error message of the server")
    price, updated = (
        true_number(item(body, "bitcoin", name)) for name in ("usd", "last_updated_at")
    )
    return Message.of(price, "no price", key=updated, time=updated)


@document
def usgs(body: Any) -> Message:
    """Magnitude of the latest earthquake of a GeoJSON summary (seed 003, stream 5).

    The latest is the one with the largest time, wherever it stands; its magnitude may be
    negative, or null, which is missing.
    """
    features = item(body, "features")
    if not isinstance(features, list):
        return Message.unreadable("no list of features")
    timed = [
        (time, feature)
        for feature in features
        if (time := true_number(item(feature, "properties", "time"))) is not None
    ]
    if not timed:
        return Message.missing("no earthquake")
    time, quake = max(timed, key=lambda pair: pair[0])
    magnitude = true_number(item(quake, "properties", "mag"))
    return Message.of(magnitude, "no magnitude", key=identity(quake.get("id")), time=time / 1e3)


_WAVE_HEIGHT = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_DIGITS = re.compile(r"\d{1,4}", re.ASCII)

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
    column = names.index("WVHT")
    # Month is MM and minute mm, and some files write hhmm in one.
    clock = [names.index(n) for n in ("YY", "YYYY", "MM", "DD", "hh", "mm", "hhmm") if n in names]
    if not payload.endswith((b"\n", b"\r")) and column == len(names) - 1:
        lines.pop()
    newest: tuple[tuple[int, ...], float] | None = None
    for line in lines[1:]:
        row = line.split()
        if len(row) != len(names) or not all(_DIGITS.fullmatch(row[k]) for k in clock):
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


def _epoch(time: tuple[int, ...]) -> float | None:
    if len(time) != 5 or not 1970 <= time[0] <= 9999:
        return None
    try:
        return float(calendar.timegm(datetime(*time).timetuple()))
    except ValueError:
        return None


@document
def thingspeak(body: Any) -> Message:
    """`field1` of the last entry of a channel, a number in text (seed 003, stream 7).

    The label of the field in the channel's own description is no value, and the bodies -1 and
    "-1" say that access is refused.
    """
    if body in (-1, "-1"):
        return Message.other("access refused")
    if not isinstance(body, dict):
        return Message.unreadable("not an object")
    feeds = body.get("feeds")
    if feeds is None and "entry_id" in body:
        feeds = [body]
    if not isinstance(feeds, list):
        return Message.unreadable("no list of entries")
    entry = feeds[-1] if feeds else None
    if not isinstance(entry, dict):
        return Message.missing("no entry")
    field = entry.get("field1")
    number, channel = entry.get("entry_id"), item(body, "channel", "id")
    known = type(number) is int and (channel is None or type(channel) is int)
    return Message.of(
        text_number(field.strip(" \t\r\n") if isinstance(field, str) else field),
        "field1 holds no number",
        key=(channel, number) if known else None,
        time=iso_moment(entry.get("created_at")),
    )


def mta(payload: bytes) -> list[Message]:
    """Mean delay over the stops of a GTFS-realtime feed, in seconds (seed 003, stream 8).

    Only where a delay is stated: of a stop's arrival, else of its departure. The mean over all
    stops is ours. Feeds of alerts, of vehicles or of times only are normal, and carry none.
    """
    from google.protobuf.message import DecodeError
    from google.transit.gtfs_realtime_pb2 import FeedMessage

    feed = FeedMessage()
    try:
        feed.ParseFromString(payload)
    except DecodeError:
        return [Message.unreadable("no GTFS-realtime feed")]
    if not feed.IsInitialized():
        return [Message.unreadable("no GTFS-realtime feed")]
    delays: list[int] = []
    for entity in feed.entity:
        # Without an update of a trip, the message there is empty: it has no stops.
        for stop in entity.trip_update.stop_time_update:
            stated = [e.delay for e in (stop.arrival, stop.departure) if e.HasField("delay")]
            delays += stated[:1]
    if not delays:
        return [Message.missing("no stop with a delay")]
    stamp = feed.header.timestamp or None
    return [Message.of(math.fsum(delays) / len(delays), key=stamp, time=moment(stamp, 1.0))]


@document
def airnow(body: Any) -> Message:
    """Air Quality Index of a place: the largest over its pollutants (seed 003, stream 9).

    Records of the present service name it nowcastAQI, those of the retired ones AQI. A negative
    index stands for none.
    """
    if isinstance(body, dict) and "WebServiceError" in body:
        return Message.other("an error message of the server")
    if not isinstance(body, list):
        return Message.unreadable("not a list")
    indices: list[float] = []
    observed: list[tuple[str, ...]] = []
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
        observed.append(tuple(str(record.get(name)) for name in names))
    # One hour's observation, and again once another pollutant has come in or changed.
    key = (tuple(sorted(observed)), tuple(sorted(indices)))
    return Message.of(max(indices, default=None), "no index", key=key)
