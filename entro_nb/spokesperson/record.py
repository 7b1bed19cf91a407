"""What flows from the Accountant to the Spokesperson: a frame, its path, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from entro_nb.accountant import Decision, EeFrame

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """One frame with the decision on it (seed 003, §4, stages 5 and 6).

    Parameters
    ----------
    channel : int
        Number of the connection in the audit trail.
    stream : str
        Name of the stream.
    time : float
        When the value was received, seconds since 1970.
    raw : float
        The value in the stream's units.
    frame : EeFrame
        What the Accountant said of it.
    decision : Decision
        What the gate decided.
    number : int
        Number of the frame in the audit trail; 0 before it has one.
    """

    channel: int
    stream: str
    time: float
    raw: float
    frame: EeFrame
    decision: Decision
    number: int = 0
