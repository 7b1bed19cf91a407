"""The front page of a report: every notebook with its picture, its cost and how it ended."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from entro_nb.report.html import POLICY, duration, megabytes, style, templates
from entro_nb.report.manifest import Manifest

__all__ = ["page"]

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
    environment.filters |= {"duration": duration, "megabytes": megabytes}
    pictures = {name: _embedded(path) for name, path in thumbnails.items()}
    return environment.get_template("gallery.html.j2").render(
        report=report, thumbnails=pictures, policy=POLICY, style=style()
    )


def _embedded(path: Path) -> str | None:
    """Picture as a data URL; None when there is none, or the kernel died while drawing it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if not content.startswith(PNG):
        return None
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
