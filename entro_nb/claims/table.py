"""The claims as published, their findings side by side, and what each verdict means.

The definitions stand here, before any result, and the results are judged by them.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from entro_nb import settings, validate
from entro_nb.results import Interval, parameters_of
from entro_nb.validate import Seed

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Where the claims of each document's letter are evaluated.
ROOMS = ("engine", "network", "accountant", "geometry")

#: What was observed of the published packages, in the folder of data.
OBSERVED = "published_packages.json"


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


NO_FIGURE = Interval(math.nan, math.nan, math.nan)


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
    interval : Interval
        The leading figure over seeds (95 %), NaN where there is no figure.
    instead : str
        Where the claim does not hold: something nearby that does.
    """

    obtained: str
    verdict: Verdict
    why: str
    interval: Interval = NO_FIGURE
    instead: str = ""


#: Evaluates one claim, given the seed of its simulations.
Evaluator = Callable[[int], Finding]


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


@functools.cache
def published() -> pd.DataFrame:
    """Claims as published: id, source, system, claim, published, unit, where; and our notebook.

    Examples
    --------
    >>> published().loc["E01", "published"]
    '312'
    """
    import pandas as pd

    return pd.read_csv(settings.data("claims.csv"), dtype=str, index_col="id").fillna("")


def figures(claim: str) -> list[float]:
    """Numbers in a published figure, in order.

    Parameters
    ----------
    claim : str
        Id of the claim.

    Examples
    --------
    >>> figures("N07")
    [-2.1, -26.7, -53.1]
    """
    table = published()
    text = table.loc[validate.choice("claim", claim, table.index), "published"]
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def observed(package: str) -> dict[str, Any]:
    """What was observed of a published package, imported and tested as its reader would.

    Examples
    --------
    >>> observed("entro-net")["version"]
    '1.0.0'
    """
    content = json.loads(settings.data(OBSERVED).read_text(encoding="utf-8"))
    return dict(content[package])


def evaluators() -> Mapping[str, Evaluator]:
    """Code of every claim by its id: for A01 what is named ``_a01`` or ``_a01_…`` in its room."""
    rooms = (vars(importlib.import_module(f"entro_nb.claims.{room}")) for room in ROOMS)
    return {
        name[1:4].upper(): code
        for room in rooms
        for name, code in room.items()
        if re.fullmatch(r"_[aegn]\d\d(_\w+)?", name)
    }


@validate.checked
def evaluate(ids: Iterable[str] | None = None, *, seed: Seed = 1) -> xr.Dataset:
    """Evaluate published claims and say which hold.

    Parameters
    ----------
    ids : iterable of str, optional
        Ids of the claims, as in ``data/claims.csv``; all of them if not given.
    seed : int
        Seed of every simulation.

    Returns
    -------
    xarray.Dataset
        One row a `claim`: system, text, published, unit, obtained, low, high, verdict, why,
        instead, notebook, command.

    Raises
    ------
    ParameterError
        If there is no claim of that id; the nearest one is suggested.

    Examples
    --------
    >>> found = evaluate(["A04"])
    >>> found.verdict.item()
    'partly reproduced'
    """
    import xarray as xr

    claims, code = published(), evaluators()
    wanted = list(claims.index) if ids is None else [ids] if isinstance(ids, str) else list(ids)
    for name in wanted:
        validate.choice("claim", name, claims.index)
    rows = claims.loc[wanted]
    findings = [code[name](seed) for name in wanted]
    columns: dict[str, Iterable[object]] = {
        "system": rows.system,
        "text": rows.claim,
        "published": rows.published,
        "unit": rows.unit,
        "obtained": (f.obtained for f in findings),
        "low": (f.interval.low for f in findings),
        "high": (f.interval.high for f in findings),
        "verdict": (f.verdict.value for f in findings),
        "why": (f.why for f in findings),
        "instead": (f.instead for f in findings),
        "notebook": rows.notebook,
        "command": (f"entro-nb claims {name}" for name in wanted),
    }
    return xr.Dataset(
        {name: ("claim", np.array(list(values))) for name, values in columns.items()},
        coords={"claim": np.array(wanted, dtype=str)},
        attrs={"title": "Published claims and what we get"} | parameters_of(seed=seed),
    )


def summary(found: xr.Dataset) -> str:
    """Counts of the verdicts by system, as a Markdown table: what the README shows.

    Examples
    --------
    >>> print(summary(evaluate(["A04", "A05"])).splitlines()[0])
    | | reproduced | partly reproduced | not reproduced | refuted | not testable here |
    """
    systems = list(dict.fromkeys(found.system.values.tolist()))
    names = [verdict.value for verdict in Verdict]
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    totals = np.zeros(len(names), dtype=int)
    for system in systems:
        verdicts = found.verdict.values[found.system.values == system].tolist()
        counts = np.array([verdicts.count(name) for name in names])
        totals += counts
        lines.append(f"| {system} | " + " | ".join(map(str, counts)) + " |")
    lines.append("| **all** | " + " | ".join(f"**{count}**" for count in totals) + " |")
    return "\n".join(lines)
