"""Laws against each other at equal work lost, on the same plant and the same noise.

A family is one kind of law with its settings. Its front is made of the settings that no other
setting of the family beats in both violations and work lost; settings are chosen on one noise
and measured on another, so that no family profits from luck.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from entro_nb import results, validate
from entro_nb.engine.baselines import (
    AIMD,
    PID,
    CoDel,
    DriftPlusPenalty,
    NoControl,
    StaticLimit,
    TokenBucket,
)
from entro_nb.engine.law import EntropyLaw, HeadroomLaw, Law
from entro_nb.engine.plant import Total
from entro_nb.engine.simulation import sums
from entro_nb.engine.subsystem import Pipeline
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Preset", "candidates", "compare", "fronts"]

Preset = Literal["quick", "full"]

#: Replicates on which settings are chosen, and seeds of the two noises.
CHOOSING, CHOOSING_SEED, MEASURING_SEED = 20, 101, 202

#: Half-width of a 95 % interval in standard errors.
NORMAL_95 = 1.959963984540054


def candidates(preset: Preset = "quick") -> dict[str, list[Law]]:
    """Settings of each family that are tried: fewer with "quick", more with "full".

    Examples
    --------
    >>> sorted(candidates())[:3]
    ['AIMD', 'CoDel', 'ENTRO-ENGINE, Eq. 14']
    """
    fine = validate.choice("preset", preset, ("quick", "full")) == "full"

    def line(low: float, high: float, quick: int, full: int) -> list[float]:
        return [float(x) for x in np.linspace(low, high, full if fine else quick)]

    aimd = product(line(2, 30, 6, 15), (0.01, 0.05, 0.2), (0.5, 0.8, 0.95))
    pid = product(line(2.2, 4.6, 7, 13), (0.5, 2.0, 5.0), (0.0, 0.05, 0.2), (0.0, 1.0))
    entropy = product(
        line(1.5, 4.5, 7, 13), (0.5, 1.0, 2.0) if fine else (0.5,), (0.0, 0.02, 0.05, 0.1)
    )
    return {
        "no control": [NoControl()],
        "static limit": [StaticLimit(x) for x in line(1.15, 2.9, 19, 36)],
        "token bucket": [
            TokenBucket(r, b)
            for r, b in product(line(0.9, 2.6, 9, 18), (0.0, 2.0, 4.0, 8.0, 16.0, 32.0))
        ],
        "AIMD": [AIMD(x, increase, decrease) for x, increase, decrease in aimd],
        "PID": [PID(x, kp, ki, kd) for x, kp, ki, kd in pid],
        "CoDel": [CoDel(x, i) for x, i in product(line(1, 50, 8, 20), (1.0, 2.0, 5.0, 10.0))],
        "drift-plus-penalty, log": [
            DriftPlusPenalty(float(v)) for v in np.geomspace(8.0, 240.0, 30 if fine else 15)
        ],
        "drift-plus-penalty, linear": [
            DriftPlusPenalty(v, "linear") for v in line(1.0, 80.0, 20, 40)
        ],
        "ENTRO-ENGINE, Eq. 14": [
            EntropyLaw(alpha, 2.0, budget, relaxation=x, clamped=clamped)
            for (budget, alpha, x), clamped in product(entropy, (True, False))
        ],
        "headroom": [HeadroomLaw(allowance=x) for x in line(0.0, 90.0, 10, 19)],
    }


def measured(plant: Pipeline, law: Law, replicates: int, seed: int, delay: int) -> FloatArray:
    """Violations, lost share (%), peak queue and latency of each replicate, shape (4, n)."""
    total = sums(plant, law, replicates=replicates, seed=seed, delay=delay)
    lost = total[:, Total.DEFERRED] + total[:, Total.REFUSED]
    return np.stack(
        [
            total[:, Total.VIOLATIONS],
            100.0 * lost / total[:, Total.ARRIVED],
            total[:, Total.PEAK_QUEUE],
            total[:, Total.WAITING] / np.maximum(total[:, Total.COMPLETED], 1e-300),
        ]
    )


def _front(violations: FloatArray, lost: FloatArray) -> list[int]:
    """Indices that no other beats in both, by growing loss."""
    best = math.inf
    chosen = []
    for k in np.lexsort((violations, lost)):
        if violations[k] < best:
            chosen.append(int(k))
            best = violations[k]
    return chosen


def fronts(
    plant: Pipeline,
    families: Mapping[str, Sequence[Law]] | None = None,
    *,
    replicates: int = 200,
    delay: int = 0,
    points: int = 12,
) -> xr.Dataset:
    """Fronts of all families, measured with 95 % intervals.

    Parameters
    ----------
    plant : Pipeline
        Usually the identified one.
    families : mapping, optional
        Name to settings; default :func:`candidates`.
    replicates : int
        Runs of each setting on the front.
    delay : int
        Delay of the loop in steps.
    points : int
        Settings that are kept of a longer front, evenly along it.

    Returns
    -------
    xarray.Dataset
        Over ``setting``: violations (steps), lost_share (%), peak_queue (requests) and latency
        (s), each as a mean and, with ``_ci``, the half-width of its interval; the family and
        the law of each setting as coordinates.

    Examples
    --------
    >>> from entro_nb.engine import HeadroomLaw, pipeline
    >>> front = fronts(pipeline(), {"headroom": [HeadroomLaw()]}, replicates=5)
    >>> float(front.violations[0])
    0.0
    """
    replicates = validate.integer("replicates", replicates, 2)
    points = validate.integer("points", points, 2)
    rows, labels, laws = [], [], []
    for name, settings in (candidates() if families is None else families).items():
        trial = np.array(
            [measured(plant, law, CHOOSING, CHOOSING_SEED, delay).mean(axis=1) for law in settings]
        )
        chosen = _front(trial[:, 0], trial[:, 1])
        if len(chosen) > points:
            chosen = [
                chosen[k] for k in np.linspace(0, len(chosen) - 1, points).round().astype(int)
            ]
        for k in chosen:
            rows.append(measured(plant, settings[k], replicates, MEASURING_SEED, delay))
            labels.append(name)
            laws.append(repr(settings[k]))
    table = np.array(rows)
    mean, error = table.mean(-1), table.std(-1, ddof=1) / math.sqrt(replicates)
    columns = {
        "violations": "steps",
        "lost_share": "%",
        "peak_queue": "requests",
        "latency": "s",
    }
    variables = {
        name: ("setting", mean[:, k], units, f"mean of {name}")
        for k, (name, units) in enumerate(columns.items())
    } | {
        f"{name}_ci": ("setting", NORMAL_95 * error[:, k], units, f"95 % half-width of {name}")
        for k, (name, units) in enumerate(columns.items())
    }
    front = results.dataset(
        variables,
        parameters={"replicates": replicates, "delay": delay},
        title="fronts of violations against work lost",
        source="seed 000, Simulation Results",
    )
    return front.assign_coords(family=("setting", labels), law=("setting", laws))


def compare(
    plant: Pipeline,
    families: Mapping[str, Sequence[Law]] | None = None,
    *,
    replicates: int = 200,
    points: int = 12,
) -> xr.Dataset:
    """Each family's front against the headroom law that may lose as much and no more.

    For every setting on a front the headroom law gets that setting's mean loss as its
    allowance, and both meet the same noise; the difference in violations is paired.

    Returns
    -------
    xarray.Dataset
        Over ``setting``: lost_share of the setting and lost_share_headroom (%), violations and
        violations_headroom (steps), their paired difference (positive: headroom breaks the
        budget less often) and difference_ci (95 % half-width).

    Examples
    --------
    >>> from entro_nb.engine import StaticLimit, pipeline
    >>> gap = compare(pipeline(), {"static limit": [StaticLimit(1.5)]}, replicates=5)
    >>> bool(gap.difference[0] > 0)
    True
    """
    replicates = validate.integer("replicates", replicates, 2)
    families = candidates() if families is None else families
    rows, labels = [], []
    for name, settings in families.items():
        trial = np.array(
            [measured(plant, law, CHOOSING, CHOOSING_SEED, 0).mean(axis=1) for law in settings]
        )
        chosen = _front(trial[:, 0], trial[:, 1])
        if len(chosen) > points:
            chosen = [
                chosen[k] for k in np.linspace(0, len(chosen) - 1, points).round().astype(int)
            ]
        for k in chosen:
            total = sums(plant, settings[k], replicates=replicates, seed=MEASURING_SEED)
            lost = total[:, Total.DEFERRED] + total[:, Total.REFUSED]
            ours = sums(
                plant,
                HeadroomLaw(allowance=float(lost.mean())),
                replicates=replicates,
                seed=MEASURING_SEED,
            )
            lost_ours = ours[:, Total.DEFERRED] + ours[:, Total.REFUSED]
            gap = total[:, Total.VIOLATIONS] - ours[:, Total.VIOLATIONS]
            rows.append(
                [
                    100.0 * lost.mean() / total[:, Total.ARRIVED].mean(),
                    100.0 * lost_ours.mean() / ours[:, Total.ARRIVED].mean(),
                    total[:, Total.VIOLATIONS].mean(),
                    ours[:, Total.VIOLATIONS].mean(),
                    gap.mean(),
                    NORMAL_95 * gap.std(ddof=1) / math.sqrt(replicates),
                ]
            )
            labels.append(name)
    table = np.array(rows)
    columns = [
        ("lost_share", "%", "work lost by the setting"),
        ("lost_share_headroom", "%", "work lost by the headroom law"),
        ("violations", "steps", "violations of the setting"),
        ("violations_headroom", "steps", "violations of the headroom law"),
        ("difference", "steps", "violations that the headroom law avoids"),
        ("difference_ci", "steps", "95 % half-width of the difference"),
    ]
    compared = results.dataset(
        {
            name: ("setting", table[:, k], units, text)
            for k, (name, units, text) in enumerate(columns)
        },
        parameters={"replicates": replicates},
        title="families against the headroom law at equal work lost",
        source="seed 000, Simulation Results",
    )
    return compared.assign_coords(family=("setting", labels))
