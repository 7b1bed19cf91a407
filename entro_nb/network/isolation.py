"""When a node counts as faulty, when it is isolated and when it may come back (seeds 001, 002)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.cautions import IsolationWarning
from entro_nb.network.topology import IntArray
from entro_nb.results import compiled

__all__ = ["FaultIsolation", "IsolationRule", "remember"]


@dataclass(frozen=True)
class IsolationRule:
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
    window: int = 5
    min_faults: int = 3
    calm: int = 5

    def __post_init__(self) -> None:
        validate.real("psi_critical", self.psi_critical)
        validate.real("recovery", self.recovery, high=self.psi_critical, open_high=True)
        validate.integer("window", self.window, 1)
        validate.integer("min_faults", self.min_faults, 1, self.window)
        validate.integer("calm", self.calm, 1)


@compiled
def remember(ring: IntArray, place: IntArray, fault: bool) -> int:
    """Enter one observation into a window and return how many faults it holds.

    `ring` holds 0 or 1 for each observation, `place` the next slot and the number of faults.
    """
    place[1] += (1 if fault else 0) - ring[place[0]]
    ring[place[0]] = 1 if fault else 0
    place[0] = (place[0] + 1) % ring.size
    return int(place[1])


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

    def __init__(
        self,
        psi_critical: float = 0.8,
        recovery: float = 0.4,
        window: int = 5,
        min_faults: int = 3,
        calm: int = 5,
        n_nodes: int | None = None,
    ) -> None:
        self.rule = IsolationRule(psi_critical, recovery, window, min_faults, calm)
        self.n_nodes = None if n_nodes is None else validate.integer("n_nodes", n_nodes, 1)
        self.form = "sound"
        self._isolated: set[int] = set()
        self._records: dict[int, tuple[IntArray, IntArray]] = {}
        self._calm: dict[int, int] = {}

    @classmethod
    def published(
        cls,
        psi_critical: float = 0.8,
        recovery: float = 0.4,
        window: int = 5,
        min_faults: int = 3,
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
        ring, place = self._records.setdefault(
            node, (np.zeros(self.rule.window, np.int64), np.zeros(2, np.int64))
        )
        return remember(ring, place, psi > self.rule.psi_critical) >= self.rule.min_faults

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
            self._keep_one(node)
            self._isolated.add(node)
        return faulty

    def recover(self, node: int, psi: float) -> None:
        """Enter one observation of an isolated node and re-admit it if it is calm long enough."""
        node = self._node(node)
        psi = validate.real(f"psi of node {node}", psi)
        if node not in self._isolated:
            return
        self._calm[node] = self._calm.get(node, 0) + 1 if psi < self.rule.recovery else 0
        if self._calm[node] >= self.rule.calm:
            self._isolated.remove(node)
            self._calm[node] = 0
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
            return
        self._keep_one(node)
        self._isolated.add(node)

    def forget(self, node: int) -> None:
        """Clear a node's record of faults and its isolation."""
        node = self._node(node)
        self._records.pop(node, None)
        self._isolated.discard(node)

    def _node(self, node: int) -> int:
        return validate.integer("node", node, 0, None if self.n_nodes is None else self.n_nodes - 1)

    def _keep_one(self, node: int) -> None:
        if self.n_nodes is not None and len(self._isolated) == self.n_nodes - 1:
            raise ParameterError("node", node, "not the last healthy node")
