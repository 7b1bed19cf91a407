"""One notebook to run: what is asked, what came of it, and the process in between.

A job owns a folder. The worker process writes there, and the folder is all that a job and its
worker share besides a pipe, so that a job can be run by any ``concurrent.futures.Executor`` whose
workers see the same files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from entro_nb import record, results
from entro_nb.scalars import Value

__all__ = ["FAILED", "PASSED", "RECORD", "STOP", "TIMED_OUT", "Job", "Outcome", "Status", "execute"]

PASSED, FAILED, TIMED_OUT = "passed", "failed", "timed out"

#: Folder of a job that takes what its notebook hands over, see :mod:`entro_nb.record`.
RECORD = "record"

#: A file of this name beside the jobs' folders ends them all.
STOP = "stop"

#: Seconds between looks at a worker.
POLL = 0.1
#: Seconds that a worker has to end its kernel, after its pipe closed or its time ran out.
GRACE = 15.0
#: Bytes without which nothing can be written that is worth reading.
FULL = 1_000_000


@dataclass(frozen=True)
class Job:
    """A notebook to be run once, with these parameters, in this folder.

    Parameters
    ----------
    name : str
        Name of the run; its files are called ``name.html`` and ``name.ipynb``.
    source : str
        Path of the notebook.
    folder : str
        Folder of this run alone; its parent may hold the file that stops it (`STOP`).
    parameters : mapping
        What to set in the notebook.
    timeout : float or None
        Seconds allowed for the whole notebook.
    title : str
        Title of its page.
    notebook : str
        Name of the notebook within its folder, as ``reports/period``.
    previous, next : (str, str) or None
        Name and title of the pages before and after it.
    links : mapping
        Name of a notebook to the page of the report that links to it lead to.
    key : str
        Digest of all that goes into the run; empty if nobody asks.
    code : str
        Digest of the package that the caller has; a worker with another refuses. Empty for any.
    finished : bool
        Whether the notebook has run already and only its page is to be made anew.
    """

    name: str
    source: str
    folder: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    timeout: float | None = None
    title: str = ""
    notebook: str = ""
    previous: tuple[str, str] | None = None
    next: tuple[str, str] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    code: str = ""
    finished: bool = False

    @property
    def context(self) -> str:
        """Digest of what its page shows of the pages around it."""
        parts = [self.title, self.previous, self.next, dict(self.links)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def path(self, file: str) -> Path:
        """A file in the folder of the job."""
        return Path(self.folder) / file

    def write(self, file: str, content: object) -> None:
        """Write JSON whole or not at all, so that a reader never sees half of it."""
        partial = self.path(f"{file}.part")
        partial.write_text(json.dumps(content))
        partial.replace(self.path(file))

    def read(self, file: str) -> dict[str, Any]:
        """JSON that was written, or nothing yet."""
        try:
            content: dict[str, Any] = json.loads(self.path(file).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return content


@dataclass(frozen=True)
class Status:
    """How far a running notebook is.

    Parameters
    ----------
    cell, cells : int
        Number of the cell that runs, and how many there are.
    section : str
        Heading under which the cell stands.
    kernel : int or None
        Process of the kernel.
    """

    cell: int = 0
    cells: int = 0
    section: str = ""
    kernel: int | None = None

    @classmethod
    def of(cls, job: Job) -> Status:
        """Status that the worker of a job wrote last."""
        return cls(**job.read("status.json"))


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Parameters
    ----------
    status : {"passed", "failed", "timed out"}
        Whether every cell ran.
    error : str
        What went wrong, in one line; empty if nothing.
    seconds : float
        Wall time of the notebook, its kernel's start included.
    peak_bytes : int or None
        Largest resident memory of the kernel; None where the system does not tell.
    """

    status: str
    error: str = ""
    seconds: float = 0.0
    peak_bytes: int | None = None


def execute(job: Job) -> Outcome:
    """Run a job in a fresh process and wait for it.

    The worker lives as long as its standard input stays open: should this process die, whatever
    the way, the worker ends its kernel and itself.
    """
    if job.code and job.code != results.code_digest():
        return Outcome(FAILED, "this worker has another version of the package than the one asking")
    job.write("job.json", dataclasses.asdict(job))
    environment = os.environ | {
        "ENTRO_NB_REPORT": "1",
        "ENTRO_NB_THUMBNAIL": str(job.path("thumbnail.png")),
        record.FOLDER: str(job.path(RECORD)),
        # No start-up file of the user's changes the result, no history file is shared by kernels.
        "IPYTHONDIR": str(job.path("ipython")),
    }
    started = time.monotonic()
    limit = None if job.timeout is None else started + job.timeout + GRACE
    with job.path("worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "entro_nb.report.worker", job.folder],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # the terminal's Ctrl-C comes to us alone
        )
        try:
            while worker.poll() is None and not Path(job.folder, "..", STOP).exists():
                if limit is not None and time.monotonic() > limit:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(POLL)
        finally:
            _end(worker, job)
    seconds = time.monotonic() - started
    if result := job.read("result.json"):
        return Outcome(**result)
    if limit is not None and time.monotonic() > limit:
        return Outcome(TIMED_OUT, f"no answer {GRACE:g} s after its {job.timeout:g} s", seconds)
    return Outcome(FAILED, _last_words(job, worker.returncode), seconds)


def _end(worker: subprocess.Popen[bytes], job: Job) -> None:
    """Close the pipe on which the worker's life hangs; by force if it does not see to it."""
    assert worker.stdin is not None
    worker.stdin.close()
    try:
        worker.wait(GRACE)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
    kernel = Status.of(job).kernel
    if worker.returncode != 0 and kernel is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kernel, signal.SIGKILL)


def _last_words(job: Job, code: int) -> str:
    lines = job.path("worker.log").read_text(errors="replace").split("\n")
    words = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
    if shutil.disk_usage(job.folder).free < FULL:
        words += " (the disk is full)"
    return f"the worker process ended with code {code}: {words}"
