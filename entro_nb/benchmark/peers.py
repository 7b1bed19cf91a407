"""Detectors to be measured beside ours: the seed's Accountant, and the classical ones.

Each learns what is usual from the stream itself, and knows of it no more than its length.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from entro_nb import validate
from entro_nb.accountant import AccountantConfig, NormalizerConfig, Stability, account, normalize
from entro_nb.benchmark.corpus import HALVES, nab_corpus, probation, scoreboard
from entro_nb.benchmark.score import PROFILES, Detector, Limit, detect, score_nab
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.surprise import ROWS, Surprise
from entro_nb.validate import FloatArray, IntArray

if TYPE_CHECKING:
    import xarray as xr


def windowed_gaussian(values: FloatArray, window: int = 6400) -> FloatArray:
    """Distance from the mean of the values before, in their deviations.

    Parameters
    ----------
    values : ndarray
        A stream, shape (n,).
    window : int
        Values before that count; the published entry of this name looks back as far.

    Examples
    --------
    >>> windowed_gaussian(np.array([0.0, 2.0, 0.0, 2.0, 4.0]))[-1:]
    array([3.])
    """
    x = values - values[0]
    place = np.arange(x.size)
    start = np.maximum(place - window, 0)
    n = np.maximum(place - start, 1)

    def mean(of: FloatArray) -> FloatArray:
        sums = np.append(0.0, np.cumsum(of))
        result: FloatArray = (sums[place] - sums[start]) / n
        return result

    level = mean(x)
    deviation = np.sqrt(np.maximum(mean(x * x) - level * level, 0.0))
    # What stood still has no deviation: below a millionth of the largest value it is rounding.
    scale = np.maximum(deviation, 1e-6 * np.maximum.accumulate(np.abs(x)))
    away = np.zeros(x.size)
    np.divide(np.abs(x - level), scale, out=away, where=scale > 0.0)
    return away


def relative_entropy(values: FloatArray, told_range: bool = False) -> FloatArray:
    """Whether the last 52 values have a distribution that was never seen before.

    C. Wang and others, "Statistical techniques for online anomaly detection in data centers",
    2011: 2·52·D(now‖then) in nats, against every distribution that was new in its time, by the χ²
    law of five bins at one in a hundred.

    Parameters
    ----------
    values : ndarray
        A stream, shape (n,).
    told_range : bool
        Whether the bins span the range of the whole stream, which the benchmark tells its
        detectors beforehand, and not that of the probation.

    Examples
    --------
    >>> relative_entropy(np.repeat([0.0, 1.0], 100), told_range=True).nonzero()[0][:2]
    array([ 51, 100])
    """
    from scipy.stats import chi2

    known = values if told_range else values[: max(probation(values.size), 1)]
    width = (known.max() - known.min()) / 5 or 1.0
    bins = np.clip((values - known.min()) // width, 0, 4).astype(np.int64)
    return _never_seen(bins, 5, 52, float(chi2.isf(0.01, 4)))


@compiled
def _never_seen(bins: IntArray, n_bins: int, window: int, limit: float) -> FloatArray:
    out = np.zeros(bins.size)
    counts, past, seen = np.zeros(n_bins), np.zeros((bins.size, n_bins)), 0
    for t in range(bins.size):
        counts[bins[t]] += 1.0
        if t >= window:
            counts[bins[t - window]] -= 1.0
        if t < window - 1:
            continue
        known = False
        for then in range(seen):
            g = 0.0
            for k in range(n_bins):
                if counts[k] > 0.0 and past[then, k] > 0.0:
                    g += 2.0 * counts[k] * math.log(counts[k] / past[then, k])
                elif counts[k] > 0.0:
                    g = math.inf
            known = known or g < limit
        if not known:
            past[seen] = counts
            seen += 1
            out[t] = 1.0
    return out


def z_scores(values: FloatArray) -> FloatArray:
    """Values as the Normalizer hands them on, in the band of the probation.

    Examples
    --------
    >>> z_scores(np.repeat([0.0, 1.0], 200))[[0, 199, 200]]
    array([0., 0., 4.])
    """
    first = values[: max(probation(values.size), 1)]
    low, high = float(first.min()), float(first.max())
    if low == high:  # a probation that stands still has no range
        low, high = low - 0.5, high + 0.5
    return normalize(values, NormalizerConfig(low=low, high=high))


def frames(values: FloatArray, window: int = 128, bins: int = 16) -> xr.Dataset:
    """What the Accountant of seed 003 measures along a stream, in the band of its probation.

    Parameters
    ----------
    values : ndarray
        A stream, shape (n,).
    window, bins : int
        As for :class:`entro_nb.accountant.AccountantConfig`.

    Returns
    -------
    xarray.Dataset
        As of :func:`entro_nb.account`.

    Examples
    --------
    >>> frames(np.repeat([0.0, 1.0], 200)).entropy.values[[150, 299]].round(2)
    array([0.  , 0.76])
    """
    return account(z_scores(values), AccountantConfig(window=window, bins=bins))


def accountant(
    values: FloatArray, quantity: str = "entropy", window: int = 128, bins: int = 16
) -> FloatArray:
    """What the Accountant of seed 003 says of a stream, one alarm in a tenth of it.

    H and its rates count by their distance from their own mean so far, in deviations; a class is
    an alarm where it is UNSTABLE.

    Parameters
    ----------
    values : ndarray
        A stream, shape (n,).
    quantity : {"entropy", "velocity", "acceleration", "stability"}
        What of a frame is looked at.
    window, bins : int
        As for :func:`frames`.

    Examples
    --------
    >>> np.flatnonzero(accountant(np.repeat([0.0, 1.0], 200)))[:1]
    array([200])
    """
    found = frames(values, window, bins)[quantity].values
    if quantity == "stability":
        return newest_record((found == Stability.UNSTABLE).astype(np.float64))
    return newest_record(windowed_gaussian(np.nan_to_num(found), window=values.size))


def newest_record(scores: FloatArray, share: float = 0.1) -> FloatArray:
    """Scores above all in the last `share` of the stream before them; 0 for the others.

    Examples
    --------
    >>> newest_record(np.array([1.0, 3.0, 2.0, 3.0, 4.0]), share=0.4)
    array([1., 3., 0., 0., 4.])
    """
    from scipy.ndimage import maximum_filter1d

    span = max(int(share * scores.size), 1)
    before = np.append(-np.inf, scores[:-1])
    # The filter is centred: moved so that it ends with the score before.
    highest = maximum_filter1d(before, span, origin=(span - 1) // 2, mode="constant", cval=-np.inf)
    return np.where(scores > highest, scores, 0.0)


def by_chance(values: FloatArray) -> FloatArray:
    """Scores that know nothing, the same for every stream of a length.

    Examples
    --------
    >>> by_chance(np.zeros(2)).round(2)
    array([0.26, 0.3 ])
    """
    return np.random.default_rng(values.size).random(values.size)


def surprising(values: FloatArray, alarms: bool = False) -> FloatArray:
    """Scores of :class:`entro_nb.Surprise`, or its alarms at the promise it comes with.

    Examples
    --------
    >>> x = np.append(np.random.default_rng(1).standard_normal(500), 9.0)
    >>> float(surprising(x)[-1]) > 10.0  # bits
    True
    """
    result: FloatArray = Surprise().judge(values)[ROWS.index("alarm" if alarms else "score")]
    return result


#: The Accountant with the window of the relative entropy.
_SHORT = functools.partial(accountant, window=52, bins=8)

#: Detectors by name.
DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {
        "surprise": surprising,
        "surprise, alarms as promised": functools.partial(surprising, alarms=True),
        "Gaussian of a window": windowed_gaussian,
        "relative entropy of a window": relative_entropy,
        "relative entropy, told the range": functools.partial(relative_entropy, told_range=True),
        "Accountant's H of 128": accountant,
        "Accountant's H′ of 128": functools.partial(accountant, quantity="velocity"),
        "Accountant's H″ of 128": functools.partial(accountant, quantity="acceleration"),
        "Accountant's class of 128": functools.partial(accountant, quantity="stability"),
        "Accountant's H of 52": _SHORT,
        "Accountant's H′ of 52": functools.partial(_SHORT, quantity="velocity"),
        "Accountant's H″ of 52": functools.partial(_SHORT, quantity="acceleration"),
        "Accountant's class of 52": functools.partial(_SHORT, quantity="stability"),
        "chance": by_chance,
    }
)


@validate.checked
def board(
    detectors: Mapping[str, Detector] = DETECTORS,
    limit: Limit | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Scores of detectors among the published ones, best first.

    Parameters
    ----------
    detectors : mapping
        Name to function, as for :func:`nab`.
    limit : float, optional
        As for :func:`score_nab`.
    progress : callable, optional
        Called with the number of streams done and in all, each stream once for every detector.

    Returns
    -------
    xarray.Dataset
        `score` over `detector`, `files` (all, odd, even) and `profile`; the benchmark publishes no
        scores of a half. `published` over `detector`: whether the benchmark has measured it.

    Examples
    --------
    >>> table = board({"mine": by_chance})
    >>> str(table.detector.values[1]), table.published.sel(detector="mine").item()
    ('ARTime', False)
    """
    known = scoreboard()[list(PROFILES)].to_numpy()
    halves = np.full((len(known), len(HALVES) - 1, len(PROFILES)), np.nan)
    scores = [*np.concatenate([known[:, None], halves], axis=1)]
    names = [*scoreboard().index, *detectors]
    total = len(detectors) * len(nab_corpus())
    for k, detector in enumerate(detectors.values()):

        def told(done: int, of: int, before: int = k) -> None:
            if progress is not None:
                progress(before * of + done, total)

        found = detect(detector, progress=told)
        scores.append(np.array([score_nab(found, half, limit).score for half in HALVES]))
    dims, axes = ("detector", "files", "profile"), (names, HALVES, PROFILES)
    published = np.arange(len(names)) < len(known)
    table = dataset(
        {
            "score": (dims, scores, "1", "score, of 100"),
            "published": ("detector", published, "1", "measured by the benchmark"),
        },
        coords={name: (list(at), "1") for name, at in zip(dims, axes, strict=True)},
        parameters=parameters_of(limit=limit),
        title="Numenta Anomaly Benchmark",
    )
    best_first = np.argsort(-table.score.values[:, 0, 0], kind="stable")
    return table.isel(detector=best_first)
