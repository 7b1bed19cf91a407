"""The report of the package's own notebooks, opened with the network cut."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from entro_nb import settings
from entro_nb.report import run_report
from entro_nb.report.notebook import available

#: A report of all notebooks that was made already (CI makes one); else a small one is made here.
MADE = os.environ.get("ENTRO_NB_PAGES")
FEW = ["01_entropy"]
NOTEBOOKS = [name.replace("/", "-") for name in available(settings.notebooks())] if MADE else FEW

#: For each figure, how many pixels its canvases have drawn.
DRAWN = """figure => {
    let drawn = 0;
    const walk = node => {
        if (node instanceof HTMLCanvasElement && node.width && node.height) {
            const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
            for (let place = 3; place < data.length; place += 4) drawn += data[place] > 0;
        }
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.children) walk(child);
    };
    walk(figure);
    return drawn;
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    if MADE:
        folder = Path(MADE).resolve()
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return content["entries"], folder
    out = tmp_path_factory.mktemp("out")
    run_report(FEW, out=out, preset="quick")
    return json.loads((out / "manifest.json").read_text(encoding="utf-8"))["entries"], out


def test_every_notebook_passes_within_a_gigabyte(report) -> None:
    entries, _ = report
    assert [entry["name"] for entry in entries] == NOTEBOOKS
    assert [entry["name"] for entry in entries if entry["error"]] == []
    assert [entry["name"] for entry in entries if not 0 < entry["peak_bytes"] < 1e9] == []


def test_gallery_has_a_picture_of_every_notebook(report) -> None:
    assert 'class="blank"' not in (report[1] / "index.html").read_text()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_plots_are_drawn_and_equations_understood(report, watched, tmp_path, name) -> None:
    seen = watched(viewport={"width": 1200, "height": 1000})
    page = seen.page
    page.goto((report[1] / f"{name}.html").as_uri())
    page.wait_for_function("window.Bokeh && Bokeh.documents.length > 0")
    page.wait_for_timeout(1500)
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    figures = page.locator("figure").all()
    assert figures
    for figure in figures:
        if figure.locator("canvas").count() == 0:  # a list to open: words, no drawing
            assert figure.locator("details").count() > 0
        else:
            assert figure.evaluate(DRAWN) > 1000
        assert figure.locator("figcaption").inner_text().strip()
    assert page.locator("code.tex").all_inner_texts() == []
    assert page.locator("math").count() > 0
    assert seen.requests == []
    assert seen.complaints == []
