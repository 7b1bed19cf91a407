"""Messages of Darwin, the forecasts of Britain's trains: XML, compressed on the wire."""

from __future__ import annotations

import re
import zlib
from xml.etree import ElementTree

from entro_nb.streams.messages.message import Message, iso_moment

__all__ = ["darwin"]

#: Bytes that a message may unfold to; real ones have some thousands.
LIMIT = 2**24

#: What happens at a place, the telling one first, with its planned times: the public's, else the
#: railway's own.
EVENTS = (("dep", ("ptd", "wtd")), ("arr", ("pta", "wta")), ("pass", ("wtp",)))

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
    text = _text(payload)
    # A document type could define entities that unfold without end; Darwin sends none.
    if text is None or "<!DOCTYPE" in text:
        return [Message.unreadable("no XML of Darwin's")]
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return [Message.unreadable("not XML")]
    if _name(root) != "Pport":
        return [Message.unreadable("no XML of Darwin's")]
    trains = [_train(e, iso_moment(root.get("ts"))) for e in root.iter() if _name(e) == "TS"]
    return trains or [Message.other("no forecast of a train")]


def _text(payload: bytes) -> str | None:
    """Text of a payload, unfolded if it is compressed."""
    if payload.startswith(b"\x1f\x8b"):
        unfold = zlib.decompressobj(31)
        try:
            payload = unfold.decompress(payload, LIMIT)
        except zlib.error:
            return None
        if not unfold.eof:
            return None
    try:
        return str(payload, "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _name(element: ElementTree.Element) -> str:
    """Name without its namespace, whose version changes from year to year."""
    return element.tag.rpartition("}")[2]


def _train(train: ElementTree.Element, moment: float | None) -> Message:
    actual = estimate = None
    for place in train:
        actual = _late(place, "at") or actual
        estimate = estimate or _late(place, "et")
    found = actual or estimate
    if found is None:
        return Message.missing("no time to compare")
    minutes, *where = found
    return Message.of(minutes, key=(train.get("rid"), *where), time=moment)


def _late(place: ElementTree.Element, kind: str) -> tuple[float, str, str, str] | None:
    """Minutes late at a place, by its actual or estimated time, and which time that is."""
    events = {_name(event): event for event in place}
    for name, plans in EVENTS:
        text = events[name].get(kind, "") if name in events else ""
        then = _clock(text)
        planned = next((t for p in plans if (t := _clock(place.get(p, ""))) is not None), None)
        if then is not None and planned is not None:
            late = (then - planned + _DAY / 4) % _DAY - _DAY / 4
            return late, place.get("tpl", ""), name, text
    return None


def _clock(text: str) -> float | None:
    """Minutes since midnight."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 60.0 + minutes + seconds / 60.0
