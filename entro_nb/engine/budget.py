"""The entropy budget and the pressure above it (seed 000, Eq. 9–11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.validate import FloatArray

__all__ = ["EntropyBudget"]


@dataclass(frozen=True)
class EntropyBudget:
    """Budget that the total entropy must respect, Ψ_total ≤ Ψ_budget (seed 000, Eq. 9).

    Parameters
    ----------
    limit : float
        Ψ_budget in nats, above 0. To choose it, decide the state that the pipeline may just
        reach: an intake of 1.2 req/s beside 8.1 waiting requests is ln(2.2 · 9.1) ≈ 3.
    clamped : bool
        True (default): the pressure is max(0, Ψ_total − Ψ_budget), as on the project page, so
        that u never pushes a pipeline that is within its budget. False: the bare difference,
        as Eq. 11 of the seed reads, which then also accelerates whatever lies below the budget.

    Examples
    --------
    >>> budget = EntropyBudget(3.0)
    >>> budget.pressure([2.5, 4.0])
    array([0., 1.])
    >>> EntropyBudget(3.0, clamped=False).pressure([2.5, 4.0])
    array([-0.5,  1. ])
    """

    limit: float
    clamped: bool = True

    def __post_init__(self) -> None:
        validate.real("limit", self.limit, 0.0, open_low=True)
        validate.flag("clamped", self.clamped)

    @classmethod
    def of_subsystems(cls, n: int, psi_critical: float = 2.0, gamma: float = 0.75) -> Self:
        """Budget of `n` subsystems, Ψ_budget = γ·N·Ψ_c (project page of seed 000, Eq. 10).

        Examples
        --------
        >>> EntropyBudget.of_subsystems(2).limit
        3.0
        """
        n = validate.integer("n", n, 1)
        psi_critical = validate.real("psi_critical", psi_critical, 0.0, open_low=True)
        gamma = validate.real("gamma", gamma, 0.0, open_low=True)
        return cls(gamma * n * psi_critical)

    def pressure(self, psi_total: npt.ArrayLike) -> FloatArray:
        """Entropy pressure Δ = Ψ_total − Ψ_budget, clamped at 0 or not (Eq. 11), in nats."""
        delta = validate.finite_array("psi_total", psi_total, low=0.0) - self.limit
        if self.clamped:
            delta = np.maximum(delta, 0.0)
        return np.asarray(delta)

    def violated(self, psi_total: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Where Eq. 9 does not hold.

        Examples
        --------
        >>> EntropyBudget(3.0).violated([2.9, 3.0, 3.1])
        array([False, False,  True])
        """
        return np.asarray(validate.finite_array("psi_total", psi_total, low=0.0) > self.limit)
