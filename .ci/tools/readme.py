"""What is made of the texts: ``python .ci/tools/readme.py README.md notebooks/RUNNING.md``.

Each part stands between two marks, ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``, in one of
the texts:

- *findings*: three of them with their pictures, in the numbers that their notebooks print;
- *claims*: the summary that notebook 14 prints, and *counts*: its last line of all, in words;
- *badges*: a badge a notebook, from the address in ``pyproject.toml``;
- *times*: what all the notebooks take, from the manifests named by ``--times``. These are
  measurements of one day and machine: without the option they stay as they are.
"""

from __future__ import annotations

import argparse
import re
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

and run `python .ci/tools/readme.py README.md notebooks/RUNNING.md`.
"""

PICTURES = "notebooks/pictures"

#: The findings of the README: picture, what it shows, and what was found, where the numbers are
#: those of `numbers`.
FINDINGS = (
    (
        "ceiling",
        "Variance over nodes against their number: with the clip it levels off at one quarter, "
        "without it it goes on; below, what a node puts out, cut off at 0 and 1",
        """\
**{agree} of {printed} published figures come out to every digit, and what was concluded from them
is wrong.** ENTRO-NET (Baladi 2026) reports that the variance of its networks saturates as they
grow, at 0.228, and calls that self-regulation. Nothing regulates: what levels off is the clip to
[0, 1], on which no variance exceeds ¼. At 1000 nodes it is {beyond}.
[Notebook 10](notebooks/10_scaling_law.ipynb)
""",
    ),
    (
        "board",
        "Scores of detectors on the Numenta Anomaly Benchmark as bars, best first: surprise lies "
        "among the best three, the Accountant's entropy and its rates about chance or below",
        """\
**An entropy monitor that scores like chance, and one that works.** On {streams} streams in which
people marked what is strange, the best quantity of Entropy Engine (Pozzetta 2026) scores
{accountant} of 100, and chance {chance}. The average forgets its summand: how surprising each value
is by those before it scores {surprise}, {promised} with its limit fixed beforehand; the best
published detector has {published}. [Notebook 15](notebooks/15_surprise.ipynb)
""",
    ),
    (
        "isolation",
        "Share of healthy nodes protected against the number of faulty ones, a panel a fault: the "
        "published isolation lies on the line of none, ours at nearly all",
        """\
**A fault isolation that protects exactly as many as none.** The published classes of ENTRO-NET put
a faulty node on a list, and go on listening to it: beside nodes stuck high {stuck_published} of the
healthy ones are spared, as without any. With the edges cut, as its document says, it is
{stuck_level}, but {lying_level} if the faulty lie to their monitor; judged by what the neighbours
hear, {lying_sound}. [Notebook 09](notebooks/09_fault_isolation.ipynb)
""",
    ),
)

#: Where each of their numbers is printed: the notebook, and the line with its numbers by name.
PRINTED = (
    ("10_scaling_law", r"^(?P<agree>\d+) of (?P<printed>\d+) to every digit"),
    ("10_scaling_law", r"^N = 1000: (?P<beyond>[\d.]+), above the claimed ceiling: True"),
    ("15_surprise", r"^these \d+ of (?P<streams>\d+) streams"),
    ("15_surprise", r"^Accountant's \S+ of \d+ +(?P<accountant>[\d.]+)"),
    ("15_surprise", r"^chance +(?P<chance>[\d.]+)"),
    ("15_surprise", r"^surprise +(?P<surprise>[\d.]+)"),
    ("15_surprise", r"^surprise, alarms as promised +(?P<promised>[\d.]+)"),
    ("15_surprise", r"^published\nprofile.*\ndetector.*\n.*?(?P<published>[\d.]+)"),
    (
        "09_fault_isolation",
        r"^stuck +(?P<stuck_published>\S+%) +(?P=stuck_published) +(?P<stuck_level>\S+%)",
    ),
    ("09_fault_isolation", r"^lying +\S+ +\S+ +(?P<lying_level>\S+%) +(?P<lying_sound>\S+%)"),
)


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


def counts(summary: str) -> str:
    r"""The verdicts on all claims as a sentence, from their summary.

    Examples
    --------
    >>> print(counts("| claims | held | refuted |\n|---|---|---|\n| **all** | **2** | **1** |"))
    Of 3 claims of the documents 2 are held, 1 refuted.
    <BLANKLINE>
    """
    rows = [[cell.strip("* ") for cell in line.strip("|").split("|")]
            for line in summary.splitlines()]  # fmt: skip
    (total,) = (row[1:] for row in rows if row[0] == "all")
    (first, verdict), *others = zip(total, rows[0][1:], strict=True)
    rest = ", ".join(f"{count} {name}" for count, name in others)
    return f"Of {sum(map(int, total))} claims of the documents {first} are {verdict}, {rest}.\n"


def numbers(folder: Path) -> dict[str, str]:
    """What the findings of the README say in numbers, as the committed notebooks print them.

    Raises
    ------
    ReportError
        If a notebook does not print it, or prints that it is otherwise.
    """
    told: dict[str, str] = {}
    for name, line in PRINTED:
        cells = notebook.read_notebook(folder / f"{name}.ipynb").cells
        outputs = [out for cell in cells if cell.cell_type == "code" for out in cell.outputs]
        text = "".join(out.text for out in outputs if out.output_type == "stream")
        match = re.search(line, text, re.MULTILINE)
        if match is None:
            raise ReportError(f"{name} does not print what the README finds in it: {line}")
        told |= match.groupdict()
    return told


def findings(folder: Path) -> str:
    """The findings with their pictures, one in light and one in dark."""
    told = numbers(folder)
    rows = "".join(
        f'<tr><td>\n\n{text.format_map(told)}\n</td><td width="45%">\n<picture>\n'
        f'<source media="(prefers-color-scheme: dark)" srcset="{PICTURES}/{name}-dark.png">\n'
        f'<img alt="{alt}" src="{PICTURES}/{name}-light.png">\n</picture>\n</td></tr>\n'
        for name, alt, text in FINDINGS
    )
    return f"<table>\n{rows}</table>\n"


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
    summary = claims(folder)
    return {
        "findings": findings(folder),
        "counts": counts(summary),
        "claims": summary,
        "badges": badges(repository, titles),
    }


def replaced(texts: Sequence[str], parts: Mapping[str, str]) -> list[str]:
    r"""Texts with these parts between their marks, each part in one of them.

    Raises
    ------
    ReportError
        If marks are missing.

    Examples
    --------
    >>> print(*replaced(["b", "<!-- a: begin -->\nold\n<!-- a: end -->"], {"a": "new\n"}))
    b <!-- a: begin -->
    new
    <!-- a: end -->
    """
    new = list(texts)
    for name, part in parts.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        places = [k for k, text in enumerate(new) if begin in text and end in text]
        if not places:
            raise ReportError(f"there are no marks {begin} and {end}")
        before, _, rest = new[places[0]].partition(begin)
        _, _, after = rest.partition(end)
        new[places[0]] = f"{before}{begin}\n{part}{end}{after}"
    return new


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the made parts of the texts, or look whether they are up to date; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python .ci/tools/readme.py")
    parser.add_argument("texts", type=Path, nargs="+", help="the README first")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it differs")
    parser.add_argument(
        "--times", nargs="+", type=Path, metavar="MANIFEST", help="reports that tell the times"
    )
    options = parser.parse_args(arguments)
    try:
        texts = [path.read_text(encoding="utf-8") for path in options.texts]
        beside = options.texts[0].resolve().parent / "pyproject.toml"
        parts = made(beside.read_text(encoding="utf-8"), settings.notebooks())
        if options.times:
            reports = [Manifest.from_json(path.read_text("utf-8")) for path in options.times]
            parts["times"] = times(reports, notebook.available(settings.notebooks()))
        new = replaced(texts, parts)
    except (EntroError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.check:
        return int(new != texts)
    for path, text in zip(options.texts, new, strict=True):
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
