"""Faults and what is done about them: the networked threshold, isolation, contagion.

θ_net follows the spread of the network (seeds 001, 002). The rule of isolation says when a node
counts as faulty, when it is isolated and when it may come back. Contagion is what both are for
(objective 3 of seed 001): healthy nodes forget slowly, Ψ ← Ψ* + a·(Ψ − Ψ*) + σ·ξ, and exchange
with their neighbours; a faulty node sends what it likes and takes in nothing. What it sends drags
its neighbours, and they theirs. A healthy node is protected when it never crosses Ψ_critical.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import EntroWarning, ParameterError
from entro_nb.graphs import Graph
from entro_nb.network import exchange
from entro_nb.results import Objective, compiled, dataset, parameters_of, share_interval
from entro_nb.validate import Count, FloatArray, IntArray, NonNegative, Parameters, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr


class IsolationWarning(EntroWarning):
    """An isolation that changes nothing, such as that of a node already isolated."""


@dataclass(frozen=True)
class ThresholdParameters(Parameters):
    """Coefficients of θ_net.

    Attributes
    ----------
    theta_base : float
        θ_base: 1.2 in seed 001's quick start, 1.4 in seed 002.
    gamma : float
        γ ≥ 0, sensitivity to variance: 2.5 to 20 in seed 002.
    window : int
        Broadcasts over which the variance is averaged.
    low, high : float
        Clip of θ_net.
    """

    theta_base: float = 1.4
    gamma: NonNegative = 2.5
    window: Count = 20
    low: float = 1.0
    high: float = 2.5

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("high", self.high, low=self.low)


_GATE = validate.slots(ThresholdParameters)

#: Where the window stands among the coefficients of θ_net.
WINDOW = _GATE.window


@compiled
def theta_net(variances: FloatArray, count: int, c: FloatArray) -> float:
    """θ_net = clip(θ_base + γ·mean of the last variances, low, high), after `count` broadcasts.

    `variances` is the window: broadcast t stands at ``t % variances.size``; `c` holds the
    coefficients of :class:`ThresholdParameters`.

    Examples
    --------
    >>> theta_net(np.array([0.25, 0.0]), 2, ThresholdParameters().coefficients())
    1.7125
    """
    held = min(count, variances.size)
    mean = variances[:held].mean() if held > 0 else 0.0
    theta = c[_GATE.theta_base] + c[_GATE.gamma] * mean
    return float(min(c[_GATE.high], max(c[_GATE.low], theta)))


class NetThreshold(ThresholdParameters):
    """Networked threshold θ_net = clip(θ_base + γ·mean of the last variances, 1, 2.5).

    With ``window=1`` it is the formula of the documents, θ_net = θ_base + γ·Var[Ψ_net]; with
    the default window of 20 broadcasts, that of the published class. Since Ψ ≤ 1 after the
    published clip and θ_net ≥ 1 always, Ψ never exceeds it there; lower `low` and `theta_base`
    to put it within reach.

    Parameters
    ----------
    theta_base, gamma, window, low, high
        See :class:`ThresholdParameters`.

    Examples
    --------
    >>> NetThreshold(theta_base=1.2, gamma=10.0).update([0.3, 0.5])
    1.3
    >>> NetThreshold(theta_base=1.4).update([0.0, 1.0])
    2.025
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._variances = np.zeros(self.window)
        self._count = 0

    @property
    def value(self) -> float:
        """Present θ_net, within its clip; θ_base clipped before the first update."""
        return theta_net(self._variances, self._count, self.coefficients())

    def update(self, psi: npt.ArrayLike) -> float:
        """Take in the states of one broadcast and return θ_net.

        Parameters
        ----------
        psi : array_like
            Ψ of each node, shape (N,).

        Returns
        -------
        float
            θ_net, in the unit of Ψ.

        Raises
        ------
        DataError
            If a state is NaN or infinite, named by its index.
        """
        states = validate.finite_array("psi", psi, ndim=1)
        self._variances[self._count % self.window] = states.var()
        self._count += 1
        return self.value


@dataclass(frozen=True)
class IsolationRule(Parameters):
    """Limits of the isolation; the first four as published.

    Attributes
    ----------
    psi_critical : float
        Ψ above which an observation counts as a fault.
    recovery : float
        Ψ below which an isolated node counts as calm; below `psi_critical`.
    window, min_faults : int
        Isolate at `min_faults` faults among the last `window` observations.
    calm : int
        Calm observations in a row before re-admission (ours: one is enough as published, and
        a noisy node then walks in and out).
    """

    psi_critical: float = 0.8
    recovery: float = 0.4
    window: Count = 5
    min_faults: int = 3
    calm: Count = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("recovery", self.recovery, high=self.psi_critical, open_high=True)
        validate.integer("min_faults", self.min_faults, 1, self.window)


@compiled
def remember(ring: IntArray, place: IntArray, fault: bool) -> int:
    """Enter one observation into a window and return how many faults it holds.

    `ring` holds 0 or 1 for each observation, `place` the next slot, the number of faults, and
    what :func:`calm_enough` counts.
    """
    place[1] += (1 if fault else 0) - ring[place[0]]
    ring[place[0]] = 1 if fault else 0
    place[0] = (place[0] + 1) % ring.size
    return int(place[1])


@compiled
def calm_enough(place: IntArray, calm: bool, needed: float) -> bool:
    """Enter one observation of an isolated node, and whether it has been calm long enough.

    `place[2]` counts its calm observations in a row.
    """
    place[2] = place[2] + 1 if calm else 0
    return bool(place[2] >= needed)


class FaultIsolation:
    """Isolates a node at 3 of its last 5 observations above Ψ_critical, and re-admits it.

    Sound form (default): an isolated node returns after `calm` observations in a row below
    `recovery`, its record cleared. `FaultIsolation.published` returns it at the first such
    observation (when `recover` is called) with its old faults still on record, so that one
    more fault isolates it again. Neither form cuts an edge by itself: hand the decision to
    :meth:`PsiSync.isolate_node`; the published classes never did.

    Parameters
    ----------
    psi_critical, recovery, window, min_faults, calm
        See :class:`IsolationRule`.
    n_nodes : int, optional
        Number of nodes; with it an unknown node is refused, and so is isolating the last
        healthy one.

    Raises
    ------
    ParameterError
        If window < min_faults, or recovery is not below psi_critical.

    Examples
    --------
    >>> iso = FaultIsolation(psi_critical=0.8)
    >>> [iso.check_node(2, psi) for psi in (0.9, 0.3, 0.9, 0.9)]
    [False, False, False, True]
    """

    @validate.checked
    def __init__(
        self,
        psi_critical: float = 0.8,
        recovery: float = 0.4,
        window: int = 5,
        min_faults: int = 3,
        calm: int = 5,
        n_nodes: Count | None = None,
    ) -> None:
        self.rule = IsolationRule(psi_critical, recovery, window, min_faults, calm)
        self.n_nodes = n_nodes
        self.form = "sound"
        self._isolated: set[int] = set()
        self._records: dict[int, tuple[IntArray, IntArray]] = {}

    @classmethod
    def published(
        cls, psi_critical: float = 0.8, recovery: float = 0.4, window: int = 5, min_faults: int = 3
    ) -> FaultIsolation:
        """Isolation as its package has it: no hysteresis, and a record that is never cleared.

        Examples
        --------
        >>> iso = FaultIsolation.published()
        >>> _ = [iso.check_node(0, 0.9) for _ in range(3)]
        >>> iso.recover(0, 0.3)
        >>> iso.is_isolated(0), iso.check_node(0, 0.9)
        (False, True)
        """
        new = cls(psi_critical, recovery, window, min_faults, calm=1)
        new.form = "published"
        return new

    @property
    def isolated(self) -> list[int]:
        """Isolated nodes, in order of their numbers."""
        return sorted(self._isolated)

    def is_isolated(self, node: int) -> bool:
        """Whether a node is isolated now."""
        return self._node(node) in self._isolated

    def observe(self, node: int, psi: float) -> bool:
        """Enter one observation and say whether the node's window now calls it faulty."""
        node = self._node(node)
        psi = validate.real(f"psi of node {node}", psi)
        return remember(*self._record(node), psi > self.rule.psi_critical) >= self.rule.min_faults

    def check_node(self, node: int, psi: float) -> bool:
        """Enter one observation, isolate or (sound form) re-admit, and say what came of it.

        Parameters
        ----------
        node : int
            Number of the node.
        psi : float
            Its observed Ψ.

        Returns
        -------
        bool
            Sound form: whether the node is isolated now. Published form: whether this window
            calls it faulty.

        Raises
        ------
        ParameterError
            If the node is unknown, Ψ is not finite, or it would be the last healthy node.
        """
        node = self._node(node)
        if self.form == "sound" and node in self._isolated:
            self.recover(node, psi)
            return node in self._isolated
        faulty = self.observe(node, psi)
        if faulty and node not in self._isolated:
            self._isolate(node)
        return faulty

    def recover(self, node: int, psi: float) -> None:
        """Enter one observation of an isolated node and re-admit it if it is calm long enough."""
        node = self._node(node)
        psi = validate.real(f"psi of node {node}", psi)
        if node not in self._isolated:
            return
        _, place = self._record(node)
        if calm_enough(place, psi < self.rule.recovery, self.rule.calm):
            self._isolated.remove(node)
            place[2] = 0
            if self.form == "sound":
                self.forget(node)

    def isolate(self, node: int) -> None:
        """Isolate a node by hand.

        Warns
        -----
        IsolationWarning
            If it is isolated already.
        """
        node = self._node(node)
        if node in self._isolated:
            warnings.warn(f"node {node} is isolated already", IsolationWarning, stacklevel=2)
        else:
            self._isolate(node)

    def forget(self, node: int) -> None:
        """Clear a node's record of faults and its isolation."""
        node = self._node(node)
        self._records.pop(node, None)
        self._isolated.discard(node)

    def _record(self, node: int) -> tuple[IntArray, IntArray]:
        empty = np.zeros(self.rule.window, np.int64), np.zeros(3, np.int64)
        return self._records.setdefault(node, empty)

    def _node(self, node: int) -> int:
        return validate.integer("node", node, 0, None if self.n_nodes is None else self.n_nodes - 1)

    def _isolate(self, node: int) -> None:
        if self.n_nodes is not None and len(self._isolated) == self.n_nodes - 1:
            raise ParameterError("node", node, "not the last healthy node")
        self._isolated.add(node)


Fault = Literal["stuck", "noisy", "slow-drift", "lying"]
Isolation = Literal["none", "published", "level", "sound"]

#: What a faulty node does.
FAULTS: tuple[Fault, ...] = get_args(Fault)

#: What is done about it.
ISOLATIONS: tuple[Isolation, ...] = get_args(Isolation)


@dataclass(frozen=True)
class Outbreak(Parameters):
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
        isolated is not used, and counts as a fault, as does one above Ψ_critical. That median
        is of the whole network, on a ring too; `network.liars` has the rule with a local one.
    persistence, noise : float
        a and σ of the healthy nodes.
    onset : int
        Step at which the faults begin.
    distance : float
        Distance from the median that "sound" calls suspect.
    """

    fault: Fault = "stuck"
    isolation: Isolation = "sound"
    persistence: validate.PartOfOne = 0.98
    noise: NonNegative = 0.01
    onset: validate.Natural = 50
    distance: Positive = 0.25
    rule: IsolationRule = field(default_factory=IsolationRule)


_OUTBREAK, _RULE = validate.slots(Outbreak), validate.slots(IsolationRule)
_STUCK, _NOISY, _DRIFT, _LYING = range(len(FAULTS))
_NONE, _PUBLISHED, _LEVEL, _SOUND = range(len(ISOLATIONS))


@compiled
def _sent(fault: float, t: float, noise: float) -> float:
    if fault == _NOISY:
        return 0.6 + 0.3 * noise
    if fault == _DRIFT:
        return exchange.FAMILY_TARGET + 0.002 * t
    return 0.95


@compiled
def _judged(
    isolated: bool, ring: IntArray, place: IntArray, fault: bool, calm: bool, rule: FloatArray
) -> bool:
    """Whether a node is isolated after one more observation of it."""
    if not isolated:
        return bool(remember(ring, place, fault) >= rule[_RULE.min_faults])
    if calm_enough(place, calm, rule[_RULE.calm]):
        ring[:] = 0
        place[:] = 0
        return False
    return True


@compiled
def _outbreak(
    links: exchange.Links, strength: exchange.Gains, c: FloatArray, rule: FloatArray,
    faulty: exchange.BoolArray, noise: FloatArray,
) -> tuple[FloatArray, exchange.BoolArray]:  # fmt: skip
    """States and isolated nodes at each step; `c` and `rule` are those of an outbreak."""
    steps, n = noise.shape
    fault, isolation, onset = c[_OUTBREAK.fault], c[_OUTBREAK.isolation], c[_OUTBREAK.onset]
    critical, recovery = rule[_RULE.psi_critical], rule[_RULE.recovery]
    psi, isolated = np.empty((steps, n)), np.empty((steps, n), np.bool_)
    x = np.full(n, exchange.FAMILY_TARGET)
    ring, place = np.zeros((n, int(rule[_RULE.window])), np.int64), np.zeros((n, 3), np.int64)
    out = np.zeros(n, np.bool_)
    for t in range(steps):
        sick = faulty & (t >= onset)
        for i in range(n):
            if sick[i]:
                x[i] = _sent(fault, t - onset, noise[t, i])
            else:
                x[i] = exchange.FAMILY_TARGET + c[_OUTBREAK.persistence] * (
                    x[i] - exchange.FAMILY_TARGET
                )
                x[i] += c[_OUTBREAK.noise] * noise[t, i]
        middle = np.median(x[~out]) if isolation == _SOUND else 0.0
        heard = np.ones(n, np.bool_)
        for i in range(n):
            if isolation == _SOUND:
                far = abs(x[i] - middle) > c[_OUTBREAK.distance]
                suspect, calm = x[i] > critical or far, x[i] < recovery and not far
                out[i] = _judged(out[i], ring[i], place[i], suspect, calm, rule)
                heard[i] = not suspect
            elif isolation != _NONE:
                # The monitor sees what the node says of itself, and a liar says it is well.
                told = exchange.FAMILY_TARGET if faulty[i] and fault == _LYING else x[i]
                calm = told < recovery and isolation == _LEVEL
                out[i] = _judged(out[i], ring[i], place[i], told > critical, calm, rule)
        if isolation != _NONE and isolation != _PUBLISHED:
            heard &= ~out
        exchange.exchange_into(psi[t], x, x, links, strength, heard)
        for i in range(n):
            # A faulty node gives what it sends, and takes in nothing.
            x[i] = psi[t, i] = x[i] if sick[i] else psi[t, i]
        isolated[t] = out
    return psi, isolated


@validate.checked
def contagion(
    graph: Graph,
    n_faulty: int = 1,
    outbreak: Outbreak | None = None,
    *,
    steps: Count = 400,
    kappa: Positive | None = None,
    replicates: Count = 20,
    seed: Seed = 0,
) -> xr.Dataset:
    """Runs in which some nodes go wrong, with or without isolation.

    Parameters
    ----------
    graph : Graph
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
    >>> from entro_nb.graphs import graph
    >>> ring = graph("ring", 12)
    >>> off = contagion(ring, 2, Outbreak(isolation="none"), replicates=3)
    >>> on = contagion(ring, 2, Outbreak(isolation="sound"), replicates=3)
    >>> bool(on.protection.mean() > off.protection.mean()), float(on.protection.min())
    (True, 1.0)
    """
    o = Outbreak() if outbreak is None else outbreak
    n = validate.integer("n_nodes", graph.n_nodes, 2, 2000)
    k = validate.integer("n_faulty", n_faulty, 0, n - 1)
    if steps <= o.onset:
        raise ParameterError("steps", steps, f"more than the onset at {o.onset}")
    epsilon = exchange.admissible_step(graph, kappa)
    c, rule = o.coefficients(), o.rule.coefficients()
    protection, until_isolated = np.zeros(replicates), np.full(replicates, np.nan)
    false_isolations = np.zeros(replicates, np.int64)
    first: tuple[FloatArray, exchange.BoolArray, exchange.BoolArray] | None = None
    for run in range(replicates):
        rng = np.random.default_rng([seed, run])
        faulty = np.zeros(n, np.bool_)
        faulty[rng.choice(n, k, replace=False)] = True
        noise = rng.standard_normal((steps, n))
        psi, isolated = _outbreak(
            exchange.links_of(graph), exchange.Gains(epsilon), c, rule, faulty, noise
        )
        first = first or (psi, isolated, faulty)
        crossed = (psi[o.onset :][:, ~faulty] > o.rule.psi_critical).any(axis=0)
        protection[run] = 1.0 - crossed.mean()
        caught = isolated[o.onset :, faulty]
        if k and caught.any(axis=0).all():
            until_isolated[run] = caught.argmax(axis=0).max() + 1.0
        newly = np.diff(isolated[:, ~faulty].astype(np.int8), axis=0, prepend=0) == 1
        false_isolations[run] = newly.sum()
    assert first is not None
    dim = "replicate"
    return dataset(
        {
            "protection": (dim, protection, "1", "healthy nodes protected"),
            "time_to_isolate": (dim, until_isolated, "steps", "onset to isolation of all"),
            "false_isolations": (dim, false_isolations, "1", "isolations of healthy nodes"),
            "healthy_steps": (dim, np.full(replicates, (n - k) * steps), "1", "healthy node-steps"),
            "psi": (("time", "node"), first[0], "psi", "state after the exchange, first run"),
            "isolated": (("time", "node"), first[1], "1", "isolated nodes, first run"),
            "faulty": ("node", first[2], "1", "faulty nodes, first run"),
        },
        coords={"replicate": "1", "time": "steps", "node": "1"},
        parameters=parameters_of(
            o, n_nodes=n, n_faulty=k, graph=graph.name, step=epsilon, seed=seed
        ),
        title="Contagion and isolation",
        source="seeds 001 and 002; dynamics and faults are ours",
    )  # fmt: skip


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


@validate.checked
def spared_by_overload(
    graph: Graph,
    n_shocked: Count = 1,
    passed_on: NonNegative = 0.2,
    *,
    exchanging: bool = True,
    steps: Count = 300,
    replicates: Count = 20,
    seed: Seed = 0,
) -> FloatArray:
    """Share of the other nodes that a cascade never reaches, nodes being coupled by their load.

    Contagion as above travels by the exchange alone. Here (ours) it travels without: a node
    above Ψ_critical passes its load on, Ψ_i ← Ψ* + a·(Ψ_i − Ψ*) + c·m_i + σ·ξ, m_i the share of
    its neighbours that are above, Ψ ≤ 1. Shocked nodes start at 0.95 and are free to recover.

    Parameters
    ----------
    graph : Graph
        Along whose links load is passed on, and states are exchanged; no node without links.
    n_shocked : int
        Nodes shocked, drawn anew for each run; fewer than all.
    passed_on : float
        c, in Ψ a step.
    exchanging : bool
        Whether the nodes exchange as well, with the fastest admissible step.
    steps, replicates, seed : int
        Length and number of runs; the same draws with and without exchange.

    Returns
    -------
    ndarray, shape (replicates,)
        Share of the nodes not shocked that never cross Ψ_critical.

    Examples
    --------
    >>> from entro_nb.graphs import graph
    >>> ring = graph("ring", 12)
    >>> for exchanging in (False, True):
    ...     print(spared_by_overload(ring, exchanging=exchanging).mean())
    0.0
    1.0
    """
    o, n = Outbreak(), graph.n_nodes
    validate.integer("n_shocked", n_shocked, 1, n - 1)
    laplacian = graph.laplacian()
    shares = np.eye(n) - laplacian / laplacian.diagonal()[:, np.newaxis]
    epsilon = exchange.admissible_step(graph, None) if exchanging else 0.0
    links, strength = exchange.links_of(graph), exchange.Gains(epsilon)
    spared, after = np.empty(replicates), np.empty(n)
    for run in range(replicates):
        rng = np.random.default_rng([seed, run])
        shocked = np.zeros(n, np.bool_)
        shocked[rng.choice(n, n_shocked, replace=False)] = True
        x = np.where(shocked, 0.95, exchange.FAMILY_TARGET)
        lost = np.zeros(n, np.bool_)
        for xi in rng.standard_normal((steps, n)):
            load = passed_on * (shares @ (x > o.rule.psi_critical))
            x = exchange.FAMILY_TARGET + o.persistence * (x - exchange.FAMILY_TARGET)
            x = np.minimum(1.0, x + load + o.noise * xi)
            exchange.exchange_into(after, x, x, links, strength, exchange.EVERYBODY)
            x = after.copy()
            lost |= x > o.rule.psi_critical
        spared[run] = 1.0 - lost[~shocked].mean()
    return spared
