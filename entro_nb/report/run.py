"""Runs notebooks as a report: checks first, then a bounded pool, then the folder all at once.

A request may mean many runs: every notebook with every combination of the values asked for. Those
that are finished already are taken over, see :mod:`entro_nb.report.folder`.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import itertools
import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from entro_nb import results, settings
from entro_nb.errors import ParameterError, ReportError
from entro_nb.report import folder as folders, notebook as notebooks
from entro_nb.report.folder import Destination, Entry, Manifest
from entro_nb.report.job import STOP, Status, execute
from entro_nb.report.notebook import FAILED, PASSED, Job, Outcome, Parameter, bind
from entro_nb.settings import Value
from entro_nb.validate import Count, Positive, checked

#: Seconds allowed for one notebook when nothing else is said.
DEFAULT_TIMEOUT = 1800.0

#: More reports than this are not begun without asking.
MANY = 1000

#: Seconds between looks at the running notebooks.
POLL = 0.2

Declared = Mapping[str, Mapping[str, Parameter]]


class Progress:
    """What a run tells the one who watches. This one says nothing of it."""

    def begin(self, jobs: Sequence[Job]) -> None:
        """Tell that these jobs are about to run."""

    def running(self, statuses: Mapping[str, Status]) -> None:
        """Tell how far each running notebook is, several times a second."""

    def kept(self, number: int, total: int) -> None:
        """Tell how many runs are finished already, of how many in all."""

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Tell that a notebook has ended, well or not."""

    def end(self) -> None:
        """Tell that nothing runs any more, also after an interruption."""


class Lines(Progress):
    """One line for each notebook that has ended: for logs.

    Parameters
    ----------
    stream : text file
        Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def kept(self, number: int, total: int) -> None:
        """Write one line."""
        done = f"{number} of {total} are finished already"
        self.say(f"{done}, and nothing that goes into them has changed")

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Write one line."""
        text = f"{outcome.status:>9}  {job.name}  {outcome.seconds:.1f} s"
        self.say(f"{text}: {outcome.error}" if outcome.error else text)

    def say(self, line: str) -> None:
        """Write it so that it is seen at once."""
        print(line, file=self.stream, flush=True)


class Bar(Lines):
    """A progress bar that moves with every cell and names the running ones.

    Parameters
    ----------
    stream : text file
        A terminal. Lines stay above the bar.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.bar: Any = None
        self.done: dict[str, float] = {}

    def begin(self, jobs: Sequence[Job]) -> None:
        """Show an empty bar."""
        from tqdm import tqdm

        form = "{percentage:3.0f}% |{bar:20}| {elapsed} {desc}"
        self.bar = tqdm(total=len(jobs), file=self.stream, dynamic_ncols=True, bar_format=form)
        self.running({})

    def running(self, statuses: Mapping[str, Status]) -> None:
        """Move the bar by the cells that have run, and name those that run now."""
        self.done |= {name: (s.cell - 1) / s.cells for name, s in statuses.items() if s.cells}
        self.bar.n = sum(self.done.values())
        now = [f"{name} · {s.section}" if s.section else name for name, s in statuses.items()]
        self.bar.set_description_str(" | ".join(now) or "starting")  # a kernel takes seconds

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Leave a line above the bar."""
        self.done[job.name] = 1.0
        super().finished(job, outcome)

    def say(self, line: str) -> None:
        """Write it above the bar, if there is one already."""
        if self.bar is None:
            super().say(line)
        else:
            self.bar.write(line, file=self.stream)

    def end(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.leave = False
            self.bar.close()


def alternatives(text: str) -> object:
    r"""Value or list of values in an argument of the command line; a comma divides them.

    A backslash before a comma keeps it in a value.

    Examples
    --------
    >>> alternatives("7"), alternatives("1,2,3"), alternatives(r"a\,b")
    ('7', ['1', '2', '3'], 'a,b')
    """
    parts = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text)]
    return parts if len(parts) > 1 else parts[0]


def _axes(asked: Mapping[str, object]) -> dict[str, list[object]]:
    axes = {}
    for name, given in asked.items():
        values = list(given) if isinstance(given, (list, tuple)) else [given]
        if not values:
            raise ParameterError(name, given, "at least one value")
        axes[name] = values
    return axes


def count(declared: Declared, asked: Mapping[str, object]) -> int:
    """How many runs it would be, without making them.

    Examples
    --------
    >>> book = {"01": {"seed": Parameter("seed", "int", 1)}, "02": {}}
    >>> count(book, {"seed": range(10)}), count(book, {"seed": list(range(10))})
    (2, 11)
    """
    axes = _axes(asked)
    return sum(
        math.prod(len(values) for name, values in axes.items() if name in parameters)
        for parameters in declared.values()
    )


def agreed(runs: int, ask: Callable[[int], bool] | None) -> None:
    """Refuse a great number of reports unless whoever asked for them means it."""
    if runs > MANY and not (ask is not None and ask(runs)):
        asked = f"{runs} reports were asked for"
        raise ReportError(f"{asked}: to run more than {MANY}, say so with --yes")


def runs_of(
    declared: Declared, asked: Mapping[str, object], preset: str | None
) -> Iterator[tuple[str, dict[str, Value], tuple[str, ...]]]:
    """Every run: notebook, what is set in it, and the names of what is varied.

    Raises
    ------
    ParameterError
        If a parameter is unknown or its value not allowed, see
        :func:`entro_nb.report.notebook.bind`, or is given twice.
    """
    axes = _axes(asked)
    bind(declared, {name: values[0] for name, values in axes.items()}, preset)
    for notebook, parameters in declared.items():
        mine = {name: values for name, values in axes.items() if name in parameters}
        for name, values in mine.items():
            converted = [parameters[name].taken(value) for value in values]
            if len(set(converted)) < len(converted):
                raise ParameterError(name, values, "each value once")
        varied = tuple(name for name, values in mine.items() if len(values) > 1)
        for point in itertools.product(*mine.values()):
            one = dict(zip(mine, point, strict=True))
            bound = bind({notebook: parameters}, one, preset if "preset" in parameters else None)
            yield notebook, bound[notebook], varied


def run_label(notebook: str, values: Mapping[str, Value], varied: Sequence[str]) -> str:
    """Name of a run, fit for a file.

    Examples
    --------
    >>> run_label("reports/period", {"seed": 3, "law": "none"}, ["seed"])
    'reports-period--seed-3'
    """
    parts = [notebook.replace("/", "-"), *(f"{name}-{values[name]}" for name in varied)]
    text = "--".join(parts)
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", text)
    if plain == text and len(plain) <= 120:
        return plain
    return f"{plain[:110]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def located(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the names of files made absolute.

    Raises
    ------
    ParameterError
        If there is no such file.
    """
    found = dict(values)
    for name, value in values.items():
        if name.endswith(folders.FILE) and value:
            path = Path(str(value)).expanduser().resolve()
            if not path.is_file():
                raise ParameterError(name, value, "a file that exists")
            found[name] = str(path)
    return found


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM or SIGHUP): treated like Ctrl-C."""


def run_all(
    work: Sequence[Job],
    executor: Executor | None,
    jobs: int,
    progress: Progress,
    ended: Callable[[Job, Outcome], Outcome],
) -> dict[str, Outcome]:
    """Outcome of every job by name, as `ended` judges it. Leaves no process behind."""
    pool = executor or ThreadPoolExecutor(min(jobs, max(len(work), 1)), "entro-nb-report")
    futures: dict[Future[Outcome], Job] = {}
    try:
        progress.begin(work)
        futures = {pool.submit(execute, job): job for job in work}
        outcomes: dict[str, Outcome] = {}
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=POLL, return_when=FIRST_COMPLETED)
            for future in done:
                job, error = futures[future], future.exception()
                # An error of the executor's: it lost its worker, or the disk is full.
                lost = error and Outcome(FAILED, f"{type(error).__name__}: {error}")
                outcomes[job.name] = ended(job, lost or future.result())
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


@contextmanager
def interruptible() -> Iterator[None]:
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


@checked
def run_report(
    names: Sequence[str] = (),
    *,
    parameters: Mapping[str, object] | None = None,
    preset: str | None = None,
    jobs: Count | None = None,
    out: str | os.PathLike[str] = "reports-out",
    timeout: Positive | None = DEFAULT_TIMEOUT,
    executor: Executor | None = None,
    progress: Progress | None = None,
    folder: str | os.PathLike[str] | None = None,
    again: bool = False,
    agree: Callable[[int], bool] | None = None,
    max_memory: Positive | None = None,
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
    >>> run_report(["01"], parameters={"sede": 3})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: parameter = 'sede' is not allowed: expected one of ... \
(did you mean 'seed'?)
    """
    asked = located(parameters or {})
    jobs = jobs or _cores()
    progress = progress or Progress()
    home = settings.notebooks() if folder is None else Path(folder)
    plan = _plan(home, names, asked, preset, agree)
    source = folders.checkout(home)
    begun = datetime.datetime.now(datetime.UTC)
    started = time.monotonic()

    def ended(job: Job, outcome: Outcome) -> Outcome:
        outcome = _within(outcome, max_memory)
        destination.keep(job, outcome)
        return outcome

    with (
        interruptible(),
        _room(out),
        Destination(Path(out), [job.name for job in plan]) as destination,
    ):
        work = _placed(plan, destination.work, timeout)
        old: dict[str, Outcome] = {}
        todo = []
        for job in work:
            if again or not (outcome := destination.recall(job)):
                todo.append(job)
                continue
            old[job.name] = outcome
            if job.read("context.json").get("digest") != job.context:  # other pages around it
                job.write("result.json", dataclasses.asdict(outcome))
                todo.append(dataclasses.replace(job, finished=True))
        if old:
            progress.kept(len(old), len(work))
        outcomes = old | run_all(todo, executor, jobs, progress, ended)
        entries = tuple(Entry.made(job, _within(outcomes[job.name], max_memory)) for job in work)
        report = Manifest(
            created=begun.isoformat(timespec="seconds"),
            source=source,
            versions=folders.versions(),
            preset=preset,
            asked={name: ",".join(map(str, values)) for name, values in _axes(asked).items()},
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
) -> list[Job]:
    """Every run to come, without a place yet. All that can be refused is refused here."""
    sources = notebooks.available(folder)
    chosen = notebooks.resolve(names, sources)
    declared = {name: notebooks.declared(sources[name]) for name in chosen}
    agreed(count(declared, asked), agree)
    read = {name: notebooks.read_notebook(sources[name]) for name in chosen}
    about = {name: notebooks.describe(nb, name) for name, nb in read.items()}

    def job(name: str, values: dict[str, Value], varied: tuple[str, ...]) -> Job:
        apart = ", ".join(f"{parameter} = {values[parameter]}" for parameter in varied)
        return Job(
            run_label(name, values, varied),
            str(sources[name].resolve()),
            "",
            values,
            title=f"{about[name].title} ({apart})" if apart else about[name].title,
            summary=about[name].summary,
            notebook=name,
            values={p.name: p.default for p in declared[name].values()} | values,
            varied=varied,
        )

    return [job(*run) for run in runs_of(declared, asked, preset)]


def _placed(plan: Sequence[Job], work: Path, timeout: float | None) -> list[Job]:
    """The runs of a plan with a folder each, and with what goes into them and stands around."""
    versions, data = folders.versions(), folders.data_digest()
    pages = [None, *((job.name, job.title) for job in plan), None]
    for job in plan:
        (work / job.name).mkdir()
    return [
        dataclasses.replace(
            job,
            folder=str(work / job.name),
            timeout=timeout,
            previous=before,
            next=after,
            links=_links(job, plan),
            key=folders.run_key(job, versions, data),
            code=results.code_digest(),
        )
        for job, before, after in zip(plan, pages, pages[2:], strict=False)
    ]


def _links(job: Job, plan: Sequence[Job]) -> dict[str, str]:
    """For each notebook the page that a link to it leads to: the one most like this run."""
    best: dict[str, tuple[int, str]] = {}
    for other in plan:
        alike = sum(job.parameters.get(name) == other.parameters[name] for name in other.varied)
        if other.notebook not in best or alike > best[other.notebook][0]:
            best[other.notebook] = (alike, other.name)
    return {name: target for name, (_, target) in best.items()} | {job.notebook: job.name}


def _within(outcome: Outcome, megabytes: float | None) -> Outcome:
    """Outcome of a run that may take so much memory."""
    peak = outcome.peak_bytes
    if outcome.status != PASSED or megabytes is None or peak is None or peak <= megabytes * 1e6:
        return outcome
    error = f"took {peak / 1e6:.0f} MB, more than the {megabytes:g} MB allowed"
    return dataclasses.replace(outcome, status=FAILED, error=error)


def _files(report: Manifest, work: Sequence[Job], folder: Path) -> dict[str, Path]:
    """Every file of the report, by the name it will have."""
    from entro_nb.report.html import gallery_page

    files: dict[str, Path] = {}
    for entry, job in zip(report.entries, work, strict=True):
        files |= entry.places(job)
    thumbnails = {job.name: job.path("thumbnail.png") for job in work}
    index = folder / folders.INDEX
    index.write_text(gallery_page(report, thumbnails), encoding="utf-8")
    return files | {folders.INDEX: index}


@contextmanager
def _room(out: str | os.PathLike[str]) -> Iterator[None]:
    """Tell of a full disk in one line."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error} (what is finished is kept; run it again to go on)"
        raise ReportError(f"cannot write to {os.fspath(out)}: {reason}") from error


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
