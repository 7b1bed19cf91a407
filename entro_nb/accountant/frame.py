"""The EeFrame: what the Accountant says about one sample."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError

__all__ = ["EeFrame", "Stability"]


class Stability(IntEnum):
    """Stability class of a frame, in order of severity (the names are ours; seed 003 gives none).

    Examples
    --------
    >>> Stability.DRIFTING > Stability.STABLE
    True
    """

    UNKNOWN = 0  #: cold start: the window or the derivatives are not complete
    STABLE = 1  #: nothing beyond its limit
    TRANSITION = 2  #: |H‴| beyond its limit: one sharp event
    ACCELERATING = 3  #: |H″| beyond its limit: the early warning of seed 003
    DRIFTING = 4  #: |H′| beyond its limit: dispersing or concentrating
    UNSTABLE = 5  #: H outside its band


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

    Examples
    --------
    >>> frame = EeFrame(0, 0.5, 0.0, 0.0, None, None, None, 0.002, Stability.UNKNOWN)
    >>> EeFrame.from_json(frame.to_json()) == frame
    True
    """

    sequence: int
    value: float
    entropy: float
    esi: float
    velocity: float | None
    acceleration: float | None
    jerk: float | None
    confidence: float
    stability: Stability

    def to_dict(self) -> dict[str, Any]:
        """Mapping of plain values, the class by its name."""
        content: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        return content | {"stability": self.stability.name}

    def to_json(self) -> str:
        """JSON object with every field; derivatives not yet available are null."""
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
        names = [f.name for f in fields(cls)]
        try:
            content = json.loads(text)
        except ValueError:
            raise DataError("frame", text, "a JSON object") from None
        if not isinstance(content, dict) or set(content) != set(names):
            raise DataError("frame", text, f"a JSON object with the fields {', '.join(names)}")
        rates = {
            name: None if content[name] is None else validate.real(name, content[name])
            for name in ("velocity", "acceleration", "jerk")
        }
        label = content["stability"]
        if not isinstance(label, str) or label not in Stability.__members__:
            raise ParameterError("stability", label, f"one of {', '.join(Stability.__members__)}")
        return cls(
            sequence=validate.integer("sequence", content["sequence"], 0),
            value=validate.real("value", content["value"]),
            entropy=validate.real("entropy", content["entropy"], low=0.0),
            esi=validate.real("esi", content["esi"], low=0.0, high=1.0),
            confidence=validate.real("confidence", content["confidence"], low=0.0, high=1.0),
            stability=Stability[label],
            **rates,
        )
