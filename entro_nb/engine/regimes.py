"""Regime engines v9 and v10: stable, stress and critical steps of a load that feeds on itself.

The seed publishes how many of 80 steps fell into each regime, and the constants below; it gives
no equations. Both engines are ours. They share a field of energy e that dissipates, a memory m
of stress that decays, and a stability s that wears with it:

    e ← clip(δ·e + g·tanh(x − x_c) + w_t)        m ← μ·m + (1 − μ)·x/x_c
    s ← clip(1 − h·m)

v9 (balanced): the wave w_t = A·sin(2πt/P) injects energy, and the load relaxes towards its drive
D, x ← clip(x + s·(D + e − x)). v10 (recursive attractor): no wave, and the load is mapped onto
itself, x ← clip(x·exp(ρ·(1 − x/D) + s·e)). A step is critical when the load reaches
θ = x_c·(1 + k·(½ − m)), stress when it reaches f·θ, stable below: thresholds move with memory.
"""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections import namedtuple
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.results import compiled
from entro_nb.validate import (
    Bounds,
    Count,
    FloatArray,
    Natural,
    NonNegative,
    Parameters,
    Positive,
    Share,
)

if TYPE_CHECKING:
    import xarray as xr

#: Names of the regimes, by their number.
REGIMES = ("stable", "stress", "critical")

#: Published shares of the regimes in %, by version (seed 000 and its change log).
PUBLISHED_SHARES = {
    "v5": (28.0, 70.0, 2.0),
    "v6": (2.5, 97.5, 0.0),
    "v7": (4.5, 95.5, 0.0),
    "v8": (75.0, 22.5, 2.5),
    "v9": (30.0, 23.75, 46.25),
    "v10": (12.5, 21.2, 66.2),
}

#: Published counts of stable, stress and critical steps of 80 (v10: from its shares in %).
PUBLISHED_COUNTS = {"v9": (24, 19, 37), "v10": (10, 17, 53)}

_SHARED = {
    "drive": (0.5, 3.0),
    "feedback": (0.0, 0.3),
    "wear": (0.0, 1.0),
    "shift": (0.0, 0.6),
    "stress_ratio": (0.4, 0.95),
}

#: Ranges in which nothing published speaks for one value rather than another.
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "v9": {**_SHARED, "amplitude": (0.0, 0.5), "period": (10.0, 80.0)},
    "v10": {**_SHARED, "rate": (0.5, 3.5)},
}

AtLeastTwo = Annotated[int, Bounds(2)]

#: Inside 0 and 1, neither of them.
Part = Annotated[float, Bounds(0.0, 1.0, open_low=True, open_high=True)]


@dataclass(frozen=True)
class RegimeEngine(Parameters, ABC):
    """What v9 and v10 share. The constants with a "published" beside them are the seed's.

    Parameters
    ----------
    drive : float
        D, the load that would be held without energy.
    feedback : float
        g, how strongly load above the critical one feeds the energy. Where g/(1 − δ) > 1 the
        feedback can hold up a load that the drive alone would not: hysteresis.
    wear : float
        h, how much of its stability a system loses per unit of memory.
    shift : float
        k, how far memory moves the thresholds; above 0 it lowers them.
    stress_ratio : float
        f in (0, 1), the stress threshold as a part of the critical one.
    start : float
        Load before the first step.
    dissipation, decay : float
        δ = 0.92 and μ = 0.82, published: what is left of energy and memory after a step.
    critical_load : float
        x_c = 2.35, published.
    energy_max : float
        Energy is clipped to ±2, published.
    load_min, load_max : float
        Loads are clipped to [0.05, 3.5], published.
    stability_min : float
        Stability is clipped to [0.05, 1], published.
    """

    drive: Positive
    feedback: NonNegative
    wear: NonNegative
    shift: float
    stress_ratio: Part
    start: float = 1.0
    dissipation: Share = 0.92
    decay: Share = 0.82
    critical_load: Positive = 2.35
    energy_max: Positive = 2.0
    load_min: Positive = 0.05
    load_max: float = 3.5
    stability_min: Share = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("load_max", self.load_max, self.load_min, open_low=True)
        validate.real("start", self.start, self.load_min, self.load_max)

    def vector(self) -> FloatArray:
        """Parameters as the compiled step reads them; those of the other engine do nothing."""
        return np.array([getattr(self, name, _OTHERS.get(name)) for name in _AT._fields])


@dataclass(frozen=True)
class WaveEngine(RegimeEngine):
    """v9, the balanced engine; the defaults give the published 24/19/37 of 80 steps.

    Parameters
    ----------
    amplitude, period : float
        A and P (steps) of the injected wave.

    Examples
    --------
    >>> run = regimes(WaveEngine())
    >>> [int((run.regime == k).sum()) for k in range(3)]
    [24, 19, 37]
    """

    drive: Positive = 1.65
    feedback: NonNegative = 0.15
    wear: NonNegative = 0.4
    shift: float = 0.3
    stress_ratio: Part = 0.55
    amplitude: NonNegative = 0.3
    period: Positive = 45.0


@dataclass(frozen=True)
class AttractorEngine(RegimeEngine):
    """v10, the recursive attractor; the defaults give the published 10/17/53 of 80 steps.

    Parameters
    ----------
    rate : float
        ρ of the recursion. Without energy and clips it is Ricker's map: at rest below 2, chaotic
        above 2.69.

    Examples
    --------
    >>> run = regimes(AttractorEngine())
    >>> [int((run.regime == k).sum()) for k in range(3)]
    [10, 17, 53]
    """

    drive: Positive = 2.45
    feedback: NonNegative = 0.19
    wear: NonNegative = 0.5
    shift: float = 0.1
    stress_ratio: Part = 0.8
    rate: Positive = 2.05


ENGINES: dict[str, type[RegimeEngine]] = {"v9": WaveEngine, "v10": AttractorEngine}

#: Parameters that one of the two engines has, and their values for the other: no wave, no map.
_OTHERS = {"amplitude": 0.0, "period": 1.0, "rate": 0.0}

#: Where each parameter stands in the vector, by name.
_NAMES = [*(field.name for field in dataclasses.fields(RegimeEngine)), *_OTHERS]
_AT: Any = namedtuple("Places", _NAMES)(*range(len(_NAMES)))

#: Size of a state: load, energy, memory, stability.
STATE = 4


@compiled
def begin(p: FloatArray, state: FloatArray) -> None:
    """Set a state to that before the first step."""
    state[:] = 0.0
    state[0], state[3] = p[_AT.start], 1.0


@compiled
def observe(p: FloatArray, x: float, wave: float, state: FloatArray) -> None:
    """Advance energy, memory and stability by what they see of a load x, in place."""
    critical, energy_max = p[_AT.critical_load], p[_AT.energy_max]
    e = p[_AT.dissipation] * state[1] + p[_AT.feedback] * np.tanh(x - critical) + wave
    m = p[_AT.decay] * state[2] + (1.0 - p[_AT.decay]) * x / critical
    state[1] = min(max(e, -energy_max), energy_max)
    state[2] = m
    state[3] = min(max(1.0 - p[_AT.wear] * m, p[_AT.stability_min]), 1.0)


@compiled
def advance_engine(p: FloatArray, t: int, state: FloatArray) -> None:
    """Advance load, energy, memory and stability by one step, in place."""
    drive, rate = p[_AT.drive], p[_AT.rate]
    x = state[0]
    observe(p, x, p[_AT.amplitude] * np.sin(2.0 * np.pi * t / p[_AT.period]), state)
    e, s = state[1], state[3]
    # The only rate above 0 is that of v10, whose load is mapped onto itself.
    recursion = x * np.exp(rate * (1.0 - x / drive) + s * e)
    x = recursion if rate > 0.0 else x + s * (drive + e - x)
    state[0] = min(max(x, p[_AT.load_min]), p[_AT.load_max])


@compiled
def critical_threshold(p: FloatArray, memory: float) -> float:
    """Load from which a step is critical, θ = x_c·(1 + k·(½ − m))."""
    return float(p[_AT.critical_load] * (1.0 + p[_AT.shift] * (0.5 - memory)))


@compiled
def regime_of(p: FloatArray, load: float, memory: float) -> int:
    """Regime of a load: 0 stable, 1 stress, 2 critical; the thresholds move with memory."""
    threshold = critical_threshold(p, memory)
    if load >= threshold:
        return 2
    return 1 if load >= p[_AT.stress_ratio] * threshold else 0


@compiled
def _trajectory(p: FloatArray, out: FloatArray) -> None:
    """Fill (6, steps) with load, energy, memory, stability, critical threshold and regime."""
    state = np.zeros(STATE)
    begin(p, state)
    for t in range(out.shape[1]):
        advance_engine(p, t, state)
        for k in range(STATE):
            out[k, t] = state[k]
        out[4, t] = critical_threshold(p, state[2])
        out[5, t] = regime_of(p, state[0], state[2])


@compiled
def _observed(p: FloatArray, x: FloatArray, out: FloatArray) -> None:
    """Fill (4, time) with energy, memory, stability and regime for measured loads."""
    state = np.zeros(STATE)
    for t in range(x.size):
        observe(p, x[t], 0.0, state)
        for k in range(1, STATE):
            out[k - 1, t] = state[k]
        out[3, t] = regime_of(p, x[t], state[2])


@compiled
def _count_regimes(parameters: FloatArray, steps: int, counts: FloatArray) -> None:
    """Count the regimes of every row of parameters into `counts`, shape (n, 3)."""
    state = np.zeros(STATE)
    for n in range(parameters.shape[0]):
        p = parameters[n]
        begin(p, state)
        for t in range(steps):
            advance_engine(p, t, state)
            counts[n, regime_of(p, state[0], state[2])] += 1.0


def observers(load: npt.ArrayLike, engine: RegimeEngine | None = None) -> FloatArray:
    """What an engine's fields make of a load that is measured, not fed back (no wave).

    Parameters
    ----------
    load : array_like, shape (time,)
        Loads x, in units of which `engine.critical_load` is critical.
    engine : RegimeEngine, optional
        Default: v9, :class:`WaveEngine`.

    Returns
    -------
    ndarray, shape (4, time)
        Energy, memory, stability, and the regime as 0, 1 or 2.

    Examples
    --------
    >>> observers([0.0, 3.0])[3]
    array([0., 2.])
    """
    x = validate.finite_array("load", load, ndim=1, empty=True)
    out = np.zeros((4, x.size))
    _observed((WaveEngine() if engine is None else engine).vector(), x, out)
    return out


@validate.checked
def regimes(engine: RegimeEngine | None = None, steps: Count = 80) -> xr.Dataset:
    """Run an engine and say which regime each step is in.

    Parameters
    ----------
    engine : RegimeEngine, optional
        Default: v9, :class:`WaveEngine`.
    steps : int
        Steps; the published runs have 80.

    Returns
    -------
    xarray.Dataset
        Over ``time`` (steps): system_load, energy, memory, stability, both thresholds, and the
        regime as 0, 1 or 2.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> regimes().sizes["time"]
    80
    """
    engine = WaveEngine() if engine is None else engine
    if not isinstance(engine, RegimeEngine):
        raise ParameterTypeError("engine", engine, "a WaveEngine or an AttractorEngine")
    out = np.empty((6, steps))
    _trajectory(engine.vector(), out)
    load, energy, memory, stability, threshold, regime = out
    stress = engine.stress_ratio * threshold
    return results.dataset(
        {
            "system_load": ("time", load, "1", "load x"),
            "energy": ("time", energy, "1", "energy field e"),
            "memory": ("time", memory, "1", "stress memory m"),
            "stability": ("time", stability, "1", "stability s"),
            "threshold_critical": ("time", threshold, "1", "load of the critical regime"),
            "threshold_stress": ("time", stress, "1", "load of the stress regime"),
            "regime": ("time", regime.astype(int), "1", "0 stable, 1 stress, 2 critical"),
        },
        coords={"time": (np.arange(1, steps + 1), "steps")},
        parameters=results.parameters_of(engine, engine=type(engine).__name__),
        title="regimes of a load that feeds on itself",
        source="ours, with the published constants of seed 000",
    )  # fmt: skip


@validate.checked
def search(
    version: str = "v9", *, draws: Count = 300_000, steps: Count = 80, seed: validate.Seed = 9
) -> xr.Dataset:
    """Draw engines at random and keep those that give the published counts exactly.

    Parameters
    ----------
    version : {"v9", "v10"}
        Which engine, and which counts.
    draws : int
        Engines drawn, each parameter uniformly from its range in :data:`RANGES`.
    steps : int
        Steps of a run.
    seed : int
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        Over ``match``: the parameters of the engines that match. Attributes: draws, matches,
        and how many different counts occurred at all (of (steps+1)(steps+2)/2 conceivable).

    Examples
    --------
    >>> found = search("v9", draws=20_000)
    >>> found.attrs["matches"] > 0
    True
    """
    version = validate.choice("version", version, ENGINES)
    rng = np.random.default_rng(seed)
    ranges, kind = RANGES[version], ENGINES[version]
    drawn = {name: rng.uniform(*ends, draws) for name, ends in ranges.items()}
    base = engine_of(version, {name: float(values[0]) for name, values in drawn.items()})
    table = np.tile(base.vector(), (draws, 1))
    for name, values in drawn.items():
        table[:, getattr(_AT, name)] = values
    counts = np.zeros((draws, 3))
    _count_regimes(table, steps, counts)
    hit = (counts == np.array(PUBLISHED_COUNTS[version])).all(axis=1)
    return results.dataset(
        {
            name: ("match", values[hit], "1", f"{name} of the engines that match")
            for name, values in drawn.items()
        },
        coords={"match": (np.arange(int(hit.sum())), "1")},
        parameters={
            "version": version,
            "engine": kind.__name__,
            "draws": draws,
            "matches": int(hit.sum()),
            "different_counts": len(np.unique(counts, axis=0)),
            "seed": seed,
        },
        title=f"engines that give the counts of {version}",
        source="seed 000, Regime Distribution, and its change log",
    )


def engine_of(version: str, parameters: dict[str, Any]) -> RegimeEngine:
    """Engine of a version with some parameters set.

    Examples
    --------
    >>> engine_of("v10", {"rate": 1.5}).rate
    1.5
    """
    version = validate.choice("version", version, list(ENGINES))
    if unknown := sorted(set(parameters) - set(RANGES[version])):
        raise ParameterError("parameters", unknown, f"names among {sorted(RANGES[version])}")
    return ENGINES[version](**parameters)


#: Size of the disturbance that is followed for the Lyapunov exponent.
DISTURBANCE = 1e-8

#: Smallest disturbance told from none: two trajectories that a clip has merged.
MERGED = 1e-300


@compiled
def _samples(
    parameters: FloatArray, transient: int, stride: int, go_on: bool, out: FloatArray
) -> None:
    """Loads after a transient, every `stride` steps, for each row of parameters.

    Each row starts anew, or goes on from where the row before it ended.
    """
    state = np.zeros(STATE)
    t = 0
    for n in range(parameters.shape[0]):
        if n == 0 or not go_on:
            begin(parameters[n], state)
            t = 0
        for k in range(transient + out.shape[1] * stride):
            advance_engine(parameters[n], t, state)
            t += 1
            kept = k + 1 - transient
            if kept > 0 and kept % stride == 0:
                out[n, kept // stride - 1] = state[0]


@compiled
def _exponents(
    parameters: FloatArray, transient: int, steps: int, disturbance: float, out: FloatArray
) -> None:
    """Mean logarithmic growth of a small disturbance of (x, e, m), rescaled at every step."""
    near, far = np.zeros(STATE), np.zeros(STATE)
    for n in range(parameters.shape[0]):
        p = parameters[n]
        begin(p, near)
        for t in range(transient):
            advance_engine(p, t, near)
        far[:] = near
        far[0] += disturbance
        growth = 0.0
        for t in range(transient, transient + steps):
            advance_engine(p, t, near)
            advance_engine(p, t, far)
            distance = 0.0
            for k in range(3):
                distance += (far[k] - near[k]) ** 2
            distance = np.sqrt(distance)
            growth += np.log(max(distance, MERGED) / disturbance)
            if distance > MERGED:
                for k in range(3):
                    far[k] = near[k] + (far[k] - near[k]) * disturbance / distance
            else:
                far[:] = near
                far[0] += disturbance
        out[n] = growth / steps


def _varied(engine: RegimeEngine, parameter: str, values: FloatArray) -> FloatArray:
    names = [field.name for field in dataclasses.fields(engine)]
    validate.choice("parameter", parameter, names)
    return np.array([dataclasses.replace(engine, **{parameter: float(v)}).vector() for v in values])


@validate.checked
def hysteresis(
    engine: RegimeEngine | None = None,
    *,
    low: Positive = 0.5,
    high: float = 3.0,
    levels: AtLeastTwo = 200,
    hold: AtLeastTwo = 200,
) -> xr.Dataset:
    """Load while the drive climbs and falls again, slowly: a loop if the engine remembers.

    Without waves, energy rests at e = g·tanh(x − x_c)/(1 − δ) and the load at x = D + e. Where
    g/(1 − δ) > 1 three rests coexist over a range of drives, and the way up leaves them at
    another drive than the way down.

    Parameters
    ----------
    engine : RegimeEngine, optional
        Default: v9 without its wave.
    low, high : float
        Ends of the drive.
    levels, hold : int
        Drives on each way, and steps at each.

    Returns
    -------
    xarray.Dataset
        ``system_load`` over ``way`` (up, down) and ``drive``; attribute ``area`` of the loop.

    Examples
    --------
    >>> hysteresis().attrs["area"] > 0.5
    True
    """
    engine = dataclasses.replace(WaveEngine(), amplitude=0.0) if engine is None else engine
    high = validate.real("high", high, low, open_low=True)
    drives = np.linspace(low, high, levels)
    out = np.empty((2 * levels, hold // 2))
    there_and_back = np.concatenate([drives, drives[::-1]])
    _samples(_varied(engine, "drive", there_and_back), hold - hold // 2, 1, True, out)
    up, down = out[:levels].mean(axis=1), out[levels:].mean(axis=1)[::-1]
    return results.dataset(
        {"system_load": (("way", "drive"), np.stack([up, down]), "1", "mean load at rest")},
        coords={"way": (["up", "down"], "1"), "drive": (drives, "1")},
        parameters=results.parameters_of(engine, area=float(np.trapezoid(down - up, drives))),
        title="hysteresis",
        source="ours, with the published constants of seed 000",
    )


@validate.checked
def return_map(
    engine: RegimeEngine | None = None, *, steps: AtLeastTwo = 400, transient: Natural = 100
) -> xr.Dataset:
    """Each load against the next, after a transient: points on the diagonal are at rest.

    Returns
    -------
    xarray.Dataset
        ``system_load`` and ``following`` over ``step``.

    Examples
    --------
    >>> return_map(steps=50).sizes["step"]
    49
    """
    engine = AttractorEngine() if engine is None else engine
    load = regimes(engine, transient + steps).system_load.values[transient:]
    return results.dataset(
        {
            "system_load": ("step", load[:-1], "1", "load x"),
            "following": ("step", load[1:], "1", "load one step later"),
        },
        coords={"step": (np.arange(load.size - 1), "steps")},
        parameters=results.parameters_of(engine),
        title="return map",
        source="ours, with the published constants of seed 000",
    )


@validate.checked
def bifurcation(
    engine: RegimeEngine | None = None,
    parameter: str = "rate",
    values: npt.ArrayLike | None = None,
    *,
    transient: Natural = 600,
    samples: Count = 120,
    stride: Count | None = None,
) -> xr.Dataset:
    """Loads that an engine visits, and its largest Lyapunov exponent, along a parameter.

    Parameters
    ----------
    engine : RegimeEngine, optional
        Default: v10.
    parameter : str
        Any parameter of the engine.
    values : array_like, optional
        Values of it; default: 300 rates from 0.5 to 3.5.
    transient, samples : int
        Steps that are thrown away, and loads that are kept.
    stride : int, optional
        Steps between two loads that are kept; default: 1 for v10, a whole wave for v9, so that
        a load in step with the wave is one point.

    Returns
    -------
    xarray.Dataset
        ``system_load`` over ``value`` and ``sample``; ``exponent`` (per step) over ``value``.

    Raises
    ------
    ParameterError
        If the engine has no such parameter or refuses a value.

    Examples
    --------
    A light load without energy is Ricker's map: at rest, or chaotic.

    >>> tree = bifurcation(AttractorEngine(drive=0.9, feedback=0.0), values=[1.0, 2.75])
    >>> [bool(x > 0) for x in tree.exponent]
    [False, True]
    """
    engine = AttractorEngine() if engine is None else engine
    grid = np.linspace(0.5, 3.5, 300) if values is None else values
    grid = validate.finite_array("values", grid, ndim=1)
    table = _varied(engine, parameter, grid)
    if stride is None:
        stride = max(round(engine.period), 1) if isinstance(engine, WaveEngine) else 1
    out = np.empty((grid.size, samples))
    _samples(table, transient, stride, False, out)
    exponents = np.empty(grid.size)
    _exponents(table, transient, samples * stride, DISTURBANCE, exponents)
    return results.dataset(
        {
            "system_load": (("value", "sample"), out, "1", "loads visited"),
            "exponent": ("value", exponents, "1/step", "largest Lyapunov exponent"),
        },
        coords={"value": (grid, "1"), "sample": (np.arange(samples), "1")},
        parameters=results.parameters_of(engine, parameter=parameter),
        title=f"bifurcation along {parameter}",
        source="ours, with the published constants of seed 000",
    )


@validate.checked
def lyapunov(engine: RegimeEngine, *, steps: Count = 20_000, transient: Natural = 1000) -> float:
    """Largest Lyapunov exponent of an engine, per step (Benettin's method).

    A disturbance of the load, the energy and the memory is followed and rescaled at every step.
    Chaos is an exponent above 0. An engine whose load sits at a clip forgets disturbances of
    the load; what is left is the fading of its memory, ln μ = −0.198, or of its energy.

    Examples
    --------
    >>> lyapunov(AttractorEngine(feedback=0.0, rate=1.0)) < 0
    True
    """
    if not isinstance(engine, RegimeEngine):
        raise ParameterError("engine", engine, "a WaveEngine or an AttractorEngine")
    out = np.empty(1)
    _exponents(engine.vector()[np.newaxis], transient, steps, DISTURBANCE, out)
    return float(out[0])
