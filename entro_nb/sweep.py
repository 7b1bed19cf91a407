"""Sweeps: any simulation over a grid of parameters and replicates, at any scale.

`run_sweep` runs it, in this process or on a Dask cluster, into memory or into a Zarr store. What
a run gives depends on its parameters, its replicate and the seed, and on nothing else; so the
grid may be cut into any pieces, and a piece is the same wherever and whenever it is run.
"""

from __future__ import annotations

import functools
import itertools
import json
import logging
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from entro_nb import __version__, results, settings, validate
from entro_nb.errors import EntroError, ParameterError, ParameterTypeError, SweepError
from entro_nb.settings import Value
from entro_nb.simulations import REPLICATE, Plan, Simulation
from entro_nb.validate import Count, Seed

if TYPE_CHECKING:
    import xarray as xr

#: Bytes of results that are held in memory; more go to a store.
MEMORY = 500_000_000

#: A piece of work takes about so many seconds, and its results at most so many bytes.
SECONDS, PIECE = 1.0, 32_000_000

#: On a cluster there are at least so many pieces for each worker, so that all end together.
PIECES = 4

#: Pieces under way for each thread of a cluster: one that runs, one that waits.
AHEAD = 2

#: Seconds that a scheduler has to answer, and that a sweep waits for a worker when there is none.
ANSWER, PATIENCE = 10.0, 300.0

#: Workers that may die with a piece before the piece is held to be the cause.
DEATHS = 3

#: Attribute of a store that holds the sweep it is of, and the variable that marks whole pieces.
IDENTITY, FINISHED = "entro_nb_sweep", "finished"

#: What a file of a sweep may hold: arguments of `run_sweep` by the same names.
SETTINGS = (
    "simulation", "grid", "fixed", "replicates", "seed", "keep", "common", "out", "chunk",
)  # fmt: skip

#: What of a sweep its Dataset says in its attributes; the rest are its coordinates.
RECORDED = ("simulation", "fixed", "seed", "common")

#: A piece of the grid: a range of indices on every axis, the replicates last.
Tile = tuple[slice, ...]

#: What one run gives: variables by name, each with a first dimension for the runs and no rows.
Template = Mapping[str, "xr.Variable"]


@validate.checked
def run_sweep(
    simulation: str | Callable[..., Any],
    grid: Mapping[str, Sequence[Value]],
    *,
    replicates: Count = 1,
    seed: Seed = 0,
    fixed: Mapping[str, Value] | None = None,
    keep: Sequence[str] | None = None,
    common: bool = False,
    out: str | os.PathLike[str] | None = None,
    chunk: Count | None = None,
    workers: Count = 1,
    scheduler: Any = None,
    memory: Count = MEMORY,
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
        Processes on this machine; with 1, this process alone.
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
    >>> runs = run_sweep("pipeline", {"alpha": [0.1, 0.5]}, replicates=3, seed=1)
    >>> dict(runs.violations.sizes)
    {'alpha': 2, 'replicate': 3}
    """
    import xarray as xr

    plan = Plan(Simulation.of(simulation), grid, fixed or {}, replicates, seed, common)
    with ExitStack() as stack:
        client = None
        if scheduler is not None or workers > 1:
            client = stack.enter_context(client_of(scheduler, workers))
        template, seconds = first_run(plan, keep)
        bytes_of_run = sum(v.dtype.itemsize * math.prod(v.shape[1:]) for v in template.values())
        fits = bytes_of_run * plan.runs <= memory
        if not fits and out is None:
            allowed = f"a Zarr store for {bytes_of_run * plan.runs / 1e6:.0f} MB of results"
            raise ParameterError("out", None, allowed)
        if chunk is None:
            most = min(SECONDS / max(seconds, 1e-7), PIECE / max(bytes_of_run, 1))
            if client is not None:
                threads = max(sum(client.nthreads().values()), 1)
                most = min(most, plan.runs / (PIECES * threads))
            chunk = max(math.ceil(most), 1)
        size = tile_size(plan.shape, chunk)
        store = None if out is None else Store(Path(out), plan, template, size)
        held = xr.Dataset() if store else _blank(plan, template, np.empty)
        done = store.finished if store else set()
        pieces = enumerate(tiles(plan.shape, store.size if store else size))
        work = [(number, tile) for number, tile in pieces if number not in done]
        ran = plan.runs - sum(_runs(tile) for _, tile in work)
        for number, tile, arrays in computed(client, plan, template, work):
            if store:
                store.write(number, tile, arrays)
            else:
                for name, array in arrays.items():
                    held[name].values[tile] = array
            ran += _runs(tile)
            if progress is not None:
                progress(ran, plan.runs)
        return store.open(lazily=not fits) if store else held


def read_sweep(path: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Arguments of :func:`run_sweep` from a file, TOML or YAML.

    An axis is a list of values, or a range: ``{start = 0.1, stop = 10, count = 5, log = true}``.

    Raises
    ------
    DataError
        If the file cannot be read.
    ParameterError
        If it holds a name that is not known, or lacks the simulation or the grid.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "gain.toml"
    ...     _ = file.write_text('simulation = "pipeline"\n[grid]\nalpha = [0.1, 0.5]')
    ...     read_sweep(file)
    {'simulation': 'pipeline', 'grid': {'alpha': [0.1, 0.5]}}
    """
    content = settings.load_settings(path, SETTINGS)
    for name in ("simulation", "grid"):
        if name not in content:
            raise ParameterError(name, None, f"a line for it in {Path(path).name}")
    for name in ("grid", "fixed"):
        if not isinstance(content.get(name, {}), Mapping):
            raise ParameterTypeError(name, content[name], "names of parameters and their values")
    grid = {str(name): _filed_axis(str(name), given) for name, given in content["grid"].items()}
    return content | {"grid": grid}


def _filed_axis(name: str, given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    if not isinstance(given, Mapping):
        raise ParameterTypeError(name, given, "a list of values, or start, stop and count")
    if set(given) - {"start", "stop", "count", "log"} or not {"start", "stop", "count"} <= {*given}:
        raise ParameterError(name, dict(given), "start, stop, count and, if need be, log")
    log = validate.flag(f"log of {name}", given.get("log", False))
    count = validate.integer(f"count of {name}", given["count"], 1)
    low = 0.0 if log else -np.inf
    start = validate.real(f"start of {name}", given["start"], low, open_low=log)
    stop = validate.real(f"stop of {name}", given["stop"], low, open_low=log)
    values = (np.geomspace if log else np.linspace)(start, stop, count).tolist()
    whole = isinstance(given["start"], int) and all(value.is_integer() for value in values)
    return [int(value) for value in values] if whole else values


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


def _runs(tile: Tile) -> int:
    return math.prod(part.stop - part.start for part in tile)


def first_run(plan: Plan, keep: Sequence[str] | None) -> tuple[dict[str, xr.Variable], float]:
    """Run the first point: variables without a row, as templates, and the seconds of a run.

    Raises
    ------
    ParameterError
        If a variable to keep does not exist, or bears the name of an axis.
    """
    point = plan.point((0,) * len(plan.grid))
    seeds = plan.seeds(point, slice(0, 1))
    found = plan.simulation.run(point, seeds)  # the first call compiles
    if plan.simulation.takes == "seeds":
        # What a call costs by itself is shared by the runs of a point.
        seeds = plan.seeds(point, slice(0, min(plan.replicates, 64)))
    started = time.perf_counter()
    plan.simulation.run(point, seeds)
    seconds = (time.perf_counter() - started) / len(seeds)
    names = list(found) if keep is None else list(keep)
    for name in names:
        validate.choice("keep", name, found)
        if name in plan.dims:
            raise ParameterError("variable", name, "a name that is not that of an axis: use `keep`")
    if not names:
        raise ParameterError("keep", names, "at least one variable")
    return {name: found[name][:0] for name in names}, seconds


def compute(plan: Plan, template: Template, tile: Tile, code: str) -> dict[str, Any]:
    """Results of the runs of one piece, as arrays over the axes and the replicates.

    Raises
    ------
    SweepError
        If a run fails or gives something of another shape than the first, or this process has
        another version of the code than the one that asks.
    """
    if _fingerprint(plan.simulation) != code:
        raise SweepError("a worker runs another version of the code than the one that asks")
    extent = tuple(part.stop - part.start for part in tile)
    arrays = {name: np.empty((*extent, *v.shape[1:]), v.dtype) for name, v in template.items()}
    for place in np.ndindex(extent[:-1]):
        point = plan.point([part.start + k for part, k in zip(tile, place, strict=False)])
        found = plan.simulation.run(point, plan.seeds(point, tile[-1]))
        for name, v in template.items():
            if name not in found or found[name].shape[1:] != v.shape[1:]:
                shape = f"shape {found[name].shape[1:]}" if name in found else "nothing"
                raise SweepError(
                    f"{name} is {shape} at {point} and shape {v.shape[1:]} at the first point: "
                    "keep only what has one shape everywhere"
                )
            arrays[name][place] = found[name].values
    return arrays


@functools.cache
def _fingerprint(simulation: Simulation) -> str:
    return simulation.fingerprint()


def _blank(plan: Plan, template: Template, empty: Callable[..., Any]) -> xr.Dataset:
    """Dataset of a sweep before its results; `empty` makes an array of a shape and a type."""
    import xarray as xr

    return xr.Dataset(
        {
            name: ((*plan.dims, *v.dims[1:]), empty((*plan.shape, *v.shape[1:]), v.dtype), v.attrs)
            for name, v in template.items()
        },
        coords={name: list(values) for name, values in plan.grid.items()}
        | {REPLICATE: (REPLICATE, np.arange(plan.replicates), {"units": "1"})},
        attrs={"title": f"sweep of {plan.simulation.name}", "entro_nb_version": __version__}
        | results.parameters_of(**{name: plan.identity()[name] for name in RECORDED}),
    )


class Store:
    """A sweep's results on disk, in Zarr, written region by region.

    A piece is written first and marked as finished last, and files are replaced whole: whatever
    ends the process, what is marked is whole and what is not is run again.

    Parameters
    ----------
    path : path-like
        Folder of the store; made if it is not there.
    plan : Plan
        The sweep.
    template : mapping
        Variables of one run.
    size : tuple of int
        Runs on each axis in a piece. A store that exists keeps its own.

    Raises
    ------
    SweepError
        If the folder holds anything but a store of this very sweep, or cannot be written to.
    """

    def __init__(self, path: Path, plan: Plan, template: Template, size: tuple[int, ...]) -> None:
        try:
            import dask.array
            import zarr
        except ImportError as error:
            raise _needs("zarr") from error
        lazy: Any = dask.array

        def unwritten(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
            fill = math.nan if dtype.kind == "f" else 0
            return lazy.full(shape, fill, dtype=dtype, chunks=(*size, *shape[len(size) :]))

        self.path = path
        own = plan.identity() | {"code": plan.simulation.fingerprint(), "variables": [*template]}
        with self._writing("before the first run"):
            if path.exists() and (path.is_file() or any(path.iterdir())):
                self._check(zarr, own)
            else:
                blank = _blank(plan, template, unwritten)
                # Zarr would not store a chunk of the fill value: 0 is what no one has written.
                pieces = len(tiles(plan.shape, size))
                blank[FINISHED] = "piece", lazy.zeros(pieces, dtype="u1", chunks=1)
                for name in plan.grid:
                    if blank[name].dtype.kind == "U":  # of a fixed width: not in Zarr's format
                        blank[name] = blank[name].astype(np.dtypes.StringDType())
                self._create(blank.assign_attrs({IDENTITY: json.dumps(own), "tile": list(size)}))
            kept = zarr.open_group(str(path), mode="r+", use_consolidated=False)
            self._kept: dict[str, Any] = dict(kept.arrays())
        self.size: tuple[int, ...] = tuple(kept.attrs["tile"])  # type: ignore[arg-type]

    def _create(self, blank: xr.Dataset) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Made elsewhere and moved, so that half a store never stands there.
        work = Path(tempfile.mkdtemp(prefix=f".{self.path.name}-", dir=self.path.parent))
        try:
            blank.to_zarr(work / "store", compute=False, consolidated=False)
            (work / "store").replace(self.path)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _check(self, zarr: Any, own: Mapping[str, Any]) -> None:
        other = SweepError(f"{self.path} holds something that no sweep made: choose another place")
        try:
            group = zarr.open_group(str(self.path), mode="r", use_consolidated=False)
            found = json.loads(str(group.attrs[IDENTITY]))
            if FINISHED not in group:
                raise KeyError(FINISHED)
        except (KeyError, ValueError, OSError) as error:
            raise other from error
        wanted = json.loads(json.dumps(own))
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        if differing == ["code"]:
            raise SweepError(
                f"{self.path} was begun by another version of the code, whose runs are not to be "
                "mixed with this one's: choose another place, or remove it"
            )
        if differing:
            raise SweepError(
                f"{self.path} holds another sweep (its {', '.join(differing)} "
                f"differ{'s' if len(differing) == 1 else ''}): choose another place"
            )

    @property
    def finished(self) -> set[int]:
        """Numbers of the pieces that are whole."""
        return {int(k) for k in np.flatnonzero(self._kept[FINISHED][:])}

    def write(self, number: int, tile: Tile, arrays: Mapping[str, Any]) -> None:
        """Write one piece, then mark it as finished."""
        with self._writing("what is finished is safe; run it again to go on"):
            for name, array in arrays.items():
                # Not xarray's region write, which reads the metadata of the store every time.
                self._kept[name][tile] = array
            self._kept[FINISHED][number] = 1

    @contextmanager
    def _writing(self, consequence: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise SweepError(f"cannot write to {self.path}: {reason} ({consequence})") from error

    def open(self, *, lazily: bool) -> xr.Dataset:
        """The results as a Dataset, read when asked for or at once."""
        import xarray as xr

        # Units of time stay units: in memory, too, the values are plain numbers.
        chunks: Any = {} if lazily else None
        data: xr.Dataset = xr.open_zarr(
            self.path, consolidated=False, chunks=chunks, decode_times=False
        ).drop_vars(FINISHED)
        return data if lazily else data.load()


def computed(
    client: Any, plan: Plan, template: Template, work: Sequence[tuple[int, Tile]]
) -> Iterator[tuple[int, Tile, dict[str, Any]]]:
    """Run pieces here, or on the cluster of a client, and give each as it comes back.

    A piece whose worker died is run again by another. At no time are more under way than keep
    the workers busy, so that the results waiting here stay few.

    Raises
    ------
    SweepError
        If a run fails, pieces kill their workers, or the scheduler or all workers are gone.
    """
    code = plan.simulation.fingerprint()
    if client is None:
        yield from ((number, tile, compute(plan, template, tile, code)) for number, tile in work)
        return
    from distributed import KilledWorker, wait

    waiting = iter(work)
    pending: dict[Any, tuple[int, Tile]] = {}
    alone: float | None = None
    lost = "the connection to the scheduler is lost; run it again to go on"
    try:
        while True:
            if client.status != "running":
                raise SweepError(lost)
            threads = sum(client.nthreads().values())
            free = max(AHEAD * threads, 1) - len(pending)
            for item in itertools.islice(waiting, max(free, 0)):
                pending[client.submit(compute, plan, template, item[1], code, pure=False)] = item
            if not pending:
                return
            alone = None if threads else alone or time.monotonic()
            if alone is not None and time.monotonic() - alone > PATIENCE:
                raise SweepError(f"the cluster has had no worker for {PATIENCE:g} s")
            try:
                # Not `as_completed`: it would wait for ever for a cluster without workers.
                with client.as_current():
                    ended = wait(list(pending), timeout=1.0, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                continue
            for future in ended:
                if future.status == "cancelled":
                    raise SweepError(lost)
                number, tile = pending.pop(future)
                try:
                    arrays = future.result()
                except EntroError:
                    raise
                except Exception as error:
                    reason = f"a worker failed: {type(error).__name__}: {error}"
                    if isinstance(error, KilledWorker):
                        reason = "several workers died with the same piece: too little memory?"
                    raise SweepError(reason) from error
                yield number, tile, arrays
    finally:
        if pending and client.status == "running":
            client.cancel(list(pending), force=True)


@contextmanager
def client_of(scheduler: Any, workers: int) -> Iterator[Any]:
    """Client of a cluster: the one given, that of an address, or of a new one on this machine.

    Raises
    ------
    SweepError
        If Dask is not installed, or nothing answers at the address.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise _needs("dask") from error
    if isinstance(scheduler, Client):
        yield scheduler
    elif scheduler is not None:
        log = logging.getLogger("distributed")
        level = log.level
        log.setLevel(logging.CRITICAL)  # the library's own account of a failure: ours is one line
        try:
            client = Client(scheduler, timeout=ANSWER, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            reason = f"no Dask scheduler answers at {scheduler} within {ANSWER:g} s"
            raise SweepError(reason) from error
        finally:
            log.setLevel(level)
        with client:
            yield client
    else:
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": DEATHS}),
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):  # fmt: skip
            yield client


def _needs(what: str) -> SweepError:
    return SweepError(f'{what} is not installed: pip install "entro-nb[scale]"')


@contextmanager
def progress_on(stream: TextIO, unit: str = "runs") -> Iterator[Callable[[int, int], None]]:
    """Bar on a terminal, a line for every tenth elsewhere: what to call with runs done and in all.

    Examples
    --------
    >>> import io
    >>> log = io.StringIO()
    >>> with progress_on(log) as tell:
    ...     for done in range(5, 101, 5):
    ...         tell(done, 100)
    >>> log.getvalue().splitlines()[:2]
    ['5 of 100 runs', '10 of 100 runs']
    """
    if not stream.isatty():
        told: set[int] = set()

        def line(done: int, total: int) -> None:
            if (tenth := 10 * done // total) not in told:
                told.add(tenth)
                print(f"{done} of {total} {unit}", file=stream, flush=True)

        yield line
        return
    from tqdm import tqdm

    bar = tqdm(file=stream, unit=f" {unit}", unit_scale=True, dynamic_ncols=True, leave=False)

    def move(done: int, total: int) -> None:
        if bar.total is None:  # what a former run finished says nothing of the speed of this one
            bar.reset(total)
            bar.initial = bar.n = 0
        bar.update(done - bar.n)

    with bar:
        yield move
