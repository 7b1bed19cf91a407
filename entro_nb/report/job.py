"""One notebook to run: the process between what is asked and what came of it.

A job owns a folder. The worker process writes there, and the folder is all that a job and its
worker share besides a pipe, so that a job can be run by any ``concurrent.futures.Executor`` whose
workers see the same files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entro_nb import record, results
from entro_nb.report import notebook as notebooks
from entro_nb.report.html import notebook_page
from entro_nb.report.notebook import FAILED, KERNEL, PASSED, RECORD, TIMED_OUT, Job, Outcome

#: A file of this name beside the jobs' folders ends them all.
STOP = "stop"

#: Seconds between looks at a worker.
POLL = 0.1
#: Seconds that a worker has to end its kernel, after its pipe closed or its time ran out.
GRACE = 15.0
#: Bytes without which nothing can be written that is worth reading.
FULL = 1_000_000

#: What a worker process runs, with the folder of its job.
WORKER = "import sys; from entro_nb.report.job import work; work(sys.argv[1])"


@dataclass(frozen=True)
class Status:
    """How far a running notebook is.

    Parameters
    ----------
    cell, cells : int
        Number of the cell that runs, and how many there are.
    section : str
        Heading under which the cell stands.
    """

    cell: int = 0
    cells: int = 0
    section: str = ""

    @classmethod
    def of(cls, job: Job) -> Status:
        """Status that the worker of a job wrote last."""
        return cls(**job.read("status.json"))


def execute(job: Job) -> Outcome:
    """Run a job in a fresh process and wait for it.

    The worker lives as long as its standard input stays open: should this process die, whatever
    the way, the worker ends its kernel and itself. Should the worker die, the kernel ends by
    itself, as every kernel of ipykernel's does without its parent.
    """
    if job.code and job.code != results.code_digest():
        return Outcome(FAILED, "this worker has another version of the package than the one asking")
    job.write("job.json", dataclasses.asdict(job))
    environment = os.environ | {
        record.REPORT: "1",
        record.THUMBNAIL: str(job.path("thumbnail.png")),
        record.FOLDER: str(job.path(RECORD)),
        # No start-up file of the user's changes the result, no history file is shared by kernels.
        "IPYTHONDIR": str(job.path("ipython")),
    }
    started = time.monotonic()
    limit = None if job.timeout is None else started + job.timeout + GRACE
    with job.path("worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, job.folder],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # the terminal's Ctrl-C comes to us alone
        )
        assert worker.stdin is not None
        try:
            while worker.poll() is None and not Path(job.folder, "..", STOP).exists():
                if limit is not None and time.monotonic() > limit:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(POLL)
        finally:
            # The worker's life hangs on the pipe; it is ended by force if it does not see to it.
            worker.stdin.close()
            try:
                worker.wait(GRACE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
    seconds = time.monotonic() - started
    if result := job.read("result.json"):
        return Outcome(**result)
    if limit is not None and time.monotonic() > limit:
        return Outcome(TIMED_OUT, f"no answer {GRACE:g} s after its {job.timeout:g} s", seconds)
    lines = job.path("worker.log").read_text(errors="replace").split("\n")
    words = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
    if shutil.disk_usage(job.folder).free < FULL:
        words += " (the disk is full)"
    ended = f"the worker process ended with code {worker.returncode}"
    return Outcome(FAILED, f"{ended}: {words}", seconds)


def work(folder: str) -> None:
    """Run the job of a folder to its end, or until standard input closes: what a worker does.

    Reads ``job.json`` in the folder; writes ``status.json`` before each cell, then
    ``notebook.ipynb``, ``notebook.html`` and, last, ``result.json``.
    """
    job = Job(**json.loads((Path(folder) / "job.json").read_text()))
    threading.Thread(target=_follow, daemon=True).start()
    job.write("result.json", dataclasses.asdict(run_job(job)))


def _follow() -> None:
    """End the kernel and this process at once when the parent is gone or wants no more."""
    import psutil

    # The descriptor itself: a thread inside sys.stdin's lock would stop the interpreter's exit.
    while os.read(0, 1):
        pass
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    os._exit(1)


def run_job(job: Job) -> Outcome:
    """Run the notebook in this process's kernel, and render it."""
    started = time.monotonic()
    output = job.path("notebook.ipynb")
    if job.finished:
        outcome = Outcome(**job.read("result.json"))
    else:
        outcome = dataclasses.replace(
            _executed(job, output, started),
            seconds=time.monotonic() - started,
            peak_bytes=_peak_of_children(),
        )
        if not output.exists():  # no cell was reached: the page shows the notebook as it stood
            shutil.copyfile(job.source, output)
    page = notebook_page(notebooks.read_notebook(output), job, outcome)
    # Replaced, not rewritten: a page of before may be the same file by another name.
    job.path("page.part").write_text(page, encoding="utf-8")
    job.path("page.part").replace(job.path("notebook.html"))
    job.write("context.json", {"digest": job.context})
    return outcome


def _executed(job: Job, output: Path, started: float) -> Outcome:
    """Run the notebook by papermill; whatever goes wrong becomes words."""
    record.quick_schemas()
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    titles: list[str] = []

    def begin(cell: Any, cell_index: int) -> None:
        status = Status(cell_index + 1, len(titles), titles[cell_index])
        job.write("status.json", dataclasses.asdict(status))

    def remaining(_cell: object) -> float:
        # Never 0, which the notebook client takes for no limit.
        return max(started + (job.timeout or 0.0) - time.monotonic(), 0.01)

    kernel = {"connection_file": str(job.path("kernel.json"))}  # no file of ours elsewhere
    if sys.platform == "linux":
        # Sockets with a name. A number of TCP's is chosen some seconds before the kernel takes
        # it, and on a busy machine another kernel may have taken it by then.
        kernel |= {"transport": "ipc", "ip": f"@entro-nb-{uuid.uuid4().hex}"}
    limit = {} if job.timeout is None else {"timeout_func": remaining}
    try:
        papermill.execute_notebook(
            job.source,
            str(output),
            parameters=dict(job.parameters),
            cwd=str(Path(job.source).parent),
            progress_bar=False,
            config=Config(KernelManager=kernel),
            # Papermill may add a cell for the parameters, so the sections are those of its copy.
            on_notebook_start=lambda notebook: titles.extend(notebooks.sections(notebook)),
            on_cell_start=begin,
            **KERNEL,
            **limit,
        )
    except papermill.PapermillExecutionError as error:
        status, words = FAILED, f"{error.ename}: {_one_line(error.evalue)}"
    except CellTimeoutError:
        status, words = TIMED_OUT, f"ran out of the {job.timeout:g} s allowed"
    except DeadKernelError:
        status, words = FAILED, "the kernel died"
    except OSError:
        raise  # a full disk: nothing more can be written
    except Exception as error:  # a kernel that did not start, a notebook it could not take
        status, words = FAILED, f"{type(error).__name__}: {_one_line(str(error))}"
    else:
        return Outcome(PASSED)
    section = Status.of(job).section
    return Outcome(status, f"{words} (in “{section}”)" if section else words)


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _peak_of_children() -> int | None:
    """Largest resident memory of the processes that this one started and saw end, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
