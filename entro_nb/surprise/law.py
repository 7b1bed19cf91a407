"""The predictive law of the next value, and the compiled step that judges a value by it.

The law is a histogram whose cells nobody has to choose: their width is the smallest power of two
with which all values seen span at most :data:`CELLS` cells, and doubles, pairs of cells becoming
one, when a value falls outside. So it depends on *which* values came, and not on their order: that
is what makes the p-value exact. One loop judges a stretch of values from a state and into it; a
single value is a stretch of one, so streaming and batch are the same numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb.results import compiled
from entro_nb.surprise.evidence import bet, nothing_known
from entro_nb.surprise.whitening import untaught, whiten
from entro_nb.validate import FloatArray, IntArray

CountArray = npt.NDArray[np.int32]
#: Cells that all values seen may span; one more on each side takes the smoothing of the last.
CELLS = 512
#: Bins of the record of earlier peaks, and how many there are to a bit of strangeness.
_PEAKS, _PER_BIT = 256, 6.0
#: Share of the evidence that bets on one value, so rare that it comes once in the promise; the rest
#: bets on several strange ones.
_SINGLE = 0.8
#: An alarm is raised at a value that is itself among the most surprising, this share of all.
_RARE = 0.01
#: What each row of a judgement holds.
ROWS = ("surprisal", "p_value", "score", "evidence", "alarm")


class Remembered(NamedTuple):
    """Everything that a monitor remembers: O(cells) numbers, however long the stream."""

    #: (3, CELLS + 2) values in each cell; twice the smoothed count; values since the last change
    cells: CountArray
    peaks: CountArray  #: (256,) earlier peaks by their strangeness
    grid: FloatArray  #: lowest and highest value, width of a cell, number of the first cell
    memory: FloatArray  #: strangest of late (bits); evidence of each bet
    bets: FloatArray  #: evidence of each bet on the ranks, as in `Evidence`
    ranks: FloatArray  #: ranks of late, as in `Evidence`
    predictor: FloatArray  #: as in :func:`~entro_nb.surprise.whitening.untaught`
    #: values seen; time and bin of the last peak; key of the coin; time of the last strange value;
    #: values since the last change
    clock: IntArray


class Criterion(NamedTuple):
    """Constants of the judgement."""

    warm_up: float  #: values before any is called strange
    relief: float  #: bits by which the strangest of late fades, times the stream's age
    margin: float  #: bits by which a value must be stranger than that
    apart: float  #: values between two peaks
    least: float  #: bits from which a value counts as a peak
    limit: float  #: bits at which an alarm is raised: log₂ of the promise
    changes: float  #: 1 if a change of the law is an alarm too, else 0


def nothing_seen(key: int, order: int) -> Remembered:
    """State before the first value; the key makes the coin that breaks ties."""
    grid = np.array([math.inf, -math.inf, 0.0, 0.0])
    return Remembered(
        np.zeros((3, CELLS + 2), np.int32),
        np.zeros(_PEAKS, np.int32),
        grid,
        np.zeros(4),
        *nothing_known(),
        untaught(order),
        np.array([0, -(2**40), 0, key, -(2**40), 0], np.int64),
    )


@compiled
def _coin(key: int, t: int) -> float:
    # A number in (0, 1) from the key and the place in the stream (Steele, Lea and Flood 2014), so
    # that cutting the stream in pieces changes nothing.
    z = np.uint64(key) + np.uint64(t + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (float(z >> np.uint64(11)) + 0.5) * 2.0**-53


@compiled
def _smooth(cells: CountArray) -> None:
    # Twice the count of a cell, and once those of its neighbours: twice a triangle's mean.
    n = cells.shape[1]
    for q in range(n):
        left = cells[0, q - 1] if q > 0 else 0
        right = cells[0, q + 1] if q + 1 < n else 0
        cells[1, q] = 2 * cells[0, q] + left + right


@compiled
def _cell(x: float, width: float) -> float:
    """Number of the cell of a value, a whole number as a float."""
    # Below zero, and too little of a cell for a float to tell.
    return -1.0 if x < 0.0 and x / width == 0.0 else float(np.floor(x / width))


@compiled
def _widen(x: float, cells: CountArray, grid: FloatArray, seen: int, since: int) -> None:
    """Let the cells reach a value outside the range: a power of two wide, at multiples of it."""
    low, high, width, first = min(grid[0], x), max(grid[1], x), grid[2], grid[3]
    grid[0], grid[1] = low, high
    if low == high:
        return
    # Not finer than numbers of this size can be told apart.
    finest = max(max(abs(low), abs(high)) * 2.0**-48, 2.0**-1000)
    new = width if width > 0.0 else 2.0 ** math.floor(math.log2(finest))
    # Both ends may be infinitely many cells away, and their difference no number.
    while not _cell(high, new) - _cell(low, new) < CELLS or new < finest:
        new *= 2.0
    start = _cell(low, new) - 1.0
    moved = np.zeros((2, cells.shape[1]), np.int32)
    if width == 0.0:
        # All values before this one were the same.
        k = int(_cell(high if x == low else low, new) - start)
        moved[0, k], moved[1, k] = seen, since
    else:
        for q in range(cells.shape[1]):
            if cells[0, q] > 0:
                k = int(_cell(first + q, new / width) - start)
                moved[0, k] += cells[0, q]
                moved[1, k] += cells[2, q]
    cells[0], cells[2] = moved[0], moved[1]
    _smooth(cells)
    grid[2], grid[3] = new, start


@compiled
def _ranked(cells: CountArray, last: int, weight: int) -> tuple[int, int, int]:
    """Values whose smoothed count is at most a weight; and, with two more, below and at most."""
    # Up to the last cell that may hold any, and in 32 bits: a processor then adds up twice as many
    # cells at a time.
    own, below_it, with_it = np.int32(weight), np.int32(weight + 1), np.int32(weight + 2)
    none = np.int32(0)
    likely, below, upto = none, none, none
    for q in range(last + 1):
        count, smoothed = cells[0, q], cells[1, q]
        likely = np.int32(likely + (count if smoothed <= own else none))
        below = np.int32(below + (count if smoothed <= below_it else none))
        upto = np.int32(upto + (count if smoothed <= with_it else none))
    return int(likely), int(below), int(upto)


@compiled
def _gap(cells: CountArray, k: int) -> int:
    """Cells from an empty one to the nearest that is not."""
    d = 1
    while True:
        if k >= d and cells[0, k - d] > 0:
            return d
        if k + d < cells.shape[1] and cells[0, k + d] > 0:
            return d
        d += 1


@compiled
def _ranked_alone(cells: CountArray, k: int) -> tuple[int, int]:
    """Values alone in their neighbourhood that are further from the next one, and as far."""
    own = _gap(cells, k)
    further, as_far = 0, 0
    last = -cells.shape[1]
    for q in range(cells.shape[1]):
        if cells[0, q] == 0:
            continue
        if cells[0, q] == 1 and cells[1, q] == 2:
            gap = min(q - last, own + 1)
            if gap >= own:
                gap = min(gap, _gap(cells, q))
                further += 1 if gap > own else 0
                as_far += 1 if gap == own else 0
        last = q
    return further, as_far


@compiled
def _place(
    x: float, cells: CountArray, grid: FloatArray, seen: int, since: int
) -> tuple[float, float, int, int]:
    """Surprisal and strangeness of a value by the law before it, in bits; and its rank with it.

    The rank is that of its surprisal among those of all values seen, itself included, by the law
    of all of them: how many are more surprising, and how many as much. Of values alone in their
    neighbourhood, equally surprising, that is more so which lies further from the next.
    """
    if x < grid[0] or x > grid[1]:
        _widen(x, cells, grid, seen, since)
    if grid[2] == 0.0:
        # Nothing but the same value so far.
        return math.log2((seen + 1.0) / (seen + 0.5)) if seen > 0 else 0.0, 0.0, 0, seen + 1
    k = int(_cell(x, grid[2]) - grid[3])
    weight = cells[1, k]
    likely, below, upto = _ranked(cells, int(math.floor(grid[1] / grid[2]) - grid[3]), weight)
    gap = 0
    if weight == 0:
        gap = _gap(cells, k) - 1
    # Half a value's worth of belief is spread over all the cells, which no value need have taken.
    share = (0.25 * weight + 0.5 / CELLS) / (seen + 0.5)
    strange = math.log2((seen + 1.0) / (likely + 1.0)) + math.log2(1.0 + gap)
    # With the value itself, its cell weighs two more and its neighbours one: only they can move.
    for q in range(max(k - 1, 0), min(k + 2, cells.shape[1])):
        count, before = cells[0, q], cells[1, q]
        after = before + (2 if q == k else 1)
        below -= count if before < weight + 2 else 0
        upto -= count if before <= weight + 2 else 0
        count += 1 if q == k else 0
        below += count if after < weight + 2 else 0
        upto += count if after <= weight + 2 else 0
        cells[1, q] = after
    cells[0, k] += 1
    ties = upto - below
    if weight == 0 and seen > 0:
        below, ties = _ranked_alone(cells, k)
    return -math.log2(min(share, 1.0)), strange, below, ties


@compiled
def _fresh(strange: float, t: int, peaks: CountArray, memory: FloatArray, clock: IntArray,
           rule: Criterion) -> float:  # fmt: skip
    """Strangeness less what earlier peaks explain; 0 unless it exceeds the strangest of late."""
    # A young stream fades no faster than one of 400 values.
    memory[0] -= rule.relief / max(t, 400.0)
    score = 0.0
    if strange > memory[0] + rule.margin:
        bin_ = min(int(strange * _PER_BIT), _PEAKS - 1)
        earlier = 0
        for b in range(bin_, _PEAKS):
            earlier += peaks[b]
        score = max(strange - math.log2(1.0 + earlier), 0.0)
        if strange > rule.least:
            if t - clock[1] < rule.apart:
                peaks[clock[2]] -= 1
            peaks[bin_] += 1
            clock[1], clock[2] = t, bin_
    memory[0] = max(memory[0], strange)
    return score


@compiled
def _rank(x: float, cells: CountArray, grid: FloatArray, since: int, coin: float) -> float:
    """Share of the values since the last change, this one included, that are smaller."""
    if grid[2] == 0.0:
        return coin
    k = int(_cell(x, grid[2]) - grid[3])
    smaller = 0
    for q in range(k):
        smaller += cells[2, q]
    cells[2, k] += 1
    return float((smaller + coin * cells[2, k]) / (since + 1.0))


@compiled
def judge(
    x: FloatArray,
    cells: CountArray, peaks: CountArray, grid: FloatArray, memory: FloatArray,
    bets: FloatArray, ranks: FloatArray, predictor: FloatArray, clock: IntArray,
    constants: FloatArray, odds: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Judge values in order, from a state and into it; rows of `out` are those of :data:`ROWS`."""
    c = constants
    rule = Criterion(c[0], c[1], c[2], c[3], c[4], c[5], c[6])
    # Two kinds of alarm share one promise: each alone keeps twice as much.
    promise = 2.0 ** (rule.limit + rule.changes)
    for i in range(x.size):
        t = clock[0]
        value = whiten(x[i], predictor) if predictor.size else x[i]
        surprisal, strange, below, ties = _place(value, cells, grid, t, clock[5])
        p = (below + _coin(clock[3], t) * ties) / (t + 1.0)
        clock[0] = t + 1
        root = math.sqrt(p)
        memory[1] = (memory[1] + 1.0) * (promise / _SINGLE if p <= _SINGLE / promise else 0.0)
        memory[2] = (memory[2] + 1.0) * 0.25 / (root * math.sqrt(root))
        memory[3] = (memory[3] + 1.0) * 0.5 / root
        evidence = _SINGLE * memory[1] + (1.0 - _SINGLE) * 0.5 * (memory[2] + memory[3])
        score = _fresh(strange if t >= rule.warm_up else 0.0, t, peaks, memory, clock, rule)
        if score >= rule.limit:
            clock[4] = t
        # Strange enough of late, and the evidence suffices: that alone keeps the promise.
        alarm = evidence >= promise and p <= _RARE and t - clock[4] < rule.apart
        if alarm:
            clock[4] = -(2**40)
        for b in range(1, 4):
            memory[b] = 0.0 if alarm else min(memory[b], 1e30)
        if rule.changes > 0.0:
            u = _rank(value, cells, grid, clock[5], _coin(~clock[3], t))
            clock[5] += 1
            changed = bet(u, bets, ranks, odds)
            evidence = max(evidence, changed)
            if changed >= promise:
                # The new law is learned from here on.
                alarm = True
                bets[:], ranks[:], cells[2], clock[5] = 0.0, 1.0, 0, 0
        out[0, i] = surprisal
        out[1, i] = p
        out[2, i] = score
        out[3, i] = math.log2(max(evidence, 1.0)) - rule.changes
        out[4, i] = 1.0 if alarm else 0.0
