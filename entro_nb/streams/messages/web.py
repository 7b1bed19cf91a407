"""Messages of streams that watch the web: Wikipedia's recent changes, certificate transparency."""

from __future__ import annotations

from typing import Any

from entro_nb.streams.messages.framing import each_event, each_line
from entro_nb.streams.messages.message import Message, true_number

__all__ = ["certstream", "wikipedia"]

#: From here on a float no longer holds every whole number, and no page is so long.
_TOO_LONG = 2**53


def wikipedia(payload: bytes) -> list[Message]:
    """Bytes that each edit added or removed, |length.new − length.old| (seed 003, stream 1).

    A new page has no old length: 0 (ours). Log entries and categorisations carry no length, and
    events of the domain "canary" are the operator's probes.
    """
    return each_event(payload, _recent_change)


def _recent_change(event: Any) -> Message:
    if not isinstance(event, dict):
        return Message.unreadable("not an object")
    meta = event.get("meta")
    if not isinstance(meta, dict):
        meta = {}
    if meta.get("domain") == "canary":
        return Message.other("canary event")
    kind = event.get("type")
    if kind not in ("edit", "new"):
        return Message.other("not an edit or a new page")
    length = event.get("length")
    if not isinstance(length, dict):
        return Message.missing("no length")
    new, old = length.get("new"), length.get("old")
    if kind == "new" and old is None:
        old = 0
    if type(new) is not int or type(old) is not int:
        return Message.missing("no length")
    if not (0 <= new < _TOO_LONG and 0 <= old < _TOO_LONG):
        return Message.unreadable("a length out of range")
    identity = meta.get("id")
    return Message.of(
        float(abs(new - old)),
        key=identity if isinstance(identity, str) else None,
        topic=_text(meta.get("domain")),
        time=true_number(event.get("timestamp")),
    )


def certstream(payload: bytes) -> list[Message]:
    """Number of names on each certificate, len(all_domains) (seed 003, stream 11; the row is cut).

    The domains-only form and heartbeats carry no certificate.
    """
    return each_line(payload, _certificate)


def _certificate(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    if message.get("message_type") != "certificate_update":
        return Message.other("not a certificate")
    data = message.get("data")
    leaf = data.get("leaf_cert") if isinstance(data, dict) else None
    names = leaf.get("all_domains") if isinstance(leaf, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return Message.missing("no list of names")
    assert isinstance(data, dict)
    log = data.get("source")
    where, index = log.get("url") if isinstance(log, dict) else None, data.get("cert_index")
    known = isinstance(where, str) and type(index) is int
    return Message.of(
        float(len(names)),
        key=(where, index) if known else None,
        time=true_number(data.get("seen")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
