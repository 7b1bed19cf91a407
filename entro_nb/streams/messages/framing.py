"""From a payload to the JSON values in it: one, one a line, or one a Server-Sent Event."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from entro_nb.streams.messages.message import Message, Unreadable, parse

__all__ = ["each_event", "each_line", "sse_data", "whole"]

#: From a JSON value to its message.
Interpreter = Callable[[Any], Message]


def whole(payload: bytes, interpret: Interpreter) -> list[Message]:
    """Message of a payload that is one JSON document."""
    try:
        return [interpret(parse(payload))]
    except Unreadable as reason:
        return [Message.unreadable(str(reason))]


def each_line(payload: bytes, interpret: Interpreter) -> list[Message]:
    """Messages of a payload that is one JSON document, or a recording with one a line."""
    one = whole(payload, interpret)
    # Bytes that are no line feed, and lines that the protocol's text cannot contain, stay whole.
    lines = [line for line in payload.split(b"\n") if line.strip()]
    if len(lines) < 2 or one[0].note not in ("not JSON", "not UTF-8"):
        return one
    each = [whole(line, interpret)[0] if _is_object(line) else None for line in lines]
    if all(message is None for message in each):
        return one
    return [Message.unreadable("not JSON") if m is None else m for m in each]


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse(line), dict)
    except Unreadable:
        return False


_FIELD = re.compile(rb"\s*(?::|(?:data|event|id|retry)(?:[:\r\n]|$))")


def sse_data(payload: bytes) -> Iterator[str]:
    """Data of the Server-Sent Events in a recorded payload; its end closes the last one."""
    import httpx
    from httpx_sse import EventSource

    response = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=payload + b"\n\n"
    )
    for event in EventSource(response).iter_sse():
        # Without data the standard dispatches nothing; the library does, once an id is known.
        if event.data:
            yield event.data


def each_event(payload: bytes, interpret: Interpreter) -> list[Message]:
    """Messages of a recorded event stream, or of the data of its events, one a line."""
    payload = payload.removeprefix(b"\xef\xbb\xbf")
    if _FIELD.match(payload) is None:
        return each_line(payload, interpret)
    found = [whole(data.encode("utf-8", "replace"), interpret)[0] for data in sse_data(payload)]
    return found or [Message.other("no event")]
