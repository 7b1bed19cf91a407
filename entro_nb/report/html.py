"""One executed notebook as one HTML file that needs nothing else: no network, no server."""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from entro_nb.report.equations import mathml
from entro_nb.report.job import FAILED, PASSED, Job, Outcome
from entro_nb.report.offline import carry_images
from entro_nb.stylesheets import carry_styles

__all__ = ["POLICY", "duration", "megabytes", "page", "style", "templates"]

#: What a page may load: what it carries. A browser refuses the rest, so nothing can leave it.
#: Bokeh builds functions from text, and Panel starts modules and workers from blobs.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; font-src data:; "
    "worker-src blob:; base-uri 'none'; form-action 'none'"
)

#: Tag of the notes that papermill adds to a notebook that failed; the page has its own.
ADDED = "papermill-error-cell-tag"


def page(nb: Any, job: Job, outcome: Outcome) -> str:
    """HTML of an executed notebook, with links to the other pages of its report.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        The executed notebook.
    job : Job
        What was run, and the pages beside it.
    outcome : Outcome
        How it ended.

    Returns
    -------
    str
        A whole HTML document.
    """
    shown = copy.copy(nb)
    shown.cells = [cell for cell in nb.cells if ADDED not in cell.metadata.get("tags", [])]
    context = {
        "title": job.title,
        "previous": job.previous,
        "next": job.next,
        "policy": POLICY,
        "style": style(),
        "outcome": outcome,
        "passed": outcome.status == PASSED,
        "failed_cell": _failed_cell(shown) if outcome.status == FAILED else None,
        "parameters": job.parameters,
        "duration": duration(outcome.seconds),
        "memory": megabytes(outcome.peak_bytes),
    }
    html, _ = _exporter(Path(job.source).parent).from_notebook_node(shown, {"report": context})
    return carry_styles(_linked(html, job))


def _failed_cell(nb: Any) -> str | None:
    """Identity of the cell whose error ended the run."""
    for cell in nb.cells:
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        if any(o.output_type == "error" for o in cell.get("outputs", [])) and not allowed:
            return str(cell.id)
    return None


#: A link to a notebook, in a page or in the text of a figure's script.
LINK = re.compile(r"""href=(?P<quote>\\?["'])(?P<path>(?![a-z]+:)[^"'#\\]+)\.ipynb(?=["'#\\])""")


def _linked(html: str, job: Job) -> str:
    """Let links between notebooks lead to their pages; links to others lead nowhere."""
    home = posixpath.dirname(job.notebook)

    def lead(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(home, unquote(match["path"])))
        if path in job.links:
            return f"href={match['quote']}{quote(job.links[path])}.html"
        if match["quote"].startswith("\\"):
            return match[0]
        return f'title="not in this report" data-notebook={match["quote"]}{match["path"]}'

    return LINK.sub(lead, html)


def _exporter(folder: Path) -> Any:
    from nbconvert.exporters import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        """Markdown with its equations as MathML."""

        def inline_math(self, body: str) -> str:
            return mathml(body)

        def block_math(self, body: str) -> str:
            return f'<div class="equation">{mathml(body, display=True)}</div>\n'

        def latex_environment(self, name: str, body: str) -> str:
            return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
        renderer = Renderer(
            escape=False,
            attachments=dict(attachments or {}),
            anchor_link_text="¶",
        )
        return carry_images(str(MarkdownWithMath(renderer=renderer).render(source)), folder)

    return HTMLExporter(
        template_name="page",
        extra_template_basedirs=[str(templates())],
        filters={"entro_markdown": markdown, "entro_latex": _latex},
    )


def _latex(source: str) -> str:
    """An output of type text/latex, which brings its own dollar signs."""
    bare = source.strip()
    display = not re.fullmatch(r"\$[^$].*\$", bare, re.DOTALL) or r"\displaystyle" in bare
    return mathml(bare.strip("$").replace(r"\displaystyle", ""), display)


def templates() -> Path:
    """Folder of the templates and of the style sheet."""
    return Path(str(files("entro_nb.report") / "templates"))


@cache
def style() -> str:
    """Style sheet of all pages, in light and dark, the colours of code included."""
    from pygments.formatters import HtmlFormatter

    def code(name: str) -> str:
        rules = HtmlFormatter(style=name, nobackground=True).get_style_defs(".highlight")
        return str(rules)

    dark = f"@media (prefers-color-scheme: dark) {{\n{code('github-dark')}\n}}"
    sheet = (templates() / "style.css").read_text(encoding="utf-8")
    return f"{sheet}\n{code('default')}\n{dark}"


def duration(seconds: float) -> str:
    """Wall time for a reader.

    Examples
    --------
    >>> duration(8.26), duration(192)
    ('8.3 s', '3 min 12 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if seconds < 59.95 else f"{minutes} min {rest} s"


def megabytes(size: int | None) -> str:
    """Memory for a reader; empty when it is not known.

    Examples
    --------
    >>> megabytes(350_000_000)
    '350 MB'
    """
    return "" if size is None else f"{size / 1e6:.0f} MB"
