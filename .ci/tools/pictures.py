"""The README's pictures of findings: ``python .ci/tools/pictures.py notebooks/pictures``.

Runs a notebook's cells up to the figure that a finding is about, and has the system's Chromium
draw that figure as the notebook shows it, once on white and once on the dark page of a forge.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import holoviews as hv
from bokeh.embed import file_html
from bokeh.models import Axis, GridPlot, Model, Plot
from bokeh.models.annotations import Legend, Title
from bokeh.resources import INLINE
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import entro_nb as en
from entro_nb import settings
from entro_nb.errors import EntroError, ReportError
from entro_nb.report import notebook
from entro_nb.views import App
from entro_nb.views.style import COLOURS, GREY


@dataclass(frozen=True)
class Finding:
    """Where the figure, or the app, of a finding is made: the notebook, and what its cell calls."""

    notebook: str
    call: str


FINDINGS: Mapping[str, Finding] = {
    "ceiling": Finding("10_scaling_law", "apps.Scaling("),
    "board": Finding("15_surprise", "views.surprise.ranking("),
    "isolation": Finding("09_fault_isolation", "views.network.protection_figure("),
}

#: The page behind a picture, the text on it, which is readable on that page, and its blue.
PAGES = {
    "light": ("#ffffff", "#57606a", COLOURS["blue"]),
    "dark": ("#0d1117", "#b1bac4", COLOURS["sky"]),
}

#: Pixels of the picture for each of the figure's.
SCALE = 1.5
#: Colours kept: lines and letters need no more.
KEPT = 64
#: Largest picture, in bytes.
LARGEST = 40_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def drawn_by(finding: Finding, folder: Path) -> Any:
    """Content of the figure, from the notebook's own cells with its own parameters.

    Raises
    ------
    ReportError
        If no cell of the notebook makes such a figure.
    """
    found: list[Any] = []

    def figure(content: Any, alt: str, **_: Any) -> None:
        found.append(content)

    def show(app: App, **_: Any) -> None:
        found.append(app.drawn(app.result))

    names: dict[str, Any] = {"__name__": "__main__"}
    cells = notebook.read_notebook(folder / f"{finding.notebook}.ipynb").cells
    silent = contextlib.redirect_stdout(io.StringIO())
    with mock.patch.multiple(en, figure=figure, show=show), silent:
        for cell in cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, finding.notebook, "exec"), names)
                if finding.call in cell.source and found:
                    return found[-1]
    raise ReportError(f"no figure of {finding.notebook} calls {finding.call}")


def page(content: Any, look: str) -> str:
    """Page that holds nothing but the figure, without tools, in the colours of a look."""
    behind, text, blue = PAGES[look]
    root = hv.renderer("bokeh").get_plot(content.clone()).state
    for model in root.references():
        _recolour(model, text, blue)
        if isinstance(model, Plot | GridPlot):
            model.toolbar_location = None
    html = file_html(root, INLINE, title=look, theme=hv.renderer("bokeh").theme)
    body = f"margin: 12px; background: {behind}; width: max-content; height: max-content"
    return html.replace("</head>", f"<style>body {{ {body} }}</style></head>", 1)


def _recolour(model: Model, text: str, blue: str) -> None:
    """Give words, and lines in the book's blue, the colours of a page."""
    for name, value in model.properties_with_values(include_defaults=True).items():
        colour = getattr(value, "value", value)
        words = name.endswith("text_color")
        if words and (isinstance(model, Axis | Legend | Title) or colour == GREY):
            setattr(model, name, text)
        elif name.endswith("_color") and colour == COLOURS["blue"]:
            setattr(model, name, blue)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser.

    Raises
    ------
    ReportError
        If there is none.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise ReportError("no Chromium on this machine: install the package chromium")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


def shot(browser: Browser, html: str, path: Path) -> None:
    """Picture of a page in few colours.

    Raises
    ------
    ReportError
        If it is too large a file for a README.
    """
    tab = browser.new_page(
        viewport={"width": 1000, "height": 100}, device_scale_factor=SCALE, offline=True
    )
    tab.set_content(html)
    tab.wait_for_function("window.Bokeh && Bokeh.documents.every(made => made.is_idle)")
    tab.wait_for_timeout(500)
    # A legend may reach beyond its figure: the page is as large as what lies on it.
    wide = tab.evaluate("document.body.scrollWidth")
    tab.set_viewport_size({"width": wide + 24, "height": 100})
    whole = Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("RGB")
    tab.close()
    few = whole.quantize(KEPT, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise ReportError(f"{path.name} has {path.stat().st_size} bytes, more than {LARGEST}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures into a folder; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python .ci/tools/pictures.py")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=FINDINGS, help="one of them")
    options = parser.parse_args(arguments)
    try:
        with chromium() as browser:
            for name in [options.only] if options.only else FINDINGS:
                content = drawn_by(FINDINGS[name], settings.notebooks())
                for look in PAGES:
                    shot(browser, page(content, look), options.folder / f"{name}-{look}.png")
    except (EntroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
