"""What a control or networking engineer would use instead of an entropy budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from entro_nb import validate
from entro_nb.engine.law import Code, Law

__all__ = ["AIMD", "PID", "CoDel", "DriftPlusPenalty", "NoControl", "StaticLimit", "TokenBucket"]


@dataclass(frozen=True)
class NoControl(Law):
    """Admit everything.

    Examples
    --------
    >>> NoControl().label
    'no control'
    """

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "no control"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.NONE

    def _coefficients(self) -> tuple[float, ...]:
        return ()


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

    limit: float = 1.5

    def __post_init__(self) -> None:
        validate.real("limit", self.limit, 0.0)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "static limit"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.STATIC

    def _coefficients(self) -> tuple[float, ...]:
        return (self.limit,)


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

    rate: float = 1.2
    burst: float = 8.0

    def __post_init__(self) -> None:
        validate.real("rate", self.rate, 0.0)
        validate.real("burst", self.burst, 0.0)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "token bucket"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.TOKEN_BUCKET

    def _coefficients(self) -> tuple[float, ...]:
        return (self.rate, self.burst)


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

    threshold: float = 6.0
    increase: float = 0.05
    decrease: float = 0.5
    hold: float = 5.0
    ceiling: float = 3.0

    def __post_init__(self) -> None:
        validate.real("threshold", self.threshold, 0.0)
        validate.real("increase", self.increase, 0.0, open_low=True)
        validate.real("decrease", self.decrease, 0.0, 1.0, open_low=True, open_high=True)
        validate.real("hold", self.hold, 0.0)
        validate.real("ceiling", self.ceiling, 0.0, open_low=True)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "AIMD"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.AIMD

    def _coefficients(self) -> tuple[float, ...]:
        return (self.threshold, self.increase, self.decrease, self.hold, self.ceiling)


@dataclass(frozen=True)
class PID(Law):
    """Proportional, integral and derivative action on the total entropy, with anti-windup.

    The limit is bias + k_p·e + ∫k_i·e dt + k_d·ė, e = setpoint − Ψ_total; the integral is held
    within the limits of the actuator.

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

    setpoint: float = 2.9
    kp: float = 2.0
    ki: float = 0.1
    kd: float = 0.0
    bias: float = 1.2
    ceiling: float = 3.0

    def __post_init__(self) -> None:
        validate.real("setpoint", self.setpoint, 0.0, open_low=True)
        validate.real("kp", self.kp, 0.0)
        validate.real("ki", self.ki, 0.0)
        validate.real("kd", self.kd, 0.0)
        validate.real("bias", self.bias, 0.0)
        validate.real("ceiling", self.ceiling, 0.0, open_low=True)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "PID"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.PID

    def _coefficients(self) -> tuple[float, ...]:
        return (self.setpoint, self.kp, self.ki, self.kd, self.bias, self.ceiling)


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

    target: float = 5.0
    interval: float = 5.0

    def __post_init__(self) -> None:
        validate.real("target", self.target, 0.0, open_low=True)
        validate.real("interval", self.interval, 0.0, open_low=True)

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return "CoDel"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.CODEL

    def _coefficients(self) -> tuple[float, ...]:
        return (self.target, self.interval)


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

    v: float = 18.0
    utility: Literal["log", "linear"] = "log"

    def __post_init__(self) -> None:
        validate.real("v", self.v, 0.0, open_low=True)
        validate.choice("utility", self.utility, ("log", "linear"))

    @property
    def label(self) -> str:
        """Name for figures and tables."""
        return f"drift-plus-penalty, {self.utility}"

    @property
    def code(self) -> Code:
        """Which compiled step it is."""
        return Code.DRIFT_PLUS_PENALTY

    def _coefficients(self) -> tuple[float, ...]:
        return (self.v, float(self.utility == "linear"))
