"""The parts of the README that are made: ``python .ci/tools/readme.py README.md``.

Each stands between two marks, ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``:

- *claims*: the summary that notebook 14 prints;
- *badges*: a badge a notebook, from the address in ``pyproject.toml``;
- *times*: what all the notebooks take, from the manifests named by ``--times``. These are
  measurements of one day and machine: without the option they stay as they are.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from entro_nb import settings
from entro_nb.errors import EntroError, ReportError
from entro_nb.report import Manifest, notebook

SERVICE = "https://mybinder.org"

MISSING = """\
This copy does not know its public address, so there are no badges to open single notebooks with.
Write it once, into `pyproject.toml`,

    [project.urls]
    repository = "https://github.com/OWNER/NAME"

and run `python .ci/tools/readme.py README.md`.
"""


def claims(folder: Path) -> str:
    """Counts of the verdicts, as the committed notebook 14 prints them.

    Raises
    ------
    ReportError
        If the notebook prints no summary.
    """
    printed = [
        output.text.strip()
        for cell in notebook.read_notebook(folder / "14_claims.ipynb").cells
        if cell.cell_type == "code" and "claims.summary(" in cell.source
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    if len(printed) != 1:
        raise ReportError("notebook 14 holds no summary of the claims: run it")
    return f"{printed[0]}\n"


def launch(repository: str, path: str = "") -> str:
    """Address that starts a repository on Binder, and opens one of its notebooks.

    Parameters
    ----------
    repository : str
        Its address: on GitHub, on GitLab, or anywhere that git can clone from.
    path : str
        The notebook, from the root of the repository; JupyterLab alone if empty.

    Examples
    --------
    >>> launch("https://github.com/o/n", "notebooks/a.ipynb")
    'https://mybinder.org/v2/gh/o/n/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2Fa.ipynb'
    >>> launch("https://gitlab.com/g/s/n.git")
    'https://mybinder.org/v2/gl/g%2Fs%2Fn/HEAD?urlpath=lab'
    """
    parts = urlsplit(repository)
    name = parts.path.strip("/").removesuffix(".git")
    where = {"github.com": f"gh/{name}", "gitlab.com": f"gl/{quote(name, safe='')}"}.get(
        parts.netloc, f"git/{quote(repository, safe='')}"
    )
    tree = f"lab/tree/{path}" if path else "lab"
    return f"{SERVICE}/v2/{where}/HEAD?urlpath={quote(tree, safe='')}"


def badges(repository: str | None, titles: Mapping[str, str]) -> str:
    """Badges as a Markdown table of notebook names to titles, or how to get them."""
    if not repository:
        return MISSING
    lines = ["| | notebook |", "|---|---|"]
    for name, title in titles.items():
        place = launch(repository, f"notebooks/{name}.ipynb")
        lines.append(f"| [![Binder]({SERVICE}/badge_logo.svg)]({place}) | {title} |")
    return "\n".join(lines) + "\n"


def times(reports: Sequence[Manifest], names: Collection[str]) -> str:
    """Table of what whole reports took, one line each.

    Parameters
    ----------
    reports : sequence of Manifest
    names : collection of str
        All notebooks there are.

    Raises
    ------
    ReportError
        If a report does not tell: a notebook is missing, failed, was taken over from an earlier
        run, ran elsewhere or with parameters of its own, or the code was not that of a commit.
    """
    lines = [
        "| preset | notebooks | at a time | minutes | largest kernel |",
        "|---|---|---|---|---|",
    ]
    for report in reports:
        if not _tells(report, names):
            raise ReportError(
                "a time needs a report of committed code, run here, whole and at once (--again)"
            )
        largest = max(report.entries, key=lambda entry: entry.peak_bytes or 0)
        lines.append(
            f"| `{report.preset or notebook.PRESETS[0]}` | {len(report.entries)} | {report.jobs} "
            f"| {report.seconds / 60:.1f} "
            f"| {(largest.peak_bytes or 0) / 1e9:.2f} GB, {largest.name} |"
        )
    made = {
        f"{report.created[:10]} at commit {str(report.source.commit)[:7]} on {report.cores} cores, "
        f"Python {report.versions['python']}"
        for report in reports
    }
    return "\n".join(lines) + f"\n\nMeasured on {'; '.join(sorted(made))}.\n"


def _tells(report: Manifest, names: Collection[str]) -> bool:
    """Whether the seconds of a report are those of all notebooks as they stand in a commit."""
    whole = sorted(entry.source for entry in report.entries) == sorted(names)
    ran = report.jobs is not None and not (report.failed or report.kept or report.asked)
    return whole and ran and report.source.commit is not None and not report.source.changed


def made(project: str, folder: Path) -> dict[str, str]:
    """The parts made from the text of ``pyproject.toml`` and the notebooks, by name."""
    urls = tomllib.loads(project)["project"].get("urls", {})
    repository = {name.lower(): url for name, url in urls.items()}.get("repository")
    titles = {
        name: notebook.describe(notebook.read_notebook(path), name).title
        for name, path in notebook.available(folder).items()
    }
    return {"claims": claims(folder), "badges": badges(repository, titles)}


def replaced(readme: str, parts: Mapping[str, str]) -> str:
    r"""README with these parts between their marks.

    Raises
    ------
    ReportError
        If marks are missing.

    Examples
    --------
    >>> print(replaced("<!-- a: begin -->\nold\n<!-- a: end -->", {"a": "new\n"}))
    <!-- a: begin -->
    new
    <!-- a: end -->
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, opened, rest = readme.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ReportError(f"the README has no marks {begin} and {end}")
        readme = f"{before}{begin}\n{part}{end}{after}"
    return readme


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the made parts of a README, or look whether they are up to date; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python .ci/tools/readme.py")
    parser.add_argument("readme", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it differs")
    parser.add_argument(
        "--times", nargs="+", type=Path, metavar="MANIFEST", help="reports that tell the times"
    )
    options = parser.parse_args(arguments)
    try:
        text = options.readme.read_text(encoding="utf-8")
        project = (options.readme.resolve().parent / "pyproject.toml").read_text(encoding="utf-8")
        parts = made(project, settings.notebooks())
        if options.times:
            reports = [Manifest.from_json(path.read_text("utf-8")) for path in options.times]
            parts["times"] = times(reports, notebook.available(settings.notebooks()))
        new = replaced(text, parts)
    except (EntroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.check:
        return int(new != text)
    options.readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
