"""Pictures that a page would fetch, put into the page itself."""

from __future__ import annotations

import base64
import mimetypes
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

__all__ = ["carry_images"]

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
