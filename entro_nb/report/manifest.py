"""What a report was made from, and what came of it: ``manifest.json``."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from entro_nb.claims import Verdict
from entro_nb.errors import ReportError
from entro_nb.report.job import PASSED
from entro_nb.scalars import Value

__all__ = ["FILE", "Entry", "Manifest", "Source", "counted", "sha256", "source", "versions"]

FILE = "manifest.json"

#: Packages that decide what a report shows.
PACKAGES = (
    "entro-nb", "numpy", "scipy", "xarray", "numba", "networkx", "holoviews", "panel",
    "bokeh", "matplotlib", "papermill", "nbclient", "nbconvert", "jupyterlab", "ipykernel",
)  # fmt: skip


def counted(verdicts: Iterable[str]) -> dict[str, int]:
    """Verdict to how often it stands there: ours in their order, then others as they come.

    Examples
    --------
    >>> counted(["refuted", "so so", "reproduced", "refuted"])
    {'reproduced': 1, 'refuted': 2, 'so so': 1}
    """
    counts = Counter(verdicts)
    order = dict.fromkeys([verdict.value for verdict in Verdict] + list(counts))
    return {verdict: counts[verdict] for verdict in order if counts[verdict]}


@dataclass(frozen=True)
class Source:
    """Which code made a report.

    Parameters
    ----------
    commit : str or None
        Commit of the checkout; None when the package was installed without one.
    changed : bool
        Whether the checkout held changes that were not committed.
    """

    commit: str | None = None
    changed: bool = False


@dataclass(frozen=True)
class Entry:
    """One notebook of a report.

    Parameters
    ----------
    name, title, summary : str
        What it is called and about.
    status : {"passed", "failed", "timed out"}
        How it ended.
    error : str
        What went wrong, in one line; empty if nothing.
    parameters : mapping
        The value of every parameter, those left at their default included.
    seed : int or None
        The parameter ``seed``.
    seconds : float
        Wall time in seconds.
    peak_bytes : int or None
        Largest resident memory of its kernel, in bytes.
    html, notebook : str or None
        The page and the executed notebook in the report's folder; None if it left none.
    html_sha256 : str or None
        Digest of the page.
    source : str
        The notebook that was run, as ``reports/period``.
    varied : tuple of str
        The parameters in which it differs from other runs of the same notebook.
    thumbnail : str or None
        Its picture in the report's folder.
    attachments : tuple of str
        Files that the notebook put beside its page.
    verdicts : mapping
        Claim to verdict, as the notebook told them.
    results : mapping
        Name to [value, units], as the notebook told them.
    key, context : str
        Digests of all that went into the run, and of the pages around it.
    """

    name: str
    title: str
    summary: str
    status: str
    error: str
    parameters: Mapping[str, Value]
    seed: int | None
    seconds: float
    peak_bytes: int | None
    html: str | None
    html_sha256: str | None
    notebook: str | None
    source: str = ""
    varied: tuple[str, ...] = ()
    thumbnail: str | None = None
    attachments: tuple[str, ...] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    context: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files in the report's folder."""
        own = (self.html, self.notebook, self.thumbnail)
        return (*(name for name in own if name), *self.attachments)

    @property
    def counts(self) -> dict[str, int]:
        """Verdict to the number of claims that have it."""
        return counted(self.verdicts.values())

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Entry:
        """Entry from its JSON object."""
        lists = {name: tuple(fields.get(name, ())) for name in ("varied", "attachments")}
        return cls(**dict(fields) | lists)


@dataclass(frozen=True)
class Manifest:
    """A whole report.

    Parameters
    ----------
    created : str
        When it began, in UTC (ISO 8601).
    source : Source
        Which code made it.
    versions : mapping
        Versions of Python and of the packages that decide what it shows.
    preset : str or None
        The preset asked for.
    asked : mapping
        The parameters asked for, as they were given.
    seconds : float
        Wall time of the whole, in seconds.
    entries : tuple of Entry
        Its notebooks, in order.
    cores, jobs : int or None
        Cores of the machine, and notebooks that ran at the same time; None if others ran them.
    kept : int
        Notebooks taken over from an earlier run.
    """

    created: str
    source: Source
    versions: Mapping[str, str]
    preset: str | None
    asked: Mapping[str, str]
    seconds: float
    entries: tuple[Entry, ...]
    cores: int | None = None
    jobs: int | None = None
    kept: int = 0

    @property
    def failed(self) -> tuple[Entry, ...]:
        """The notebooks that did not run to their end."""
        return tuple(entry for entry in self.entries if entry.status != PASSED)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all files of the report that belong to a notebook."""
        return tuple(name for entry in self.entries for name in entry.files)

    def to_json(self) -> str:
        """Text of ``manifest.json``."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Manifest from the text of ``manifest.json``.

        Raises
        ------
        ReportError
            If the text is no manifest of a report.
        """
        try:
            fields = json.loads(text)
            return cls(
                **fields
                | {
                    "source": Source(**fields["source"]),
                    "entries": tuple(Entry.of(entry) for entry in fields["entries"]),
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise ReportError(f"no manifest of a report: {error}") from error


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what a report shows."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def source(folder: Path) -> Source:
    """Commit that a folder of notebooks is at, if a repository keeps it."""
    try:
        if not _git(folder, "ls-files"):
            return Source()  # an installed copy that happens to lie in somebody's repository
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no") != ""
        return Source(_git(folder, "rev-parse", "HEAD"), changed)
    except (OSError, subprocess.CalledProcessError):
        return Source()  # no git, no repository, or one without a commit


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def sha256(path: Path) -> str:
    """SHA-256 digest of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
