"""Regime engines against a plain reading of their equations and what theory says of them."""

import dataclasses
import math

import numpy as np
import pytest

from entro_nb.engine import (
    PUBLISHED_COUNTS,
    PUBLISHED_SHARES,
    RANGES,
    AttractorEngine,
    WaveEngine,
    bifurcation,
    engine_of,
    hysteresis,
    lyapunov,
    observers,
    regimes,
    return_map,
    search,
)
from entro_nb.errors import ParameterError, ParameterTypeError

ENGINES = [
    WaveEngine(),
    AttractorEngine(),
    WaveEngine(drive=3.0, feedback=0.3, amplitude=0.5, period=11.0, wear=2.0, start=0.05),
    AttractorEngine(drive=0.9, rate=2.75, feedback=0.0, decay=0.0, dissipation=1.0),
]


def by_hand(engine, steps):
    """The equations of the module, read literally."""
    x, e, m = engine.start, 0.0, 0.0
    clip = lambda v, low, high: min(max(v, low), high)  # noqa: E731
    rows = []
    for t in range(steps):
        wave = 0.0
        if isinstance(engine, WaveEngine):
            wave = engine.amplitude * math.sin(2 * math.pi * t / engine.period)
        e = engine.dissipation * e + engine.feedback * math.tanh(x - engine.critical_load) + wave
        e = clip(e, -engine.energy_max, engine.energy_max)
        m = engine.decay * m + (1 - engine.decay) * x / engine.critical_load
        s = clip(1 - engine.wear * m, engine.stability_min, 1.0)
        if isinstance(engine, WaveEngine):
            x = x + s * (engine.drive + e - x)
        else:
            x = x * math.exp(engine.rate * (1 - x / engine.drive) + s * e)
        x = clip(x, engine.load_min, engine.load_max)
        threshold = engine.critical_load * (1 + engine.shift * (0.5 - m))
        regime = 2 if x >= threshold else 1 if x >= engine.stress_ratio * threshold else 0
        rows.append((x, e, m, s, regime))
    return np.array(rows).T


@pytest.mark.parametrize("engine", ENGINES)
def test_compiled_step_is_the_equation(engine):
    run, expected = regimes(engine, 60), by_hand(engine, 60)
    names = ("system_load", "energy", "memory", "stability")
    for name, values in zip(names, expected, strict=False):
        # Chaos magnifies rounding: sixty steps of it stay well below this.
        assert run[name].values == pytest.approx(values, abs=1e-3), name
    near = np.abs(expected[0] - run.threshold_critical.values) < 1e-2
    near |= np.abs(expected[0] - run.threshold_stress.values) < 1e-2
    assert np.array_equal(run.regime.values[~near], expected[4][~near])


@pytest.mark.parametrize("engine", ENGINES)
def test_observers_of_a_measured_load_are_those_of_the_engine(engine):
    # Without its wave an engine sees its own load as it would see one that is measured.
    if isinstance(engine, WaveEngine):
        engine = dataclasses.replace(engine, amplitude=0.0)
    run = regimes(engine, 60)
    seen = observers([engine.start, *run.system_load.values[:-1]], engine)
    for name, values in zip(("energy", "memory", "stability"), seen, strict=False):
        assert np.array_equal(run[name].values, values), name
    assert np.array_equal(observers(run.system_load.values).shape, (4, 60))


@pytest.mark.parametrize(("engine", "version"), [(WaveEngine(), "v9"), (AttractorEngine(), "v10")])
def test_default_engines_give_the_published_counts(engine, version):
    counts = np.bincount(regimes(engine).regime, minlength=3)
    assert tuple(counts) == PUBLISHED_COUNTS[version]
    assert 100 * counts / 80 == pytest.approx(PUBLISHED_SHARES[version], abs=0.06)


def test_published_bounds_are_kept():
    for engine in ENGINES:
        run = regimes(engine, 500)
        assert 0.05 <= float(run.system_load.min()) <= float(run.system_load.max()) <= 3.5
        assert float(abs(run.energy).max()) <= 2.0
        assert 0.05 <= float(run.stability.min()) <= float(run.stability.max()) <= 1.0


@pytest.mark.parametrize(("version", "draws"), [("v9", 100_000), ("v10", 600_000)])
def test_every_match_of_the_search_matches_alone(version, draws):
    found = search(version, draws=draws, seed=3)
    assert 0 < found.attrs["matches"] < 0.001 * found.attrs["draws"]
    for k in range(min(found.sizes["match"], 10)):
        engine = engine_of(version, {name: float(found[name][k]) for name in RANGES[version]})
        counts = np.bincount(regimes(engine).regime, minlength=3)
        assert tuple(counts) == PUBLISHED_COUNTS[version]


def test_hysteresis_folds_where_the_closed_form_says():
    g, delta, critical = 0.15, 0.92, 2.35
    gain = g / (1 - delta)
    # Rests obey D = x − gain·tanh(x − x_c); they fold where gain·sech² = 1.
    half = math.acosh(math.sqrt(gain))
    folds = sorted(critical + sign * half - gain * math.tanh(sign * half) for sign in (-1.0, 1.0))
    loop = hysteresis(low=folds[0] - 0.3, high=folds[1] + 0.3, levels=301, hold=400)
    jumps = {}
    for way in ("up", "down"):
        load = loop.system_load.sel(way=way).values
        jumps[way] = float(loop.drive[np.argmax(np.abs(np.diff(load)))])
    assert jumps["up"] == pytest.approx(folds[1], abs=0.02)
    assert jumps["down"] == pytest.approx(folds[0], abs=0.02)


def test_no_hysteresis_without_enough_feedback():
    still = dataclasses.replace(WaveEngine(), amplitude=0.0, feedback=0.04)
    assert abs(hysteresis(still).attrs["area"]) < 1e-3
    assert hysteresis().attrs["area"] > 2.0


@pytest.mark.parametrize("rate", [2.75, 2.8])
def test_exponent_of_the_recursion_is_that_of_rickers_map(rate):
    x, drive, total, n = 0.3, 0.9, 0.0, 200_000
    for t in range(n + 1000):
        if t >= 1000:
            total += math.log(abs(1 - rate * x / drive))
        x = min(max(x * math.exp(rate * (1 - x / drive)), 0.05), 3.5)
    engine = AttractorEngine(drive=drive, rate=rate, feedback=0.0)
    assert lyapunov(engine, steps=200_000) == pytest.approx(total / n, abs=0.02)


def test_a_resting_engine_forgets_at_the_rate_of_its_memory():
    engine = AttractorEngine(drive=0.9, rate=1.0, feedback=0.0)
    assert lyapunov(engine, steps=4000) == pytest.approx(math.log(0.82), abs=1e-3)


def test_published_counts_need_no_chaos():
    assert lyapunov(WaveEngine()) < 0.0
    assert lyapunov(AttractorEngine()) < 0.0


def test_bifurcation_counts_periods():
    tree = bifurcation(AttractorEngine(drive=0.9, feedback=0.0), values=[1.5, 2.3, 2.6], samples=64)
    periods = [np.unique(row.round(4)).size for row in tree.system_load.values]
    assert periods == [1, 2, 4]
    stroboscopic = bifurcation(WaveEngine(), "amplitude", [0.0, 0.3], samples=5)
    assert np.ptp(stroboscopic.system_load.values, axis=1) == pytest.approx([0.0, 0.0], abs=1e-6)


def test_return_map_pairs_each_load_with_the_next():
    pairs = return_map(steps=30, transient=7)
    load = regimes(AttractorEngine(), 37).system_load.values[7:]
    assert np.array_equal(pairs.system_load, load[:-1])
    assert np.array_equal(pairs.following, load[1:])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WaveEngine(drive=0.0), "drive"),
        (lambda: WaveEngine(feedback=-0.1), "feedback"),
        (lambda: WaveEngine(stress_ratio=1.0), "stress_ratio"),
        (lambda: WaveEngine(start=9.0), "start"),
        (lambda: WaveEngine(period=0.0), "period"),
        (lambda: WaveEngine(dissipation=1.5), "dissipation"),
        (lambda: WaveEngine(shift=math.nan), "shift"),
        (lambda: AttractorEngine(rate=0.0), "rate"),
        (lambda: regimes(steps=0), "steps"),
        (lambda: search("v8"), "version"),
        (lambda: search(draws=0), "draws"),
        (lambda: engine_of("v9", {"rate": 1.0}), "rate"),
        (lambda: hysteresis(low=2.0, high=1.0), "high"),
        (lambda: bifurcation(parameter="amplitude"), "parameter"),
        (lambda: bifurcation(values=[1.0, -1.0]), "rate"),
        (lambda: return_map(steps=1), "steps"),
        (lambda: lyapunov("v9"), "engine"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_an_engine_must_be_an_engine():
    with pytest.raises(ParameterTypeError, match="engine"):
        regimes("v9")
