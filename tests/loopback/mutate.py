"""Mutations of payloads, and an independent reading of what numbers a payload can hold."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

NASTY = [
    b"true", b"false", b"null", b"NaN", b"-Infinity", b'"nan"', b'"inf"', b"-1", b'"-1"', b"1e999",
    b"[]", b"{}", b'""', b'"1_0"', '"٣"'.encode(), b"-0", b"99999999999999999999999", b'"0x10"',
    b"0.1e-400", b"\xff", b"\xe2\x82", b"MM", b"99.00", b"\\u0000", b"\n", b"\r\ndata: ", b":",
]  # fmt: skip
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\S+?(?=\s)')


def mutate(payload: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One to three random changes of a payload: bytes, tokens, cuts, repeats, a splice."""
    for _ in range(int(rng.integers(1, 4))):
        size = len(payload)
        at, to = sorted(int(k) for k in rng.integers(0, size + 1, 2))
        match int(rng.integers(0, 8)):
            case 0 if size:
                at = min(at, size - 1)
                flipped = payload[at] ^ (1 << int(rng.integers(0, 8)))
                payload = payload[:at] + bytes([flipped]) + payload[at + 1 :]
            case 1:
                payload = payload[:at]
            case 2:
                payload = payload[:at] + payload[to:]
            case 3:
                payload = payload[:to] + payload[at : at + 200] + payload[to:]
            case 4:
                payload = payload[:at] + other[to:]
            case 5:
                noise = rng.integers(0, 256, int(rng.integers(1, 9)), dtype=np.uint8).tobytes()
                payload = payload[:at] + noise + payload[at:]
            case _ if size:
                token = TOKEN.search(payload, at if at < size else 0)
                if token is not None:
                    new = NASTY[int(rng.integers(0, len(NASTY)))]
                    payload = payload[: token.start()] + new + payload[token.end() :]
    return payload


KEYS = {
    "bitstamp": {"price"},
    "binance": {"p"},
    "coingecko": {"usd"},
    "usgs": {"mag"},
    "thingspeak": {"field1"},
    "airnow": {"AQI", "nowcastAQI"},
    "openrail": {"timetable_variation"},
}


def possible(stream: str, payload: bytes, value: float) -> bool:
    """Whether the payload holds this number where the stream keeps its scalar."""
    if not math.isfinite(value):
        return False
    if stream == "noaa":
        return any(_float(token) == value for token in payload.decode().split())
    if stream == "yahoo":
        packed = struct.pack("<f", value)
        return any(packed in data for data in _base64(payload))
    if stream == "mta":
        delays = list(_delays(payload))
        return bool(delays) and min(delays) <= value <= max(delays)
    trees = list(_trees(payload))
    if stream == "certstream":
        return any(
            isinstance(v, list) and len(v) == value
            for t in trees
            for k, v in _items(t)
            if k == "all_domains"
        )
    if stream == "wikipedia":
        lengths = [v for t in trees for k, v in _items(t) if k == "length"]
        return any(
            isinstance(v, dict)
            and type(v.get("new")) is int
            and type(v.get("old") or 0) is int
            and abs(v["new"] - (v.get("old") or 0)) == value
            for v in lengths
        )
    held = [v for t in trees for k, v in _items(t) if k in KEYS[stream] and type(v) is not bool]
    return any(abs(_float(v)) == abs(value) for v in held)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _trees(payload: bytes) -> Iterator[Any]:
    """Everything in the payload that is JSON: the whole, its lines, the data of its events."""
    text = payload.decode("utf-8", "replace").removeprefix("\ufeff")
    texts = [text, *re.split(r"[\r\n]+", text)]
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for block in re.split(r"\n\n+", plain):
        data = [
            line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")
        ]
        texts += ["\n".join(data)] if data else []
    for candidate in texts:
        try:
            yield json.loads(candidate)
        except (ValueError, RecursionError):
            continue


def _items(tree: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key, value
            yield from _items(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _items(value)


def _base64(payload: bytes) -> Iterator[bytes]:
    tokens = [*payload.split(), *re.findall(rb'"message"\s*:\s*"([^"]*)"', payload)]
    for tree in _trees(payload):
        tokens += [str(v).encode() for k, v in _items(tree) if k == "message"]
    for token in tokens:
        try:
            yield base64.b64decode(token, validate=True)
        except binascii.Error:
            continue


def _delays(data: bytes) -> Iterator[int]:
    """Delays of stop events, by walking FeedMessage 2 / 3 / 2 / (2 or 3) / 1 by hand."""
    for entity in _walk(data, (2,)):
        for update in _walk(entity, (3,)):
            for stop in _walk(update, (2,)):
                for event in _walk(stop, (2, 3)):
                    for delay in _walk(event, (1,), kind=0):
                        low = delay & 0xFFFFFFFF
                        yield low - 2**32 if low >= 2**31 else low


def _walk(data: Any, wanted: tuple[int, ...], kind: int = 2) -> Iterator[Any]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            width = 8 if wire == 1 else 4
            value, at = data[at : at + width], at + width
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            value = None  # group marks: their fields follow on the same level
        if tag >> 3 in wanted and wire == kind:
            yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            break
    return value, at
