"""Ψ-Sync: nodes share their entropy state and level it (seeds 001 and 002)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.network.aggression import FAMILY_TARGET, deviations, start, tune
from entro_nb.network.cautions import DisconnectedWarning, IsolationWarning
from entro_nb.network.isolation import FaultIsolation
from entro_nb.network.lyapunov import node_weights
from entro_nb.network.power_sums import exchange_into, moments
from entro_nb.network.step import admissible_step
from entro_nb.network.topology import Topology
from entro_nb.validate import FloatArray

__all__ = ["PsiSync"]


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
    graph : Topology, networkx.Graph, array_like or list of edges, optional
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

    def __init__(
        self,
        n_nodes: int = 3,
        kappa: float | None = None,
        aggression: float = 1.0,
        *,
        graph: Any = None,
        step: str | None = None,
        cubic: bool = False,
        weights: npt.ArrayLike | None = None,
        isolation: FaultIsolation | None = None,
    ) -> None:
        self._prepare(n_nodes, kappa, aggression, graph, weights, isolation)
        self.step = admissible_step(self.topology, kappa, aggression, step)
        self.kappa = self.step / self._tuning.aggression
        self.form = "limited cubic" if cubic else "linear"
        self._recompute = self.topology.is_complete and kappa is None
        if len(self.topology.components) > 1:
            _warn_components(self.topology.components)

    @classmethod
    def published(
        cls,
        n_nodes: int = 3,
        kappa: float = 0.1,
        aggression: float = 1.0,
        *,
        adaptive: bool = True,
    ) -> PsiSync:
        """Ψ-Sync as the published package has it: complete graph, cubic term, clip to [0, 1].

        s_i = clip₀¹(Ψ_i + Σ_{j≠i} [ακ(Ψ_j − Ψ_i) + α²(Ψ_j − Ψ_i)³]), α adapted before each
        exchange (:mod:`entro_nb.network.aggression`) unless `adaptive` is False, and Ψ_total
        with α·C_sync. Nothing checks the step: with ακN > 2 the exchange amplifies and the
        clip alone bounds the result. A faulty Ψ is refused here as well, where the original
        turns all nodes into 1.0.

        Examples
        --------
        >>> PsiSync.published(2, kappa=1.0, adaptive=False).broadcast([0.4, 0.5]).round(3)
        array([0.501, 0.399])
        """
        new = cls.__new__(cls)
        new._prepare(n_nodes, kappa, aggression, None, None, None)
        new.kappa = kappa
        new.step = aggression * kappa
        new.form = "published adaptive" if adaptive else "published"
        new._recompute = False
        return new

    def _prepare(
        self,
        n_nodes: int,
        kappa: float | None,
        aggression: float,
        graph: Any,
        weights: npt.ArrayLike | None,
        isolation: FaultIsolation | None,
    ) -> None:
        self.n_nodes = validate.integer("n_nodes", n_nodes, 1)
        if kappa is not None:
            validate.real("kappa", kappa, 0.0, open_low=True)
        alpha = validate.real("aggression", aggression, 0.0, open_low=True)
        if graph is None:
            self.topology = Topology.complete(self.n_nodes)
        else:
            listed = isinstance(graph, (list, tuple, set, frozenset))
            self.topology = Topology.of(graph, self.n_nodes if listed else None)
        if self.topology.n_nodes != self.n_nodes:
            raise ParameterError("graph", f"{self.topology.n_nodes} nodes", f"{n_nodes} nodes")
        self.weights = node_weights(weights, self.n_nodes)
        self.isolation = FaultIsolation() if isolation is None else isolation
        self.coupling = 0.5
        self._tuning = start(alpha)
        self._active = np.ones(self.n_nodes, np.bool_)
        self._largest_degree = int(self.topology.degrees.max())

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
        states, active = self._checked(psi)
        result = np.empty_like(states) if out is None else self._checked_out(out, states)
        own = states if active is None else states[active]
        sums = moments(own)
        variance = sums.squares / own.size
        if self.form == "published adaptive":
            self._tuning = tune(self._tuning, variance, *deviations(own, FAMILY_TARGET))
        alpha = self._tuning.aggression
        linear, cubic = self._gains(alpha, own)
        clip = self.form.startswith("published")
        exchange_into(
            result, states, self.topology, linear, cubic, clip=clip, active=active, sums=sums
        )
        self.coupling = min(0.9, max(0.05, 2.0 * variance * math.sqrt(alpha)))
        return result

    def _gains(self, alpha: float, own: FloatArray) -> tuple[float, float]:
        if self.form.startswith("published"):
            return alpha * self.kappa, alpha**2
        if self.form == "linear":
            return self.step, 0.0
        reach = float(own.max() - own.min()) ** 2
        heaviest = self._largest_degree * (self.step + alpha**2 * reach)
        scale = min(1.0, 1.0 / heaviest) if heaviest > 0.0 else 1.0
        return scale * self.step, scale * alpha**2

    def exchange(self, psi: npt.ArrayLike) -> FloatArray:
        """Exchange signal E_sync,i of each node at the present α, without applying it.

        Before any clip, and without adapting α.

        Examples
        --------
        >>> PsiSync(3, kappa=0.1).exchange([0.2, 0.3, 0.7]).round(2)
        array([ 0.06,  0.03, -0.09])
        """
        states, active = self._checked(psi)
        own = states if active is None else states[active]
        linear, cubic = self._gains(self._tuning.aggression, own)
        result = np.empty_like(states)
        exchange_into(result, states, self.topology, linear, cubic, active=active)
        return np.where(self._active, result - states, 0.0)

    def collective_state(self, psi: npt.ArrayLike) -> float:
        """Ψ_total = Σλ_iΨ_i + C_sync (seed 002); with α·C_sync in the published form."""
        states, _ = self._checked(psi)
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
        states, _ = self._checked(psi)
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
        # Taking nodes out lowers λ_max, so the step stays admissible; where it was ours to
        # choose on the complete graph, the best one follows the number of nodes.
        if self._recompute:
            self.step = 1.0 / max(1, int(self._active.sum()))
            self.kappa = self.step / self._tuning.aggression
        if len(parts := self.topology.components_of(self._active)) > 1:
            _warn_components(parts)

    def _checked(self, psi: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.bool_] | None]:
        if self._active.all():
            states = validate.finite_array("psi", psi, ndim=1)
            active = None
        else:
            states = np.array(psi, dtype=np.float64)
            active = self._active
        if states.shape != (self.n_nodes,):
            raise ParameterError(
                "psi", f"array of shape {states.shape}", f"{self.n_nodes} values, one a node"
            )
        if active is not None and (bad := active & ~np.isfinite(states)).any():
            i = int(np.argmax(bad))
            raise DataError(f"psi[{i}]", float(states[i]), "finite numbers")
        return states, active

    def _checked_out(self, out: FloatArray, states: FloatArray) -> FloatArray:
        if out.dtype != np.float64 or out.shape != states.shape or np.shares_memory(out, states):
            raise ParameterError("out", out, f"another array of {self.n_nodes} floats")
        return out


def _warn_components(parts: Iterable[npt.NDArray[np.int64]]) -> None:
    listed = [p.tolist() if p.size <= 8 else f"{p.size} nodes from {p[0]}" for p in parts]
    warnings.warn(
        f"the graph has {len(listed)} components, {listed}: each levels to its own average, "
        "not to a common one",
        DisconnectedWarning,
        stacklevel=3,
    )
