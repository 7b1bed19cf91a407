"""The claims as published, their findings side by side, and the summary of the verdicts."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from entro_nb import validate
from entro_nb.claims.finding import Evaluator, Finding, Verdict
from entro_nb.claims.published import published
from entro_nb.results import parameters_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["evaluate", "evaluators", "summary"]

#: Where the claims of each document's letter are evaluated.
_ROOMS = {"E": "engine", "N": "network", "A": "accountant", "G": "geometry"}


def evaluators() -> Mapping[str, Evaluator]:
    """Code of every claim, by its id."""
    found: dict[str, Evaluator] = {}
    for room in _ROOMS.values():
        found |= importlib.import_module(f"entro_nb.claims.{room}").CLAIMS
    return found


def evaluate(ids: Iterable[str] | None = None, *, seed: int = 1) -> xr.Dataset:
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

    seed = validate.integer("seed", seed, 0)
    claims, code = published(), evaluators()
    wanted = list(claims.index) if ids is None else [ids] if isinstance(ids, str) else list(ids)
    for name in wanted:
        validate.choice("claim", name, claims.index)
    findings = {name: code[name](seed) for name in wanted}
    rows = claims.loc[wanted]

    def text(values: Iterable[str]) -> tuple[str, Any]:
        return "claim", np.array(list(values), dtype=str)

    def number(values: Iterable[float]) -> tuple[str, Any]:
        return "claim", np.array(list(values), dtype=np.float64)

    every: list[Finding] = list(findings.values())
    return xr.Dataset(
        {
            "system": text(rows.system),
            "text": text(rows.claim),
            "published": text(rows.published),
            "unit": text(rows.unit),
            "obtained": text(f.obtained for f in every),
            "low": number(f.low for f in every),
            "high": number(f.high for f in every),
            "verdict": text(f.verdict.value for f in every),
            "why": text(f.why for f in every),
            "instead": text(f.instead for f in every),
            "notebook": text(f.notebook for f in every),
            "command": text(f"entro-nb claims {name}" for name in wanted),
        },
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
