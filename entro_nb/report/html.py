"""Pages that need nothing else, no network and no server: one a notebook, and the gallery."""

from __future__ import annotations

import base64
import copy
import mimetypes
import posixpath
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from entro_nb.record import carry_styles
from entro_nb.report.folder import Entry, Manifest, counted
from entro_nb.report.notebook import FAILED, PASSED, Job, Outcome

#: What a page may load: what it carries. A browser refuses the rest, so nothing can leave it.
#: Bokeh builds functions from text, and Panel starts modules and workers from blobs.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; font-src data:; "
    "worker-src blob:; base-uri 'none'; form-action 'none'"
)

#: Tag of the notes that papermill adds to a notebook that failed; the page has its own.
ADDED = "papermill-error-cell-tag"


def notebook_page(nb: Any, job: Job, outcome: Outcome) -> str:
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
    context = {name: getattr(job, name) for name in ("title", "previous", "next", "parameters")} | {
        "policy": POLICY,
        "style": style_sheet(),
        "outcome": outcome,
        "passed": outcome.status == PASSED,
        "failed_cell": _failed_cell(shown) if outcome.status == FAILED else None,
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
        carried = dict(attachments or {})
        renderer = Renderer(escape=False, attachments=carried, anchor_link_text="¶")
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
def style_sheet() -> str:
    """Style sheet of all pages, in light and dark, the colours of code included."""
    from pygments.formatters import HtmlFormatter

    light, dark = (
        HtmlFormatter(style=name, nobackground=True).get_style_defs(".highlight")
        for name in ("default", "github-dark")
    )
    sheet = (templates() / "style.css").read_text(encoding="utf-8")
    return f"{sheet}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


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


#: What the converter knows under another name only.
SAME = {r"{aligned}": r"{align*}", r"{gathered}": r"{gather*}", r"{equation}": r"{equation*}"}

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


#: Most runs whose pictures the page carries.
PICTURES = 60

PNG = b"\x89PNG\r\n\x1a\n"


def gallery_page(report: Manifest, thumbnails: Mapping[str, Path]) -> str:
    """HTML of the gallery.

    Parameters
    ----------
    report : Manifest
        What ran and what came of it.
    thumbnails : mapping
        Name of a notebook to the PNG that its first figure left, or would have left.

    Returns
    -------
    str
        A whole HTML document that carries its pictures with it.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"duration": duration, "megabytes": megabytes}
    runs = runs_table(report.entries)
    # Each claim of a notebook counts once, however often the notebook was run.
    judged = {(e.source, claim): text for e in report.entries for claim, text in e.verdicts.items()}
    return environment.get_template("gallery.html.j2").render(
        report=report,
        thumbnails=_pictures(report, thumbnails),
        policy=POLICY,
        style=style_sheet(),
        table=runs,
        heading="h3" if runs else "h2",
        script=(templates() / "table.js").read_text(encoding="utf-8"),
        verdicts=counted(judged.values()),
    )


def _pictures(report: Manifest, thumbnails: Mapping[str, Path]) -> dict[str, str | None]:
    """Picture of each run; in a great batch of the first run of each notebook only."""
    few = len(report.entries) <= PICTURES
    shown: set[str] = set()
    pictures: dict[str, str | None] = {}
    for entry in report.entries:
        wanted = few or entry.source not in shown
        pictures[entry.name] = _embedded(thumbnails[entry.name]) if wanted else None
        if pictures[entry.name] is not None:
            shown.add(entry.source)
    return pictures


def _embedded(path: Path) -> str | None:
    """Picture as a data URL; None when there is none, or the kernel died while drawing it."""
    content = path.read_bytes() if path.exists() else b""
    if not content.startswith(PNG):
        return None
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


class Cell(NamedTuple):
    """One cell: what it shows, and the number by which it is sorted, if it is one."""

    text: str = ""
    value: float | None = None
    link: str | None = None
    kind: str = ""


class RunsTable(NamedTuple):
    """The columns, and for every run its name and its cells."""

    columns: tuple[str, ...]
    rows: list[tuple[str, list[Cell]]]


def runs_table(entries: Sequence[Entry]) -> RunsTable | None:
    """Table of the runs; None when no notebook was run more than once."""
    varied = list(dict.fromkeys(name for entry in entries for name in entry.varied))
    if not varied:
        return None
    results: dict[str, str] = {}
    for entry in entries:
        for name, (_, units) in entry.results.items():
            results.setdefault(name, f"{name} ({units})" if units else name)
    judged = any(entry.verdicts for entry in entries)
    columns = (
        "notebook", *varied, "status", *results.values(), *(["verdicts"] if judged else []),
        "run time", "peak memory",
    )  # fmt: skip
    rows = [(entry.name, _cells(entry, varied, list(results), judged)) for entry in entries]
    return RunsTable(columns, rows)


def _cells(entry: Entry, varied: Sequence[str], results: Sequence[str], judged: bool) -> list[Cell]:
    counts = ", ".join(f"{number} {text}" for text, number in entry.counts.items())
    return [
        Cell(entry.source or entry.name, link=entry.html),
        *(_cell(entry.parameters.get(name)) for name in varied),
        Cell(entry.status, kind="failed" if entry.error else "passed"),
        *(_cell(entry.results[name][0] if name in entry.results else None) for name in results),
        *([Cell(counts)] if judged else []),
        Cell(duration(entry.seconds), entry.seconds, kind="number"),
        Cell(megabytes(entry.peak_bytes), entry.peak_bytes, kind="number"),
    ]


def _cell(value: Any) -> Cell:
    if value is None:
        return Cell()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Cell(str(value))
    return Cell(f"{value:g}" if isinstance(value, float) else str(value), value, kind="number")
