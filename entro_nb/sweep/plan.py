"""What a sweep will run: the points of its grid, the seed of every run, and the pieces of work."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.settings import Value
from entro_nb.sweep.simulation import Simulation

__all__ = ["REPLICATE", "Plan", "Tile", "tiles"]

REPLICATE = "replicate"

#: A piece of the grid: a range of indices on every axis, the replicates last.
Tile = tuple[slice, ...]


@dataclass(frozen=True)
class Plan:
    """A sweep, checked and complete.

    Parameters
    ----------
    simulation : Simulation
    axes : mapping
        Parameter to its values, in order; each becomes a dimension of the result.
    fixed : mapping
        Parameter to the one value that it has in all runs.
    replicates : int
        Independent runs of each point.
    seed : int
        Seed of the whole.
    common : bool
        Whether replicate k has the same random numbers at every point (a paired comparison).

    Examples
    --------
    >>> plan = Plan.of(Simulation.of("pipeline"), {"alpha": [0.1, 0.5]}, {}, 3, 1)
    >>> plan.shape, plan.runs
    ((2, 3), 6)
    """

    simulation: Simulation
    axes: Mapping[str, tuple[Value, ...]]
    fixed: Mapping[str, Value] = field(default_factory=dict)
    replicates: int = 1
    seed: int = 0
    common: bool = False

    @classmethod
    def of(
        cls,
        simulation: Simulation,
        grid: Mapping[str, Any],
        fixed: Mapping[str, Any],
        replicates: int,
        seed: int,
        common: bool = False,
    ) -> Plan:
        """Plan from what a caller gave, all of it checked.

        Raises
        ------
        ParameterError
            If a parameter is unknown, given twice or missing, an axis is empty or repeats a
            value, or there are replicates of a simulation without randomness.
        ParameterTypeError
            If a value is not of the parameter's type.
        """
        for name in [*grid, *fixed]:
            simulation.check(name)
        if both := [name for name in grid if name in fixed]:
            raise ParameterError(
                "parameter", both[0], "either an axis of the grid or a fixed value"
            )
        replicates = validate.integer("replicates", replicates, 1)
        if replicates > 1 and not simulation.takes:
            raise ParameterError("replicates", replicates, "1: this simulation takes no seed")
        axes = {name: _axis(simulation, name, values) for name, values in grid.items()}
        plan = cls(
            simulation,
            axes,
            {name: simulation.converted(name, value) for name, value in fixed.items()},
            replicates,
            validate.integer("seed", seed, 0),
            validate.flag("common", common),
        )
        simulation.bound(plan.point((0,) * len(axes)))
        return plan

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the grid, the replicates last."""
        return (*self.axes, REPLICATE)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return (*(len(values) for values in self.axes.values()), self.replicates)

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        return math.prod(self.shape)

    def point(self, place: Sequence[int]) -> dict[str, Value]:
        """Parameters of a point of the grid, by its indices."""
        at = {name: values[k] for (name, values), k in zip(self.axes.items(), place, strict=True)}
        return dict(self.fixed) | at

    def points(self, tile: Tile) -> Iterator[tuple[int, ...]]:
        """Indices of the points of a tile."""
        return itertools.product(*(range(part.start, part.stop) for part in tile[:-1]))

    def seeds(self, point: Mapping[str, Value], part: slice) -> list[int]:
        """Seeds of some replicates of a point.

        They follow from the seed of the sweep, the values of the parameters (those at their
        default included) and the number of the replicate. So a run is the same in whatever
        piece, order, process or larger grid it is found.
        """
        key: list[int] = []
        if not self.common:
            text = json.dumps(self.simulation.bound(point), sort_keys=True, default=repr)
            words = hashlib.sha256(text.encode()).digest()[:16]
            key = [int.from_bytes(words[k : k + 4], "little") for k in range(0, 16, 4)]
        source = np.random.SeedSequence([self.seed, *key])
        # Words come in order and do not depend on how many are asked for. 63 bits fit everywhere.
        words64 = source.generate_state(part.stop, np.uint64)[part.start :] >> np.uint64(1)
        return [int(word) for word in words64]

    def identity(self) -> dict[str, Any]:
        """What tells this sweep from another, fit for JSON."""
        return {
            "simulation": self.simulation.name,
            "grid": {name: list(values) for name, values in self.axes.items()},
            "fixed": dict(self.fixed),
            "replicates": self.replicates,
            "seed": self.seed,
            "common": self.common,
        }


def _axis(simulation: Simulation, name: str, values: Any) -> tuple[Value, ...]:
    allowed = "a list of at least one value"
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise ParameterTypeError(name, values, allowed)
    axis = tuple(simulation.converted(name, value) for value in values)
    if not axis:
        raise ParameterError(name, list(values), allowed)
    if len(set(axis)) < len(axis):
        twice = next(value for value in axis if axis.count(value) > 1)
        raise ParameterError(name, twice, "each value of an axis once")
    if name == REPLICATE:
        raise ParameterError("parameter", name, "a name that is not that of the replicates")
    return axis


def tiles(shape: Sequence[int], size: Sequence[int]) -> list[Tile]:
    """Pieces of a grid, in order.

    Examples
    --------
    >>> [tile[0] for tile in tiles((5,), (2,))]
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    parts = [
        [slice(start, min(start + step, length)) for start in range(0, length, step)]
        for length, step in zip(shape, size, strict=True)
    ]
    return list(itertools.product(*parts))


def tile_size(shape: Sequence[int], runs: int) -> tuple[int, ...]:
    """Size of a piece of at most so many runs: whole rows first, from the last axis on.

    Examples
    --------
    >>> tile_size((4, 10, 100), 250)
    (1, 2, 100)
    """
    left, size = max(runs, 1), []
    for length in reversed(shape):
        size.append(min(length, max(left, 1)))
        left //= length
    return tuple(reversed(size))
