"""Seeded streams whose moment and manner of change are known: the truth to test a detector on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from entro_nb import validate
from entro_nb.results import parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["KINDS", "Scenario", "generate"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A stream that changes once, in a known way at a known sample.

    Before the change the samples are independent and standard normal (for `periodicity`, those
    of a sinusoid at random phases, so that the change leaves the distribution as it was).

    Parameters
    ----------
    kind : {"level", "scale", "shape", "periodicity", "burst", "drift"}
        What changes: the mean; the deviation; the distribution at equal mean and deviation; the
        order of the samples at equal distribution; the deviation for a while; the mean, slowly.
    samples : int
        Length of the stream, at least 2.
    change : int
        First sample after the change, from 1 to samples − 1.
    size : float
        How large the change is: deviations of shift (level), reached at the end (drift), or
        gained (scale, burst); share of the way to a two-point distribution (shape, at most 1);
        cycles in 64 samples (periodicity).
    duration : int
        Samples that a burst lasts, at least 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> Scenario("scale", samples=1000, change=500).size
    1.0
    """

    kind: str = "level"
    samples: int = 2048
    change: int = 1024
    size: float = 1.0
    duration: int = 64

    def __post_init__(self) -> None:
        validate.choice("kind", self.kind, KINDS)
        samples = validate.integer("samples", self.samples, 2)
        validate.integer("change", self.change, 1, samples - 1)
        validate.real(
            "size", self.size, low=0.0, high=1.0 if self.kind == "shape" else np.inf, open_low=True
        )
        validate.integer("duration", self.duration, 1)


def _level(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    x: FloatArray = rng.standard_normal(after.size) + scenario.size * after
    return x


def _scale(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    x: FloatArray = rng.standard_normal(after.size) * (1 + scenario.size * after)
    return x


def _shape(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    # s·(±1) + √(1 − s²)·normal has mean 0 and deviation 1 for every share s.
    normal, sign = rng.standard_normal(after.size), rng.choice([-1.0, 1.0], after.size)
    share = scenario.size * after
    x: FloatArray = share * sign + np.sqrt(1 - share**2) * normal
    return x


def _periodicity(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    phase = rng.uniform(0, 2 * np.pi, after.size)
    steps = np.arange(after.size)
    regular = 2 * np.pi * scenario.size * steps / 64
    x: FloatArray = np.sqrt(2) * np.sin(np.where(after > 0, regular, phase))
    return x


def _burst(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    within = after.copy()
    within[scenario.change + scenario.duration :] = 0
    x: FloatArray = rng.standard_normal(after.size) * (1 + scenario.size * within)
    return x


def _drift(scenario: Scenario, after: FloatArray, rng: np.random.Generator) -> FloatArray:
    ramp = np.cumsum(after) / max(after.sum(), 1)
    x: FloatArray = rng.standard_normal(after.size) + scenario.size * ramp
    return x


#: The kinds of change, each a function of (scenario, 0 before and 1 after, generator).
KINDS: Mapping[str, Callable[[Scenario, FloatArray, np.random.Generator], FloatArray]] = (
    MappingProxyType(
        {
            "level": _level,
            "scale": _scale,
            "shape": _shape,
            "periodicity": _periodicity,
            "burst": _burst,
            "drift": _drift,
        }
    )
)


def generate(scenario: Scenario, seed: int) -> xr.DataArray:
    """Stream of a scenario, with the truth beside it.

    Parameters
    ----------
    scenario : Scenario
        What changes, when, and by how much.
    seed : int
        Seed of the samples.

    Returns
    -------
    xarray.DataArray
        Samples over `time`, with a boolean coordinate `changed`.

    Examples
    --------
    >>> x = generate(Scenario("level", samples=4000, change=2000, size=2.0), seed=1)
    >>> float(x[x.changed].mean() - x[~x.changed].mean()).__round__(1)
    2.0
    """
    import xarray as xr

    seed = validate.integer("seed", seed, 0)
    rng = np.random.default_rng(seed)
    steps = np.arange(scenario.samples)
    changed = steps >= scenario.change
    if scenario.kind == "burst":
        changed &= steps < scenario.change + scenario.duration
    after = (steps >= scenario.change).astype(np.float64)
    return xr.DataArray(
        KINDS[scenario.kind](scenario, after, rng),
        coords={
            "time": ("time", steps, {"units": "samples"}),
            "changed": ("time", changed),
        },
        dims="time",
        name="value",
        attrs={"units": "1", "long_name": f"{scenario.kind} change"}
        | parameters_of(scenario, seed=seed),
    )
