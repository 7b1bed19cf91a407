"""Darwin's forecasts: minutes late at the place that a train has reached."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from loopback import payloads
from loopback.mutate import mutate

from entro_nb.streams import CATALOG, Content
from entro_nb.streams.readers import darwin

NAME = "10_darwin_TS-2025-three-locations.xml"


def forecast(*places: str, attributes: str = "") -> bytes:
    inner = "".join(f"<f:Location {place}</f:Location>" for place in places)
    return (
        f'<Pport xmlns="urn:p" xmlns:f="urn:f" {attributes}><uR><TS rid="9">{inner}</TS></uR>'
        "</Pport>"
    ).encode()


def late(*places: str) -> float | None:
    (message,) = darwin(forecast(*places))
    return message.value


@payloads.needed
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_the_recorded_message(wrap) -> None:
    """Of three places the train has left one: planned 09:46, left 09:48."""
    (message,) = darwin(wrap((payloads.FOLDER / NAME).read_bytes()))
    assert message.value == 2.0
    assert message.key == ("202508188967985", "DRUMRY", "dep", "09:48")
    assert message.time == 1755506926.426817


@pytest.mark.parametrize(
    ("place", "minutes"),
    [
        ('tpl="A" ptd="10:00"><f:dep at="10:03"/>', 3.0),
        ('tpl="A" ptd="10:00" wtd="10:01:30"><f:dep at="10:03"/>', 3.0),
        ('tpl="A" wtd="10:01:30"><f:dep at="10:03"/>', 1.5),
        ('tpl="A" wtp="10:00"><f:pass at="09:58"/>', -2.0),
        ('tpl="A" ptd="10:02" pta="10:00"><f:arr at="10:05"/><f:dep at="10:03"/>', 1.0),
        ('tpl="A" ptd="23:58"><f:dep at="00:03"/>', 5.0),
        ('tpl="A" ptd="00:02"><f:dep at="23:59"/>', -3.0),
        ('tpl="A" ptd="10:00"><f:dep delayed="true"/>', None),
        ('tpl="A" ptd="10:00"><f:dep at="24:00"/>', None),
        ('tpl="A" ptd="10:00"><f:dep at="10:3"/>', None),
        ('tpl="A"><f:dep at="10:03"/>', None),
        ('tpl="A" ptd="10:00"><f:plat>2</f:plat>', None),
    ],
)
def test_planned_against_actual(place: str, minutes: float | None) -> None:
    assert late(place) == minutes


def test_the_last_place_with_an_actual_time_counts_else_the_first_estimate() -> None:
    left = 'tpl="A" ptd="10:00"><f:dep at="10:01"/>'
    reached = 'tpl="B" pta="10:10"><f:arr at="10:14"/>'
    ahead = 'tpl="C" pta="10:20"><f:arr et="10:26"/>'
    further = 'tpl="D" pta="10:30"><f:arr et="10:37"/>'
    assert late(left, reached, ahead, further) == 4.0
    assert late(ahead, further) == 6.0


@given(planned=st.integers(0, 1439), delay=st.integers(-360, 1079))
def test_any_delay_around_midnight(planned: int, delay: int) -> None:
    def clock(minutes: int) -> str:
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}"

    assert late(f'tpl="A" ptd="{clock(planned)}"><f:dep at="{clock(planned + delay)}"/>') == delay


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"<", b"\xff\xfe<Pport/>", b"<Pport>", b"<Other/>", b"{}",
        gzip.compress(b"<Pport/>", mtime=0)[:-4], b"\x1f\x8b nothing of the kind",
        gzip.compress(b"<Pport/>" + b" " * 2**25, mtime=0),
        b'<!DOCTYPE P [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Pport>&b;</Pport>',
    ],
)  # fmt: skip
def test_what_is_none_is_unreadable(payload: bytes) -> None:
    (message,) = darwin(payload)
    assert message.content is Content.UNREADABLE


def test_other_messages_and_several_trains() -> None:
    assert darwin(b"<Pport><uR><schedule/></uR></Pport>")[0].content is Content.OTHER
    one = forecast('tpl="A" ptd="10:00"><f:dep at="10:03"/>')
    two = one.replace(b"</uR>", b'<TS rid="2"/></uR>')
    assert [m.content for m in darwin(two)] == [Content.VALUE, Content.MISSING]


@payloads.needed
def test_mutated_messages_invent_nothing() -> None:
    """Every delay found is a difference of two times that stand in the payload."""
    body = (payloads.FOLDER / NAME).read_bytes()
    rng = np.random.default_rng(10)
    numbers = 0
    for _ in range(2000):
        payload = mutate(body, body, rng)
        for message in darwin(payload):
            if message.value is None:
                continue
            numbers += 1
            times = re.findall(rb"(\d\d):(\d\d)(?::(\d\d))?", payload)
            seconds = [int(h) * 3600 + int(m) * 60 + int(sec or 0) for h, m, sec in times]
            gaps = {(a - b) % 86400 for a in seconds for b in seconds}
            assert round(message.value * 60) % 86400 in gaps
    assert numbers > 100


def test_it_reads_the_tenth_stream_in_the_place_of_the_other_feed() -> None:
    source = replace(CATALOG["openrail"], read=darwin, subscribe=("/topic/darwin",))
    payload = gzip.compress(forecast('tpl="A" ptd="10:00"><f:dep at="10:03"/>'))
    assert [m.value for m in source.read(payload)] == [3.0]
