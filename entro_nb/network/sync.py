"""Ψ-Sync: nodes share their entropy state and level it (seeds 001 and 002)."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, EntroWarning, ParameterError
from entro_nb.graphs import GraphLike
from entro_nb.network import exchange
from entro_nb.network.exchange import Gains, Moments
from entro_nb.network.isolation import FaultIsolation, IsolationWarning
from entro_nb.results import compiled, reordered
from entro_nb.validate import Count, FloatArray, Positive

#: Ends of the published aggression α.
LOWEST, HIGHEST = 0.5, 5.0


class DisconnectedWarning(EntroWarning):
    """The graph falls into components, each of which keeps an average of its own."""


class Tuning(NamedTuple):
    """State of the published adaptation of α; as published before the first broadcast."""

    aggression: float  #: α
    velocity: float = 0.0  #: momentum of α
    variance: float = 1.0  #: variance seen one broadcast ago


@reordered
def _total_distance(psi: FloatArray, target: float) -> float:
    total = 0.0
    for i in range(psi.size):
        total += abs(psi[i] - target)
    return total


def deviations(psi: FloatArray, target: float) -> tuple[float, float]:
    """Largest and mean distance from the target, max|Ψ − Ψ*| and mean|Ψ − Ψ*|."""
    # NumPy finds the extremes side by side, which the compiler does not.
    largest = max(float(psi.max()) - target, target - float(psi.min()))
    return largest, _total_distance(psi, target) / psi.size


@compiled
def tune(state: Tuning, variance: float, largest: float, mean: float) -> Tuning:
    """One step of the published adaptation of α.

    stress = Var + 0.3·max|Ψ − Ψ*| + 0.2·mean|Ψ − Ψ*|, gain = (Var_prev − Var)/Var_prev,
    target = clip(1 + 3·stress + adj, 0.5, 5) with adj = −0.5·gain if gain > 0 else 0.2·gain;
    v ← 0.9·v + 0.05·(target − α), α ← clip(α + v, 0.5, 5).

    Spread raises α, and α times κN beyond 2 raises the spread: the loop feeds itself.

    Examples
    --------
    >>> round(tune(Tuning(1.0), 0.0, 0.0, 0.0).aggression, 3)
    0.975
    """
    stress = variance + 0.3 * largest + 0.2 * mean
    gain = (state.variance - variance) / state.variance if state.variance > 0.0 else 0.0
    adjustment = -0.5 * gain if gain > 0.0 else 0.2 * gain
    target = min(HIGHEST, max(LOWEST, 1.0 + 3.0 * stress + adjustment))
    velocity = 0.9 * state.velocity + 0.05 * (target - state.aggression)
    return Tuning(min(HIGHEST, max(LOWEST, state.aggression + velocity)), velocity, variance)


def node_weights(weights: npt.ArrayLike | None, n_nodes: int) -> FloatArray:
    """Relative importance λ_i of the nodes, 1/N unless given (seed 002).

    Raises
    ------
    ParameterError
        If there are not N weights, one is negative, or they do not sum to 1.

    Examples
    --------
    >>> node_weights(None, 4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    if weights is None:
        return np.full(n_nodes, 1.0 / n_nodes)
    return validate.probabilities("weights", weights, shape=(n_nodes,))


def collective_state(
    psi: npt.ArrayLike, coupling: float, weights: npt.ArrayLike | None = None
) -> float:
    """Collective state Ψ_total = Σ_i λ_i·Ψ_i + C_sync (seed 002).

    The published class multiplies C_sync by α; `PsiSync.published` does so, this does not.

    Examples
    --------
    >>> collective_state([0.2, 0.4], coupling=0.5)
    0.8
    """
    states = validate.finite_array("psi", psi, ndim=1)
    share = node_weights(weights, states.size)
    return float(share @ states) + validate.real("coupling", coupling)


class PsiSync:
    """Ψ-Sync protocol on any undirected graph, in the sound form by default.

    Sound form: Ψ_i ← Ψ_i + ε·Σ_j (Ψ_j − Ψ_i) over the neighbours j (the exchange law of seed
    001, and of seed 002 without its cubic term). It keeps the mean and shrinks every
    disagreement by at least ρ = max|1 − ελ| < 1 when 0 < ε < 2/λ_max (the theorem of seed 004).
    With ``cubic=True`` the term α²·(Ψ_j − Ψ_i)³ of seed 002 is added, and the whole exchange
    scaled down where d_max·(ακ + α²D²) > 1, D = max Ψ − min Ψ: below that bound no node
    overshoots its neighbours. `PsiSync.published` is the protocol as its package has it.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    kappa : float, optional
        Synchronisation constant κ > 0 (0.1 to 2 in the seeds). None chooses the step that
        converges fastest; choose one by hand to leave the nodes something of their own.
    aggression : float
        α > 0, multiplies κ.
    graph : Graph, networkx.Graph, array_like or list of edges, optional
        Who exchanges with whom; complete graph by default.
    step : {"kappa", "optimal", "degree"}, optional
        See :func:`admissible_step`.
    cubic : bool
        Add the limited cubic term.
    weights : array_like, optional
        λ_i of Ψ_total, 1/N by default.
    isolation : FaultIsolation, optional
        What `detect_fault` decides with.

    Raises
    ------
    ParameterError
        If N < 1, κ ≤ 0, α ≤ 0, or the graph or the weights have another number of nodes.

    Warns
    -----
    StabilityWarning
        If the step is not admissible.
    DisconnectedWarning
        If the graph is not connected: each component keeps an average of its own.

    Examples
    --------
    >>> sync = PsiSync(n_nodes=3, kappa=0.1)
    >>> sync.broadcast([0.2, 0.3, 0.7]).round(2)
    array([0.26, 0.33, 0.61])
    >>> PsiSync(n_nodes=3).broadcast([0.2, 0.3, 0.7])
    array([0.4, 0.4, 0.4])
    """

    @validate.checked
    def __init__(
        self,
        n_nodes: Count = 3,
        kappa: Positive | None = None,
        aggression: Positive = 1.0,
        *,
        graph: GraphLike | npt.ArrayLike | None = None,
        step: str | None = None,
        cubic: bool = False,
        weights: npt.ArrayLike | None = None,
        isolation: FaultIsolation | None = None,
    ) -> None:
        self.n_nodes = n_nodes
        self.graph = exchange.graph_for(graph, n_nodes)
        self.weights = node_weights(weights, n_nodes)
        self.isolation = FaultIsolation() if isolation is None else isolation
        self.form = "limited cubic" if cubic else "linear"
        self.coupling = 0.5
        self.step = exchange.admissible_step(self.graph, kappa, aggression, step)
        self.kappa = self.step / aggression
        self._tuning = Tuning(aggression)
        self._links = exchange.links_of(self.graph)
        self._active, self._whole = np.ones(n_nodes, np.bool_), True
        self._recompute = self.graph.is_complete and kappa is None
        self._tell_components()

    @classmethod
    @validate.checked
    def published(
        cls,
        n_nodes: Count = 3,
        kappa: Positive = 0.1,
        aggression: Positive = 1.0,
        *,
        adaptive: bool = True,
    ) -> PsiSync:
        """Ψ-Sync as the published package has it: complete graph, cubic term, clip to [0, 1].

        s_i = clip₀¹(Ψ_i + Σ_{j≠i} [ακ(Ψ_j − Ψ_i) + α²(Ψ_j − Ψ_i)³]), α adapted before each
        exchange (:func:`tune`) unless `adaptive` is False, and Ψ_total with α·C_sync. Nothing
        checks the step: with ακN > 2 the exchange amplifies and the clip alone bounds the
        result. A faulty Ψ is refused here as well, where the original turns all nodes into 1.0.

        Examples
        --------
        >>> PsiSync.published(2, kappa=1.0, adaptive=False).broadcast([0.4, 0.5]).round(3)
        array([0.501, 0.399])
        """
        new = cls(n_nodes, None, aggression)
        new.kappa, new.step = kappa, aggression * kappa
        new.form = "published adaptive" if adaptive else "published"
        new._recompute = False
        return new

    @property
    def aggression(self) -> float:
        """Present aggression α."""
        return self._tuning.aggression

    @property
    def isolated(self) -> list[int]:
        """Nodes that take no part in the exchange."""
        return [int(i) for i in np.flatnonzero(~self._active)]

    def broadcast(self, psi: npt.ArrayLike, out: FloatArray | None = None) -> FloatArray:
        """One exchange: the states after every node has heard its neighbours.

        Isolated nodes neither give nor take; their values, finite or not, pass unchanged.
        C_sync becomes clip(2·Var·√α, 0.05, 0.9), Var over the nodes that take part.

        Parameters
        ----------
        psi : array_like
            Ψ of each node, shape (N,).
        out : ndarray, optional
            Where to write the result, of floats and shape (N,); not `psi` itself.

        Returns
        -------
        ndarray
            Synchronised Ψ, shape (N,), in the unit of `psi`.

        Raises
        ------
        ParameterError
            If there are not N values.
        DataError
            If a node that takes part gives NaN or infinity, named by its index.
        """
        states = self._checked(psi)
        result = np.empty_like(states) if out is None else self._checked_out(out, states)
        own, sums = self._own(states), None
        if self.form == "published adaptive":
            sums = exchange.moments(own)
            far = deviations(own, exchange.FAMILY_TARGET)
            self._tuning = tune(self._tuning, sums.squares / own.size, *far)
        sums = self._exchange(result, states, self._gains(own), sums)
        variance = sums.squares / own.size
        self.coupling = min(0.9, max(0.05, 2.0 * variance * math.sqrt(self.aggression)))
        return result

    def _own(self, states: FloatArray) -> FloatArray:
        return states if self._whole else states[self._active]

    def _exchange(
        self, out: FloatArray, states: FloatArray, gains: Gains, sums: Moments | None = None
    ) -> Moments:
        active = exchange.EVERYBODY if self._whole else self._active
        return exchange.exchange_into(out, states, states, self._links, gains, active, sums)

    def _gains(self, own: FloatArray) -> Gains:
        alpha = self.aggression
        if self.form.startswith("published"):
            return Gains(alpha * self.kappa, alpha**2, 0.0, 1.0)
        if self.form == "linear":
            return Gains(self.step)
        reach = float(own.max() - own.min()) ** 2
        heaviest = self.graph.spectrum.largest_degree * (self.step + alpha**2 * reach)
        scale = min(1.0, 1.0 / heaviest) if heaviest > 0.0 else 1.0
        return Gains(scale * self.step, scale * alpha**2)

    def exchange(self, psi: npt.ArrayLike) -> FloatArray:
        """Exchange signal E_sync,i of each node at the present α, without applying it.

        Before any clip, and without adapting α.

        Examples
        --------
        >>> PsiSync(3, kappa=0.1).exchange([0.2, 0.3, 0.7]).round(2)
        array([ 0.06,  0.03, -0.09])
        """
        states = self._checked(psi)
        gains = self._gains(self._own(states))._replace(low=-np.inf, high=np.inf)
        result = np.empty_like(states)
        self._exchange(result, states, gains)
        return np.where(self._active, result - states, 0.0)

    def collective_state(self, psi: npt.ArrayLike) -> float:
        """Ψ_total = Σλ_iΨ_i + C_sync (seed 002); with α·C_sync in the published form."""
        states = self._checked(psi)
        factor = self._tuning.aggression if self.form.startswith("published") else 1.0
        return float(self.weights @ states) + factor * self.coupling

    def detect_fault(self, psi: npt.ArrayLike) -> list[int]:
        """Nodes found faulty by these observations, isolated ones left out; empty if none.

        Each call adds one observation per node to the window of `isolation` (3 of the last 5
        above Ψ_critical by default). It isolates nobody: that is :meth:`isolate_node`.

        Examples
        --------
        >>> sync = PsiSync(3)
        >>> [sync.detect_fault([0.3, 0.95, 0.3]) for _ in range(3)]
        [[], [], [1]]
        """
        states = self._checked(psi)
        return [
            i
            for i in range(self.n_nodes)
            if self._active[i] and self.isolation.observe(i, float(states[i]))
        ]

    def isolate_node(self, node: int) -> None:
        """Cut all edges of a node, in both directions.

        Raises
        ------
        ParameterError
            If there is no such node, or it is the last one that takes part.

        Warns
        -----
        IsolationWarning
            If it is isolated already.
        DisconnectedWarning
            If the others fall apart without it.
        """
        node = validate.integer("node", node, 0, self.n_nodes - 1)
        if not self._active[node]:
            warnings.warn(f"node {node} is isolated already", IsolationWarning, stacklevel=2)
            return
        if self._active.sum() == 1:
            raise ParameterError("node", node, "not the last node that takes part")
        self._active[node] = False
        self._adjust()

    def readmit_node(self, node: int) -> None:
        """Let an isolated node take part again, its record of faults cleared.

        Raises
        ------
        ParameterError
            If there is no such node or it is not isolated.
        """
        node = validate.integer("node", node, 0, self.n_nodes - 1)
        if self._active[node]:
            raise ParameterError("node", node, f"an isolated node, one of {self.isolated}")
        self._active[node] = True
        self.isolation.forget(node)
        self._adjust()

    def _adjust(self) -> None:
        self._whole = bool(self._active.all())
        # Taking nodes out lowers λ_max, so the step stays admissible; where it was ours to
        # choose on the complete graph, the best one follows the number of nodes.
        if self._recompute:
            self.step = 1.0 / max(1, int(self._active.sum()))
            self.kappa = self.step / self._tuning.aggression
        self._tell_components()

    def _tell_components(self) -> None:
        parts = self.graph.components(self._active)
        if len(parts) > 1:
            listed = [p.tolist() if p.size <= 8 else f"{p.size} nodes from {p[0]}" for p in parts]
            warnings.warn(
                f"the graph has {len(listed)} components, {listed}: each levels to its own "
                "average, not to a common one",
                DisconnectedWarning,
                stacklevel=4,
            )

    def _checked(self, psi: npt.ArrayLike) -> FloatArray:
        if self._whole:
            return validate.finite_array("psi", psi, shape=(self.n_nodes,))
        states = np.array(psi, dtype=np.float64)
        if states.shape != (self.n_nodes,):
            raise ParameterError(
                "psi", f"array of shape {states.shape}", f"shape {(self.n_nodes,)}"
            )
        if (bad := self._active & ~np.isfinite(states)).any():
            i = int(np.argmax(bad))
            raise DataError(f"psi[{i}]", float(states[i]), "finite numbers")
        return states

    def _checked_out(self, out: FloatArray, states: FloatArray) -> FloatArray:
        if out.dtype != np.float64 or out.shape != states.shape or np.shares_memory(out, states):
            raise ParameterError("out", out, f"another array of {self.n_nodes} floats")
        return out
