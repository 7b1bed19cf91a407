"""Control laws: for each its parameters, and beneath them its compiled step.

A law is a frozen dataclass of parameters. What it remembers lives in the run, not in the law, so
one law serves any number of runs. Its step reads the parameters by name from the coefficients,
sees what the working table (:class:`~entro_nb.engine.plant.Quantity`) shows of the plant, and
sets the valves. A step that returns a limit sets them through the total intake.

To add a law, write both and add the law to :data:`LAWS` and its step to :func:`set_valves`.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np

from entro_nb import validate
from entro_nb.engine.control import entropy_pressure, entropy_share, saturation, shared_signal
from entro_nb.engine.plant import Quantity, inlined, pass_through, total_entropy
from entro_nb.results import compiled
from entro_nb.validate import Bounds, FloatArray, NonNegative, Parameters, Positive

#: How a signal u acts on an intake; see :class:`EntropyLaw`.
Actuation = Literal["integral", "additive", "multiplicative"]

#: CoDel resumes its old count if trouble returns within this many intervals (RFC 8289, §5.4).
RESUME_INTERVALS = 16.0

#: The headroom law brings Ψ_total this close to the budget, from below (nats).
PRECISION = 1e-10

#: False position needs about six; whatever it has after these is still within the budget.
SOLVER_STEPS = 40


@compiled
def keep_allowance(table: FloatArray, left: float, dt: float) -> float:
    """Work that the sources' valves hold back in this step, in requests, and no more than `left`.

    What the allowance does not cover is let in: each source opens by the same part of what it
    would have held back.
    """
    held = 0.0
    for i in range(table.shape[1]):
        if table[Quantity.STORES, i] == 0.0:
            demand = table[Quantity.DEMAND, i]
            rate = min(demand * table[Quantity.FACTOR, i], table[Quantity.CAP, i])
            rate = min(max(rate + table[Quantity.PUSH, i], 0.0), demand)
            table[Quantity.FACTOR, i], table[Quantity.PUSH, i] = 1.0, 0.0
            table[Quantity.CAP, i] = rate
            held += demand - rate
    if held * dt <= left:
        return held * dt
    for i in range(table.shape[1]):
        if table[Quantity.STORES, i] == 0.0:
            demand = table[Quantity.DEMAND, i]
            part = left / (held * dt)
            table[Quantity.CAP, i] = demand - part * (demand - table[Quantity.CAP, i])
    return left


@dataclass(frozen=True)
class Law(Parameters, ABC):
    """A rule that holds back work, given what it has seen of the plant."""

    name: ClassVar[str]  #: what the law is called in figures and tables

    @property
    def label(self) -> str:
        """Name for figures and tables: the law's, and which kind of it where there are kinds."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return ", ".join([self.name, *(value for value in values if isinstance(value, str))])

    def having(self, **parameters: Any) -> Self:
        """The same law with those of the parameters that it has; the others are left out.

        Examples
        --------
        >>> LAWS["static"].having(limit=1.3, alpha=0.7)
        StaticLimit(limit=1.3)
        """
        own = {field.name for field in dataclasses.fields(self)}
        return dataclasses.replace(self, **{k: v for k, v in parameters.items() if k in own})


@dataclass(frozen=True)
class NoControl(Law):
    """Admit everything.

    Examples
    --------
    >>> NoControl().label
    'no control'
    """

    name = "no control"


@dataclass(frozen=True)
class StaticLimit(Law):
    """Admit at most a fixed rate, r = min(d, limit).

    Parameters
    ----------
    limit : float
        Total intake in req/s; published 1.5. Above the capacity the queue still grows, at
        `limit` − c; below it the service starves.

    Examples
    --------
    >>> StaticLimit(1.5).label
    'static limit'
    """

    name = "static limit"
    limit: NonNegative = 1.5


_STATIC = validate.slots(StaticLimit)


@dataclass(frozen=True)
class TokenBucket(Law):
    """Admit while there are tokens: they come at `rate`, and at most `burst` are kept.

    Parameters
    ----------
    rate : float
        Tokens per second, one for each request.
    burst : float
        Size of the bucket in requests; it starts full.

    Examples
    --------
    >>> TokenBucket(1.2, 8.0).label
    'token bucket'
    """

    name = "token bucket"
    rate: NonNegative = 1.2
    burst: NonNegative = 8.0


_BUCKET = validate.slots(TokenBucket)


@compiled
def _token_bucket(k: FloatArray, admitted: float, table: FloatArray, dt: float) -> float:
    """Limit of the intake; memory: tokens, whether begun."""
    rate, burst = k[_BUCKET.rate], k[_BUCKET.burst]
    if table[Quantity.MEMORY_B, 0] == 0.0:
        table[Quantity.MEMORY_B, 0] = 1.0
        tokens = burst
    else:
        tokens = min(table[Quantity.MEMORY_A, 0] + dt * (rate - admitted), burst)
    table[Quantity.MEMORY_A, 0] = tokens
    return float(max(tokens / dt + rate, 0.0))


@dataclass(frozen=True)
class AIMD(Law):
    """Additive increase, multiplicative decrease of a limit, as TCP does (Chiu and Jain 1989).

    Parameters
    ----------
    threshold : float
        Requests waiting above which the limit is cut.
    increase : float
        Growth of the limit in req/s per second.
    decrease : float
        Factor of a cut, in (0, 1).
    hold : float
        Least time between two cuts, in s, so that one crossing does not cut twice.
    ceiling : float
        Where the limit starts and stops growing, in req/s.

    Examples
    --------
    >>> AIMD().label
    'AIMD'
    """

    name = "AIMD"
    threshold: NonNegative = 6.0
    increase: Positive = 0.05
    decrease: Annotated[float, Bounds(0.0, 1.0, open_low=True, open_high=True)] = 0.5
    hold: NonNegative = 5.0
    ceiling: Positive = 3.0


_CUTS = validate.slots(AIMD)


@compiled
def _aimd(k: FloatArray, waiting: float, table: FloatArray, dt: float) -> float:
    """Limit of the intake; memory: ceiling less limit, time left on hold."""
    ceiling = k[_CUTS.ceiling]
    limit = ceiling - table[Quantity.MEMORY_A, 0]
    hold = max(table[Quantity.MEMORY_B, 0] - dt, 0.0)
    if waiting <= k[_CUTS.threshold]:
        limit = min(limit + k[_CUTS.increase] * dt, ceiling)
    elif hold == 0.0:
        limit *= k[_CUTS.decrease]
        hold = k[_CUTS.hold]
    table[Quantity.MEMORY_A, 0], table[Quantity.MEMORY_B, 0] = ceiling - limit, hold
    return float(limit)


@dataclass(frozen=True)
class PID(Law):
    """Proportional, integral and derivative action on the total entropy, with anti-windup.

    The limit is bias + k_p·e + ∫k_i·e dt + k_d·ė, e = setpoint − Ψ_total; the integral is held
    within the limits of the actuator, or it would go on growing where the actuator no longer
    follows (Åström and Rundqwist 1989).

    Parameters
    ----------
    setpoint : float
        Ψ_total to hold, in nats; below the budget by as much as the loop overshoots.
    kp, ki, kd : float
        Gains, in req/s per nat, per nat and second, and per nat a second.
    bias : float
        Limit at zero error, in req/s: the capacity.
    ceiling : float
        Largest limit, in req/s.

    Examples
    --------
    >>> PID().label
    'PID'
    """

    name = "PID"
    setpoint: Positive = 2.9
    kp: NonNegative = 2.0
    ki: NonNegative = 0.1
    kd: NonNegative = 0.0
    bias: NonNegative = 1.2
    ceiling: Positive = 3.0


_GAINS = validate.slots(PID)


@compiled
def _pid(k: FloatArray, total: float, before: float, table: FloatArray, dt: float) -> float:
    """Limit of the intake; memory: the integral, within the actuator's range."""
    bias, ceiling = k[_GAINS.bias], k[_GAINS.ceiling]
    error = k[_GAINS.setpoint] - total
    integral = table[Quantity.MEMORY_A, 0] + k[_GAINS.ki] * dt * error
    integral = min(max(integral, -bias), ceiling - bias)
    table[Quantity.MEMORY_A, 0] = integral
    limit = bias + k[_GAINS.kp] * error + integral + k[_GAINS.kd] * (before - total) / dt
    return float(min(max(limit, 0.0), ceiling))


@dataclass(frozen=True)
class CoDel(Law):
    """Controlled delay (RFC 8289) as a fluid: refuse at rate √n/interval while waits stay long.

    Refusing begins when the waiting time q/c has stayed above the target for an interval; n
    counts what has been refused since, and resumes near its old value when trouble returns.

    Parameters
    ----------
    target : float
        Waiting time that is acceptable, in s.
    interval : float
        How long it may be exceeded, in s.

    Examples
    --------
    >>> CoDel().label
    'CoDel'
    """

    name = "CoDel"
    target: Positive = 5.0
    interval: Positive = 5.0


_WAITS = validate.slots(CoDel)


@compiled
def _codel(k: FloatArray, sojourn: float, table: FloatArray, dt: float) -> float:
    """Rate of refusal in req/s; memory: time above target, refused, dropping, time since."""
    interval = k[_WAITS.interval]
    if sojourn < k[_WAITS.target]:
        table[Quantity.MEMORY_A, 0] = 0.0
        table[Quantity.MEMORY_C, 0] = 0.0
        table[Quantity.MEMORY_D, 0] += dt
        return 0.0
    table[Quantity.MEMORY_A, 0] += dt
    if table[Quantity.MEMORY_A, 0] < interval:
        table[Quantity.MEMORY_D, 0] += dt
        return 0.0
    if table[Quantity.MEMORY_C, 0] == 0.0:
        table[Quantity.MEMORY_C, 0] = 1.0
        resumed = table[Quantity.MEMORY_D, 0] < RESUME_INTERVALS * interval
        refused = max(table[Quantity.MEMORY_B, 0] - 2.0, 1.0) if resumed else 1.0
        table[Quantity.MEMORY_B, 0] = refused
        table[Quantity.MEMORY_D, 0] = 0.0
    rate = math.sqrt(table[Quantity.MEMORY_B, 0]) / interval
    table[Quantity.MEMORY_B, 0] += rate * dt
    return float(rate)


@dataclass(frozen=True)
class DriftPlusPenalty(Law):
    """Admission that minimises queue drift less V times utility (Neely 2010; backpressure).

    With utility Σr ("linear") everything is admitted while fewer than V requests wait, and
    nothing above. With Σln(1 + r) ("log") the rate is V/q − 1: the smooth, fair version.

    Parameters
    ----------
    v : float
        Price V of lost work, in requests; queues stay of order V.
    utility : {"log", "linear"}
        What admitted work is worth.

    Examples
    --------
    >>> DriftPlusPenalty(18.0).label, DriftPlusPenalty(5.0, "linear").label
    ('drift-plus-penalty, log', 'drift-plus-penalty, linear')
    """

    name = "drift-plus-penalty"
    v: Positive = 18.0
    utility: Literal["log", "linear"] = "log"


_PRICE = validate.slots(DriftPlusPenalty)


@compiled
def _drift_plus_penalty(k: FloatArray, waiting: float) -> float:
    """Limit of the intake."""
    v, utility = k[_PRICE.v], k[_PRICE.utility]
    if utility != 0.0:
        return np.inf if waiting < v else 0.0
    return max(v / waiting - 1.0, 0.0) if waiting > 0.0 else np.inf


@dataclass(frozen=True)
class EntropyLaw(Law):
    """Eq. 14 of seed 000 on a plant, u_i = −α·ρ_i·tanh(β·Δ), and how u_i acts (ours).

    The seed does not say what u does to a rate. Three readings, with r the admitted and d the
    offered rate in req/s:

    * ``"integral"`` (default): a ← a·exp(−λ·dt) + u·dt, r = d + a. It can hold r at the
      capacity for as long as the surge lasts.
    * ``"additive"``: r = d + u, ``"multiplicative"``: r = d·(1 + u). Both are memoryless. They
      cannot hold a surge: |u_s| ≤ α·ρ_s, and ρ_s falls while the queue grows (see
      :func:`~entro_nb.engine.least_rate_memoryless`).

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

    name = "ENTRO-ENGINE"
    alpha: Positive = 0.5
    beta: Positive = 2.0
    psi_budget: Positive = 3.0
    clamped: bool = True
    actuation: Actuation = "integral"
    relaxation: NonNegative = 0.02
    valves_only: bool = False
    velocity: NonNegative = 0.0


_EQ14 = validate.slots(EntropyLaw)


@inlined
def _entropy(k: FloatArray, table: FloatArray, before: float, dt: float) -> None:
    """Eq. 14 and its actuation; the memory holds the integral a of each node, in req/s."""
    alpha, beta, psi_budget = k[_EQ14.alpha], k[_EQ14.beta], k[_EQ14.psi_budget]
    actuation = k[_EQ14.actuation]
    valves_only = k[_EQ14.valves_only] != 0.0
    total = shared = 0.0
    for i in range(table.shape[1]):
        total += table[Quantity.SEEN_PSI, i]
        if table[Quantity.VALVE, i] != 0.0 or not valves_only:
            shared += table[Quantity.SEEN_PSI, i]
    ahead = total + k[_EQ14.velocity] * (total - before) / dt
    delta = entropy_pressure(ahead, psi_budget, k[_EQ14.clamped] != 0.0)
    pressed = saturation(beta, delta)
    keep = math.exp(-k[_EQ14.relaxation] * dt)
    for i in range(table.shape[1]):
        if table[Quantity.VALVE, i] == 0.0:
            continue
        rho = entropy_share(table[Quantity.SEEN_PSI, i], shared)
        u = shared_signal(alpha, rho, pressed)
        table[Quantity.SIGNAL, i] = u
        if actuation == 0.0:
            # Bounded by what a valve can do, or the integral would wind up far beyond it. What a
            # queue's valve is offered is known only after the step; its bound is its capacity.
            stores = table[Quantity.STORES, i] != 0.0
            most = table[Quantity.CAPACITY, i] if stores else table[Quantity.DEMAND, i]
            action = min(max(table[Quantity.MEMORY_A, i] * keep + dt * u, -most), 0.0)
            table[Quantity.MEMORY_A, i] = table[Quantity.PUSH, i] = action
        elif actuation == 1.0:
            table[Quantity.PUSH, i] = u
        else:
            table[Quantity.FACTOR, i] = 1.0 + u


@dataclass(frozen=True)
class HeadroomLaw(Law):
    r"""Pressure in nats, given out in full to those who can act: u_i = −ρ_i·Δ⁺.

    This is one-step model-predictive control (Rawlings, Mayne and Diehl 2017) with a discrete
    barrier on entropy (Agrawal and Sreenath 2017): the least intervention that keeps
    Ψ_budget − Ψ_total ≥ 0 after the next step. Ours is only its derivation from Eq. 14, in four
    changes, each of which can be undone to see what it buys:

    1. *Share among valves*: ρ_i = Ψ(d_i)/Σ_j Ψ(d_j) over the sources, so that no pressure falls
       where nothing can act on it.
    2. *Action in nats*: u_i is added to the source's entropy, not to its rate,
       Ψ_i = Ψ(d_i) + u_i. Pressure and action then have one unit, and a unit gain cancels the
       pressure exactly; neither α nor β is left to tune.
    3. *Look ahead*: Δ⁺ is what has to be taken away now so that the budget holds after the step,
       seen through the queues' known capacities. On one source and one queue the law is
       (1 + r)·(1 + q⁺(r)) ≤ exp(Ψ_budget), the budget itself solved for the intake.
    4. *Allowance*: at most `allowance` requests may be held back (refilled at `refill` req/s).
       When it is spent the valve opens: the budget is broken late and short, not early and long.

    It is told the demand and the true capacity, and needs both. The same allowance given to a
    plain static limit makes up nearly all of its lead (:func:`~entro_nb.engine.fronts`): that it
    breaks the budget late is worth more than what it knows. What is left to it is that nothing
    needs to be tuned to a surge.

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

    name = "headroom"
    psi_budget: Positive = 3.0
    lookahead: bool = True
    predict: bool = True
    allowance: Annotated[float, Bounds(0.0, infinite=True)] = math.inf
    refill: NonNegative = 0.0
    belief: Positive = 1.0


_ROOM = validate.slots(HeadroomLaw)


@inlined
def _ahead(
    scale: float, table: FloatArray, trial: FloatArray, route: FloatArray, belief: float, dt: float
) -> float:
    """Ψ_total after one more step in which each source admits `scale` of its demand's entropy.

    The queues as the law believes them now stand in the SEEN row of the trial table.
    """
    for i in range(table.shape[1]):
        demand = table[Quantity.DEMAND, i]
        trial[Quantity.DEMAND, i] = demand
        trial[Quantity.CAP, i] = np.inf
        if table[Quantity.STORES, i] == 0.0 and scale < 1.0:
            trial[Quantity.CAP, i] = np.expm1(scale * np.log1p(demand))
        trial[Quantity.LOAD, i] = trial[Quantity.SEEN, i]
    pass_through(trial, route, belief, dt)
    return total_entropy(trial)


@compiled
def _largest_scale(
    budget: float, table: FloatArray, trial: FloatArray, route: FloatArray, belief: float, dt: float
) -> float:
    """Largest scale in [0, 1] that keeps Ψ_total within the budget (Illinois false position)."""
    high = 1.0
    above = _ahead(high, table, trial, route, belief, dt) - budget
    if above <= 0.0:
        return 1.0
    low = 0.0
    below = _ahead(low, table, trial, route, belief, dt) - budget
    if below > 0.0:
        return 0.0
    side = 0
    for _ in range(SOLVER_STEPS):
        # Aim just below the root, so that the bracket closes from the side that is allowed.
        middle = low + (high - low) * max(-below - 0.5 * PRECISION, 0.0) / (above - below)
        value = _ahead(middle, table, trial, route, belief, dt) - budget
        if value <= 0.0:
            low, below = middle, value
            if -value < PRECISION:
                break
            # An end that stays twice loses half its weight; else it would stay for ever.
            if side < 0:
                above *= 0.5
            side = -1
        else:
            high, above = middle, value
            if side > 0:
                below *= 0.5
            side = 1
    return low


@compiled
def _headroom(
    k: FloatArray,
    table: FloatArray,
    trial: FloatArray,
    route: FloatArray,
    past: FloatArray,
    row: int,
    dt: float,
) -> None:
    """Find the largest intake that keeps the budget; memory: allowance spent, in requests.

    `past` is the ring of the loads after each step, the one that is seen in `row`.
    """
    budget, belief = k[_ROOM.psi_budget], k[_ROOM.belief]
    n = table.shape[1]
    # The loads of the trial table are the queues as the law believes them now: as seen, and then
    # carried forward through what the sources have admitted since.
    for i in range(n):
        trial[Quantity.LOAD, i] = table[Quantity.SEEN, i]
    if k[_ROOM.predict] != 0.0:
        length = past.shape[0]
        for back in range(row + 1, row + length - 1):
            at = back if back < length else back - length
            for i in range(n):
                trial[Quantity.CAP, i] = np.inf
                source = trial[Quantity.STORES, i] == 0.0
                trial[Quantity.DEMAND, i] = past[at, i] if source else 0.0
            pass_through(trial, route, belief, dt)
    scale = 1.0
    if k[_ROOM.lookahead] != 0.0:
        for i in range(n):
            trial[Quantity.SEEN, i] = trial[Quantity.LOAD, i]
        scale = _largest_scale(budget, table, trial, route, belief, dt)
    else:
        offered = stored = 0.0
        for i in range(n):
            if table[Quantity.STORES, i] != 0.0:
                stored += np.log1p(trial[Quantity.LOAD, i])
            else:
                offered += np.log1p(table[Quantity.DEMAND, i])
        if offered > budget - stored:
            scale = max((budget - stored) / offered, 0.0)
    spent = max(table[Quantity.MEMORY_A, 0] - k[_ROOM.refill] * dt, 0.0)
    table[Quantity.MEMORY_A, 0] = spent
    if scale >= 1.0:
        return
    for i in range(n):
        if table[Quantity.STORES, i] == 0.0:
            table[Quantity.CAP, i] = np.expm1(scale * np.log1p(table[Quantity.DEMAND, i]))
    held = keep_allowance(table, max(k[_ROOM.allowance] - spent, 0.0), dt)
    table[Quantity.MEMORY_A, 0] = spent + held
    for i in range(n):
        if table[Quantity.STORES, i] == 0.0:
            admitted = np.log1p(table[Quantity.CAP, i])
            table[Quantity.SIGNAL, i] = admitted - np.log1p(table[Quantity.DEMAND, i])


#: Every law, as it is by default, by the name that sweeps, periods and reports call it.
LAWS: dict[str, Law] = {
    "none": NoControl(),
    "static": StaticLimit(),
    "token bucket": TokenBucket(),
    "AIMD": AIMD(),
    "PID": PID(),
    "CoDel": CoDel(),
    "drift-plus-penalty": DriftPlusPenalty(),
    "entropy": EntropyLaw(),
    "headroom": HeadroomLaw(),
}

#: Number of each law in :func:`set_valves`: its place in the table.
NUMBERS = {type(law): number for number, law in enumerate(LAWS.values())}
_NONE, _LIMIT, _TOKENS, _AIMD, _PID, _CODEL, _DRIFT, _ENTROPY, _HEADROOM = range(len(LAWS))


@inlined
def set_valves(
    law: int,
    k: FloatArray,
    table: FloatArray,
    trial: FloatArray,
    route: FloatArray,
    past: FloatArray,
    row: int,
    before: float,
    admitted: float,
    dt: float,
) -> None:
    """One step of a law: from what it sees in the table to what the valves shall do.

    Parameters
    ----------
    law, k : int, ndarray
        Number and coefficients of the law.
    table, trial, route : ndarray
        The plant, a copy to try things on, and the shares in which work is passed on.
    past : ndarray, shape (delay + 2, node)
        Ring of the loads after each step; the state that is seen stands in `row`.
    before, admitted : float
        Ψ_total one step before the measurement; the total intake of the last step, which the
        valve itself knows.
    dt : float
        Step in s.
    """
    if law == _NONE:
        return
    if law == _ENTROPY:
        _entropy(k, table, before, dt)
        return
    if law == _HEADROOM:
        _headroom(k, table, trial, route, past, row, dt)
        return
    n = table.shape[1]
    offered = waiting = sojourn = total = 0.0
    for i in range(n):
        offered += table[Quantity.DEMAND, i]
        total += table[Quantity.SEEN_PSI, i]
        if table[Quantity.STORES, i] != 0.0:
            waiting += table[Quantity.SEEN, i]
            sojourn += table[Quantity.SEEN, i] / table[Quantity.CAPACITY, i]
    limit = np.inf
    if law == _LIMIT:
        limit = k[_STATIC.limit]
    elif law == _TOKENS:
        limit = _token_bucket(k, admitted, table, dt)
    elif law == _AIMD:
        limit = _aimd(k, waiting, table, dt)
    elif law == _PID:
        limit = _pid(k, total, before, table, dt)
    elif law == _CODEL:
        limit = max(offered - _codel(k, sojourn, table, dt), 0.0)
    elif law == _DRIFT:
        limit = _drift_plus_penalty(k, waiting)
    # What a limit leaves of the total intake, each source is cut to by the same factor.
    if offered > limit:
        for i in range(n):
            if table[Quantity.STORES, i] == 0.0:
                table[Quantity.FACTOR, i] = limit / offered
