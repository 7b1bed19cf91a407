"""Laws against each other: violations at equal work lost, what each change buys, where laws fail.

A family is one kind of law with its settings, and it knows so much of the plant and no more
(:data:`INFORMATION`). All families get the same allowance, settings are chosen on one set of
noises and measured on another, and that several times over, so that no family profits from luck
or from a rule that the others are denied.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from entro_nb import results
from entro_nb.engine import laws
from entro_nb.engine.control import EntropyBudget
from entro_nb.engine.laws import EntropyLaw, HeadroomLaw, Law
from entro_nb.engine.plant import LLMQueue, Phase, Pipeline, Scraper
from entro_nb.engine.published import as_written
from entro_nb.engine.simulation import (
    Total,
    latency,
    lost_share,
    lost_work,
    outcomes,
    simulate,
    sums,
)  # fmt: skip
from entro_nb.validate import Count, FloatArray, Natural, Positive, Seed, checked

if TYPE_CHECKING:
    import xarray as xr

Preset = Literal["quick", "full"]

#: Replicates on which settings are chosen, and the first seeds of the two sets of noises.
CHOOSING, CHOOSING_SEED, MEASURING_SEED = 10, 1000, 2000

#: What each family is told of the plant while it runs. The settings of all are chosen on it.
INFORMATION = {
    "no control": "nothing",
    "static limit": "nothing",
    "token bucket": "nothing",
    "AIMD": "the queue",
    "PID": "the queue",
    "CoDel": "the queue",
    "drift-plus-penalty, log": "the queue",
    "drift-plus-penalty, linear": "the queue",
    "ENTRO-ENGINE, Eq. 14": "queue and demand",
    "headroom, no look ahead": "queue and demand",
    "headroom": "queue, demand and capacity",
}


@checked
def candidates(preset: Preset = "quick") -> dict[str, list[Law]]:
    """Settings of each family that are tried: fewer with "quick", more with "full".

    Examples
    --------
    >>> sorted(candidates())[:3]
    ['AIMD', 'CoDel', 'ENTRO-ENGINE, Eq. 14']
    """
    fine = preset == "full"

    def line(low: float, high: float, quick: int, full: int) -> list[float]:
        return [float(x) for x in np.linspace(low, high, full if fine else quick)]

    aimd = product(line(2, 30, 6, 15), (0.01, 0.05, 0.2), (0.5, 0.8, 0.95))
    damping = (0.0, 1.0) if fine else (0.0,)
    pid = product(line(2.2, 4.6, 7, 13), (0.5, 2.0, 5.0), (0.0, 0.05, 0.2), damping)
    entropy = product(
        line(1.5, 4.5, 7, 13), (0.5, 1.0, 2.0) if fine else (0.5,), (0.0, 0.02, 0.05, 0.1)
    )
    return {
        "no control": [laws.NoControl()],
        "static limit": [laws.StaticLimit(x) for x in line(1.15, 2.9, 19, 36)],
        "token bucket": [
            laws.TokenBucket(r, b)
            for r, b in product(line(0.9, 2.6, 9, 18), (0.0, 2.0, 4.0, 8.0, 16.0, 32.0))
        ],
        "AIMD": [laws.AIMD(x, increase, decrease) for x, increase, decrease in aimd],
        "PID": [laws.PID(x, kp, ki, kd) for x, kp, ki, kd in pid],
        "CoDel": [laws.CoDel(x, i) for x, i in product(line(1, 50, 8, 20), (1.0, 2.0, 5.0, 10.0))],
        "drift-plus-penalty, log": [
            laws.DriftPlusPenalty(float(v)) for v in np.geomspace(8.0, 240.0, 30 if fine else 15)
        ],
        "drift-plus-penalty, linear": [
            laws.DriftPlusPenalty(v, "linear") for v in line(1.0, 80.0, 20, 40)
        ],
        "ENTRO-ENGINE, Eq. 14": [
            EntropyLaw(alpha, 2.0, budget, relaxation=x, clamped=clamped)
            for (budget, alpha, x), clamped in product(entropy, (True, False))
        ],
        "headroom, no look ahead": [
            HeadroomLaw(x, lookahead=False) for x in line(2.2, 3.4, 13, 25)
        ],
        "headroom": [HeadroomLaw()],
    }


def matching_allowance(needed: FloatArray, lost: float) -> float:
    """Allowance with which a law loses `lost` requests on average, or less.

    Parameters
    ----------
    needed : ndarray
        What the law loses in each run when its allowance is infinite.
    lost : float
        Mean loss to match.

    Returns
    -------
    float
        a with mean(min(a, needed)) = lost; infinite if the law never needs so much.

    Examples
    --------
    >>> matching_allowance(np.array([4.0, 8.0]), 5.0)
    6.0
    >>> matching_allowance(np.array([4.0, 8.0]), 6.0)
    inf
    """
    ordered = np.sort(needed)
    # mean(min(a, needed)) is piecewise linear with its corners at the sorted needs.
    n = ordered.size
    corners = (np.cumsum(ordered) + ordered * np.arange(n - 1, -1, -1)) / n
    if corners[-1] <= lost:
        return math.inf
    k = int(np.searchsorted(corners, lost))
    below = float(ordered[:k].sum())
    return (lost * n - below) / (n - k)


class _Chosen(NamedTuple):
    """A setting with the allowance that lets it lose what it may."""

    law: Law
    allowance: float


def _choices(
    plant: Pipeline, settings: Sequence[Law], losses: Sequence[float], noise: Mapping[str, Any]
) -> tuple[list[_Chosen | None], list[_Chosen | None]]:
    """For each loss the setting with the fewest violations: by itself, and with an allowance."""
    alone: list[_Chosen | None] = [None] * len(losses)
    shared: list[_Chosen | None] = [None] * len(losses)
    least_alone, least_shared = [math.inf] * len(losses), [math.inf] * len(losses)
    for law in settings:
        free = sums(plant, law, **noise)
        needed, arrived = lost_work(free), float(free[:, Total.ARRIVED].mean())
        for k, loss in enumerate(losses):
            allowance = matching_allowance(needed, 0.01 * loss * arrived)
            total = free
            if allowance < math.inf:
                total = sums(plant, law, held_at_most=allowance, **noise)
            violations = float(total[:, Total.VIOLATIONS].mean())
            if violations < least_shared[k]:
                least_shared[k], shared[k] = violations, _Chosen(law, allowance)
            if allowance == math.inf and violations < least_alone[k]:
                least_alone[k], alone[k] = violations, _Chosen(law, allowance)
    return alone, shared


@checked
def fronts(
    plant: Pipeline,
    families: Mapping[str, Sequence[Law]] | None = None,
    *,
    losses: tuple[float, ...] = (2.0, 4.0, 6.0, 7.8),
    sets: Count = 5,
    replicates: Count = 50,
    delay: Natural = 0,
    elsewhere: Pipeline | None = None,
) -> xr.Dataset:
    """Fewest violations of every family at equal work lost, with and without the same allowance.

    For each share of the work that may be lost, each family takes the setting that breaks the
    budget least on one set of noises; it is then measured on another. With "shared", any setting
    may be given an allowance, the work that it may hold back in a run, as large as the loss
    permits; with "none", only settings that lose no more by themselves count.

    Parameters
    ----------
    plant : Pipeline
        Usually the identified one.
    families : mapping, optional
        Name to settings; default :func:`candidates`.
    losses : tuple of float
        Shares of the work that may be lost on average, in %.
    sets : int
        Pairs of sets of noises.
    replicates : int
        Runs of each chosen setting on the other noises.
    delay : int
        Delay of the loop in steps.
    elsewhere : Pipeline, optional
        Another plant, on which the settings chosen on `plant` are measured.

    Returns
    -------
    xarray.Dataset
        Over ``allowance``, ``family``, ``loss`` and ``set``: violations (steps), lost_share (%),
        peak_queue (requests) and latency (s), means over the runs; NaN where no setting counts.
        What each family is told is the coordinate ``information``.

    Examples
    --------
    >>> from entro_nb.engine import StaticLimit, pipeline
    >>> limits = {"static limit": [StaticLimit(x) for x in (1.34, 1.8)]}
    >>> front = fronts(pipeline(), limits, losses=(6.0,), sets=1, replicates=5)
    >>> alone, shared = front.violations.values.ravel()
    >>> bool(shared < alone)
    True
    """
    families = candidates() if families is None else families
    there = plant if elsewhere is None else elsewhere
    columns = {
        "violations": "steps", "lost_share": "%", "peak_queue": "requests", "latency": "s",
    }  # fmt: skip
    kinds = ("none", "shared")
    table = np.full((len(columns), len(kinds), len(families), len(losses), sets), math.nan)
    for at in range(sets):
        choosing: dict[str, Any] = {"replicates": CHOOSING, "seed": CHOOSING_SEED + at}
        measuring: dict[str, Any] = {"replicates": replicates, "seed": MEASURING_SEED + at}
        for i, settings in enumerate(families.values()):
            found = _choices(plant, settings, losses, choosing | {"delay": delay})
            for kind, choices in enumerate(found):
                for k, chosen in enumerate(choices):
                    if chosen is None:
                        continue
                    total = sums(
                        there, chosen.law, held_at_most=chosen.allowance, delay=delay, **measuring
                    )
                    table[:, kind, i, k, at] = (
                        total[:, Total.VIOLATIONS].mean(), lost_share(total).mean(),
                        total[:, Total.PEAK_QUEUE].mean(), latency(total).mean(),
                    )  # fmt: skip
    dims = ("allowance", "family", "loss", "set")
    front = results.dataset(
        {
            name: (dims, table[k], units, f"mean of {name}")
            for k, (name, units) in enumerate(columns.items())
        },
        coords={
            "allowance": (list(kinds), "1"),
            "family": (list(families), "1"),
            "loss": (list(losses), "%"),
            "set": (np.arange(sets), "1"),
        },
        parameters={"replicates": replicates, "delay": delay},
        title="violations at equal work lost",
        source="seed 000, Simulation Results",
    )
    told = [INFORMATION.get(name, "") for name in families]
    return front.assign_coords(information=("family", told))


def ablation_laws(allowance: float = 60.0) -> dict[str, Law]:
    """From Eq. 14 to the headroom law, one change at a time, and the last without each.

    Examples
    --------
    >>> list(ablation_laws())[0]
    'Eq. 14, integral'
    """
    whole = HeadroomLaw(allowance=allowance)
    return {
        "Eq. 14, integral": EntropyLaw(),
        "+ share among valves": EntropyLaw(valves_only=True),
        "+ velocity in the pressure": EntropyLaw(valves_only=True, velocity=2.0),
        "action in nats": HeadroomLaw(lookahead=False),
        "+ look ahead": HeadroomLaw(),
        "+ allowance": whole,
        "− look ahead": replace(whole, lookahead=False),
    }


def _table(runs: list[list[FloatArray]], dims: Mapping[str, list[str]], title: str) -> xr.Dataset:
    """Means over the replicates of the sums in a table of runs."""
    replicates = len(runs[0][0])
    means = np.array([[total.mean(axis=0) for total in row] for row in runs])
    return results.dataset(
        outcomes(means, tuple(dims)),
        coords={name: (values, "1") for name, values in dims.items()},
        parameters={"replicates": replicates},
        title=title,
        source="ours, on the plant identified from seed 000",
    )


@checked
def ablation(
    plant: Pipeline,
    *,
    allowance: float = 60.0,
    delays: tuple[int, ...] = (0, 4),
    replicates: Count = 200,
) -> xr.Dataset:
    """Means of each step from Eq. 14 to the headroom law, with and without a control delay.

    Returns
    -------
    xarray.Dataset
        violations, peak_queue, peak_psi and lost_share over ``variant`` and ``delay``.

    Examples
    --------
    >>> from entro_nb.engine import pipeline
    >>> table = ablation(pipeline(), replicates=5)
    >>> float(table.violations.sel(variant="+ look ahead", delay="0 steps"))
    0.0
    """
    variants = ablation_laws(allowance)
    variants["+ look ahead, no prediction"] = HeadroomLaw(predict=False)
    runs = [
        [sums(plant, law, replicates=replicates, seed=303, delay=k) for k in delays]
        for law in variants.values()
    ]
    dims = {"variant": list(variants), "delay": [f"{k} steps" for k in delays]}
    return _table(runs, dims, "ablation of the headroom law")


@dataclass(frozen=True)
class PlantCase:
    """A change to the plant or the loop, and to what the headroom law believes."""

    plant: Pipeline
    delay: int = 0
    belief: float = 1.0


def _with_phases(plant: Pipeline, phases: tuple[Phase, ...]) -> Pipeline:
    scraper = plant.sources[0]
    return replace(plant, subsystems=(replace(scraper, phases=phases), *plant.subsystems[1:]))


def scenarios(plant: Pipeline) -> dict[str, PlantCase]:
    """The plant as identified (three phases), and ways in which it may turn out otherwise.

    Examples
    --------
    >>> from entro_nb.engine import pipeline
    >>> len(scenarios(pipeline()))
    8
    """
    warm, surge, calm = plant.sources[0].phases
    longer = min(surge.stop + surge.duration, calm.stop - 1.0)
    again = calm.start + 0.5 * calm.duration
    twice = (
        warm,
        surge,
        replace(calm, stop=again),
        replace(surge, start=again, stop=again + surge.duration),
        replace(calm, start=again + surge.duration),
    )
    slow = (warm, replace(surge, capacity=0.4), calm)
    stretched = (warm, replace(surge, stop=longer), replace(calm, start=longer))
    return {
        "as identified": PlantCase(plant),
        "delay of 5 steps": PlantCase(plant, delay=5),
        "delay of 20 steps": PlantCase(plant, delay=20),
        "capacity believed 25 % too high": PlantCase(plant, belief=1.25),
        "capacity believed 25 % too low": PlantCase(plant, belief=0.75),
        "service at 40 % during the surge": PlantCase(_with_phases(plant, slow)),
        "surge twice as long": PlantCase(_with_phases(plant, stretched)),
        "two surges": PlantCase(_with_phases(plant, twice)),
    }


@checked
def beside_idle(
    shares: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9),
    *,
    critical: Positive = 2.0,
    replicates: Count = 10,
    seed: Seed = 505,
) -> xr.Dataset:
    """Steps in which one of two queues is beyond its critical entropy while the other is empty.

    One scraper feeds two queues beside each other, of which the first gets a share of the work.
    The budget is that of three subsystems, γ·N·Ψ_c = 4.5 nats (project page of seed 000, Eq. 10).

    Parameters
    ----------
    shares : tuple of float
        Shares of the first queue.
    critical : float
        Ψ_c in nats, beyond which a subsystem counts as collapsed; published: 2.
    replicates, seed : int
        Runs, and the seed of their noise.

    Returns
    -------
    xarray.Dataset
        steps over ``law`` (none, and Eq. 14 as written), ``share`` and ``replicate``.

    Examples
    --------
    >>> found = beside_idle((0.9,), replicates=1)
    >>> int(found.steps.sel(law="no control")[0, 0]) > 0
    True
    """
    budget = EntropyBudget.of_subsystems(3, critical).psi_budget
    tried = {"no control": laws.NoControl()} | {
        name: replace(law, psi_budget=budget) for name, law in as_written().items()
    }
    steps = np.empty((len(tried), len(shares), replicates))
    for i, law in enumerate(tried.values()):
        for j, share in enumerate(shares):
            queues = LLMQueue("first", valve=True), LLMQueue("second", valve=True)
            plant = Pipeline((Scraper(), *queues), ((0, 1, share), (0, 2, 1.0 - share)))
            psi = simulate(plant, law, replicates=replicates, seed=seed).psi.values[..., 1:]
            alone = (psi.max(axis=-1) > critical) & (psi.min(axis=-1) == 0.0)
            steps[i, j] = alone.sum(axis=1)
    return results.dataset(
        {
            "steps": (
                ("law", "share", "replicate"), steps, "steps",
                "one queue beyond its critical entropy, the other empty",
            )
        },
        coords={
            "law": (list(tried), "1"),
            "share": (list(shares), "1"),
            "replicate": (np.arange(replicates), "1"),
        },
        parameters={"critical": critical, "budget": budget, "seed": seed},
        title="collapse beside idleness",
        source="seed 000, Vision",
    )  # fmt: skip


@checked
def trials(plant: Pipeline, *, replicates: Count = 50, allowance: float = 80.0) -> xr.Dataset:
    """Every scenario under the headroom law, with and without an allowance, and four others.

    The settings are those that suit the plant as identified; none is tuned to a scenario.

    Returns
    -------
    xarray.Dataset
        violations, peak_queue, peak_psi and lost_share over ``scenario`` and ``law``.

    Examples
    --------
    >>> from entro_nb.engine import pipeline
    >>> table = trials(pipeline(), replicates=2)
    >>> float(table.violations.sel(scenario="as identified", law="headroom"))
    0.0
    """
    cases = scenarios(plant)
    runs = []
    for case in cases.values():
        tried: dict[str, Law] = {
            "headroom": HeadroomLaw(belief=case.belief),
            "headroom, allowance": HeadroomLaw(belief=case.belief, allowance=allowance),
            "Eq. 14": EntropyLaw(),
            "PID": laws.PID(3.0, 0.5, 0.0),
            "static limit": laws.StaticLimit(1.34),
            "drift-plus-penalty": laws.DriftPlusPenalty(12.0),
        }
        runs.append(
            [
                sums(case.plant, law, replicates=replicates, seed=404, delay=case.delay)
                for law in tried.values()
            ]
        )
    return _table(runs, {"scenario": list(cases), "law": list(tried)}, "where laws fail")
