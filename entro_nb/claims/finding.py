"""What is found of a claim, and what each verdict means.

The definitions stand here, before any result, and the results are judged by them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from entro_nb import validate

__all__ = ["Evaluator", "Finding", "Verdict", "interval", "judged"]


class Verdict(Enum):
    """Verdicts on a published claim, with what each means."""

    REPRODUCED = "reproduced"
    PARTLY = "partly reproduced"
    NOT_REPRODUCED = "not reproduced"
    REFUTED = "refuted"
    NOT_TESTABLE = "not testable here"

    @property
    def meaning(self) -> str:
        """Definition of the verdict, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Verdict.REPRODUCED: "We obtain the published figure, to its printed digits or within the "
    "interval of our measurement; or the statement held in every test that we could think of.",
    Verdict.PARTLY: "Some of the figures or cases of the claim hold and others do not; or it "
    "holds under a condition that the document does not state.",
    Verdict.NOT_REPRODUCED: "From what is published we obtain something else, and the published "
    "figure lies outside the interval of our measurement; another reading might still give it.",
    Verdict.REFUTED: "A proof, an exact bound or a counter-example shows that it cannot be so "
    "under any reading we know of.",
    Verdict.NOT_TESTABLE: "It needs something that neither the document nor its code supplies.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What we obtained for one claim.

    Parameters
    ----------
    obtained : str
        The figure or outcome obtained, formatted from the result.
    verdict : Verdict
        By the definitions above.
    why : str
        One sentence: what makes it so.
    notebook : str
        Notebook that shows it, without its ending.
    low, high : float
        Interval of the leading figure over seeds (95 %), NaN where there is no figure.
    instead : str
        Where the claim does not hold: something nearby that does.
    """

    obtained: str
    verdict: Verdict
    why: str
    notebook: str
    low: float = math.nan
    high: float = math.nan
    instead: str = ""


#: Evaluates one claim, given the seed of its simulations.
Evaluator = Callable[[int], Finding]


def interval(values: npt.ArrayLike) -> tuple[float, float]:
    """95 % interval of a mean over independent runs (Student's t).

    Parameters
    ----------
    values : array_like
        One figure a run, at least two.

    Returns
    -------
    tuple of float
        Low and high end.

    Examples
    --------
    >>> low, high = interval([1.0, 2.0, 3.0])
    >>> round(low, 2), round(high, 2)
    (-0.48, 4.48)
    """
    from scipy.stats import t

    sample = validate.finite_array("values", values, ndim=1)
    validate.integer("number of runs", sample.size, 2)
    half = float(t.ppf(0.975, sample.size - 1) * sample.std(ddof=1) / np.sqrt(sample.size))
    return float(sample.mean()) - half, float(sample.mean()) + half


def judged(held: npt.ArrayLike, *, refutes: bool = False) -> Verdict:
    """Verdict on a claim of several parts, from whether each part held.

    Parameters
    ----------
    held : array_like of bool
        Outcome of each part.
    refutes : bool
        Whether a failure is a counter-example to a universal statement.

    Examples
    --------
    >>> judged([True, True]), judged([True, False])
    (<Verdict.REPRODUCED: 'reproduced'>, <Verdict.PARTLY: 'partly reproduced'>)
    """
    outcome = np.atleast_1d(np.asarray(held, dtype=bool))
    if outcome.all():
        return Verdict.REPRODUCED
    if outcome.any():
        return Verdict.PARTLY
    return Verdict.REFUTED if refutes else Verdict.NOT_REPRODUCED
