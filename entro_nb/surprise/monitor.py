"""A monitor of one stream: how surprising each value is, and alarms with a promise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterTypeError
from entro_nb.surprise.evidence import odds
from entro_nb.surprise.law import ROWS, judge, nothing_seen
from entro_nb.validate import Bounds, FloatArray, Parameters, Positive, Seed


@dataclass(frozen=True)
class SurpriseConfig(Parameters):
    """Parameters of a monitor: one set for every stream, whatever its units.

    Parameters
    ----------
    promise : float
        Mean number of values between false alarms, at least, for any exchangeable stream.
    warm_up : int
        Values before any is called strange.
    relief : float
        An alarm is raised once: the next value must be stranger than the strangest of late, which
        fades by this many bits in as many values as the stream is old.
    margin : float
        By how many bits it must be stranger.
    apart : int
        Values within which two strange ones are one event; and within which the evidence for an
        alarm must come together.
    changes : bool
        Whether a change of the whole law is an alarm too: of its level, scale or shape, however
        small, if it stays. For streams without memory; the two kinds share the promise.
    order : int
        How many of the last values a value is predicted from; the difference is judged in its
        place. 0 judges the values themselves.
    seed : int
        Seed of the coin that breaks ties between equally surprising values.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> SurpriseConfig(promise=500.0).limit == math.log2(500)
    True
    """

    promise: Annotated[float, Bounds(2.0, 1e9)] = 2000.0
    warm_up: Annotated[int, Bounds(2)] = 50
    relief: Positive = 40.0
    margin: Annotated[float, Bounds(0.0)] = 1.0
    apart: Annotated[int, Bounds(1)] = 20
    changes: bool = False
    order: Annotated[int, Bounds(0, 64)] = 0
    seed: Seed = 0

    @property
    def limit(self) -> float:
        """Score in bits at which an alarm is raised: log₂ of the promise."""
        return math.log2(self.promise)

    @property
    def key(self) -> int:
        """Key of the coin, which follows from the seed."""
        return int(np.random.default_rng(self.seed).integers(2**63))

    def constants(self) -> FloatArray:
        """Parameters as the compiled step reads them."""
        first = self.warm_up, self.relief, self.margin, self.apart, 5.0
        return np.array([*first, self.limit, self.changes])


class Judgement(NamedTuple):
    """What a monitor says of one value."""

    surprisal: float  #: −log₂ of the probability of its cell, by the values before it; bits
    p_value: float  #: share of values at least as surprising, itself included; ties by a coin
    score: float  #: how much stranger than anything of late, in bits; 0 for most values
    evidence: float  #: against chance, in bits; what an alarm needs beside its score
    alarm: bool  #: strange enough, and not by chance


class Surprise:
    """Monitor of one stream: a value in, its surprisal, p-value, score and alarm out.

    The p-values are conformal (Vovk, Gammerman and Shafer 2005): independent and uniform for any
    exchangeable stream, whatever its distribution. The alarms stand on a Shiryaev–Roberts
    e-detector of them (Shin, Ramdas and Rinaldo 2022), so that the mean number of values between
    two false ones is at least the promised one, by theorem: the evidence R obeys
    R ← (R + 1)·b(p) with bets b of mean 1, and an alarm asks for R ≥ promise. No detector with such
    a promise can be sure of one strange value in a stream younger than the promise: for all it
    knows, the law has a heavy tail, and among t values one must be the strangest. Then several are
    needed, or luck with the coin; the score tells all the same.

    Parameters
    ----------
    config : SurpriseConfig, optional
        The defaults if not given.

    See Also
    --------
    entro_nb.watch : The same for a whole series, a table, or many streams.

    Notes
    -----
    The law is the histogram of all values so far on :data:`~entro_nb.surprise.CELLS` cells that
    widen with the range, smoothed over one neighbour. Strangeness is the time within which so
    unlikely a value was to be expected, (t + 1)/(n + 1) for n of t values at least as unlikely, in
    bits, and as many bits more as the logarithm of its distance from the nearest value seen, in
    cells. The score takes off the logarithm of how many earlier peaks were as strange, and is 0
    unless a value is stranger than the strangest of late. An alarm is raised at a value among the
    hundredth that surprises most, where the evidence suffices and a score has reached the limit
    within the last few values. A new level is accepted in proportion
    to the stream's age: after n of t values its strangeness is at most log₂(t/n).

    Examples
    --------
    >>> monitor = Surprise(SurpriseConfig(promise=100.0))
    >>> rng = np.random.default_rng(1)
    >>> usual = [monitor.process(x) for x in rng.standard_normal(1000)]
    >>> sum(j.alarm for j in usual) <= 10
    True
    >>> monitor.process(9.0).alarm
    True
    """

    def __init__(self, config: SurpriseConfig | None = None) -> None:
        config = SurpriseConfig() if config is None else config
        if not isinstance(config, SurpriseConfig):
            raise ParameterTypeError("config", config, "a SurpriseConfig")
        self._odds = odds()
        self._config, self._constants = config, config.constants()
        self._value, self._out = np.zeros(1), np.empty((len(ROWS), 1))
        self.reset()
        self.judge(self._value)
        self.reset()

    @property
    def config(self) -> SurpriseConfig:
        """Parameters this monitor was built with."""
        return self._config

    def set_promise(self, promise: float) -> None:
        """Promise another mean number of values between false alarms (an operator's command).

        What was seen stays known; the evidence for an alarm is gathered anew, so that the promise
        holds from the next value on.

        Raises
        ------
        ParameterError, ParameterTypeError
            If `promise` is outside its range; the state is then unchanged.
        """
        config = replace(self._config, promise=promise)
        self._config, self._constants = config, config.constants()
        self._state.memory[1:] = self._state.bets[:] = 0.0

    @property
    def seen(self) -> int:
        """Values judged since the last reset."""
        return int(self._state.clock[0])

    def reset(self) -> None:
        """Forget every value, as when the stream is switched."""
        self._state = nothing_seen(self._config.key, self._config.order)

    def process(self, x: float) -> Judgement:
        """Judge one value.

        Parameters
        ----------
        x : float
            The value, in any units.

        Returns
        -------
        Judgement

        Raises
        ------
        ParameterError, ParameterTypeError
            If `x` is NaN, infinite, or no number; the state is then unchanged.
        """
        if type(x) is not float or not math.isfinite(x):
            x = validate.real("x", x)
        self._value[0] = x
        judge(self._value, *self._state, self._constants, self._odds, self._out)
        surprisal, p_value, score, evidence, alarm = self._out[:, 0].tolist()
        return Judgement(surprisal, p_value, score, evidence, alarm > 0.0)

    def judge(self, x: npt.ArrayLike) -> FloatArray:
        """Judge values in order, going on from where this monitor stands.

        Parameters
        ----------
        x : array_like
            Finite values, shape (time,).

        Returns
        -------
        ndarray
            The numbers of `process`, alarm as 1 or 0: a row each, over time.

        Raises
        ------
        ParameterError, DataError
            If `x` is not one-dimensional, is empty, or holds NaN or infinity (named by index);
            the state is then unchanged.
        """
        values = validate.finite_array("x", x, ndim=1)
        out = np.empty((len(ROWS), values.size))
        judge(values, *self._state, self._constants, self._odds, out)
        return out
