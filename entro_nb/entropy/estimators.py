"""Estimating entropy from counts, and how far the estimate is off on average."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.entropy.distribution import information
from entro_nb.validate import FloatArray

__all__ = ["expected_bias", "expected_plugin", "miller_madow", "plugin"]


def plugin(counts: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Plug-in entropy of a histogram, −Σ (cᵢ/N) log₂(cᵢ/N) in bits (seed 003, §3).

    Biased low by about (K − 1)/(2 N ln 2) bits: see :func:`expected_bias`.

    Parameters
    ----------
    counts : array_like
        Whole non-negative counts along `axis`, not all zero.
    axis : int
        Axis of the categories.

    Returns
    -------
    ndarray
        Entropy in bits.

    Raises
    ------
    ParameterError, DataError
        If a count is negative, fractional or not finite, or all are zero.

    Examples
    --------
    >>> float(plugin([2, 1, 1]))
    1.5
    """
    c = validate.counts("counts", counts, axis)
    total = c.sum(axis=axis, keepdims=True)
    p = c / total
    return information(p, axis)


def miller_madow(counts: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Miller–Madow estimate: plug-in entropy plus (m − 1)/(2 N ln 2) bits.

    Here m is the number of categories that were seen. The result may exceed log₂ K; it is
    not cut off there, since that would bring a bias back.

    Parameters
    ----------
    counts : array_like
        Whole non-negative counts along `axis`, not all zero.
    axis : int
        Axis of the categories.

    Returns
    -------
    ndarray
        Entropy in bits.

    Raises
    ------
    ParameterError, DataError
        As :func:`plugin`.

    References
    ----------
    G. A. Miller, "Note on the bias of information estimates", 1955.

    Examples
    --------
    >>> round(float(miller_madow([2, 1, 1])), 4)
    1.8607
    """
    c = validate.counts("counts", counts, axis)
    seen, total = (c > 0).sum(axis=axis), c.sum(axis=axis)
    estimate: FloatArray = plugin(c, axis) + (seen - 1) / (2 * total * np.log(2))
    return estimate


def expected_bias(categories: int, samples: int) -> float:
    """First-order bias of the plug-in entropy, −(K − 1)/(2 N ln 2) bits.

    Parameters
    ----------
    categories : int
        K, the number of categories with positive probability.
    samples : int
        N, the number of samples in the histogram.

    Returns
    -------
    float
        Expected estimate minus true entropy in bits, to first order in 1/N.

    Examples
    --------
    >>> round(expected_bias(32, 128), 4)
    -0.1747
    """
    categories = validate.integer("categories", categories, 1)
    samples = validate.integer("samples", samples, 1)
    return -(categories - 1) / (2 * samples * float(np.log(2)))


def expected_plugin(p: npt.ArrayLike, samples: int) -> float:
    """Exact mean of the plug-in entropy of N samples drawn from p, in bits.

    E[Ĥ] = −Σᵢ Σ_c Binomial(c; N, pᵢ) (c/N) log₂(c/N): each count is binomial, and the
    mean of a sum needs no independence.

    Parameters
    ----------
    p : array_like
        One distribution, shape (K,).
    samples : int
        N.

    Returns
    -------
    float
        Mean of the estimate in bits.

    Examples
    --------
    >>> round(expected_plugin([1 / 32] * 32, 128) / 5, 3)
    0.963
    """
    from scipy.stats import binom

    p = validate.probabilities("p", validate.finite_array("p", p, ndim=1))
    samples = validate.integer("samples", samples, 1)
    share = np.arange(1, samples + 1) / samples
    information = -share * np.log2(share)
    distinct, repeats = np.unique(p, return_counts=True)
    mean = binom.pmf(np.arange(1, samples + 1)[:, None], samples, distinct[None, :])
    return float(information @ mean @ repeats)
