"""Streams without a network: recordings that ship, imitations, and scenarios with a known change.

A recording is real and comes with a dependency. An imitation is a seeded stand-in for a stream of
the catalog of which there is none: its pace, skewness and rounding, with one change in it; it
says so in its attributes and is never called a recording. A scenario is the truth to test a
detector on: the moment and the manner of its change are chosen.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.results import parameters_of
from entro_nb.streams.catalog import Source, find
from entro_nb.validate import Bounds, Count, FloatArray, Parameters, Seed, checked

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded stream of scalars: what it is, where it comes from, and its band.

    Parameters
    ----------
    title : str
        What was measured, where and when.
    quantity, units : str
        What one value is, and its units.
    low, high : float
        Band for normalisation: where the values usually lie, chosen beforehand from what the
        quantity is, never from the recording.
    source, licence : str
        Who measured it and on what terms it may be used.
    read : callable
        Gives the (times, values) of the recording, in order of time.
    """

    title: str
    quantity: str
    units: str
    low: float
    high: float
    source: str
    licence: str
    read: Callable[[], tuple[Any, Any]]


def _of_hvsampledata(name: str, time: str, value: str) -> Callable[[], tuple[Any, Any]]:
    def read() -> tuple[Any, Any]:
        import hvsampledata

        table = getattr(hvsampledata, name)("pandas").sort_values(time, kind="stable")
        return table[time], table[value]

    return read


def _of_bokeh(module: str, name: str, value: str) -> Callable[[], tuple[Any, Any]]:
    def read() -> tuple[Any, Any]:
        # Bokeh's own reader may use what pandas is about to drop: not the caller's business.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            table = getattr(importlib.import_module(f"bokeh.sampledata.{module}"), name)
        return table.index.tz_localize(None), table[value]

    return read


#: The recordings, by name.
RECORDINGS: Mapping[str, Recording] = MappingProxyType(
    {
        "earthquakes": Recording("Earthquakes along the Pacific Ring of Fire, April to July 2024",
            "magnitude", "1", 2.0, 7.0,
            "U.S. Geological Survey, through hvsampledata", "public domain",
            _of_hvsampledata("earthquakes", "time", "mag")),
        "apple": Recording("Apple share, daily close, 2019 to 2024",
            "price", "USD", 0.0, 250.0,
            "public news sources, through hvsampledata", "as hvsampledata",
            _of_hvsampledata("apple_stocks", "date", "close")),
        "sea_temperature": Recording(
            "Sea surface temperature at NERACOOS buoy B01, half-hourly, 2016 and 2017",
            "temperature", "degC", 0.0, 25.0,
            "NERACOOS and University of Maine, through bokeh_sampledata",
            "free to use and redistribute",
            _of_bokeh("sea_surface_temperature", "sea_surface_temperature", "temperature")),
        "glucose": Recording("Blood glucose of one person, every five minutes, from 2010",
            "glucose", "mg/dL", 40.0, 300.0,
            "given to the Bokeh project, through bokeh_sampledata", "public domain",
            _of_bokeh("glucose", "data", "glucose")),
    }
)  # fmt: skip

#: Streams of the catalog whose quantity there is a recording of.
_RECORDED: Mapping[str, str] = MappingProxyType({"usgs": "earthquakes"})


def labelled(values: Any, times: Any, what: Recording | Source, **attrs: object) -> xr.DataArray:
    """Values over `time`, with the units, the quantity and the band of what they are."""
    import xarray as xr

    return xr.DataArray(
        np.asarray(values, dtype=np.float64),
        coords={"time": times},
        dims="time",
        name="value",
        attrs={"units": what.units, "long_name": what.quantity, "band": [what.low, what.high]}
        | attrs,
    )


def load_recording(name: str) -> xr.DataArray:
    """A real recording as a DataArray over `time`.

    Parameters
    ----------
    name : str
        One of :data:`RECORDINGS`.

    Returns
    -------
    xarray.DataArray
        Values over time, with units, band, source and licence as attributes. A missing value
        stays NaN.

    Raises
    ------
    ParameterError
        If there is no recording of that name; the nearest one is suggested.

    Examples
    --------
    >>> quakes = load_recording("earthquakes")
    >>> quakes.dims, quakes.size, quakes.attrs["units"]
    (('time',), 596, '1')
    """
    what = RECORDINGS[validate.choice("recording", name, RECORDINGS)]
    times, values = what.read()
    return labelled(
        values,
        np.asarray(times, dtype="datetime64[ns]"),
        what,
        title=what.title,
        source=what.source,
        licence=what.licence,
    ).rename(what.quantity)


@checked
def sample(
    stream: str | Source, length: Annotated[int, Bounds(2)] = 2048, seed: Seed = 1
) -> xr.DataArray:
    """Values of a stream to replay: recorded if there is a recording, else an imitation.

    Parameters
    ----------
    stream : str or Source
        Name in the catalog, or a stream of one's own.
    length : int
        Values of an imitation, at least 2; its change is in the middle.
    seed : int
        Seed of an imitation.

    Returns
    -------
    xarray.DataArray
        Values over `time`, with units, band and where they come from.

    Examples
    --------
    >>> sample("usgs").attrs["generated"], sample("noaa", length=10).attrs["generated"]
    ('no', 'yes')
    """
    source = find(stream)
    if source.name in _RECORDED:
        return load_recording(_RECORDED[source.name]).assign_attrs(generated="no")
    after = (np.arange(length) >= length // 2).astype(np.float64)
    values, period = _imitation(source, np.random.default_rng(seed), after)
    return labelled(
        values,
        ("time", period * np.arange(length), {"units": "s"}),
        source,
        title=f"Imitation of: {source.title}",
        source=f"generated, seed {seed}, one change at value {length // 2}",
        generated="yes",
    )


def _imitation(
    source: Source, rng: np.random.Generator, after: FloatArray
) -> tuple[npt.NDArray[np.floating[Any]], float]:
    """Values in the manner of a stream, 0 before its change and 1 `after`, and seconds between."""
    n = after.size
    x: npt.NDArray[np.floating[Any]]
    match source.quantity:
        case "price":  # the volatility triples
            steps = rng.standard_normal(n) * (1.0 + 2.0 * after) * 2e-4
            return np.round(70_000.0 * np.exp(np.cumsum(steps)), 2), 1.0
        case "size of an edit":  # a bot begins to make edits of the same small size
            x = np.exp(rng.normal(3.5, 1.8, n))
            return np.round(np.where(after * (rng.random(n) < 0.7) > 0, 42.0, x)), 0.05
        case "significant wave height":  # a storm: a slow wander, and a swell that grows
            x = 1.5 + np.cumsum(rng.standard_normal(n)) * 0.02
            x += 3.0 * np.tanh(np.cumsum(after) / 60.0)
            return np.round(np.clip(x, 0.2, None), 1), 600.0
        case "field 1":  # a daily cycle, until the sensor sticks
            x = 300.0 + 250.0 * np.sin(2 * np.pi * np.arange(n) / 288.0)
            x += 10.0 * rng.standard_normal(n)
            return np.round(np.where(after > 0, 300.0, np.clip(x, 0.0, None))), 300.0
        case "delay" if source.name == "openrail":  # trains run late, and less alike
            x = rng.geometric(0.35 - 0.25 * after) - 2.0
            return np.clip(x, -5.0, 60.0), 30.0
        case "delay":  # a disruption: everything is later, and less alike
            x = rng.gamma(2.0, 40.0, n) * (1.0 + 4.0 * after)
            return np.round(x - 30.0 * (1.0 - after)), 30.0
        case "Air Quality Index":  # smoke drifts in
            x = 40.0 + 90.0 * np.tanh(np.cumsum(after) / 80.0) + 8.0 * rng.standard_normal(n)
            return np.round(np.clip(x, 0.0, None)), 3600.0
        case "names on a certificate":  # certificates that hold many names are issued in bulk
            bulk = after * (rng.random(n) < 0.5) > 0
            return np.where(bulk, 50.0, rng.geometric(0.5, n).astype(np.float64)), 0.02
    # Normal values across the band of a stream that nobody described; the spread doubles.
    centre, half = (source.low + source.high) / 2, (source.high - source.low) / 2
    x = centre + half / 4 * rng.standard_normal(n) * (1.0 + after)
    return x, 1.0


#: What can change in a scenario.
CHANGES = ("level", "scale", "shape", "periodicity", "burst", "drift")


@dataclass(frozen=True)
class Scenario(Parameters):
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
    samples: Annotated[int, Bounds(2)] = 2048
    change: Count = 1024
    size: float = 1.0
    duration: Count = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.choice("kind", self.kind, CHANGES)
        validate.integer("change", self.change, 1, self.samples - 1)
        most = 1.0 if self.kind == "shape" else np.inf
        validate.real("size", self.size, low=0.0, high=most, open_low=True)


@checked
def generate(scenario: Scenario, seed: Seed) -> xr.DataArray:
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

    steps = np.arange(scenario.samples)
    after = steps >= scenario.change
    within = after & (steps < scenario.change + scenario.duration)
    return xr.DataArray(
        _changing(scenario, np.random.default_rng(seed), after, within),
        coords={
            "time": ("time", steps, {"units": "samples"}),
            "changed": ("time", within if scenario.kind == "burst" else after),
        },
        dims="time",
        name="value",
        attrs={"units": "1", "long_name": f"{scenario.kind} change"}
        | parameters_of(scenario, seed=seed),
    )


def _changing(scenario: Scenario, rng: np.random.Generator, after: Any, within: Any) -> FloatArray:
    n, size = after.size, scenario.size
    x: FloatArray
    match scenario.kind:
        case "level":
            x = rng.standard_normal(n) + size * after
        case "scale":
            x = rng.standard_normal(n) * (1 + size * after)
        case "shape":
            # s·(±1) + √(1 − s²)·normal has mean 0 and deviation 1 for every share s.
            normal, sign = rng.standard_normal(n), rng.choice([-1.0, 1.0], n)
            x = size * after * sign + np.sqrt(1 - (size * after) ** 2) * normal
        case "periodicity":
            phase = rng.uniform(0, 2 * np.pi, n)
            x = np.sqrt(2) * np.sin(np.where(after, 2 * np.pi * size * np.arange(n) / 64, phase))
        case "burst":
            x = rng.standard_normal(n) * (1 + size * within)
        case _:  # drift, which reaches its size at the end
            x = rng.standard_normal(n) + size * (np.cumsum(after) / max(after.sum(), 1))
    return x
