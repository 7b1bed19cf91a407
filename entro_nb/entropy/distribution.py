"""Entropy of a distribution, and the measures that Khinchin's axioms exclude."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.validate import FloatArray

__all__ = ["chain_rule_gap", "gini", "normalized", "renyi", "shannon"]


def shannon(p: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Shannon entropy H = −Σᵢ pᵢ log₂ pᵢ in bits (seed 003, §3), with 0·log₂ 0 = 0.

    Parameters
    ----------
    p : array_like
        Probabilities, non-negative and summing to 1 along `axis`.
    axis : int
        Axis of the categories.

    Returns
    -------
    ndarray
        H in bits, 0 ≤ H ≤ log₂ n, with the shape of `p` less `axis`.

    Raises
    ------
    ParameterError, DataError
        If a probability is negative or not finite, or a distribution does not sum to 1.

    Examples
    --------
    >>> float(shannon([0.5, 0.25, 0.25]))
    1.5
    >>> shannon([[1, 0], [0.5, 0.5]])
    array([0., 1.])
    """
    p = validate.probabilities("p", p, axis)
    return information(p, axis)


def normalized(p: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Normalised entropy H_norm = H / log₂ n (seed 003, §3), empty categories counted in n.

    Parameters
    ----------
    p : array_like
        Probabilities, non-negative and summing to 1 along `axis`.
    axis : int
        Axis of the categories, of which there must be at least two.

    Returns
    -------
    ndarray
        H_norm in [0, 1], dimensionless; 0 is all on one category, 1 is uniform.

    Raises
    ------
    ParameterError, DataError
        As :func:`shannon`, and if there are fewer than two categories.

    Examples
    --------
    >>> float(normalized([0.25, 0.25, 0.25, 0.25]))
    1.0
    """
    p = validate.probabilities("p", p, axis)
    categories = p.shape[axis]
    if categories < 2:
        raise ParameterError("number of categories", categories, "at least 2")
    return information(p, axis) / math.log2(categories)


def renyi(p: npt.ArrayLike, order: float, axis: int = -1) -> FloatArray:
    """Rényi entropy log₂(Σ pᵢ^q) / (1 − q) in bits; the limit q → 1 is Shannon's.

    It satisfies every axiom that seed 003 names if "additivity" means additivity over
    independent systems; only the chain rule (grouping) singles out Shannon.

    Parameters
    ----------
    p : array_like
        Probabilities along `axis`.
    order : float
        The order q ≥ 0; 0 counts the categories in use, 1 is Shannon, 2 the collision entropy.
    axis : int
        Axis of the categories.

    Returns
    -------
    ndarray
        Entropy in bits.

    Raises
    ------
    ParameterError, DataError
        As :func:`shannon`, and if `order` is negative or not finite.

    References
    ----------
    A. Rényi, "On measures of entropy and information", 1961.

    Examples
    --------
    >>> round(float(renyi([0.5, 0.25, 0.25], 2)), 3)
    1.415
    """
    order = validate.real("order", order, low=0.0)
    p = validate.probabilities("p", p, axis)
    if order == 1.0:
        return information(p, axis)
    power = np.where(p > 0, np.power(p, order, where=p > 0, out=np.zeros_like(p)), 0.0)
    h: FloatArray = np.log2(power.sum(axis=axis)) / (1.0 - order)
    return h


def gini(p: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Gini impurity 1 − Σ pᵢ²: the chance that two draws differ.

    Parameters
    ----------
    p : array_like
        Probabilities along `axis`.
    axis : int
        Axis of the categories.

    Returns
    -------
    ndarray
        Impurity in [0, 1 − 1/n], dimensionless.

    Examples
    --------
    >>> float(gini([0.5, 0.5]))
    0.5
    """
    p = validate.probabilities("p", p, axis)
    impurity: FloatArray = 1.0 - np.square(p).sum(axis=axis)
    return impurity


def chain_rule_gap(
    measure: Callable[[FloatArray], FloatArray | float],
    p: npt.ArrayLike,
    groups: Sequence[Sequence[int]],
) -> float:
    """How far a measure is from the chain rule H(p) = H(groups) + Σ P(group) H(p | group).

    The chain rule (grouping) is the axiom that singles out Shannon entropy in Khinchin's
    theorem. Seed 003 calls it additivity; additivity over independent systems is weaker.

    Parameters
    ----------
    measure : callable
        Maps a distribution to a number.
    p : array_like
        One distribution, shape (n,).
    groups : sequence of sequences of int
        A partition of the indices 0 … n−1.

    Returns
    -------
    float
        Left side minus right side, in the measure's units; 0 for Shannon entropy.

    Raises
    ------
    ParameterError
        If `groups` is not a partition of the categories.

    References
    ----------
    A. I. Khinchin, "Mathematical Foundations of Information Theory", Dover, 1957.

    Examples
    --------
    >>> abs(chain_rule_gap(shannon, [0.5, 0.25, 0.25], [[0], [1, 2]])) < 1e-15
    True
    >>> round(chain_rule_gap(lambda p: renyi(p, 2), [0.5, 0.25, 0.25], [[0], [1, 2]]), 3)
    -0.085
    """
    p = validate.probabilities("p", validate.finite_array("p", p, ndim=1))
    if sorted(i for group in groups for i in group) != list(range(p.size)):
        raise ParameterError("groups", groups, f"a partition of 0 … {p.size - 1}")
    mass = np.array([p[list(group)].sum() for group in groups])
    within = sum(
        m * float(measure(p[list(group)] / m))
        for m, group in zip(mass, groups, strict=True)
        if m > 0
    )
    return float(measure(p)) - float(measure(mass)) - float(within)


def information(p: FloatArray, axis: int = -1) -> FloatArray:
    """−Σ p log₂ p along an axis, unchecked, with the limit 0 at p = 0."""
    h: FloatArray = -(p * np.log2(p, where=p > 0, out=np.zeros_like(p))).sum(axis=axis)
    # A certain outcome has entropy 0, not −0.
    return h + 0.0
