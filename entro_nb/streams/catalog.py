"""What a stream is, and the 12 public ones of seed 003, with room for more.

An entry says all that is known of a stream; its `read` is the one place that says how the bytes
of this stream become scalars.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.streams import readers
from entro_nb.streams.messages import Message, Reader
from entro_nb.validate import NonNegative, Parameters, Positive

#: Kinds of access, and the URL schemes of each.
_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "websocket": ("ws", "wss"),
    "sse": ("http", "https"),
    "rest": ("http", "https"),
    "stomp": ("stomp", "stomps", "ws", "wss"),
}


@dataclass(frozen=True)
class Credential(Parameters):
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
    place: Literal["query", "header", "login", "passcode"]
    field: str = ""
    required: bool = True

    def secret(self) -> str | None:
        """The secret, if the environment has one."""
        return os.environ.get(self.variable) or None


@dataclass(frozen=True)
class Source(Parameters):
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
    interval: NonNegative = 0.0
    stall: Positive = 60.0
    subscribe: tuple[str, ...] = ()
    topic: str = ""
    media: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    terms: str = ""
    attribution: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name.isidentifier():
            raise ParameterError("name", self.name, "letters, digits and underscores")
        schemes = _SCHEMES[validate.choice("access", self.access, _SCHEMES)]
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
        validate.real("interval", self.interval, low=0.0, open_low=self.access == "rest")

    def at(self, endpoint: str) -> Source:
        """The same stream at another endpoint."""
        return replace(self, endpoint=endpoint)

    def missing_credentials(self) -> list[str]:
        """Environment variables that it needs and that are not set."""
        return [c.variable for c in self.credentials if c.required and c.secret() is None]

    def secrets(self) -> list[str]:
        """Every secret that the environment holds for it."""
        return [secret for c in self.credentials if (secret := c.secret()) is not None]


_JSON = ("application/json", "application/geo+json", "application/vnd.geo+json", "text/json")
_optional = partial(Credential, required=False)

_ENTRIES: dict[str, Source] = {
    source.name: source
    for source in (
        Source("wikipedia", "Wikipedia recent changes, all wikis",
            "https://stream.wikimedia.org/v2/stream/recentchange",
            "sse", readers.wikipedia, "size of an edit", "bytes", 0.0, 2000.0, stall=30.0,
            terms="Wikimedia terms of use; a User-Agent is required",
            attribution="Wikimedia Foundation, EventStreams",
            note="cut by the server after about 15 minutes, and taken up where it ended"),
        Source("bitstamp", "Bitstamp, trades BTC/USD", "wss://ws.bitstamp.net",
            "websocket", readers.bitstamp, "price", "USD", 0.0, 250_000.0, stall=120.0,
            subscribe=('{"event":"bts:subscribe","data":{"channel":"live_trades_btcusd"}}',),
            topic="live_trades_btcusd", terms="Bitstamp's API terms", attribution="Bitstamp"),
        Source("binance", "Binance, trades BTC/USDT",
            "wss://stream.binance.com:9443/ws/btcusdt@trade",
            "websocket", readers.binance, "price", "USDT", 0.0, 250_000.0,
            topic="BTCUSDT", terms="Binance's API terms; not offered in every country",
            attribution="Binance", note="a connection lasts 24 hours at most"),
        Source("coingecko", "CoinGecko, price of bitcoin",
            "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd",
            "rest", readers.coingecko, "price", "USD", 0.0, 250_000.0, interval=60.0, media=_JSON,
            credentials=(_optional("COINGECKO_API_KEY", "header", "x-cg-demo-api-key"),),
            terms="CoinGecko's API terms; attribution asked for", attribution="Data by CoinGecko",
            note="its retry-after is of no use: the backoff is ours"),
        Source("usgs", "USGS earthquakes of the past hour",
            "https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_hour.geojson",
            "rest", readers.usgs, "magnitude", "1", -1.0, 6.0, interval=60.0, media=_JSON,
            terms="public domain", attribution="U.S. Geological Survey"),
        Source("noaa", "NOAA buoy 41002, wave height",
            "https://www.ndbc.noaa.gov/data/realtime2/41002.txt",
            "rest", readers.noaa, "significant wave height", "m", 0.0, 8.0,
            interval=300.0, media=("text/plain",),
            terms="public domain", attribution="NOAA National Data Buoy Center",
            note="any station's file will do; one without waves gives none"),
        Source("thingspeak", "ThingSpeak channel 9, field 1",
            "https://api.thingspeak.com/channels/9/feeds.json?results=1",
            "rest", readers.thingspeak, "field 1", "as the channel says", 0.0, 1000.0,
            interval=30.0, media=_JSON,
            credentials=(_optional("THINGSPEAK_READ_KEY", "query", "api_key"),),
            terms="as the channel's owner says", attribution="ThingSpeak and the channel's owner",
            note="put your own channel's number into the endpoint"),
        Source("mta", "MTA Long Island Rail Road, mean delay",
            "https://api-endpoint.mta.info/Dataservice/mtagtfsfeeds/lirr%2Fgtfs-lirr",
            "rest", readers.mta, "delay", "s", -60.0, 600.0, interval=30.0,
            terms="MTA's terms for its data feeds",
            attribution="Metropolitan Transportation Authority",
            note="the subway's feeds state times and no delays; any GTFS-realtime feed will do"),
        Source("airnow", "EPA AirNow, air quality in Los Angeles",
            "https://www.airnowapi.org/aq/observation/current/ziplatLong/"
            "?format=application/json&latitude=34.05&longitude=-118.24",
            "rest", readers.airnow, "Air Quality Index", "1", 0.0, 200.0, interval=600.0,
            media=_JSON, credentials=(Credential("AIRNOW_API_KEY", "query", "api_key"),),
            terms="public domain, preliminary data; a free key is needed",
            attribution="U.S. EPA AirNow and its partner agencies"),
        Source("openrail", "Network Rail train movements, delay",
            "stomp://publicdatafeeds.networkrail.co.uk:61618",
            "stomp", readers.openrail, "delay", "min", -5.0, 30.0,
            subscribe=("/topic/TRAIN_MVT_ALL_TOC",),
            credentials=(
                Credential("OPENRAIL_USER", "login"), Credential("OPENRAIL_PASSWORD", "passcode")),
            terms="Network Rail Infrastructure Limited data feeds licence; registration needed",
            attribution="Network Rail Infrastructure Limited",
            note="Darwin's forecasts instead: readers.darwin, its broker, its topic"),
        Source("certstream", "Certificate transparency, names on a certificate", "wss://certstream.calidog.io/",
            "websocket", readers.certstream, "names on a certificate", "1", 1.0, 20.0,
            terms="public logs", attribution="the operator of the certstream server",
            note="the public server is reported dead: give the endpoint of one that runs"),
        Source("yahoo", "Yahoo Finance, price of bitcoin",
            "wss://streamer.finance.yahoo.com/?version=2",
            "websocket", readers.yahoo, "price", "USD", 0.0, 250_000.0, stall=120.0,
            subscribe=('{"subscribe":["BTC-USD"]}',), topic="BTC-USD",
            terms="Yahoo's terms; for personal use", attribution="Yahoo Finance",
            note="undocumented, and without any guarantee"),
    )
}  # fmt: skip

#: The streams, by name: the 12 of seed 003 in its order, then those added.
CATALOG: Mapping[str, Source] = MappingProxyType(_ENTRIES)


def add(source: Source) -> None:
    """Put another stream into the catalog, for this session.

    Raises
    ------
    ParameterError
        If the catalog has another stream of that name.
    """
    if not isinstance(source, Source):
        raise ParameterTypeError("source", source, "a Source")
    if _ENTRIES.get(source.name, source) != source:
        raise ParameterError("name", source.name, "a name that the catalog does not have yet")
    _ENTRIES[source.name] = source


def find(stream: str | Source) -> Source:
    """Stream of a name; a :class:`Source` is itself.

    Raises
    ------
    ParameterError
        If there is none of that name; the nearest one is suggested.

    Examples
    --------
    >>> find("usgs").units
    '1'
    """
    if isinstance(stream, Source):
        return stream
    return CATALOG[validate.choice("stream", stream, CATALOG)]


def messages_of(stream: str | Source, payload: bytes) -> list[Message]:
    """Messages of a payload, in order: scalars, and why there is none.

    Parameters
    ----------
    stream : str or Source
        Name in the catalog, or a stream of one's own.
    payload : bytes
        What was received, or several messages as recorded: one a line, or as an event stream.

    Raises
    ------
    ParameterTypeError
        If the payload is not bytes. What the bytes hold never raises.

    Examples
    --------
    >>> messages_of("thingspeak", b'"-1"')[0].note
    'access refused'
    """
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        raise ParameterTypeError("payload", payload, "bytes")
    return find(stream).read(bytes(payload))


def scalars(stream: str | Source, payload: bytes) -> list[float | None]:
    r"""Every scalar of a payload in order, None for a message that carries none.

    Channels and symbols are not told apart here: a live connection admits only what it asked
    for. There is always at least one slot; a payload that cannot be read gives ``[None]``.

    Parameters
    ----------
    stream : str or Source
        Name in the catalog, or a stream of one's own.
    payload : bytes
        What was received, or several messages as recorded.

    Raises
    ------
    ParameterError, ParameterTypeError
        If there is no such stream, or the payload is not bytes.

    Examples
    --------
    >>> scalars("coingecko", b'{"bitcoin":{"usd":111813}}')
    [111813.0]
    >>> scalars("binance", b'{"e":"trade","p":"78530.40"}\n{"result":null,"id":1}')
    [78530.4, None]
    >>> scalars("usgs", b'{"features":[')
    [None]
    """
    return [message.value for message in messages_of(stream, payload)]


def catalog_lines() -> list[str]:
    """The catalog as lines of a table: name, access, pace, units, what it needs, what it is."""
    rows = [("name", "access", "every", "units", "needs", "what")]
    for source in CATALOG.values():
        every = f"{source.interval:g} s" if source.interval else "as it comes"
        needs = " ".join(c.variable for c in source.credentials if c.required) or "-"
        rows.append((source.name, source.access, every, source.units, needs, source.title))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
