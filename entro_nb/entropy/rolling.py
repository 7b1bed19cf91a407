"""Entropy of the histogram of a rolling window, updated one sample at a time.

A sample that enters and one that leaves change two counts, so the sum Σ c·log₂ c changes
by four entries of a table. The table holds whole numbers (c·log₂ c in fixed point), and sums
of whole numbers are exact: however long the stream, nothing drifts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["bin_counts", "rolling"]

IntArray = npt.NDArray[np.int64]


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


def rolling(
    x: npt.ArrayLike,
    window: int,
    bins: int,
    low: float = -4.0,
    high: float = 4.0,
    *,
    edges: str = "fixed",
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
    x, axis, window, bins = _checked(x, window, bins, axis)
    low, high = checked_range(low, high)
    edges = validate.choice("edges", edges, ["fixed", "minmax"])
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


def bin_counts(x: npt.ArrayLike, bins: int, low: float = -4.0, high: float = 4.0) -> IntArray:
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
    bins = validate.integer("bins", bins, 2)
    low, high = checked_range(low, high)
    values = validate.finite_array("x", x)
    counts, _ = np.histogram(np.clip(values, low, high), bins=bins, range=(low, high))
    return counts.astype(np.int64)


def checked_range(low: float, high: float) -> tuple[float, float]:
    """Ends of a range, refused unless low < high."""
    low = validate.real("low", low)
    return low, validate.real("high", high, low=low, open_low=True)


def _checked(
    x: npt.ArrayLike, window: int, bins: int, axis: int
) -> tuple[FloatArray, int, int, int]:
    values = validate.finite_array("x", x)
    if values.ndim == 0:
        values = values[np.newaxis]
    return (
        values,
        validate.checked_axis(axis, values.ndim),
        validate.integer("window", window, 2),
        validate.integer("bins", bins, 2),
    )
