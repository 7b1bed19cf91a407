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
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from entro_nb import results, validate
from entro_nb.errors import ParameterTypeError
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PUBLISHED_SHARES",
    "REGIMES",
    "AttractorEngine",
    "RegimeEngine",
    "WaveEngine",
    "regimes",
]

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


@dataclass(frozen=True)
class RegimeEngine(ABC):
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

    drive: float
    feedback: float
    wear: float
    shift: float
    stress_ratio: float
    start: float = 1.0
    dissipation: float = 0.92
    decay: float = 0.82
    critical_load: float = 2.35
    energy_max: float = 2.0
    load_min: float = 0.05
    load_max: float = 3.5
    stability_min: float = 0.05

    def __post_init__(self) -> None:
        validate.real("drive", self.drive, 0.0, open_low=True)
        validate.real("feedback", self.feedback, 0.0)
        validate.real("wear", self.wear, 0.0)
        validate.real("shift", self.shift)
        validate.real("stress_ratio", self.stress_ratio, 0.0, 1.0, open_low=True, open_high=True)
        validate.real("dissipation", self.dissipation, 0.0, 1.0)
        validate.real("decay", self.decay, 0.0, 1.0)
        validate.real("critical_load", self.critical_load, 0.0, open_low=True)
        validate.real("energy_max", self.energy_max, 0.0, open_low=True)
        validate.real("load_min", self.load_min, 0.0, open_low=True)
        validate.real("load_max", self.load_max, self.load_min, open_low=True)
        validate.real("stability_min", self.stability_min, 0.0, 1.0)
        validate.real("start", self.start, self.load_min, self.load_max)

    def vector(self) -> FloatArray:
        """Parameters as the compiled step reads them."""
        shared = [getattr(self, field.name) for field in dataclasses.fields(RegimeEngine)]
        return np.array([*shared, *self._own()], dtype=np.float64)

    @abstractmethod
    def _own(self) -> tuple[float, float, float]:
        """Amplitude and period of the wave, and rate of the recursion, 0 where it has none."""


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

    drive: float = 1.65
    feedback: float = 0.15
    wear: float = 0.4
    shift: float = 0.3
    stress_ratio: float = 0.55
    amplitude: float = 0.3
    period: float = 45.0

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("amplitude", self.amplitude, 0.0)
        validate.real("period", self.period, 0.0, open_low=True)

    def _own(self) -> tuple[float, float, float]:
        return self.amplitude, self.period, 0.0


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

    drive: float = 2.45
    feedback: float = 0.19
    wear: float = 0.5
    shift: float = 0.1
    stress_ratio: float = 0.8
    rate: float = 2.05

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("rate", self.rate, 0.0, open_low=True)

    def _own(self) -> tuple[float, float, float]:
        return 0.0, 1.0, self.rate


@compiled
def step(p: FloatArray, t: int, state: FloatArray) -> None:
    """Advance load, energy, memory and stability by one step, in place."""
    drive, feedback, wear = p[0], p[1], p[2]
    dissipation, decay, critical = p[6], p[7], p[8]
    energy_max, load_min, load_max, stability_min = p[9], p[10], p[11], p[12]
    amplitude, period, rate = p[13], p[14], p[15]
    x, e, m = state[0], state[1], state[2]
    wave = amplitude * np.sin(2.0 * np.pi * t / period)
    e = dissipation * e + feedback * np.tanh(x - critical) + wave
    e = min(max(e, -energy_max), energy_max)
    m = decay * m + (1.0 - decay) * x / critical
    s = min(max(1.0 - wear * m, stability_min), 1.0)
    # The only rate above 0 is that of v10, whose load is mapped onto itself.
    recursion = x * np.exp(rate * (1.0 - x / drive) + s * e)
    x = recursion if rate > 0.0 else x + s * (drive + e - x)
    state[0] = min(max(x, load_min), load_max)
    state[1], state[2], state[3] = e, m, s


@compiled
def regime_of(p: FloatArray, load: float, memory: float) -> int:
    """Regime of a load: 0 stable, 1 stress, 2 critical; the thresholds move with memory."""
    shift, ratio, critical = p[3], p[4], p[8]
    threshold = critical * (1.0 + shift * (0.5 - memory))
    if load >= threshold:
        return 2
    return 1 if load >= ratio * threshold else 0


@compiled
def trajectory(p: FloatArray, out: FloatArray) -> None:
    """Fill (4, steps) with load, energy, memory and stability."""
    state = np.zeros(4)
    state[0], state[3] = p[5], 1.0
    for t in range(out.shape[1]):
        step(p, t, state)
        for k in range(4):
            out[k, t] = state[k]


@compiled
def count_regimes(parameters: FloatArray, steps: int, counts: FloatArray) -> None:
    """Count the regimes of every row of parameters into `counts`, shape (n, 3)."""
    state = np.zeros(4)
    for n in range(parameters.shape[0]):
        p = parameters[n]
        state[:] = 0.0
        state[0], state[3] = p[5], 1.0
        for t in range(steps):
            step(p, t, state)
            counts[n, regime_of(p, state[0], state[2])] += 1.0


def regimes(engine: RegimeEngine | None = None, steps: int = 80) -> xr.Dataset:
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
    steps = validate.integer("steps", steps, 1)
    out = np.empty((4, steps))
    trajectory(engine.vector(), out)
    load, energy, memory, stability = out
    threshold = engine.critical_load * (1.0 + engine.shift * (0.5 - memory))
    regime = (load >= threshold).astype(int) + (load >= engine.stress_ratio * threshold)
    return results.dataset(
        {
            "system_load": ("time", load, "1", "load x"),
            "energy": ("time", energy, "1", "energy field e"),
            "memory": ("time", memory, "1", "stress memory m"),
            "stability": ("time", stability, "1", "stability s"),
            "threshold_critical": ("time", threshold, "1", "load of the critical regime"),
            "threshold_stress": (
                "time", engine.stress_ratio * threshold, "1", "load of the stress regime"
            ),
            "regime": ("time", regime, "1", "0 stable, 1 stress, 2 critical"),
        },
        coords={"time": (np.arange(1, steps + 1), "steps")},
        parameters=results.parameters_of(engine, engine=type(engine).__name__),
        title="regimes of a load that feeds on itself",
        source="ours, with the published constants of seed 000",
    )  # fmt: skip
