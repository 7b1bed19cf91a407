"""Runs notebooks as a report: checks first, then a bounded pool, then the folder all at once."""

from __future__ import annotations

import datetime
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from entro_nb import resources, validate
from entro_nb.report import manifest, notebook, parameters
from entro_nb.report.destination import INDEX, Destination
from entro_nb.report.job import FAILED, STOP, Job, Outcome, Status, execute
from entro_nb.report.manifest import Entry, Manifest
from entro_nb.report.parameters import Parameter, Value
from entro_nb.report.progress import NoProgress, Progress

__all__ = ["DEFAULT_TIMEOUT", "Terminated", "run"]

#: Seconds allowed for one notebook when nothing else is said.
DEFAULT_TIMEOUT = 1800.0

#: Seconds between looks at the running notebooks.
POLL = 0.2


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM or SIGHUP): treated like Ctrl-C."""


@dataclass(frozen=True)
class Page:
    """A run to come: which notebook, with what set in it."""

    name: str
    source: Path
    about: notebook.Description
    declared: Mapping[str, Parameter]
    set_to: Mapping[str, Value]

    @property
    def files(self) -> tuple[str, str]:
        """Names of its page and of its executed notebook."""
        return f"{self.name}.html", f"{self.name}.ipynb"

    def entry(self, job: Job, outcome: Outcome) -> Entry:
        """What the manifest says of it."""
        html, executed = job.path("notebook.html"), job.path("notebook.ipynb")
        values = {name: p.default for name, p in self.declared.items()} | dict(self.set_to)
        seed = values.get("seed")
        return Entry(
            name=self.name,
            title=self.about.title,
            summary=self.about.summary,
            status=outcome.status,
            error=outcome.error,
            parameters=values,
            seed=seed if isinstance(seed, int) else None,
            seconds=round(outcome.seconds, 3),
            peak_bytes=outcome.peak_bytes,
            html=self.files[0] if html.exists() else None,
            html_sha256=manifest.sha256(html) if html.exists() else None,
            notebook=self.files[1] if executed.exists() else None,
        )


def run(
    names: Sequence[str] = (),
    *,
    parameters: Mapping[str, object] | None = None,
    preset: str | None = None,
    jobs: int | None = None,
    out: str | os.PathLike[str] = "reports-out",
    timeout: float | None = DEFAULT_TIMEOUT,
    executor: Executor | None = None,
    progress: Progress | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Manifest:
    """Run notebooks and write them as a report: pages, gallery, manifest.

    Everything asked for is checked before the first notebook starts. Each notebook runs in a
    process of its own. The report appears in its folder when all have ended; a notebook that
    failed is kept and shown as failed. An interruption (Ctrl-C, SIGTERM) ends all kernels and
    writes nothing.

    Parameters
    ----------
    names : sequence of str
        Notebooks to run, by full name or by a short form that fits one only; all when empty.
    parameters : mapping, optional
        What to set: name to value, or to its spelling. Goes to every notebook that has it.
    preset : {"quick", "full"}, optional
        Goes to every notebook with a parameter ``preset``.
    jobs : int, optional
        Notebooks that run at the same time, at least 1; as many as there are cores by default.
    out : path
        Folder of the report.
    timeout : float or None
        Seconds allowed for each notebook; None for no limit.
    executor : concurrent.futures.Executor, optional
        Runs the jobs in place of the pool of `jobs`; its workers must see the folder `out`.
    progress : Progress, optional
        Is told how far the run is; says nothing by default.
    folder : path, optional
        Where the notebooks are, if they are not those of the package.

    Returns
    -------
    Manifest
        What ran and what came of it; `Manifest.failed` names the notebooks that failed.

    Raises
    ------
    ParameterError
        If a notebook or a parameter does not exist, or a value is not allowed.
    ReportError
        If a notebook cannot be read, or the folder cannot be written to.

    Examples
    --------
    >>> run(["01"], parameters={"sede": 3})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: parameter = 'sede' is not allowed: expected one of ... \
(did you mean 'seed'?)
    """
    asked = dict(parameters or {})
    if timeout is not None:
        timeout = validate.real("timeout", timeout, low=0.0, open_low=True)
    jobs = validate.integer("jobs", _cores() if jobs is None else jobs, 1)
    progress = progress or NoProgress()
    home = resources.notebooks() if folder is None else Path(folder)
    pages = _plan(home, names, asked, preset)
    source = manifest.source(home)
    begun = datetime.datetime.now(datetime.UTC)
    started = time.monotonic()
    with (
        _interruptible(),
        Destination(Path(out), [file for page in pages for file in page.files]) as destination,
    ):
        work = _jobs(pages, destination.work, timeout)
        outcomes = _run_all(work, executor, jobs, progress)
        entries = tuple(
            page.entry(job, outcomes[job.name]) for page, job in zip(pages, work, strict=True)
        )
        report = Manifest(
            created=begun.isoformat(timespec="seconds"),
            source=source,
            versions=manifest.versions(),
            preset=preset,
            asked={name: str(value) for name, value in asked.items()},
            seconds=round(time.monotonic() - started, 3),
            entries=entries,
        )
        destination.publish(_files(report, work, destination.work), report.to_json())
    return report


def _plan(
    folder: Path, names: Sequence[str], asked: Mapping[str, object], preset: str | None
) -> list[Page]:
    """All that can be refused is refused here."""
    sources = notebook.available(folder)
    chosen = notebook.resolve(names, sources)
    declared = {name: parameters.declared(sources[name]) for name in chosen}
    bound = parameters.bind(declared, asked, preset)
    return [
        Page(
            name.replace("/", "-"),
            sources[name],
            notebook.describe(notebook.read(sources[name]), name),
            declared[name],
            bound[name],
        )
        for name in chosen
    ]


def _jobs(pages: Sequence[Page], work: Path, timeout: float | None) -> list[Job]:
    titles = tuple((page.name, page.about.title) for page in pages)
    made = []
    for page in pages:
        folder = work / page.name
        folder.mkdir()
        made.append(
            Job(page.name, str(page.source.resolve()), str(folder), page.set_to, timeout, titles)
        )
    return made


def _run_all(
    work: Sequence[Job], executor: Executor | None, jobs: int, progress: Progress
) -> dict[str, Outcome]:
    """Outcome of every job by name. Leaves no process behind, however it ends."""
    pool = executor or ThreadPoolExecutor(min(jobs, len(work)), "entro-nb-report")
    futures: dict[Future[Outcome], Job] = {}
    try:
        progress.begin(work)
        futures = {pool.submit(execute, job): job for job in work}
        outcomes: dict[str, Outcome] = {}
        pending = set(futures)
        while pending:
            ended, pending = wait(pending, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in ended:
                job = futures[future]
                outcomes[job.name] = _outcome(future)
                progress.finished(job, outcomes[job.name])
            statuses = {futures[f].name: Status.of(futures[f]) for f in pending}
            progress.running({name: s for name, s in statuses.items() if s.cells})
        return outcomes
    finally:
        # Also the way out of an interruption: what waits is dropped, what runs is told to stop.
        for future in futures:
            future.cancel()
        if work:
            Path(work[0].folder, "..", STOP).touch()
        wait(futures)
        if executor is None:
            pool.shutdown()
        progress.end()


def _outcome(future: Future[Outcome]) -> Outcome:
    error = future.exception()
    if error is not None:  # the executor lost its worker, or the disk is full
        return Outcome(FAILED, f"{type(error).__name__}: {error}")
    return future.result()


def _files(report: Manifest, work: Sequence[Job], folder: Path) -> dict[str, Path]:
    """Every file of the report, by the name it will have."""
    from entro_nb.report import gallery

    files = {}
    for entry, job in zip(report.entries, work, strict=True):
        if entry.html is not None:
            files[entry.html] = job.path("notebook.html")
        if entry.notebook is not None:
            files[entry.notebook] = job.path("notebook.ipynb")
    thumbnails = {job.name: job.path("thumbnail.png") for job in work}
    index = folder / INDEX
    index.write_text(gallery.page(report, thumbnails), encoding="utf-8")
    return files | {INDEX: index}


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a run the way Ctrl-C does, so that it cleans up."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    former = {
        number: signal.signal(number, end)
        for number in numbers
        if signal.getsignal(number) != signal.SIG_IGN  # as under nohup
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
