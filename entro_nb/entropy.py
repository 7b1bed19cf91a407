"""Shannon entropy: of a distribution, estimated from counts, over a rolling window, and its rates.

Everything works on arrays along an axis, in bits. The definitions are those of seed 003, §3;
the estimators, and the alternatives that Khinchin's axioms exclude, come from the literature.

In a rolling window a sample that enters and one that leaves change two counts, so the sum
Σ c·log₂ c changes by four entries of a table. The table holds whole numbers (c·log₂ c in fixed
point), and sums of whole numbers are exact: however long the stream, nothing drifts.

The "velocity" of the seed is the entropy less its own recent mean: a high-pass filter, not a
derivative. On a ramp of slope s per step it settles at s·(n − 1)/2 for a window of n values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, NonNegative

#: Samples of a window, or categories of a histogram.
Several = Annotated[int, Bounds(2)]


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
    return _information(p, axis)


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
    return _information(p, axis) / math.log2(categories)


@validate.checked
def renyi(p: npt.ArrayLike, order: NonNegative, axis: int = -1) -> FloatArray:
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
    p = validate.probabilities("p", p, axis)
    if order == 1.0:
        return _information(p, axis)
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


def _information(p: FloatArray, axis: int) -> FloatArray:
    """−Σ p log₂ p along an axis, unchecked, with the limit 0 at p = 0."""
    h: FloatArray = -(p * np.log2(p, where=p > 0, out=np.zeros_like(p))).sum(axis=axis)
    # A certain outcome has entropy 0, not −0.
    return h + 0.0


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
    return _information(c / c.sum(axis=axis, keepdims=True), axis)


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


@validate.checked
def expected_bias(categories: Count, samples: Count) -> float:
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
    return -(categories - 1) / (2 * samples * float(np.log(2)))


@validate.checked
def expected_plugin(p: npt.ArrayLike, samples: Count) -> float:
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
    count = np.arange(1, samples + 1)
    share = count / samples
    distinct, repeats = np.unique(p, return_counts=True)
    mean = binom.pmf(count[:, None], samples, distinct[None, :])
    return float((-share * np.log2(share)) @ mean @ repeats)


class Place(NamedTuple):
    """Where a ring buffer stands: plain numbers, which a compiled loop holds in registers."""

    slot: int  #: next slot to write
    held: int  #: entries held so far
    total: int  #: sum over the entries, in fixed point


class Bins(NamedTuple):
    """Constants of a rolling histogram."""

    edges: FloatArray  #: (bins + 1,) as numpy.linspace gives them
    table: IntArray  #: (window + 1,) c·log₂ c in fixed point
    density: float  #: bins per unit of value
    step: float  #: bits per fixed-point step


def bins_of(window: int, bins: int, low: float, high: float) -> Bins:
    """Constants for a window of that length on fixed edges."""
    c = np.arange(window + 1, dtype=np.float64)
    information = c * np.log2(c, where=c > 0, out=np.zeros_like(c))
    # As fine as fits: the largest sum, all samples in one bin, must stay below 2**62.
    step = 2.0 ** -math.floor(62 - math.log2(max(information[-1], 1.0)))
    table = np.round(information / step).astype(np.int64)
    return Bins(np.linspace(low, high, bins + 1), table, bins / (high - low), step)


@compiled
def bin_of(x: float, constants: Bins) -> int:
    """Bin of a value: [edge, next edge), the last one closed, the end bins open-ended."""
    edges = constants.edges
    last = edges.size - 2
    if x <= edges[0]:
        return 0
    if x >= edges[last]:
        return last
    k = min(int((x - edges[0]) * constants.density), last)
    # The product is rounded; the edges decide.
    if x < edges[k]:
        k -= 1
    elif x >= edges[k + 1]:
        k += 1
    return k


@compiled
def push(
    x: float, counts: IntArray, ring: IntArray, place: Place, constants: Bins
) -> tuple[float, Place]:
    """Take one sample in, let the oldest go if the window is full; H in bits, and where we stand.

    `counts` (bins,) are the samples in each bin, `ring` (window,) the bin of each sample held;
    both are changed in place.
    """
    slot, held, total = place
    table = constants.table
    if held == ring.size:
        old = ring[slot]
        c = counts[old]
        counts[old] = c - 1
        total += table[c - 1] - table[c]
    else:
        held += 1
    new = bin_of(x, constants)
    c = counts[new]
    counts[new] = c + 1
    total += table[c + 1] - table[c]
    ring[slot] = new
    slot += 1
    if slot == ring.size:
        slot = 0
    # H = log₂ N − Σ c·log₂ c / N, and N·log₂ N stands in the same table.
    return (table[held] - total) * constants.step / held, Place(slot, held, total)


@compiled
def _rolling_fixed(
    x: FloatArray, counts: IntArray, ring: IntArray, constants: Bins, out: FloatArray
) -> None:
    place = Place(0, 0, 0)
    for t in range(x.size):
        out[t], place = push(x[t], counts, ring, place, constants)


@compiled
def _rolling_minmax(x: FloatArray, window: int, bins: int, out: FloatArray) -> None:
    counts = np.zeros(bins, np.int64)
    for t in range(x.size):
        held = x[max(0, t - window + 1) : t + 1]
        low, high = held.min(), held.max()
        counts[:] = 0
        for value in held:
            k = 0 if high == low else min(int((value - low) / (high - low) * bins), bins - 1)
            counts[k] += 1
        h = 0.0
        for c in counts:
            if c > 0:
                h -= c / held.size * np.log2(c / held.size)
        out[t] = h


@validate.checked
def rolling(
    x: npt.ArrayLike,
    window: Several,
    bins: Several,
    low: float = -4.0,
    high: float = 4.0,
    *,
    edges: Literal["fixed", "minmax"] = "fixed",
    axis: int = -1,
) -> FloatArray:
    """Entropy of the histogram of the last `window` samples, in bits (seed 003, §3 and §4).

    While fewer samples exist, the histogram holds those that do.

    Parameters
    ----------
    x : array_like
        Samples along `axis`.
    window : int
        Samples in the histogram, at least 2.
    bins : int
        Categories, at least 2.
    low, high : float
        Ends of the fixed edges; what lies outside counts in the end bins.
    edges : {"fixed", "minmax"}
        "minmax" spans each window by its own extremes, as is often done: the entropy is then
        blind to any change of level or scale (kept for comparison).
    axis : int
        Axis of time.

    Returns
    -------
    ndarray
        H in bits, with the shape of `x`.

    Raises
    ------
    ParameterError, DataError
        If window < 2, bins < 2, low ≥ high, or `x` is empty or not finite.

    Examples
    --------
    >>> rolling([0.0, 3.0, 0.0, 3.0], window=2, bins=4)
    array([0., 1., 1., 1.])
    """
    low, high = validate.band(low, high)
    x = np.atleast_1d(validate.finite_array("x", x))
    axis = validate.checked_axis(axis, x.ndim)
    lanes = np.moveaxis(x, axis, -1)
    out = np.empty(lanes.shape)
    for lane in np.ndindex(lanes.shape[:-1]):
        series = np.ascontiguousarray(lanes[lane])
        if edges == "fixed":
            counts, ring = np.zeros(bins, np.int64), np.zeros(window, np.int64)
            _rolling_fixed(series, counts, ring, bins_of(window, bins, low, high), out[lane])
        else:
            _rolling_minmax(series, window, bins, out[lane])
    return np.moveaxis(out, -1, axis)


@validate.checked
def bin_counts(x: npt.ArrayLike, bins: Several, low: float = -4.0, high: float = 4.0) -> IntArray:
    """Histogram on fixed edges, with what lies outside counted in the end bins.

    Parameters
    ----------
    x : array_like
        Samples of any shape.
    bins : int
        Categories, at least 2.
    low, high : float
        Ends of the edges.

    Returns
    -------
    ndarray of int
        Counts, shape (bins,).

    Examples
    --------
    >>> bin_counts([-9.0, 0.1, 0.2, 9.0], bins=4)
    array([1, 0, 2, 1])
    """
    low, high = validate.band(low, high)
    values = validate.finite_array("x", x)
    counts, _ = np.histogram(np.clip(values, low, high), bins=bins, range=(low, high))
    return counts.astype(np.int64)


class Derivatives(NamedTuple):
    """The three rates of an entropy series, in bits; NaN where history is too short."""

    velocity: FloatArray  #: H′, from the 2nd value on
    acceleration: FloatArray  #: H″, from the 3rd
    jerk: FloatArray  #: H‴, from the 4th


def resolution(window: int, largest: float) -> float:
    """Fixed-point step for values up to `largest`: as fine as keeps the sum below 2**62."""
    return 2.0 ** -math.floor(61 - math.log2(max(largest, 2.0**-900) * window))


@compiled
def differentiate(
    h: float, history: IntArray, place: Place, velocity: float, acceleration: float, step: float
) -> tuple[float, float, float, Place]:
    """Take one entropy value in; (H′, H″, H‴), NaN where not yet defined, and where we stand.

    `history` (derivative window,) holds recent entropies in fixed point and is changed in place;
    `velocity` and `acceleration` are the ones before (NaN at the start).
    """
    slot, seen, total = place
    # The mean is of whole numbers (H in fixed point), so that it never drifts.
    value = np.int64(np.rint(h * (1.0 / step)))
    total += value - history[slot]
    history[slot] = value
    slot += 1
    if slot == history.size:
        slot = 0
    seen += 1
    # Each rate needs one more value than the one before; NaN carries that through.
    now = h - total * step / min(seen, history.size) if seen >= 2 else np.nan
    change = now - velocity
    return now, change, change - acceleration, Place(slot, seen, total)


@compiled
def _derivatives(h: FloatArray, history: IntArray, step: float, out: FloatArray) -> None:
    place = Place(0, 0, 0)
    velocity, acceleration = np.nan, np.nan
    for t in range(h.size):
        velocity, acceleration, jerk, place = differentiate(
            h[t], history, place, velocity, acceleration, step
        )
        out[0, t], out[1, t], out[2, t] = velocity, acceleration, jerk


def derivatives(h: npt.ArrayLike, window: int, axis: int = -1) -> Derivatives:
    """Velocity H′ = H − mean(H over the window), and its differences H″, H‴ (seed 003, §3).

    Parameters
    ----------
    h : array_like
        Entropy values along `axis`, in bits.
    window : int
        Values in the mean, the current one included: from 2 to the length of the series.
        While fewer exist, the mean is over those that do.
    axis : int
        Axis of time.

    Returns
    -------
    Derivatives
        Three arrays with the shape of `h`, in bits; NaN before the 2nd, 3rd and 4th value.

    Raises
    ------
    ParameterError, DataError
        If the window is longer than the series, or `h` is empty or not finite.

    Examples
    --------
    >>> d = derivatives([0.0, 1.0, 2.0, 3.0, 4.0], window=3)
    >>> d.velocity  # a ramp of slope 1: settles at (3 - 1) / 2
    array([nan, 0.5, 1. , 1. , 1. ])
    >>> d.jerk
    array([ nan,  nan,  nan, -0.5,  0. ])
    """
    values = np.atleast_1d(validate.finite_array("h", h))
    axis = validate.checked_axis(axis, values.ndim)
    window = validate.integer("window", window, 2, max(values.shape[axis], 2))
    lanes = np.moveaxis(values, axis, -1)
    out = np.empty((*lanes.shape[:-1], 3, lanes.shape[-1]))
    step = resolution(window, float(np.abs(values).max()))
    for lane in np.ndindex(lanes.shape[:-1]):
        _derivatives(np.ascontiguousarray(lanes[lane]), np.zeros(window, np.int64), step, out[lane])
    return Derivatives(*(np.moveaxis(out[..., k, :], -1, axis) for k in range(3)))
