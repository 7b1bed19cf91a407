"""One value at a time or many at once, the same numbers; what is refused leaves no trace."""

from __future__ import annotations

import math
import threading
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.errors import EntroError, ParameterError, ParameterTypeError
from entro_nb.surprise import ROWS, Judgement, Surprise, SurpriseConfig
from entro_nb.validate import FloatArray

finite = st.floats(allow_nan=False, allow_infinity=False)
#: Values of unlike kinds; a stretch of one kind may be constant.
kinds = st.one_of(
    st.lists(finite, min_size=1, max_size=12),
    st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=30),
    st.lists(st.sampled_from([-1.7e308, 1.7e308, 1e308, 0.0]), min_size=1, max_size=6),
    st.lists(st.integers(-9, 9).map(lambda k: k * 1e-300), min_size=1, max_size=12),
    st.lists(st.integers(0, 99).map(lambda k: 1e15 + k), min_size=1, max_size=30),
    st.lists(st.floats(-4, 4).map(lambda x: round(x, 1)), min_size=1, max_size=60),
    st.tuples(finite, st.integers(1, 40)).map(lambda stretch: [stretch[0]] * stretch[1]),
)
series = st.lists(kinds, min_size=1, max_size=4).map(lambda parts: [x for p in parts for x in p])
#: Few values are needed before any is called strange, and alarms come often.
QUICK = SurpriseConfig(promise=4.0, warm_up=2, seed=1)
#: And every part of the law at work.
CONFIGS = (SurpriseConfig(), QUICK, replace(QUICK, changes=True), replace(QUICK, order=2))


def rows(said: list[Judgement]) -> FloatArray:
    return np.array([[float(getattr(j, name)) for j in said] for name in ROWS])


def remembered(monitor: Surprise) -> list[Any]:
    return [part.copy() for part in monitor._state]


@given(series, st.sampled_from(CONFIGS))
def test_one_by_one_and_as_an_array_at_every_prefix(x: list[float], config: SurpriseConfig) -> None:
    one_by_one = Surprise(config)
    said = rows([one_by_one.process(v) for v in x])
    whole, at_once = Surprise(config), Surprise(config)
    np.testing.assert_array_equal(whole.judge(x), said)
    assert one_by_one.seen == whole.seen == len(x)
    for stop in range(1, len(x) + 1):
        at_once.reset()
        np.testing.assert_array_equal(at_once.judge(x[:stop]), said[:, :stop])
    for left, right in zip(one_by_one._state, whole._state, strict=True):
        np.testing.assert_array_equal(left, right)


@given(series, st.data())
def test_pieces_are_the_whole(x: list[float], draw: st.DataObject) -> None:
    config = draw.draw(st.sampled_from(CONFIGS))
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(x)), max_size=4)))
    pieces = [p for p in np.split(np.array(x), cuts) if p.size]
    monitor = Surprise(config)
    found = np.concatenate([monitor.judge(piece) for piece in pieces], axis=1)
    np.testing.assert_array_equal(found, Surprise(config).judge(x))


@given(series, st.sampled_from(CONFIGS))
def test_what_is_said_can_be_said(x: list[float], config: SurpriseConfig) -> None:
    said = dict(zip(ROWS, Surprise(config).judge(x), strict=True))
    assert np.isfinite(list(said.values())).all()
    assert (said["surprisal"] >= 0).all()
    assert ((said["p_value"] > 0) & (said["p_value"] <= 1)).all()
    assert (said["score"] >= 0).all()
    assert set(said["alarm"]) <= {0.0, 1.0}


@given(series, st.sampled_from([math.nan, math.inf, -math.inf, "1", None, True, 1j]))
def test_what_is_refused_leaves_the_state_as_it_was(x: list[float], wrong: Any) -> None:
    monitor, undisturbed = Surprise(QUICK), Surprise(QUICK)
    for v in x:
        before = remembered(monitor)
        with pytest.raises(EntroError):
            monitor.process(wrong)
        with pytest.raises(EntroError):
            monitor.judge([v, wrong] if isinstance(wrong, float) else wrong)
        for left, right in zip(before, monitor._state, strict=True):
            np.testing.assert_array_equal(left, right)
        assert monitor.process(v) == undisturbed.process(v)


@pytest.mark.parametrize("wrong", [[], [[1.0]], ["1"], [1.0, math.nan]])
def test_what_is_no_series_is_refused(wrong: Any) -> None:
    with pytest.raises(EntroError, match="x"):
        Surprise().judge(wrong)


def test_whole_numbers_and_numpys_are_numbers() -> None:
    values = [3, np.float32(3.0), np.int64(3), 3.0]
    one, other = Surprise(), Surprise()
    assert [one.process(v) for v in values] == [other.process(3.0) for _ in values]


def test_reset_forgets_everything() -> None:
    x = np.random.default_rng(0).standard_cauchy(500)
    monitor = Surprise()
    first = monitor.judge(x)
    assert monitor.seen == 500
    monitor.reset()
    assert monitor.seen == 0
    np.testing.assert_array_equal(monitor.judge(x), first)


def test_the_seed_moves_nothing_but_the_p_value_and_what_follows_from_it() -> None:
    x = np.random.default_rng(0).standard_normal(300).round(1)
    one, other = (
        dict(zip(ROWS, Surprise(SurpriseConfig(seed=s)).judge(x), strict=True)) for s in (0, 1)
    )
    np.testing.assert_array_equal(one["surprisal"], other["surprisal"])
    assert (one["p_value"] != other["p_value"]).any()


def test_another_promise_keeps_what_was_seen_and_gathers_its_evidence_anew() -> None:
    x = np.random.default_rng(2).standard_normal(1000)
    one, other = Surprise(SurpriseConfig(promise=1e6)), Surprise(SurpriseConfig(promise=1e6))
    np.testing.assert_array_equal(one.judge(x), other.judge(x))
    other.set_promise(20.0)
    assert (one.config.promise, other.config.promise) == (1e6, 20.0)
    assert other.seen == 1000
    far = dict(zip(ROWS, one.judge([9.0, *x]), strict=True))
    near = dict(zip(ROWS, other.judge([9.0, *x]), strict=True))
    for name in ("surprisal", "p_value"):
        np.testing.assert_array_equal(far[name], near[name])
    assert near["alarm"][0] == 1.0 > far["alarm"][0]
    for wrong, kind in ((1.0, ParameterError), ("20", ParameterTypeError)):
        with pytest.raises(kind, match="promise"):
            other.set_promise(wrong)  # type: ignore[arg-type]
    assert other.config.promise == 20.0


def test_memory_does_not_grow() -> None:
    monitor = Surprise()
    draw = np.random.default_rng(0)
    monitor.judge(draw.standard_cauchy(1000))
    sizes = [part.nbytes for part in monitor._state]
    values = draw.standard_cauchy(20_000).tolist()
    monitor.process(0.0)
    tracemalloc.start()
    for x in values:
        monitor.process(x)
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert now < 20_000
    assert [part.nbytes for part in monitor._state] == sizes
    assert sum(sizes) < 20_000


def test_monitors_on_threads_of_their_own_do_not_meet() -> None:
    values = [np.random.default_rng(k).standard_cauchy(3000).tolist() for k in range(4)]
    found: dict[int, list[Judgement]] = {}

    def run(k: int) -> None:
        monitor = Surprise()
        found[k] = [monitor.process(x) for x in values[k]]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_array_equal(rows(found[k]), Surprise().judge(values[k]))


def test_bad_monitors() -> None:
    with pytest.raises(ParameterTypeError, match="SurpriseConfig"):
        Surprise(2000.0)  # type: ignore[arg-type]
    for name, value in {"promise": 1.0, "warm_up": 1, "relief": 0.0, "apart": 0}.items():
        with pytest.raises(ParameterError, match=name):
            SurpriseConfig(**{name: value})  # type: ignore[arg-type]
