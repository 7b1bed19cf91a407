"""Annealing: temperature as a schedule, and as a slider between agreement and freedom.

Seed 004, §2.2 maps annealing to tuning and calls the temperature a "CAP theorem slider".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.graph import Graph, IntArray, as_network, require_edges
from entro_nb.geometry.sampling import drift
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Schedule", "anneal", "cap_slider", "temperatures"]


@dataclass(frozen=True)
class Schedule:
    """Temperature over time.

    Parameters
    ----------
    first, last : float
        λ at the start and end, first ≥ last > 0.
    shape : {"geometric", "logarithmic", "constant"}
        ``geometric`` falls by the same factor each step; ``logarithmic`` as first/ln(e + k)
        in step k, the shape for which convergence to the lowest minimum is proved (Geman and
        Geman 1984), and too slow to get near `last`; ``constant`` stays at `first`.

    Examples
    --------
    >>> temperatures(Schedule(1.0, 0.25), 3)
    array([1.  , 0.5 , 0.25])
    """

    first: float = 2.0
    last: float = 0.02
    shape: Literal["geometric", "logarithmic", "constant"] = "geometric"

    def __post_init__(self) -> None:
        validate.real("last", self.last, 0.0, open_low=True)
        validate.real("first", self.first, self.last)
        validate.choice("shape", self.shape, ("geometric", "logarithmic", "constant"))


def temperatures(schedule: Schedule, steps: int) -> FloatArray:
    """λ at every step of a schedule, shape (steps,)."""
    steps = validate.integer("steps", steps, 2)
    t = np.arange(steps) / (steps - 1)
    if schedule.shape == "constant":
        return np.full(steps, schedule.first)
    if schedule.shape == "geometric":
        return schedule.first * (schedule.last / schedule.first) ** t
    slow: FloatArray = schedule.first / np.log(math.e + np.arange(steps))
    return slow


def anneal(
    schedule: Schedule | None = None,
    *,
    steps: int = 4000,
    walkers: int = 1000,
    step: float = 0.05,
    width: float = 8.0,
    seed: int = 0,
) -> FloatArray:
    """Final places of walkers on the rugged landscape while the temperature falls (seed 004, §2.2).

    Examples
    --------
    >>> lowest = -3.12
    >>> bool(np.mean(abs(anneal(walkers=400) - lowest) < 0.5) > 0.5)
    True
    """
    walkers = validate.integer("walkers", walkers, 1)
    step = validate.real("step", step, 0.0, 0.4, open_low=True)
    width = validate.real("width", width, 0.0, open_low=True)
    rng = np.random.default_rng(validate.integer("seed", seed, 0))
    x = rng.uniform(-width, width, walkers)
    before = rng.standard_normal(walkers)
    for temperature in temperatures(schedule or Schedule(), steps):
        after = rng.standard_normal(walkers)
        drift(x, step, np.sqrt(temperature * step / 2.0), before, after)
        before = after
    return x


def cap_slider(
    graph: Graph,
    levels: npt.ArrayLike,
    *,
    sweeps: int = 400,
    warmup: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Consistency against freedom to change, by temperature: the seed's "CAP slider" (§2.2).

    Nodes hold one of two versions; a pair of neighbours that differ costs the conductance of
    their edge. Glauber dynamics at λ: cold nodes agree and hardly ever change, hot ones change
    freely and disagree.

    Parameters
    ----------
    graph : networkx.Graph or Network
        At least one edge.
    levels : array_like
        Temperatures λ > 0.
    sweeps, warmup : int
        Updates per node that are measured, and that come before.
    seed : int
        Seed of the draws, the same for each temperature.

    Returns
    -------
    xarray.Dataset
        Over ``temperature``: ``agreement``, mean share of edges whose ends hold the same
        version, and ``turnover``, share of updates that change a node.

    Examples
    --------
    >>> import networkx as nx
    >>> run = cap_slider(nx.cycle_graph(20), [0.1, 10.0])
    >>> bool(run.agreement[0] > run.agreement[1]), bool(run.turnover[0] < run.turnover[1])
    (True, True)
    """
    network = require_edges(as_network(graph), "disagreement between neighbours")
    heat = validate.finite_array("levels", levels, ndim=1)
    if (heat <= 0).any():
        raise ParameterError("levels", float(heat.min()), "temperatures above 0")
    sweeps = validate.integer("sweeps", sweeps, 1)
    warmup = validate.integer("warmup", warmup, 0)
    start, neighbour, edge = network.adjacency
    n = len(network.nodes)
    agreement, turnover = np.empty(heat.size), np.empty(heat.size)
    for k, temperature in enumerate(heat):
        rng = np.random.default_rng(validate.integer("seed", seed, 0))
        spins = rng.integers(2, size=n) * 2 - 1
        agree, flips, counted = 0.0, 0, 0
        for sweep in range(warmup + sweeps):
            changed = _sweep(
                start,
                neighbour,
                network.conductance[edge],
                temperature,
                rng.integers(n, size=n),
                rng.random(n),
                spins,
            )
            if sweep >= warmup:
                i, j = network.edges.T
                agree += float(np.mean(spins[i] == spins[j]))
                flips += changed
                counted += 1
        agreement[k], turnover[k] = agree / counted, flips / (counted * n)
    return results.dataset(
        {
            "agreement": ("temperature", agreement, "1", "edges whose ends agree"),
            "turnover": ("temperature", turnover, "1", "updates that change a node"),
        },
        coords={"temperature": (heat, "energy")},
        parameters=results.parameters_of(sweeps=sweeps, warmup=warmup, seed=seed),
        title="Consistency against freedom to change",
        source="seed 004, §2.2",
    )


@compiled
def _sweep(
    start: IntArray,
    neighbour: IntArray,
    strength: FloatArray,
    temperature: float,
    order: IntArray,
    uniform: FloatArray,
    spins: IntArray,
) -> int:
    changed = 0
    for k in range(order.size):
        i = order[k]
        pull = 0.0
        for a in range(start[i], start[i + 1]):
            pull += strength[a] * spins[neighbour[a]]
        # Energy Σ c·(differ) over edges: holding +1 rather than −1 costs −pull.
        up = 1.0 / (1.0 + np.exp(max(min(-pull / temperature, 700.0), -700.0)))
        new = 1 if uniform[k] < up else -1
        changed += new != spins[i]
        spins[i] = new
    return changed
