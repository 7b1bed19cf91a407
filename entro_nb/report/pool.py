"""The pool in which the notebooks of a report run, and how it is ended early."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from entro_nb.report.job import FAILED, STOP, Job, Outcome, Status, execute
from entro_nb.report.progress import Progress

__all__ = ["Terminated", "interruptible", "run_all"]

#: Seconds between looks at the running notebooks.
POLL = 0.2


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
                job = futures[future]
                outcomes[job.name] = ended(job, _outcome(future))
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
