"""The three technical objectives of seed 001: a figure, an interval and a verdict for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.graphs import Graph, GraphLike
from entro_nb.network.isolation import FAULTS, Fault, Isolation, Outbreak, contagion
from entro_nb.network.learning import Policy, transfer_study
from entro_nb.network.simulation import Autoregressive, Disturbance, Node, Transmission, simulate
from entro_nb.results import Interval, reduction_interval, share_interval
from entro_nb.validate import Count, Seed


@dataclass(frozen=True)
class Objective:
    """A measured figure against its target.

    Attributes
    ----------
    name : str
        What was measured, and where.
    target : float
        What the document promises, as a share.
    measured : Interval
        What was measured, as a share, at 95 % confidence.
    """

    name: str
    target: float
    measured: Interval

    @property
    def verdict(self) -> str:
        """Whether the target is reached: holds, fails, or undecided between the two.

        A target of everything holds when nothing at all was lost; its interval says how much
        that proves.
        """
        value, low, high = self.measured
        if self.target == 1.0:
            return "holds" if value == 1.0 else "fails"
        if low > self.target:
            return "holds"
        return "fails" if high < self.target else "undecided"

    def __str__(self) -> str:
        value, low, high = (100.0 * x for x in self.measured)
        wanted = f"> {100 * self.target:g}" if self.target < 1.0 else "100"
        return f"{self.name}: {value:.1f} % [{low:.1f}, {high:.1f}], {wanted} % {self.verdict}"


def variance_removed(
    n_nodes: int,
    *,
    graph: GraphLike | npt.ArrayLike | None = None,
    kappa: float | None = None,
    node: Node | None = None,
    disturbance: Disturbance | str = "none",
    transmission: Transmission | None = None,
    steps: int = 400,
    replicates: int = 10,
    seed: int = 0,
) -> Objective:
    """Objective 1: share of the variance over nodes that the sound exchange takes away.

    The same nodes with the same noise, with and without exchange, the first half of each run
    left out; the variance is that of the synchronised states, as in the seeds.

    Examples
    --------
    >>> print(variance_removed(3, seed=1).verdict)
    holds
    """
    node = Autoregressive() if node is None else node
    settings: dict[str, Any] = {
        "graph": graph, "node": node, "disturbance": disturbance,
        "replicates": replicates, "seed": seed, "record": False,
    }  # fmt: skip
    on = simulate(n_nodes, steps, kappa=kappa, transmission=transmission, **settings)
    off = simulate(n_nodes, steps, synchronised=False, **settings)
    half = steps // 2
    measured = reduction_interval(
        on.variance[:, half:].mean("time").values, off.variance[:, half:].mean("time").values
    )
    return Objective(f"variance removed, N = {n_nodes}", 0.5, measured)


def adaptation_saved(
    regime: Literal["scraper", "llm"] = "scraper",
    policy: Policy = "collective",
    *,
    eta: float = 0.01,
    replicates: int = 40,
    seed: int = 0,
) -> Objective | None:
    """Objective 2: share of the adaptation time that transferred weights save.

    None where nodes without transfer are adapted from their first step on: nothing can be
    saved there.

    Examples
    --------
    >>> adaptation_saved("scraper", "reversed", eta=3e-4, replicates=8).verdict
    'holds'
    """
    study = transfer_study(regime, policy, eta=eta, replicates=replicates, seed=seed)
    scratch, transfer, _ = study.adaptation_time.values.astype(np.float64)
    if scratch.mean() == 0.0:
        return None
    name = f"adaptation time saved, {regime}, {policy}, η = {eta:g}"
    return Objective(name, 0.7, reduction_interval(transfer, scratch))


@validate.checked
def nodes_protected(
    graph: Graph,
    n_faulty: Iterable[int],
    isolation: Isolation = "sound",
    *,
    faults: Iterable[Fault] = FAULTS,
    replicates: Count = 20,
    seed: Seed = 0,
) -> Objective:
    """Objective 3: share of runs in which not one healthy node crosses Ψ_critical.

    Over every number of faulty nodes and kind of fault given; runs are independent, nodes of a
    run are not, so the interval counts runs.

    Examples
    --------
    >>> from entro_nb.graphs import graph
    >>> nodes_protected(graph("ring", 9), [1], faults=["stuck"], replicates=5).verdict
    'holds'
    """
    saved = total = 0
    for k in n_faulty:
        for fault in faults:
            outbreak = Outbreak(fault, isolation)
            run = contagion(graph, k, outbreak, replicates=replicates, seed=seed)
            saved += int((run.protection == 1.0).sum())
            total += replicates
    name = f"runs without a healthy node lost, {graph.name}, isolation {isolation}"
    return Objective(name, 1.0, share_interval(saved, total))
