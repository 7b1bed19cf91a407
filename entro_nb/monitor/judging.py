"""What is said of each value of many streams that may miss some: the loop under `watch`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb.accountant import (
    AccountantConfig,
    NormalizerConfig,
    State,
    Thresholds,
    bins_for,
    cold_state,
    measure_arrays,
    rule_of,
    standardize,
)
from entro_nb.many import Arrays
from entro_nb.results import compiled, unlocked
from entro_nb.surprise import ROWS, Remembered, SurpriseConfig, judge, nothing_seen, odds
from entro_nb.validate import FloatArray, IntArray

#: Values from whose range the band of the Normalizer comes, before the entropy is told.
ENTROPY = 50
#: What is told of each value: units and name of each row.
WATCHED = {
    "surprisal": ("bits", "surprisal by the values before"),
    "p_value": ("1", "share of values at least as surprising"),
    "score": ("bits", "how much stranger than anything of late"),
    "evidence": ("bits", "evidence against chance, of which an alarm needs the limit"),
    "alarm": ("1", "whether an alarm is raised"),
    "entropy": ("bits", "entropy H of a window of normalised values"),
}
#: Types of the rows.
TYPES = dict.fromkeys(WATCHED, np.float64) | {"alarm": np.bool_}
#: What sets the keys of the streams' coins apart: odd, and no simple fraction of 2⁶⁴.
_STRIDE = np.uint64(0xD1342543DE82EF95)


class Scale(NamedTuple):
    """The Normalizer of a stream, whose band is not known before the first values."""

    first: FloatArray  #: (50,) the first values
    band: FloatArray  #: (6,) constants of `standardize`
    moments: FloatArray  #: (4,) its state


class Tools(NamedTuple):
    """What all streams share."""

    constants: FloatArray  #: of the judgement
    odds: FloatArray
    edges: FloatArray  #: of the Accountant
    table: IntArray
    rule: FloatArray


@compiled
def _set_band(first: FloatArray, band: FloatArray) -> None:
    """Band that the first values span; where they are all alike, as wide as they are large."""
    low, high = first.min(), first.max()
    if high - low < 1e-300:
        half = abs(high) / 2 if abs(high) > 1e-300 else 1.0
        low, high = low - half, high + half
    band[0], band[1] = low + (high - low) / 2, (high - low) / 2


@compiled
def _measure(x: FloatArray, scale: Scale, state: State, tools: Tools, out: FloatArray) -> None:
    """Entropies of the values that come next."""
    z, rows, labels = np.empty(x.size), np.empty((6, x.size)), np.empty(x.size, np.int8)
    standardize(x, scale.moments, scale.band, z)
    measure_arrays(
        z, state.counts, state.ring, state.history, state.places, state.previous,
        tools.edges, tools.table, tools.rule, rows, labels,
    )  # fmt: skip
    out[:] = rows[0]


@compiled
def _measure_from(
    x: FloatArray, before: int, scale: Scale, state: State, tools: Tools, out: FloatArray
) -> None:
    """Entropies of the values that come after so many others; NaN before the last of the first."""
    taken = 0
    if before < scale.first.size:
        taken = min(scale.first.size - before, x.size)
        scale.first[before : before + taken] = x[:taken]
        out[:taken] = np.nan
        if before + taken < scale.first.size:
            return
        _set_band(scale.first, scale.band)
        entropies = np.empty(scale.first.size)
        _measure(scale.first, scale, state, tools, entropies)
        out[taken - 1] = entropies[-1]
    _measure(x[taken:], scale, state, tools, out[taken:])


@unlocked
def judge_streams(
    x: FloatArray, judged: Remembered, scales: Scale, states: State, tools: Tools,
    rows: tuple[FloatArray, ...], alarms: npt.NDArray[np.bool_], entropies: FloatArray,
) -> None:  # fmt: skip
    """Judge and measure each of many streams, the first axis of all but the tools.

    A missing value, NaN, is judged by nobody: the values that are there are judged as if it had
    never been due.
    """
    n_rows = len(rows)
    present, entropy = np.empty(x.shape[1]), np.empty(x.shape[1])
    out = np.empty((n_rows + 1, x.shape[1]))
    for s in range(x.shape[0]):
        n = 0
        for t in range(x.shape[1]):
            if not np.isnan(x[s, t]):
                present[n] = x[s, t]
                n += 1
        before = judged.clock[s, 0]
        judge(
            present[:n], judged.cells[s], judged.peaks[s], judged.grid[s], judged.memory[s],
            judged.bets[s], judged.ranks[s], judged.predictor[s], judged.clock[s],
            tools.constants, tools.odds, out,
        )  # fmt: skip
        scale = Scale(scales.first[s], scales.band[s], scales.moments[s])
        state = State(
            states.counts[s], states.ring[s], states.history[s], states.places[s],
            states.previous[s],
        )  # fmt: skip
        _measure_from(present[:n], before, scale, state, tools, entropy[:n])
        n = 0
        for t in range(x.shape[1]):
            there = not np.isnan(x[s, t])
            for k in range(n_rows):
                rows[k][s, t] = out[k, n] if there else np.nan
            alarms[s, t] = there and out[n_rows, n] > 0.0
            entropies[s, t] = entropy[n] if there else np.nan
            n += there


@dataclass(frozen=True)
class Judging:
    """Surprise and entropy of many streams, each with a monitor of its own.

    Parameters
    ----------
    config : SurpriseConfig
        The same for all. Each stream has its own coin: its key follows from the seed and the
        stream's place among all, and is the seed's own at place 0.

    Examples
    --------
    >>> judging = Judging(SurpriseConfig())
    >>> memory = judging.begin(np.arange(2))
    >>> surprisal, *_ = judging.go_on(np.array([[1.0, np.nan, 2.0], [3.0, 3.0, 3.0]]), memory)
    >>> surprisal.round(2)
    array([[ 0.  ,   nan, 10.58],
           [ 0.  ,  0.42,  0.26]])
    """

    config: SurpriseConfig

    def begin(self, places: IntArray) -> Arrays:
        """What is remembered before the first value, of streams by their places among all."""
        normalizer = NormalizerConfig()
        scale = Scale(
            np.zeros(ENTROPY),
            np.array(
                [0.0, 1.0, normalizer.span, normalizer.prior, normalizer.clip, normalizer.floor]
            ),
            np.array([0.0, 0.0, 0.0, normalizer.prior]),
        )
        judged = nothing_seen(self.config.key, self.config.order)
        one = *judged, *scale, *cold_state(_only_measuring())
        memory = tuple(np.repeat(part[np.newaxis], places.size, 0) for part in one)
        clock = memory[Remembered._fields.index("clock")]
        keys = clock[:, 3].astype(np.uint64) + places.astype(np.uint64) * _STRIDE
        clock[:, 3] = keys.view(np.int64)
        return memory

    def go_on(self, x: FloatArray, memory: Arrays) -> Arrays:
        """Rows of :data:`WATCHED` for values of shape (streams, time), NaN where one is missing."""
        accountant = _only_measuring()
        bins = bins_for(accountant)
        rule = np.array([bins.density, bins.step, *rule_of(accountant, Thresholds.never())])
        tools = Tools(self.config.constants(), odds(), bins.edges, bins.table, rule)
        judged, scales = Remembered(*memory[:8]), Scale(*memory[8:11])
        rows = tuple(np.empty(x.shape) for _ in ROWS[:-1])
        alarms, entropies = np.empty(x.shape, np.bool_), np.empty(x.shape)
        judge_streams(x, judged, scales, State(*memory[11:]), tools, rows, alarms, entropies)
        return *rows, alarms, entropies

    @staticmethod
    def seen(memory: Arrays) -> IntArray:
        """Values judged so far of each stream."""
        clock: IntArray = memory[Remembered._fields.index("clock")]
        return clock[:, 0]


def _only_measuring() -> AccountantConfig:
    return AccountantConfig(thresholds=Thresholds.never())
