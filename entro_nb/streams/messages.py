"""One message of a stream, its scalar or why there is none, and how payloads are cut into messages.

A payload is one JSON document, or, as recorded, one JSON object a line or a stream of events:
:func:`document`, :func:`json_lines` and :func:`server_sent_events` turn the function that reads
one JSON value into the reader of such payloads. A reader is a pure function, one a stream, which
never raises and never invents.

Rules for all: every payload gives at least one slot; a message that carries no scalar, or that
is not what the protocol promises (cut off, not UTF-8, of the wrong type), gives None. A JSON
number is a number, a boolean is not; text is one only where the protocol sends numbers as text,
and then in plain decimal notation.
"""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from entro_nb.validate import Count, checked


class Content(Enum):
    """What a message brings."""

    VALUE = "value"  #: a scalar
    MISSING = "missing"  #: a place for the scalar, and nothing in it
    OTHER = "other"  #: a message of another kind: acknowledgement, heartbeat, log entry
    UNREADABLE = "unreadable"  #: not what the protocol promises


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream, read.

    Parameters
    ----------
    value : float or None
        The scalar, finite; None if the message carries none.
    content : Content
        Which of the four kinds it is.
    note : str
        Why there is no scalar, in words of ours (never text of the stream).
    key : hashable, optional
        Identity that the protocol repeats: the same trade, earthquake or observation.
    topic : str
        Channel or symbol that the message belongs to; empty if the protocol names none.
    time : float, optional
        When the source says it happened, seconds since 1970.
    reconnect : bool
        Whether the server asks for a new connection.

    Examples
    --------
    >>> Message.of(7.5).content, Message.missing("sensor silent").value
    (<Content.VALUE: 'value'>, None)
    """

    value: float | None
    content: Content
    note: str = ""
    key: Hashable = None
    topic: str = ""
    time: float | None = None
    reconnect: bool = False

    @classmethod
    def of(
        cls,
        value: float | None,
        absent: str = "no value",
        *,
        key: Hashable = None,
        topic: str = "",
        time: float | None = None,
    ) -> Message:
        """Message with a scalar; without one it is missing, and one not finite is unreadable."""
        if value is None:
            return cls.missing(absent)
        if not math.isfinite(value):
            return cls.unreadable("a number that is not finite")
        return cls(value, Content.VALUE, "", key, topic, time)

    @classmethod
    def missing(cls, note: str) -> Message:
        """Message with a place for the scalar and nothing in it."""
        return cls(None, Content.MISSING, note)

    @classmethod
    def other(cls, note: str, *, reconnect: bool = False) -> Message:
        """Message of another kind."""
        return cls(None, Content.OTHER, note, reconnect=reconnect)

    @classmethod
    def unreadable(cls, note: str) -> Message:
        """Message that is not what the protocol promises."""
        return cls(None, Content.UNREADABLE, note)


#: What reads a payload: bytes in, its messages in order out. It never raises.
Reader = Callable[[bytes], list[Message]]

#: From a JSON value to its message.
Interpreter = Callable[[Any], Message]


class Unreadable(Exception):  # noqa: N818  (never leaves this package)
    """A payload that is not what the protocol promises; the text says how."""


_NO_CONSTANT = "NaN or infinity, which JSON does not know"


def _no_constant(name: str) -> Any:
    raise Unreadable(_NO_CONSTANT)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse(payload: bytes) -> Any:
    """JSON value of a payload in strict UTF-8.

    Raises
    ------
    Unreadable
        If the bytes are no UTF-8 or the text is no JSON (NaN and Infinity are none).

    Examples
    --------
    >>> parse(b'{"p": 1}')
    {'p': 1}
    """
    try:
        return _DECODER.decode(str(payload, "utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def true_number(value: Any) -> float | None:
    """Finite JSON number as a float; a boolean, a text or anything else is none.

    Examples
    --------
    >>> true_number(3), true_number(True), true_number("3")
    (3.0, None, None)
    """
    if type(value) is not float and type(value) is not int:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


#: Decimal notation in ASCII: what float() accepts besides ("nan", "1_0", "٣") is no reading.
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def text_number(value: Any) -> float | None:
    """Number where the protocol sends numbers as text; a JSON number is one too.

    Examples
    --------
    >>> text_number("48.20000"), text_number("nan"), text_number("#FFFF00")
    (48.2, None, None)
    """
    if isinstance(value, str):
        if _DECIMAL.fullmatch(value) is None:
            return None
        number = float(value)
        return number if math.isfinite(number) else None
    return true_number(value)


def moment(number: float | None, per_second: float) -> float | None:
    """Moment given in parts of a second since 1970, in seconds.

    Examples
    --------
    >>> moment(2500, 1e3), moment(None, 1e3)
    (2.5, None)
    """
    return None if number is None else number / per_second


def iso_moment(text: Any) -> float | None:
    """Moment written as ISO 8601 with its zone, in seconds since 1970.

    Examples
    --------
    >>> iso_moment("1970-01-01T01:00:00+01:00"), iso_moment("1970-01-01T01:00:00")
    (0.0, None)
    """
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def item(value: Any, *keys: str) -> Any:
    """What a JSON value holds under keys within keys, None where there is no such place.

    Examples
    --------
    >>> item({"data": {"price": 5}}, "data", "price"), item({"data": [5]}, "data", "price")
    (5, None)
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def identity(value: Any) -> int | str | None:
    """What may identify a message: a whole number or a text."""
    return value if type(value) is int or isinstance(value, str) else None


def document(interpret: Interpreter) -> Reader:
    """Reader of payloads that are one JSON document."""
    return _named(interpret, lambda payload: [_whole(payload, interpret)])


def json_lines(interpret: Interpreter) -> Reader:
    """Reader of payloads that are one JSON object, or a recording with one a line."""
    each = _of_object(interpret)

    def read(payload: bytes) -> list[Message]:
        try:
            return [each(parse(payload))]
        except Unreadable as reason:
            whole = [Message.unreadable(str(reason))]
        # Bytes that are no line feed, and lines that the protocol's text cannot contain, stay
        # whole.
        lines = [line for line in payload.split(b"\n") if line.strip()]
        if len(lines) < 2 or whole[0].note == _NO_CONSTANT:
            return whole
        objects = [_object(line) for line in lines]
        if all(value is None for value in objects):
            return whole
        return [Message.unreadable("not JSON") if o is None else interpret(o) for o in objects]

    return _named(interpret, read)


def server_sent_events(interpret: Interpreter) -> Reader:
    """Reader of a recorded event stream, or of the data of its events, one a line."""
    lines, each = json_lines(interpret), _of_object(interpret)

    def read(payload: bytes) -> list[Message]:
        payload = payload.removeprefix(b"\xef\xbb\xbf")
        if _FIELD.match(payload) is None:
            return lines(payload)
        found = [_whole(data.encode("utf-8", "replace"), each) for data in _event_data(payload)]
        return found or [Message.other("no event")]

    return _named(interpret, read)


_FIELD = re.compile(rb"\s*(?::|(?:data|event|id|retry)(?:[:\r\n]|$))")


def _event_data(payload: bytes) -> Iterator[str]:
    """Data of the Server-Sent Events in a recorded payload; its end closes the last one."""
    import httpx
    from httpx_sse import EventSource

    response = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=payload + b"\n\n"
    )
    # Without data the standard dispatches nothing; the library does, once an id is known.
    return (event.data for event in EventSource(response).iter_sse() if event.data)


def _whole(payload: bytes, interpret: Interpreter) -> Message:
    try:
        return interpret(parse(payload))
    except Unreadable as reason:
        return Message.unreadable(str(reason))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = parse(line)
    except Unreadable:
        return None
    return value if isinstance(value, dict) else None


def _of_object(interpret: Interpreter) -> Interpreter:
    return lambda value: (
        interpret(value) if isinstance(value, dict) else Message.unreadable("not an object")
    )


def _named(interpret: Interpreter, read: Reader) -> Reader:
    """The reader under the name, and with the words, of what reads one value."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(read, name, getattr(interpret, name))
    return read


class Deduplicator:
    """Remembers the identities of recent messages, and says which come again.

    Parameters
    ----------
    memory : int
        Identities remembered, the oldest given up first. A stream that repeats after a
        reconnection repeats what it sent just before: a few thousand are minutes of the
        fastest stream.

    Examples
    --------
    >>> seen = Deduplicator(memory=2)
    >>> [seen.admit(key) for key in ("a", "a", "b", "c", "a")]
    [True, False, True, True, True]
    """

    @checked
    def __init__(self, memory: Count = 8192) -> None:
        self.memory = memory
        self._seen: OrderedDict[Hashable, None] = OrderedDict()

    def admit(self, key: Hashable) -> bool:
        """Whether this identity is new; None, for a message without one, always is."""
        if key is None:
            return True
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > self.memory:
            self._seen.popitem(last=False)
        return True
