"""The Normalizer puts unlike streams on one scale, and one Accountant reads them all.

The Accountant measures the entropy of a rolling window, its three rates, and a stability class.
What it reads, the Normalizer makes: seed 003, §4, stage 3 asks for band-centred normalisation and a
z-score; its formulas were never published, so these are ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.accountant.calibration import default_thresholds
from entro_nb.accountant.frame import (
    COLUMNS,
    JUDGED,
    AccountantConfig,
    EeFrame,
    Stability,
    Thresholds,
    flags,
)
from entro_nb.accountant.measure import (
    ROWS,
    LabelArray,
    Measurement,
    bins_for,
    cold_state,
    measure_arrays,
    rule_of,
)
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.many import each_stream
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import Bounds, FloatArray, Parameters, Positive

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from entro_nb.surprise import Judgement

#: A number of samples that a memory spans.
Span = Annotated[float, Bounds(1.0)]
#: The classes by their numbers: faster than asking the enumeration for each sample.
_STABILITY = tuple(Stability)
_said = attrgetter(*JUDGED)
_UNSAID = (None,) * len(JUDGED)


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
        self._bins = bins_for(config)
        self._sample = np.zeros(1)
        self._out = np.empty((6, 1))
        self._label = np.zeros(1, np.int8)
        self.set_thresholds(config.thresholds or default_thresholds(config))
        self.reset()
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
        self._state = cold_state(self._config)
        self._sequence = 0

    def process(
        self,
        x: float,
        stream: str | None = None,
        time: float | None = None,
        raw: float | None = None,
        judged: Judgement | None = None,
    ) -> EeFrame:
        """Measure one sample.

        Parameters
        ----------
        x : float
            Normalised value.
        stream, time, raw : optional
            Where it comes from; written into the frame as they are, and never looked at.
        judged : Judgement, optional
            What a :class:`~entro_nb.surprise.Surprise` says of the raw value; written in likewise.

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
            stream,
            time,
            raw,
            *(_UNSAID if judged is None else _said(judged)),
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
        measured = dict(zip(ROWS, out, strict=True)) | {"stability": labels}
        places = pd.RangeIndex(start, self._sequence)
        ds = _measured(measured, ("time",), places, self._config, self._thresholds)
        return ds if time is None else ds.assign_coords(time=time)

    def _measure(self, x: FloatArray, out: FloatArray, labels: LabelArray) -> None:
        edges, table = self._bins.edges, self._bins.table
        measure_arrays(x, *self._state, edges, table, self._constants, out, labels)


def account(x: npt.ArrayLike | xr.DataArray, config: AccountantConfig | None = None) -> xr.Dataset:
    """Measure an array of samples with a fresh Accountant (seed 003, §3); or many streams at once.

    Parameters
    ----------
    x : array_like or xarray.DataArray
        Finite normalised values, shape (time,). A DataArray may have any dims beside ``time``:
        each stream along it has an Accountant of its own. It keeps its coordinates.
    config : AccountantConfig, optional
        As for :class:`Accountant`.

    Returns
    -------
    xarray.Dataset
        Over the dims of `x`: entropy (bits), esi, velocity, acceleration, jerk (bits; NaN until
        2, 3, 4 values exist), confidence, and stability as codes of :class:`Stability`.

    Raises
    ------
    ParameterError, DataError
        If an array is not one-dimensional, a DataArray has no dim ``time`` or a coordinate with
        a name of the result's, `x` is empty, or holds NaN or infinity (named by index).

    Notes
    -----
    A DataArray that Dask holds in chunks is measured lazily, in the same chunks and to the same
    numbers, whatever they are. Chunks of streams run side by side, on all cores, or on a cluster
    once there is a ``distributed.Client`` of it; along ``time`` each takes over where the one
    before it stopped, and what is not kept of the results is dropped on the way, so that memory
    stays flat.

    Examples
    --------
    >>> config = AccountantConfig(window=4, bins=4, derivative_window=2)
    >>> ds = account([-3.0, 3.0, -3.0, 3.0], config)
    >>> ds.entropy.values.round(3)
    array([0.   , 1.   , 0.918, 1.   ])
    >>> ds.velocity.values.round(3)
    array([   nan,  0.5  , -0.041,  0.041])

    A thousand streams, a hundred at a time:

    >>> import xarray as xr
    >>> x = np.random.default_rng(1).standard_normal((1000, 500))
    >>> streams = xr.DataArray(x, dims=("stream", "time")).chunk(stream=100, time=250)
    >>> ds = account(streams)
    >>> means = ds.entropy.mean("time")  # nothing is computed yet
    >>> means.sizes["stream"], round(means.compute().mean().item(), 2)
    (1000, 2.93)
    """
    import xarray as xr

    if isinstance(x, xr.DataArray):
        return _account_streams(x, config)
    return Accountant(config).process_many(x)


def _account_streams(x: xr.DataArray, config: AccountantConfig | None) -> xr.Dataset:
    import pandas as pd

    config = AccountantConfig() if config is None else config
    if not isinstance(config, AccountantConfig):
        raise ParameterTypeError("config", config, "an AccountantConfig")
    thresholds = config.thresholds or default_thresholds(config)
    types = dict.fromkeys(ROWS, np.float64) | {"stability": np.int8}
    rows = each_stream(x, Measurement(config, thresholds), types)
    places = pd.RangeIndex(x.sizes["time"])
    return _measured(rows, x.dims, places, config, thresholds).assign_coords(x.coords)


def _measured(
    rows: Mapping[str, Any],
    dims: tuple[Any, ...],
    places: pd.Index,
    config: AccountantConfig,
    thresholds: Thresholds,
) -> xr.Dataset:
    """Dataset of rows over dims, one of them time."""
    ds = dataset(
        {name: (dims, row, *COLUMNS[name][:2]) for name, row in rows.items()},
        coords={"time": (places, "samples")},
        parameters=parameters_of(config, thresholds=repr(thresholds)),
        title="Accountant",
        source="seed 003, sections 3 and 4",
    )
    ds.stability.attrs |= flags({s.name: int(s) for s in Stability})
    return ds


def _time_of(x: npt.ArrayLike | xr.DataArray) -> xr.DataArray | None:
    """The `time` coordinate of a DataArray, if it is one and has one."""
    dims = getattr(x, "dims", None)
    if dims is None:
        return None
    if dims != ("time",):
        raise ParameterError("dims of x", dims, "the single dim 'time'")
    # As a dict: xarray counts a dim that has no coordinate when it is asked for one.
    coords: dict[str, xr.DataArray] = dict(x.coords)  # type: ignore[union-attr, arg-type]
    return coords.get("time")


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
