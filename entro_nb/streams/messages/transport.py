"""Messages of public transport: GTFS-realtime feeds, Network Rail's train movements."""

from __future__ import annotations

import math
from typing import Any

from entro_nb.streams.messages.framing import each_line
from entro_nb.streams.messages.message import (
    Message,
    Unreadable,
    parse,
    text_number,
)

__all__ = ["mta", "openrail"]


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
    delays = [
        event.delay
        for entity in feed.entity
        if entity.HasField("trip_update")
        for stop in entity.trip_update.stop_time_update
        for event in _stated(stop)
    ]
    if not delays:
        return [Message.missing("no stop with a delay")]
    stamp = feed.header.timestamp or None
    return [
        Message.of(
            math.fsum(delays) / len(delays), key=stamp, time=None if stamp is None else float(stamp)
        )
    ]


def _stated(stop: Any) -> list[Any]:
    """The event of a stop that states a delay, if one does."""
    for name in ("arrival", "departure"):
        if stop.HasField(name) and getattr(stop, name).HasField("delay"):
            return [getattr(stop, name)]
    return []


def openrail(payload: bytes) -> list[Message]:
    """Minutes that each train is late, early ones negative (seed 003, stream 10).

    Movements (type 0003) only: their `timetable_variation` with the sign of `variation_status`.
    `tpl_delay`, which the seed names, is a field of no feed. A train off its route has no time
    to vary from.
    """
    try:
        body = parse(payload)
    except Unreadable:
        return each_line(payload, _train)
    if isinstance(body, list):
        return [_train(message) for message in body] or [Message.other("no message")]
    return [_train(body)]


_SIGN = {"LATE": 1.0, "EARLY": -1.0, "ON TIME": 0.0}


def _train(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    header, body = message.get("header"), message.get("body")
    # Recordings without the header exist; a movement is then told by its fields.
    if header is not None and (not isinstance(header, dict) or header.get("msg_type") != "0003"):
        return Message.other("not a movement")
    if not isinstance(body, dict) or "timetable_variation" not in body:
        return Message.missing("no variation")
    status = body.get("variation_status")
    sign = _SIGN.get(status) if isinstance(status, str) else None
    minutes = text_number(body["timetable_variation"])
    if sign is None or minutes is None or minutes < 0 or (sign == 0.0 and minutes != 0.0):
        return Message.missing("no variation")
    names = ("train_id", "loc_stanox", "event_type", "actual_timestamp", "correction_ind")
    happened = text_number(body.get("actual_timestamp"))
    return Message.of(
        sign * minutes if minutes else 0.0,
        key=tuple(str(body.get(name)) for name in names) if body.get("train_id") else None,
        time=None if happened is None else happened / 1e3,
    )
