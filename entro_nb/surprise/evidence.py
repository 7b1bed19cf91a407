"""Evidence that the law of a stream has changed, with a promise for any law.

The rank of a value among those before it, with a coin for ties, is uniform and independent of all
earlier ranks for any exchangeable stream (Vovk, Gammerman and Shafer 2005). Whoever bets on it at
fair odds wins nothing on average: a bet is a density b on (0, 1). The evidence of a bet follows
Shiryaev and Roberts,

    R ← (R + 1)·b(u),

so that R − t is a martingale: R, and any mean of such R with fixed weights, takes N values on
average at least to reach N (Shin, Ramdas and Rinaldo 2022). The bets here are what normal
streams would call likelihood ratios, of a level or a scale against the usual one, on the rank
turned into a normal deviate; and one that learns the shape of the ranks as it goes.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from entro_nb.results import compiled
from entro_nb.validate import FloatArray

#: Levels, in deviations, and scales that are bet on; each bet has the same weight.
LEVELS = (-1.5, -0.7, -0.3, 0.3, 0.7, 1.5)
SCALES = (0.6, 1.3, 1.8, 3.0)
#: Weight of the bet that learns, its bins, and the values that it remembers.
LEARNER, BINS, MEMORY = 0.1, 16, 32.0
#: A rank's cell is its half, its octave from the end of that, and a quarter of the octave.
_OCTAVES = 14


class Evidence(NamedTuple):
    """What is remembered of the ranks."""

    bets: FloatArray  #: (11,) R of each bet, the learning one last
    ranks: FloatArray  #: (16,) how many ranks fell into each bin of late, and one


def nothing_known() -> Evidence:
    """Evidence before the first value."""
    return Evidence(np.zeros(len(LEVELS) + len(SCALES) + 1), np.ones(BINS))


def odds() -> FloatArray:
    """Densities of the fixed bets, constant on cells of the rank, shape (bet, half, cell).

    Examples
    --------
    >>> table = odds()
    >>> width = np.concatenate([2.0 ** -(o + 4) * np.ones(4) for o in range(13)] + [[0] * 4])
    >>> bool(np.all(table > 0)), table.shape
    (True, (10, 2, 56))
    """
    normal = NormalDist()
    # Lower ends of the cells of the lower half, and the middle; the lowest reaches down to zero.
    lower = [2.0 ** -(o + 2) * (1 + s / 4) for o in range(_OCTAVES) for s in range(4)]
    upper = [2.0 ** -(o + 2) * (1 + (s + 1) / 4) for o in range(_OCTAVES) for s in range(4)]
    lower[4 * (_OCTAVES - 1)] = 0.0
    shapes = [(level, 1.0) for level in LEVELS] + [(0.0, scale) for scale in SCALES]
    table = np.empty((len(shapes), 2, 4 * _OCTAVES))
    for j, (level, scale) in enumerate(shapes):
        for half, sign in enumerate((1.0, -1.0)):
            law = NormalDist(sign * level, scale)
            for c, (low, high) in enumerate(zip(lower, upper, strict=True)):
                below = law.cdf(normal.inv_cdf(low)) if low > 0.0 else 0.0
                table[j, half, c] = (law.cdf(normal.inv_cdf(high)) - below) / (high - low)
    return table


@compiled
def bet(u: float, bets: FloatArray, ranks: FloatArray, table: FloatArray) -> float:
    """Evidence after one more rank: the weighted mean of all bets."""
    half = 0 if u < 0.5 else 1
    mantissa, exponent = math.frexp(min(u if half == 0 else 1.0 - u, 0.5 - 2.0**-53))
    octave = -exponent - 1
    cell = 4 * octave + int(8.0 * mantissa - 4.0) if octave < _OCTAVES else 4 * (_OCTAVES - 1)
    fixed = table.shape[0]
    total = 0.0
    for j in range(fixed):
        bets[j] = min((bets[j] + 1.0) * table[j, half, cell], 1e30)
        total += bets[j]
    b = min(int(u * BINS), BINS - 1)
    held = 0.0
    for k in range(BINS):
        held += ranks[k]
    bets[fixed] = min((bets[fixed] + 1.0) * ranks[b] * BINS / held, 1e30)
    for k in range(BINS):
        ranks[k] -= (ranks[k] - 1.0) / MEMORY
    ranks[b] += 1.0
    return float((1.0 - LEARNER) / fixed * total + LEARNER * bets[fixed])
