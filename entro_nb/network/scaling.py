"""The published scaling study, as published (seeds 001 and 002, golden figures in the tests).

Open loop: at each step every node draws a fresh state around a common wave, the protocol is
applied once, the variance of its output is noted, and nothing is fed back.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from entro_nb import validate
from entro_nb.network.lyapunov import spread
from entro_nb.network.sync import PsiSync
from entro_nb.results import dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["REGIMES", "TAIL", "input_states", "level", "published_variance", "scaling_study"]

Regime = Literal["scraper", "phase_shift"]
REGIMES = ("scraper", "phase_shift")

#: Steps at the end of a run over which the variance is averaged.
TAIL = 100

#: Width of the uniform draw that tells the nodes apart.
DRAW = 0.1


def level(regime: str, t: int) -> float:
    """Common level of all nodes at step t: 0.3 + 0.4·sin(0.05·t), or 0.3 and 0.7 from t = 250.

    Examples
    --------
    >>> level("scraper", 0), level("phase_shift", 250)
    (0.3, 0.7)
    """
    if regime == "scraper":
        return 0.3 + 0.4 * math.sin(0.05 * t)
    return 0.3 if t < 250 else 0.7


def input_states(
    n_nodes: int, steps: int, run: int, regime: str = "scraper"
) -> Iterator[FloatArray]:
    """Input of one published run, step by step: level + 0.1·U(0, 1), drawn in node order.

    Python's own generator, seeded 101·run + N, or 42·run for N ≤ 15: the published figures
    depend on it.
    """
    source = random.Random(42 * run if n_nodes <= 15 else 101 * run + n_nodes)
    for t in range(steps):
        common = level(regime, t)
        yield np.array([common + DRAW * source.random() for _ in range(n_nodes)])


def published_variance(
    n_nodes: int,
    steps: int = 800,
    runs: int = 4,
    *,
    kappa: float = 1.0,
    aggression: float = 1.0,
    adaptive: bool = True,
    regime: str = "scraper",
) -> FloatArray:
    """Variance that the published protocol leaves, as in the seeds' scaling study.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    steps, runs : int
        800 and 4 for N > 15, 300 and 3 for the smaller ones, as published.
    kappa, aggression, adaptive
        As `PsiSync.published` takes them; 1, 1 and True in the study.
    regime : {"scraper", "phase_shift"}
        What drives the nodes.

    Returns
    -------
    ndarray
        Mean over the last 100 steps of the variance over nodes, one value a run, in Ψ².

    Raises
    ------
    ParameterError
        If a count is below 1 or the regime is unknown.

    Examples
    --------
    >>> v = published_variance(20)
    >>> print(f"{v.mean():.6f} ± {v.std(ddof=1):.6f}")
    0.165380 ± 0.002169
    """
    n, steps, runs = _counts(n_nodes, steps, runs, regime)
    result = np.empty(runs)
    for run in range(runs):
        sync = PsiSync.published(n, kappa, aggression, adaptive=adaptive)
        outputs = (sync.broadcast(psi) for psi in input_states(n, steps, run, regime))
        result[run] = np.mean([np.var(out) for out in outputs][-TAIL:])
    return result


def scaling_study(
    nodes: Iterable[int],
    steps: int = 800,
    runs: int = 4,
    *,
    kappa: float = 1.0,
    aggression: float = 1.0,
    adaptive: bool = True,
    regime: str = "scraper",
) -> xr.Dataset:
    """Scaling study with all that explains it, the sound protocol on the same input beside it.

    Parameters
    ----------
    nodes : iterable of int
        Numbers of nodes N.
    steps, runs, kappa, aggression, adaptive, regime
        As for :func:`published_variance`.

    Returns
    -------
    xarray.Dataset
        Over ``node_count, replicate``: `variance` (published protocol), `unsynchronised`
        (the same input without exchange), `sound` (fastest admissible step), `gentle` (the
        seed's κ = 0.1, or 1/N where that is smaller), all in Ψ² and averaged over the last
        100 steps, and `clipped`, the share of outputs at 0 or 1. Over
        ``node_count, replicate, time``: `aggression`, the α of those last steps.

    Examples
    --------
    >>> study = scaling_study([3], steps=120, runs=2)
    >>> bool((study.sound < study.unsynchronised).all())
    True
    """
    counts = [validate.integer("nodes", n, 1) for n in nodes]
    _, steps, runs = _counts(1, steps, runs, regime)
    tail = min(TAIL, steps)
    shape = (len(counts), runs)
    names = ("variance", "unsynchronised", "sound", "gentle", "clipped")
    held = {name: np.zeros(shape) for name in names}
    alpha = np.zeros((*shape, tail))
    for k, n in enumerate(counts):
        for run in range(runs):
            sync = PsiSync.published(n, kappa, aggression, adaptive=adaptive)
            sound, gentle = PsiSync(n), PsiSync(n, kappa=min(0.1, 1.0 / n))
            for t, psi in enumerate(input_states(n, steps, run, regime)):
                out = sync.broadcast(psi)
                if (place := t - (steps - tail)) < 0:
                    continue
                alpha[k, run, place] = sync.aggression
                held["variance"][k, run] += spread(out)
                held["unsynchronised"][k, run] += spread(psi)
                held["sound"][k, run] += spread(sound.broadcast(psi))
                held["gentle"][k, run] += spread(gentle.broadcast(psi))
                held["clipped"][k, run] += np.mean((out == 0.0) | (out == 1.0))
    dims = ("node_count", "replicate")
    labels = {
        "variance": "variance after the published exchange",
        "unsynchronised": "variance of the input",
        "sound": "variance after the sound exchange, fastest step",
        "gentle": "variance after the sound exchange, κ = min(0.1, 1/N)",
        "clipped": "share of outputs at 0 or 1",
    }
    variables: dict[str, tuple[tuple[str, ...] | str, object, str, str]] = {
        name: (dims, held[name] / tail, "1" if name == "clipped" else "psi²", labels[name])
        for name in names
    }
    variables["aggression"] = ((*dims, "time"), alpha, "1", "aggression α")
    return dataset(
        variables,
        coords={
            "node_count": (counts, "nodes"),
            "replicate": (np.arange(runs), "1"),
            "time": (np.arange(steps - tail, steps), "steps"),
        },
        parameters=parameters_of(
            steps=steps,
            runs=runs,
            kappa=kappa,
            aggression_start=aggression,
            adaptive=adaptive,
            regime=regime,
        ),
        title="Open-loop scaling study",
        source="seeds 001 and 002",
    )


def _counts(n_nodes: int, steps: int, runs: int, regime: str) -> tuple[int, int, int]:
    validate.choice("regime", regime, REGIMES)
    return (
        validate.integer("n_nodes", n_nodes, 1),
        validate.integer("steps", steps, 1),
        validate.integer("runs", runs, 1),
    )
