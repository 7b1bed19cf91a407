"""What a detector's scores are worth by the rules of the benchmark."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.benchmark.corpus import Files, LabelledStream, nab_corpus
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.results import dataset, parameters_of
from entro_nb.validate import Bounds, FloatArray

if TYPE_CHECKING:
    import xarray as xr

#: Scores of the values of one stream, larger is stranger; one that has a parameter `time` is
#: given the times as well.
Detector = Callable[..., npt.ArrayLike]


class Profile(NamedTuple):
    """What an application gains from a window found, and loses by each mistake."""

    found: float  #: for a window, the whole of it if the alarm comes with its first value
    false_alarm: float  #: the most that a value beyond the threshold outside a window costs
    missed: float  #: for a window without an alarm


#: The three profiles of the benchmark.
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "standard": Profile(1.0, 0.11, 1.0),
        "low_fp": Profile(1.0, 0.22, 1.0),
        "low_fn": Profile(1.0, 0.11, 2.0),
    }
)


#: An alarm limit; with infinity there is none, or nothing else.
Limit = Annotated[float, Bounds(infinite=True)]


def detect(
    detector: Detector, files: Files = "all", progress: Callable[[int, int], None] | None = None
) -> dict[str, FloatArray]:
    """Scores of a detector for the values of each stream, by name.

    Parameters
    ----------
    detector, files
        As for :func:`nab`.
    progress : callable, optional
        Called with the number of streams done and in all, after each.

    Raises
    ------
    ParameterError, DataError
        If a stream does not get as many finite scores as it has values; the stream is named.

    Examples
    --------
    >>> scores = detect(np.abs, ["artificialNoAnomaly/art_flatline.csv"])
    >>> scores["artificialNoAnomaly/art_flatline.csv"][:2]
    array([45., 45.])
    """
    if not callable(detector):
        raise ParameterTypeError("detector", detector, "a function from values to scores")
    timed = False
    with suppress(ValueError):  # a compiled function may not say what it takes
        timed = "time" in inspect.signature(detector).parameters
    streams, scores = nab_corpus(files), {}
    for name, stream in streams.items():
        # A copy: whoever writes to it spoils no other run.
        values, time = stream.values.copy(), stream.time.copy()
        try:
            found = detector(values, time=time) if timed else detector(values)
        except Exception as error:
            error.add_note(f"while scoring {name}")
            raise
        scores[name] = _scores_of(stream, found)
        if progress is not None:
            progress(len(scores), len(streams))
    return scores


def _scores_of(stream: LabelledStream, scores: npt.ArrayLike) -> FloatArray:
    array = np.asarray(scores)
    if array.dtype == bool:  # alarms are scores of 0 and 1
        array = array.astype(np.float64)
    return validate.finite_array(f"scores of {stream.name}", array, shape=stream.values.shape)


@validate.checked
def nab(detector: Detector, files: Files = "all", limit: Limit | None = None) -> xr.Dataset:
    """Score of a detector on the Numenta Anomaly Benchmark.

    Parameters
    ----------
    detector : callable
        Function from the values of a stream, shape (n,), to n finite scores, larger is stranger;
        each from its value and earlier ones only, which cannot be checked here. If it has a
        parameter `time`, it is given the times too. True and False are scores of 1 and 0.
    files, limit
        As for :func:`score_nab`.

    Returns
    -------
    xarray.Dataset
        As :func:`score_nab`.

    Raises
    ------
    ParameterError, DataError
        If a stream does not get as many finite scores as it has values; the stream is named.

    Examples
    --------
    >>> def jump(values):
    ...     return np.abs(np.diff(values, prepend=values[0]))
    >>> found = nab(jump, files=["realTweets/Twitter_volume_AAPL.csv"])
    >>> found.score.values.round(1), found.found.values.ravel(), found.windows.values
    (array([68.1, 42.5, 78.7]), array([4, 2, 4]), array([4]))
    """
    return score_nab(detect(detector, files), files, limit)


@validate.checked
def score_nab(
    scores: Mapping[str, npt.ArrayLike], files: Files = "all", limit: Limit | None = None
) -> xr.Dataset:
    """Score of given anomaly scores, by the rules of the Numenta Anomaly Benchmark.

    With σ(y) = 2/(1 + e^{5y}) − 1, a window of w values that ends at r and whose first alarm is at
    i earns tp·σ(−(r − i + 1)/w)/σ(−1); a window without one costs fn; *every* value beyond the
    threshold outside the windows costs fp·|σ((i − r)/(w − 1))| by the window before it, or fp where
    that exceeds 3 or there was none. The sum is told as 100·(raw − null)/(perfect − null): 0 for no
    alarm at all, 100 for one with the first value of every window. Nothing counts in the probation.

    Parameters
    ----------
    scores : mapping
        Name of a stream to the scores of its values, larger is stranger.
    files : {"all", "odd", "even"}, names of files, or mapping
        Streams to score, as for :func:`nab_corpus`; a subset is measured by its own windows.
    limit : float, optional
        Scores of at least this are alarms, fixed beforehand. Without it each profile has the one
        threshold for all streams that gives it the best score, as all published scores have.

    Returns
    -------
    xarray.Dataset
        Over `profile`: `score` and `threshold` (infinity where no alarm at all is best). Over
        `profile` and `file`: `points` (which sum to the score), `found` (windows with an alarm),
        `false_alarms` (values beyond the threshold outside windows). Over `file`: `windows`,
        `counted` (values after the probation).

    Raises
    ------
    ParameterError, DataError
        If a stream has no scores, or not as many finite ones as it has values; if no stream has a
        window.

    Examples
    --------
    >>> stream = LabelledStream("mine", np.arange(20).astype("datetime64[h]"), np.zeros(20),
    ...                         (range(10, 15),))
    >>> found = score_nab({"mine": np.arange(20) == 12}, {"mine": stream})
    >>> found.score.values.round(1), found.found.values.ravel()
    (array([95.9, 95.9, 97.2]), array([1, 1, 1]))
    """
    streams = nab_corpus(files)
    for name in streams:
        if name not in scores:
            raise ParameterError("scores", sorted(scores), f"scores of {name}")
    counted = {name: _scores_of(s, scores[name])[s.probation :] for name, s in streams.items()}
    worth = {name: _worth(stream) for name, stream in streams.items()}
    windows = [len(w.windows) for w in worth.values()]
    if not sum(windows):
        raise DataError("files", list(streams), "streams with a window after the probation")
    if limit is None:
        thresholds = _best_thresholds(list(counted.values()), list(worth.values()))
    else:
        thresholds = [limit] * len(PROFILES)

    shape = (len(PROFILES), len(streams))
    points, found, false = np.empty(shape), np.empty(shape, np.int64), np.empty(shape, np.int64)
    for k, (profile, threshold) in enumerate(zip(PROFILES.values(), thresholds, strict=True)):
        perfect = (profile.found + profile.missed) * sum(windows)
        for j, name in enumerate(streams):
            alarms, w = counted[name] >= threshold, worth[name]
            best = np.array([np.max(w.credit[v], initial=0, where=alarms[v]) for v in w.windows])
            found[k, j] = np.count_nonzero(best)
            false[k, j] = np.count_nonzero(alarms & (w.cost > 0))
            won = profile.found * best.sum() + profile.missed * found[k, j]
            points[k, j] = 100.0 * (won - profile.false_alarm * w.cost[alarms].sum()) / perfect
    both = ("profile", "file")
    return dataset(
        {
            "score": ("profile", points.sum(axis=1), "1", "score, of 100"),
            "threshold": ("profile", thresholds, "1", "score from which on a value is an alarm"),
            "points": (both, points, "1", "what a stream adds to the score"),
            "found": (both, found, "windows", "windows with an alarm"),
            "false_alarms": (both, false, "samples", "alarms outside windows"),
            "windows": ("file", windows, "windows", "windows that count"),
            "counted": ("file", [len(c) for c in counted.values()], "samples", "values that count"),
        },
        coords={"profile": (list(PROFILES), "1"), "file": (list(streams), "1")},
        parameters=parameters_of(limit=limit),
        title="Numenta Anomaly Benchmark",
    )


def standing(
    scores: FloatArray, stream: LabelledStream, stretches: Iterable[range] | None = None
) -> FloatArray:
    """Share of the other stretches of a stream whose scores peak lower than those of a stretch.

    Compared are all stretches as long that touch no window; one that peaks as high counts half.
    What knows nothing of the stretches comes to ½ on average, whatever its scale, its memory, and
    how often it alarms.

    Parameters
    ----------
    scores : ndarray
        Scores of the values, larger is stranger, shape (n,).
    stream : LabelledStream
        The stream; nothing counts in its probation.
    stretches : iterable of range, optional
        Places of the values in each; the windows if not given.

    Returns
    -------
    ndarray
        One share for each stretch; NaN where nothing of it is left after the probation, or
        nothing to compare with.

    Examples
    --------
    >>> stream = LabelledStream("mine", np.arange(20).astype("datetime64[h]"), np.zeros(20),
    ...                         (range(10, 12),))
    >>> standing(np.append(np.zeros(11), np.arange(9.0)), stream).round(2)  # 6 of 13 are as low
    array([0.23])
    """
    scores = _scores_of(stream, scores)
    clear = np.arange(scores.size) >= stream.probation
    for window in stream.windows:
        clear[window.start : window.stop] = False
    shares = []
    for stretch in stream.windows if stretches is None else stretches:
        counted = scores[max(stretch.start, stream.probation) : max(stretch.stop, 0)]
        peaks = _peaks(np.where(clear, scores, np.inf), counted.size)
        others = peaks[np.isfinite(peaks)]
        share = math.nan
        if counted.size and others.size:
            peak = counted.max()
            share = 0.5 * float(np.mean(others < peak) + np.mean(others <= peak))
        shares.append(share)
    return np.array(shares)


def _peaks(scores: FloatArray, length: int) -> FloatArray:
    """Highest score of every stretch of a length."""
    from scipy.ndimage import maximum_filter1d

    if length == 0:
        return np.empty(0)
    highest: FloatArray = maximum_filter1d(scores, length, origin=-(length // 2))
    return highest[: scores.size - length + 1]


class _Worth(NamedTuple):
    """What an alarm at each value after the probation is worth."""

    windows: list[slice]  #: the windows that have such values
    credit: FloatArray  #: share of a window found that is earned by an alarm here, above 0
    cost: FloatArray  #: share of a false alarm's cost; 0 within windows


def _worth(stream: LabelledStream) -> _Worth:
    """Credit and cost of an alarm at each value, from the stream's windows alone."""
    start, place = stream.probation, np.arange(len(stream.values))
    credit, cost = np.zeros(place.size), np.ones(place.size)
    ends = [*(w.start for w in stream.windows), place.size][1:]
    for window, end in zip(stream.windows, ends, strict=True):
        w, last = len(window), window.stop - 1
        inside, after = slice(window.start, window.stop), slice(window.stop, end)
        credit[inside] = _sigma((place[inside] - last - 1) / w) / _sigma(-1.0)
        cost[inside] = 0.0
        # A window of one value has no length to measure the distance by: full cost.
        y = (place[after] - last) / (w - 1) if w > 1 else np.inf
        cost[after] = np.where(y > 3.0, 1.0, -_sigma(np.minimum(y, 3.0)))
    shifted = ((max(w.start - start, 0), w.stop - start) for w in stream.windows)
    windows = [slice(first, stop) for first, stop in shifted if stop > 0]
    return _Worth(windows, credit[start:], cost[start:])


def _sigma(y: Any) -> Any:
    """Worth of an alarm by its place y: 1 long before the end of a window, 0 at it, −1 after."""
    return 2.0 / (1.0 + np.exp(5.0 * y)) - 1.0


def _best_thresholds(scores: list[FloatArray], worth: list[_Worth]) -> list[float]:
    """Threshold for each profile with the best score over all streams.

    Lowered past one value after the other, the threshold changes the score by what that value
    adds: its cost, or what it earns more than the best of its window before it.
    """
    gains, news = [], []
    for given, w in zip(scores, worth, strict=True):
        credit, new = np.zeros(given.size), np.zeros(given.size)
        for window in w.windows:
            order = window.start + np.argsort(-given[window], kind="stable")
            best = np.maximum.accumulate(w.credit[order])
            credit[order] = np.diff(best, prepend=0.0)
            new[order[0]] = 1.0
        gains.append(credit)
        news.append(new)
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")
    falling = every[order]
    credit, new = np.concatenate(gains)[order], np.concatenate(news)[order]
    cost = np.concatenate([w.cost for w in worth])[order]
    # Equal scores are alarms together: only after the last of them is there a threshold.
    last = np.append(falling[1:] != falling[:-1], True)
    thresholds = []
    for profile in PROFILES.values():
        won = np.cumsum(profile.found * credit + profile.missed * new - profile.false_alarm * cost)
        top = int(np.argmax(won[last]))
        thresholds.append(float(falling[last][top]) if won[last][top] > 0.0 else math.inf)
    return thresholds
