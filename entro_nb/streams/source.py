"""What a stream is: where it is, how it is asked, how it is read, and on what terms."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.streams.messages import Reader

__all__ = ["ACCESS", "Credential", "Source"]

#: Kinds of access, and the URL schemes of each.
ACCESS: Mapping[str, tuple[str, ...]] = {
    "websocket": ("ws", "wss"),
    "sse": ("http", "https"),
    "rest": ("http", "https"),
    "stomp": ("stomp", "stomps", "ws", "wss"),
}

_PLACES = ("query", "header", "login", "passcode")


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that a stream asks for: only its place is kept here, never the secret.

    Parameters
    ----------
    variable : str
        Environment variable that holds it.
    place : {"query", "header", "login", "passcode"}
        Where it goes: URL query, request header, or STOMP login.
    field : str
        Name of the query parameter or the header.
    required : bool
        Whether the stream answers nothing without it.
    """

    variable: str
    place: str
    field: str = ""
    required: bool = True

    def __post_init__(self) -> None:
        validate.choice("place", self.place, _PLACES)

    def secret(self) -> str | None:
        """The secret, if the environment has one."""
        return os.environ.get(self.variable) or None


@dataclass(frozen=True, slots=True)
class Source:
    """One stream: endpoint, access, reader, band and terms.

    Parameters
    ----------
    name, title : str
        Short name, and what it is in words.
    endpoint : str
        URL. STOMP over TCP is written ``stomp://host:port``, over TLS ``stomps://``, over
        WebSocket ``ws://`` or ``wss://``.
    access : {"websocket", "sse", "rest", "stomp"}
        How it is asked.
    read : callable
        From the bytes of a payload to its messages (see :mod:`entro_nb.streams.messages`).
    quantity, units : str
        What the scalar is.
    low, high : float
        Band for normalisation: where the scalar usually lies.
    interval : float
        Seconds between two requests of a polled stream; 0 for one that pushes.
    stall : float
        Seconds of silence after which an open connection counts as dead.
    subscribe : tuple of str
        Messages to send once connected; for STOMP, the destinations.
    topic : str
        Channel or symbol that messages must belong to; empty admits all.
    media : tuple of str
        Media types an HTTP answer may have; empty admits all but HTML.
    credentials : tuple of Credential
        What it asks for.
    terms, attribution : str
        On what terms the data may be used, and whom to name.
    note : str
        What else a user should know.

    Raises
    ------
    ParameterError
        If the endpoint's scheme does not fit the access, or a number is out of range.

    Examples
    --------
    >>> from entro_nb.streams.messages import Message
    >>> def read(payload):
    ...     return [Message.of(float(payload))]
    >>> thirteenth = Source(
    ...     "cellar", "Cellar thermometer", "http://127.0.0.1:8000/", "rest", read,
    ...     "temperature", "degC", low=0.0, high=30.0, interval=10.0)
    >>> thirteenth.at("http://127.0.0.1:9000/").endpoint
    'http://127.0.0.1:9000/'
    """

    name: str
    title: str
    endpoint: str
    access: str
    read: Reader
    quantity: str
    units: str
    low: float
    high: float
    interval: float = 0.0
    stall: float = 60.0
    subscribe: tuple[str, ...] = ()
    topic: str = ""
    media: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    terms: str = ""
    attribution: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ParameterError("name", self.name, "letters, digits and underscores")
        schemes = ACCESS[validate.choice("access", self.access, ACCESS)]
        parts = urlsplit(self.endpoint)
        if parts.scheme not in schemes or not parts.hostname:
            raise ParameterError(
                "endpoint", self.endpoint, f"a URL with the scheme {' or '.join(schemes)}"
            )
        if parts.password is not None:
            # The endpoint is shown and logged; the error must not show it either.
            raise ParameterError(
                "endpoint", f"{parts.scheme}://…@{parts.hostname}", "no secret in a URL"
            )
        if not callable(self.read):
            raise ParameterTypeError("read", self.read, "a function from bytes to messages")
        validate.band(self.low, self.high)
        polled = self.access == "rest"
        validate.real("interval", self.interval, low=0.0, open_low=polled)
        validate.real("stall", self.stall, low=0.0, open_low=True)

    def at(self, endpoint: str) -> Source:
        """The same stream at another endpoint."""
        return replace(self, endpoint=endpoint)

    def missing_credentials(self) -> list[str]:
        """Environment variables that it needs and that are not set."""
        return [c.variable for c in self.credentials if c.required and c.secret() is None]

    def secrets(self) -> list[str]:
        """Every secret that the environment holds for it."""
        return [secret for c in self.credentials if (secret := c.secret()) is not None]
