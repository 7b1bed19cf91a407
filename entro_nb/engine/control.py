"""The control law of ENTRO-ENGINE (seed 000, Eq. 6–14): proxies, budget, shares, signal, fairness.

A proxy is the logarithm of one plus a load: zero for an idle subsystem, and growing by the same
amount each time the load doubles. Loads are counted in units of one request (a second).

Eq. 11 to 14 stand here once, as functions of numbers: :func:`entropy_pressure`,
:func:`entropy_share` and :func:`control_signal`. The published classes, every simulation and the
stability analysis call them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, cast

import numba
import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.results import compiled
from entro_nb.validate import Count, FloatArray, Parameters, Positive

#: A part may exceed its whole by rounding, never by more.
ROUNDING = 1e-12


@compiled
def entropy_pressure(psi_total: float, psi_budget: float, clamped: bool) -> float:
    """Entropy pressure Δ = Ψ_total − Ψ_budget (seed 000, Eq. 11), not below 0 where `clamped`.

    Examples
    --------
    >>> entropy_pressure(2.0, 3.0, False), entropy_pressure(2.0, 3.0, True)
    (-1.0, 0.0)
    """
    delta = psi_total - psi_budget
    return max(delta, 0.0) if clamped else delta


@compiled
def entropy_share(psi_i: float, psi_total: float) -> float:
    """Share of a subsystem, ρ_i = Ψ_i / Ψ_total (seed 000, Eq. 12–13); 0/0 is 0.

    Examples
    --------
    >>> entropy_share(1.5, 4.0), entropy_share(0.0, 0.0)
    (0.375, 0.0)
    """
    return psi_i / psi_total if psi_total > 0.0 else 0.0


@compiled
def saturation(beta: float, delta: float) -> float:
    """Part of the strongest pressure that is given out, tanh(β·Δ) (seed 000, in Eq. 14).

    Examples
    --------
    >>> round(saturation(2.0, 0.5), 4), saturation(2.0, 0.0)
    (0.7616, 0.0)
    """
    return math.tanh(beta * delta) if delta != 0.0 else 0.0


@compiled
def shared_signal(alpha: float, rho: float, saturated: float) -> float:
    """Signal to a subsystem of share ρ_i when the pressure is saturated so far (in Eq. 14).

    Examples
    --------
    >>> shared_signal(0.5, 0.375, 1.0)
    -0.1875
    """
    # Adding 0 turns the −0.0 of a subsystem without a share into a plain 0.
    return -alpha * rho * saturated + 0.0


@compiled
def control_signal(alpha: float, beta: float, rho: float, delta: float) -> float:
    """Control signal u_i = −α·ρ_i·tanh(β·Δ) (seed 000, Eq. 14).

    Where many subsystems share one pressure, its two parts are called in turn.

    Examples
    --------
    >>> round(control_signal(0.5, 2.0, 0.375, 1.0), 6)
    -0.180755
    """
    return shared_signal(alpha, rho, saturation(beta, delta))


def control_slopes(alpha: float, beta: float, rho: float, delta: float) -> tuple[float, float]:
    """Derivatives of :func:`control_signal`: ∂u/∂ρ and ∂u/∂Δ.

    Examples
    --------
    >>> control_slopes(0.5, 2.0, 0.375, 0.0)
    (-0.0, -0.375)
    """
    t = saturation(beta, delta)
    return -alpha * t, -alpha * rho * beta * (1.0 - t * t)


def _over_arrays(function: Callable[..., float]) -> Any:
    """Let a function of numbers work on arrays.

    It must be a function of its own: Numba's cache tells compiled functions apart by their source
    only, and what it compiles for arrays cannot be called with numbers.
    """
    return cast(Any, numba).vectorize(cache=True)(function)


@_over_arrays
def _pressures(psi_total: float, psi_budget: float, clamped: bool) -> float:
    return entropy_pressure(psi_total, psi_budget, clamped)


@_over_arrays
def _shares(psi_i: float, psi_total: float) -> float:
    return entropy_share(psi_i, psi_total)


@_over_arrays
def _saturations(beta: float, delta: float) -> float:
    return saturation(beta, delta)


@_over_arrays
def _signals(alpha: float, rho: float, saturated: float) -> float:
    return shared_signal(alpha, rho, saturated)


def _plain(x: npt.ArrayLike) -> float | FloatArray:
    """Float of an array without dimensions, others as they are."""
    return float(cast(float, x)) if np.ndim(x) == 0 else np.asarray(x)


def proxies(load: npt.ArrayLike, name: str = "load") -> FloatArray:
    """Log proxy of each load, Ψ = ln(1 + x) (seed 000, Eq. 6 for a rate and Eq. 7 for a queue).

    Parameters
    ----------
    load : array_like
        Rates in req/s or queues in requests, of any shape, none of them negative.
    name : str
        Name of the loads in an error message.

    Returns
    -------
    ndarray
        Proxies in nats, with the shape of `load`.

    Raises
    ------
    ParameterError, DataError
        If a load is negative, NaN or infinite.

    Examples
    --------
    >>> proxies([0.0, 1.0, 87.6]).round(3)
    array([0.   , 0.693, 4.484])
    """
    psi: FloatArray = np.log1p(validate.finite_array(name, load, low=0.0))
    return psi


def psi_from_rate(rate: npt.ArrayLike) -> float | FloatArray:
    """Entropy proxy of a rate by its published name, Ψ = ln(1 + r) (seed 000, Eq. 6).

    The same as :func:`proxies`, with a float for a number.

    Examples
    --------
    >>> round(psi_from_rate(1.2), 6)
    0.788457
    """
    return _plain(proxies(rate, "rate"))


def loads(psi: npt.ArrayLike) -> FloatArray:
    """Load behind each proxy, x = exp(Ψ) − 1: the inverse of Eq. 6 and 7.

    Examples
    --------
    >>> loads(proxies([0.0, 3.0]))
    array([0., 3.])
    """
    x: FloatArray = np.expm1(validate.finite_array("psi", psi, low=0.0))
    return x


def aggregate(psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Total entropy, Ψ_total = Σ_i Ψ_i (seed 000, Eq. 8, for any number of subsystems).

    Parameters
    ----------
    psi : array_like
        Proxies in nats, subsystems along `axis`.
    axis : int
        Axis of the subsystems.

    Returns
    -------
    ndarray
        Totals in nats, with `axis` removed.

    Examples
    --------
    >>> float(aggregate([1.5, 2.5]))
    4.0
    """
    values, axis = _along(psi, axis)
    return np.asarray(values.sum(axis=axis))


def psi_total(psi: npt.ArrayLike) -> float:
    """Total entropy of a list of proxies by its published name (seed 000, Eq. 8); 0 of none.

    Examples
    --------
    >>> psi_total([1.5, 2.5]), psi_total([])
    (4.0, 0.0)
    """
    values = validate.finite_array("psi", psi, ndim=1, low=0.0, empty=True)
    return float(aggregate(values)) if values.size else 0.0


def _along(psi: npt.ArrayLike, axis: int) -> tuple[FloatArray, int]:
    """Entropies with at least one dimension, and the axis of the subsystems."""
    values = np.atleast_1d(validate.finite_array("psi", psi, low=0.0))
    return values, validate.checked_axis(axis, values.ndim)


@validate.checked
def normalized_proxy(
    psi: npt.ArrayLike, psi_critical: Positive = 2.0, reference: Positive = 10.0
) -> FloatArray:
    """Proxy squeezed into [0, Ψ_c): Ψ_norm = Ψ_c·(1 − 1/(1 + Ψ/ref)), 0 for Ψ ≤ 0.

    The family publishes it as its logistic normaliser: it is a hyperbola in Ψ and the logistic
    curve in ln Ψ. It is published beside the seed and used by none of its equations.

    Parameters
    ----------
    psi : array_like
        Entropies in nats, of any sign.
    psi_critical : float
        Ceiling Ψ_c, in nats.
    reference : float
        Entropy at which half the ceiling is reached, in nats.

    Examples
    --------
    >>> normalized_proxy([-1.0, 0.0, 10.0, 30.0])
    array([0. , 0. , 1. , 1.5])
    """
    ratio = np.maximum(validate.finite_array("psi", psi), 0.0) / reference
    squeezed: FloatArray = psi_critical * (1.0 - 1.0 / (1.0 + ratio))
    return squeezed


class BudgetCheck(NamedTuple):
    """A total entropy held against its budget: numbers in, numbers out."""

    is_violated: bool | npt.NDArray[np.bool_]  #: whether Eq. 9 does not hold
    violation: float | FloatArray  #: nats above the budget, 0 within it
    remaining: float | FloatArray  #: nats left below the budget, 0 above it


@dataclass(frozen=True)
class EntropyBudget(Parameters):
    """Budget that the total entropy must respect, Ψ_total ≤ Ψ_budget (seed 000, Eq. 9).

    Parameters
    ----------
    psi_budget : float
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
    >>> EntropyBudget(3.0, clamped=False).pressure(2.5)
    -0.5
    >>> budget.check(4.0)
    BudgetCheck(is_violated=True, violation=1.0, remaining=0.0)
    """

    psi_budget: Positive = 3.0
    clamped: bool = True

    @classmethod
    @validate.checked
    def of_subsystems(cls, n: Count, psi_critical: Positive = 2.0, gamma: Positive = 0.75) -> Self:
        """Budget of `n` subsystems, Ψ_budget = γ·N·Ψ_c (project page of seed 000, Eq. 10).

        Examples
        --------
        >>> EntropyBudget.of_subsystems(2).psi_budget
        3.0
        """
        return cls(gamma * n * psi_critical)

    def pressure(self, psi_total: npt.ArrayLike) -> float | FloatArray:
        """Entropy pressure Δ = Ψ_total − Ψ_budget, clamped at 0 or not (Eq. 11), in nats."""
        total = validate.finite_array("psi_total", psi_total, low=0.0)
        return _plain(_pressures(total, self.psi_budget, self.clamped))

    def check(self, psi: npt.ArrayLike) -> BudgetCheck:
        """Whether a total entropy keeps to Eq. 9, and how far it is off.

        Examples
        --------
        >>> EntropyBudget(3.0).check([2.9, 3.0, 3.1]).is_violated
        array([False, False,  True])
        """
        total = validate.finite_array("psi", psi, low=0.0)
        over = total > self.psi_budget
        return BudgetCheck(
            bool(over) if total.ndim == 0 else over,
            _plain(_pressures(total, self.psi_budget, True)),
            _plain(_pressures(self.psi_budget, total, True)),
        )


class ControlSignal(NamedTuple):
    """What the controller says to one subsystem or to many: numbers in, numbers out."""

    u: float | FloatArray  #: control signal, in [−α, 0] while the pressure is clamped
    rho: float | FloatArray  #: share of the total entropy, in [0, 1]
    delta: float | FloatArray  #: pressure above the budget, nats


@dataclass(frozen=True)
class ENTROEngineController(Parameters):
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

    alpha: Positive = 0.5
    beta: Positive = 2.0
    psi_budget: Positive = 3.0
    clamped: bool = True

    @property
    def budget(self) -> EntropyBudget:
        """The budget of Eq. 9, with its way of measuring pressure."""
        return EntropyBudget(self.psi_budget, self.clamped)

    def compute_pressure(self, psi_total: npt.ArrayLike) -> float | FloatArray:
        """Pressure above the budget, Δ (Eq. 11), in nats; not below 0 while `clamped`."""
        return self.budget.pressure(psi_total)

    def compute_ratio(self, psi_i: npt.ArrayLike, psi_total: npt.ArrayLike) -> float | FloatArray:
        """Share ρ_i = Ψ_i / Ψ_total (Eq. 12–13) of subsystems whose entropy and total are given.

        Raises
        ------
        ParameterError
            If an entropy is negative or larger than its total, or the shapes do not fit.
        """
        part = validate.finite_array("psi_i", psi_i, low=0.0)
        total = validate.finite_array("psi_total", psi_total, low=0.0)
        try:
            excess = part - total * (1.0 + ROUNDING)
        except ValueError:
            raise ParameterError(
                "shapes of psi_i and psi_total", (part.shape, total.shape), "shapes that broadcast"
            ) from None
        if (excess > 0.0).any():
            where = tuple(int(k) for k in np.argwhere(excess > 0.0)[0])
            raise ParameterError(
                validate.element("psi_i", where),
                float(np.broadcast_to(part, excess.shape)[where]),
                f"at most psi_total = {float(np.broadcast_to(total, excess.shape)[where]):g}",
            )
        return _plain(_shares(part, total))

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
        return self._signal(self.compute_ratio(psi_i, psi_total), self.compute_pressure(psi_total))

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
        values, axis = _along(psi, axis)
        total = values.sum(axis=axis, keepdims=True)
        return self._signal(_shares(values, total), self.compute_pressure(total))

    def _signal(self, rho: float | FloatArray, delta: float | FloatArray) -> ControlSignal:
        u = _signals(self.alpha, rho, _saturations(self.beta, delta))
        return ControlSignal(_plain(u), rho, delta)


@dataclass(frozen=True)
class ProportionalAllocator(ENTROEngineController):
    """Pressure in proportion to each subsystem's entropy, ρ_i = Ψ_i / Ψ_total (Eq. 12–13).

    The controller of Eq. 14, given all subsystems of a system at once. The share of a subsystem
    falls when *another* one grows: in the pipeline of seed 000 the scraper fills the queue, the
    queue's entropy rises, and the scraper's share sinks. That is why the published law presses
    the culprit less the longer the surge lasts.

    Examples
    --------
    >>> allocator = ProportionalAllocator(alpha=0.5, beta=2.0, psi_budget=2.0)
    >>> result = allocator.allocate({"scraper": 1.0, "llm": 2.0})
    >>> {name: round(signal.u, 3) for name, signal in result.items()}
    {'scraper': -0.161, 'llm': -0.321}
    >>> allocator.get_fairness_metric(result)
    1.0
    >>> allocator.ratios([0.0, 0.0])
    array([0., 0.])
    """

    def ratios(self, psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
        """Shares of all subsystems along `axis`, from their entropies in nats.

        They add up to 1, or are all 0 when there is no entropy to share (0/0 → 0).
        """
        return np.asarray(self.control(psi, axis).rho)

    def allocate(self, psi: Mapping[str, float]) -> dict[str, ControlSignal]:
        """Signal to each subsystem by its name, from the entropies in nats of all of them."""
        if not psi:
            return {}
        u, rho, delta = self.control(list(psi.values()))
        signals = zip(np.asarray(u).tolist(), np.asarray(rho).tolist(), strict=True)
        pressure = float(np.asarray(delta)[0])
        return {
            name: ControlSignal(own, share, pressure)
            for name, (own, share) in zip(psi, signals, strict=True)
        }

    def get_fairness_metric(self, result: Mapping[str, ControlSignal]) -> float:
        """Jain's index of what :meth:`allocate` gave out, see :func:`fairness`; 1 of none."""
        if not result:
            return 1.0
        # Jain's index knows no scale: shares stand for the entropies that they are shares of.
        given = [(signal.u, signal.rho) for signal in result.values()]
        return float(fairness(*np.array(given).T))


def fairness(u: npt.ArrayLike, psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Jain's index of the pressure per unit of entropy, x_i = |u_i|/Ψ_i (ours).

    The seed claims fairness without measuring it. Jain's index (Σx)²/(N·Σx²) is 1 when each
    subsystem bears pressure in proportion to its entropy and 1/N when one bears it all;
    subsystems without entropy are left out, and no pressure at all counts as fair.

    Parameters
    ----------
    u, psi : array_like
        Control signals and entropies (nats), of equal shape.
    axis : int
        Axis of the subsystems.

    Returns
    -------
    ndarray
        Index in [1/N, 1], with `axis` removed.

    References
    ----------
    Jain, Chiu and Hawe, A quantitative measure of fairness and discrimination for resource
    allocation in shared computer systems, DEC-TR-301, 1984.

    Examples
    --------
    >>> float(fairness([-0.1, -0.3], [1.0, 3.0]))
    1.0
    >>> float(fairness([-0.4, 0.0], [2.0, 2.0]))
    0.5
    """
    signal = np.atleast_1d(validate.finite_array("u", u))
    entropy, axis = _along(psi, axis)
    if signal.shape != entropy.shape:
        raise ParameterError("shapes of u and psi", (signal.shape, entropy.shape), "equal shapes")
    counted = entropy > 0.0
    burden = np.divide(np.abs(signal), entropy, out=np.zeros(signal.shape), where=counted)
    # Jain's index knows no scale; a common one keeps the squares of tiny burdens from vanishing.
    largest = burden.max(axis=axis, keepdims=True)
    burden = np.divide(burden, largest, out=np.zeros(burden.shape), where=largest > 0.0)
    squares = counted.sum(axis=axis) * (burden**2).sum(axis=axis)
    index = np.ones(squares.shape)
    np.divide(burden.sum(axis=axis) ** 2, squares, out=index, where=squares > 0.0)
    return np.asarray(np.minimum(index, 1.0))
