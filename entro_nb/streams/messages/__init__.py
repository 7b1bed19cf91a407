"""From bytes to scalars: one pure function a stream, which never raises and never invents.

Rules for all: every payload gives at least one slot; a message that carries no scalar, or that
is not what the protocol promises (cut off, not UTF-8, of the wrong type), gives None. A JSON
number is a number, a boolean is not; text is one only where the protocol sends numbers as text,
and then in plain decimal notation.
"""

from entro_nb.streams.messages.darwin import darwin
from entro_nb.streams.messages.earth import airnow, noaa, thingspeak, usgs
from entro_nb.streams.messages.markets import binance, bitstamp, coingecko, yahoo
from entro_nb.streams.messages.message import (
    Content,
    Message,
    Reader,
    text_number,
    true_number,
)
from entro_nb.streams.messages.transport import mta, openrail
from entro_nb.streams.messages.web import certstream, wikipedia

__all__ = [
    "Content",
    "Message",
    "Reader",
    "airnow",
    "binance",
    "bitstamp",
    "certstream",
    "coingecko",
    "darwin",
    "mta",
    "noaa",
    "openrail",
    "text_number",
    "thingspeak",
    "true_number",
    "usgs",
    "wikipedia",
    "yahoo",
]
