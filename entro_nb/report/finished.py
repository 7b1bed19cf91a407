"""Runs that are finished already: what went into each, and where its files are kept.

A run is known by a digest of all that goes into it. Its files lie in the report of before, or,
when that was interrupted, in a hidden folder of the report's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from entro_nb import resources, results
from entro_nb.record import Record
from entro_nb.report import manifest
from entro_nb.report.batch import FILE
from entro_nb.report.destination import HIDDEN
from entro_nb.report.job import PASSED, RECORD, Job, Outcome
from entro_nb.report.manifest import Entry
from entro_nb.scalars import Value

__all__ = ["data_digest", "keep", "key", "recall"]

#: Files of a job that make its report.
FILES = ("notebook.ipynb", "notebook.html", "thumbnail.png", "context.json", "result.json")


def key(source: Path, values: Mapping[str, Value], versions: Mapping[str, str], data: str) -> str:
    """Digest of what goes into a run: notebook, parameters, files they name, code, versions."""
    files = {
        name: manifest.sha256(Path(str(value)))
        for name, value in values.items()
        if name.endswith(FILE) and value
    }
    parts = [
        manifest.sha256(source), dict(values), files, results.code_digest(), dict(versions), data
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def data_digest() -> str:
    """Digest of the data that come with the package."""
    folder = resources.data()
    return results.digest(folder, (p for p in folder.rglob("*") if p.is_file()))


def keep(job: Job, outcome: Outcome, store: Path) -> None:
    """Keep the files of a run that passed, so that it need not run again after an interruption."""
    if outcome.status != PASSED or not job.key:
        return
    partial = store / f"{job.key}.part"
    with contextlib.suppress(OSError):  # a full disk: the run itself is not harmed
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name in FILES:
            if job.path(name).exists():
                _link(job.path(name), partial / name)
        if job.path(RECORD).is_dir():
            shutil.copytree(job.path(RECORD), partial / RECORD, copy_function=_link)
        shutil.rmtree(store / job.key, ignore_errors=True)
        partial.rename(store / job.key)


def recall(job: Job, folder: Path, former: Sequence[Entry]) -> Outcome | None:
    """Bring the files of a finished run into the folder of the job; None if there is none."""
    kept = folder / HIDDEN / job.key
    if kept.is_dir():
        shutil.copytree(kept, job.folder, copy_function=_link, dirs_exist_ok=True)
        found = job.read("result.json")
        return Outcome(**found) if found else None
    for entry in former:
        if entry.key == job.key and entry.status == PASSED and _whole(folder, entry):
            return _published(job, folder, entry)
    return None


def _whole(folder: Path, entry: Entry) -> bool:
    """Whether the files of an entry are all there, and its page is the one that was written."""
    if entry.html is None or entry.notebook is None:
        return False
    with contextlib.suppress(OSError):
        return (
            all((folder / name).is_file() for name in entry.files)
            and manifest.sha256(folder / entry.html) == entry.html_sha256
        )
    return False


def _published(job: Job, folder: Path, entry: Entry) -> Outcome:
    assert entry.html is not None
    assert entry.notebook is not None
    _link(folder / entry.html, job.path("notebook.html"))
    _link(folder / entry.notebook, job.path("notebook.ipynb"))
    if entry.thumbnail is not None:
        _link(folder / entry.thumbnail, job.path("thumbnail.png"))
    record = job.path(RECORD)
    record.mkdir(exist_ok=True)
    for name in entry.attachments:
        _link(folder / name, record / name.removeprefix(f"{entry.name}."))
    Record(entry.verdicts, entry.results).write(record)
    job.write("context.json", {"digest": entry.context})
    return Outcome(entry.status, entry.error, entry.seconds, entry.peak_bytes)


def _link(source: str | Path, target: str | Path) -> str:
    """Another name for a file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return str(target)
