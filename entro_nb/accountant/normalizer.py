"""The Normalizer: unlike streams on one scale, so that one Accountant reads them all.

Seed 003, §4, stage 3 asks for band-centred normalisation and a z-score; its formulas were never
published, so these are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterTypeError
from entro_nb.results import compiled
from entro_nb.validate import Bounds, FloatArray, Parameters, Positive

#: A number of samples that a memory spans.
Span = Annotated[float, Bounds(1.0)]


@dataclass(frozen=True)
class NormalizerConfig(Parameters):
    """Parameters of a Normalizer.

    Parameters
    ----------
    low, high : float
        The stream's band, in its own units: where its values usually lie.
    span : float
        Memory of the moving mean and deviation, in samples. Keep it several times the
        Accountant's window: what the Normalizer has absorbed, the Accountant no longer sees.
    prior : float
        Samples' worth of trust in the band at the start (mean at its centre, two deviations
        to its ends), so that the first values neither explode nor vanish. The trust fades over
        as many samples: a stream may live in a small part of its band.
    clip : float
        Largest |z| let through, in deviations.
    floor : float
        Smallest deviation divided by, in half-widths of the band: a stream that stands still
        has none of its own, and rounding is no signal.

    Raises
    ------
    ParameterError
        If low ≥ high, or a number is not positive.

    Examples
    --------
    >>> NormalizerConfig(low=0.0, high=8.0).span
    1024.0
    """

    low: float = -1.0
    high: float = 1.0
    span: Span = 1024.0
    prior: Span = 16.0
    clip: Positive = 4.0
    floor: Positive = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.band(self.low, self.high)


@compiled
def standardize(x: FloatArray, state: FloatArray, constants: FloatArray, out: FloatArray) -> None:
    """z-scores of samples in order, from a state and into it.

    The state holds weight, mean and variance of the b seen, and the weight of the band; the
    constants are centre and half-width of the band, span, prior, clip and floor.
    """
    centre, half, span = constants[0], constants[1], constants[2]
    prior, clip, floor = constants[3], constants[4], constants[5]
    weight, mean, variance, trust = state[0], state[1], state[2], state[3]
    for t in range(x.size):
        b = (x[t] - centre) / half
        # Band (mean 0, two deviations to its ends) and samples, mixed by their weights; against
        # the past only: an outlier must not hide itself in its own deviation.
        share = weight / (weight + trust)
        level = share * mean
        spread = share * (variance + mean * mean) + (1.0 - share) * 0.25 - level * level
        deviation = max(np.sqrt(max(spread, 0.0)), floor)
        z = min(max((b - level) / deviation, -clip), clip)
        out[t] = z
        # A wild value moves mean and variance no further than a clipped one would.
        d = level + z * deviation - mean
        weight = min(weight + 1.0, span)
        rate = 1.0 / weight
        mean += rate * d
        variance = (1.0 - rate) * (variance + rate * d * d)
        trust *= 1.0 - 1.0 / (prior + 1.0)
    state[0], state[1], state[2], state[3] = weight, mean, variance, trust


class Normalizer:
    """Band-centred value, then z-score against a slowly moving mean and deviation.

    b = (x − centre) / half-width of the band; z = (b − mean) / deviation, clipped to ±4. Mean
    and deviation are those of the samples before x, weighted equally at first and exponentially
    once more than `span` have been seen; at the very start the band stands in for them.

    Parameters
    ----------
    config : NormalizerConfig, optional
        The band and the memory.

    Examples
    --------
    >>> normalizer = Normalizer(NormalizerConfig(low=0.0, high=8.0))
    >>> normalizer.process(4.0), normalizer.process(8.0) > 1.9
    (0.0, True)
    """

    def __init__(self, config: NormalizerConfig | None = None) -> None:
        config = NormalizerConfig() if config is None else config
        if not isinstance(config, NormalizerConfig):
            raise ParameterTypeError("config", config, "a NormalizerConfig")
        self.config = config
        centre, half = config.low + (config.high - config.low) / 2, (config.high - config.low) / 2
        rest = config.span, config.prior, config.clip, config.floor
        self._constants = np.array([centre, half, *rest])
        self._sample, self._out = np.zeros(1), np.zeros(1)
        self.reset()
        standardize(self._sample, self._state, self._constants, self._out)
        self.reset()

    def reset(self) -> None:
        """Forget every sample; start again from the band."""
        self._state = np.array([0.0, 0.0, 0.0, self.config.prior])

    def process(self, x: float) -> float:
        """z-score of one sample.

        Raises
        ------
        ParameterError, ParameterTypeError
            If `x` is NaN, infinite, or no number; the state is then unchanged.
        """
        if type(x) is not float or not math.isfinite(x):
            x = validate.real("x", x)
        self._sample[0] = x
        standardize(self._sample, self._state, self._constants, self._out)
        return float(self._out[0])

    def process_many(self, x: npt.ArrayLike) -> FloatArray:
        """z-scores of samples in order, shape (time,), going on from where this one stands."""
        values = validate.finite_array("x", x, ndim=1)
        out = np.empty(values.size)
        standardize(values, self._state, self._constants, out)
        return out


def normalize(x: npt.ArrayLike, config: NormalizerConfig | None = None) -> FloatArray:
    """z-scores of an array of samples with a fresh :class:`Normalizer`.

    Parameters
    ----------
    x : array_like
        Finite values in the stream's units, shape (time,).
    config : NormalizerConfig, optional
        The band and the memory.

    Returns
    -------
    ndarray
        Normalised values, shape (time,), dimensionless.

    Raises
    ------
    ParameterError, DataError
        If `x` is not one-dimensional, is empty, or holds NaN or infinity.

    Examples
    --------
    >>> normalize([0.0, 1.0, -1.0]).round(2)
    array([ 0.  ,  2.07, -2.02])
    """
    return Normalizer(config).process_many(x)
