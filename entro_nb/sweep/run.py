"""The sweep itself: plan, first run, then piece by piece into memory or into a store."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.settings import Value
from entro_nb.sweep.plan import Plan, Tile, tile_size, tiles
from entro_nb.sweep.simulation import Simulation
from entro_nb.sweep.store import Store
from entro_nb.sweep.task import Template, compute, probe

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MEMORY", "sweep"]

#: Bytes of results that are held in memory; more go to a store.
MEMORY = 500_000_000

#: A piece of work takes about so many seconds, and its results at most so many bytes.
SECONDS, PIECE = 1.0, 32_000_000

#: On a cluster there are at least so many pieces for each worker, so that all end together.
PIECES = 4

Pieces = Iterator[tuple[int, Tile, dict[str, Any]]]


def sweep(
    simulation: str | Callable[..., Any],
    grid: Mapping[str, Sequence[Value]],
    *,
    replicates: int = 1,
    seed: int = 0,
    fixed: Mapping[str, Value] | None = None,
    keep: Sequence[str] | None = None,
    common: bool = False,
    out: str | os.PathLike[str] | None = None,
    chunk: int | None = None,
    workers: int = 1,
    scheduler: Any = None,
    memory: int = MEMORY,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Run a simulation at every point of a grid, with replicates.

    The result is the same, bit for bit, for any number of workers and any size of pieces: a
    run's seed follows from the sweep's seed, the run's parameters and the number of its
    replicate. (On machines of one kind: mathematical libraries may round differently elsewhere.)

    Parameters
    ----------
    simulation : str or callable
        A name in `SIMULATIONS`, ``module:function``, or a function (see :class:`Simulation`).
    grid : mapping
        Parameter to the values that it takes; every combination is run.
    replicates : int
        Independent runs of each point.
    seed : int
        Seed of the whole.
    fixed : mapping, optional
        Parameters with one value.
    keep : sequence of str, optional
        Variables to keep; all by default.
    common : bool
        Whether replicate k meets the same random numbers at every point, which makes
        differences between points sharper.
    out : path, optional
        Zarr store to write to. If it is there already and of this sweep, what is finished is
        not run again.
    chunk : int, optional
        Runs in a piece of work; by default what takes about a second. A store keeps its own.
    workers : int
        Processes on this machine; with 1, this process alone and no Dask.
    scheduler : str, distributed.Client or cluster, optional
        A Dask cluster to run on, in the place of `workers`.
    memory : int
        Bytes of results that may be held here; beyond them `out` is needed, and the result is
        read from there piece by piece.
    progress : callable, optional
        Called with the runs finished and the runs in all, after each piece.

    Returns
    -------
    xarray.Dataset
        Every variable over the axes of the grid, ``replicate``, and its own dimensions.

    Raises
    ------
    ParameterError
        If a parameter is unknown or missing, an axis is empty, or the results need a store.
    SweepError
        If a run fails, the scheduler does not answer, the store is of another sweep or cannot
        be written to, or a part that is needed is not installed.

    Examples
    --------
    >>> runs = sweep("pipeline", {"alpha": [0.1, 0.5]}, replicates=3, seed=1)
    >>> dict(runs.violations.sizes)
    {'alpha': 2, 'replicate': 3}
    """
    workers = validate.integer("workers", workers, 1)
    memory = validate.integer("memory", memory, 1)
    if chunk is not None:
        chunk = validate.integer("chunk", chunk, 1)
    plan = Plan.of(Simulation.of(simulation), grid, fixed or {}, replicates, seed, common)
    with ExitStack() as stack:
        client = None
        if scheduler is not None or workers > 1:
            from entro_nb.sweep.cluster import client_of

            client = stack.enter_context(client_of(scheduler, workers))
        template = probe(plan, keep)
        fits = template.bytes * plan.runs <= memory
        if not fits and out is None:
            raise ParameterError(
                "out",
                None,
                f"a Zarr store for {template.bytes * plan.runs / 1e6:.0f} MB of results",
            )
        size = tile_size(plan.shape, chunk or _piece(plan, template, client))
        if out is None:
            pieces = list(enumerate(tiles(plan.shape, size)))
            return _gathered(plan, template, _computed(plan, template, pieces, client), progress)
        store = Store(Path(out), plan, template, size)
        done = store.finished
        left = [item for item in enumerate(store.tiles) if item[0] not in done]
        ran = plan.runs - sum(_runs(tile) for _, tile in left)
        for number, tile, arrays in _computed(plan, template, left, client):
            store.write(number, tile, arrays)
            ran += _runs(tile)
            if progress is not None:
                progress(ran, plan.runs)
        result: xr.Dataset = store.open(lazily=not fits)
        return result


def _runs(tile: Tile) -> int:
    return math.prod(part.stop - part.start for part in tile)


def _piece(plan: Plan, template: Template, client: Any) -> int:
    """Runs in a piece, when nobody says."""
    runs = min(SECONDS / max(template.seconds, 1e-7), PIECE / max(template.bytes, 1))
    if client is not None:
        runs = min(runs, plan.runs / (PIECES * max(sum(client.nthreads().values()), 1)))
    return max(math.ceil(runs), 1)


def _computed(
    plan: Plan, template: Template, work: Sequence[tuple[int, Tile]], client: Any
) -> Pieces:
    code = plan.simulation.fingerprint()
    if client is None:
        return ((n, tile, compute(plan, template, tile, code)) for n, tile in work)
    from entro_nb.sweep.cluster import over

    return over(client, plan, template, work, code)


def _gathered(
    plan: Plan,
    template: Template,
    pieces: Pieces,
    progress: Callable[[int, int], None] | None,
) -> xr.Dataset:
    """Results in memory."""
    import xarray as xr

    arrays = {
        name: np.empty((*plan.shape, *v.shape), v.dtype) for name, v in template.variables.items()
    }
    ran = 0
    for _, tile, piece in pieces:
        for name, array in arrays.items():
            array[tile] = piece[name]
        ran += _runs(tile)
        if progress is not None:
            progress(ran, plan.runs)
    return xr.Dataset(
        {
            name: ((*plan.dims, *v.dims), arrays[name], v.attributes)
            for name, v in template.variables.items()
        },
        coords=template.coordinates(plan),
        attrs=template.attributes(plan),
    )
