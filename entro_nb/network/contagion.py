"""Contagion through the exchange, and what isolation protects (objective 3 of seed 001).

Healthy nodes forget slowly, Ψ ← Ψ* + a·(Ψ − Ψ*) + σ·ξ, and exchange with their neighbours; a
faulty node sends what it likes and takes in nothing. What it sends drags its neighbours, and
they theirs. A healthy node is protected when it never crosses Ψ_critical.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.isolation import IsolationRule, remember
from entro_nb.network.step import admissible_step
from entro_nb.network.topology import IntArray, Topology
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FAULTS", "ISOLATIONS", "Outbreak", "contagion"]

#: What a faulty node does.
FAULTS = ("stuck", "noisy", "slow-drift", "lying")

#: What is done about it.
ISOLATIONS = ("none", "published", "level", "sound")


@dataclass(frozen=True)
class Outbreak:
    """Healthy dynamics, faults and limits of a contagion run.

    Attributes
    ----------
    fault : {"stuck", "noisy", "slow-drift", "lying"}
        "stuck" sends 0.95 for ever; "noisy" 0.6 and a normal deviate of 0.3; "slow-drift"
        climbs by 0.002 a step from Ψ*; "lying" sends its neighbours 0.95 and tells its own
        monitor Ψ*.
    isolation : {"none", "published", "level", "sound"}
        "published" isolates on the monitor's level rule, in name only: the exchange goes on.
        "level" cuts the edges by the same rule. "sound" judges what the neighbours hear: a
        message further than `distance` from the median of all messages of nodes that are not
        isolated is not used, and counts as a fault, as does one above Ψ_critical.
    persistence, noise : float
        a and σ of the healthy nodes.
    onset : int
        Step at which the faults begin.
    distance : float
        Distance from the median that "sound" calls suspect.
    """

    fault: str = "stuck"
    isolation: str = "sound"
    persistence: float = 0.98
    noise: float = 0.01
    onset: int = 50
    distance: float = 0.25
    rule: IsolationRule = field(default_factory=IsolationRule)

    def __post_init__(self) -> None:
        validate.choice("fault", self.fault, FAULTS)
        validate.choice("isolation", self.isolation, ISOLATIONS)
        validate.real("persistence", self.persistence, 0.0, 1.0, open_high=True)
        validate.real("noise", self.noise, 0.0)
        validate.integer("onset", self.onset, 0)
        validate.real("distance", self.distance, 0.0, open_low=True)


@compiled
def _sent(fault: int, t: int, noise: float) -> float:
    if fault == 1:
        return 0.6 + 0.3 * noise
    if fault == 2:
        return FAMILY_TARGET + 0.002 * t
    return 0.95


@compiled
def _judge(
    i: int,
    fault: bool,
    calm: bool,
    ring: IntArray,
    place: IntArray,
    calm_run: IntArray,
    isolated: npt.NDArray[np.bool_],
    limits: IntArray,
    returns: bool,
) -> None:
    if isolated[i]:
        calm_run[i] = calm_run[i] + 1 if calm else 0
        if returns and calm_run[i] >= limits[1]:
            isolated[i] = False
            calm_run[i] = 0
            ring[i] = 0
            place[i] = 0
    elif remember(ring[i], place[i], fault) >= limits[0]:
        isolated[i] = True


@compiled
def _spread_out(
    start: IntArray,
    neighbour: IntArray,
    step: float,
    fault: int,
    isolation: int,
    faulty: npt.NDArray[np.bool_],
    onset: int,
    c: FloatArray,
    limits: IntArray,
    noise: FloatArray,
    psi: FloatArray,
    isolated: npt.NDArray[np.bool_],
) -> None:
    steps, n = noise.shape
    persistence, deviation, distance, critical, recovery = c[0], c[1], c[2], c[3], c[4]
    x = np.full(n, FAMILY_TARGET)
    ring = np.zeros((n, limits[2]), np.int64)
    place = np.zeros((n, 2), np.int64)
    calm_run = np.zeros(n, np.int64)
    out = np.zeros(n, np.bool_)
    for t in range(steps):
        for i in range(n):
            if faulty[i] and t >= onset:
                x[i] = _sent(fault, t - onset, noise[t, i])
            else:
                x[i] = FAMILY_TARGET + persistence * (x[i] - FAMILY_TARGET)
                x[i] += deviation * noise[t, i]
        middle = np.median(x[~out]) if isolation == 3 else 0.0
        suspect = np.zeros(n, np.bool_)
        for i in range(n):
            if isolation == 3:
                suspect[i] = x[i] > critical or abs(x[i] - middle) > distance
                calm = x[i] < recovery and abs(x[i] - middle) <= distance
                _judge(i, suspect[i], calm, ring, place, calm_run, out, limits, True)
            elif isolation > 0:
                # The monitor sees what the node says of itself, and a liar says it is well.
                told = FAMILY_TARGET if faulty[i] and fault == 3 else x[i]
                _judge(
                    i,
                    told > critical,
                    told < recovery,
                    ring,
                    place,
                    calm_run,
                    out,
                    limits,
                    isolation == 2,
                )
        before = x.copy()
        for i in range(n):
            if (faulty[i] and t >= onset) or (isolation >= 2 and out[i]):
                continue
            for e in range(start[i], start[i + 1]):
                j = neighbour[e]
                if (isolation >= 2 and out[j]) or suspect[j] or suspect[i]:
                    continue
                x[i] += step * (before[j] - before[i])
        psi[t] = x
        isolated[t] = out


def contagion(
    topology: Topology,
    n_faulty: int = 1,
    outbreak: Outbreak | None = None,
    *,
    steps: int = 400,
    kappa: float | None = None,
    replicates: int = 20,
    seed: int = 0,
) -> xr.Dataset:
    """Runs in which some nodes go wrong, with or without isolation.

    Parameters
    ----------
    topology : Topology
        Who exchanges with whom; at most 2000 nodes.
    n_faulty : int
        Faulty nodes, drawn anew for each run; fewer than all.
    outbreak : Outbreak, optional
        Dynamics, faults and limits.
    steps : int
        Steps of a run, beyond the onset.
    kappa : float, optional
        Step of the exchange; the fastest admissible one by default.
    replicates : int
        Runs, seeded by (seed, run); the same noise and faulty nodes whatever the isolation.
    seed : int
        Seed of :func:`numpy.random.default_rng`.

    Returns
    -------
    xarray.Dataset
        Over ``replicate``: `protection` (share of healthy nodes that never cross Ψ_critical
        after the onset), `time_to_isolate` (steps from onset until every faulty node is
        isolated for the first time, NaN where one never is), `false_isolations` (healthy nodes
        newly isolated) and `healthy_steps` (healthy node-steps they happened in). Of the first
        run also `psi` and `isolated` over ``time, node``, and `faulty` over ``node``.

    Raises
    ------
    ParameterError
        If a count is out of range or no step lies beyond the onset.

    Examples
    --------
    >>> ring = Topology.ring(12)
    >>> off = contagion(ring, 2, Outbreak(isolation="none"), replicates=3)
    >>> on = contagion(ring, 2, Outbreak(isolation="sound"), replicates=3)
    >>> bool(on.protection.mean() > off.protection.mean()), float(on.protection.min())
    (True, 1.0)
    """
    o = Outbreak() if outbreak is None else outbreak
    n = validate.integer("n_nodes", topology.n_nodes, 2, 2000)
    k = validate.integer("n_faulty", n_faulty, 0, n - 1)
    steps = validate.integer("steps", steps, 1)
    runs = validate.integer("replicates", replicates, 1)
    if steps <= o.onset:
        raise ParameterError("steps", steps, f"more than the onset at {o.onset}")
    epsilon = admissible_step(topology, kappa)
    links = Topology.of(topology.edges.tolist(), n) if topology.is_complete else topology
    c = np.array([o.persistence, o.noise, o.distance, o.rule.psi_critical, o.rule.recovery])
    limits = np.array([o.rule.min_faults, o.rule.calm, o.rule.window])
    numbers = {name: np.zeros(runs) for name in ("protection", "time_to_isolate")}
    counts = {name: np.zeros(runs, np.int64) for name in ("false_isolations", "healthy_steps")}
    first: tuple[FloatArray, npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None = None
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        faulty = np.zeros(n, np.bool_)
        faulty[rng.choice(n, k, replace=False)] = True
        noise = rng.standard_normal((steps, n))
        psi, isolated = np.empty((steps, n)), np.empty((steps, n), np.bool_)
        _spread_out(
            links.start, links.neighbour, epsilon, FAULTS.index(o.fault),
            ISOLATIONS.index(o.isolation), faulty, o.onset, c, limits, noise, psi, isolated,
        )  # fmt: skip
        if first is None:
            first = psi, isolated, faulty
        healthy = ~faulty
        crossed = (psi[o.onset :][:, healthy] > o.rule.psi_critical).any(axis=0)
        numbers["protection"][run] = 1.0 - crossed.mean()
        numbers["time_to_isolate"][run] = _until_isolated(isolated[o.onset :, faulty])
        newly = np.diff(isolated[:, healthy].astype(np.int8), axis=0, prepend=0) == 1
        counts["false_isolations"][run] = newly.sum()
        counts["healthy_steps"][run] = healthy.sum() * steps
    assert first is not None
    return dataset(
        {
            "protection": ("replicate", numbers["protection"], "1", "healthy nodes protected"),
            "time_to_isolate": (
                "replicate", numbers["time_to_isolate"], "steps", "onset to isolation of all",
            ),
            "false_isolations": (
                "replicate", counts["false_isolations"], "1", "isolations of healthy nodes",
            ),
            "healthy_steps": ("replicate", counts["healthy_steps"], "1", "healthy node-steps"),
            "psi": (("time", "node"), first[0], "psi", "state after the exchange, first run"),
            "isolated": (("time", "node"), first[1], "1", "isolated nodes, first run"),
            "faulty": ("node", first[2], "1", "faulty nodes, first run"),
        },
        coords={
            "replicate": (np.arange(runs), "1"),
            "time": (np.arange(steps), "steps"),
            "node": (np.arange(n), "1"),
        },
        parameters=parameters_of(
            o, n_nodes=n, n_faulty=k, graph=topology.name, step=epsilon, seed=seed
        ),
        title="Contagion and isolation",
        source="seeds 001 and 002; dynamics and faults are ours",
    )  # fmt: skip


def _until_isolated(isolated: npt.NDArray[np.bool_]) -> float:
    """First step by which every faulty node has been isolated once, counted from 1."""
    if isolated.shape[1] == 0 or not isolated.any(axis=0).all():
        return float("nan")
    return float(isolated.argmax(axis=0).max()) + 1.0
