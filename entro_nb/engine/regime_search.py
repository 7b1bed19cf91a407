"""How many machines give the published regime counts: a search over the free parameters."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import results, validate
from entro_nb.engine.regimes import (
    AttractorEngine,
    RegimeEngine,
    WaveEngine,
    count_regimes,
)
from entro_nb.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["PUBLISHED_COUNTS", "RANGES", "search"]

#: Published counts of stable, stress and critical steps of 80 (v10: from its shares in %).
PUBLISHED_COUNTS = {"v9": (24, 19, 37), "v10": (10, 17, 53)}

#: Ranges in which nothing published speaks for one value rather than another.
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "v9": {
        "drive": (0.5, 3.0),
        "feedback": (0.0, 0.3),
        "wear": (0.0, 1.0),
        "shift": (0.0, 0.6),
        "stress_ratio": (0.4, 0.95),
        "amplitude": (0.0, 0.5),
        "period": (10.0, 80.0),
    },
    "v10": {
        "drive": (0.5, 3.0),
        "feedback": (0.0, 0.3),
        "wear": (0.0, 1.0),
        "shift": (0.0, 0.6),
        "stress_ratio": (0.4, 0.95),
        "rate": (0.5, 3.5),
    },
}

ENGINES: dict[str, type[RegimeEngine]] = {"v9": WaveEngine, "v10": AttractorEngine}


def search(
    version: str = "v9", *, draws: int = 300_000, steps: int = 80, seed: int = 9
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
    version = validate.choice("version", version, list(ENGINES))
    draws = validate.integer("draws", draws, 1)
    steps = validate.integer("steps", steps, 1)
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    ranges, kind = RANGES[version], ENGINES[version]
    drawn = {name: rng.uniform(*ends, draws) for name, ends in ranges.items()}
    base = engine_of(version, {name: float(values[0]) for name, values in drawn.items()})
    table = np.tile(base.vector(), (draws, 1))
    shared = [field.name for field in dataclasses.fields(RegimeEngine)]
    place = {name: k for k, name in enumerate([*shared, "amplitude", "period", "rate"])}
    for name, values in drawn.items():
        table[:, place[name]] = values
    counts = np.zeros((draws, 3))
    count_regimes(table, steps, counts)
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
