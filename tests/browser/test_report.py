from __future__ import annotations

import io
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from PIL import Image

from entro_nb.report import run_report

BLUE = (0x00, 0x72, 0xB2)

FIGURES = """\
import holoviews as hv
import numpy as np
from entro_nb import views
views.setup()
x = np.linspace(0, 6, 200)
curve = hv.Curve((x, np.sin(x)), "time", "value").opts(color="#0072B2", line_width=4)
views.figure(curve, "A sine wave", thumbnail=True)"""

TWIN = """\
def wave(k):
    return hv.Curve((x, np.sin(k * x)), "time", "value").opts(title=f"k is {k}", color="#0072B2")
views.figure(hv.HoloMap({k: wave(k) for k in (1, 2, 3)}, "waves"), "Waves under a slider")"""

MATH = r"""# Waves

A summary of waves.

## Equation

$$H = -\sum_{i=1}^{n} p_i \log_2 p_i$$"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two small notebooks, one of which fails."""
    notebooks = tmp_path_factory.mktemp("notebooks")
    good = [v4.new_markdown_cell(MATH), v4.new_code_cell(FIGURES), v4.new_code_cell(TWIN)]
    nbformat.write(v4.new_notebook(cells=good), notebooks / "00_waves.ipynb")
    bad = [v4.new_markdown_cell("# Breaks\n\nOn purpose."), v4.new_code_cell("1 / 0")]
    nbformat.write(v4.new_notebook(cells=bad), notebooks / "01_breaks.ipynb")
    out = tmp_path_factory.mktemp("out")
    waves, _ = run_report(out=out, folder=notebooks).entries
    assert waves.error == ""
    return out


def count(picture: bytes, colour: tuple[int, int, int], tolerance: int = 40) -> int:
    """Pixels of about a colour."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    near = [
        n for n, pixel in image.getcolors(image.width * image.height)
        if all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))
    ]  # fmt: skip
    return sum(near)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_lives_without_a_network(report, watched, tmp_path, scheme) -> None:
    seen = watched(color_scheme=scheme, viewport={"width": 1200, "height": 1400})
    seen.page.goto((report / "00_waves.html").as_uri())
    seen.page.wait_for_function("window.Bokeh && Bokeh.documents.length >= 2")
    seen.page.wait_for_timeout(1000)
    seen.page.screenshot(path=tmp_path / "page.png", full_page=True)
    figures = seen.page.locator("figure")
    assert figures.count() == 2
    for index in range(2):
        assert count(figures.nth(index).screenshot(), BLUE) > 500
    assert seen.requests == []
    assert seen.complaints == []


def test_slider_of_a_static_twin_moves_its_figure(report, watched) -> None:
    seen = watched(viewport={"width": 1200, "height": 1400})
    seen.page.goto((report / "00_waves.html").as_uri())
    figure = seen.page.locator("figure").nth(1)
    handle = figure.locator(".noUi-handle")
    handle.wait_for()
    before = figure.screenshot()
    handle.focus()
    seen.page.keyboard.press("ArrowRight")
    seen.page.wait_for_timeout(500)
    after = figure.screenshot()
    assert figure.locator("text=waves").count() > 0
    assert before != after
    assert seen.complaints == []


def test_equations_are_drawn(report, watched) -> None:
    page = watched().page
    page.goto((report / "00_waves.html").as_uri())
    plain = page.locator("math[display=block] mo").first.bounding_box()
    total = page.locator("math[display=block] munderover").bounding_box()
    assert total["height"] > 2 * plain["height"]  # the limits stand above and below the sum


@pytest.mark.parametrize("name", ["index.html", "00_waves.html"])
def test_pages_fit_a_phone(report, watched, name) -> None:
    page = watched(viewport={"width": 360, "height": 740}).page
    page.goto((report / name).as_uri())
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_gallery_by_keyboard(report, watched, tmp_path) -> None:
    seen = watched(viewport={"width": 1000, "height": 700})
    page = seen.page
    page.goto((report / "index.html").as_uri())
    page.screenshot(path=tmp_path / "index.png")
    assert page.locator(".gallery img").evaluate("image => image.naturalWidth") > 100
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/00_waves.html")
    page.get_by_role("link", name="Breaks").first.click()
    page.wait_for_url("**/01_breaks.html")
    page.get_by_role("link", name="Go to the cell").click()
    assert page.locator(":target").inner_text().count("ZeroDivisionError") > 0
    assert seen.requests == []
    assert seen.complaints == []


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three runs of one notebook."""
    notebooks = tmp_path_factory.mktemp("batch")
    cells = [
        v4.new_markdown_cell("# Squares\n\nOf the seed."),
        v4.new_code_cell("seed: int = 1  # seed", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("from entro_nb import record\nrecord.result('square', seed**2)"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    squares = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(squares, notebooks / "00_squares.ipynb")
    out = tmp_path_factory.mktemp("batch-out")
    run_report(parameters={"seed": [3, 20, -1]}, out=out, folder=notebooks)
    return out


def seeds(page: object) -> list[str]:
    """Seeds in the table, those of the rows that are shown, in order."""
    rows = page.locator("table.runs tbody tr:visible")  # type: ignore[attr-defined]
    return [row.locator("td").first.inner_text() for row in rows.all()]


@pytest.mark.parametrize("width", [360, 1000])
def test_table_of_runs_by_keyboard(batch, watched, width) -> None:
    seen = watched(viewport={"width": width, "height": 800})
    page = seen.page
    page.goto((batch / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert seeds(page) == ["3", "20", "-1"]
    head = page.get_by_role("columnheader", name="square")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert seeds(page) == ["-1", "3", "20"]  # by number, not by text
    assert head.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert seeds(page) == ["20", "3", "-1"]
    assert head.get_attribute("aria-sort") == "descending"
    for wanted, left in ((">2", ["20", "3"]), ("-5..3", ["3", "-1"]), ("20", ["20"])):
        page.get_by_label("Filter by seed").fill(wanted)
        assert seeds(page) == left
        assert page.get_by_role("status").inner_text() == f"{len(left)} of 3 runs shown."
        assert page.locator(".gallery > li:visible").count() == len(left)
    page.get_by_role("rowheader").get_by_role("link", name="00_squares").click()
    page.wait_for_url("**/00_squares--seed-20.html")
    assert seen.requests == []
    assert seen.complaints == []
