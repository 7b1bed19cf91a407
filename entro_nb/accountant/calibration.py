"""Thresholds that promise a mean run length between false alarms, and keep it.

A false alarm is a frame that is not STABLE while nothing has changed. The run length is the
number of frames from the first with full confidence to the first false alarm, as in the
control-chart literature (average run length, ARL₀). Monte-Carlo over independent paths gives
it for every threshold at once: only the successive maxima of each quantity along a path matter.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.resources import files
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.accountant.frame import AccountantConfig, Thresholds
from entro_nb.accountant.measure import (
    LabelArray,
    Rule,
    State,
    bins_for,
    cold_state,
    measure,
    rule_of,
)
from entro_nb.entropy import Bins
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, Seed

#: One false alarm in this many frames, unless asked otherwise: one in 2¾ hours at a frame a second.
RUN_LENGTH = 10_000.0
#: Frames simulated on the fly for parameters that have no stored thresholds (about 50 ms).
QUICK_FRAMES = 1_000_000
#: Quantities with a limit, each on its upper side: −H, H, |H′|, |H″|, |H‴|.
_LIMITED = 5
#: A running maximum is broken about ln(frames) times along a path, never this often.
_RECORDS = 96


class Undisturbed(NamedTuple):
    """A stream in which nothing changes, and what measures it."""

    state: State
    bins: Bins
    rule: Rule
    reference: FloatArray  #: values to draw from with replacement; without any: standard normal
    rng: np.random.Generator


@compiled
def _measured(stream: Undisturbed, x: FloatArray, out: FloatArray, labels: LabelArray) -> None:
    """Draw as many independent samples as `x` has room for, and measure them."""
    reference, rng = stream.reference, stream.rng
    for t in range(x.size):
        if reference.size == 0:
            x[t] = rng.standard_normal()
        else:
            x[t] = reference[int(rng.random() * reference.size)]
    measure(x, stream.state, stream.bins, stream.rule, out, labels)


@compiled
def _maxima(frames: int, stream: Undisturbed, when: IntArray, height: FloatArray) -> None:
    """Times and heights of the successive maxima of each quantity along one path."""
    warm_up = stream.state.ring.size + 4
    x, out, labels = np.empty(warm_up), np.empty((6, warm_up)), np.empty(warm_up, np.int8)
    _measured(stream, x, out, labels)
    size = np.zeros(5, np.int64)
    best = np.full(5, -np.inf)
    start = 0
    while start < frames:
        length = min(warm_up, frames - start)
        _measured(stream, x[:length], out, labels)
        for t in range(length):
            for k in range(5):
                value = -out[0, t] if k == 0 else (out[0, t] if k == 1 else abs(out[k, t]))
                if value > best[k]:
                    best[k] = value
                    if size[k] < when.shape[1]:
                        when[k, size[k]] = start + t + 1
                        height[k, size[k]] = value
                        size[k] += 1
        start += length


def _simulate(
    config: AccountantConfig, reference: FloatArray, paths: int, frames: int, seed: int
) -> tuple[IntArray, FloatArray]:
    """Records of all paths, shapes (paths, quantities, records); unused slots are at infinity."""
    rng = np.random.default_rng(seed)
    when = np.full((paths, _LIMITED, _RECORDS), np.iinfo(np.int64).max)
    height = np.full((paths, _LIMITED, _RECORDS), np.inf)
    bins, rule = bins_for(config), rule_of(config, Thresholds.never())
    for path in range(paths):
        stream = Undisturbed(cold_state(config), bins, rule, reference, rng)
        _maxima(frames, stream, when[path], height[path])
    return when, height


def _first_passage(when: IntArray, height: FloatArray, limit: float) -> IntArray:
    """Frame at which each path first exceeds a limit; the largest integer if it never does."""
    first = np.argmax(height > limit, axis=-1)
    return np.take_along_axis(when, first[..., None], axis=-1)[..., 0]


def _mean_run_length(passage: IntArray, frames: int) -> float:
    """Frames at risk over alarms: the maximum-likelihood mean of a run cut off at `frames`."""
    alarms = int((passage <= frames).sum())
    return float(np.minimum(passage, frames).sum()) / alarms if alarms else math.inf


def lowest_limit(
    levels: FloatArray, passage: Callable[[float], IntArray], frames: int, run_length: float
) -> float:
    """Lowest of some alarm limits whose mean run length between false alarms is long enough.

    Parameters
    ----------
    levels : ndarray
        Limits to choose from; beyond the highest there is no alarm at all.
    passage : callable
        First alarm of each simulated path at a limit, as a number of frames; beyond `frames` if
        there is none.
    frames : int
        Length of the paths.
    run_length : float
        Mean run length wanted.

    Examples
    --------
    >>> paths = np.array([[1.0, 3.0, 2.0, 5.0], [2.0, 1.0, 4.0, 1.0]])
    >>> def passage(limit):
    ...     return 1 + np.argmax(np.c_[paths, [9.0, 9.0]] > limit, axis=1)
    >>> lowest_limit(paths.ravel(), passage, frames=4, run_length=3.0)
    3.0
    """
    levels = np.unique(levels)
    low, high = 0, levels.size - 1
    while low < high:
        middle = (low + high) // 2
        if _mean_run_length(passage(float(levels[middle])), frames) >= run_length:
            high = middle
        else:
            low = middle + 1
    return float(levels[low])


@validate.checked
def calibrate(
    config: AccountantConfig | None = None,
    run_length: Annotated[float, Bounds(50.0)] = RUN_LENGTH,
    *,
    reference: npt.ArrayLike | None = None,
    precision: Annotated[float, Bounds(0.0, 0.5, open_low=True)] = 0.02,
    seed: Seed = 0,
) -> Thresholds:
    """Thresholds with a promised mean run length between false alarms.

    Each of H below, H above, |H′|, |H″|, |H‴| gets the same share of the false alarms; the
    shares are set so that frames of any class but STABLE begin once in `run_length`.

    Parameters
    ----------
    config : AccountantConfig, optional
        Window, bins, edges and derivative window to calibrate for.
    run_length : float
        Mean number of frames from full confidence to the first false alarm, at least 50.
    reference : array_like, optional
        Values of the stream while nothing is wrong; independent draws from them stand for its
        undisturbed state. Without them: standard normal values, what the Normalizer aims at.
    precision : float
        Relative standard error of the run length wanted, in (0, 0.5]. Time goes with its
        inverse square: at the default about 2 s for a run length of 10 000.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Thresholds

    Raises
    ------
    ParameterError, DataError
        If a parameter is outside its range or `reference` is empty or not finite.

    Notes
    -----
    Independence is the assumption to watch: where neighbouring values are alike, entropy is
    more stable than under independence at first and less so later, and the promise is off.

    Examples
    --------
    >>> config = AccountantConfig(window=32, bins=8, derivative_window=8)
    >>> limits = calibrate(config, run_length=500, precision=0.1)
    >>> limits.run_length, limits.entropy_low < limits.entropy_high
    (500.0, True)
    """
    config = AccountantConfig() if config is None else config
    paths = math.ceil(1 / (precision**2 * (1 - math.exp(-2))))
    return _calibrated(config, run_length, _sample(reference), paths, seed)


def _calibrated(
    config: AccountantConfig, run_length: float, reference: FloatArray, paths: int, seed: int
) -> Thresholds:
    # Paths of twice the run length: six in seven end in an alarm.
    frames = int(2 * run_length)
    when, height = _simulate(config, reference, paths, frames, seed)

    def limits_at(each: float) -> tuple[list[float], float, int]:
        limits, passages = [], []
        for k in range(_LIMITED):
            passage = functools.partial(_first_passage, when[:, k], height[:, k])
            levels = height[:, k][np.isfinite(height[:, k])]
            limits.append(lowest_limit(levels, passage, frames, each))
            passages.append(passage(limits[k]))
        joint = np.min(passages, axis=0)
        return limits, _mean_run_length(joint, frames), int((joint <= frames).sum())

    # Were the five independent, each would get five times the run length; they are not.
    low, high = math.log(run_length), math.log(run_length * _LIMITED * 4)
    for _ in range(24):
        middle = (low + high) / 2
        if limits_at(math.exp(middle))[1] >= run_length:
            high = middle
        else:
            low = middle
    (below, above, velocity, acceleration, jerk), _, alarms = limits_at(math.exp(high))
    error = round(1 / math.sqrt(max(alarms, 1)), 4)
    return Thresholds(-below, above, velocity, acceleration, jerk, run_length, error)


@validate.checked
def run_lengths(
    config: AccountantConfig,
    thresholds: Thresholds,
    *,
    reference: npt.ArrayLike | None = None,
    runs: Count = 1000,
    longest: Count = 1_000_000,
    seed: Seed = 1,
) -> FloatArray:
    """Run lengths to the first false alarm, simulated to the end: the check of a calibration.

    Parameters
    ----------
    config : AccountantConfig
        What is measured.
    thresholds : Thresholds
        The limits under test.
    reference : array_like, optional
        As for :func:`calibrate`.
    runs : int
        Number of independent runs.
    longest : int
        Frames after which a run is given up, and counted with that length.
    seed : int
        Seed; use another than the calibration's.

    Returns
    -------
    ndarray
        Frames to the first alarm, shape (runs,).

    Examples
    --------
    >>> config = AccountantConfig(window=32, bins=8, derivative_window=8)
    >>> limits = calibrate(config, run_length=500, precision=0.05)
    >>> bool(400 < run_lengths(config, limits, runs=400).mean() < 600)
    True
    """
    rng, sample = np.random.default_rng(seed), _sample(reference)
    bins, rule = bins_for(config), rule_of(config, thresholds)
    streams = (Undisturbed(cold_state(config), bins, rule, sample, rng) for _ in range(runs))
    return np.fromiter((_run_length(longest, stream) for stream in streams), float, runs)


def _sample(reference: npt.ArrayLike | None) -> FloatArray:
    """Values to draw from; none stand for the normal distribution."""
    if reference is None:
        return np.empty(0)
    return validate.finite_array("reference", reference, ndim=1)


@compiled
def _run_length(longest: int, stream: Undisturbed) -> int:
    warm_up = stream.state.ring.size + 4
    x, out, labels = np.empty(warm_up), np.empty((6, warm_up)), np.empty(warm_up, np.int8)
    _measured(stream, x, out, labels)
    for t in range(longest):
        _measured(stream, x[:1], out, labels)
        if labels[0] > 1:
            return t + 1
    return longest


def default_thresholds(config: AccountantConfig) -> Thresholds:
    """Thresholds for a standard normal input: stored ones, or a quick calibration.

    The stored ones say how they were made (by a maintainers' tool); parameters without a stored
    entry are calibrated on the fly with about a tenth of the precision.

    Examples
    --------
    >>> default_thresholds(AccountantConfig()).run_length
    10000.0
    """
    return _default(replace(config, thresholds=None))


@functools.lru_cache(maxsize=256)
def _default(config: AccountantConfig) -> Thresholds:
    key = key_of(config)
    if (entry := stored()["thresholds"].get(key)) is not None:
        return Thresholds(**entry)
    warm_up = config.window + 4
    paths = max(4, QUICK_FRAMES // (int(2 * RUN_LENGTH) + warm_up))
    return _calibrated(config, RUN_LENGTH, np.empty(0), paths, seed=0)


def key_of(config: AccountantConfig) -> str:
    """Name under which the thresholds of a configuration are stored."""
    content: dict[str, Any] = asdict(config)
    del content["thresholds"]
    return " ".join(f"{name}={value:g}" for name, value in content.items())


@functools.cache
def stored() -> dict[str, Any]:
    """Thresholds that come with the package, with how they were made."""
    text = files("entro_nb.accountant").joinpath("thresholds.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
