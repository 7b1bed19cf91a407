from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from entro_nb import Accountant, AccountantConfig, DecisionGate, EeFrame
from entro_nb.accountant import COLUMNS, JUDGED, Path, Stability, Thresholds, one_in, rarity
from entro_nb.errors import EntroError, ParameterError, ParameterTypeError, PathUnavailableError
from entro_nb.surprise import Judgement, Surprise

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
    surprisal=st.none() | st.floats(0, 100),
    p_value=st.none() | st.floats(0, 1, exclude_min=True),
    score=st.none() | st.floats(0, 100),
    alarm=st.none() | st.booleans(),
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


def test_a_frame_carries_what_a_monitor_says_and_measures_the_same() -> None:
    told, untold, monitor = Accountant(), Accountant(), Surprise()
    assert COLUMNS.keys() >= set(JUDGED) <= set(Judgement._fields)
    for k in range(200):
        judgement = monitor.process(5.0 * math.sin(k))
        frame = told.process(math.sin(k), raw=5.0 * math.sin(k), judged=judgement)
        plain = untold.process(math.sin(k), raw=5.0 * math.sin(k))
        for name in JUDGED:
            assert getattr(frame, name) is getattr(judgement, name)
            assert getattr(plain, name) is None
        assert dataclasses.replace(frame, **dict.fromkeys(JUDGED)) == plain


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
        {"surprisal": -0.1},
        {"surprisal": "rare"},
        {"p_value": 0.0},
        {"p_value": 1.5},
        {"score": -1.0},
        {"score": math.inf},
        {"alarm": 1},
        {"alarm": "yes"},
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


@given(frames, st.sampled_from(Stability), st.floats(0, 1))
def test_an_alarm_takes_its_path_unless_the_class_asks_for_a_graver(
    frame: EeFrame, stability: Stability, least: float
) -> None:
    gravity = [Path.PROCEED, Path.PAUSE, Path.ABORT]
    frame = dataclasses.replace(frame, stability=stability)
    usual = DecisionGate(min_confidence=least).route(frame)
    for path in gravity:
        decision = DecisionGate(min_confidence=least, on_alarm=path).route(frame)
        if frame.confidence < least or not frame.alarm:
            assert decision == usual
        else:
            assert gravity.index(decision.path) == max(map(gravity.index, (path, usual.path)))
            assert decision.reason.startswith(f"{usual.reason}, and an alarm: ")
            assert decision.reason.endswith(rarity(frame))


def test_the_reason_tells_an_alarm_in_words() -> None:
    said: dict[str, Any] = {"surprisal": 17.04, "p_value": 0.0005, "score": 11.0, "alarm": True}
    frame = EeFrame(5000, 0.0, 0.0, 0.0, None, None, None, 1.0, Stability.STABLE, **said)
    assert one_in(dataclasses.replace(frame, sequence=99)) == 100  # no rarer than it can be
    assert one_in(dataclasses.replace(frame, p_value=None)) is None
    decision = DecisionGate(on_alarm=Path.PAUSE).route(frame)
    assert decision.path is Path.PAUSE
    assert decision.reason == (
        "STABLE at confidence 1.00, and an alarm: surprisal 17.0 bits, one value in 2000"
    )
    assert DecisionGate().route(frame).path is Path.PROCEED


def test_bad_gates() -> None:
    with pytest.raises(ParameterError, match="min_confidence = 2"):
        DecisionGate(min_confidence=2.0)
    with pytest.raises(ParameterError, match="routes"):
        DecisionGate(routes={"DRIFTING": Path.PAUSE})
    with pytest.raises(ParameterError, match="on_alarm = 'PAUSE'"):
        DecisionGate(on_alarm="PAUSE")  # type: ignore[arg-type]
    with pytest.raises(PathUnavailableError, match="VOTE"):
        DecisionGate(on_alarm=Path.VOTE)
    with pytest.raises(ParameterTypeError, match="frame"):
        DecisionGate().route("frame")  # type: ignore[arg-type]
