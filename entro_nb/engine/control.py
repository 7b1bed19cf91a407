"""The control law of ENTRO-ENGINE (seed 000, Eq. 14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.engine.allocation import ProportionalAllocator
from entro_nb.engine.budget import EntropyBudget
from entro_nb.validate import FloatArray

__all__ = ["ControlSignal", "ENTROEngineController"]


class ControlSignal(NamedTuple):
    """What the controller says to one subsystem or to many: numbers in, numbers out."""

    u: float | FloatArray  #: control signal, in [−α, 0] while the pressure is clamped
    rho: float | FloatArray  #: share of the total entropy, in [0, 1]
    delta: float | FloatArray  #: pressure above the budget, nats


@dataclass(frozen=True)
class ENTROEngineController:
    """Proportional, saturating pressure, u_i = −α·ρ_i·tanh(β·Δ) (seed 000, Eq. 14).

    Parameters
    ----------
    alpha : float
        Largest pressure that can be given out in one step, above 0: Σ_i u_i ≥ −α.
    beta : float
        Slope of the saturation in 1/nat, above 0: the pressure reaches 76 % of α when Ψ_total
        is 1/β above the budget.
    psi_budget : float
        Ψ_budget in nats, above 0 (Eq. 9); :meth:`EntropyBudget.of_subsystems` gives Eq. 10.
    clamped : bool
        Whether Δ stops at 0, see :class:`~entro_nb.engine.EntropyBudget`.

    Examples
    --------
    The quick start of the seed:

    >>> controller = ENTROEngineController(alpha=0.5, beta=2.0, psi_budget=3.0)
    >>> signal = controller.compute_control(psi_i=1.5, psi_total=4.0)
    >>> print(f"u = {signal.u:.3f}, ρ = {signal.rho:.3f}, Δ = {signal.delta:.3f}")
    u = -0.181, ρ = 0.375, Δ = 1.000

    Many subsystems under one budget:

    >>> controller.control([1.5, 2.5]).u.round(4)
    array([-0.1808, -0.3013])
    """

    alpha: float = 0.5
    beta: float = 2.0
    psi_budget: float = 3.0
    clamped: bool = True
    allocator: ProportionalAllocator = field(default_factory=ProportionalAllocator, repr=False)

    def __post_init__(self) -> None:
        validate.real("alpha", self.alpha, 0.0, open_low=True)
        validate.real("beta", self.beta, 0.0, open_low=True)
        validate.real("psi_budget", self.psi_budget, 0.0, open_low=True)
        validate.flag("clamped", self.clamped)

    @property
    def budget(self) -> EntropyBudget:
        """The budget of Eq. 9, with its way of measuring pressure."""
        return EntropyBudget(self.psi_budget, self.clamped)

    def compute_control(self, psi_i: npt.ArrayLike, psi_total: npt.ArrayLike) -> ControlSignal:
        """Signal to subsystems of entropy `psi_i` in a system of total entropy `psi_total`.

        Parameters
        ----------
        psi_i : array_like
            Entropies in nats, none negative or above its total.
        psi_total : array_like
            Total entropies in nats; its shape must broadcast against that of `psi_i`.

        Returns
        -------
        ControlSignal
            Floats when both arguments are scalars, else arrays.

        Raises
        ------
        ParameterError, DataError
            If an entropy is negative, not finite, or larger than its total.
        """
        rho = self.allocator.share(psi_i, psi_total)
        return self._signal(rho, self.budget.pressure(psi_total))

    def control(self, psi: npt.ArrayLike, axis: int = -1) -> ControlSignal:
        """Signals to all subsystems of a system at once (Eq. 8 and 11–14 in one call).

        Parameters
        ----------
        psi : array_like
            Entropies in nats, subsystems along `axis`.
        axis : int
            Axis of the subsystems.

        Returns
        -------
        ControlSignal
            `u` and `rho` with the shape of `psi`; `delta` with `axis` kept at length 1.
        """
        values = validate.finite_array("psi", psi, low=0.0)
        if values.ndim == 0:
            values = values[np.newaxis]
        axis = validate.checked_axis(axis, values.ndim)
        delta = self.budget.pressure(values.sum(axis=axis, keepdims=True))
        return self._signal(self.allocator.ratios(values, axis), delta)

    def _signal(self, rho: FloatArray, delta: FloatArray) -> ControlSignal:
        # Adding 0 turns the −0.0 of a system within its budget into a plain 0.
        u = -self.alpha * rho * np.tanh(self.beta * delta) + 0.0
        if u.ndim == 0:
            return ControlSignal(float(u), float(rho), float(delta))
        return ControlSignal(u, rho, delta)
