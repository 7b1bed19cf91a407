"""The runs of a batch as a table: parameters, results, verdicts, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from entro_nb.report.html import duration, megabytes
from entro_nb.report.manifest import Entry

__all__ = ["Cell", "Row", "Table", "table"]


@dataclass(frozen=True)
class Cell:
    """One cell: what it shows, and the number by which it is sorted, if it is one."""

    text: str = ""
    value: float | None = None
    link: str | None = None
    kind: str = ""


@dataclass(frozen=True)
class Row:
    """One run."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Every run, one a row."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def table(entries: Sequence[Entry]) -> Table | None:
    """Table of the runs; None when no notebook was run more than once."""
    varied = list(dict.fromkeys(name for entry in entries for name in entry.varied))
    if not varied:
        return None
    results: dict[str, str] = {}
    for entry in entries:
        for name, (_, units) in entry.results.items():
            results.setdefault(name, f"{name} ({units})" if units else name)
    judged = any(entry.verdicts for entry in entries)
    columns = (
        "notebook", *varied, "status", *results.values(), *(["verdicts"] if judged else []),
        "run time", "peak memory",
    )  # fmt: skip
    return Table(columns, tuple(_row(entry, varied, list(results), judged) for entry in entries))


def _row(entry: Entry, varied: Sequence[str], results: Sequence[str], judged: bool) -> Row:
    parameters = [
        _cell(entry.parameters[name]) if name in entry.parameters else Cell() for name in varied
    ]
    values = [_cell(entry.results[n][0]) if n in entry.results else Cell() for n in results]
    counts = ", ".join(f"{number} {text}" for text, number in entry.counts.items())
    verdicts = [Cell(counts)] if judged else []
    peak = entry.peak_bytes
    cells = (
        Cell(entry.source or entry.name, link=entry.html),
        *parameters,
        Cell(entry.status, kind="failed" if entry.error else "passed"),
        *values,
        *verdicts,
        Cell(duration(entry.seconds), entry.seconds, kind="number"),
        Cell(megabytes(peak), peak, kind="number"),
    )
    return Row(entry.name, cells)


def _cell(value: Any) -> Cell:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Cell(str(value))
    return Cell(f"{value:g}" if isinstance(value, float) else str(value), value, kind="number")
