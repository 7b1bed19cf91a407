from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from entro_nb.accountant import Normalizer, NormalizerConfig, normalize
from entro_nb.errors import DataError, EntroError, ParameterError


def brute(x: list[float], config: NormalizerConfig) -> list[float]:
    """The same by weighted sums over all the samples so far, each computed anew."""
    seen: list[float] = []
    out = []
    for t, value in enumerate(x):
        b = (value - (config.low + config.high) / 2) / ((config.high - config.low) / 2)
        # Equal weights at first; from `span` samples on the older ones fade exponentially.
        weights = np.ones(len(seen))
        for k in range(len(seen)):
            for later in range(k + 1, len(seen)):
                n = min(later + 1, config.span)
                weights[k] *= 1 - 1 / n
            weights[k] /= min(k + 1, config.span)
        trust = config.prior * (1 - 1 / (config.prior + 1)) ** t
        share = min(t, config.span) / (min(t, config.span) + trust)
        mean = float(weights @ seen) if seen else 0.0
        square = float(weights @ np.square(seen)) if seen else 0.0
        level = share * mean
        spread = share * square + (1 - share) * 0.25 - level**2
        deviation = max(math.sqrt(max(spread, 0.0)), config.floor)
        z = max(-config.clip, min(config.clip, (b - level) / deviation))
        out.append(z)
        seen.append(level + z * deviation)
    return out


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30))
def test_against_plain_python_and_streaming(x: list[float]) -> None:
    config = NormalizerConfig(low=-2.0, high=6.0, span=12.0)
    batch = normalize(x, config)
    np.testing.assert_allclose(batch, brute(x, config), atol=1e-6)
    streaming = Normalizer(config)
    assert [streaming.process(value) for value in x] == batch.tolist()


def test_unlike_streams_come_out_alike() -> None:
    u = np.random.default_rng(0).standard_normal(20_000)
    prices = normalize(60_000 + 300 * u, NormalizerConfig(low=50_000, high=70_000))
    magnitudes = normalize(1.5 + 0.2 * u, NormalizerConfig(low=-1, high=8))
    np.testing.assert_allclose(prices[8000:], magnitudes[8000:], atol=0.02)
    assert prices[8000:].std() == pytest.approx(1, abs=0.05)
    assert prices[8000:].mean() == pytest.approx(0, abs=0.05)


def test_wild_values_are_clipped_and_soon_forgotten() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3000) * 0.5
    wild = x.copy()
    wild[1000] = 1e308
    z, quiet = normalize(wild), normalize(x)
    assert z[1000] == 4.0
    assert np.isfinite(z).all()
    assert np.abs(z - quiet)[1001:].max() < 0.1


def test_a_stream_that_stands_still_is_no_signal() -> None:
    z = normalize(np.full(50_000, 0.1))
    assert np.abs(z[20_000:]).max() < 0.05


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"low": 1.0}, "high = 1"),
        ({"span": 0.5}, "span = 0.5"),
        ({"prior": 0.0}, "prior = 0"),
        ({"clip": 0.0}, "clip = 0"),
        ({"floor": -1.0}, "floor = -1"),
        ({"high": math.inf}, "high = inf"),
        ({"low": "0"}, "low = '0'"),
    ],
)
def test_bad_configuration(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        NormalizerConfig(**change)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None])
def test_bad_samples_leave_no_trace(bad: Any) -> None:
    normalizer, untouched = Normalizer(), Normalizer()
    with pytest.raises(EntroError, match="x = "):
        normalizer.process(bad)
    assert normalizer.process(1) == untouched.process(1.0)
    with pytest.raises(DataError, match="at least one"):
        normalize([])
