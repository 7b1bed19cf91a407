"""What a page would fetch, put into the page itself: Panel's style sheets, pictures in files."""

from __future__ import annotations

import base64
import importlib.util
import json
import mimetypes
import re
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import unquote

__all__ = ["carry_images", "carry_styles"]

#: A style sheet of Panel's as a figure's document names it, even where scripts are inline.
IMPORTED = re.compile(
    r'"name":"ImportedStyleSheet","id":"(?P<id>[^"]+)","attributes":'
    r'\{"url":"https://cdn\.holoviz\.org/panel/[^/"]+/dist/(?P<file>[^"?]+)(\?[^"]*)?"\}'
)

IMAGE = re.compile(r"<img\b[^>]*?/?>")
ATTRIBUTE = re.compile(r"\b(src|alt)=([\"'])(.*?)\2")


def carry_images(html: str, folder: Path) -> str:
    """Replace pictures in files by copies, and pictures elsewhere by what they are said to show.

    Parameters
    ----------
    html : str
        A page.
    folder : pathlib.Path
        Where the addresses of its pictures begin.

    Examples
    --------
    >>> carry_images('see <img src="https://example.org/badge.svg" alt="a badge">', Path("."))
    'see <span>a badge</span>'
    """

    def carry(match: re.Match[str]) -> str:
        found = {name: value for name, _, value in ATTRIBUTE.findall(match[0])}
        address = found.get("src", "data:")
        if address.startswith("data:"):
            return match[0]
        path = folder / unquote(address)
        if re.match(r"\w+:|//", address) or not path.is_file():
            return f"<span>{found.get('alt') or escape(address)}</span>"
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        content = base64.b64encode(path.read_bytes()).decode("ascii")
        return match[0].replace(address, f"data:{kind};base64,{content}")

    return IMAGE.sub(carry, html)


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
