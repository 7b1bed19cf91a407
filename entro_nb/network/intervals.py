"""Intervals for what a handful of runs measured."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError

__all__ = ["Interval", "mean_interval", "reduction_interval", "share_interval"]


class Interval(NamedTuple):
    """A measured value and the interval it lies in at the stated confidence."""

    value: float
    low: float
    high: float


def mean_interval(samples: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of independent runs with Student's interval.

    Raises
    ------
    DataError
        If there are fewer than two runs.

    Examples
    --------
    >>> mean_interval([1.0, 1.0, 1.0])
    Interval(value=1.0, low=1.0, high=1.0)
    """
    from scipy.stats import t

    x = validate.finite_array("samples", samples, ndim=1)
    if x.size < 2:
        raise DataError("samples", x.tolist(), "at least two runs")
    level = validate.real("confidence", confidence, 0.0, 1.0, open_low=True, open_high=True)
    half = float(t.ppf(0.5 + level / 2.0, x.size - 1)) * float(x.std(ddof=1)) / math.sqrt(x.size)
    return Interval(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half)


def share_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Share of successes with the exact interval of Clopper and Pearson (1934).

    Examples
    --------
    >>> [round(v, 3) for v in share_interval(100, 100)]
    [1.0, 0.964, 1.0]
    """
    from scipy.stats import beta

    n = validate.integer("trials", trials, 1)
    k = validate.integer("successes", successes, 0, n)
    level = validate.real("confidence", confidence, 0.0, 1.0, open_low=True, open_high=True)
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1.0 - tail, k + 1, n - k))
    return Interval(k / n, low, high)


def reduction_interval(
    with_it: npt.ArrayLike, without: npt.ArrayLike, confidence: float = 0.95
) -> Interval:
    """Reduction 1 − mean(with)/mean(without) over paired runs, with the interval of a ratio.

    The runs are paired (same seed), so the interval is that of the ratio of two means, to first
    order in their scatter.

    Examples
    --------
    >>> reduction_interval([0.25, 0.25], [1.0, 1.0]).value
    0.75
    """
    from scipy.stats import t

    a = validate.finite_array("with_it", with_it, ndim=1)
    b = validate.finite_array("without", without, ndim=1)
    n = validate.same_length(with_it=a, without=b)
    if n < 2 or b.mean() == 0.0:
        raise DataError("without", b.tolist(), "at least two runs whose mean is not zero")
    level = validate.real("confidence", confidence, 0.0, 1.0, open_low=True, open_high=True)
    ratio = float(a.mean() / b.mean())
    scatter = float(np.std(a - ratio * b, ddof=1)) / abs(float(b.mean()))
    half = float(t.ppf(0.5 + level / 2.0, n - 1)) * scatter / math.sqrt(n)
    return Interval(1.0 - ratio, 1.0 - ratio - half, 1.0 - ratio + half)
