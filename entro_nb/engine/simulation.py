"""Simulations of a pipeline under a law, as labelled results.

One compiled loop steps law and plant together; :func:`simulate` keeps every signal,
:func:`replicate` what many runs add up to, :func:`export` writes a run to a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np

from entro_nb import results
from entro_nb.engine.laws import NUMBERS, Law, NoControl, keep_allowance, set_valves
from entro_nb.engine.plant import Pipeline, Quantity, clear_valves, pass_through, pipeline, profile
from entro_nb.errors import DivergenceError, ParameterError, ParameterTypeError
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, Natural, Parameters, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr

#: Name to (dims, values, units, long name).
Variables = dict[str, tuple[tuple[str, ...] | str, Any, str, str]]

#: Noise is drawn for so many numbers at a time, so that many replicates fit in memory.
CHUNK = 4_000_000

#: Rows that a record keeps, from ``Quantity.OFFERED`` on; the law's signal comes after them.
RECORDED = int(Quantity.LOAD) - int(Quantity.OFFERED) + 1


class Total(IntEnum):
    """What a run adds up, and where in its sums."""

    VIOLATIONS = 0
    PEAK_QUEUE = 1
    PEAK_PSI = 2
    ARRIVED = 3
    COMPLETED = 4
    QUEUED = 5
    DEFERRED = 6
    REFUSED = 7
    WAITING = 8  # time integral of all queues, req·s
    EFFORT = 9  # time integral of the squared action, req²/s


SIGNALS = {
    "offered": (Quantity.OFFERED, "req/s", "rate that arrives at the subsystem"),
    "rate": (Quantity.RATE, "req/s", "rate that is admitted"),
    "served": (Quantity.SERVED, "req/s", "rate that is passed on"),
    "refused": (Quantity.REFUSED, "req/s", "rate refused by a queue"),
    "deferred": (Quantity.DEFERRED, "req/s", "rate held back at a source"),
    "level": (Quantity.LOAD, "req/s or requests", "load: rate of a source, requests in a queue"),
}

SUMS = {
    "violations": (Total.VIOLATIONS, "steps", "steps with psi_total above the budget"),
    "peak_queue": (Total.PEAK_QUEUE, "requests", "largest queue"),
    "peak_psi": (Total.PEAK_PSI, "nats", "largest total entropy"),
    "arrived": (Total.ARRIVED, "requests", "work offered to the sources"),
    "completed": (Total.COMPLETED, "requests", "work that left the pipeline served"),
    "queued": (Total.QUEUED, "requests", "work in queues at the end"),
    "held_back": (Total.DEFERRED, "requests", "work that control deferred at the sources"),
    "turned_away": (Total.REFUSED, "requests", "work that queues refused"),
}


class Run(NamedTuple):
    """What all replicates of a run share, as the compiled loop reads it."""

    plant: FloatArray  #: the empty pipeline, see :meth:`entro_nb.engine.Pipeline.wiring`
    route: FloatArray  #: shares in which work is passed on
    law: int  #: number of the law
    k: FloatArray  #: its coefficients
    dt: float  #: step, s
    delay: int  #: of the loop, in steps
    budget: float  #: against which violations count, nats
    held_at_most: float  #: work that sources may hold back, requests


class Offer(NamedTuple):
    """Demand and service over time, before the noise; see :class:`~entro_nb.engine.Scraper`."""

    base: FloatArray  #: (step, node) offered rates, req/s
    sigma: FloatArray  #: (step, node) standard deviations of the noise, req/s
    rate_max: FloatArray  #: (node,) ceilings, 0 where nothing is offered
    capacity: FloatArray  #: (step,) factors on the capacities


@compiled
def run_loop(
    run: Run, demand: FloatArray, capacity: FloatArray, record: FloatArray, total: FloatArray
) -> int:
    """One run; fills `record` and `total`, returns the step that left the finite numbers, or −1.

    Within a step: the law decides on the state after step t − 1 − delay, work flows, the state
    after the step is measured.

    Parameters
    ----------
    run : Run
        Plant, law and clock; the plant's table is left as it is.
    demand, capacity : ndarray, shapes (step, node) and (step,)
        Offered rates in req/s and factors on the capacities.
    record : ndarray, shape (7, step or 0, node)
        Rows from ``Quantity.OFFERED`` to ``Quantity.LOAD``, then the law's signal. With no
        steps, only sums are kept.
    total : ndarray, shape (10,)
        See :class:`Total`.
    """
    plant, route, law, k, dt, delay, budget, held_at_most = run
    steps, n = demand.shape
    keep = record.shape[1] > 0
    table, trial = plant.copy(), plant.copy()
    length = delay + 2
    loads, proxies, sums = np.zeros((length, n)), np.zeros((length, n)), np.zeros(length)
    intake = 0.0
    place = 0  # of this step's state in the rings; zeros stand for the empty plant before t = 0
    violations = peak_queue = peak_psi = waiting = effort = 0.0
    arrived = done = deferred = refused = held = 0.0
    failed = -1
    for t in range(steps):
        for i in range(n):
            table[Quantity.DEMAND, i] = demand[t, i]
        clear_valves(table)
        # Rows of the ring of past states, written one after the other: the one about to be
        # overwritten is two older than the delay, the next is the one that is seen.
        before = sums[place]
        row = place + 1 if place + 1 < length else 0
        for i in range(n):
            table[Quantity.SEEN, i] = loads[row, i]
            table[Quantity.SEEN_PSI, i] = proxies[row, i]
        set_valves(law, k, table, trial, route, loads, row, before, intake, dt)
        if held_at_most < np.inf:
            held += keep_allowance(table, max(held_at_most - held, 0.0), dt)
        done += pass_through(table, route, capacity[t], dt) * dt
        psi_total = 0.0
        intake = 0.0
        for i in range(n):
            load = table[Quantity.LOAD, i]
            psi = np.log1p(load)
            loads[place, i] = load
            proxies[place, i] = psi
            psi_total += psi
            if table[Quantity.STORES, i] != 0.0:
                peak_queue = max(peak_queue, load)
                waiting += load * dt
            else:
                intake += load
                arrived += table[Quantity.DEMAND, i] * dt
            refused += table[Quantity.REFUSED, i] * dt
            deferred += table[Quantity.DEFERRED, i] * dt
            effort += (table[Quantity.OFFERED, i] - table[Quantity.RATE, i]) ** 2 * dt
            if keep:
                for field in range(RECORDED):
                    record[field, t, i] = table[Quantity.OFFERED + field, i]
                record[RECORDED, t, i] = table[Quantity.SIGNAL, i]
        sums[place] = psi_total
        place = place + 1 if place + 1 < length else 0
        if not np.isfinite(psi_total):
            failed = t
            break
        if psi_total > budget:
            violations += 1.0
        peak_psi = max(peak_psi, psi_total)
    queued = 0.0
    for i in range(n):
        if table[Quantity.STORES, i] != 0.0:
            queued += table[Quantity.LOAD, i]
    total[Total.VIOLATIONS], total[Total.PEAK_QUEUE] = violations, peak_queue
    total[Total.PEAK_PSI], total[Total.ARRIVED] = peak_psi, arrived
    total[Total.COMPLETED], total[Total.QUEUED] = done, queued
    total[Total.DEFERRED], total[Total.REFUSED] = deferred, refused
    total[Total.WAITING], total[Total.EFFORT] = waiting, effort
    return failed


@compiled
def _run_all(
    run: Run, offer: Offer, noise: FloatArray, record: FloatArray, total: FloatArray,
    failed: FloatArray,
) -> None:  # fmt: skip
    """Run every replicate; `failed` gets the step that left the finite numbers, or −1."""
    base, sigma, rate_max, capacity = offer
    steps, n = base.shape
    demand = np.zeros((steps, n))
    for r in range(noise.shape[0]):
        source = 0
        for i in range(n):
            if rate_max[i] > 0.0:
                for t in range(steps):
                    x = base[t, i] + sigma[t, i] * noise[r, t, source]
                    demand[t, i] = min(max(x, 0.0), rate_max[i])
                source += 1
        failed[r] = run_loop(run, demand, capacity, record[r], total[r])


@dataclass(frozen=True)
class Runs(Parameters):
    """Replicates of a plant under a law: the arguments of :func:`simulate`, checked.

    The sources may hold back `held_at_most` requests in a run, whatever the law asks; then their
    valves stay open. With `seeds`, one a replicate in the place of `replicates` and `seed`: each
    replicate is then the only one that `simulate` makes with that seed.
    """

    plant: Pipeline
    law: Law
    dt: Positive = 1.0
    delay: Natural = 0
    budget: Positive = 3.0
    held_at_most: Annotated[float, Bounds(0.0, infinite=True)] = math.inf
    replicates: Count = 1
    seed: Seed = 42
    seeds: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.plant, Pipeline):
            raise ParameterTypeError("plant", self.plant, "a Pipeline")
        if type(self.law) not in NUMBERS:
            raise ParameterTypeError("law", self.law, "a Law")
        if self.seeds is not None:
            object.__setattr__(self, "replicates", len(self.seeds))
        if self.steps < 1:
            allowed = f"at most the duration of the phases, {self.plant.duration:g} s"
            raise ParameterError("dt", self.dt, allowed)

    @classmethod
    def of(cls, plant: Pipeline | None, law: Law | None, **settings: Any) -> Self:
        """Runs of the seed's pipeline where no plant is given, and without control for no law."""
        law = NoControl() if law is None else law
        return cls(pipeline() if plant is None else plant, law, **settings)

    @property
    def steps(self) -> int:
        """Steps of each run."""
        return round(self.plant.duration / self.dt)

    def _offer(self) -> Offer:
        shape = self.steps, len(self.plant.subsystems)
        base, sigma, rate_max = np.zeros(shape), np.zeros(shape), np.zeros(shape[1])
        capacity = np.full(self.steps, np.inf)
        for i, source in self.plant.sources.items():
            rate, factor = profile(source.phases, self.dt, self.steps)
            base[:, i] = rate
            sigma[:, i] = source.noise * (rate if source.proportional else 1.0)
            rate_max[i] = source.rate_max
            # Sources with their own phases may disagree about the service: the worst one counts.
            capacity = np.minimum(capacity, factor)
        return Offer(base, sigma, rate_max, capacity)

    def _noise(self) -> Iterator[tuple[slice, FloatArray]]:
        """Noise of all replicates, in pieces; a replicate's does not depend on the others."""
        shape = self.steps, len(self.plant.sources)
        rng = np.random.default_rng(self.seed)
        piece = max(CHUNK // (shape[0] * shape[1]), 1)
        for start in range(0, self.replicates, piece):
            part = slice(start, min(start + piece, self.replicates))
            noise = np.empty((part.stop - start, *shape))
            if self.seeds is None:
                rng.standard_normal(out=noise)
            else:
                for row, seed in zip(noise, self.seeds[part], strict=True):
                    np.random.default_rng(seed).standard_normal(out=row)
            yield part, noise

    def solve(self, *, keep: bool) -> tuple[FloatArray, FloatArray]:
        """Records (replicate, field, step, node) and sums (replicate, 10) of all replicates."""
        law, plant = self.law, self.plant
        number, k = NUMBERS[type(law)], law.coefficients()
        run = Run(*plant.wiring(), number, k, self.dt, self.delay, self.budget, self.held_at_most)
        shape = RECORDED + 1, self.steps if keep else 0, len(plant.subsystems)
        records = np.empty((self.replicates, *shape))
        sums = np.empty((self.replicates, len(Total)))
        failed = np.empty(self.replicates)
        offer = self._offer()
        for part, noise in self._noise():
            _run_all(run, offer, noise, records[part], sums[part], failed[part])
        if (failed >= 0.0).any():
            which = int(np.argmax(failed >= 0.0))
            step = int(failed[which])
            raise DivergenceError(
                f"{law.label}: replicate {which} left the finite numbers at step {step} "
                f"(t = {step * self.dt:g} s)"
            )
        return records, sums

    def dataset(
        self, title: str, totals: FloatArray, variables: Variables, coords: dict[str, Any]
    ) -> xr.Dataset:
        """Sums of the runs beside what else is known of them, with the parameters of all."""
        law, plant = self.law, self.plant
        subsystems = [results.parameters_of(s, kind=type(s).__name__) for s in plant.subsystems]
        named = {"law": type(law).__name__, "law_label": law.label}
        built = {"subsystems": json.dumps(subsystems), "links": plant.links}
        chosen = {
            name: getattr(self, name) for name in ("dt", "delay", "budget", "held_at_most", "seed")
        }
        return results.dataset(
            variables | sum_variables(totals, self.steps * self.dt),
            coords={"replicate": (np.arange(self.replicates), "1")} | coords,
            parameters=results.parameters_of(law, **named, **built, **chosen),
            title=f"{title} under {law.label}",
            source="seed 000, Eq. 6–14, on a plant of our own",
        )


def sums(plant: Pipeline, law: Law, **settings: Any) -> FloatArray:
    """Bare sums (replicate, :class:`~entro_nb.engine.simulation.Total`), for searches and sweeps.

    Settings are those of :func:`simulate`; ``held_at_most``, the requests that the sources may
    hold back in a run, whatever the law asks; and ``seeds``, one a replicate in the place of
    ``replicates`` and ``seed``.

    Examples
    --------
    >>> from entro_nb.engine import NoControl, pipeline
    >>> alone = sums(pipeline(), NoControl(), seed=7)
    >>> bool((sums(pipeline(), NoControl(), seeds=[3, 7])[1] == alone[0]).all())
    True
    """
    return Runs(plant, law, **settings).solve(keep=False)[1]


def lost_work(totals: FloatArray) -> FloatArray:
    """Work deferred or refused in each run, in requests."""
    lost: FloatArray = totals[..., Total.DEFERRED] + totals[..., Total.REFUSED]
    return lost


def lost_share(totals: FloatArray) -> FloatArray:
    """Work deferred or refused in each run, in % of what arrived."""
    return _ratio(100.0 * lost_work(totals), totals[..., Total.ARRIVED])


def latency(totals: FloatArray) -> FloatArray:
    """Mean wait of what was served, in s: by Little's law, the integral of the queues over it."""
    return _ratio(totals[..., Total.WAITING], totals[..., Total.COMPLETED])


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0.0)


def outcomes(totals: FloatArray, dims: tuple[str, ...]) -> Variables:
    """What laws are judged by, from sums over `dims`: violations, peaks, share of work lost."""
    share = (dims, lost_share(totals), "%", "share of the work deferred or refused")
    variables: Variables = {"lost_share": share}
    for name in ("violations", "peak_queue", "peak_psi"):
        field, units, text = SUMS[name]
        variables[name] = (dims, totals[..., field], units, text)
    return variables


def sum_variables(totals: FloatArray, duration: float) -> Variables:
    """Variables of :func:`replicate`, from bare sums and the duration of a run in s."""
    dims, effort = ("replicate",), np.sqrt(totals[:, Total.EFFORT] / duration)
    variables: Variables = {
        name: (dims, totals[:, field], units, text) for name, (field, units, text) in SUMS.items()
    }
    return variables | outcomes(totals, dims) | {
        "lost": (dims, lost_work(totals), "requests", "work deferred or refused"),
        "latency": (dims, latency(totals), "s", "mean waiting time of served work"),
        "effort": (dims, effort, "req/s", "root mean square of the control action"),
    }  # fmt: skip


def simulate(
    plant: Pipeline | None = None,
    law: Law | None = None,
    *,
    dt: float = 1.0,
    delay: int = 0,
    budget: float = 3.0,
    replicates: int = 1,
    seed: int = 42,
) -> xr.Dataset:
    """Run a pipeline under a law and keep every signal.

    The plant is a fluid queue of unit gain, q ← q + dt·(r − served). What control holds back at
    a source is deferred and does not come back; what a queue cannot admit is refused; at every
    step arrived = completed + queued + deferred + refused.

    Parameters
    ----------
    plant : Pipeline, optional
        Default: the seed's scraper and LLM queue, :func:`entro_nb.engine.pipeline`.
    law : Law, optional
        Default: no control.
    dt : float
        Step in s, above 0. With the published 0.1 and r ≤ 3, c = 1.2 the published queue of
        87.6 cannot be reached in the published 312 violating steps; with 1 it can.
    delay : int
        Steps by which measurements are older than the state after the previous step.
    budget : float
        Budget in nats against which violations are counted; a law has its own.
    replicates : int
        Independent runs; replicate k is the same whatever the number of replicates.
    seed : int
        Seed of the noise. Two laws with the same seed meet the same noise.

    Returns
    -------
    xarray.Dataset
        Over ``replicate``, ``time`` (s, the start of each step) and ``subsystem``: offered,
        rate, served, refused, deferred, level (the load), psi, u. Over ``replicate`` and ``time``:
        psi_total, delta, queue, violation, and the running totals. Over ``replicate``: the
        sums of :func:`replicate`. The parameters are attributes.

    Raises
    ------
    ParameterError, DataError
        If a parameter is outside its range.
    DivergenceError
        If a run leaves the finite numbers; the message names the step.

    Examples
    --------
    >>> from entro_nb.engine import EntropyLaw, simulate
    >>> run = simulate(law=EntropyLaw(), replicates=2)
    >>> dict(run.psi.sizes)
    {'replicate': 2, 'time': 1000, 'subsystem': 2}
    >>> bool(run.violation.sum() == run.violations.sum())
    True
    """
    settings = {"dt": dt, "delay": delay, "budget": budget, "replicates": replicates}
    runs = Runs.of(plant, law, **settings, seed=seed)
    records, totals = runs.solve(keep=True)
    table, route = runs.plant.wiring()
    stores, sources = table[Quantity.STORES] != 0.0, list(runs.plant.sources)
    signals = {
        row: records[:, row - Quantity.OFFERED]
        for row in range(Quantity.OFFERED, Quantity.LOAD + 1)
    }
    loads = signals[Quantity.LOAD]
    psi = np.log1p(loads)
    psi_total = psi.sum(axis=-1)
    delta = np.maximum(psi_total - budget, 0.0)
    signal, whole = ("replicate", "time", "subsystem"), ("replicate", "time")
    deferred, refused = signals[Quantity.DEFERRED].sum(-1), signals[Quantity.REFUSED].sum(-1)
    arrived = np.cumsum(signals[Quantity.OFFERED][..., sources].sum(-1), axis=1) * dt
    left = 1.0 - route.sum(axis=1)
    completed = np.cumsum(signals[Quantity.SERVED] @ left, axis=1) * dt
    variables: Variables = {
        name: (signal, signals[field], units, text)
        for name, (field, units, text) in SIGNALS.items()
    } | {
        "psi": (signal, psi, "nats", "entropy proxy, ln(1 + load)"),
        "u": (signal, records[:, RECORDED], "1", "control signal of an entropy law"),
        "queue": (whole, loads[..., stores].sum(-1), "requests", "all that waits in queues"),
        "psi_total": (whole, psi_total, "nats", "total entropy"),
        "delta": (whole, delta, "nats", "pressure above the budget"),
        "violation": (whole, psi_total > budget, "1", "whether the budget is broken"),
        "arrived_so_far": (whole, arrived, "requests", "work offered so far"),
        "completed_so_far": (whole, completed, "requests", "work completed so far"),
        "deferred_so_far": (whole, np.cumsum(deferred, 1) * dt, "requests", "deferred so far"),
        "refused_so_far": (whole, np.cumsum(refused, 1) * dt, "requests", "refused so far"),
    }
    coords = {
        "time": (np.arange(runs.steps) * dt, "s"),
        "subsystem": (list(runs.plant.names), "1"),
    }
    return runs.dataset("pipeline", totals, variables, coords)


def replicate(
    plant: Pipeline | None = None, law: Law | None = None, *, replicates: int = 200, **settings: Any
) -> xr.Dataset:
    """Run many replicates and keep only what each adds up to; arguments as for `simulate`.

    Returns
    -------
    xarray.Dataset
        Over ``replicate``: violations (steps), peak_queue, peak_psi, arrived, completed,
        queued, held_back, turned_away, lost (requests), lost_share (%), latency (s) and
        effort (req/s).

    Examples
    --------
    >>> from entro_nb.engine import replicate
    >>> runs = replicate(replicates=3)
    >>> bool((runs.arrived - runs.completed - runs.queued - runs.lost < 1e-9).all())
    True
    """
    runs = Runs.of(plant, law, replicates=replicates, **settings)
    return runs.dataset("replicates", runs.solve(keep=False)[1], {}, {})


def export(run: xr.Dataset, path: str | Path) -> Path:
    """Write a simulated run to a ``.csv`` or ``.nc`` file.

    NetCDF keeps everything: units, parameters, sums. CSV keeps the trajectories, one row for
    each replicate and time, a column for each signal and subsystem (``psi_llm``).

    Parameters
    ----------
    run : xarray.Dataset
        From :func:`entro_nb.engine.simulate`.
    path : str or Path
        Its suffix chooses the format.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If the suffix is neither, or the dataset has no trajectories.

    Examples
    --------
    >>> import tempfile
    >>> from entro_nb.engine import simulate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = export(simulate(), Path(folder) / "run.csv")
    ...     len(file.read_text().splitlines())
    1001
    """
    path = Path(path)
    if "time" not in run.dims:
        raise ParameterError("run", list(run.dims), "a dataset with trajectories over time")
    if path.suffix == ".nc":
        run.to_netcdf(path)
        return path
    if path.suffix != ".csv":
        raise ParameterError("path", str(path), "a file that ends in .csv or .nc")
    columns = {}
    for name, signal in run.data_vars.items():
        if "time" not in signal.dims:
            continue
        if "subsystem" in signal.dims:
            for node in run.subsystem.values:
                columns[f"{name}_{node}"] = signal.sel(subsystem=node, drop=True)
        else:
            columns[str(name)] = signal
    run.drop_vars(list(run.data_vars)).drop_dims("subsystem").assign(columns).to_dataframe().to_csv(
        path
    )
    return path
