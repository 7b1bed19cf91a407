"""The 12 public streams of seed 003, and room for more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.streams import messages
from entro_nb.streams.messages import Message
from entro_nb.streams.source import Credential, Source

__all__ = ["CATALOG", "add", "find", "read", "scalars"]

_JSON = ("application/json", "application/geo+json", "application/vnd.geo+json", "text/json")

_ENTRIES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "wikipedia",
            "Wikipedia recent changes, all wikis",
            "https://stream.wikimedia.org/v2/stream/recentchange",
            "sse",
            messages.wikipedia,
            "size of an edit", "bytes", 0.0, 2000.0,
            stall=30.0,
            terms="Wikimedia terms of use; a User-Agent is required",
            attribution="Wikimedia Foundation, EventStreams",
            note="cut by the server after about 15 minutes, and taken up where it ended",
        ),
        Source(
            "bitstamp",
            "Bitstamp, trades BTC/USD",
            "wss://ws.bitstamp.net",
            "websocket",
            messages.bitstamp,
            "price", "USD", 0.0, 250_000.0,
            stall=120.0,
            subscribe=('{"event":"bts:subscribe","data":{"channel":"live_trades_btcusd"}}',),
            topic="live_trades_btcusd",
            terms="Bitstamp's API terms",
            attribution="Bitstamp",
        ),
        Source(
            "binance",
            "Binance, trades BTC/USDT",
            "wss://stream.binance.com:9443/ws/btcusdt@trade",
            "websocket",
            messages.binance,
            "price", "USDT", 0.0, 250_000.0,
            topic="BTCUSDT",
            terms="Binance's API terms; not offered in every country",
            attribution="Binance",
            note="a connection lasts 24 hours at most",
        ),
        Source(
            "coingecko",
            "CoinGecko, price of bitcoin",
            "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd",
            "rest",
            messages.coingecko,
            "price", "USD", 0.0, 250_000.0,
            interval=60.0,
            media=_JSON,
            credentials=(
                Credential("COINGECKO_API_KEY", "header", "x-cg-demo-api-key", required=False),
            ),
            terms="CoinGecko's API terms; attribution asked for",
            attribution="Data by CoinGecko",
            note="its retry-after is of no use: the backoff is ours",
        ),
        Source(
            "usgs",
            "USGS earthquakes of the past hour",
            "https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_hour.geojson",
            "rest",
            messages.usgs,
            "magnitude", "1", -1.0, 6.0,
            interval=60.0,
            media=_JSON,
            terms="public domain",
            attribution="U.S. Geological Survey",
        ),
        Source(
            "noaa",
            "NOAA buoy 41002, wave height",
            "https://www.ndbc.noaa.gov/data/realtime2/41002.txt",
            "rest",
            messages.noaa,
            "significant wave height", "m", 0.0, 8.0,
            interval=300.0,
            media=("text/plain",),
            terms="public domain",
            attribution="NOAA National Data Buoy Center",
            note="any station's file will do; one without waves gives none",
        ),
        Source(
            "thingspeak",
            "ThingSpeak channel 9, field 1",
            "https://api.thingspeak.com/channels/9/feeds.json?results=1",
            "rest",
            messages.thingspeak,
            "field 1", "as the channel says", 0.0, 1000.0,
            interval=30.0,
            media=_JSON,
            credentials=(
                Credential("THINGSPEAK_READ_KEY", "query", "api_key", required=False),
            ),
            terms="as the channel's owner says",
            attribution="ThingSpeak and the channel's owner",
            note="put your own channel's number into the endpoint",
        ),
        Source(
            "mta",
            "MTA Long Island Rail Road, mean delay",
            "https://api-endpoint.mta.info/Dataservice/mtagtfsfeeds/lirr%2Fgtfs-lirr",
            "rest",
            messages.mta,
            "delay", "s", -60.0, 600.0,
            interval=30.0,
            terms="MTA's terms for its data feeds",
            attribution="Metropolitan Transportation Authority",
            note="the subway's feeds state times and no delays; any GTFS-realtime feed will do",
        ),
        Source(
            "airnow",
            "EPA AirNow, air quality in Los Angeles",
            "https://www.airnowapi.org/aq/observation/current/ziplatLong/"
            "?format=application/json&latitude=34.05&longitude=-118.24",
            "rest",
            messages.airnow,
            "Air Quality Index", "1", 0.0, 200.0,
            interval=600.0,
            media=_JSON,
            credentials=(Credential("AIRNOW_API_KEY", "query", "api_key"),),
            terms="public domain, preliminary data; a free key is needed",
            attribution="U.S. EPA AirNow and its partner agencies",
        ),
        Source(
            "openrail",
            "Network Rail train movements, delay",
            "stomp://publicdatafeeds.networkrail.co.uk:61618",
            "stomp",
            messages.openrail,
            "delay", "min", -5.0, 30.0,
            subscribe=("/topic/TRAIN_MVT_ALL_TOC",),
            credentials=(
                Credential("OPENRAIL_USER", "login"),
                Credential("OPENRAIL_PASSWORD", "passcode"),
            ),
            terms="Network Rail Infrastructure Limited data feeds licence; registration needed",
            attribution="Network Rail Infrastructure Limited",
            note="Darwin's forecasts instead: read=messages.darwin, its broker and its topic",
        ),
        Source(
            "certstream",
            "Certificate transparency, names on a certificate",
            "wss://certstream.calidog.io/",
            "websocket",
            messages.certstream,
            "names on a certificate", "1", 1.0, 20.0,
            terms="public logs",
            attribution="the operator of the certstream server",
            note="the public server is reported dead: give the endpoint of one that runs",
        ),
        Source(
            "yahoo",
            "Yahoo Finance, price of bitcoin",
            "wss://streamer.finance.yahoo.com/?version=2",
            "websocket",
            messages.yahoo,
            "price", "USD", 0.0, 250_000.0,
            stall=120.0,
            subscribe=('{"subscribe":["BTC-USD"]}',),
            topic="BTC-USD",
            terms="Yahoo's terms; for personal use",
            attribution="Yahoo Finance",
            note="undocumented, and without any guarantee",
        ),
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


def read(stream: str | Source, payload: bytes) -> list[Message]:
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
    >>> read("thingspeak", b'"-1"')[0].note
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
    return [message.value for message in read(stream, payload)]
