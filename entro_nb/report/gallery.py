"""The front page of a report: every notebook with its picture, its cost and how it ended."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from entro_nb.report.html import POLICY, duration, megabytes, style, templates
from entro_nb.report.manifest import Manifest, counted
from entro_nb.report.table import table

__all__ = ["page"]

#: Most runs whose pictures the page carries.
PICTURES = 60

PNG = b"\x89PNG\r\n\x1a\n"


def page(report: Manifest, thumbnails: Mapping[str, Path]) -> str:
    """HTML of the gallery.

    Parameters
    ----------
    report : Manifest
        What ran and what came of it.
    thumbnails : mapping
        Name of a notebook to the PNG that its first figure left, or would have left.

    Returns
    -------
    str
        A whole HTML document that carries its pictures with it.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"duration": duration, "megabytes": megabytes, "short": _short}
    runs = table(report.entries)
    return environment.get_template("gallery.html.j2").render(
        report=report,
        thumbnails=_pictures(report, thumbnails),
        policy=POLICY,
        style=style(),
        table=runs,
        heading="h3" if runs else "h2",
        script=(templates() / "table.js").read_text(encoding="utf-8"),
        verdicts=_verdicts(report),
    )


def _pictures(report: Manifest, thumbnails: Mapping[str, Path]) -> dict[str, str | None]:
    """Picture of each run; in a great batch of the first run of each notebook only."""
    few = len(report.entries) <= PICTURES
    shown: set[str] = set()
    pictures: dict[str, str | None] = {}
    for entry in report.entries:
        wanted = few or entry.source not in shown
        pictures[entry.name] = _embedded(thumbnails[entry.name]) if wanted else None
        if pictures[entry.name] is not None:
            shown.add(entry.source)
    return pictures


def _verdicts(report: Manifest) -> dict[str, int]:
    """Verdict to the number of claims, over all notebooks; each claim of a notebook once."""
    judged = {
        (entry.source, claim): text
        for entry in report.entries
        for claim, text in entry.verdicts.items()
    }
    return counted(judged.values())


def _short(file: str, name: str) -> str:
    """Name of an attachment without that of its run."""
    return file.removeprefix(f"{name}.")


def _embedded(path: Path) -> str | None:
    """Picture as a data URL; None when there is none, or the kernel died while drawing it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if not content.startswith(PNG):
        return None
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
