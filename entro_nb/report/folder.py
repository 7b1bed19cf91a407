"""The folder of a report: its manifest, how it is filled at once, and what need not run again.

A folder that holds a manifest holds a whole report. A run is known by a digest of all that goes
into it. Its files lie in the report of before, or, when that was interrupted, in a hidden folder
of the report's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from entro_nb import results, settings
from entro_nb.errors import ReportError
from entro_nb.record import NotebookRecord
from entro_nb.report.notebook import PASSED, RECORD, Job, Outcome
from entro_nb.settings import Value

INDEX, MANIFEST = "index.html", "manifest.json"

#: Folder of the runs that are finished when the report is not.
HIDDEN = ".finished"
#: Names of the files that are being replaced.
JOURNAL = ".publishing"

#: Parameters of this ending name a file. They are looked at before anything runs, and made
#: absolute: a notebook runs in its own folder, not in the caller's.
FILE = "_file"

#: Ending of a file in the report to its name in the folder of its job.
PARTS = {"html": "notebook.html", "ipynb": "notebook.ipynb", "png": "thumbnail.png"}

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
    from entro_nb.claims import Verdict

    counts = Counter(verdicts)
    order = dict.fromkeys([verdict.value for verdict in Verdict] + list(counts))
    return {verdict: counts[verdict] for verdict in order if counts[verdict]}


@dataclass(frozen=True)
class Checkout:
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

    def places(self, job: Job) -> dict[str, Path]:
        """Name of each of its files in the report's folder to where the job of the run has it."""
        record, ending = job.path(RECORD), len(self.name) + 1
        own = [name for name in self.files if name not in self.attachments]
        return {name: job.path(PARTS[name[ending:]]) for name in own} | {
            name: record / name[ending:] for name in self.attachments
        }

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
    def made(cls, job: Job, outcome: Outcome) -> Entry:
        """Entry of a run that has ended, from what it left in the folder of its job."""
        left = {
            ending: f"{job.name}.{ending}"
            for ending, file in PARTS.items()
            if job.path(file).exists()
        }
        told, seed = NotebookRecord.of(job.path(RECORD)), job.values.get("seed")
        same = ("name", "title", "summary", "varied", "key", "context")
        return cls(
            **{name: getattr(job, name) for name in same},
            **vars(outcome) | {"seconds": round(outcome.seconds, 3)},
            parameters=job.values,
            seed=seed if isinstance(seed, int) else None,
            html=left.get("html"),
            html_sha256=sha256(job.path(PARTS["html"])) if "html" in left else None,
            notebook=left.get("ipynb"),
            source=job.notebook,
            thumbnail=left.get("png"),
            attachments=tuple(f"{job.name}.{file}" for file in told.files),
            verdicts=told.verdicts,
            results=told.results,
        )

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
    source : Checkout
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
    source: Checkout
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
            fields["source"] = Checkout(**fields["source"])
            fields["entries"] = tuple(Entry.of(entry) for entry in fields["entries"])
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise ReportError(f"no manifest of a report: {error}") from error


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what a report shows."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def checkout(folder: Path) -> Checkout:
    """Commit that a folder of notebooks is at, if a repository keeps it."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        if not git("ls-files"):
            return Checkout()  # an installed copy that happens to lie in somebody's repository
        changed = git("status", "--porcelain", "--untracked-files=no") != ""
        return Checkout(git("rev-parse", "HEAD"), changed)
    except (OSError, subprocess.CalledProcessError):
        return Checkout()  # no git, no repository, or one without a commit


def sha256(path: Path) -> str:
    """SHA-256 digest of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Destination:
    """Folder that a report goes to, with a hidden one in it to work in.

    What a former report left there is replaced; a file of anybody else's is not. The manifest is
    taken away first and written last: a folder that holds one holds a whole report.

    Parameters
    ----------
    folder : Path
        Where the report goes; made if need be.
    names : iterable of str
        Names of the runs whose files the report will write there.

    Raises
    ------
    ReportError
        If the folder cannot be made or written to, or a file that no report made is in the way.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with Destination(Path(home) / "out", []) as out:
    ...         _ = (out.work / "a.html").write_text("a")
    ...         out.publish({"a.html": out.work / "a.html"}, "{}")
    ...     sorted(path.name for path in (Path(home) / "out").iterdir())
    ['a.html', 'manifest.json']
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.folder = folder.resolve()
        self._made: list[Path] = []
        #: What the former report holds, none if there was none.
        self.entries: tuple[Entry, ...] = ()
        if self.folder.exists() and not self.folder.is_dir():
            raise ReportError(f"{folder} is a file: a report goes to a folder")
        self.former = self._former()
        for name in (INDEX, *(f"{name}.{ending}" for name in names for ending in PARTS)):
            path = self.folder / name
            if path.is_dir() or (path.exists() and name not in self.former):
                raise _in_the_way(path)
        try:
            self._make()
            self._sweep()
            self.work = Path(tempfile.mkdtemp(prefix=f"{_mine()}-", dir=self.folder))
        except OSError as error:
            self._unmake()
            raise ReportError(f"cannot write to {folder}: {error.strerror}") from error

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        self._unmake()

    def publish(self, files: Mapping[str, Path], text: str) -> None:
        """Replace the former report by these files and this manifest."""
        for name in files:
            if (self.folder / name).exists() and name not in self.former:
                raise _in_the_way(self.folder / name)
        journal, unfinished = self.folder / JOURNAL, self.work / MANIFEST
        try:
            # All that takes room on the disk comes first: what follows only moves files.
            unfinished.write_text(text, encoding="utf-8")
            # Should this be cut short, the next report knows what lies about from this one.
            journal.write_text(json.dumps(sorted({*self.former, *files})), encoding="utf-8")
            (self.folder / MANIFEST).unlink(missing_ok=True)
            for name in self.former:
                (self.folder / name).unlink(missing_ok=True)
            for name, path in files.items():
                path.replace(self.folder / name)
            unfinished.replace(self.folder / MANIFEST)
            journal.unlink()
            shutil.rmtree(self.folder / HIDDEN, ignore_errors=True)
        except OSError as error:
            raise ReportError(f"cannot write to {self.folder}: {error.strerror}") from error

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Keep the files of a run that passed, so that it need not run again if this one stops."""
        if outcome.status != PASSED or not job.key:
            return
        kept = self.folder / HIDDEN / job.key
        partial = kept.with_name(f"{job.key}.part")
        with contextlib.suppress(OSError):  # a full disk: the run itself is not harmed
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for name in (*PARTS.values(), "context.json", "result.json"):
                if job.path(name).exists():
                    _link(job.path(name), partial / name)
            if job.path(RECORD).is_dir():
                shutil.copytree(job.path(RECORD), partial / RECORD, copy_function=_link)
            shutil.rmtree(kept, ignore_errors=True)
            partial.rename(kept)

    def recall(self, job: Job) -> Outcome | None:
        """Bring the files of a finished run into the folder of the job; None if there is none."""
        kept = self.folder / HIDDEN / job.key
        if kept.is_dir():
            shutil.copytree(kept, job.folder, copy_function=_link, dirs_exist_ok=True)
            found = job.read("result.json")
            return Outcome(**found) if found else None
        for entry in self.entries:
            if entry.key == job.key and entry.status == PASSED and self._whole(entry):
                record = job.path(RECORD)
                record.mkdir(exist_ok=True)
                for name, path in entry.places(job).items():
                    _link(self.folder / name, path)
                NotebookRecord(entry.verdicts, entry.results).write(record)
                job.write("context.json", {"digest": entry.context})
                return Outcome(entry.status, entry.error, entry.seconds, entry.peak_bytes)
        return None

    def _whole(self, entry: Entry) -> bool:
        """Whether the files of an entry are all there, and its page is the one written."""
        there = all((self.folder / name).is_file() for name in entry.files)
        with contextlib.suppress(OSError):
            if there and entry.html is not None and entry.notebook is not None:
                return sha256(self.folder / entry.html) == entry.html_sha256
        return False

    def _former(self) -> frozenset[str]:
        """Files that the former report left; none if there was none."""
        path = self.folder / MANIFEST
        try:
            former = Manifest.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return self._cut_short()
        except (OSError, UnicodeError, ReportError) as error:
            raise _in_the_way(path) from error
        self.entries = former.entries
        # Plain names only: a manifest somebody edited must not reach outside the folder.
        named = {INDEX, *(os.path.basename(name) for name in former.files)}
        return frozenset(named) | self._cut_short()

    def _cut_short(self) -> frozenset[str]:
        """Files that a report was about to write when it was ended by force."""
        try:
            names = json.loads((self.folder / JOURNAL).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return frozenset()
        return frozenset(os.path.basename(str(name)) for name in names)

    def _sweep(self) -> None:
        """Take away the working folders of runs on this machine that were ended by force."""
        import psutil

        host = _mine().rpartition("-")[0]
        for path in self.folder.glob(f"{host}-*"):
            number = path.name.removeprefix(f"{host}-").partition("-")[0]
            if number.isdigit() and not psutil.pid_exists(int(number)):
                shutil.rmtree(path, ignore_errors=True)

    def _make(self) -> None:
        missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
        for path in reversed(missing):
            path.mkdir()
            self._made.append(path)

    def _unmake(self) -> None:
        """Take away the folders that were made, as long as they are empty."""
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                path.rmdir()


def _mine() -> str:
    """Beginning of the names of this process's working folders."""
    host = re.sub(r"[^A-Za-z0-9.]", "_", platform.node())
    return f".unfinished-{host}-{os.getpid()}"


def _in_the_way(path: Path) -> ReportError:
    reason = "is in the way and no report made it: move it, or choose another folder"
    return ReportError(f"{path} {reason}")


def run_key(job: Job, versions: Mapping[str, str], data: str) -> str:
    """Digest of what goes into a run: notebook, parameters, files they name, code, versions."""
    files = {
        name: sha256(Path(str(value)))
        for name, value in job.values.items()
        if name.endswith(FILE) and value
    }
    notebook, code = sha256(Path(job.source)), results.code_digest()
    parts = [notebook, dict(job.values), files, code, dict(versions), data]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def data_digest() -> str:
    """Digest of the data that come with the package."""
    folder = settings.data()
    return results.digest(folder, (p for p in folder.rglob("*") if p.is_file()))


def _link(source: str | Path, target: str | Path) -> str:
    """Another name for a file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return str(target)
