"""Laws against each other at equal work lost, on the same plant and the same noise.

A family is one kind of law with its settings. Its front is made of the settings that no other
setting of the family beats in both violations and work lost; settings are chosen on one noise
and measured on another, so that no family profits from luck.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

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

__all__ = ["Preset", "candidates", "chosen_settings", "fronts", "matching_allowance"]

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


def _front(violations: FloatArray, lost: FloatArray) -> list[int]:
    """Indices that no other beats in both, by growing loss."""
    best = math.inf
    chosen = []
    for k in np.lexsort((violations, lost)):
        if violations[k] < best:
            chosen.append(int(k))
            best = violations[k]
    return chosen


def _lost(total: FloatArray) -> FloatArray:
    lost: FloatArray = total[:, Total.DEFERRED] + total[:, Total.REFUSED]
    return lost


def chosen_settings(
    plant: Pipeline, settings: Sequence[Law], points: int, delay: int = 0
) -> list[Law]:
    """Settings on a family's front, on the noise for choosing; at most `points`, evenly."""
    trial = []
    for law in settings:
        total = sums(plant, law, replicates=CHOOSING, seed=CHOOSING_SEED, delay=delay)
        trial.append((total[:, Total.VIOLATIONS].mean(), _lost(total).mean()))
    violations, lost = np.array(trial).T
    chosen = _front(violations, lost)
    if len(chosen) > points:
        chosen = [chosen[k] for k in np.linspace(0, len(chosen) - 1, points).round().astype(int)]
    return [settings[k] for k in chosen]


def matching_allowance(needed: FloatArray, lost: float) -> float:
    """Allowance with which the headroom law loses `lost` requests on average, or less.

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
    if ordered.mean() <= lost:
        return math.inf
    # mean(min(a, needed)) is piecewise linear with its corners at the sorted needs.
    n = ordered.size
    corners = (np.cumsum(ordered) + ordered * np.arange(n - 1, -1, -1)) / n
    k = int(np.searchsorted(corners, lost))
    below = float(ordered[:k].sum())
    return (lost * n - below) / (n - k)


def fronts(
    plant: Pipeline,
    families: Mapping[str, Sequence[Law]] | None = None,
    *,
    replicates: int = 200,
    delay: int = 0,
    points: int = 8,
) -> xr.Dataset:
    """Fronts of all families with 95 % intervals, each setting paired with the headroom law.

    For every setting the headroom law gets an allowance with which it loses as much work on
    average, or less, and meets the same noise; the difference in violations is paired.

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
        (s), each as a mean and, with ``_ci``, the half-width of its interval; lost_share_headroom
        and avoided, the violations that the headroom law avoids, with avoided_ci. Family and
        law of each setting are coordinates.

    Examples
    --------
    >>> from entro_nb.engine import StaticLimit, pipeline
    >>> front = fronts(pipeline(), {"static limit": [StaticLimit(1.5)]}, replicates=5)
    >>> bool(front.avoided[0] > 0)
    True
    """
    replicates = validate.integer("replicates", replicates, 2)
    points = validate.integer("points", points, 2)
    noise: dict[str, Any] = {"replicates": replicates, "seed": MEASURING_SEED, "delay": delay}
    free = sums(plant, HeadroomLaw(), **noise)
    rows, labels, laws = [], [], []
    for name, settings in (candidates() if families is None else families).items():
        for law in chosen_settings(plant, settings, points, delay):
            total = sums(plant, law, **noise)
            allowance = matching_allowance(_lost(free), float(_lost(total).mean()))
            ours = free
            if allowance != math.inf:
                ours = sums(plant, HeadroomLaw(allowance=allowance), **noise)
            rows.append(
                [
                    total[:, Total.VIOLATIONS],
                    100.0 * _lost(total) / total[:, Total.ARRIVED],
                    total[:, Total.PEAK_QUEUE],
                    total[:, Total.WAITING] / total[:, Total.COMPLETED],
                    100.0 * _lost(ours) / ours[:, Total.ARRIVED],
                    total[:, Total.VIOLATIONS] - ours[:, Total.VIOLATIONS],
                ]
            )
            labels.append(name)
            laws.append(repr(law))
    table = np.array(rows)
    mean, error = table.mean(-1), table.std(-1, ddof=1) / math.sqrt(replicates)
    columns = {
        "violations": "steps",
        "lost_share": "%",
        "peak_queue": "requests",
        "latency": "s",
        "lost_share_headroom": "%",
        "avoided": "steps",
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
