"""The Decision Gate: from a frame's class and confidence to one of five paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from entro_nb import validate
from entro_nb.accountant.frame import EeFrame, Stability
from entro_nb.errors import ParameterError, ParameterTypeError, PathUnavailableError

__all__ = ["Decision", "DecisionGate", "Path"]


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

#: Which path each class takes when confidence suffices (ours: the seed's rules were never found).
ROUTES: Mapping[Stability, Path] = MappingProxyType(
    {
        Stability.UNKNOWN: Path.PROCEED,
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
class DecisionGate:
    """Routes frames to paths by stability class and confidence (seed 003, §4, stage 5).

    PROCEED, PAUSE and ABORT are active. REVISE and VOTE exist by name and are refused.

    Parameters
    ----------
    min_confidence : float
        Below it no frame leads to ABORT: it is held at PAUSE, for want of evidence.
    routes : mapping from Stability to Path
        Path of each class; classes left out keep the default.

    Raises
    ------
    ParameterError
        If `min_confidence` lies outside [0, 1] or a route is not from a class to a path.
    PathUnavailableError
        If a route leads to REVISE or VOTE.

    Examples
    --------
    >>> frame = EeFrame(200, 0.1, 3.9, 0.97, 0.5, 0.1, 0.0, 1.0, Stability.DRIFTING)
    >>> DecisionGate().route(frame).path
    <Path.PAUSE: 'PAUSE'>
    """

    min_confidence: float = 0.5
    routes: Mapping[Any, Any] = field(default_factory=lambda: ROUTES)

    def __post_init__(self) -> None:
        validate.real("min_confidence", self.min_confidence, 0.0, 1.0)
        for stability, path in self.routes.items():
            if not isinstance(stability, Stability) or not isinstance(path, Path):
                raise ParameterError("routes", (stability, path), "a Stability to a Path")
            require(path)
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
        path: Path = self.routes[frame.stability]
        if path is Path.ABORT and frame.confidence < self.min_confidence:
            return Decision(
                Path.PAUSE,
                f"{frame.stability.name}, but confidence {frame.confidence:.2f} is below "
                f"{self.min_confidence:.2f}",
            )
        return Decision(path, f"{frame.stability.name} at confidence {frame.confidence:.2f}")


def require(path: Path) -> Path:
    """The path itself if something stands behind it.

    Raises
    ------
    PathUnavailableError
        For REVISE and VOTE, with the reason.

    Examples
    --------
    >>> require(Path.VOTE)
    Traceback (most recent call last):
    ...
    entro_nb.errors.PathUnavailableError: path VOTE is not available: it needs several agents to ask
    """
    if path in UNAVAILABLE:
        raise PathUnavailableError(f"path {path.name} is not available: {UNAVAILABLE[path]}")
    return path
