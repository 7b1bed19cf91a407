"""What each change to Eq. 14 buys, and where the law that results fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from entro_nb import results, validate
from entro_nb.engine.baselines import PID, DriftPlusPenalty, StaticLimit
from entro_nb.engine.law import EntropyLaw, HeadroomLaw, Law
from entro_nb.engine.phases import Phase
from entro_nb.engine.plant import Total
from entro_nb.engine.simulation import sums
from entro_nb.engine.subsystem import Pipeline, Scraper

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Scenario", "ablation", "ablation_laws", "scenarios", "trials"]

COLUMNS = {
    "violations": (Total.VIOLATIONS, "steps"),
    "peak_queue": (Total.PEAK_QUEUE, "requests"),
    "peak_psi": (Total.PEAK_PSI, "nats"),
}


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


def _measure(
    plant: Pipeline, law: Law, *, replicates: int, seed: int, delay: int = 0
) -> list[float]:
    total = sums(plant, law, replicates=replicates, seed=seed, delay=delay).mean(axis=0)
    lost = total[Total.DEFERRED] + total[Total.REFUSED]
    return [*(total[field] for field, _ in COLUMNS.values()), 100.0 * lost / total[Total.ARRIVED]]


def _table(
    rows: list[list[list[float]]], dims: Mapping[str, list[str]], replicates: int, title: str
) -> xr.Dataset:
    table = np.array(rows)
    names = [(name, units) for name, (_, units) in COLUMNS.items()] + [("lost_share", "%")]
    return results.dataset(
        {
            name: (tuple(dims), table[..., k], units, f"mean of {name}")
            for k, (name, units) in enumerate(names)
        },
        coords={name: (values, "1") for name, values in dims.items()},
        parameters={"replicates": replicates},
        title=title,
        source="ours, on the plant identified from seed 000",
    )


def ablation(
    plant: Pipeline,
    *,
    allowance: float = 60.0,
    delays: tuple[int, ...] = (0, 4),
    replicates: int = 200,
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
    replicates = validate.integer("replicates", replicates, 1)
    laws = ablation_laws(allowance)
    laws["+ look ahead, no prediction"] = HeadroomLaw(predict=False)
    rows = [
        [_measure(plant, law, replicates=replicates, seed=303, delay=k) for k in delays]
        for law in laws.values()
    ]
    dims = {"variant": list(laws), "delay": [f"{k} steps" for k in delays]}
    return _table(rows, dims, replicates, "ablation of the headroom law")


@dataclass(frozen=True)
class Scenario:
    """A change to the plant or the loop, and to what the headroom law believes."""

    plant: Pipeline
    delay: int = 0
    belief: float = 1.0


def _with_phases(plant: Pipeline, phases: tuple[Phase, ...]) -> Pipeline:
    scraper = plant.subsystems[0]
    assert isinstance(scraper, Scraper)
    return replace(plant, subsystems=(replace(scraper, phases=phases), *plant.subsystems[1:]))


def scenarios(plant: Pipeline) -> dict[str, Scenario]:
    """The plant as identified (three phases), and ways in which it may turn out otherwise.

    Examples
    --------
    >>> from entro_nb.engine import pipeline
    >>> len(scenarios(pipeline()))
    8
    """
    scraper = plant.subsystems[0]
    assert isinstance(scraper, Scraper)
    warm, surge, calm = scraper.phases
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
        "as identified": Scenario(plant),
        "delay of 5 steps": Scenario(plant, delay=5),
        "delay of 20 steps": Scenario(plant, delay=20),
        "capacity believed 25 % too high": Scenario(plant, belief=1.25),
        "capacity believed 25 % too low": Scenario(plant, belief=0.75),
        "service at 40 % during the surge": Scenario(_with_phases(plant, slow)),
        "surge twice as long": Scenario(_with_phases(plant, stretched)),
        "two surges": Scenario(_with_phases(plant, twice)),
    }


def trials(plant: Pipeline, *, replicates: int = 50, allowance: float = 80.0) -> xr.Dataset:
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
    replicates = validate.integer("replicates", replicates, 1)
    cases = scenarios(plant)
    rows, names = [], []
    for case in cases.values():
        laws: dict[str, Law] = {
            "headroom": HeadroomLaw(belief=case.belief),
            "headroom, allowance": HeadroomLaw(belief=case.belief, allowance=allowance),
            "Eq. 14": EntropyLaw(),
            "PID": PID(3.0, 0.5, 0.0),
            "static limit": StaticLimit(1.34),
            "drift-plus-penalty": DriftPlusPenalty(12.0),
        }
        names = list(laws)
        rows.append(
            [
                _measure(case.plant, law, replicates=replicates, seed=404, delay=case.delay)
                for law in laws.values()
            ]
        )
    return _table(rows, {"scenario": list(cases), "law": names}, replicates, "where laws fail")
