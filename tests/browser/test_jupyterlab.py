from __future__ import annotations

import math
import os
import re
import shutil
from typing import Any

import nbformat
import pytest
from nbformat import v4

from entro_nb import settings
from entro_nb.report.notebook import read_notebook

#: One with sliders and with bars to drag (nbval runs the others, the dashboard's test one more), or
#: every one: ENTRO_NB_EVERY=1 pytest -n 0 tests/browser
NOTEBOOKS = sorted(
    settings.notebooks().rglob("[0-9]*.ipynb" if os.environ.get("ENTRO_NB_EVERY") else "01*")
)

#: Seconds that a figure may take to follow a slider, as the median of five. Only a quiet machine
#: can tell: ENTRO_NB_PROMPT=0.5 pytest -n 0 tests/browser -k slider
PROMPT = float(os.environ.get("ENTRO_NB_PROMPT", "inf"))
#: Moves of a slider: there and back, or enough for a median.
MOVES = 2 if math.isinf(PROMPT) else 5

#: A number that changes with the pixels of the canvases in an element, shadow roots included.
PIXELS = """
function pixels(root) {
    let sum = 0;
    const walk = node => {
        if (node instanceof HTMLCanvasElement && node.width && node.height) {
            const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
            for (const pixel of new Uint32Array(data.buffer)) sum = (31 * sum + pixel) | 0;
        }
        if (node.shadowRoot) walk(node.shadowRoot);
        for (const child of node.children) walk(child);
    };
    walk(root);
    return sum;
}
"""

#: From the key that moves the slider to the first look at which a canvas is drawn otherwise.
WATCH = f"""(figure) => {{
    {PIXELS}
    const before = pixels(figure);
    window.answer = new Promise(resolve => figure.addEventListener('keydown', () => {{
        const start = performance.now();
        const look = () => {{
            if (pixels(figure) !== before) resolve((performance.now() - start) / 1000);
            else if (performance.now() - start > 10000) resolve(Infinity);
            else setTimeout(look, 20);  // leave the thread to the drawing
        }};
        look();
    }}, {{capture: true, once: true}}));
}}"""


#: What a reader moves by keyboard: the handle of a slider, a list of choices.
CONTROL = ".noUi-handle, select"


def responses(page: Any, figure: Any, times: int = MOVES) -> list[float]:
    """Seconds from a key on a figure's first control to a new picture, measured in the page."""
    control = figure.locator(CONTROL).first
    control.scroll_into_view_if_needed()
    listed = control.evaluate("control => control.tagName === 'SELECT'")
    there, back = ("ArrowDown", "ArrowUp") if listed else ("ArrowRight", "ArrowLeft")
    measured = []
    for turn in range(times):
        page.wait_for_timeout(500)
        control.focus()
        figure.evaluate(WATCH)
        page.keyboard.press(back if turn % 2 else there)
        measured.append(float(page.evaluate("window.answer")))
    return measured


def followed(times: list[float]) -> None:
    """Every move of the control brought a new picture, and soon enough."""
    assert all(math.isfinite(seconds) for seconds in times), times
    assert sorted(times)[len(times) // 2] <= PROMPT, times


def errors(page: Any) -> list[str]:
    """Tracebacks that the notebook shows."""
    outputs = page.locator('.jp-OutputArea-output[data-mime-type$="stderr"]').all_inner_texts()
    return [text[-400:] for text in outputs if "Traceback" in text]


def test_an_error_in_a_notebook_is_seen(open_notebook, workspace) -> None:
    nb = v4.new_notebook(cells=[v4.new_code_cell("1 / 0"), v4.new_code_cell("2")])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "P", "language": "python"}
    nbformat.write(nb, workspace / "error.ipynb")
    (error,) = errors(open_notebook("error.ipynb"))
    assert "ZeroDivisionError" in error


def drag_a_bar(page: Any, figure: Any) -> None:
    """Pull the histogram's fourth bar up to the top: its slider tells."""
    canvas = figure.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    # Where the fourth bar's top is: found by its colour, as a reader would.
    x, y = canvas.evaluate(
        """canvas => {
            const { data, width } = canvas.getContext('2d')
                .getImageData(0, 0, canvas.width, canvas.height);
            const found = [];
            for (let k = 0; k < data.length; k += 4)
                if (data[k] === 0 && data[k + 1] === 0x72 && data[k + 2] === 0xB2)
                    found.push([k / 4 % width, Math.floor(k / 4 / width)]);
            found.sort((a, b) => a[0] - b[0]);
            const blobs = [[]];
            for (const point of found) {
                const blob = blobs[blobs.length - 1];
                if (blob.length && point[0] - blob[blob.length - 1][0] > 3) blobs.push([point]);
                else blob.push(point);
            }
            const blob = blobs[3], scale = canvas.clientWidth / canvas.width;
            return [0, 1].map(k => scale * blob.reduce((s, p) => s + p[k], 0) / blob.length);
        }"""
    )
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    page.mouse.move(box["x"] + x, box["y"] + y - 100, steps=8)
    page.mouse.up()
    figure.get_by_text(re.compile("Bar 4: 1")).wait_for()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_its_sliders_answer(open_notebook, workspace, path, tmp_path) -> None:
    shutil.copy(path, workspace / path.name)
    page = open_notebook(path.name)
    page.wait_for_timeout(1000)
    page.screenshot(path=tmp_path / "notebook.png")
    meant = [
        c for c in read_notebook(path).cells if "raises-exception" in c.metadata.get("tags", [])
    ]
    assert len(errors(page)) == len(meant), errors(page)
    figures = page.locator(".jp-OutputArea-output figure").all()
    assert figures
    for figure in figures:
        figure.scroll_into_view_if_needed()
        if figure.locator("canvas").count() == 0:  # a table or a list: words, no drawing
            assert figure.inner_text().strip()
            continue
        if figure.locator(".noUi-handle").count() > 0:
            page.wait_for_timeout(500)
            times = responses(page, figure)
            figure.screenshot(path=tmp_path / "moved.png")
            followed(times)
    if path.stem == "01_entropy":
        drag_a_bar(page, page.locator(".jp-OutputArea-output figure").filter(has_text="Bar 4"))
        page.screenshot(path=tmp_path / "dragged.png")
    assert len(errors(page)) == len(meant), errors(page)
