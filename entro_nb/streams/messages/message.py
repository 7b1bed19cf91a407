"""One message of a stream: its scalar, if it carries one, and if not, why not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

__all__ = [
    "Content",
    "Message",
    "Reader",
    "Unreadable",
    "iso_moment",
    "parse",
    "text_number",
    "true_number",
]


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
        cls, value: float, *, key: Hashable = None, topic: str = "", time: float | None = None
    ) -> Message:
        """Message that carries a scalar; one that is not finite is unreadable."""
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


class Unreadable(Exception):  # noqa: N818  (never leaves this package)
    """A payload that is not what the protocol promises; the text says how."""


def _no_constant(name: str) -> Any:
    raise Unreadable("NaN or infinity, which JSON does not know")


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
