"""The compiled step of the Accountant: counts, entropy, derivatives, class.

One loop measures a stretch of samples and leaves its state behind. A single sample is a stretch
of one, so `Accountant.process`, `account` and the calibration are the same code, and the same
numbers.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb.accountant.frame import AccountantConfig, Thresholds
from entro_nb.entropy import Bins, Place, bins_of, differentiate, push, resolution
from entro_nb.many import Arrays
from entro_nb.results import compiled, unlocked
from entro_nb.validate import FloatArray, IntArray

LabelArray = npt.NDArray[np.int8]

#: What each row of a measurement holds, by its column of the frames.
ROWS = ("entropy", "esi", "velocity", "acceleration", "jerk", "confidence")


class State(NamedTuple):
    """Everything an Accountant remembers: O(window + bins) numbers."""

    counts: IntArray  #: (bins,) samples in each bin
    ring: IntArray  #: (window,) bin of each sample held
    history: IntArray  #: (derivative window,) recent entropies in fixed point
    places: IntArray  #: (2, 3) where the two ring buffers stand
    previous: FloatArray  #: (2,) last velocity and acceleration


class Rule(NamedTuple):
    """Constants of the measurement beside the bins."""

    ceiling: float  #: log₂ bins, the largest H
    step: float  #: bits per fixed-point step of the history
    low: float  #: limits of the classes, as in Thresholds
    high: float
    velocity: float
    acceleration: float
    jerk: float


def cold_state(config: AccountantConfig) -> State:
    """State before the first sample."""
    return State(
        np.zeros(config.bins, np.int64),
        np.zeros(config.window, np.int64),
        np.zeros(config.derivative_window, np.int64),
        np.zeros((2, 3), np.int64),
        np.full(2, np.nan),
    )


def rule_of(config: AccountantConfig, limits: Thresholds) -> Rule:
    """Constants for a configuration and the limits of its classes."""
    ceiling = math.log2(config.bins)
    step = resolution(config.derivative_window, ceiling)
    return Rule(ceiling, step, *astuple(limits)[:5])


def bins_for(config: AccountantConfig) -> Bins:
    """Constants of the histogram for a configuration."""
    return bins_of(config.window, config.bins, config.low, config.high)


@compiled
def classify(
    h: float, velocity: float, acceleration: float, jerk: float, rule: Rule, share: float
) -> int:
    """Stability class of a frame whose window is filled to a share: the gravest limit exceeded.

    The limits are those of a full window. Until it is, the entropy of few samples is low and
    rough and climbs of itself: every limit is 1/share² times as wide, the band downwards.
    """
    width = 1.0
    low = rule.low
    if share < 1.0:
        width = 1.0 / (share * share)
        low -= (rule.high - rule.low) * (width - 1.0)
    if h < low or h > rule.high:
        return 5
    if abs(velocity) > width * rule.velocity:
        return 4
    if abs(acceleration) > width * rule.acceleration:
        return 3
    if abs(jerk) > width * rule.jerk:
        return 2
    return 1


@compiled
def measure(
    x: FloatArray, state: State, bins: Bins, rule: Rule, out: FloatArray, labels: LabelArray
) -> None:
    """Measure samples in order, from a state and into it.

    Rows of `out` are those of `ROWS`: H, ESI, H′, H″, H‴ and confidence; a rate not yet available
    is NaN.
    """
    counts, ring, history, places, previous = state
    window = Place(places[0, 0], places[0, 1], places[0, 2])
    trend = Place(places[1, 0], places[1, 1], places[1, 2])
    velocity, acceleration = previous[0], previous[1]
    for t in range(x.size):
        h, window = push(x[t], counts, ring, window, bins)
        velocity, acceleration, jerk, trend = differentiate(
            h, history, trend, velocity, acceleration, rule.step
        )
        out[0, t] = h
        out[1, t] = h / rule.ceiling
        out[2, t] = velocity
        out[3, t] = acceleration
        out[4, t] = jerk
        share = window.held / ring.size
        if trend.held >= 4:
            out[5, t] = share
            labels[t] = classify(h, velocity, acceleration, jerk, rule, share)
        else:
            out[5, t] = share * (trend.held / 4)
            labels[t] = 0
    places[0, 0], places[0, 1], places[0, 2] = window.slot, window.held, window.total
    places[1, 0], places[1, 1], places[1, 2] = trend.slot, trend.held, trend.total
    previous[0], previous[1] = velocity, acceleration


@compiled
def measure_arrays(
    x: FloatArray,
    counts: IntArray, ring: IntArray, history: IntArray, places: IntArray, previous: FloatArray,
    edges: FloatArray, table: IntArray, constants: FloatArray,
    out: FloatArray, labels: LabelArray,
) -> None:  # fmt: skip
    """`measure` for Python: plain arrays cross over in a third of the time of tuples."""
    state = State(counts, ring, history, places, previous)
    c = constants
    bins = Bins(edges, table, c[0], c[1])
    rule = Rule(c[2], c[3], c[4], c[5], c[6], c[7], c[8])
    measure(x, state, bins, rule, out, labels)


@unlocked
def measure_streams(
    x: FloatArray,
    counts: IntArray, ring: IntArray, history: IntArray, places: IntArray, previous: FloatArray,
    edges: FloatArray, table: IntArray, constants: FloatArray,
    rows: tuple[FloatArray, ...], labels: LabelArray,
) -> None:  # fmt: skip
    """`measure_arrays` for each of many streams, the first axis of all but the constants."""
    out = np.empty((len(rows), x.shape[1]))
    for s in range(x.shape[0]):
        measure_arrays(
            x[s], counts[s], ring[s], history[s], places[s], previous[s],
            edges, table, constants, out, labels[s],
        )  # fmt: skip
        for k in range(len(rows)):
            rows[k][s] = out[k]


@dataclass(frozen=True)
class Measurement:
    """The measurement of many streams, each by an Accountant of its own."""

    config: AccountantConfig
    thresholds: Thresholds

    def begin(self, places: IntArray) -> Arrays:
        """Cold states; they are the same at every place."""
        return tuple(
            np.repeat(part[np.newaxis], places.size, 0) for part in cold_state(self.config)
        )

    def go_on(self, x: FloatArray, memory: Arrays) -> Arrays:
        """Rows of :data:`ROWS`, and the classes."""
        bins = bins_for(self.config)
        constants = np.array([bins.density, bins.step, *rule_of(self.config, self.thresholds)])
        # Each has its own memory: what is not used is dropped while the others are kept.
        rows = tuple(np.empty(x.shape) for _ in ROWS)
        labels = np.empty(x.shape, np.int8)
        measure_streams(x, *State._make(memory), bins.edges, bins.table, constants, rows, labels)
        return *rows, labels
