"""Equations without a script: TeX to MathML, which every present browser draws by itself."""

from __future__ import annotations

import re
from html import escape

__all__ = ["mathml"]

#: What the converter knows under another name only.
SAME = {
    r"{aligned}": r"{align*}",
    r"{gathered}": r"{gather*}",
    r"{equation}": r"{equation*}",
}

#: Signs that something was not understood: a command left as it was, an alignment mark.
LEFT_OVER = re.compile(r"\\|<m[io]>&(amp;)?</m[io]>")


def mathml(tex: str, display: bool = False) -> str:
    r"""MathML of an equation; its TeX source, marked as such, where the converter gives up.

    Parameters
    ----------
    tex : str
        The equation, without the dollar signs.
    display : bool
        Whether it stands on a line of its own.

    Examples
    --------
    >>> mathml("a")
    '<math alttext="a" display="inline"><mrow><mi>a</mi></mrow></math>'
    >>> mathml(r"\unknown{x}")
    '<code class="tex" title="equation in TeX">\\unknown{x}</code>'
    """
    from latex2mathml.converter import convert

    source = tex.strip()
    tags = re.findall(r"\\tag\{([^}]*)\}", source)
    readable = re.sub(r"\\(tag|label)\{[^}]*\}|\\nonumber", "", source)
    readable += "".join(rf"\qquad\text{{({tag})}}" for tag in tags)
    for theirs, ours in SAME.items():
        readable = readable.replace(theirs, ours)
    try:
        made = convert(readable, display="block" if display else "inline")
    except Exception:  # it raises whatever its parser stumbles on; the source is shown instead
        made = "\\"
    if LEFT_OVER.search(made):
        return f'<code class="tex" title="equation in TeX">{escape(source)}</code>'
    # In HTML the element needs no namespace, and tools that rewrite headings trip over one.
    return made.replace(
        '<math xmlns="http://www.w3.org/1998/Math/MathML"',
        f'<math alttext="{escape(" ".join(source.split()))}"',
    )
