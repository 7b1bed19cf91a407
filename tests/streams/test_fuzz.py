"""Mutated payloads: never an unhandled exception, never an invented number.

The suite tries a few hundred a stream, and with ENTRO_NB_FUZZ=100000 in the environment as many
as that.
"""

from __future__ import annotations

import base64
import json
import os

import numpy as np
import pytest
from hypothesis import given, strategies as st
from loopback import payloads
from loopback.mutate import mutate, possible

from entro_nb import streams
from entro_nb.streams import Content

MUTATIONS = int(os.environ.get("ENTRO_NB_FUZZ", "400"))
RECORDED = payloads.recorded()
NAMES = list(streams.CATALOG)


def check(stream: str, payload: bytes) -> int:
    """Numbers found in a payload, each proved to stand in it."""
    messages = streams.messages_of(stream, payload)
    assert messages
    for message in messages:
        assert (message.value is None) == (message.content is not Content.VALUE)
        assert bool(message.note) == (message.value is None)
        hash(message.key)
        if message.value is not None:
            assert type(message.value) is float
            assert possible(stream, payload, message.value), (message, payload)
    return sum(message.value is not None for message in messages)


@payloads.needed
@pytest.mark.parametrize("stream", NAMES)
def test_mutated_payloads(stream: str) -> None:
    rng = np.random.default_rng([NAMES.index(stream), 7])
    bodies = [case.payload for case in RECORDED if case.stream == stream]
    # Small ones more often: a change there hits what matters.
    weight = 1 / np.sqrt([len(body) for body in bodies])
    picks = rng.choice(len(bodies), (MUTATIONS, 2), p=weight / weight.sum())
    numbers = 0
    for k, (first, second) in enumerate(picks):
        body = bodies[first]
        if stream == "yahoo" and k % 2 and not body.startswith(b"{"):
            # Inside the base64 text, which most changes from outside only break.
            body = base64.b64encode(mutate(base64.b64decode(body), b"", rng))
        else:
            body = mutate(body, bodies[second], rng)
        numbers += check(stream, body)
    # Else every mutation destroyed everything, and the test would have seen nothing.
    assert numbers > MUTATIONS // 200


@pytest.mark.parametrize("stream", NAMES)
@given(payload=st.binary(max_size=200))
def test_any_bytes(stream: str, payload: bytes) -> None:
    check(stream, payload)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["event", "data", "price", "e", "p", "bitcoin", "usd", "features", "properties", "mag",
             "time", "feeds", "field1", "entry_id", "AQI", "header", "body", "msg_type", "length",
             "new", "old", "type", "meta", "message_type", "leaf_cert", "all_domains", "message",
             "timetable_variation", "variation_status", "channel", "stream"]
        ),
        inner | st.sampled_from(["trade", "edit", "0003", "LATE", "certificate_update", "pricing"]),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("stream", [name for name in NAMES if name not in ("noaa", "mta")])
@given(tree=_JSON)
def test_any_json(stream: str, tree: object) -> None:
    check(stream, json.dumps(tree).encode())
