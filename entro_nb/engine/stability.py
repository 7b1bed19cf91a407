"""Stability of the loop that Eq. 14 closes: equilibrium, linearisation, and the edge simulated.

During a surge of constant demand d > c the integral form of Eq. 14 can rest only where the queue
does, at r = c. With κ = exp(−λ·dt) the loop with a delay of k steps is

    a_t = κ·a_{t−1} + dt·u(r_{t−1−k}, q_{t−1−k}),  r_t = d + a_t,  q_t = q_{t−1} + dt·(r_t − c),

and its linearisation about the rest has 2(k + 1) eigenvalues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar

from entro_nb import validate
from entro_nb.engine.control import control_signal, control_slopes, entropy_pressure, entropy_share
from entro_nb.engine.laws import EntropyLaw
from entro_nb.engine.plant import Phase, pipeline
from entro_nb.engine.simulation import simulate
from entro_nb.errors import ParameterError
from entro_nb.validate import Bounds, Count, FloatArray, Natural, Parameters, Positive

#: How far above the budget the strongest signal is sought, in nats.
FURTHEST = 500.0

ComplexArray = npt.NDArray[np.complex128]


class Rest(NamedTuple):
    """Equilibrium of the loop during a surge."""

    queue: float  #: requests
    psi_total: float  #: nats
    u: float  #: signal that holds the action, req/s per s


@dataclass(frozen=True)
class Loop(Parameters):
    """The loop of a scraper, its queue and the integral form of Eq. 14 under constant demand.

    Parameters
    ----------
    law : EntropyLaw
        With integral actuation, clamped pressure and no velocity.
    delay : int
        Steps by which measurements are older than the previous state.
    demand, capacity : float
        d and c in req/s, d > c.
    dt : float
        Step in s.

    Examples
    --------
    >>> loop = Loop(EntropyLaw())
    >>> round(loop.rest().queue, 2)
    9.45
    >>> loop.radius() < 1.0
    True
    """

    law: EntropyLaw
    delay: Natural = 0
    demand: float = 2.88
    capacity: Positive = 1.2
    dt: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.real("demand", self.demand, self.capacity, open_low=True)
        law = self.law
        if law.actuation != "integral" or not law.clamped or law.velocity != 0.0:
            raise ParameterError("law", law, "integral actuation, clamped pressure, no velocity")
        # At 0 the action is never taken back, and every point with r ≤ c is "at rest".
        validate.real("relaxation", law.relaxation, 0.0, open_low=True)

    @property
    def _keep(self) -> float:
        return math.exp(-self.law.relaxation * self.dt)

    @property
    def needed(self) -> float:
        """Pressure that must be kept up to hold r = c, (1 − κ)·(d − c)/dt in req/s per s."""
        return (1.0 - self._keep) * (self.demand - self.capacity) / self.dt

    def _seen(self, rate: float, queue: float) -> tuple[float, float, float]:
        """Ψ of the scraper, its share ρ and the pressure Δ (Eq. 6–13)."""
        own = math.log1p(rate)
        total = own + math.log1p(queue)
        rho = entropy_share(own, own if self.law.valves_only else total)
        return own, rho, entropy_pressure(total, self.law.psi_budget, self.law.clamped)

    def signal(self, rate: float, queue: float) -> float:
        """Magnitude of Eq. 14 for the scraper, α·ρ_s·tanh(β·Δ)."""
        _, rho, delta = self._seen(rate, queue)
        return -control_signal(self.law.alpha, self.law.beta, rho, delta)

    def strongest(self) -> tuple[float, float]:
        """Queue at which the signal at r = c is largest, and that signal.

        The pressure grows with the queue and the scraper's share falls with it: beyond this
        queue the law presses *less* the worse things are.
        """
        found = minimize_scalar(
            lambda psi: -self.signal(self.capacity, math.expm1(psi)),
            bounds=(0.0, self.law.psi_budget + min(10.0 / self.law.beta, FURTHEST)),
            method="bounded",
            options={"xatol": 1e-10},
        )
        queue = math.expm1(float(found.x))
        return queue, self.signal(self.capacity, queue)

    def rest(self) -> Rest | None:
        """Where the loop can rest; None if the law cannot hold this surge at all.

        A rest exists iff λ is small enough: (1 − κ)·(d − c)/dt ≤ max over q of α·ρ_s·tanh(β·Δ).
        Without one the queue grows for as long as the surge lasts.
        """
        queue, largest = self.strongest()
        if self.needed > largest:
            return None
        quiet = max(self.law.psi_budget - math.log1p(self.capacity), 0.0)
        psi = float(
            brentq(
                lambda x: self.signal(self.capacity, math.expm1(x)) - self.needed,
                quiet,
                max(math.log1p(queue), quiet + 1e-9),
                xtol=1e-14,
            )
        )
        at = math.expm1(psi)
        return Rest(at, psi + math.log1p(self.capacity), -self.signal(self.capacity, at))

    def matrix(self) -> FloatArray:
        """Linearisation about the rest; state (a_t … a_{t−k}, q_t … q_{t−k}).

        Raises
        ------
        ParameterError
            If the loop has no rest.
        """
        rest = self.rest()
        if rest is None:
            raise ParameterError(
                "relaxation", self.law.relaxation, "a value that lets the loop rest"
            )
        own, rho, delta = self._seen(self.capacity, rest.queue)
        by_rho, by_delta = control_slopes(self.law.alpha, self.law.beta, rho, delta)
        # Each entropy acts through the pressure and through the share that it has or takes away.
        spread = 0.0 if self.law.valves_only else 1.0 / (own + math.log1p(rest.queue))
        u_r = (by_rho * (1.0 - rho) * spread + by_delta) / (1.0 + self.capacity)
        u_q = (-by_rho * rho * spread + by_delta) / (1.0 + rest.queue)
        n = self.delay + 1
        matrix = np.zeros((2 * n, 2 * n))
        for lag in range(1, n):
            matrix[lag, lag - 1] = matrix[n + lag, n + lag - 1] = 1.0
        matrix[0, 0] += self._keep
        matrix[0, n - 1] += self.dt * u_r
        matrix[0, 2 * n - 1] += self.dt * u_q
        matrix[n] = self.dt * matrix[0]
        matrix[n, n] += 1.0
        return matrix

    def eigenvalues(self) -> ComplexArray:
        """Eigenvalues of the linearisation, by falling magnitude."""
        values = np.linalg.eigvals(self.matrix()).astype(np.complex128)
        return values[np.argsort(-np.abs(values))]

    def radius(self) -> float:
        """Spectral radius: the rest is stable iff it is below 1; infinite without a rest."""
        if self.rest() is None:
            return math.inf
        return float(abs(self.eigenvalues()[0]))

    def overshoots(self) -> bool:
        """Whether small disturbances ring: the slowest mode is complex, or alternates."""
        slowest = self.eigenvalues()[0]
        return bool(abs(slowest.imag) > 1e-9 or slowest.real < 0.0)

    @validate.checked
    def oscillation(self, steps: Annotated[int, Bounds(60)] = 6000, ramp: Count = 200) -> float:
        """Spread (max − min) of Ψ_total over the last sixth of a noiseless simulated surge, nats.

        The demand climbs to d in `ramp` small stages, so that the loop arrives near its rest
        instead of being thrown into whatever cycle lies around it.
        """
        climb = 0.5 * steps * self.dt / ramp
        rates = np.linspace(self.capacity, self.demand, ramp + 1)[1:]
        phases = [
            Phase(f"stage {k}", k * climb, (k + 1) * climb, float(rate))
            for k, rate in enumerate(rates)
        ]
        phases.append(Phase("surge", phases[-1].stop, steps * self.dt, self.demand))
        plant = pipeline(phases, noise=0.0, rate_max=2.0 * self.demand, capacity=self.capacity)
        run = simulate(plant, self.law, dt=self.dt, delay=self.delay)
        last = run.psi_total.values[0, -(steps // 6) :]
        return float(last.max() - last.min())


def critical_gain(loop: Loop, low: float = 1e-3, high: float = 1e3) -> float | None:
    """Slope β at which the linearised loop loses its stability, all else as in `loop`.

    Returns
    -------
    float or None
        None if the loop is stable, or has no stable rest, over the whole of [low, high].

    Examples
    --------
    >>> edge = critical_gain(Loop(EntropyLaw(), delay=8))
    >>> edge is not None and 0.1 < edge < 10.0
    True
    """

    def excess(log_beta: float) -> float:
        law = replace(loop.law, beta=math.exp(log_beta))
        return min(replace(loop, law=law).radius(), 10.0) - 1.0

    grid = np.linspace(math.log(low), math.log(high), 121)
    values = [excess(float(x)) for x in grid]
    for k in range(len(grid) - 1):
        if values[k] < 0.0 < values[k + 1]:
            return math.exp(float(brentq(excess, float(grid[k]), float(grid[k + 1]), xtol=1e-12)))
    return None
