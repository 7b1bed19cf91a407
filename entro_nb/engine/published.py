"""The published table of seed 000: what bounds it, and the plant that its first row identifies.

The uncontrolled row (312 violations, peak queue 87.6, peak Ψ_total 5.84) fixes three free
parameters of the plant: the surge's rate, the surge's length and the recovery's rate. It does not
fix the shape of the surge: one, two or a ramp give the row as well, so what it identifies is a
family. Every other row is then a prediction, with a range over that family.

The bounds hold for every plant of this kind, whatever its law. The kind: one source with admitted
rate r ≤ r_max feeds one fluid queue that serves at most c < r_max, and
Ψ_total = ln(1 + r) + ln(1 + q). Nothing is assumed about the law, the demand, or how either moves;
the queue may also refuse work. States are measured after each step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, get_args

import numpy as np
from scipy.optimize import brentq

from entro_nb import results, validate
from entro_nb.engine.laws import EntropyLaw, Law, NoControl, StaticLimit
from entro_nb.engine.plant import Phase, Pipeline, pipeline, three_phases
from entro_nb.engine.simulation import Total, outcomes, sums
from entro_nb.errors import ParameterError
from entro_nb.validate import Bounds, Count, NonNegative, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr


class PublishedRow(NamedTuple):
    """A row of the published table."""

    violations: float  #: steps of 1000
    peak_queue: float  #: requests
    peak_psi: float  #: nats


#: The published table (seed 000 and its project page).
PUBLISHED = {
    "uncontrolled": PublishedRow(312, 87.6, 5.84),
    "static limit": PublishedRow(187, 45.2, 4.21),
    "ENTRO-ENGINE": PublishedRow(12, 23.4, 3.31),
}

#: How near a plant must come to the uncontrolled row.
TOLERANCE = PublishedRow(2.0, 0.3, 0.01)

BUDGET, CAPACITY, STEPS = 3.0, 1.2, 1000.0

#: Corrections before a draw is given up: a single run answers in whole steps, so half of them are.
CORRECTIONS = 25

#: Ways in which the demand can surge.
Shape = Literal["one surge", "two surges", "ramp"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

#: Stages in which a ramp climbs.
STAGES = 40


@dataclass(frozen=True)
class Plant:
    """The identified parameters, and those that the row leaves open.

    Parameters
    ----------
    surge_rate, surge, recovery_rate : float
        What the row fixes: req/s, s, req/s.
    warmup, warmup_rate : float
        Left open: when the surge begins (s), and the rate before it (req/s; published 1.0).
    noise : float
        Published as 0.05, in req/s or as a share.
    proportional : bool
        Left open: whether the noise is a share of the rate.
    shape : {"one surge", "two surges", "ramp"}
        Left open: whether the surge comes at once, in two parts, or climbs steadily from the
        rate before it.
    split, gap : float
        Of two surges: the part of the surge that comes first, and the time between them (s), in
        which the rate is that before the surge.
    """

    surge_rate: float
    surge: float
    recovery_rate: float
    warmup: float = 200.0
    warmup_rate: float = 1.0
    noise: float = 0.05
    proportional: bool = False
    shape: Shape = "one surge"
    split: float = 0.5
    gap: float = 50.0

    def phases(self) -> tuple[Phase, ...]:
        """Demand over time.

        Examples
        --------
        >>> plant = Plant(2.9, 50.0, 0.9, shape="two surges")
        >>> [(phase.name, phase.stop) for phase in plant.phases()][1:4]
        [('first surge', 225.0), ('pause', 275.0), ('second surge', 300.0)]
        """
        start, rate = self.warmup, self.surge_rate
        if self.shape == "one surge":
            return three_phases(
                self.warmup_rate, rate, self.recovery_rate, start, self.surge, STEPS
            )
        if self.shape == "two surges":
            first = start + self.split * self.surge
            again = first + self.gap
            stop = start + self.gap + self.surge
            surge = [
                Phase("first surge", start, first, rate),
                Phase("pause", first, again, self.warmup_rate),
                Phase("second surge", again, stop, rate),
            ]
        else:
            stop = start + self.surge
            edges = np.linspace(start, stop, STAGES + 1).tolist()
            climb = np.linspace(self.warmup_rate, rate, STAGES + 1).tolist()[1:]
            surge = [
                Phase(f"stage {k + 1}", edges[k], edges[k + 1], climb[k]) for k in range(STAGES)
            ]
        warm = Phase("warm-up", 0.0, start, self.warmup_rate)
        return (warm, *surge, Phase("recovery", stop, STEPS, self.recovery_rate))

    def pipeline(self, *, queue_valve: bool = False) -> Pipeline:
        """The plant as a pipeline with the published constants."""
        return pipeline(
            self.phases(), noise=self.noise, proportional=self.proportional, queue_valve=queue_valve
        )


def invert(row: PublishedRow) -> tuple[float, float, float]:
    """Surge rate, surge length and recovery rate of the noiseless plant with a given row.

    The peak of Ψ_total gives the surge's rate, the peak queue then its length, and the time
    that the queue takes to fall below the budget gives the recovery's rate.

    Examples
    --------
    >>> [round(x, 2) for x in invert(PublishedRow(312, 87.6, 5.84))]
    [2.88, 52.14, 0.9]
    """
    surge_rate = math.exp(row.peak_psi) / (1.0 + row.peak_queue) - 1.0
    if not surge_rate > CAPACITY:
        raise ParameterError("row", tuple(row), "a peak of Ψ_total with a rate above the capacity")
    surge = row.peak_queue / (surge_rate - CAPACITY)
    quiet = math.exp(BUDGET) / (1.0 + surge_rate) - 1.0
    rising = (row.peak_queue - quiet) / (surge_rate - CAPACITY)

    def excess(rate: float) -> float:
        falling = (row.peak_queue - math.exp(BUDGET) / (1.0 + rate) + 1.0) / (CAPACITY - rate)
        return rising + falling - row.violations

    if excess(0.0) > 0.0:
        raise ParameterError("row", tuple(row), "enough violations for the queue to drain")
    return surge_rate, surge, float(brentq(excess, 0.0, CAPACITY - 1e-9))


def _row(plant: Pipeline, law: Law, replicates: int, seed: int) -> PublishedRow:
    mean = sums(plant, law, replicates=replicates, seed=seed).mean(axis=0)
    return PublishedRow(*mean[[Total.VIOLATIONS, Total.PEAK_QUEUE, Total.PEAK_PSI]].tolist())


def _fit(
    start: Plant, target: PublishedRow, replicates: int, seed: int
) -> tuple[Plant, PublishedRow] | None:
    """Correct the parameters by what the noiseless inverse says of target and outcome."""
    plant = start
    try:
        wanted = np.array(invert(target))
        for _ in range(CORRECTIONS):
            row = _row(plant.pipeline(), NoControl(), replicates, seed)
            miss = np.abs(np.array(target) - row)
            if (miss <= np.array(TOLERANCE) / 4.0).all():
                return plant, row
            # A little short of the full step: single runs answer in steps, not smoothly.
            rate, length, recovery = 0.8 * (wanted - invert(row)) / (1.0, wanted[1], 1.0)
            plant = replace(
                plant,
                surge_rate=plant.surge_rate + rate,
                surge=plant.surge * math.exp(length),
                recovery_rate=plant.recovery_rate + recovery,
            )
    except ParameterError:  # no plant of this shape: it would need a rate or a time out of range
        return None
    return None


def _start(shape: Shape) -> Plant:
    """Where the search begins: a ramp is above the capacity by less, so it takes twice as long."""
    return Plant(2.9, 104.0 if shape == "ramp" else 52.0, 0.9, shape=shape)


@validate.checked
def identify(
    target: PublishedRow = PUBLISHED["uncontrolled"],
    *,
    shape: Shape = "one surge",
    replicates: Count = 200,
    seed: Seed = 42,
) -> tuple[Plant, PublishedRow]:
    """Plant whose mean over the noise meets the uncontrolled row, and that mean.

    Parameters
    ----------
    target : PublishedRow
        What the uncontrolled runs must give on average.
    shape : {"one surge", "two surges", "ramp"}
        How the demand surges.
    replicates : int
        Runs in the average.
    seed : int
        Seed of their noise.

    Returns
    -------
    Plant, PublishedRow
        Within a quarter of :data:`TOLERANCE` of the target.

    Raises
    ------
    ParameterError
        If no plant of this kind gives the row.

    Examples
    --------
    >>> plant, row = identify(replicates=50)
    >>> abs(row.violations - 312) <= 2, abs(row.peak_queue - 87.6) <= 0.3
    (True, True)
    """
    found = _fit(_start(shape), PublishedRow(*target), replicates, seed)
    if found is None:
        raise ParameterError("target", tuple(target), "a row that a plant of this kind can give")
    return found


@validate.checked
def fitting_plants(n: Count = 200, *, seed: Seed = 7) -> list[tuple[Plant, int]]:
    """Plants, each with the seed of a noise, whose single run gives the uncontrolled row.

    The shapes of the surge (one, two, a ramp) take turns. What else the row leaves open is drawn:
    the start of the surge from [50, 400] s, the rate before it from [0.9, 1.1] req/s, of two
    surges the first one's part from [0.2, 0.8] and the pause from [10, 150] s, the kind of the
    noise by a coin, the noise itself, and the target from within :data:`TOLERANCE` of the row.
    Each draw is then solved for the three parameters that the row fixes; the draws for which no
    parameters are found are dropped.

    Parameters
    ----------
    n : int
        Plants wanted.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of (Plant, int)

    Examples
    --------
    >>> [plant.shape for plant, _ in fitting_plants(3)]
    ['one surge', 'two surges', 'ramp']
    """
    rng = np.random.default_rng(seed)
    found: list[tuple[Plant, int]] = []
    published, tolerance = np.array(PUBLISHED["uncontrolled"]), np.array(TOLERANCE)
    while len(found) < n:
        warmup, warmup_rate = float(rng.uniform(50.0, 400.0)), float(rng.uniform(0.9, 1.1))
        proportional = bool(rng.random() < 0.5)
        shape = SHAPES[len(found) % len(SHAPES)]
        start = replace(
            _start(shape),
            warmup=warmup,
            warmup_rate=warmup_rate,
            proportional=proportional,
            split=float(rng.uniform(0.2, 0.8)),
            gap=float(rng.uniform(10.0, 150.0)),
        )  # fmt: skip
        noise_seed = int(rng.integers(2**31))
        # Three quarters of the tolerance, since the fit may miss its own target by the last.
        target = PublishedRow(*(published + 0.75 * tolerance * rng.uniform(-1.0, 1.0, 3)))
        fit = _fit(start, target, 1, noise_seed)
        if fit is not None:
            found.append((fit[0], noise_seed))
    return found


def as_written() -> dict[str, EntropyLaw]:
    """Readings of Eq. 14 that add nothing to the text: a signal to every subsystem, no leak.

    What u does to a rate, and whether Δ stops at 0, the text leaves open. Added or multiplied, an
    unclamped Δ is no reading of its own: a valve lets in no more than is offered.

    Examples
    --------
    >>> len(as_written())
    4
    """
    return {
        "every valve, integrated": EntropyLaw(relaxation=0.0),
        "every valve, integrated, Δ unclamped": EntropyLaw(relaxation=0.0, clamped=False),
        "every valve, added": EntropyLaw(actuation="additive"),
        "every valve, multiplied": EntropyLaw(actuation="multiplicative"),
    }


def interpretations() -> dict[str, tuple[Law, bool]]:
    """Ways to read the published rows: name to (law, whether the queue has a valve too).

    Those of :func:`as_written` and, each with something of ours, an integral that leaks (λ), or
    a queue that has no valve.

    Examples
    --------
    >>> len(interpretations())
    17
    """
    leaking = {
        f"every valve, λ = {rate:g}": (EntropyLaw(relaxation=rate), True)
        for rate in (0.01, 0.02, 0.1)
    }
    alone = {
        f"scraper alone, λ = {rate:g}": (EntropyLaw(relaxation=rate), False)
        for rate in (0.0, 0.01, 0.02, 0.05, 0.1)
    }
    unlike = {
        name.replace("every valve", "scraper alone"): (law, False)
        for name, law in list(as_written().items())[1:]
    }
    return {
        "uncontrolled": (NoControl(), False),
        "static limit 1.5": (StaticLimit(1.5), False),
        **{name: (law, True) for name, law in as_written().items()},
        **leaking,
        **alone,
        **unlike,
    }


def predict(
    plants: list[tuple[Plant, int]], laws: Mapping[str, tuple[Law, bool]] | None = None
) -> xr.Dataset:
    """What each reading of the table's rows gives on every plant that fits its first row.

    Parameters
    ----------
    plants : list of (Plant, int)
        From :func:`fitting_plants`; each runs with the noise with which it was found.
    laws : mapping, optional
        Name to (law, queue valve); default :func:`interpretations`.

    Returns
    -------
    xarray.Dataset
        violations, peak_queue, peak_psi and lost_share over ``reading`` and ``plant``, and the
        ``shape`` of each plant. The spread over ``plant`` is that of the noise and of what the
        row leaves open.

    Examples
    --------
    >>> rows = predict(fitting_plants(2))
    >>> rows.violations.dims
    ('reading', 'plant')
    """
    laws = interpretations() if laws is None else laws
    table = np.empty((len(laws), len(plants), len(Total)))
    for i, (law, valve) in enumerate(laws.values()):
        for j, (plant, seed) in enumerate(plants):
            table[i, j] = sums(plant.pipeline(queue_valve=valve), law, seed=seed)[0]
    return results.dataset(
        outcomes(table, ("reading", "plant")),
        coords={"reading": (list(laws), "1"), "plant": (np.arange(len(plants)), "1")},
        title="predictions from the uncontrolled row",
        source="seed 000, Simulation Results",
    ).assign_coords(shape=("plant", [plant.shape for plant, _ in plants]))


def traits(plants: list[tuple[Plant, int]]) -> xr.Dataset:
    """What each plant of a family offers: where all agree is what the row has identified.

    Parameters
    ----------
    plants : list of (Plant, int)
        From :func:`fitting_plants`.

    Returns
    -------
    xarray.Dataset
        Over ``plant``, without the noise: peak_rate and recovery_rate (req/s), above (s for which
        more is offered than is served), excess (requests that are offered beyond the capacity),
        offered (requests in all), and the ``shape``.

    Examples
    --------
    >>> family = traits(fitting_plants(3))
    >>> bool(abs(family.excess - 87.6).max() < 10.0)
    True
    """
    rows = []
    for plant, _ in plants:
        phases = plant.phases()
        rate, length = np.array([(p.rate, p.duration) for p in phases]).T
        beyond = np.maximum(rate - CAPACITY, 0.0)
        rows.append(
            (
                rate.max(), rate[-1], length[beyond > 0.0].sum(),
                (beyond * length).sum(), (rate * length).sum(),
            )
        )  # fmt: skip
    columns = {
        "peak_rate": ("req/s", "largest rate offered"),
        "recovery_rate": ("req/s", "rate after the surge"),
        "above": ("s", "time with more offered than served"),
        "excess": ("requests", "work offered beyond the capacity"),
        "offered": ("requests", "work offered in all"),
    }
    table = np.array(rows).T
    return results.dataset(
        {name: ("plant", table[k], *words) for k, (name, words) in enumerate(columns.items())},
        coords={"plant": (np.arange(len(plants)), "1")},
        title="what plants with the same uncontrolled row offer",
        source="seed 000, Simulation Results",
    ).assign_coords(shape=("plant", [plant.shape for plant, _ in plants]))


@validate.checked
def least_peak_entropy(peak_queue: Positive, capacity: Positive = 1.2) -> float:
    """Least peak of Ψ_total in a run whose queue peaks at Q > 0: ln(1 + c) + ln(1 + Q).

    In the step that first reaches the peak the queue grew, so more than c was admitted: after
    that step r > c and q = Q. The bound needs no r_max and holds for every step length.

    Parameters
    ----------
    peak_queue : float
        Q in requests, above 0.
    capacity : float
        c in req/s.

    Returns
    -------
    float
        In nats.

    Examples
    --------
    The published controlled row has a peak queue of 23.4 and a peak entropy of 3.31:

    >>> round(least_peak_entropy(23.4), 3)
    3.983
    """
    return math.log1p(capacity) + math.log1p(peak_queue)


@validate.checked
def largest_service(peak_queue: NonNegative, peak_psi: NonNegative) -> float:
    """Service rate below which a queue that peaks at Q is compatible with a peak of Ψ_total.

    The bound of :func:`least_peak_entropy` solved for c: exp(Ψ)/(1 + Q) − 1, in req/s. Negative
    when the pair is impossible at any service rate.

    Examples
    --------
    >>> round(largest_service(23.4, 3.31), 3)  # where 1.2 is published
    0.122
    """
    return math.exp(peak_psi) / (1.0 + peak_queue) - 1.0


@validate.checked
def least_violations(
    peak_queue: NonNegative,
    budget: Positive = 3.0,
    capacity: Positive = 1.2,
    rate_max: float = 3.0,
    dt: Positive = 1.0,
    peak_psi: Annotated[float, Bounds(infinite=True)] = math.inf,
) -> int:
    r"""Fewest steps above the budget in a run whose queue starts empty and peaks at Q.

    Rising: a step that ends above q₀ = exp(B)/(1 + c) − 1 with a grown queue has r > c, hence
    Ψ_total > B, and the queue grows by at most (r_max − c)·dt in a step. With a ceiling on
    Ψ_total, r ≤ exp(ceiling)/(1 + q) − 1 as well. Falling: while q > exp(B) − 1 the budget is
    broken even at r = 0, and the queue falls by at most c·dt in a step. The fall counts only as
    far as the run goes on; the published runs end long after their peak.

    Parameters
    ----------
    peak_queue : float
        Q in requests.
    budget, capacity, rate_max, dt : float
        B in nats, c and r_max in req/s with c < r_max, the step in s.
    peak_psi : float
        Ceiling that the run is said to have kept, in nats.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If a parameter is out of range, or no run with this queue keeps below `peak_psi`.

    Examples
    --------
    Published uncontrolled: 312 violations, a queue of 87.6, dt = 0.1:

    >>> least_violations(87.6, dt=0.1)
    1012

    Published controlled: 12 violations and a queue of 23.4 go together only at full throttle,

    >>> least_violations(23.4)
    12

    not in a run that also stays below Ψ_total = 4.3:

    >>> least_violations(23.4, peak_psi=4.3)
    14
    """
    rate_max = validate.real("rate_max", rate_max, capacity, open_low=True)
    if peak_queue > 0.0 and peak_psi < least_peak_entropy(peak_queue, capacity):
        raise ParameterError(
            "peak_psi",
            peak_psi,
            f"at least {least_peak_entropy(peak_queue, capacity):.4f}, "
            f"which a queue of {peak_queue:g} entails",
        )
    quiet = math.exp(budget) / (1.0 + capacity) - 1.0
    ceiling = math.exp(min(peak_psi, 700.0))
    rising, q = 0, peak_queue
    while q > max(quiet, 0.0):
        # Backwards from the peak, by the largest growth that ends at q.
        rate = min(rate_max, ceiling / (1.0 + q) - 1.0)
        growth = (rate - capacity) * dt
        if growth <= 0.0:
            raise ParameterError("peak_psi", peak_psi, "room for the queue to grow at all")
        q -= growth
        rising += 1
    loud = max(math.exp(budget) - 1.0, 0.0)
    falling = max(math.ceil((peak_queue - loud) / (capacity * dt)) - 1, 0)
    return rising + falling


@validate.checked
def least_rate_memoryless(
    demand: Positive, queue: NonNegative, alpha: Positive = 0.5, *, multiplicative: bool = False
) -> float:
    """Least rate that a memoryless action of Eq. 14 leaves of a demand, in req/s.

    |u_s| ≤ α·ρ_s, and ρ_s ≤ ln(1 + d)/(ln(1 + d) + ln(1 + q)) since r ≤ d. So r ≥ d − α·ρ_s when
    u is added and r ≥ d·(1 − α·ρ_s) when it multiplies; where that exceeds the capacity, the
    queue grows whatever β and the budget are.

    Examples
    --------
    >>> round(least_rate_memoryless(3.0, 87.6), 3)
    2.882
    >>> round(least_rate_memoryless(3.0, 87.6, multiplicative=True), 3)
    2.646
    """
    share = math.log1p(demand) / (math.log1p(demand) + math.log1p(queue))
    kept = demand * (1.0 - alpha * share) if multiplicative else demand - alpha * share
    return max(kept, 0.0)
