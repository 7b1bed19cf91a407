"""Binder badges that open each notebook.

The repository's address stands in one place, ``repository`` under ``[project.urls]`` of
``pyproject.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

__all__ = ["launch", "section"]

SERVICE = "https://mybinder.org"

MISSING = """\
This copy does not know its public address, so there are no badges to open single notebooks with.
Write it once, into `pyproject.toml`,

    [project.urls]
    repository = "https://github.com/OWNER/NAME"

and run `python -m entro_nb.report.readme README.md`.
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
    """Badges as a Markdown table of notebook names to titles, or how to get them."""
    if not repository:
        return MISSING
    lines = ["| | notebook |", "|---|---|"]
    for name, title in titles.items():
        place = launch(repository, f"notebooks/{name}.ipynb")
        lines.append(f"| [![Binder]({SERVICE}/badge_logo.svg)]({place}) | {title} |")
    return "\n".join(lines) + "\n"
