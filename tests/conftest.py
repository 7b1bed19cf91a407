"""Settings that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import settings
from nbformat import v4
from xdist.scheduler import LoadFileScheduling

# Compilation and a busy machine make single examples slow: that is no failure.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A suite started in the background has SIGINT ignored, and its children would ignore it too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

#: What begins first, so that no worker is left with a long file at the end: views, which compile
#: most loops, so that no browser waits for that; then browsers; what starts many processes later.
FIRST = ("tests/views/", "tests/browser/", "notebooks/", "tests/report/", "tests/sweep/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((k for k, room in enumerate(FIRST) if item.nodeid.startswith(room)), len(FIRST))

    items.sort(key=place)


class OneBrowser(LoadFileScheduling):
    """A worker takes a whole file at a time, and one worker all that drives a browser."""

    def _split_scope(self, nodeid: str) -> str:
        browser = "tests/browser/"
        return browser if nodeid.startswith(browser) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowser | None:
    return OneBrowser(config, log) if config.getvalue("dist") == "loadfile" else None


MakeNotebook = Callable[..., Path]

TITLE = "# The **title**\n\nFirst *paragraph* about $H$,\nin `two` lines.\n\nNot this one."


@pytest.fixture(scope="session")
def payloads() -> Path:
    """Recorded stream messages, which live beside the repository and not in it."""
    folder = ROOT.parent / "shared" / "payloads"
    if not folder.is_dir():
        pytest.skip(f"no recorded payloads at {folder}")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of notebooks, one for all tests of a module."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def make(folder: Path) -> MakeNotebook:
    """Write a notebook: text that begins with # is markdown, the rest is code."""

    def write(name: str, *cells: str, parameters: str = "", title: str = TITLE) -> Path:
        nb = v4.new_notebook(cells=[v4.new_markdown_cell(title)] if title else [])
        nb.metadata.kernelspec = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        if parameters:
            nb.cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        for source in cells:
            new = v4.new_markdown_cell if source.startswith("#") else v4.new_code_cell
            nb.cells.append(new(source))
        path = folder / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, path)
        return path

    return write
