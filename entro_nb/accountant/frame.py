"""What an Accountant is told, what it says about a sample, and what is decided on it.

`AccountantConfig` and `Thresholds` go in, an `EeFrame` comes out, and the `DecisionGate` takes it
to one of five paths. `COLUMNS`, the fields of an EeFrame, is the one table of what a frame holds:
the Accountant's Dataset, the audit trail and its Dataset are made from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, cast, get_args, get_type_hints

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError, PathUnavailableError
from entro_nb.validate import Bounds, Parameters, Share


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits beyond which a frame is not STABLE, and the promise they were set for.

    Nobody published thresholds for seed 003: these are ours, and come from
    :func:`entro_nb.accountant.calibrate`, not from a table of magic numbers.

    Parameters
    ----------
    entropy_low, entropy_high : float
        Band of H in bits; outside it the frame is UNSTABLE.
    velocity : float
        Limit of |H′| in bits; beyond it the frame is DRIFTING.
    acceleration : float
        Limit of |H″| in bits; beyond it the frame is ACCELERATING.
    jerk : float
        Limit of |H‴| in bits; beyond it the frame is a TRANSITION.
    run_length : float
        Mean number of frames between false alarms that the limits were set for; NaN if unknown.
    standard_error : float
        Relative standard error of the run length in the calibration; NaN if unknown.

    Raises
    ------
    ParameterError
        If a limit is NaN or negative, or the band is upside down.

    Examples
    --------
    >>> Thresholds(2.5, 3.6, 0.3, 0.1, 0.1).velocity
    0.3
    """

    entropy_low: float
    entropy_high: float
    velocity: float
    acceleration: float
    jerk: float
    run_length: float = math.nan
    standard_error: float = math.nan

    def __post_init__(self) -> None:
        lowest = dict.fromkeys(("velocity", "acceleration", "jerk"), 0.0)
        lowest |= {"entropy_low": -math.inf, "entropy_high": self.entropy_low}
        for name, low in lowest.items():
            value = getattr(self, name)
            # An infinite limit is meant: it switches that alarm off.
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ParameterTypeError(name, value, f"a number of at least {low:g}")
            if math.isnan(value) or value < low:
                raise ParameterError(name, value, f"a number of at least {low:g}")

    @classmethod
    def never(cls) -> Thresholds:
        """Limits that no frame exceeds: measure, and never alarm."""
        return cls(-math.inf, math.inf, math.inf, math.inf, math.inf, run_length=math.inf)


@dataclass(frozen=True)
class AccountantConfig(Parameters):
    """Parameters of an Accountant (seed 003, §3 and §4; the numbers are ours).

    Parameters
    ----------
    window : int
        Samples in the histogram, at least 2. Longer sees smaller changes, later.
    bins : int
        Categories, at least 2. With K bins and N samples the plug-in entropy is low by about
        (K − 1)/(2 N ln 2) bits: keep K well below N.
    low, high : float
        Ends of the fixed edges, in units of the normalised value; what lies outside counts in
        the end bins.
    derivative_window : int
        Entropy values in the mean that the velocity is measured from, the present one included:
        from 2 to `window`, the length of the history that an Accountant keeps.
    thresholds : Thresholds, optional
        Limits of the stability classes. Without them the calibrated ones for these parameters
        and a standard normal input are used.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> AccountantConfig(window=64, bins=8, derivative_window=16).bins
    8
    >>> AccountantConfig(window=1)
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: window = 1 is not allowed: expected an integer in [2, 16777216]
    """

    # Beyond these sizes the fixed-point sums would lose the digits that are promised.
    window: Annotated[int, Bounds(2, 2**24)] = 128
    bins: Annotated[int, Bounds(2, 2**20)] = 16
    low: float = -4.0
    high: float = 4.0
    derivative_window: int = 32
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.band(self.low, self.high)
        validate.integer("derivative_window", self.derivative_window, 2, self.window)
        if self.thresholds is not None and not isinstance(self.thresholds, Thresholds):
            raise ParameterTypeError("thresholds", self.thresholds, "a Thresholds, or None")


class Stability(IntEnum):
    """Stability class of a frame, in order of severity (the names are ours; seed 003 gives none).

    A frame has one from the fourth on, with the confidence of how far its window is filled. For n
    of N samples the limits are (N/n)² times as wide, the band of H downwards: few samples make H
    low and rough. So false alarms come no more often while the window fills than afterwards.

    Examples
    --------
    >>> Stability.DRIFTING > Stability.STABLE
    True
    """

    UNKNOWN = 0  #: cold start: no class before H‴, with the fourth frame
    STABLE = 1  #: nothing beyond its limit
    TRANSITION = 2  #: |H‴| beyond its limit: one sharp event
    ACCELERATING = 3  #: |H″| beyond its limit: the early warning of seed 003
    DRIFTING = 4  #: |H′| beyond its limit: dispersing or concentrating
    UNSTABLE = 5  #: H outside its band


class Column(NamedTuple):
    """What stands in a column of frames, wherever they are kept or shown."""

    units: str
    long_name: str
    given: bool = False  #: whether it comes with the sample and is not measured
    whole: bool = False  #: whether its values are integers, classes, or true and false
    optional: bool = False  #: whether a value may be missing


@dataclass(frozen=True, slots=True)
class EeFrame:
    """One coordination signal of the Accountant (seed 003, §3; the field list is ours).

    Parameters
    ----------
    sequence : int
        Number of the sample since the last reset, from 0.
    value : float
        The normalised sample that was measured.
    entropy : float
        H of the window, in bits.
    esi : float
        Environmental Stability Index, here H_norm = H / log₂ bins, in [0, 1].
    velocity, acceleration, jerk : float or None
        H′, H″, H‴ in bits; None until 2, 3 and 4 entropy values exist.
    confidence : float
        Share of the window filled times share of the four quantities available, in (0, 1].
    stability : Stability
        Class of the frame.
    stream : str, optional
        Name of the stream that the sample is of.
    time : float, optional
        When it was received, in seconds since 1970.
    raw : float, optional
        The value in the stream's units.
    surprisal : float, optional
        −log₂ of the probability of the raw value by those before it, in bits. This and the next
        three are what a :class:`~entro_nb.surprise.Surprise` said of it; None if nobody asked one.
    p_value : float, optional
        Share of the values so far that are at least as surprising, in (0, 1].
    score : float, optional
        How much stranger than anything of late, in bits.
    alarm : bool, optional
        Whether an alarm is raised.

    Examples
    --------
    >>> frame = EeFrame(0, 0.5, 0.0, 0.0, None, None, None, 0.002, Stability.UNKNOWN)
    >>> EeFrame.from_json(frame.to_json()) == frame
    True
    """

    sequence: Annotated[int, Bounds(0), Column("samples", "number of the sample")]
    value: Annotated[float, Column("1", "normalised value")]
    entropy: Annotated[float, Bounds(0.0), Column("bits", "entropy H of the window")]
    esi: Annotated[Share, Column("1", "Environmental Stability Index, H / log2(bins)")]
    velocity: Annotated[float | None, Column("bits", "velocity H′")]
    acceleration: Annotated[float | None, Column("bits", "acceleration H″")]
    jerk: Annotated[float | None, Column("bits", "jerk H‴")]
    confidence: Annotated[Share, Column("1", "confidence")]
    stability: Annotated[Stability, Column("1", "stability class")]
    stream: Annotated[str | None, Column("1", "name of the stream", given=True)] = None
    time: Annotated[float | None, Column("s", "seconds since 1970", given=True)] = None
    raw: Annotated[float | None, Column("stream's own", "value as received", given=True)] = None
    surprisal: Annotated[
        float | None, Bounds(0.0), Column("bits", "surprisal of the value as received")
    ] = None
    p_value: Annotated[
        float | None, Bounds(0.0, 1.0, open_low=True), Column("1", "p-value of that surprisal")
    ] = None
    score: Annotated[
        float | None, Bounds(0.0), Column("bits", "how much stranger than anything of late")
    ] = None
    alarm: Annotated[bool | None, Column("1", "whether an alarm is raised")] = None

    def to_dict(self) -> dict[str, Any]:
        """Mapping of plain values, the class by its name."""
        return {name: getattr(self, name) for name in COLUMNS} | {"stability": self.stability.name}

    def to_json(self) -> str:
        """JSON object with every field; what is not available or was not given is null."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> EeFrame:
        """Frame from its JSON object, checked field by field.

        Raises
        ------
        DataError
            If the text is not a JSON object with exactly these fields.
        ParameterError
            If a field is outside its range.
        """
        names = list(COLUMNS)
        try:
            content = json.loads(text)
        except ValueError:
            raise DataError("frame", text, "a JSON object") from None
        if not isinstance(content, dict) or set(content) != set(names):
            raise DataError("frame", text, f"a JSON object with the fields {', '.join(names)}")
        checks = validate.field_checks(cast(Any, cls))
        content |= {name: check(name, content[name]) for name, check in checks.items()}
        label = content["stability"]
        if not isinstance(label, str) or label not in Stability.__members__:
            raise ParameterError("stability", label, f"one of {', '.join(Stability.__members__)}")
        return cls(**content | {"stability": Stability[label]})


#: Columns of a table of frames, in their order: the fields of an EeFrame, and what they are.
COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        name: next(m for m in hint.__metadata__ if isinstance(m, Column))._replace(
            whole=hint.__origin__ in (int, Stability, bool | None),
            optional=type(None) in get_args(hint.__origin__),
        )
        for name, hint in get_type_hints(EeFrame, include_extras=True).items()
    }
)


#: Columns that are a monitor's, who judges the value as received; an Accountant leaves them empty.
JUDGED = ("surprisal", "p_value", "score", "alarm")


def one_in(frame: EeFrame) -> int | None:
    """How many values there are to one as surprising as a frame's; None if nobody judged it.

    That is one by its p-value, and no more than came so far: among 100 values the rarest is one
    in 100, whatever the coin in its p-value says.
    """
    return None if frame.p_value is None else round(min(1.0 / frame.p_value, frame.sequence + 1))


def rarity(frame: EeFrame) -> str:
    """How surprising the value of a frame is, in words; nothing if nobody judged it.

    Examples
    --------
    >>> frame = EeFrame(
    ...     4000, 0.0, 0.0, 0.0, None, None, None, 1.0, Stability.STABLE,
    ...     surprisal=17.0, p_value=0.0005, score=11.0, alarm=True,
    ... )  # fmt: skip
    >>> rarity(frame)
    'surprisal 17.0 bits, one value in 2000'
    """
    if frame.surprisal is None or frame.p_value is None:
        return ""
    return f"surprisal {frame.surprisal:.1f} bits, one value in {one_in(frame)}"


def flags(codes: Mapping[str, int]) -> dict[str, Any]:
    """Attributes that say what the codes of a variable stand for, as CF conventions have it."""
    return {"flag_values": list(codes.values()), "flag_meanings": " ".join(codes)}


class Path(Enum):
    """The five paths of seed 003, §4, stage 5."""

    PROCEED = "PROCEED"
    PAUSE = "PAUSE"
    REVISE = "REVISE"
    VOTE = "VOTE"
    ABORT = "ABORT"


#: Seed 003 keeps two paths as stubs without saying which; these two need what is not here.
UNAVAILABLE: Mapping[Path, str] = MappingProxyType(
    {
        Path.REVISE: "it needs a generator that can produce the output again",
        Path.VOTE: "it needs several agents to ask",
    }
)

#: The active paths, the gravest last.
_GRAVITY = (Path.PROCEED, Path.PAUSE, Path.ABORT)

#: Which path each class takes when confidence suffices (ours: the seed's rules were never found).
ROUTES: Mapping[Stability, Path] = MappingProxyType(
    {
        Stability.UNKNOWN: Path.PAUSE,
        Stability.STABLE: Path.PROCEED,
        Stability.TRANSITION: Path.PROCEED,
        Stability.ACCELERATING: Path.PAUSE,
        Stability.DRIFTING: Path.PAUSE,
        Stability.UNSTABLE: Path.ABORT,
    }
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Path of a frame and the reason for it, in words."""

    path: Path
    reason: str


@dataclass(frozen=True)
class DecisionGate(Parameters):
    """Routes frames to paths by stability class and confidence (seed 003, §4, stage 5).

    PROCEED, PAUSE and ABORT are active. REVISE and VOTE exist by name and are refused. The path is
    that of the class if the confidence suffices, else PAUSE: too little is known to go on or stop.
    A frame whose value raises an alarm takes the path declared for alarms, if that is the graver.

    Parameters
    ----------
    min_confidence : float
        Below it every frame is held at PAUSE, whatever its class.
    routes : mapping from Stability to Path
        Path of each class; classes left out keep the default.
    on_alarm : Path, optional
        Path of a frame that raises an alarm, from PROCEED over PAUSE to ABORT; that of its class
        stays if it is graver. Without it alarms route nothing, as in seed 003.

    Raises
    ------
    ParameterError
        If `min_confidence` lies outside [0, 1], a route is not from a class to a path, or
        `on_alarm` is no path.
    PathUnavailableError
        If a route leads to REVISE or VOTE.

    Examples
    --------
    >>> frame = EeFrame(200, 0.1, 3.9, 0.97, 0.5, 0.1, 0.0, 1.0, Stability.DRIFTING)
    >>> DecisionGate().route(frame).path
    <Path.PAUSE: 'PAUSE'>
    >>> DecisionGate(routes={Stability.DRIFTING: Path.VOTE})
    Traceback (most recent call last):
    ...
    entro_nb.errors.PathUnavailableError: path VOTE is not available: it needs several agents to ask
    """

    min_confidence: Share = 0.5
    routes: Mapping[Any, Any] = field(default_factory=lambda: ROUTES)
    on_alarm: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for stability, path in self.routes.items():
            if not isinstance(stability, Stability) or not isinstance(path, Path):
                raise ParameterError("routes", (stability, path), "a Stability to a Path")
        if self.on_alarm is not None and not isinstance(self.on_alarm, Path):
            raise ParameterError("on_alarm", self.on_alarm, "a Path, or None")
        for path in (*self.routes.values(), self.on_alarm):
            if path in UNAVAILABLE:
                raise PathUnavailableError(
                    f"path {path.name} is not available: {UNAVAILABLE[path]}"
                )
        object.__setattr__(self, "routes", MappingProxyType({**ROUTES, **self.routes}))

    def route(self, frame: EeFrame) -> Decision:
        """Path of one frame.

        Parameters
        ----------
        frame : EeFrame

        Returns
        -------
        Decision
        """
        if not isinstance(frame, EeFrame):
            raise ParameterTypeError("frame", frame, "an EeFrame")
        if frame.confidence < self.min_confidence:
            return Decision(
                Path.PAUSE,
                f"{frame.stability.name}, but confidence {frame.confidence:.2f} is below "
                f"{self.min_confidence:.2f}",
            )
        path: Path = self.routes[frame.stability]
        reason = f"{frame.stability.name} at confidence {frame.confidence:.2f}"
        if frame.alarm and self.on_alarm is not None:
            path = max(path, self.on_alarm, key=_GRAVITY.index)
            reason += f", and an alarm: {rarity(frame)}"
        return Decision(path, reason)
