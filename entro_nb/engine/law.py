"""Entropy laws on a plant: Eq. 14 with the ways in which it may act, and the law that beats it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, get_args

import numpy as np

from entro_nb import validate
from entro_nb.validate import FloatArray

__all__ = ["Actuation", "EntropyLaw", "HeadroomLaw", "Law"]

#: How a signal u acts on an intake; see :class:`EntropyLaw`.
Actuation = Literal["integral", "additive", "multiplicative"]


class Code(IntEnum):
    """Numbers by which the compiled step tells the laws apart."""

    NONE = 0
    STATIC = 1
    TOKEN_BUCKET = 2
    AIMD = 3
    PID = 4
    CODEL = 5
    DRIFT_PLUS_PENALTY = 6
    ENTROPY = 7
    HEADROOM = 8


#: Coefficients that a law may have; shorter lists are filled with zeros.
COEFFICIENTS = 8


class Law(ABC):
    """A rule that holds back work, given what it has seen of the plant.

    A law is a frozen dataclass of coefficients. What it remembers lives in the run, not in the
    law, so one law serves any number of runs.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """Name for figures and tables."""

    @property
    @abstractmethod
    def code(self) -> Code:
        """Which compiled step it is."""

    @abstractmethod
    def _coefficients(self) -> tuple[float, ...]:
        """Coefficients in the order in which the compiled step reads them."""

    def coefficients(self) -> FloatArray:
        """Coefficients as the compiled step wants them."""
        values = np.zeros(COEFFICIENTS)
        given = self._coefficients()
        values[: len(given)] = given
        return values


@dataclass(frozen=True)
class EntropyLaw(Law):
    """Eq. 14 of seed 000 on a plant, u_i = −α·ρ_i·tanh(β·Δ), and how u_i acts (ours).

    The seed does not say what u does to a rate. Three readings, with r the admitted and d the
    offered rate in req/s:

    * ``"integral"`` (default): a ← a·exp(−λ·dt) + u·dt, r = d + a. It can hold r at the
      capacity for as long as the surge lasts.
    * ``"additive"``: r = d + u, ``"multiplicative"``: r = d·(1 + u). Both are memoryless. They
      cannot hold a surge: |u_s| ≤ α·ρ_s, and ρ_s falls while the queue grows (see
      :func:`~entro_nb.engine.bounds.least_rate_memoryless`).

    Parameters
    ----------
    alpha, beta, psi_budget : float
        As in :class:`~entro_nb.engine.ENTROEngineController`.
    clamped : bool
        Whether Δ stops at 0. Unclamped (Eq. 11 as printed), the action is also taken back by
        the same law when Ψ_total is below the budget.
    actuation : {"integral", "additive", "multiplicative"}
        How u acts.
    relaxation : float
        λ in 1/s, not negative: how fast the integral lets go. At 0, and with a clamped
        pressure, it never does: whatever was once held back stays held back.
    valves_only : bool
        False (published): ρ_i is the share in the entropy of all subsystems, so that the part
        of the pressure that falls on a subsystem without a valve is lost. True: ρ_i is the
        share among those that can act (ours, a step of the ablation).
    velocity : float
        Time τ in s by which the pressure looks ahead, Δ = Ψ_total + τ·Ψ̇_total − Ψ_budget;
        0 is published (ours, a step of the ablation).

    Examples
    --------
    >>> EntropyLaw().label
    'ENTRO-ENGINE, integral'
    """

    alpha: float = 0.5
    beta: float = 2.0
    psi_budget: float = 3.0
    clamped: bool = True
    actuation: Actuation = "integral"
    relaxation: float = 0.02
    valves_only: bool = False
    velocity: float = 0.0

    def __post_init__(self) -> None:
        validate.real("alpha", self.alpha, 0.0, open_low=True)
        validate.real("beta", self.beta, 0.0, open_low=True)
        validate.real("psi_budget", self.psi_budget, 0.0, open_low=True)
        validate.flag("clamped", self.clamped)
        validate.choice("actuation", self.actuation, get_args(Actuation))
        validate.real("relaxation", self.relaxation, 0.0)
        validate.flag("valves_only", self.valves_only)
        validate.real("velocity", self.velocity, 0.0)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return f"ENTRO-ENGINE, {self.actuation}"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.ENTROPY

    def _coefficients(self) -> tuple[float, ...]:
        return (
            self.alpha,
            self.beta,
            self.psi_budget,
            float(self.clamped),
            float(get_args(Actuation).index(self.actuation)),
            self.relaxation,
            float(self.valves_only),
            self.velocity,
        )


@dataclass(frozen=True)
class HeadroomLaw(Law):
    r"""Pressure in nats, given out in full to those who can act: u_i = −ρ_i·Δ⁺ (ours).

    Four changes to Eq. 14, each of which can be undone to see what it buys:

    1. *Share among valves*: ρ_i = Ψ(d_i)/Σ_j Ψ(d_j) over the sources, so that no pressure falls
       where nothing can act on it.
    2. *Action in nats*: u_i is added to the source's entropy, not to its rate,
       Ψ_i = Ψ(d_i) + u_i. Pressure and action then have one unit, and a unit gain cancels the
       pressure exactly; neither α nor β is left to tune.
    3. *Look ahead*: Δ⁺ is the pressure that would follow if all of the offered d were admitted,
       through the queues' known capacities. On one source and one queue the law is
       (1 + r)·(1 + q⁺(r)) ≤ exp(Ψ_budget), the budget itself solved for the intake.
    4. *Allowance*: at most `allowance` requests may be held back (refilled at `refill` req/s).
       When it is spent the valve opens: the budget is broken late and short, not early and long.

    With a log utility, drift-plus-penalty leads to nearly the same rule, r = V/q − 1: the
    entropy budget has an economic reading.

    Parameters
    ----------
    psi_budget : float
        Ψ_budget in nats.
    lookahead : bool
        Change 3. Without it, the queues are taken as last seen.
    predict : bool
        When the loop has a delay, whether the queues as seen are first carried forward through
        what the law itself has admitted since (a Smith predictor). Without delay it does nothing.
    allowance : float
        Work that may be held back, in requests; infinite by default.
    refill : float
        Rate at which the allowance comes back, in req/s.
    belief : float
        The capacity that the law believes in, as a multiple of the true one; 1 is the truth.
        For showing what a wrong model costs.

    Examples
    --------
    >>> HeadroomLaw(allowance=40.0).label
    'headroom'
    """

    psi_budget: float = 3.0
    lookahead: bool = True
    predict: bool = True
    allowance: float = math.inf
    refill: float = 0.0
    belief: float = 1.0

    def __post_init__(self) -> None:
        validate.real("psi_budget", self.psi_budget, 0.0, open_low=True)
        validate.flag("lookahead", self.lookahead)
        validate.flag("predict", self.predict)
        if self.allowance != math.inf:
            validate.real("allowance", self.allowance, 0.0)
        validate.real("refill", self.refill, 0.0)
        validate.real("belief", self.belief, 0.0, open_low=True)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "headroom"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.HEADROOM

    def _coefficients(self) -> tuple[float, ...]:
        return (
            self.psi_budget,
            float(self.lookahead),
            float(self.predict),
            self.allowance,
            self.refill,
            self.belief,
        )
