"""The process that runs one notebook: ``python -m entro_nb.report.worker FOLDER``.

Reads ``job.json`` in the folder; writes ``status.json`` before each cell, then ``notebook.ipynb``,
``notebook.html`` and, last, ``result.json``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from entro_nb.report.job import FAILED, PASSED, TIMED_OUT, Job, Outcome, Status
from entro_nb.report.notebook import KERNEL, read, sections

__all__ = ["main", "run"]


def main(folder: str) -> None:
    """Run the job of a folder to its end, or until standard input closes."""
    job = Job(**json.loads((Path(folder) / "job.json").read_text()))
    kernel: list[int] = []
    threading.Thread(target=_follow, args=(kernel,), daemon=True).start()
    outcome = run(job, kernel)
    job.write("result.json", dataclasses.asdict(outcome))


def _follow(kernel: list[int]) -> None:
    """End the kernel and this process at once when the parent is gone or wants no more."""
    # The descriptor itself: a thread inside sys.stdin's lock would stop the interpreter's exit.
    while os.read(0, 1):
        pass
    for process in kernel:
        try:
            os.killpg(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os._exit(1)


def run(job: Job, kernel: list[int]) -> Outcome:
    """Run the notebook and render it; the kernel's process is added to the list given."""
    from entro_nb.report import html

    started = time.monotonic()
    output = job.path("notebook.ipynb")
    if job.finished:
        outcome = Outcome(**job.read("result.json"))
    else:
        outcome = dataclasses.replace(
            _execute(job, output, kernel, started),
            seconds=time.monotonic() - started,
            peak_bytes=_peak_of_children(),
        )
    if output.exists():
        page = html.page(read(output), job, outcome)
        # Replaced, not rewritten: a page of before may be the same file by another name.
        job.path("page.part").write_text(page, encoding="utf-8")
        job.path("page.part").replace(job.path("notebook.html"))
        job.write("context.json", {"digest": job.context})
    return outcome


def _execute(job: Job, output: Path, kernel: list[int], started: float) -> Outcome:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    hooks = _hooks(job, kernel, started)
    try:
        papermill.execute_notebook(
            job.source,
            str(output),
            parameters=dict(job.parameters),
            cwd=str(Path(job.source).parent),
            progress_bar=False,
            **KERNEL,
            **hooks,
        )
    except papermill.PapermillExecutionError as error:
        return Outcome(FAILED, f"{error.ename}: {_one_line(error.evalue)}{_where(job)}")
    except CellTimeoutError:
        return Outcome(TIMED_OUT, f"ran out of the {job.timeout:g} s allowed{_where(job)}")
    except DeadKernelError:
        return Outcome(FAILED, f"the kernel died{_where(job)}")
    return Outcome(PASSED)


def _hooks(job: Job, kernel: list[int], started: float) -> dict[str, Any]:
    """What the notebook client is to call while it runs."""
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class Manager(AsyncKernelManager):
        """Kernel manager that leaves no file elsewhere and tells which process it started."""

        # The base declares it synchronous and makes it asynchronous by assignment.
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            self.connection_file = str(job.path("kernel.json"))
            await super().start_kernel(**options)
            assert isinstance(self.provisioner, LocalProvisioner)
            assert self.provisioner.pid is not None
            kernel.append(self.provisioner.pid)

    titles: list[str] = []

    def begin(cell: Any, cell_index: int) -> None:
        job.write(
            "status.json",
            dataclasses.asdict(Status(cell_index + 1, len(titles), titles[cell_index], kernel[-1])),
        )

    # Papermill may add a cell for the parameters, so the sections are those of what it saved.
    def start(notebook: Any) -> None:
        titles.extend(sections(notebook))

    hooks: dict[str, Any] = {
        "kernel_manager_class": Manager,
        "on_notebook_start": start,
        "on_cell_start": begin,
    }
    if job.timeout is not None:
        hooks["timeout_func"] = _remaining(started + job.timeout)
    return hooks


def _remaining(deadline: float) -> Callable[[object], float]:
    """Seconds left for a cell; never 0, which the notebook client takes for no limit."""
    return lambda _cell: max(deadline - time.monotonic(), 0.01)


def _where(job: Job) -> str:
    section = Status.of(job).section
    return f" (in “{section}”)" if section else ""


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


if __name__ == "__main__":
    main(sys.argv[1])
