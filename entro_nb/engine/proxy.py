"""Entropy proxies of subsystems, their aggregate, and the family's normaliser (seed 000, Eq. 6–8).

A proxy is the logarithm of one plus a load: zero for an idle subsystem, and growing by the same
amount each time the load doubles. Loads are counted in units of one request (a second).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.validate import FloatArray

__all__ = ["aggregate", "loads", "normalized_proxy", "proxies"]


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
    values = validate.finite_array("psi", psi, low=0.0)
    if values.ndim == 0:
        values = values[np.newaxis]
    total: FloatArray = np.asarray(values.sum(axis=validate.checked_axis(axis, values.ndim)))
    return total


def normalized_proxy(
    psi: npt.ArrayLike, psi_critical: float = 2.0, reference: float = 10.0
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
    values = validate.finite_array("psi", psi)
    psi_critical = validate.real("psi_critical", psi_critical, 0.0, open_low=True)
    reference = validate.real("reference", reference, 0.0, open_low=True)
    ratio = np.maximum(values, 0.0) / reference
    squeezed: FloatArray = psi_critical * (1.0 - 1.0 / (1.0 + ratio))
    return squeezed
