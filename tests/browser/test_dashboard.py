"""The dashboard in a real browser: every control is used, seen on the page and in the audit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entro_nb import settings


@pytest.fixture
def page(visit: Callable[..., Any], served: str) -> Any:
    page = visit(viewport={"width": 1200, "height": 1500}, accept_downloads=True).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{served}/streams")
    page.get_by_role("button", name="Connect").wait_for(timeout=60_000)
    return page


def status(page: Any, pattern: str) -> str:
    """Text of the status line, once it is as it should be."""
    line = page.get_by_role("status").filter(has_text=re.compile(pattern))
    line.wait_for()
    return str(line.inner_text())


def logged(page: Any, *cells: str) -> None:
    """Wait until a row of a table on the page holds these texts."""
    row = page.get_by_role("row")
    for cell in cells:
        row = row.filter(has_text=cell)
    row.first.wait_for()


def use_every_control(page: Any) -> None:
    """Connect, switch, pause, resume, move a threshold, save, shut down: each seen and logged."""
    page.get_by_label("Operator", exact=True).fill("ada")
    page.get_by_label("Operator", exact=True).press("Enter")
    page.get_by_role("button", name="Connect").click()
    status(page, r"usgs: [1-9]\d* values")
    logged(page, "ada", "connect", "usgs", "done")
    logged(page, "connected", "replay of Earthquakes")
    page.get_by_role("img", name=re.compile("Verdict: (PROCEED|PAUSE|ABORT). Earthq")).wait_for()

    page.get_by_label("Stream", exact=True).select_option("Wikipedia recent changes, all wikis")
    status(page, "not shown: Wikipedia")
    page.get_by_role("button", name="Connect").click()
    status(page, r"wikipedia: [1-9]\d* values\. Wikipedia")
    logged(page, "ada", "switch", "wikipedia")

    page.get_by_role("button", name="Pause").click()
    held = status(page, r"Paused at frame \d+; nothing is lost")
    frame = int(re.findall(r"frame (\d+)", held)[0])
    logged(page, "ada", "pause", "done")
    page.wait_for_timeout(700)
    assert status(page, "Paused").startswith(f"Paused at frame {frame};")

    page.get_by_role("button", name="Resume").click()
    status(page, r"wikipedia: \d+ values")
    logged(page, "ada", "resume", "done")

    handle = page.locator(".noUi-handle")
    handle.focus()
    for _ in range(5):
        handle.press("ArrowRight")
    page.get_by_text(re.compile(r"DRIFTING \(bits\): 0\.2")).wait_for()
    logged(page, "ada", "thresholds", "velocity=0.2")

    page.get_by_label("Promise (values to a false alarm)", exact=True).select_option("500")
    logged(page, "ada", "promise", "500")

    page.get_by_label("Audit trail", exact=True).select_option("frames")
    page.get_by_role("columnheader", name="entropy").wait_for()
    with page.expect_download() as download:
        page.get_by_text("Save as CSV").click()
    assert download.value.suggested_filename == "audit.zip"

    page.get_by_label("Audit trail", exact=True).select_option("actions")
    page.get_by_role("button", name="Shut down").click()
    status(page, "The session is shut down")
    logged(page, "ada", "shutdown", "done")
    page.get_by_role("img", name="Verdict: SHUT DOWN").wait_for()
    assert page.get_by_role("button", name="Pause").is_disabled()


def test_every_control_is_seen_on_the_page_and_in_the_audit(page: Any) -> None:
    use_every_control(page)


def test_live_without_a_network_is_told_in_a_friendly_line(page: Any) -> None:
    page.get_by_label("Stream", exact=True).select_option("EPA AirNow, air quality in Los Angeles")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Connect").click()
    text = status(page, "Not done")
    assert "AIRNOW_API_KEY" in text


def test_what_a_page_draws(page: Any) -> None:
    page.get_by_role("button", name="Connect").click()
    status(page, r"usgs: [1-9]\d\d values")
    # All canvases, also those in shadow roots.
    drawn = page.evaluate(
        """() => {
            let drawn = 0;
            const walk = node => {
                if (node instanceof HTMLCanvasElement && node.width && node.height) {
                    const { data } = node.getContext('2d')
                        .getImageData(0, 0, node.width, node.height);
                    for (let k = 3; k < data.length; k += 4) drawn += data[k] > 0;
                }
                if (node.shadowRoot) walk(node.shadowRoot);
                for (const child of node.children) walk(child);
            };
            walk(document.body);
            return drawn;
        }"""
    )
    assert drawn > 10_000


def test_it_works_in_jupyterlab(open_notebook: Any, workspace: Path) -> None:
    name = "03_live_streams.ipynb"
    shutil.copy(settings.notebooks() / name, workspace / name)
    use_every_control(open_notebook(name))
