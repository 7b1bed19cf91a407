"""Messages of markets: Bitstamp, Binance, CoinGecko, Yahoo Finance."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

from entro_nb.streams.messages.framing import each_line, whole
from entro_nb.streams.messages.message import (
    Message,
    Unreadable,
    text_number,
    true_number,
)

__all__ = ["binance", "bitstamp", "coingecko", "yahoo"]


def bitstamp(payload: bytes) -> list[Message]:
    """Price of each trade, a JSON number (seed 003, stream 2)."""
    return each_line(payload, _bitstamp)


def _bitstamp(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    event, channel, data = message.get("event"), message.get("channel"), message.get("data")
    if event == "bts:request_reconnect":
        return Message.other("the server asks for a new connection", reconnect=True)
    if event != "trade":
        return Message.other("not a trade")
    if not isinstance(channel, str) or not channel.startswith("live_trades_"):
        return Message.other("not a channel of trades")
    price = true_number(data.get("price")) if isinstance(data, dict) else None
    if price is None:
        return Message.missing("no price")
    assert isinstance(data, dict)
    micro = text_number(data.get("microtimestamp"))
    return Message.of(
        price,
        key=_identity(data.get("id")),
        topic=channel,
        time=None if micro is None else micro / 1e6,
    )


def binance(payload: bytes) -> list[Message]:
    """Price of each trade or aggregate trade, a decimal in text (seed 003, stream 3)."""
    return each_line(payload, _binance)


def _binance(message: Any) -> Message:
    if isinstance(message, dict) and "stream" in message:
        message = message.get("data")
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    kind = message.get("e")
    if kind not in ("trade", "aggTrade"):
        return Message.other("not a trade")
    price = text_number(message.get("p"))
    if price is None:
        return Message.missing("no price")
    number = _identity(message.get("t" if kind == "trade" else "a"))
    symbol = message.get("s")
    happened = true_number(message.get("T"))
    return Message.of(
        price,
        key=None if number is None else (kind, number),
        topic=symbol if isinstance(symbol, str) else "",
        time=None if happened is None else happened / 1e3,
    )


def coingecko(payload: bytes) -> list[Message]:
    """Price of one bitcoin in US dollars (seed 003, stream 4); either error body carries none."""
    return whole(payload, _coingecko)


def _coingecko(body: Any) -> Message:
    if not isinstance(body, dict):
        return Message.unreadable("not an object")
    if "error_code" in body or isinstance(body.get("status"), dict):
        return Message.other("an error message of the server")
    coin = body.get("bitcoin")
    price = true_number(coin.get("usd")) if isinstance(coin, dict) else None
    if price is None:
        return Message.missing("no price")
    assert isinstance(coin, dict)
    updated = true_number(coin.get("last_updated_at"))
    return Message.of(price, key=updated, time=updated)


def yahoo(payload: bytes) -> list[Message]:
    """Price in each PricingData, a float32 (seed 003, named among the adapters).

    Either the base64 text alone (version 1) or inside an envelope (version 2).
    """
    text = payload.strip()
    if text.startswith(b"{"):
        return each_line(payload, _envelope)
    return [_pricing(line) for line in text.split()] or [Message.unreadable("empty")]


def _envelope(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message.unreadable("not an object")
    if message.get("type") != "pricing":
        return Message.other("not a price")
    inner = message.get("message")
    if not isinstance(inner, str) or not inner.isascii():
        return Message.missing("no base64 text")
    return _pricing(inner.encode("ascii"))


def _pricing(text: bytes) -> Message:
    try:
        data = base64.b64decode(text, validate=True)
        fields = _fields(data)
    except (binascii.Error, Unreadable):
        return Message.unreadable("no PricingData")
    symbol, price, zigzag = fields.get((1, 2)), fields.get((2, 5)), fields.get((3, 0))
    if not isinstance(symbol, bytes) or not symbol or not symbol.isascii():
        return Message.unreadable("no symbol")
    if not isinstance(price, bytes):
        # A price of zero and no price look the same on this wire: neither is a reading.
        return Message.missing("no price")
    happened = None if not isinstance(zigzag, int) else ((zigzag >> 1) ^ -(zigzag & 1)) / 1e3
    (value,) = struct.unpack("<f", price)
    # A trade has no number here: the same bytes again are the same price sent again.
    return Message.of(value, key=data, topic=symbol.decode("ascii"), time=happened)


def _fields(data: bytes) -> dict[tuple[int, int], int | bytes]:
    """Fields of a protobuf message by (number, wire type); the last of a kind wins."""
    fields: dict[tuple[int, int], int | bytes] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or kind not in (0, 1, 2, 5):
            raise Unreadable("no such wire type")
        if kind == 0:
            fields[number, kind], at = _varint(data, at)
            continue
        size = {1: 8, 5: 4}.get(kind, 0)
        if kind == 2:
            size, at = _varint(data, at)
        if at + size > len(data):
            raise Unreadable("cut off")
        fields[number, kind], at = data[at : at + size], at + size
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(10):
        if at + k >= len(data):
            raise Unreadable("cut off")
        value |= (data[at + k] & 0x7F) << (7 * k)
        if data[at + k] < 0x80:
            return value & (2**64 - 1), at + k + 1
    raise Unreadable("a number too long")


def _identity(value: Any) -> int | str | None:
    return value if type(value) is int or isinstance(value, str) else None
