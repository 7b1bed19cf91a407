"""Readings: what a period report is made of, the same for a simulated pipeline and for a stream.

The published reports give load, Ψ, stability, energy, memory and regime and do not say how they
are had. Ours: with Ψ against its budget as load, x_t = x_c·Ψ_t/Ψ_budget, the fields of the regime
engine v9 (seed 000) are observers,

    e_t = clip(0.92·e_{t−1} + f·tanh(x_t − x_c), ±2),  m_t = 0.82·m_{t−1} + 0.18·x_t/x_c,
    s_t = clip(1 − w·m_t, 0.05, 1).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb import engine, results, validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.periods.calendar import SECOND, instants

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["REGIMES", "readings", "recorded", "simulated"]

REGIMES = ("stable", "stress", "critical")

#: Budget of a stream: Ψ of a value three deviations off, in nats.
STREAM_BUDGET = math.log1p(3.0)


def readings(
    time: Any,
    load: npt.ArrayLike,
    psi: npt.ArrayLike,
    budget: float,
    *,
    regime: npt.ArrayLike | None = None,
    units: str = "1",
    source: str = "",
) -> xr.Dataset:
    """Readings in the order of time, with all that a period report sums up.

    Parameters
    ----------
    time : array_like of datetime64, shape (time,)
        When each was taken, in UTC, in the order in which they came. Where the clock was set
        back the order of time differs; those places are counted.
    load : array_like, shape (time,)
        In `units`.
    psi : array_like, shape (time,)
        Ψ in nats, not negative.
    budget : float
        Ψ_budget in nats.
    regime : array_like of int, optional
        0 stable, 1 stress, 2 critical; from the observers if not given.
    units, source : str
        Of the load, and of it all.

    Returns
    -------
    xarray.Dataset
        Over ``time``: load, psi, stability, energy, memory, regime, violation, and set_back,
        by how many s the clock was behind the reading before.

    Raises
    ------
    ParameterError, DataError
        If the lengths differ or a value is not finite.

    Examples
    --------
    >>> day = np.datetime64("2026-01-01") + np.arange(3) * np.timedelta64(1, "h")
    >>> readings(day, [1, 2, 3], [0.5, 1.0, 3.5], 3.0).violation.values
    array([False, False,  True])
    """
    budget = validate.real("budget", budget, 0.0, open_low=True)
    x = validate.finite_array("load", load, ndim=1, empty=True)
    values = validate.finite_array("psi", psi, ndim=1, low=0.0, empty=True)
    moments = np.asarray(time, dtype="datetime64[ns]")
    validate.same_length(time=moments, load=x, psi=values)
    if np.isnat(moments).any():
        raise DataError("time", "NaT", "instants")
    energy, memory, stability, own = engine.observers(
        engine.WaveEngine().critical_load * values / budget
    )
    state = own.astype(np.int8) if regime is None else np.asarray(regime, dtype=np.int8)
    if state.shape != x.shape or ((state < 0) | (state > 2)).any():
        raise ParameterError("regime", regime, "0, 1 or 2 for each reading")
    back = np.zeros(x.size)
    step = np.diff(instants(moments)) / SECOND
    back[1:] = np.where(step < 0.0, -step, 0.0)
    made = results.dataset(
        {
            "load": ("time", x, units, "load"),
            "psi": ("time", values, "nats", "entropy Ψ"),
            "stability": ("time", stability, "1", "stability s"),
            "energy": ("time", energy, "1", "energy field e"),
            "memory": ("time", memory, "1", "stress memory m"),
            "regime": ("time", state, "1", "0 stable, 1 stress, 2 critical"),
            "violation": ("time", values > budget, "1", "whether Ψ is above the budget"),
            "set_back": ("time", back, "s", "by how much the clock was set back"),
        },
        parameters=results.parameters_of(budget=budget),
        title="readings",
        source=source,
    )
    timed: xr.Dataset = made.assign_coords(time=moments)
    return timed.isel(time=np.argsort(moments, kind="stable"))


def simulated(
    days: int = 35, law: str = "entropy", seed: int = 1, start: str = "2026-03-02T00:00"
) -> xr.Dataset:
    """Readings of a simulated pipeline, one a minute, with days, weekends and surges.

    The plant is that of :func:`entro_nb.engine.simulate` with the minute as its unit of time:
    capacity 1.2 requests a minute. Demand (ours) follows the hour and the day of the week, and
    on some days there is a surge.

    Parameters
    ----------
    days : int
        Length of the run.
    law : str
        What controls it, by its name in :data:`entro_nb.engine.LAWS`.
    seed : int
        Seed of surges and noise.
    start : str
        First instant, UTC.

    Examples
    --------
    >>> simulated(days=2).sizes["time"]
    2880
    """
    days = validate.integer("days", days, 1)
    chosen = engine.LAWS[validate.choice("law", law, engine.LAWS)]
    rng = np.random.default_rng(seed)
    phases = []
    for day in range(days):
        surge = int(rng.integers(8, 20)) if rng.random() < 0.35 else -1
        for hour in range(24):
            rate = 0.75 + 0.3 * math.sin(2.0 * math.pi * (hour - 8) / 24.0)
            rate = (0.6 if day % 7 >= 5 else 1.0) * rate if hour != surge else 2.6
            begin = 60.0 * (24 * day + hour)
            phases.append(engine.Phase(f"day {day} hour {hour}", begin, begin + 60.0, rate))
    run = engine.simulate(engine.pipeline(phases), chosen, seed=seed).isel(replicate=0)
    minutes = (np.arange(run.sizes["time"]) * 60).astype("timedelta64[s]")
    try:
        time = np.datetime64(start, "ns") + minutes
    except ValueError as error:
        raise ParameterError("start", start, "an instant like 2026-03-02T00:00") from error
    return readings(
        time,
        run.level.sum("subsystem").values,
        run.psi_total.values,
        float(run.attrs["budget"]),
        units="requests",
        source=f"simulated pipeline, {run.attrs['law_label']}, seed {seed}",
    )


def recorded(path: str | Path, stream: str = "", budget: float = STREAM_BUDGET) -> xr.Dataset:
    """Readings of a stream from an audit trail.

    The load is the size of the normalised value, in deviations, Ψ = ln(1 + load), and the regime
    is what the Decision Gate made of the frame: PROCEED stable, PAUSE stress, the rest critical
    (all ours).

    Parameters
    ----------
    path : path-like
        The trail; it may be written to at the same time.
    stream : str
        Which one; may be left out if there is only one.
    budget : float
        Ψ_budget in nats; three deviations by default.

    Raises
    ------
    DataError
        If the file is no audit trail or holds no frames.
    ParameterError
        If there are several streams and none, or one that is not there, is named.
    """
    from entro_nb.accountant import Path as GatePath
    from entro_nb.spokesperson import Trail

    with Trail(path) as trail:
        frames = trail.frames()
    names = sorted({str(name) for name in frames.stream.values})
    if not names:
        raise DataError("audit", Path(path).name, "an audit trail with at least one frame")
    if not stream and len(names) > 1:
        raise ParameterError("stream", stream, f"one of {', '.join(map(repr, names))}")
    stream = validate.choice("stream", stream or names[0], names)
    frames = frames.isel(time=np.flatnonzero(frames.stream.values == stream))
    codes = [GatePath.PROCEED, GatePath.PAUSE]
    order = {list(GatePath).index(path): k for k, path in enumerate(codes)}
    load = np.abs(frames["value"].values)
    return readings(
        frames.time.values,
        load,
        np.log1p(load),
        budget,
        regime=[order.get(int(code), 2) for code in frames.path.values],
        units="deviations",
        source=f"audit trail of {stream}",
    )
