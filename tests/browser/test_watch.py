"""The app for the reader's own data, in a real browser: a file is dropped, judged, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def page(visit: Callable[..., Any], served: str) -> Any:
    page = visit(viewport={"width": 820, "height": 1000}).new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{served}/watch")
    said(page, r"596 rows.*1 alarm")
    return page


def said(page: Any, pattern: str) -> str:
    """What the page says was found, once it is as it should be."""
    line = page.get_by_role("status").filter(has_text=re.compile(pattern, re.DOTALL))
    line.wait_for()
    return str(line.inner_text())


def test_a_file_is_dropped_its_column_chosen_and_the_promise_moved(
    page: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(7)
    quiet, loud = rng.standard_normal((2, 3000)).round(2)
    loud[2500:2503] = 40.0
    start = np.datetime64("2026-03-01T00:00")
    rows = [f"{start + 10 * k},{a},{b}" for k, (a, b) in enumerate(zip(quiet, loud, strict=True))]
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(["when,<b>quiet</b>,loud", *rows]))

    page.locator("input[type=file]").set_input_files(file)
    said(page, r"3,000 rows.*10 minutes apart")
    stream = page.get_by_label("Stream", exact=True)
    assert stream.input_value() == "mine.csv: <b>quiet</b>"
    stream.select_option("mine.csv: loud")
    page.get_by_role("row").filter(has_text="2026-03-18 08:40:00").get_by_text(
        "40", exact=True
    ).wait_for()

    short = said(page, r"one false alarm in about 33 hours.*\(200 values\).*alarm")
    page.locator(".noUi-handle").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    long = said(page, r"one false alarm in about 14 days.*\(2,000 values\).*alarm")
    fewer, more = (int(re.findall(r"(\d+) alarm", text)[-1]) for text in (long, short))
    assert 0 < fewer < more
    assert page.evaluate("document.documentElement.scrollWidth") <= 820


def test_what_is_no_data_is_refused_in_a_line_and_what_was_shown_stays(
    page: Any, tmp_path: Path
) -> None:
    file = tmp_path / "words.csv"
    file.write_text("when,load\n2026-03-01,1\n2026-03-02,two\n2026-03-03,3\n")
    page.locator("input[type=file]").set_input_files(file)
    text = said(page, r"words\.csv was not read: .*'two'.*a number")
    assert "596 rows" in text
    assert page.get_by_label("Stream", exact=True).input_value() == "earthquakes"
