"""Something to replay for every stream of the catalog, with no network.

Where a dependency ships a real recording of the same quantity, it is that one. Else it is
generated: a seeded imitation of the stream's manner (pace, skewness, rounding), with one known
change in it. What it is stands in its attributes; an imitation is never called a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from entro_nb import validate
from entro_nb.streams.catalog import find
from entro_nb.streams.recordings import load
from entro_nb.streams.source import Source
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RECORDED", "sample"]

#: Streams whose quantity a dependency ships a recording of.
RECORDED: Mapping[str, str] = MappingProxyType({"usgs": "earthquakes"})

_Imitation = Callable[[np.random.Generator, FloatArray], FloatArray]


def _rounded(x: FloatArray, digits: int = 0) -> FloatArray:
    return np.asarray(np.round(x, digits), dtype=np.float64)


def _price(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # The volatility triples at the change.
    steps = rng.standard_normal(after.size) * (1.0 + 2.0 * after) * 2e-4
    return _rounded(70_000.0 * np.exp(np.cumsum(steps)), 2)


def _edits(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # A bot begins to make edits of the same small size.
    size = np.exp(rng.normal(3.5, 1.8, after.size))
    bot = after * (rng.random(after.size) < 0.7) > 0
    return _rounded(np.where(bot, 42.0, size))


def _waves(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # A storm comes up: height is a slow wander plus a swell that grows.
    wander = np.cumsum(rng.standard_normal(after.size)) * 0.02
    storm = 3.0 * np.tanh(np.cumsum(after) / 60.0)
    return _rounded(np.clip(1.5 + wander + storm, 0.2, None), 1)


def _sensor(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # A daily cycle; from the change on the sensor sticks.
    daily = 300.0 + 250.0 * np.sin(2 * np.pi * np.arange(after.size) / 288.0)
    noise = 10.0 * rng.standard_normal(after.size)
    return _rounded(np.where(after > 0, 300.0, np.clip(daily + noise, 0.0, None)))


def _delays(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # A disruption: everything is later, and less alike.
    return _rounded(rng.gamma(2.0, 40.0, after.size) * (1.0 + 4.0 * after) - 30.0 * (1.0 - after))


def _air(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # Smoke drifts in.
    level = 40.0 + 90.0 * np.tanh(np.cumsum(after) / 80.0)
    return _rounded(np.clip(level + 8.0 * rng.standard_normal(after.size), 0.0, None))


def _trains(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    late = rng.geometric(0.35 - 0.25 * after) - 2.0
    x: FloatArray = np.clip(late, -5.0, 60.0)
    return x


def _names(rng: np.random.Generator, after: FloatArray) -> FloatArray:
    # A provider begins to issue certificates that hold many names.
    bulk = after * (rng.random(after.size) < 0.5) > 0
    x: FloatArray = np.where(bulk, 50.0, rng.geometric(0.5, after.size).astype(np.float64))
    return x


#: Imitations by quantity, and the seconds between two values.
_IMITATIONS: Mapping[str, tuple[_Imitation, float]] = MappingProxyType(
    {
        "price": (_price, 1.0),
        "size of an edit": (_edits, 0.05),
        "significant wave height": (_waves, 600.0),
        "field 1": (_sensor, 300.0),
        "delay": (_delays, 30.0),
        "Air Quality Index": (_air, 3600.0),
        "names on a certificate": (_names, 0.02),
    }
)


def sample(stream: str | Source, length: int = 2048, seed: int = 1) -> xr.DataArray:
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
    import xarray as xr

    source = find(stream)
    if source.name in RECORDED:
        data = load(RECORDED[source.name])
        data.attrs["generated"] = "no"
        return data
    length = validate.integer("length", length, 2)
    seed = validate.integer("seed", seed, 0)
    imitate, period = _IMITATIONS.get(source.quantity, (_generic(source), 1.0))
    if source.name == "openrail":
        imitate = _trains
    after = (np.arange(length) >= length // 2).astype(np.float64)
    return xr.DataArray(
        imitate(np.random.default_rng(seed), after),
        coords={"time": ("time", period * np.arange(length), {"units": "s"})},
        dims="time",
        name="value",
        attrs={
            "units": source.units,
            "long_name": source.quantity,
            "title": f"Imitation of: {source.title}",
            "band": [source.low, source.high],
            "source": f"generated, seed {seed}, one change at value {length // 2}",
            "generated": "yes",
        },
    )


def _generic(source: Source) -> _Imitation:
    """Normal values across the band of a stream that nobody described; the spread doubles."""

    def imitate(rng: np.random.Generator, after: FloatArray) -> FloatArray:
        centre, half = (source.low + source.high) / 2, (source.high - source.low) / 2
        x: FloatArray = centre + half / 4 * rng.standard_normal(after.size) * (1.0 + after)
        return x

    return imitate
