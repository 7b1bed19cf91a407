from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb import account
from entro_nb.errors import ParameterError
from entro_nb.streams import CHANGES, RECORDINGS, Scenario, generate, load_recording


@given(st.sampled_from(sorted(CHANGES)), st.integers(0, 2**32), st.integers(2, 400))
def test_the_same_seed_gives_the_same_stream(kind: str, seed: int, samples: int) -> None:
    scenario = Scenario(kind, samples=samples, change=samples // 2)
    x = generate(scenario, seed)
    assert x.identical(generate(scenario, seed))
    assert x.size == samples
    assert np.isfinite(x).all()
    assert x.changed.values.argmax() == scenario.change
    assert not x.equals(generate(scenario, seed + 1))


@pytest.mark.parametrize("kind", sorted(CHANGES))
def test_before_the_change_mean_and_deviation_are_standard(kind: str) -> None:
    x = generate(Scenario(kind, samples=40_000, change=30_000), seed=1)
    before = x.values[:30_000]
    assert before.mean() == pytest.approx(0, abs=0.02)
    assert before.std() == pytest.approx(1, abs=0.02)


def test_what_changes() -> None:
    def after(kind: str, **more: Any) -> np.ndarray:
        scenario = Scenario(kind, samples=60_000, change=20_000, **more)
        x = generate(scenario, seed=2)
        return x.values[x.changed.values]

    assert after("level", size=1.5).mean() == pytest.approx(1.5, abs=0.02)
    assert after("scale", size=1.0).std() == pytest.approx(2.0, abs=0.02)
    shape = after("shape", size=0.9)
    assert shape.std() == pytest.approx(1.0, abs=0.02)
    assert np.mean(np.abs(shape) < 0.3) < 0.1  # two heaps with a gap between
    order = after("periodicity", size=4.0)
    assert np.mean(order[:-16] * order[16:]) == pytest.approx(1, abs=0.01)
    assert after("burst", size=4.0, duration=30_000).std() == pytest.approx(5, abs=0.1)
    drift = after("drift", size=3.0)
    assert drift[-1000:].mean() == pytest.approx(3, abs=0.15)


def test_a_change_of_order_alone_leaves_entropy_where_it_was() -> None:
    x = generate(Scenario("periodicity", samples=4096, change=2048, size=2.0), seed=0)
    h = account(x).entropy
    assert float(h[3000:].mean() - h[500:2000].mean()) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"kind": "levl"}, "did you mean 'level'"),
        ({"samples": 1}, "samples = 1"),
        ({"change": 2048}, r"change = 2048 .* \[1, 2047\]"),
        ({"change": 0}, "change = 0"),
        ({"size": 0.0}, "size = 0"),
        ({"kind": "shape", "size": 1.5}, "size = 1.5"),
        ({"duration": 0}, "duration = 0"),
    ],
)
def test_bad_scenarios(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        Scenario(**change)
    with pytest.raises(ParameterError, match="seed = -1"):
        generate(Scenario(), seed=-1)


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_every_recording_is_real_ordered_and_documented(name: str) -> None:
    x = load_recording(name)
    assert x.dims == ("time",)
    assert x.size > 500
    assert np.isfinite(x).all()
    assert (np.diff(x.time.values) >= np.timedelta64(0)).all()
    assert {"units", "band", "source", "licence", "title"} <= set(x.attrs)
    low, high = x.attrs["band"]
    assert low < high
    assert float(((x >= low) & (x <= high)).mean()) > 0.9


def test_an_unknown_recording_suggests_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean 'earthquakes'"):
        load_recording("earthquake")
