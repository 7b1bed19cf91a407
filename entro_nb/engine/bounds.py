"""What every plant of this kind must obey, whatever its law: bounds on the published table.

The kind: one source with admitted rate r ≤ r_max feeds one fluid queue that serves at most
c < r_max, and Ψ_total = ln(1 + r) + ln(1 + q). Nothing is assumed about the law, the demand, or
how either moves; the queue may also refuse work. States are measured after each step.
"""

from __future__ import annotations

import math

from entro_nb import validate
from entro_nb.errors import ParameterError

__all__ = [
    "largest_service",
    "least_peak_entropy",
    "least_rate_memoryless",
    "least_violations",
]


def least_peak_entropy(peak_queue: float, capacity: float = 1.2) -> float:
    """Least peak of Ψ_total in a run whose queue peaks at Q > 0: ln(1 + c) + ln(1 + Q).

    In the step that first reaches the peak the queue grew, so more than c was admitted: after
    that step r > c and q = Q. The bound needs no r_max and holds for every step length.

    Parameters
    ----------
    peak_queue : float
        Q in requests, above 0.
    capacity : float
        c in req/s.

    Returns
    -------
    float
        In nats.

    Examples
    --------
    The published controlled row has a peak queue of 23.4 and a peak entropy of 3.31:

    >>> round(least_peak_entropy(23.4), 3)
    3.983
    """
    peak_queue = validate.real("peak_queue", peak_queue, 0.0, open_low=True)
    capacity = validate.real("capacity", capacity, 0.0, open_low=True)
    return math.log1p(capacity) + math.log1p(peak_queue)


def largest_service(peak_queue: float, peak_psi: float) -> float:
    """Service rate below which a queue that peaks at Q is compatible with a peak of Ψ_total.

    The bound of :func:`least_peak_entropy` solved for c: exp(Ψ)/(1 + Q) − 1, in req/s. Negative
    when the pair is impossible at any service rate.

    Examples
    --------
    >>> round(largest_service(23.4, 3.31), 3)  # where 1.2 is published
    0.122
    """
    peak_queue = validate.real("peak_queue", peak_queue, 0.0)
    peak_psi = validate.real("peak_psi", peak_psi, 0.0)
    return math.exp(peak_psi) / (1.0 + peak_queue) - 1.0


def least_violations(
    peak_queue: float,
    budget: float = 3.0,
    capacity: float = 1.2,
    rate_max: float = 3.0,
    dt: float = 1.0,
    peak_psi: float = math.inf,
) -> int:
    r"""Fewest steps above the budget in a run whose queue starts empty and peaks at Q.

    Rising: a step that ends above q₀ = exp(B)/(1 + c) − 1 with a grown queue has r > c, hence
    Ψ_total > B, and the queue grows by at most (r_max − c)·dt in a step. With a ceiling on
    Ψ_total, r ≤ exp(ceiling)/(1 + q) − 1 as well. Falling: while q > exp(B) − 1 the budget is
    broken even at r = 0, and the queue falls by at most c·dt in a step. The fall counts only as
    far as the run goes on; the published runs end long after their peak.

    Parameters
    ----------
    peak_queue : float
        Q in requests.
    budget, capacity, rate_max, dt : float
        B in nats, c and r_max in req/s with c < r_max, the step in s.
    peak_psi : float
        Ceiling that the run is said to have kept, in nats.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If a parameter is out of range, or no run with this queue keeps below `peak_psi`.

    Examples
    --------
    Published uncontrolled: 312 violations, a queue of 87.6, dt = 0.1:

    >>> least_violations(87.6, dt=0.1)
    1012

    Published controlled: 12 violations and a queue of 23.4 go together only at full throttle,

    >>> least_violations(23.4)
    12

    not in a run that also stays below Ψ_total = 4.3:

    >>> least_violations(23.4, peak_psi=4.3)
    14
    """
    peak_queue = validate.real("peak_queue", peak_queue, 0.0)
    budget = validate.real("budget", budget, 0.0, open_low=True)
    capacity = validate.real("capacity", capacity, 0.0, open_low=True)
    rate_max = validate.real("rate_max", rate_max, capacity, open_low=True)
    dt = validate.real("dt", dt, 0.0, open_low=True)
    if peak_queue > 0.0 and peak_psi < least_peak_entropy(peak_queue, capacity):
        raise ParameterError(
            "peak_psi",
            peak_psi,
            f"at least {least_peak_entropy(peak_queue, capacity):.4f}, "
            f"which a queue of {peak_queue:g} entails",
        )
    quiet = math.exp(budget) / (1.0 + capacity) - 1.0
    ceiling = math.exp(min(peak_psi, 700.0))
    rising, q = 0, peak_queue
    while q > max(quiet, 0.0):
        # Backwards from the peak, by the largest growth that ends at q.
        rate = min(rate_max, ceiling / (1.0 + q) - 1.0)
        growth = (rate - capacity) * dt
        if growth <= 0.0:
            raise ParameterError("peak_psi", peak_psi, "room for the queue to grow at all")
        q -= growth
        rising += 1
    loud = max(math.exp(budget) - 1.0, 0.0)
    falling = max(math.ceil((peak_queue - loud) / (capacity * dt)) - 1, 0)
    return rising + falling


def least_rate_memoryless(
    demand: float, queue: float, alpha: float = 0.5, *, multiplicative: bool = False
) -> float:
    """Least rate that a memoryless action of Eq. 14 leaves of a demand, in req/s.

    |u_s| ≤ α·ρ_s, and ρ_s ≤ ln(1 + d)/(ln(1 + d) + ln(1 + q)) since r ≤ d. So r ≥ d − α·ρ_s when
    u is added and r ≥ d·(1 − α·ρ_s) when it multiplies; where that exceeds the capacity, the
    queue grows whatever β and the budget are.

    Examples
    --------
    >>> round(least_rate_memoryless(3.0, 87.6), 3)
    2.882
    >>> round(least_rate_memoryless(3.0, 87.6, multiplicative=True), 3)
    2.646
    """
    demand = validate.real("demand", demand, 0.0, open_low=True)
    queue = validate.real("queue", queue, 0.0)
    alpha = validate.real("alpha", alpha, 0.0, open_low=True)
    share = math.log1p(demand) / (math.log1p(demand) + math.log1p(queue))
    kept = demand * (1.0 - alpha * share) if multiplicative else demand - alpha * share
    return max(kept, 0.0)
