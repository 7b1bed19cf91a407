"""Binder badges that open each notebook: ``python -m entro_nb.report.badges [--check] README.md``.

The repository's address stands in one place, ``repository`` under ``[project.urls]`` of
``pyproject.toml``; the part of the README between the two marks is made from it.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from entro_nb import resources
from entro_nb.report import notebook

__all__ = ["launch", "main", "section", "updated"]

BEGIN, END = "<!-- badges: begin -->", "<!-- badges: end -->"
SERVICE = "https://mybinder.org"

MISSING = """\
This copy does not know its public address, so there are no badges to open single notebooks with.
Write it once, into `pyproject.toml`,

    [project.urls]
    repository = "https://github.com/OWNER/NAME"

and run `python -m entro_nb.report.badges README.md`.
"""


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


def section(repository: str | None, titles: Mapping[str, str]) -> str:
    """Lines of the README: a badge a notebook, or how to get them."""
    if not repository:
        return MISSING
    lines = ["| | notebook |", "|---|---|"]
    for name, title in titles.items():
        place = launch(repository, f"notebooks/{name}.ipynb")
        lines.append(f"| [![Binder]({SERVICE}/badge_logo.svg)]({place}) | {title} |")
    return "\n".join(lines) + "\n"


def updated(readme: str, project: str, folder: Path) -> str:
    """README with the section made anew from the text of ``pyproject.toml`` and the notebooks."""
    urls = tomllib.loads(project)["project"].get("urls", {})
    repository = {name.lower(): url for name, url in urls.items()}.get("repository")
    titles = {
        name: notebook.describe(notebook.read(path), name).title
        for name, path in notebook.available(folder).items()
    }
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return readme
    return f"{before}{BEGIN}\n{section(repository, titles)}{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the section of a README, or look whether it is up to date; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m entro_nb.report.badges")
    parser.add_argument("readme", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it differs")
    options = parser.parse_args(arguments)
    text = options.readme.read_text(encoding="utf-8")
    project = (options.readme.resolve().parent / "pyproject.toml").read_text(encoding="utf-8")
    made = updated(text, project, resources.notebooks())
    if options.check:
        return int(made != text)
    options.readme.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
