"""Residuals of an adaptive predictor: what is new in a value, given those just before it.

A stream with memory is not exchangeable, and the promise holds for exchangeable ones only. If the
next value is a fixed linear function of the last few and something new, the residuals of a
predictor that learns this function are nearly so.
"""

from __future__ import annotations

import math

import numpy as np

from entro_nb.results import compiled
from entro_nb.validate import FloatArray


def untaught(order: int) -> FloatArray:
    """State of a predictor that expects the value before; empty for order 0: no predictor.

    Its rows are the weights of a constant and of the last values, newest first; one, and those
    values; the first value, the mean square residual and the values seen; and then the inverse of
    what has been learned.

    Examples
    --------
    >>> untaught(1)[:2]
    array([[0., 1., 0.],
           [1., 0., 0.]])
    """
    if order == 0:
        return np.zeros((0, 0))
    state = np.zeros((4 + order, max(order + 1, 3)))
    state[0, 1] = state[1, 0] = 1.0
    return state


@compiled
def whiten(x: float, predictor: FloatArray) -> float:
    """What a value differs by from its prediction; the predictor then learns it.

    Recursive least squares without forgetting: w ← w + k·e with the gain k = Pφ/(1 + φᵀPφ) and
    P ← P − kφᵀP, for φ of a constant and the last values. A residual teaches no more than three
    of its deviations, so that one outlier does not undo what many values taught.
    """
    n = predictor.shape[0] - 3
    weights, past, scale, spread = predictor[0], predictor[1], predictor[2], predictor[3:]
    if scale[2] == 0.0:
        scale[0] = x
    y = x - scale[0]
    if spread[0, 0] == 0.0 and y != 0.0:
        # Nothing is known of the weights, in units of the first step that the stream takes.
        spread[0, 0] = 100.0
        for i in range(1, n):
            spread[i, i] = 100.0 / (y * y)
    residual = y
    for i in range(n):
        residual -= weights[i] * past[i]
    if not math.isfinite(residual):
        # Numbers of such sizes cannot be multiplied: no prediction, and nothing to learn.
        return x
    scale[2] += 1.0
    taught = residual
    if scale[2] > 10.0 * n and scale[1] > 0.0:
        most = 3.0 * math.sqrt(scale[1])
        taught = min(max(residual, -most), most)
    scale[1] += (taught * taught - scale[1]) / scale[2]
    gain = np.zeros(n)
    norm = 1.0
    for i in range(n):
        for j in range(n):
            gain[i] += spread[i, j] * past[j]
        norm += gain[i] * past[i]
    for i in range(n if 1.0 <= norm < math.inf else 0):
        weights[i] += gain[i] / norm * taught
        for j in range(n):
            spread[i, j] -= gain[i] * gain[j] / norm
    for i in range(n - 1, 1, -1):
        past[i] = past[i - 1]
    past[1] = y
    return float(residual)
