"""How nbval compares the notebooks: every printed text, no rich output."""

from __future__ import annotations

import os
from typing import Any

#: CI has just run them all, as a report: `tests/test_notebooks.py` compares what was printed there.
collect_ignore_glob = ["*.ipynb"] if os.environ.get("ENTRO_NB_PAGES") else []

#: What a browser would draw, and what differs from run to run.
RICH = (
    "text/html",
    "application/javascript",
    "application/vnd.holoviews_exec.v0+json",
    "application/vnd.holoviews_load.v0+json",
    "application/vnd.bokehjs_exec.v0+json",
    "application/vnd.bokehjs_load.v0+json",
    "stderr",
)


def pytest_itemcollected(item: Any) -> None:
    """Leave rich outputs out of the comparison."""
    if hasattr(item, "skip_compare"):
        item.skip_compare = (*item.skip_compare, *RICH)
