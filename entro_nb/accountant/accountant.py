"""The Accountant: entropy of a rolling window, its three rates, and a stability class.

One compiled loop measures a stretch of samples and leaves its state behind. A single sample is
a stretch of one, so `Accountant.process` and `account` are the same code, and the same numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.accountant.config import AccountantConfig, Thresholds
from entro_nb.accountant.frame import EeFrame, Stability
from entro_nb.entropy.derivatives import advance, resolution
from entro_nb.entropy.rolling import Bins, IntArray, Place, bins_of, push
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Accountant", "account"]

LabelArray = npt.NDArray[np.int8]


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


def state_of(config: AccountantConfig) -> State:
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
    return Rule(
        ceiling,
        resolution(config.derivative_window, ceiling),
        limits.entropy_low,
        limits.entropy_high,
        limits.velocity,
        limits.acceleration,
        limits.jerk,
    )


@compiled
def label(h: float, velocity: float, acceleration: float, jerk: float, rule: Rule) -> int:
    """Class of a frame with full confidence: the gravest limit exceeded."""
    if h < rule.low or h > rule.high:
        return 5
    if abs(velocity) > rule.velocity:
        return 4
    if abs(acceleration) > rule.acceleration:
        return 3
    if abs(jerk) > rule.jerk:
        return 2
    return 1


@compiled
def measure(
    x: FloatArray, state: State, bins: Bins, rule: Rule, out: FloatArray, labels: LabelArray
) -> None:
    """Measure samples in order, from a state and into it.

    Rows of `out` are H, ESI, H′, H″, H‴ and confidence; a rate not yet available is NaN.
    """
    counts, ring, history, places, previous = state
    window = Place(places[0, 0], places[0, 1], places[0, 2])
    trend = Place(places[1, 0], places[1, 1], places[1, 2])
    velocity, acceleration = previous[0], previous[1]
    for t in range(x.size):
        h, window = push(x[t], counts, ring, window, bins)
        velocity, acceleration, jerk, trend = advance(
            h, history, trend, velocity, acceleration, rule.step
        )
        out[0, t] = h
        out[1, t] = h / rule.ceiling
        out[2, t] = velocity
        out[3, t] = acceleration
        out[4, t] = jerk
        if window.held == ring.size and trend.held >= 4:
            out[5, t] = 1.0
            labels[t] = label(h, velocity, acceleration, jerk, rule)
        else:
            out[5, t] = (window.held / ring.size) * (min(trend.held, 4) / 4)
            labels[t] = 0
    places[0, 0], places[0, 1], places[0, 2] = window.slot, window.held, window.total
    places[1, 0], places[1, 1], places[1, 2] = trend.slot, trend.held, trend.total
    previous[0], previous[1] = velocity, acceleration


@compiled
def measure_arrays(
    x: FloatArray,
    counts: IntArray,
    ring: IntArray,
    history: IntArray,
    places: IntArray,
    previous: FloatArray,
    edges: FloatArray,
    table: IntArray,
    constants: FloatArray,
    out: FloatArray,
    labels: LabelArray,
) -> None:
    """`measure` for Python: plain arrays cross over in a third of the time of tuples."""
    state = State(counts, ring, history, places, previous)
    c = constants
    bins = Bins(edges, table, c[0], c[1])
    rule = Rule(c[2], c[3], c[4], c[5], c[6], c[7], c[8])
    measure(x, state, bins, rule, out, labels)


class Accountant:
    """Black box of seed 003: accepts normalised scalars, emits EeFrames, knows nothing else.

    Parameters
    ----------
    config : AccountantConfig, optional
        Window, bins, edges, derivative window and thresholds; the defaults if not given.

    See Also
    --------
    account : The same for a whole array at once.

    Notes
    -----
    H is the plug-in entropy of the histogram of the last `window` samples on fixed edges
    (seed 003, §3); while fewer exist, of those that do. Memory is O(window + bins). The code is
    compiled when an Accountant is built, so that the first sample is no slower than the rest.

    Examples
    --------
    >>> accountant = Accountant(AccountantConfig(window=4, bins=4, derivative_window=2))
    >>> frames = [accountant.process(x) for x in (-3.0, 3.0, -3.0, 3.0)]
    >>> frames[-1].entropy, round(frames[-1].velocity, 4), frames[0].velocity
    (1.0, 0.0409, None)
    """

    def __init__(self, config: AccountantConfig | None = None) -> None:
        config = AccountantConfig() if config is None else config
        if not isinstance(config, AccountantConfig):
            raise ParameterTypeError("config", config, "an AccountantConfig")
        self._config = config
        self._bins = bins_of(config.window, config.bins, config.low, config.high)
        self._sample = np.zeros(1)
        self._out = np.empty((6, 1))
        self._label = np.zeros(1, np.int8)
        limits = config.thresholds
        if limits is None:
            # Here and not above: calibration measures with this module's loop.
            from entro_nb.accountant.calibration import default_thresholds

            limits = default_thresholds(config)
        self.reset()
        self.set_thresholds(limits)
        self._measure(self._sample, self._out, self._label)
        self.reset()

    @property
    def config(self) -> AccountantConfig:
        """Parameters this Accountant was built with."""
        return self._config

    @property
    def thresholds(self) -> Thresholds:
        """Limits of the classes now in force."""
        return self._thresholds

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Put other limits in force from the next sample on (an operator's command)."""
        if not isinstance(thresholds, Thresholds):
            raise ParameterTypeError("thresholds", thresholds, "a Thresholds")
        self._thresholds = thresholds
        rule = rule_of(self._config, thresholds)
        self._constants = np.array([self._bins.density, self._bins.step, *rule])

    def reset(self) -> None:
        """Forget every sample, as when the stream is switched."""
        self._state = state_of(self._config)
        self._sequence = 0

    def process(self, x: float) -> EeFrame:
        """Measure one sample.

        Parameters
        ----------
        x : float
            Normalised value.

        Returns
        -------
        EeFrame

        Raises
        ------
        ParameterError, ParameterTypeError
            If `x` is NaN, infinite, or no number; the state is then unchanged.
        """
        if type(x) is not float or not math.isfinite(x):
            x = validate.real("x", x)
        self._sample[0] = x
        self._measure(self._sample, self._out, self._label)
        h, esi, velocity, acceleration, jerk, confidence = self._out[:, 0].tolist()
        sequence = self._sequence
        self._sequence = sequence + 1
        return EeFrame(
            sequence,
            x,
            h,
            esi,
            velocity if sequence > 0 else None,
            acceleration if sequence > 1 else None,
            jerk if sequence > 2 else None,
            confidence,
            _STABILITY[self._label[0]],
        )

    def process_many(self, x: npt.ArrayLike | xr.DataArray) -> xr.Dataset:
        """Measure samples in order, going on from where this Accountant stands.

        Parameters
        ----------
        x : array_like or xarray.DataArray
            Finite normalised values, shape (time,). A DataArray keeps its `time` coordinate.

        Returns
        -------
        xarray.Dataset
            As :func:`account`.

        Raises
        ------
        ParameterError, DataError
            If `x` is not one-dimensional, is empty, or holds NaN or infinity (named by index);
            the state is then unchanged.
        """
        import pandas as pd

        time = _time_of(x)
        values = validate.finite_array("x", x, ndim=1)
        start = self._sequence
        out, labels = np.empty((6, values.size)), np.empty(values.size, np.int8)
        self._measure(values, out, labels)
        self._sequence = start + values.size
        units = ("bits", "1", "bits", "bits", "bits", "1")
        ds = dataset(
            {
                name: ("time", row, unit, long_name)
                for (name, long_name), row, unit in zip(_ROWS.items(), out, units, strict=True)
            }
            | {"stability": ("time", labels, "1", "stability class")},
            coords={"time": (pd.RangeIndex(start, self._sequence), "samples")},
            parameters=parameters_of(self._config, thresholds=repr(self._thresholds)),
            title="Accountant",
            source="seed 003, sections 3 and 4",
        )
        ds.stability.attrs |= {
            "flag_values": [int(s) for s in Stability],
            "flag_meanings": " ".join(s.name for s in Stability),
        }
        return ds if time is None else ds.assign_coords(time=time)

    def _measure(self, x: FloatArray, out: FloatArray, labels: LabelArray) -> None:
        edges, table = self._bins.edges, self._bins.table
        measure_arrays(x, *self._state, edges, table, self._constants, out, labels)


_STABILITY = tuple(Stability)
_ROWS = {
    "entropy": "entropy H of the window",
    "esi": "Environmental Stability Index, H / log2(bins)",
    "velocity": "velocity H′",
    "acceleration": "acceleration H″",
    "jerk": "jerk H‴",
    "confidence": "confidence",
}


def account(x: npt.ArrayLike | xr.DataArray, config: AccountantConfig | None = None) -> xr.Dataset:
    """Measure an array of samples with a fresh Accountant (seed 003, §3).

    Parameters
    ----------
    x : array_like or xarray.DataArray
        Finite normalised values, shape (time,). A DataArray keeps its `time` coordinate.
    config : AccountantConfig, optional
        As for :class:`Accountant`.

    Returns
    -------
    xarray.Dataset
        Over `time`: entropy (bits), esi, velocity, acceleration, jerk (bits; NaN until 2, 3, 4
        values exist), confidence, and stability as codes of :class:`Stability`.

    Raises
    ------
    ParameterError, DataError
        If `x` is not one-dimensional, is empty, or holds NaN or infinity (named by index).

    Examples
    --------
    >>> config = AccountantConfig(window=4, bins=4, derivative_window=2)
    >>> ds = account([-3.0, 3.0, -3.0, 3.0], config)
    >>> ds.entropy.values.round(3)
    array([0.   , 1.   , 0.918, 1.   ])
    >>> ds.velocity.values.round(3)
    array([   nan,  0.5  , -0.041,  0.041])
    """
    return Accountant(config).process_many(x)


def _time_of(x: npt.ArrayLike | xr.DataArray) -> xr.DataArray | None:
    """The `time` coordinate of a DataArray, if it is one and has one."""
    dims = getattr(x, "dims", None)
    if dims is None:
        return None
    if dims != ("time",):
        raise ParameterError("dims of x", dims, "the single dim 'time'")
    coords: dict[str, xr.DataArray] = x.coords  # type: ignore[union-attr, assignment]
    return coords.get("time")
