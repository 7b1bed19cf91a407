"""Each frame in one plain sentence."""

from __future__ import annotations

from entro_nb.accountant import Decision, EeFrame, Path, Stability

__all__ = ["sentence"]

_CLASS = {
    Stability.UNKNOWN: "is still being learnt",
    Stability.STABLE: "is stable",
    Stability.TRANSITION: "has made one sharp move",
    Stability.ACCELERATING: "is changing faster and faster",
    Stability.DRIFTING: "is drifting",
    Stability.UNSTABLE: "is outside its usual range",
}
_PATH = {
    Path.PROCEED: "carry on",
    Path.PAUSE: "wait and look",
    Path.REVISE: "have it done again",
    Path.VOTE: "ask the others",
    Path.ABORT: "stop",
}


def sentence(name: str, frame: EeFrame, decision: Decision) -> str:
    """What a frame and the decision on it say, for a reader who knows no information theory.

    Parameters
    ----------
    name : str
        What the stream is called.
    frame : EeFrame
    decision : Decision

    Returns
    -------
    str
        One sentence; the words are the same for the same class and path.

    Examples
    --------
    >>> frame = EeFrame(200, 0.1, 3.1, 0.78, -0.4, 0.1, 0.0, 1.0, Stability.DRIFTING)
    >>> sentence("Wikipedia", frame, Decision(Path.PAUSE, "DRIFTING at confidence 1.00"))
    'Wikipedia is drifting: disorder is at 78 % of its ceiling and falling; wait and look.'
    """
    trend = _trend(frame)
    doubt = f" (confidence {100 * frame.confidence:.0f} %)" if frame.confidence < 1.0 else ""
    level = f"disorder is at {100 * frame.esi:.0f} % of its ceiling{trend}{doubt}"
    return f"{name} {_CLASS[frame.stability]}: {level}; {_PATH[decision.path]}."


def _trend(frame: EeFrame) -> str:
    """Direction of H, told only where it matters."""
    if frame.velocity is None or frame.stability in (Stability.STABLE, Stability.UNKNOWN):
        return ""
    if frame.velocity == 0.0:
        return " and level"
    return " and rising" if frame.velocity > 0.0 else " and falling"
