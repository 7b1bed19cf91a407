"""The classical detectors that a reviewer asks for, at the same mean run length.

Uniqueness of Shannon entropy (Khinchin) says what to measure if one measures uncertainty; it
says nothing about how soon a change is noticed. That has to be measured, against the control
charts made for it, with every alarm limit set for the same mean run length between false alarms.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import numpy as np

from entro_nb import validate
from entro_nb.accountant.accountant import account
from entro_nb.accountant.calibration import lowest_limit
from entro_nb.accountant.frame import AccountantConfig, Thresholds
from entro_nb.entropy import expected_plugin
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.surprise import ROWS, Surprise, SurpriseConfig
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, Seed

if TYPE_CHECKING:
    import xarray as xr


@compiled
def _ewma(x: FloatArray) -> FloatArray:
    # Roberts 1959: λ = 0.1, at its steady-state deviation √(λ/(2 − λ)).
    out, level = np.empty(x.size), 0.0
    for t in range(x.size):
        level += 0.1 * (x[t] - level)
        out[t] = abs(level) / math.sqrt(0.1 / 1.9)
    return out


@compiled
def _two_sided(above: FloatArray, below: FloatArray) -> FloatArray:
    # Page 1954: evidence for either change adds up, and begins again where it falls below zero.
    out, up, down = np.empty(above.size), 0.0, 0.0
    for t in range(above.size):
        up = max(0.0, up + above[t])
        down = max(0.0, down + below[t])
        out[t] = max(up, down)
    return out


def _cusum(x: FloatArray) -> FloatArray:
    # Tuned to a shift of one deviation: reference value ½.
    return _two_sided(x - 0.5, -x - 0.5)


def _page_hinkley(x: FloatArray) -> FloatArray:
    # Deviation from the running mean instead of a known one, tolerance ¼.
    away = x - np.cumsum(x) / np.arange(1.0, x.size + 1.0)
    return _two_sided(away - 0.25, -away - 0.25)


def _variance_cusum(x: FloatArray) -> FloatArray:
    # Likelihood ratio of deviation 2 against 1, and of ½ against 1.
    return _two_sided(0.375 * x**2 - math.log(2.0), math.log(2.0) - 1.5 * x**2)


@compiled
def _adaptive_window(x: FloatArray) -> FloatArray:
    # What ADWIN (Bifet and Gavaldà 2007) compares with its bound: the difference of the means on
    # the two sides of a cut, in its own deviations, at the worst of the cuts of the last 256.
    out = np.empty(x.size)
    sums = np.zeros(x.size + 1)
    for t in range(x.size):
        sums[t + 1] = sums[t] + x[t]
        worst = 0.0
        start = max(0, t + 1 - 256)
        for k in range(3, 8):
            for recent in (2**k, 3 * 2 ** (k - 1)):
                before = t + 1 - recent - start
                if before < 8:
                    continue
                now = (sums[t + 1] - sums[t + 1 - recent]) / recent
                then = (sums[t + 1 - recent] - sums[start]) / before
                worst = max(worst, abs(now - then) / math.sqrt(1.0 / recent + 1.0 / before))
        out[t] = worst
    return out


#: Alarm statistics of the classical detectors, for samples that are standard normal before the
#: change: larger is worse. Each is written for what it was invented for.
DETECTORS: Mapping[str, Callable[[FloatArray], FloatArray]] = MappingProxyType(
    {
        "Shewhart": np.abs,
        "EWMA": _ewma,
        "CUSUM": _cusum,
        "Page–Hinkley": _page_hinkley,
        "variance CUSUM": _variance_cusum,
        "ADWIN's cut": _adaptive_window,
    }
)


def _score(x: FloatArray) -> FloatArray:
    score: FloatArray = Surprise().judge(x)[ROWS.index("score")]
    return score


def _evidence(x: FloatArray) -> FloatArray:
    # With the rarest of promises, so that hardly any alarm comes and nothing is begun anew.
    monitor = Surprise(SurpriseConfig(changes=True, promise=1e9))
    evidence: FloatArray = monitor.judge(x)[ROWS.index("evidence")]
    return evidence


#: Detectors that are told nothing of the law before the change: they learn it from the samples.
#: Both are in bits, and log₂ of a run length is the limit that promises it to the evidence,
#: whatever the law.
LEARNING: Mapping[str, Callable[[FloatArray], FloatArray]] = MappingProxyType(
    {"surprise": _score, "evidence": _evidence}
)

#: The quantities of the Accountant, each as an alarm statistic of its own.
ENTROPY = ("H", "H′", "H″", "H‴")


def statistic(name: str, x: FloatArray, config: AccountantConfig | None = None) -> FloatArray:
    """Alarm statistic of one detector along a stream of standardised samples.

    Parameters
    ----------
    name : str
        A classical detector of :data:`DETECTORS`; one of H, H′, H″, H‴ of the Accountant:
        |H − E[H]| under a standard normal input, or the modulus of the rate; or of a
        :class:`~entro_nb.Surprise` the "surprise", its score, or the "evidence" against chance
        of its alarms, of changes too. The others are told the law before the change, these two
        learn it from the samples.
    x : ndarray
        Samples, shape (time,).
    config : AccountantConfig, optional
        Window and bins of the entropy.

    Returns
    -------
    ndarray
        The statistic, shape (time,); 0 where it is not yet defined.

    Examples
    --------
    >>> statistic("CUSUM", np.array([1.0, 1.0, -3.0]))
    array([0.5, 1. , 2.5])
    """
    name = validate.choice("detector", name, [*DETECTORS, *LEARNING, *ENTROPY])
    x = validate.finite_array("x", x, ndim=1)
    if name not in ENTROPY:
        return DETECTORS[name](x) if name in DETECTORS else LEARNING[name](x)
    config = AccountantConfig() if config is None else config
    ds = account(x, without_alarms(config))
    row = ("entropy", "velocity", "acceleration", "jerk")[ENTROPY.index(name)]
    value: FloatArray = np.abs(ds[row].values - (mean_entropy(config) if row == "entropy" else 0))
    return np.where(ds.confidence.values < 1, 0.0, value)


def without_alarms(config: AccountantConfig) -> AccountantConfig:
    """The same configuration without alarms of its own."""
    return replace(config, thresholds=Thresholds.never())


@functools.cache
def mean_entropy(config: AccountantConfig) -> float:
    """Mean of the Accountant's H for standard normal samples, exactly, in bits."""
    from scipy.stats import norm

    edges = np.linspace(config.low, config.high, config.bins + 1)
    edges[0], edges[-1] = -np.inf, np.inf
    return expected_plugin(np.diff(norm.cdf(edges)), config.window)


@validate.checked
def limit_for(
    name: str,
    run_length: Annotated[float, Bounds(10.0)],
    config: AccountantConfig | None = None,
    *,
    warm_up: int = 256,
    runs: Count = 400,
    seed: Seed = 0,
) -> float:
    """Alarm limit of a detector for a mean run length between false alarms.

    Parameters
    ----------
    name : str
        As for :func:`statistic`.
    run_length : float
        Mean number of samples from the end of the warm-up to the first false alarm.
    config : AccountantConfig, optional
        Window and bins of the entropy.
    warm_up : int
        Samples before alarms count, so that every detector starts in its steady state.
    runs : int
        Simulated runs of four times the run length.
    seed : int
        Seed of the simulation.

    Returns
    -------
    float

    Examples
    --------
    >>> 2.9 < limit_for("Shewhart", 370.4) < 3.1  # the textbook's three deviations
    True
    """
    rng = np.random.default_rng(seed)
    frames = int(4 * run_length)
    peaks = np.empty((runs, frames))
    for run in range(runs):
        x = rng.standard_normal(warm_up + frames)
        peaks[run] = np.maximum.accumulate(statistic(name, x, config)[warm_up:])

    def passage(limit: float) -> IntArray:
        first: IntArray = 1 + (peaks <= limit).sum(axis=1)
        return first

    return lowest_limit(peaks[:, -1], passage, frames, run_length)


def detection_delays(
    streams: Sequence[FloatArray],
    change: int,
    limits: Mapping[str, float],
    config: AccountantConfig | None = None,
) -> xr.Dataset:
    """Samples from a change to the first alarm after it, for several detectors.

    Parameters
    ----------
    streams : sequence of ndarray
        Streams of equal length that change at the same sample.
    change : int
        First sample after the change.
    limits : mapping
        Detector to alarm limit (see :func:`limit_for`).
    config : AccountantConfig, optional
        Window and bins of the entropy.

    Returns
    -------
    xarray.Dataset
        `delay` over detector and replicate, in samples; NaN where no alarm came before the end.
        Alarms before the change are not looked at: that is what the run length is for.

    Raises
    ------
    ParameterError
        If the change lies outside the streams.

    Examples
    --------
    >>> x = np.concatenate([np.zeros(300), np.full(100, 5.0)])
    >>> detection_delays([x], 300, {"Shewhart": 3.0}).delay.values
    array([[0.]])
    """
    length = validate.same_length(**{f"stream {k}": x for k, x in enumerate(streams)})
    change = validate.integer("change", change, 1, length - 1)
    delay = np.full((len(limits), len(streams)), np.nan)
    for i, (name, limit) in enumerate(limits.items()):
        for k, x in enumerate(streams):
            alarms = np.flatnonzero(statistic(name, x, config)[change:] > limit)
            if alarms.size:
                delay[i, k] = alarms[0]
    return dataset(
        {"delay": (("detector", "replicate"), delay, "samples", "delay to the first alarm")},
        coords={"detector": (list(limits), "1"), "replicate": "1"},
        parameters=parameters_of(change=change),
        title="Detection delays",
    )
