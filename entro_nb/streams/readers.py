"""How the bytes of each stream become scalars: those that push, then those that are asked."""

from __future__ import annotations

import base64
import calendar
import functools
import math
import re
import zlib
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from entro_nb.streams.messages import (
    Message,
    Unreadable,
    document,
    identity,
    iso_moment,
    item,
    json_lines,
    moment,
    parse,
    server_sent_events,
    text_number,
    true_number,
)

#: From here on a float no longer holds every whole number, and no page is so long.
_TOO_LONG = 2**53


@server_sent_events
def wikipedia(event: Any) -> Message:
    """Bytes that each edit added or removed, |length.new − length.old| (seed 003, stream 1).

    A new page has no old length: 0 (ours). Log entries and categorisations carry no length, and
    events of the domain "canary" are the operator's probes.
    """
    domain, kind = item(event, "meta", "domain"), event.get("type")
    if domain == "canary":
        return Message.other("canary event")
    if kind not in ("edit", "new"):
        return Message.other("not an edit or a new page")
    new, old = item(event, "length", "new"), item(event, "length", "old")
    if kind == "new" and old is None:
        old = 0
    if type(new) is not int or type(old) is not int:
        return Message.missing("no length")
    if not (0 <= new < _TOO_LONG and 0 <= old < _TOO_LONG):
        return Message.unreadable("a length out of range")
    return Message.of(
        float(abs(new - old)),
        key=identity(item(event, "meta", "id")),
        topic=domain if isinstance(domain, str) else "",
        time=true_number(event.get("timestamp")),
    )


@json_lines
def bitstamp(message: Any) -> Message:
    """Price of each trade, a JSON number (seed 003, stream 2)."""
    event, channel = message.get("event"), message.get("channel")
    if event == "bts:request_reconnect":
        return Message.other("the server asks for a new connection", reconnect=True)
    if event != "trade":
        return Message.other("not a trade")
    if not isinstance(channel, str) or not channel.startswith("live_trades_"):
        return Message.other("not a channel of trades")
    return Message.of(
        true_number(item(message, "data", "price")),
        "no price",
        key=identity(item(message, "data", "id")),
        topic=channel,
        time=moment(text_number(item(message, "data", "microtimestamp")), 1e6),
    )


@json_lines
def binance(message: Any) -> Message:
    """Price of each trade or aggregate trade, a decimal in text (seed 003, stream 3)."""
    if "stream" in message:
        message = message.get("data")
        if not isinstance(message, dict):
            return Message.unreadable("not an object")
    kind = message.get("e")
    if kind not in ("trade", "aggTrade"):
        return Message.other("not a trade")
    number = identity(message.get("t" if kind == "trade" else "a"))
    symbol = message.get("s")
    return Message.of(
        text_number(message.get("p")),
        "no price",
        key=None if number is None else (kind, number),
        topic=symbol if isinstance(symbol, str) else "",
        time=moment(true_number(message.get("T")), 1e3),
    )


def openrail(payload: bytes) -> list[Message]:
    """Minutes that each train is late, early ones negative (seed 003, stream 10).

    Movements (type 0003) only: their `timetable_variation` with the sign of `variation_status`.
    `tpl_delay`, which the seed names, is a field of no feed. A train off its route has no time
    to vary from.
    """
    try:
        body = parse(payload)
    except Unreadable:
        return _movements(payload)
    if isinstance(body, list):
        return [_movement(message) for message in body] or [Message.other("no message")]
    return [_movement(body)]


_SIGN = {"LATE": 1.0, "EARLY": -1.0, "ON TIME": 0.0}


def _movement(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    header, body = message.get("header"), message.get("body")
    # Recordings without the header exist; a movement is then told by its fields.
    if header is not None and item(header, "msg_type") != "0003":
        return Message.other("not a movement")
    if not isinstance(body, dict) or "timetable_variation" not in body:
        return Message.missing("no variation")
    status = body.get("variation_status")
    sign = _SIGN.get(status) if isinstance(status, str) else None
    minutes = text_number(body["timetable_variation"])
    if sign is None or minutes is None or minutes < 0 or (sign == 0.0 and minutes != 0.0):
        return Message.missing("no variation")
    names = ("train_id", "loc_stanox", "event_type", "actual_timestamp", "correction_ind")
    return Message.of(
        sign * minutes if minutes else 0.0,
        key=tuple(str(body.get(name)) for name in names) if body.get("train_id") else None,
        time=moment(text_number(body.get("actual_timestamp")), 1e3),
    )


_movements = json_lines(_movement)

#: Bytes that a message of Darwin's may unfold to; real ones have some thousands.
_UNFOLDED = 2**24

#: What happens at a place, the telling one first, with its planned times: the public's, else the
#: railway's own.
_AT_A_PLACE = (("dep", ("ptd", "wtd")), ("arr", ("pta", "wta")), ("pass", ("wtp",)))

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_DAY = 24 * 60.0


def darwin(payload: bytes) -> list[Message]:
    """Minutes that each train is late at the place it has reached (seed 003, stream 10).

    The seed names `tpl_delay`; Darwin's `tpl` is a place, and the delay there is its actual or
    estimated time less the planned one. Which place is ours to choose: the last with an actual
    time, else the first with an estimate. Times are of no date: a train is taken to be at most
    six hours early and less than eighteen late.

    Examples
    --------
    >>> darwin(b'<Pport><uR><TS rid="1"><Location tpl="X" ptd="23:58"><dep at="00:03"/>'
    ...        b'</Location></TS></uR></Pport>')[0].value
    5.0
    """
    text = _unfolded(payload)
    # A document type could define entities that unfold without end; Darwin sends none.
    if text is None or "<!DOCTYPE" in text:
        return [Message.unreadable("no XML of Darwin's")]
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return [Message.unreadable("not XML")]
    if _name(root) != "Pport":
        return [Message.unreadable("no XML of Darwin's")]
    trains = [_forecast(e, iso_moment(root.get("ts"))) for e in root.iter() if _name(e) == "TS"]
    return trains or [Message.other("no forecast of a train")]


def _unfolded(payload: bytes) -> str | None:
    """Text of a payload, unfolded if it is compressed."""
    try:
        if payload.startswith(b"\x1f\x8b"):
            unfold = zlib.decompressobj(31)
            payload = unfold.decompress(payload, _UNFOLDED)
            if not unfold.eof:
                return None
        return str(payload, "utf-8-sig")
    except (zlib.error, UnicodeDecodeError):
        return None


def _name(element: ElementTree.Element) -> str:
    """Name without its namespace, whose version changes from year to year."""
    return element.tag.rpartition("}")[2]


def _forecast(train: ElementTree.Element, time: float | None) -> Message:
    actual = estimate = None
    for place in train:
        actual = _late(place, "at") or actual
        estimate = estimate or _late(place, "et")
    found = actual or estimate
    if found is None:
        return Message.missing("no time to compare")
    minutes, *where = found
    return Message.of(minutes, key=(train.get("rid"), *where), time=time)


def _late(place: ElementTree.Element, kind: str) -> tuple[float, str, str, str] | None:
    """Minutes late at a place, by its actual or estimated time, and which time that is."""
    events = {_name(event): event for event in place}
    for name, plans in _AT_A_PLACE:
        text = events[name].get(kind, "") if name in events else ""
        then = _minutes(text)
        planned = next((t for p in plans if (t := _minutes(place.get(p, ""))) is not None), None)
        if then is not None and planned is not None:
            late = (then - planned + _DAY / 4) % _DAY - _DAY / 4
            return late, place.get("tpl", ""), name, text
    return None


def _minutes(text: str) -> float | None:
    """Minutes since midnight."""
    if (match := _TIME.fullmatch(text)) is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 60.0 + minutes + seconds / 60.0


@json_lines
def certstream(message: Any) -> Message:
    """Number of names on each certificate, len(all_domains) (seed 003, stream 11; the row is cut).

    The domains-only form and heartbeats carry no certificate.
    """
    if message.get("message_type") != "certificate_update":
        return Message.other("not a certificate")
    data = message.get("data")
    names = item(data, "leaf_cert", "all_domains")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return Message.missing("no list of names")
    log, index = item(data, "source", "url"), item(data, "cert_index")
    return Message.of(
        float(len(names)),
        key=(log, index) if isinstance(log, str) and type(index) is int else None,
        time=true_number(item(data, "seen")),
    )


def yahoo(payload: bytes) -> list[Message]:
    """Price in each PricingData, a float32 (seed 003, named among the adapters).

    Either the base64 text alone (version 1) or inside an envelope (version 2).
    """
    text = payload.strip()
    if text.startswith(b"{"):
        return _envelopes(payload)
    return [_pricing(line) for line in text.split()] or [Message.unreadable("empty")]


@json_lines
def _envelopes(message: Any) -> Message:
    if message.get("type") != "pricing":
        return Message.other("not a price")
    inner = message.get("message")
    if not isinstance(inner, str) or not inner.isascii():
        return Message.missing("no base64 text")
    return _pricing(inner.encode("ascii"))


def _pricing(text: bytes) -> Message:
    from google.protobuf.message import DecodeError

    try:
        data = base64.b64decode(text, validate=True)
        found = _pricing_data().FromString(data)
    except (ValueError, DecodeError):
        return Message.unreadable("no PricingData")
    if not found.id or not found.id.isascii():
        return Message.unreadable("no symbol")
    # A price of zero and no price look the same on this wire: neither is a reading. A trade has no
    # number here: the same bytes again are the same price sent again.
    return Message.of(
        found.price if found.HasField("price") else None,
        "no price",
        key=data,
        topic=found.id.decode("ascii"),
        time=moment(found.time if found.HasField("time") else None, 1e3),
    )


@functools.cache
def _pricing_data() -> Any:
    """Protobuf's class for the first three fields of PricingData: the others are of no use here."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="pricing_data.proto")
    message = file.message_type.add(name="PricingData")
    for name, kind in (
        ("id", field.TYPE_BYTES),
        ("price", field.TYPE_FLOAT),
        ("time", field.TYPE_SINT64),
    ):
        message.field.add(
            name=name, number=len(message.field) + 1, type=kind, label=field.LABEL_OPTIONAL
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("PricingData"))


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
