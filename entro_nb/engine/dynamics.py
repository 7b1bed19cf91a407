"""The regime engines as dynamical systems.

Hysteresis, return map, bifurcation diagram, largest Lyapunov exponent.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.engine.regimes import (
    STATE,
    AttractorEngine,
    RegimeEngine,
    WaveEngine,
    advance_engine,
    begin,
    regimes,
)
from entro_nb.errors import ParameterError
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, Positive

if TYPE_CHECKING:
    import xarray as xr

Steps = Annotated[int, Bounds(0)]
AtLeastTwo = Annotated[int, Bounds(2)]

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
    engine: RegimeEngine | None = None, *, steps: AtLeastTwo = 400, transient: Steps = 100
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
    transient: Steps = 600,
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
def lyapunov(engine: RegimeEngine, *, steps: Count = 20_000, transient: Steps = 1000) -> float:
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
