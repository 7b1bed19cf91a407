"""Panel's style sheets, put into the figures that would fetch them."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path

__all__ = ["carry_styles"]

#: A style sheet of Panel's as a figure's document names it, even where scripts are inline.
IMPORTED = re.compile(
    r'"name":"ImportedStyleSheet","id":"(?P<id>[^"]+)","attributes":'
    r'\{"url":"https://cdn\.holoviz\.org/panel/[^/"]+/dist/(?P<file>[^"?]+)(\?[^"]*)?"\}'
)


def carry_styles(html: str) -> str:
    """Replace the style sheets that figures import by copies, from the installed Panel.

    Examples
    --------
    >>> carry_styles("nothing to fetch")
    'nothing to fetch'
    """
    return IMPORTED.sub(_inline, html)


def _inline(match: re.Match[str]) -> str:
    path = _installed() / match["file"]
    if not path.is_file():
        return match[0]
    css = json.dumps(path.read_text(encoding="utf-8")).replace("</", r"<\/")
    return f'"name":"InlineStyleSheet","id":"{match["id"]}","attributes":{{"css":{css}}}'


@cache
def _installed() -> Path:
    """Where Panel keeps what its network address serves; found without the cost of importing it."""
    spec = importlib.util.find_spec("panel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "dist"
