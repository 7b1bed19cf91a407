"""Messages of the streams that push: Wikipedia, markets, Britain's trains, certificates."""

from __future__ import annotations

import base64
import functools
import re
import zlib
from typing import Any
from xml.etree import ElementTree

from entro_nb.streams.messages import (
    Message,
    Unreadable,
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
