"""Runs notebooks as a report: checks first, then a bounded pool, then the folder all at once."""

from __future__ import annotations

import dataclasses
import datetime
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from entro_nb import resources, results, validate
from entro_nb.errors import ReportError
from entro_nb.record import Record
from entro_nb.report import batch, finished, manifest, notebook, parameters
from entro_nb.report.destination import HIDDEN, INDEX, Destination
from entro_nb.report.job import FAILED, PASSED, RECORD, Job, Outcome
from entro_nb.report.manifest import Entry, Manifest
from entro_nb.report.parameters import Parameter
from entro_nb.report.pool import Terminated, interruptible, run_all
from entro_nb.report.progress import NoProgress, Progress
from entro_nb.scalars import Value

__all__ = ["DEFAULT_TIMEOUT", "Terminated", "run"]

#: Seconds allowed for one notebook when nothing else is said.
DEFAULT_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Page:
    """A run to come: which notebook, with what set in it."""

    name: str
    book: str
    source: Path
    about: notebook.Description
    declared: Mapping[str, Parameter]
    set_to: Mapping[str, Value]
    varied: tuple[str, ...]

    @property
    def title(self) -> str:
        """Title of the notebook, with what sets this run of it apart."""
        apart = ", ".join(f"{name} = {self.set_to[name]}" for name in self.varied)
        return f"{self.about.title} ({apart})" if apart else self.about.title

    @property
    def values(self) -> dict[str, Value]:
        """Value of every parameter, those left at their default included."""
        return {name: p.default for name, p in self.declared.items()} | dict(self.set_to)

    @property
    def files(self) -> tuple[str, str, str]:
        """Names of its page, its executed notebook and its picture."""
        return f"{self.name}.html", f"{self.name}.ipynb", f"{self.name}.png"

    def entry(self, job: Job, outcome: Outcome) -> Entry:
        """What the manifest says of it."""
        html, executed = job.path("notebook.html"), job.path("notebook.ipynb")
        told = Record.of(job.path(RECORD))
        seed = self.values.get("seed")
        return Entry(
            name=self.name,
            title=self.title,
            summary=self.about.summary,
            status=outcome.status,
            error=outcome.error,
            parameters=self.values,
            seed=seed if isinstance(seed, int) else None,
            seconds=round(outcome.seconds, 3),
            peak_bytes=outcome.peak_bytes,
            html=self.files[0] if html.exists() else None,
            html_sha256=manifest.sha256(html) if html.exists() else None,
            notebook=self.files[1] if executed.exists() else None,
            source=self.book,
            varied=self.varied,
            thumbnail=self.files[2] if job.path("thumbnail.png").exists() else None,
            attachments=tuple(f"{self.name}.{file}" for file in told.files),
            verdicts=told.verdicts,
            results=told.results,
            key=job.key,
            context=job.context,
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
    again: bool = False,
    agree: Callable[[int], bool] | None = None,
    max_memory: float | None = None,
) -> Manifest:
    """Run notebooks and write them as a report: pages, gallery, manifest.

    Everything asked for is checked before the first notebook starts. Each notebook runs in a
    process of its own. The report appears in its folder when all have ended; a notebook that
    failed is kept and shown as failed. An interruption (Ctrl-C, SIGTERM) ends all kernels and
    leaves no report; what was finished is kept aside, and is not run again.

    Parameters
    ----------
    names : sequence of str
        Notebooks to run, by full name or by a short form that fits one only; all when empty.
    parameters : mapping, optional
        What to set: name to value, or to its spelling. Goes to every notebook that has it. With
        a list of values a notebook is run with each, and with several lists with every
        combination. A parameter whose name ends in ``_file`` names a file.
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
    again : bool
        Whether to run also what is finished already. By default a run is taken over from the
        report that stands in `out`, or from one that was interrupted there, if notebook,
        parameters, the files they name, package, data and versions are the same.
    agree : callable, optional
        Is asked, with the number of runs, whether to go on if there are more than 1000.
    max_memory : float, optional
        Largest resident memory of a kernel, in 10⁶ bytes; a notebook that took more has failed.

    Returns
    -------
    Manifest
        What ran and what came of it; `Manifest.failed` names the notebooks that failed.

    Raises
    ------
    ParameterError
        If a notebook or a parameter does not exist, or a value is not allowed.
    ReportError
        If a notebook cannot be read, the folder cannot be written to, or there are more than
        1000 runs and nobody agreed.

    Examples
    --------
    >>> run(["01"], parameters={"sede": 3})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: parameter = 'sede' is not allowed: expected one of ... \
(did you mean 'seed'?)
    """
    asked = batch.located(parameters or {})
    if timeout is not None:
        timeout = validate.real("timeout", timeout, low=0.0, open_low=True)
    if max_memory is not None:
        max_memory = validate.real("max_memory", max_memory, low=0.0, open_low=True)
    jobs = validate.integer("jobs", _cores() if jobs is None else jobs, 1)
    progress = progress or NoProgress()
    home = resources.notebooks() if folder is None else Path(folder)
    pages = _plan(home, names, asked, preset, agree)
    source = manifest.source(home)
    begun = datetime.datetime.now(datetime.UTC)
    started = time.monotonic()

    def ended(job: Job, outcome: Outcome) -> Outcome:
        outcome = _within(outcome, max_memory)
        finished.keep(job, outcome, destination.folder / HIDDEN)
        return outcome

    with (
        interruptible(),
        _room(out),
        Destination(Path(out), [file for page in pages for file in page.files]) as destination,
    ):
        work = _jobs(pages, destination.work, timeout)
        old = {} if again else _finished(work, destination)
        if old:
            progress.kept(len(old), len(work))
        left = [_left(job, old) for job in work]
        todo = [job for job in left if job is not None]
        outcomes = old | run_all(todo, executor, jobs, progress, ended)
        entries = tuple(
            page.entry(job, _within(outcomes[job.name], max_memory))
            for page, job in zip(pages, work, strict=True)
        )
        report = Manifest(
            created=begun.isoformat(timespec="seconds"),
            source=source,
            versions=manifest.versions(),
            preset=preset,
            asked={name: _spelt(value) for name, value in asked.items()},
            seconds=round(time.monotonic() - started, 3),
            entries=entries,
            cores=_cores() if executor is None else None,
            jobs=jobs if executor is None else None,
            kept=len(old),
        )
        destination.publish(_files(report, work, destination.work), report.to_json())
    return report


def _plan(
    folder: Path,
    names: Sequence[str],
    asked: Mapping[str, object],
    preset: str | None,
    agree: Callable[[int], bool] | None,
) -> list[Page]:
    """All that can be refused is refused here."""
    sources = notebook.available(folder)
    chosen = notebook.resolve(names, sources)
    declared = {name: parameters.declared(sources[name]) for name in chosen}
    batch.agreed(batch.count(declared, asked), agree)
    about = {name: notebook.describe(notebook.read(sources[name]), name) for name in chosen}
    return [
        Page(
            batch.label(name, values, varied),
            name,
            sources[name],
            about[name],
            declared[name],
            values,
            varied,
        )
        for name, values, varied in batch.spread(declared, asked, preset)
    ]


def _jobs(pages: Sequence[Page], work: Path, timeout: float | None) -> list[Job]:
    versions, data = manifest.versions(), finished.data_digest()
    made = []
    for place, page in enumerate(pages):
        folder = work / page.name
        folder.mkdir()
        before = pages[place - 1] if place else None
        after = pages[place + 1] if place + 1 < len(pages) else None
        made.append(
            Job(
                page.name,
                str(page.source.resolve()),
                str(folder),
                page.set_to,
                timeout,
                title=page.title,
                notebook=page.book,
                previous=None if before is None else (before.name, before.title),
                next=None if after is None else (after.name, after.title),
                links=_links(page, pages),
                key=finished.key(page.source, page.values, versions, data),
                code=results.code_digest(),
            )
        )
    return made


def _links(page: Page, pages: Sequence[Page]) -> dict[str, str]:
    """For each notebook the page that a link to it leads to: the one most like this run."""
    best: dict[str, tuple[int, str]] = {}
    for other in pages:
        alike = sum(page.set_to.get(name) == other.set_to[name] for name in other.varied)
        if other.book not in best or alike > best[other.book][0]:
            best[other.book] = (alike, other.name)
    return {name: target for name, (_, target) in best.items()} | {page.book: page.name}


def _finished(work: Sequence[Job], destination: Destination) -> dict[str, Outcome]:
    """Outcome of every job that need not run, its files in place."""
    found = {
        job.name: finished.recall(job, destination.folder, destination.entries) for job in work
    }
    return {name: outcome for name, outcome in found.items() if outcome is not None}


def _left(job: Job, old: Mapping[str, Outcome]) -> Job | None:
    """What is left to do of a job: all of it, its page, or nothing."""
    if job.name not in old:
        return job
    if job.read("context.json").get("digest") == job.context:
        return None
    job.write("result.json", dataclasses.asdict(old[job.name]))
    return dataclasses.replace(job, finished=True)


def _within(outcome: Outcome, megabytes: float | None) -> Outcome:
    """Outcome of a run that may take so much memory."""
    peak = outcome.peak_bytes
    if outcome.status != PASSED or megabytes is None or peak is None or peak <= megabytes * 1e6:
        return outcome
    error = f"took {peak / 1e6:.0f} MB, more than the {megabytes:g} MB allowed"
    return dataclasses.replace(outcome, status=FAILED, error=error)


def _spelt(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return str(value)


def _files(report: Manifest, work: Sequence[Job], folder: Path) -> dict[str, Path]:
    """Every file of the report, by the name it will have."""
    from entro_nb.report import gallery

    files = {}
    for entry, job in zip(report.entries, work, strict=True):
        if entry.html is not None:
            files[entry.html] = job.path("notebook.html")
        if entry.notebook is not None:
            files[entry.notebook] = job.path("notebook.ipynb")
        if entry.thumbnail is not None:
            files[entry.thumbnail] = job.path("thumbnail.png")
        for name in entry.attachments:
            files[name] = job.path(RECORD) / name.removeprefix(f"{entry.name}.")
    thumbnails = {job.name: job.path("thumbnail.png") for job in work}
    index = folder / INDEX
    index.write_text(gallery.page(report, thumbnails), encoding="utf-8")
    return files | {INDEX: index}


@contextmanager
def _room(out: str | os.PathLike[str]) -> Iterator[None]:
    """Tell of a full disk in one line."""
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"cannot write to {os.fspath(out)}: {error.strerror or error} "
            "(what is finished is kept; run it again to go on)"
        ) from error


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
