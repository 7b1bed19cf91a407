"""The claims as published, their findings side by side, and what each verdict means.

The definitions stand here, before any result, and the results are judged by them.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import settings, validate
from entro_nb.errors import ParameterError
from entro_nb.results import Interval, parameters_of
from entro_nb.validate import Seed

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

#: Where the claims of each document's letter are evaluated.
ROOMS = ("engine", "network", "scaling", "accountant", "records", "geometry")

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
    Verdict.REPRODUCED: "Under the text as it stands every figure comes out, to its printed digits "
    "or within the interval named, and every statement held in each test.",
    Verdict.PARTLY: "Some parts hold as the text stands, or the whole holds under another reading "
    "than the literal one, or under a condition that the document does not state.",
    Verdict.NOT_REPRODUCED: "No part comes out as the text stands, and the whole under no reading "
    "tried; a reading that nobody has tried might still give it.",
    Verdict.REFUTED: "No part comes out, and under every reading tried a proof or an exact bound "
    "says that it cannot.",
    Verdict.NOT_TESTABLE: "It needs something that neither the document nor its code supplies.",
}


class Kind(Enum):
    """What a claim is about: a verdict on one kind says nothing of another."""

    SUBSTANCE = "substance"
    ARITHMETIC = "arithmetic"
    FITTED = "fitted"
    OURS = "this package"
    PACKAGES = "published packages"

    @property
    def meaning(self) -> str:
        """Definition of the kind, in words."""
        return _KINDS[self]


_KINDS = {
    Kind.SUBSTANCE: "What the document is written for: that something is so, or comes to so much.",
    Kind.ARITHMETIC: "Follows from other rows of the table by arithmetic or from a definition.",
    Kind.FITTED: "A figure that we set free constants by: it comes out because they were set so.",
    Kind.OURS: "About a program, judged on the one in this package.",
    Kind.PACKAGES: "About the Python packages that were published beside the documents.",
}


NO_FIGURE = Interval(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which a claim's text can be read, and what comes of it.

    Parameters
    ----------
    obtained : str
        The figure or outcome under it, formatted from the result.
    held : array_like of bool
        Whether each part of the claim held; kept as a tuple.
    name : str
        The reading in words.
    literal : bool
        Whether it is what the text says. Where the text leaves something open that changes the
        outcome, each way of filling it in is literal.
    proved : bool
        Whether a proof or an exact bound, into which nothing of our choosing enters, says that no
        part can hold.

    Raises
    ------
    ParameterError
        If there is no part, or one holds of what is proved impossible.

    Examples
    --------
    >>> print(Reading("3 of 4", [True, False]))
    as written: 3 of 4 (literal; holds in part)
    """

    obtained: str
    held: Any
    name: str = "as written"
    literal: bool = True
    proved: bool = False

    def __post_init__(self) -> None:
        held = tuple(np.atleast_1d(np.asarray(self.held, dtype=bool)).ravel().tolist())
        if not held:
            raise ParameterError("held", self.held, "at least one part")
        if self.proved and any(held):
            raise ParameterError("held", held, "no part, of what is proved impossible")
        object.__setattr__(self, "held", held)

    @property
    def outcome(self) -> str:
        """What came of it, in words."""
        if self.proved:
            return "cannot hold"
        return "holds" if all(self.held) else "holds in part" if any(self.held) else "does not hold"

    def __str__(self) -> str:
        sense = "literal" if self.literal else "read otherwise"
        return f"{self.name}: {self.obtained} ({sense}; {self.outcome})"


def judged(readings: Sequence[Reading]) -> Verdict:
    """Verdict that follows from the readings of a claim: the one rule for all claims.

    Parameters
    ----------
    readings : sequence of Reading
        Every reading tried; none for a claim that cannot be tested here.

    Raises
    ------
    ParameterError
        If there are readings and none of them is literal.

    Examples
    --------
    >>> judged([Reading("4 of 4", [True, True])]), judged([Reading("3 of 4", [True, False])])
    (<Verdict.REPRODUCED: 'reproduced'>, <Verdict.PARTLY: 'partly reproduced'>)
    >>> judged([Reading("3 > 2", False, proved=True)])
    <Verdict.REFUTED: 'refuted'>
    """
    if not readings:
        return Verdict.NOT_TESTABLE
    literal = [reading for reading in readings if reading.literal]
    if not literal:
        raise ParameterError("readings", [r.name for r in readings], "one of them literal")
    if all(all(reading.held) for reading in literal):
        return Verdict.REPRODUCED
    if any(any(r.held) if r.literal else all(r.held) for r in readings):
        return Verdict.PARTLY
    if all(reading.proved for reading in readings):
        return Verdict.REFUTED
    return Verdict.NOT_REPRODUCED


@dataclass(frozen=True, slots=True)
class Finding:
    """What we obtained for one claim.

    Parameters
    ----------
    readings : Reading or tuple of Reading
        Every way tried of reading the text that gives another figure, the literal ones first;
        empty where the claim cannot be tested here.
    why : str
        One sentence: what makes it so.
    interval : Interval
        The leading figure with its range, NaN where there is none.
    interval_of : str
        What the range is: a t-interval over seeds, a range over plants.
    instead : str
        Where the claim does not hold: something nearby that does.
    chosen : str
        The constants that the outcome depends on, each with who chose it.
    obtained : str
        The outcome in words; that of the literal readings unless given.
    """

    readings: Reading | tuple[Reading, ...]
    why: str
    interval: Interval = NO_FIGURE
    interval_of: str = ""
    instead: str = ""
    chosen: str = ""
    obtained: str = ""

    def __post_init__(self) -> None:
        if math.isfinite(self.interval.low) and not self.interval_of:
            raise ParameterError("interval_of", "", "words, where there is an interval")
        if not self.obtained:
            literal = "; ".join(r.obtained for r in self.tried if r.literal)
            object.__setattr__(self, "obtained", literal)

    @property
    def tried(self) -> tuple[Reading, ...]:
        """The readings, also where there is one."""
        return (self.readings,) if isinstance(self.readings, Reading) else self.readings

    @property
    def verdict(self) -> Verdict:
        """What follows from the readings."""
        return judged(self.tried)


#: Evaluates one claim, given the seed of its simulations.
Evaluator = Callable[[int], Finding]


@functools.cache
def published() -> pd.DataFrame:
    """Claims as published, by id, with their source and kind, and where our evidence stands.

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


def select(ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Rows of the published claims that are asked for by id; all if none is.

    Raises
    ------
    ParameterError
        If there is no claim of that id; the nearest one is suggested.

    Examples
    --------
    >>> select("e05").claim.item()
    'Peak psi_total, controlled'
    """
    claims = published()
    asked = [ids] if isinstance(ids, str) else claims.index if ids is None else list(ids)
    wanted = [str(name).upper() for name in asked]
    for name, spelled in zip(wanted, asked, strict=True):
        if name not in claims.index:
            listed = "an id that `entro-nb claims --list` shows"
            raise ParameterError("claim", spelled, listed + validate.meant(name, claims.index))
    return claims.loc[wanted]


@validate.checked
def evaluate(ids: Iterable[str] | None = None, *, seed: Seed = 1) -> xr.Dataset:
    """Evaluate published claims and say which hold.

    Parameters
    ----------
    ids : iterable of str, optional
        Ids of the claims, as in ``data/claims.csv``, in any case; all of them if not given.
    seed : int
        Seed of every simulation.

    Returns
    -------
    xarray.Dataset
        One row a `claim`: source, system, kind, text, published, unit, obtained, low, high,
        interval (what low and high are), verdict, readings (a line each), why, instead, chosen,
        evidence (notebook and section), notebook, command.

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

    rows, code = select(ids), evaluators()
    findings = [code[name](seed) for name in rows.index]
    section = rows.section.str.replace(" ", "-")
    columns: dict[str, Iterable[object]] = {
        "source": rows.source + ", " + rows["where"],
        "system": rows.system,
        "kind": rows.kind,
        "text": rows.claim,
        "published": rows.published,
        "unit": rows.unit,
        "obtained": (f.obtained for f in findings),
        "low": (f.interval.low for f in findings),
        "high": (f.interval.high for f in findings),
        "interval": (f.interval_of for f in findings),
        "verdict": (f.verdict.value for f in findings),
        "readings": ("\n".join(map(str, f.tried)) for f in findings),
        "why": (f.why for f in findings),
        "instead": (f.instead for f in findings),
        "chosen": (f.chosen for f in findings),
        "notebook": rows.notebook,
        "evidence": rows.notebook + ".ipynb" + section.where(section == "", "#" + section),
        "command": (f"entro-nb claims {name} --readings" for name in rows.index),
    }
    return xr.Dataset(
        {name: ("claim", np.array(list(values))) for name, values in columns.items()},
        coords={"claim": np.array(rows.index, dtype=str)},
        attrs={"title": "Published claims and what we get"} | parameters_of(seed=seed),
    )


def summary(found: xr.Dataset) -> str:
    """Counts of the verdicts by system and by kind, as a Markdown table: what the README shows.

    Examples
    --------
    >>> print(summary(evaluate(["A04", "A05"])).splitlines()[0])
    | claims | reproduced | partly reproduced | not reproduced | refuted | not testable here |
    """
    names = [verdict.value for verdict in Verdict]
    lines = ["| claims | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]

    def row(label: str, verdicts: list[str], mark: str = "") -> str:
        counts = (f"{mark}{verdicts.count(name)}{mark}" for name in names)
        return f"| {mark}{label}{mark} | " + " | ".join(counts) + " |"

    def rows(column: str, order: Iterable[str], form: str) -> Iterable[str]:
        for value in order:
            chosen = found.verdict.values[found[column].values == value].tolist()
            if chosen:
                yield row(form.format(value), chosen)

    lines += rows("system", dict.fromkeys(found.system.values.tolist()), "{}")
    lines.append(row("all", found.verdict.values.tolist(), "**"))
    lines += rows("kind", (kind.value for kind in Kind), "*of these: {}*")
    return "\n".join(lines)
