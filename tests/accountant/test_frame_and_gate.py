from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from entro_nb import Accountant, AccountantConfig, DecisionGate, EeFrame
from entro_nb.accountant import COLUMNS, Path, Stability, Thresholds
from entro_nb.errors import EntroError, ParameterError, ParameterTypeError, PathUnavailableError

numbers = st.floats(allow_nan=False, allow_infinity=False)
frames = st.builds(
    EeFrame,
    sequence=st.integers(0, 2**60),
    value=numbers,
    entropy=st.floats(0, 20),
    esi=st.floats(0, 1),
    velocity=st.none() | numbers,
    acceleration=st.none() | numbers,
    jerk=st.none() | numbers,
    confidence=st.floats(0, 1),
    stability=st.sampled_from(Stability),
    stream=st.none() | st.text(),
    time=st.none() | numbers,
    raw=st.none() | numbers,
)


@given(frames)
def test_json_both_ways(frame: EeFrame) -> None:
    text = frame.to_json()
    assert EeFrame.from_json(text) == frame
    assert json.loads(text)["stability"] == frame.stability.name
    missing = [name for name, value in json.loads(text).items() if value is None]
    assert missing == [name for name in COLUMNS if getattr(frame, name) is None]
    assert all(COLUMNS[name].optional for name in missing)


def test_a_frame_carries_what_it_is_told_and_measures_the_same() -> None:
    told, untold = Accountant(), Accountant()
    for k in range(200):
        frame = told.process(math.sin(k), "usgs", 1e9 + k, 5.0 * k)
        assert (frame.stream, frame.time, frame.raw) == ("usgs", 1e9 + k, 5.0 * k)
        plain = untold.process(math.sin(k))
        assert (plain.stream, plain.time, plain.raw) == (None, None, None)
        assert dataclasses.replace(frame, stream=None, time=None, raw=None) == plain


def test_a_frame_is_frozen() -> None:
    frame = EeFrame(0, 0.0, 0.0, 0.0, None, None, None, 0.1, Stability.UNKNOWN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame.entropy = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": -1},
        {"sequence": 1.5},
        {"value": "1"},
        {"value": None},
        {"entropy": -0.1},
        {"esi": 1.1},
        {"velocity": "fast"},
        {"confidence": math.inf},
        {"stability": "FINE"},
        {"stability": 1},
        {"stream": 7},
        {"time": "noon"},
        {"raw": math.nan},
        {"unknown": 1},
    ],
)
def test_bad_frames_are_refused(change: dict[str, Any]) -> None:
    good = EeFrame(0, 0.0, 0.0, 0.0, None, None, None, 0.1, Stability.UNKNOWN).to_dict()
    with pytest.raises(EntroError):
        EeFrame.from_json(json.dumps(good | change))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "{}", b"\xff"])
def test_what_is_no_frame_is_refused(text: str | bytes) -> None:
    with pytest.raises(EntroError, match="JSON object"):
        EeFrame.from_json(text)


@given(frames, st.floats(0, 1))
def test_every_frame_takes_an_active_path(frame: EeFrame, least: float) -> None:
    decision = DecisionGate(min_confidence=least).route(frame)
    assert decision.path in {Path.PROCEED, Path.PAUSE, Path.ABORT}
    assert frame.stability.name in decision.reason
    enough = frame.confidence >= least
    assert ("below" in decision.reason) == (not enough)
    if not enough:
        assert decision.path is Path.PAUSE
    elif frame.stability is Stability.UNSTABLE:
        assert decision.path is Path.ABORT
    else:
        calm = frame.stability in {Stability.STABLE, Stability.TRANSITION}
        assert decision.path is (Path.PROCEED if calm else Path.PAUSE)


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=60), st.floats(0.01, 1))
def test_nothing_passes_before_the_confidence_asked(x: list[float], least: float) -> None:
    accountant = Accountant(AccountantConfig(window=40, thresholds=Thresholds.never()))
    gate = DecisionGate(min_confidence=least)
    for frame in map(accountant.process, x):
        passes = gate.route(frame).path is not Path.PAUSE
        assert passes == (frame.confidence >= least and frame.stability is not Stability.UNKNOWN)


@pytest.mark.parametrize(
    ("path", "reason"), [(Path.REVISE, "generator"), (Path.VOTE, "several agents")]
)
def test_two_paths_are_refused_by_name_with_the_reason(path: Path, reason: str) -> None:
    with pytest.raises(
        PathUnavailableError, match=f"path {path.name} is not available: .*{reason}"
    ):
        DecisionGate(routes={Stability.DRIFTING: path})


def test_routes_can_be_changed_one_by_one() -> None:
    gate = DecisionGate(routes={Stability.UNSTABLE: Path.PAUSE})
    frame = EeFrame(0, 0.0, 0.0, 0.0, None, None, None, 1.0, Stability.UNSTABLE)
    assert gate.route(frame).path is Path.PAUSE
    assert gate.routes[Stability.DRIFTING] is Path.PAUSE


def test_bad_gates() -> None:
    with pytest.raises(ParameterError, match="min_confidence = 2"):
        DecisionGate(min_confidence=2.0)
    with pytest.raises(ParameterError, match="routes"):
        DecisionGate(routes={"DRIFTING": Path.PAUSE})
    with pytest.raises(ParameterTypeError, match="frame"):
        DecisionGate().route("frame")  # type: ignore[arg-type]
