"""One piece of a sweep, run wherever a worker is, and what is known of its results beforehand."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from entro_nb import __version__
from entro_nb.errors import ParameterError, SweepError
from entro_nb.results import parameters_of
from entro_nb.sweep.plan import REPLICATE, Plan, Tile
from entro_nb.sweep.simulation import Result

__all__ = ["Template", "Variable", "compute", "probe"]


@dataclass(frozen=True)
class Variable:
    """What one run gives under one name: its own dims and shape, type, units and meaning."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    units: str
    long_name: str

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the variable in a Dataset."""
        return {"units": self.units, "long_name": self.long_name}


@dataclass(frozen=True)
class Template:
    """Variables of one run, found by running the first point once.

    Parameters
    ----------
    variables : mapping
        Name to Variable, those that are kept.
    seconds : float
        Time of one run.
    """

    variables: Mapping[str, Variable]
    seconds: float = field(compare=False, default=0.0)

    @property
    def bytes(self) -> int:
        """Memory of one run's results."""
        return sum(np.dtype(v.dtype).itemsize * math.prod(v.shape) for v in self.variables.values())

    def attributes(self, plan: Plan) -> dict[str, str | int | float]:
        """Attributes of the Dataset: the parameters that made it."""
        return {
            "title": f"sweep of {plan.simulation.name}",
            "entro_nb_version": __version__,
            **parameters_of(
                simulation=plan.simulation.name,
                fixed=dict(plan.fixed),
                seed=plan.seed,
                common=plan.common,
            ),
        }

    def coordinates(self, plan: Plan) -> dict[str, tuple[tuple[str, ...], Any, dict[str, str]]]:
        """Coordinates of the axes: name to (dims, values, attributes)."""
        axes: dict[str, tuple[tuple[str, ...], Any, dict[str, str]]]
        axes = {name: ((name,), list(values), {}) for name, values in plan.axes.items()}
        return axes | {REPLICATE: ((REPLICATE,), np.arange(plan.replicates), {"units": "1"})}


def probe(plan: Plan, keep: Sequence[str] | None) -> Template:
    """Run the first point, to know what a run gives and how long it takes.

    Raises
    ------
    ParameterError
        If a variable to keep does not exist, or bears the name of an axis.
    """
    point = plan.point((0,) * len(plan.axes))
    seeds = plan.seeds(point, slice(0, 1))
    results = plan.simulation.run(point, seeds)  # the first call compiles
    started = time.perf_counter()
    plan.simulation.run(point, seeds)
    seconds = time.perf_counter() - started
    if plan.simulation.takes == "seeds" and plan.replicates > 1:
        # What a call costs by itself is shared by the runs of a point.
        many = min(plan.replicates, 64)
        started = time.perf_counter()
        plan.simulation.run(point, plan.seeds(point, slice(0, many)))
        seconds = (time.perf_counter() - started) / many
    names = list(results) if keep is None else list(keep)
    for name in names:
        if name not in results:
            raise ParameterError("keep", name, f"one of {', '.join(map(repr, results))}")
        if name in plan.dims:
            raise ParameterError("variable", name, "a name that is not that of an axis: use `keep`")
    if not names:
        raise ParameterError("keep", names, "at least one variable")
    return Template({name: _variable(results[name]) for name in names}, seconds)


def _variable(result: Result) -> Variable:
    return Variable(
        result.dims,
        result.values.shape[1:],
        result.values.dtype.str,
        result.units,
        result.long_name,
    )


def compute(plan: Plan, template: Template, tile: Tile, code: str) -> dict[str, Any]:
    """Results of the runs of one piece, as arrays over the axes and the replicates.

    Raises
    ------
    SweepError
        If a run fails or gives something of another shape than the first, or this process has
        another version of the code than the one that asks.
    """
    if _code(plan) != code:
        raise SweepError("a worker runs another version of the code than the one that asks")
    extent = tuple(part.stop - part.start for part in tile)
    arrays = {
        name: np.empty((*extent, *v.shape), v.dtype) for name, v in template.variables.items()
    }
    for place in plan.points(tile):
        point = plan.point(place)
        results = plan.simulation.run(point, plan.seeds(point, tile[-1]))
        at = tuple(k - part.start for k, part in zip(place, tile, strict=False))
        for name, variable in template.variables.items():
            _put(arrays[name], at, results, name, variable, point)
    return arrays


def _put(
    array: Any,
    at: tuple[int, ...],
    results: Mapping[str, Result],
    name: str,
    expected: Variable,
    point: Mapping[str, Any],
) -> None:
    found = results.get(name)
    if found is None or found.values.shape[1:] != expected.shape:
        shape = "nothing" if found is None else f"shape {found.values.shape[1:]}"
        raise SweepError(
            f"{name} is {shape} at {dict(point)} and shape {expected.shape} at the first point: "
            "keep only what has one shape everywhere"
        )
    array[at] = found.values


def _code(plan: Plan) -> str:
    return _fingerprint(plan.simulation)


@functools.cache
def _fingerprint(simulation: Any) -> str:
    return str(simulation.fingerprint())
