from __future__ import annotations

import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st

from entro_nb import Accountant, AccountantConfig, EeFrame, account
from entro_nb.accountant import (
    Normalizer,
    NormalizerConfig,
    Stability,
    Thresholds,
    calibrate,
    normalize,
)
from entro_nb.errors import DataError, EntroError, ParameterError, ParameterTypeError

ROWS = ("entropy", "esi", "velocity", "acceleration", "jerk", "confidence", "stability")
LIMITS = Thresholds(1.0, 3.0, 0.2, 0.1, 0.1)


@st.composite
def configs(draw: Any) -> AccountantConfig:
    window = draw(st.integers(2, 30))
    low = draw(st.floats(-5, 5))
    return AccountantConfig(
        window=window,
        bins=draw(st.integers(2, 10)),
        low=low,
        high=low + draw(st.floats(0.01, 10)),
        derivative_window=draw(st.integers(2, window)),
        thresholds=LIMITS,
    )


def brute(x: list[float], config: AccountantConfig) -> list[EeFrame]:
    """Every frame from its definition, with nothing carried over but the series of H."""
    frames: list[EeFrame] = []
    h: list[float] = []
    rates: list[tuple[float, float, float]] = []
    for t in range(len(x)):
        held = np.clip(x[max(0, t - config.window + 1) : t + 1], config.low, config.high)
        counts, _ = np.histogram(held, bins=config.bins, range=(config.low, config.high))
        h.append(-math.fsum(c / held.size * math.log2(c / held.size) for c in counts if c))
        recent = h[max(0, t - config.derivative_window + 1) :]
        velocity = h[t] - math.fsum(recent) / len(recent) if t >= 1 else math.nan
        acceleration = velocity - rates[t - 1][0] if t >= 2 else math.nan
        jerk = acceleration - rates[t - 1][1] if t >= 3 else math.nan
        rates.append((velocity, acceleration, jerk))
        confidence = held.size / config.window * min(t + 1, 4) / 4
        known = [None if math.isnan(r) else r for r in rates[t]]
        frames.append(
            EeFrame(
                t, x[t], h[t], h[t] / math.log2(config.bins), *known, confidence, Stability.UNKNOWN
            )
        )
    return frames


@settings(max_examples=200)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=50), configs())
def test_frames_against_their_definitions(x: list[float], config: AccountantConfig) -> None:
    accountant = Accountant(config)
    for got, expected in zip(map(accountant.process, x), brute(x, config), strict=True):
        assert (got.sequence, got.value) == (expected.sequence, expected.value)
        for name in ("entropy", "esi", "velocity", "acceleration", "jerk", "confidence"):
            want = getattr(expected, name)
            if want is None:
                assert getattr(got, name) is None
            else:
                assert getattr(got, name) == pytest.approx(want, abs=1e-12)


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), configs(), st.data())
def test_array_and_stream_agree_at_every_prefix(
    x: list[float], config: AccountantConfig, data: Any
) -> None:
    accountant = Accountant(config)
    frames = [accountant.process(value) for value in x]
    whole = account(x, config)
    for k in range(1, len(x) + 1):
        prefix = account(x[:k], config)
        assert prefix.identical(whole.isel(time=slice(0, k)))
        for name in ROWS:
            value = getattr(frames[k - 1], name)
            np.testing.assert_array_equal(
                prefix[name].values[-1], np.nan if value is None else value
            )
    cut = data.draw(st.integers(0, len(x) - 1))
    resumed = Accountant(config)
    for value in x[:cut]:
        resumed.process(value)
    assert resumed.process_many(x[cut:]).identical(whole.isel(time=slice(cut, None)))


def test_ten_million_samples_leave_no_drift() -> None:
    x = np.random.default_rng(0).standard_normal(10_000_000)
    ds = account(x, AccountantConfig())
    h = []
    for t in range(len(x) - 32, len(x)):
        counts, _ = np.histogram(np.clip(x[t - 127 : t + 1], -4, 4), 16, (-4, 4))
        p = counts[counts > 0] / 128
        h.append(-(p * np.log2(p)).sum())
    np.testing.assert_allclose(ds.entropy.values[-32:], h, atol=1e-9)
    assert ds.velocity.values[-1] == pytest.approx(h[-1] - np.mean(h), abs=1e-9)


def test_largest_window_keeps_its_digits() -> None:
    config = AccountantConfig(window=2**20, bins=64, derivative_window=2**18, thresholds=LIMITS)
    x = np.random.default_rng(0).uniform(-4, 4, 2**21)
    counts, _ = np.histogram(x[-config.window :], 64, (-4, 4))
    p = counts / config.window
    assert account(x, config).entropy.values[-1] == pytest.approx(
        -(p * np.log2(p)).sum(), abs=1e-12
    )


def test_classes_follow_the_limits_in_order_of_severity() -> None:
    limits = calibrate(AccountantConfig(), 200.0, precision=0.1)
    x = np.random.default_rng(3).standard_normal(50_000)
    ds = account(x, AccountantConfig(thresholds=limits))
    np.testing.assert_array_equal(ds.stability.values, classes(ds, limits, 128))
    assert set(np.unique(ds.stability)) == set(Stability)


def classes(ds: xr.Dataset, limits: Thresholds, window: int) -> np.ndarray:
    """Classes by their definition: limits (N/n)² times as wide while n of N samples are held."""
    width = (window / np.minimum(np.arange(1, ds.sizes["time"] + 1), window)) ** 2
    band = limits.entropy_high - limits.entropy_low
    expected = np.full(ds.sizes["time"], int(Stability.STABLE))
    for row, limit, stability in (
        (ds.jerk, limits.jerk, Stability.TRANSITION),
        (ds.acceleration, limits.acceleration, Stability.ACCELERATING),
        (ds.velocity, limits.velocity, Stability.DRIFTING),
    ):
        expected[np.abs(row.values) > width * limit] = stability
    low = limits.entropy_low - band * (width - 1)
    expected[(ds.entropy.values < low) | (ds.entropy.values > limits.entropy_high)] = (
        Stability.UNSTABLE
    )
    expected[:3] = Stability.UNKNOWN
    return expected


@pytest.mark.parametrize("window", [2, 8, 128])
def test_a_frame_has_a_class_while_the_window_fills(window: int) -> None:
    config = AccountantConfig(window=window, bins=4, derivative_window=2)
    limits, rng = Thresholds(0.5, 1.9, 0.1, 0.1, 0.1), np.random.default_rng(window)
    config = replace(config, thresholds=limits)
    seen = set()
    for run in range(40):
        x = rng.standard_normal(window + 20) * (run % 5)  # some of them one value throughout
        ds = account(x, config)
        np.testing.assert_array_equal(ds.stability.values, classes(ds, limits, window))
        streaming = Accountant(config)
        assert [streaming.process(v).stability for v in x.tolist()] == ds.stability.values.tolist()
        seen |= set(ds.stability.values[3 : window - 1].tolist())
    # One value throughout is told before the window is full, with the confidence that it has.
    assert Stability.UNSTABLE in seen or window == 2
    assert Stability.STABLE in seen or window == 2


def test_limits_that_are_infinite_stay_so_while_the_window_fills() -> None:
    x = np.random.default_rng(0).standard_normal(200)
    ds = account(x, AccountantConfig(thresholds=Thresholds.never()))
    assert set(ds.stability.values[3:]) == {Stability.STABLE}
    half = replace(Thresholds.never(), entropy_low=3.5)
    known = account(x, AccountantConfig(thresholds=half)).stability.values
    assert set(known[3:127]) == {Stability.STABLE}
    assert set(known[127:]) == {Stability.UNSTABLE}


@pytest.mark.parametrize(("window", "bins", "memory"), [(128, 16, 32), (64, 16, 16), (32, 8, 8)])
def test_false_alarms_come_no_more_often_while_the_window_fills(
    window: int, bins: int, memory: int
) -> None:
    config = AccountantConfig(window=window, bins=bins, derivative_window=memory)
    limits = calibrate(config, 1000.0, precision=0.05)
    accountant, rng = Accountant(replace(config, thresholds=limits)), np.random.default_rng(5)
    alarmed = []
    for _ in range(2000):
        accountant.reset()
        label = accountant.process_many(rng.standard_normal(window - 1)).stability.values
        alarmed.append((label > Stability.STABLE).any())
    assert np.mean(alarmed) < 1 - np.exp(-window / 1000)


def test_confidence_grows_to_one_and_stays() -> None:
    ds = account(np.zeros(300))
    assert (np.diff(ds.confidence) >= 0).all()
    assert ds.confidence.values[126] < 1 == ds.confidence.values[127]
    assert (ds.stability.values == Stability.UNKNOWN).tolist() == [True] * 3 + [False] * 297
    assert ds.confidence.values[0] == pytest.approx(1 / 128 / 4)


def test_reset_and_thresholds_are_control_plane_only() -> None:
    x = np.random.default_rng(1).standard_normal(400).tolist()
    accountant = Accountant()
    first = [accountant.process(value) for value in x]
    accountant.set_thresholds(Thresholds.never())
    accountant.reset()
    again = [accountant.process(value) for value in x]
    assert [f.entropy for f in first] == [f.entropy for f in again]
    assert {f.stability for f in again} == {Stability.UNKNOWN, Stability.STABLE}
    accountant.set_thresholds(Thresholds(9, 10, 0, 0, 0))
    assert accountant.process(0.0).stability is Stability.UNSTABLE
    with pytest.raises(ParameterTypeError, match="thresholds"):
        accountant.set_thresholds(0.3)  # type: ignore[arg-type]


def test_an_accountant_can_be_stored_and_go_on() -> None:
    accountant = Accountant()
    for value in np.linspace(-2, 2, 200).tolist():
        accountant.process(value)
    copy = pickle.loads(pickle.dumps(accountant))
    assert copy.process(0.3) == accountant.process(0.3)


def test_dataset_carries_units_parameters_and_time(tmp_path: Any) -> None:
    times = np.array(["2024-01-01", "2024-01-02", "2024-01-04"], dtype="datetime64[ns]")
    x = xr.DataArray([0.0, 1.0, 2.0], coords={"time": times}, dims="time")
    ds = account(x, AccountantConfig(window=2, bins=4, derivative_window=2))
    assert (ds.time.values == times).all()
    assert ds.entropy.attrs["units"] == "bits"
    assert ds.attrs["window"] == 2
    assert "STABLE" in ds.stability.attrs["flag_meanings"]
    ds.to_netcdf(tmp_path / "frames.nc")
    assert xr.open_dataset(tmp_path / "frames.nc").entropy.attrs["units"] == "bits"
    assert account([1.0]).time.values.tolist() == [0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "1", None, True, 1j, [1.0]])
def test_bad_samples_are_refused_and_leave_no_trace(bad: Any) -> None:
    accountant, untouched = Accountant(), Accountant()
    accountant.process(1.0)
    untouched.process(1.0)
    with pytest.raises(EntroError, match="x = "):
        accountant.process(bad)
    assert accountant.process(2) == untouched.process(np.float32(2))


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        ([], DataError, "at least one"),
        ([0.0, math.nan], DataError, r"x\[1\] = nan"),
        ([[0.0]], ParameterError, "1 dimension"),
        (3.0, ParameterError, "1 dimension"),
        (None, ParameterTypeError, "real numbers"),
        (["a"], ParameterTypeError, "real numbers"),
        (xr.DataArray([1.0], dims="node"), ParameterError, "'time', and any others"),
    ],
)
def test_bad_arrays(bad: Any, error: type[EntroError], match: str) -> None:
    with pytest.raises(error, match=match):
        account(bad)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"window": 1}, r"window = 1 .* \[2, "),
        ({"window": 128.0}, "window = 128.0"),
        ({"window": math.nan}, "window = nan"),
        ({"bins": 1}, r"bins = 1 "),
        ({"bins": None}, "bins = None"),
        ({"low": 4.0}, "high = 4"),
        ({"low": math.nan}, "low = nan"),
        ({"high": math.inf}, "high = inf"),
        ({"derivative_window": 1}, r"derivative_window = 1 .* \[2, 128\]"),
        ({"derivative_window": 129}, r"derivative_window = 129 .* \[2, 128\]"),
        ({"thresholds": 0.5}, "thresholds = 0.5"),
    ],
)
def test_bad_configuration(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        AccountantConfig(**change)
    with pytest.raises(ParameterTypeError, match="config"):
        Accountant({"window": 128})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "limits",
    [
        (3, 2, 1, 1, 1),
        (0, 1, -1, 1, 1),
        (0, 1, 1, math.nan, 1),
        (0, 1, 1, 1, "1"),
        (0, 1, 1, 1, True),
    ],
)
def test_bad_thresholds(limits: tuple[Any, ...]) -> None:
    with pytest.raises(ParameterError):
        Thresholds(*limits)


def z_by_hand(x: list[float], config: NormalizerConfig) -> list[float]:
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
    np.testing.assert_allclose(batch, z_by_hand(x, config), atol=1e-6)
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
def test_bad_normalizer_configuration(change: dict[str, Any], match: str) -> None:
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
