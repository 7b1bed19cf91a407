"""Bytes in, scalars out: recorded payloads, every variant that the protocols know, and worse."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from google.transit.gtfs_realtime_pb2 import FeedMessage
from loopback import payloads

from entro_nb import streams
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.streams import Content

RECORDED = payloads.recorded()
NAMES = list(streams.CATALOG)


def one(stream: str, value: object) -> float | None:
    """Scalar of one JSON message."""
    (scalar,) = streams.scalars(stream, json.dumps(value).encode())
    return scalar


def content(stream: str, value: object) -> Content:
    return streams.messages_of(stream, json.dumps(value).encode())[0].content


@payloads.needed
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.file)
def test_recorded_payload_gives_its_scalars(case: payloads.Recorded) -> None:
    found = streams.scalars(case.stream, case.payload)
    assert [v is None for v in found] == [v is None for v in case.expected]
    for value, expected in zip(found, case.expected, strict=True):
        assert value is None or value == pytest.approx(expected, rel=0, abs=5e-7)
    assert all(v is None or type(v) is float for v in found)


@payloads.needed
def test_every_stream_and_all_85_payloads_are_there() -> None:
    assert len(RECORDED) == 85
    assert {case.stream for case in RECORDED} == set(NAMES)


@pytest.mark.parametrize("stream", NAMES)
@pytest.mark.parametrize(
    "payload",
    [
        b"", b" ", b"\n\n", b"\x00", b"\xff\xfe", b"\xc3", b"true", b"null", b"12.5", b'"12.5"',
        b"[]", b"{}", b"[[]]", b"NaN", b"-1", b'"-1"', b"{", b"[" * 100_000, b"9" * 5000,
        b"<html>429</html>", b'{"bitcoin":', b":", b"data:", b"event: x\n\n", b"\xef\xbb\xbf",
    ],
    ids=lambda payload: repr(payload[:16]),
)  # fmt: skip
def test_what_is_no_message_gives_no_number(stream: str, payload: bytes) -> None:
    found = streams.scalars(stream, payload)
    assert found
    assert set(found) == {None}


@payloads.needed
@pytest.mark.parametrize("stream", NAMES)
def test_a_cut_payload_never_gives_another_number(stream: str) -> None:
    """Wherever a transfer breaks off, what comes out is what a whole transfer gives, or nothing."""
    for case in RECORDED:
        if case.stream != stream:
            continue
        whole = case.payload
        step = max(1, len(whole) // 200)
        whole_values = set(case.expected)
        for end in range(0, len(whole), step):
            found = streams.scalars(stream, whole[:end])
            if stream == "mta":  # cut between two entities, a feed is a shorter feed
                assert all(v is None or abs(v) < 86400 for v in found)
            else:
                assert {None if v is None else round(v, 6) for v in found} <= (
                    {None if v is None else round(v, 6) for v in whole_values} | {None}
                )


def edit(new: object, old: object, **more: object) -> dict[str, object]:
    return {
        "type": "edit",
        "meta": {"id": "u", "domain": "x"},
        "length": {"new": new, "old": old},
    } | more


def test_wikipedia() -> None:
    assert one("wikipedia", edit(5, 8)) == 3.0
    assert one("wikipedia", edit(0, 0)) == 0.0
    assert one("wikipedia", edit(5, 8, type="new")) == 3.0
    assert one("wikipedia", edit(181, None, type="new")) == 181.0
    assert one("wikipedia", {"type": "new", "length": {"new": 181}}) == 181.0
    for bad in (True, None, "8", 8.5, -1, [8], float("nan")):
        assert one("wikipedia", edit(5, bad)) is None
        assert one("wikipedia", edit(bad, 5)) is None
    assert one("wikipedia", edit(10**400, 1)) is None
    for kind in ("log", "categorize", "external", None, ["edit"], {}):
        assert one("wikipedia", edit(5, 8, type=kind)) is None
    canary = edit(5, 8, meta={"domain": "canary"})
    assert one("wikipedia", canary) is None
    assert content("wikipedia", canary) is Content.OTHER
    assert content("wikipedia", {"type": "edit", "length": None}) is Content.MISSING


def test_wikipedia_as_an_event_stream() -> None:
    data = json.dumps(edit(5, 8), indent=1).replace("\n", "\r\ndata: ")
    text = f":ok\r\n\r\nevent: message\r\nid: [1]\r\ndata: {data}\r\n\r\nid: [2]\r\n\r\n: ping\r\n"
    assert streams.scalars("wikipedia", text.encode()) == [3.0]
    assert streams.scalars("wikipedia", text.replace("\r\n", "\r").encode()) == [3.0]
    assert streams.scalars("wikipedia", b"\xef\xbb\xbf" + text.encode()) == [3.0]
    assert streams.scalars("wikipedia", b":ok\n\n") == [None]
    # A line separator of Unicode ends no line of an event stream.
    odd = json.dumps(edit(5, 8, title="a\u2028b"), ensure_ascii=False)
    assert streams.scalars("wikipedia", f"data: {odd}\n\n".encode()) == [3.0]


def trade(**data: object) -> dict[str, object]:
    return {"event": "trade", "channel": "live_trades_btcusd", "data": data}


def test_bitstamp() -> None:
    assert one("bitstamp", trade(price=69431, id=1)) == 69431.0
    assert one("bitstamp", trade(price=0.5)) == 0.5
    for bad in (True, False, None, "69431", [1], {}, 10**400):
        assert one("bitstamp", trade(price=bad, price_str="1")) is None
    assert one("bitstamp", trade(price_str="1")) is None
    assert one("bitstamp", trade(price=1.0) | {"event": "order_created"}) is None
    assert one("bitstamp", trade(price=1.0) | {"channel": "order_book_btcusd"}) is None
    assert one("bitstamp", trade(price=1.0) | {"data": [1.0]}) is None
    for data in ({}, "", None):
        asked = {"event": "bts:request_reconnect", "channel": "", "data": data}
        assert streams.messages_of("bitstamp", json.dumps(asked).encode())[0].reconnect
    assert streams.messages_of("bitstamp", b'{"event":"bts:request_reconnect"}')[0].reconnect


def test_binance() -> None:
    assert one("binance", {"e": "trade", "p": "78530.40000000"}) == 78530.4
    assert one("binance", {"stream": "x", "data": {"e": "aggTrade", "p": "1"}}) == 1.0
    assert one("binance", {"e": "trade", "p": 5}) == 5.0
    for bad in (
        "nan",
        "inf",
        "-Infinity",
        "1_0",
        "0x1",
        "",
        " ",
        "1e999",
        "٣",
        "1,5",
        True,
        None,
        [1],
    ):
        assert one("binance", {"e": "trade", "p": bad}) is None
    for kind in ("depthUpdate", "bookTicker", "kline", None, ["trade"]):
        assert one("binance", {"e": kind, "p": "1"}) is None
    assert one("binance", {"stream": "x", "data": None}) is None
    assert one("binance", {"u": 1, "s": "X", "b": "1"}) is None


def test_coingecko() -> None:
    assert one("coingecko", {"bitcoin": {"usd": 81552}}) == 81552.0
    assert one("coingecko", {"ethereum": {"usd": 5}}) is None
    for bad in (True, None, "81552", [], {}):
        assert one("coingecko", {"bitcoin": {"usd": bad}}) is None
    assert one("coingecko", {"bitcoin": 81552}) is None
    for error in ({"status": {"error_code": 429}}, {"error_code": 10010}, {"error": "x"}):
        assert one("coingecko", error) is None
    assert streams.scalars("coingecko", b'{"bitcoin":{"usd":NaN}}') == [None]
    assert streams.scalars("coingecko", b'{"bitcoin":{"usd":1e999}}') == [None]


def quake(mag: object, time: object, identity: object = "a") -> dict[str, object]:
    return {"type": "Feature", "id": identity, "properties": {"mag": mag, "time": time}}


def test_usgs() -> None:
    def latest(*features: object) -> float | None:
        return one("usgs", {"type": "FeatureCollection", "features": features})

    assert latest(quake(1.0, 5), quake(2.0, 9), quake(3.0, 7)) == 2.0
    assert latest(quake(-0.4, 9), quake(2.0, 5)) == -0.4
    assert latest(quake(None, 9), quake(2.0, 5)) is None
    assert latest(quake(True, 9)) is None
    assert latest(quake("1.7", 9)) is None
    assert latest(quake(1.7, None), quake(2.0, 5)) == 2.0
    assert latest(quake(1.7, True)) is None
    assert latest() is None
    assert latest(None, 3, {"properties": []}) is None
    assert one("usgs", {"features": None}) is None
    assert (
        streams.messages_of("usgs", json.dumps({"features": [quake(1, 5000)]}).encode())[0].time
        == 5.0
    )


HEAD = "#YY  MM DD hh mm WDIR WVHT   DPD\n#yr  mo dy hr mn degT    m   sec\n"


def station(*rows: str, head: str = HEAD) -> float | None:
    (scalar,) = streams.scalars("noaa", (head + "".join(row + "\n" for row in rows)).encode())
    return scalar


def test_noaa() -> None:
    assert station("2018 08 01 14 50 150 1.2 6", "2018 08 01 13 50 150 9.9 6") == 1.2
    assert station("2018 08 01 13 50 150 9.9 6", "2018 08 01 14 50 150 1.2 6") == 1.2
    assert station("2018 08 01 15 00 150 MM 6", "2018 08 01 14 50 150 1.2 6") == 1.2
    assert station("2018 08 01 14 50 150 0.0 6") == 0.0
    for bad in ("MM", "99.00", "99.0", "999", "-1.0", "nan", "inf", "1e2", "٣", "1_0", "1."):
        assert station(f"2018 08 01 14 50 150 {bad} 6") is None
    assert station("2018 08 01 14 50 150 1.2") is None
    assert station("2018 08 01 14 50 150 1.2 6 7") is None
    assert station("20x8 08 01 14 50 150 1.2 6") is None
    assert station("2018 08 01 14 50 150 1.2", head="#YY MM DD hh mm WDIR WSPD\n") is None
    assert station("2018 08 01 1450 1.2", head="#YY MM DD hhmm WVHT\n") == 1.2
    assert station("98 08 01 14 1.2", head="YY MM DD hh WVHT\n") == 1.2
    # Cut off inside the very value: 1.25 must not become 1.2.
    assert streams.scalars("noaa", b"#YY MM DD hh mm WVHT\n2018 08 01 14 50 1.2") == [None]
    assert (
        streams.messages_of("noaa", (HEAD + "1970 01 02 00 01 9 1.2 6\n").encode())[0].time
        == 86460.0
    )
    assert streams.scalars("noaa", b"#YY MM DD hh mm WVHT\n2018 02 31 14 50 1.2\n") == [1.2]


def test_thingspeak() -> None:
    def last(*entries: object) -> float | None:
        return one("thingspeak", {"channel": {"id": 9, "field1": "77"}, "feeds": entries})

    assert last({"field1": "1"}, {"field1": "48.20000"}) == 48.2
    assert last({"field1": "-1"}) == -1.0
    assert last({"field1": " 24.50\r\n"}) == 24.5
    assert last({"field1": "1e3"}) == 1000.0
    assert last({"field1": 7}) == 7.0
    for bad in (None, "", "nan", "NaN", "inf", "#FFFF00", "1_0", "1,5", True, [1], {}, "0x10", "٣"):
        assert last({"field1": "1"}, {"field1": bad}) is None
    assert last({"field1": "1"}, {"field2": "2"}) is None
    assert last() is None
    assert last(None) is None
    assert one("thingspeak", {"channel": {"field1": "77"}}) is None
    assert one("thingspeak", {"created_at": "x", "entry_id": 5, "field1": "3.5"}) == 3.5
    for refused in (-1, "-1"):
        assert one("thingspeak", refused) is None
        assert content("thingspeak", refused) is Content.OTHER
    assert one("thingspeak", {"status": "404", "error": {"error_code": "error_x"}}) is None


def feed(*stops: tuple[int | None, int | None], timestamp: int = 7) -> bytes:
    message = FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.timestamp = timestamp
    for number, (arrival, departure) in enumerate(stops):
        entity = message.entity.add()
        entity.id = str(number)
        entity.trip_update.trip.trip_id = str(number)
        stop = entity.trip_update.stop_time_update.add()
        for event, delay in ((stop.arrival, arrival), (stop.departure, departure)):
            event.time = 1
            if delay is not None:
                event.delay = delay
    return bytes(message.SerializeToString())


def test_mta() -> None:
    assert streams.scalars("mta", feed((60, 999), (None, 0), (None, None))) == [30.0]
    assert streams.scalars("mta", feed((0, None))) == [0.0]
    assert streams.scalars("mta", feed((-90, None))) == [-90.0]
    assert streams.scalars("mta", feed((None, None))) == [None]
    assert streams.scalars("mta", feed()) == [None]
    assert streams.messages_of("mta", b"")[0].content is Content.UNREADABLE
    assert streams.messages_of("mta", feed((1, 1)))[0].key == 7


def test_airnow() -> None:
    assert one("airnow", [{"nowcastAQI": 11}, {"nowcastAQI": 34}, {"nowcastAQI": 15}]) == 34.0
    assert one("airnow", [{"AQI": 24}, {"AQI": 59}]) == 59.0
    assert one("airnow", [{"AQI": 24}, {"AQI": None}, {"AQI": True}, 3, {}]) == 24.0
    for bad in (-1, -999, None, True, "34", [], {}):
        assert one("airnow", [{"nowcastAQI": bad}]) is None
    assert one("airnow", [{"nowcastAQI": 0}]) == 0.0
    assert one("airnow", {"nowcastAQI": 34}) is None
    assert content("airnow", {"WebServiceError": [{"Message": "x"}]}) is Content.OTHER


def movement(variation: object, status: object, kind: object = "0003") -> dict[str, object]:
    body = {"timetable_variation": variation, "variation_status": status, "train_id": "1"}
    return {"header": {"msg_type": kind}, "body": body}


def test_openrail() -> None:
    assert one("openrail", movement("5", "LATE")) == 5.0
    assert one("openrail", movement("5", "EARLY")) == -5.0
    assert one("openrail", movement("0", "ON TIME")) == 0.0
    assert one("openrail", [movement("5", "LATE")]) == 5.0
    both = [movement("5", "LATE"), movement("5", "LATE", "0001"), movement("2", "EARLY"), 3]
    assert streams.scalars("openrail", json.dumps(both).encode()) == [5.0, None, -2.0, None]
    assert one("openrail", {"body": movement("5", "LATE")["body"]}) == 5.0
    assert str(one("openrail", movement("0", "EARLY"))) == "0.0"
    for status in ("OFF ROUTE", "", None, 5, "late"):
        assert one("openrail", movement("5", status)) is None
    for bad in ("", "nan", "-5", "x", None, True, [5]):
        assert one("openrail", movement(bad, "LATE")) is None
    assert one("openrail", movement("5", "ON TIME")) is None
    for kind in ("0001", "0002", "0005", "0006", "0007", "0008", 3, None):
        assert one("openrail", movement("5", "LATE", kind)) is None
    assert one("openrail", {"header": [], "body": movement("5", "LATE")["body"]}) is None


def certificate(names: object, kind: str = "certificate_update") -> dict[str, object]:
    return {"message_type": kind, "data": {"leaf_cert": {"all_domains": names}}}


def test_certstream() -> None:
    assert one("certstream", certificate(["a", "*.a"])) == 2.0
    assert one("certstream", certificate([])) == 0.0
    for bad in (None, "ab", {"a": 1}, ["a", 1], True, 2):
        assert one("certstream", certificate(bad)) is None
    assert one("certstream", certificate(["a"], "heartbeat")) is None
    assert one("certstream", {"message_type": "dns_entries", "data": ["a", "b"]}) is None
    assert one("certstream", {"message_type": "certificate_update", "data": ["a"]}) is None


def pricing(price: float | None, symbol: bytes = b"BTC-USD", more: bytes = b"") -> bytes:
    data = b"\x0a" + bytes([len(symbol)]) + symbol
    if price is not None:
        data += b"\x15" + struct.pack("<f", price)
    return base64.b64encode(data + more)


def test_yahoo() -> None:
    assert streams.scalars("yahoo", pricing(2.5)) == [2.5]
    assert streams.scalars("yahoo", pricing(2.5) + b"\n") == [2.5]
    assert streams.scalars("yahoo", pricing(-37.5)) == [-37.5]
    assert streams.scalars("yahoo", pricing(1.0) + b"\n" + pricing(2.0)) == [1.0, 2.0]
    assert one("yahoo", {"type": "pricing", "message": pricing(2.5).decode()}) == 2.5
    assert one("yahoo", {"type": "other", "message": pricing(2.5).decode()}) is None
    for bad in (None, 5, "", "é", "####", pricing(None).decode()):
        assert one("yahoo", {"type": "pricing", "message": bad}) is None
    for price in (float("nan"), float("inf")):
        assert streams.scalars("yahoo", pricing(price)) == [None]
    assert streams.scalars("yahoo", pricing(2.5, b"")) == [None]
    # Price as a varint or a double, a group, a field cut off, a number without end.
    for tail in (b"\x10\x05", b"\x11" + bytes(8), b"\x13", b"\x15\x00", b"\x18" + b"\xff" * 11):
        assert streams.scalars("yahoo", pricing(None, more=tail)) == [None]
    zigzag = streams.messages_of("yahoo", pricing(2.5, more=b"\x18\xd0\x0f"))[0]
    assert zigzag.time == 1.0


@pytest.mark.parametrize("stream", ["wikipedia", "bitstamp", "binance", "certstream", "yahoo"])
def test_one_bad_line_spoils_no_other(stream: str) -> None:
    good = {
        "wikipedia": json.dumps(edit(5, 8)),
        "bitstamp": json.dumps(trade(price=3.0)),
        "binance": '{"e":"trade","p":"3"}',
        "certstream": json.dumps(certificate(["a", "b", "c"])),
        "yahoo": json.dumps({"type": "pricing", "message": pricing(3.0).decode()}),
    }[stream].encode()
    lines = [good, b'{"x":\xff}', good, b"{", good[:-2], good]
    assert streams.scalars(stream, b"\n".join(lines)) == [3.0, None, 3.0, None, None, 3.0]


def test_only_bytes_of_a_known_stream_are_read() -> None:
    with pytest.raises(ParameterError, match="did you mean 'bitstamp'"):
        streams.scalars("bitstmap", b"")
    with pytest.raises(ParameterTypeError, match="payload"):
        streams.scalars("bitstamp", "text")  # type: ignore[arg-type]
    assert streams.scalars("bitstamp", memoryview(b"{}")) == [None]
