"""How a run of notebooks is watched: a bar on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TextIO

from entro_nb.report.job import Job, Outcome, Status

__all__ = ["Bar", "Lines", "NoProgress", "Progress"]


class Progress(Protocol):
    """What a run tells the one who watches."""

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


class NoProgress:
    """Says nothing."""

    def begin(self, jobs: Sequence[Job]) -> None:
        """Say nothing."""

    def running(self, statuses: Mapping[str, Status]) -> None:
        """Say nothing."""

    def kept(self, number: int, total: int) -> None:
        """Say nothing."""

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class Lines(NoProgress):
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
        print(again(number, total), file=self.stream, flush=True)

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Write one line."""
        print(line(job, outcome), file=self.stream, flush=True)


class Bar(NoProgress):
    """A progress bar that moves with every cell and names the running ones.

    Parameters
    ----------
    stream : text file
        A terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.bar: Any = None
        self.done: dict[str, float] = {}

    def begin(self, jobs: Sequence[Job]) -> None:
        """Show an empty bar."""
        from tqdm import tqdm

        self.bar = tqdm(
            total=len(jobs),
            file=self.stream,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar:20}| {elapsed} {desc}",
        )

    def kept(self, number: int, total: int) -> None:
        """Leave a line above the bar."""
        print(again(number, total), file=self.stream, flush=True)

    def running(self, statuses: Mapping[str, Status]) -> None:
        """Move the bar by the cells that have run, and name those that run now."""
        self.done |= {name: (s.cell - 1) / s.cells for name, s in statuses.items() if s.cells}
        self.bar.n = sum(self.done.values())
        now = [f"{name} · {s.section}" if s.section else name for name, s in statuses.items()]
        self.bar.set_description_str(" | ".join(now))

    def finished(self, job: Job, outcome: Outcome) -> None:
        """Leave a line above the bar."""
        self.done[job.name] = 1.0
        self.bar.write(line(job, outcome), file=self.stream)

    def end(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.leave = False
            self.bar.close()


def again(number: int, total: int) -> str:
    """One line on the runs that need not run again."""
    return f"{number} of {total} are finished already, and nothing that goes into them has changed"


def line(job: Job, outcome: Outcome) -> str:
    """One line on how a notebook ended."""
    text = f"{outcome.status:>9}  {job.name}  {outcome.seconds:.1f} s"
    return f"{text}: {outcome.error}" if outcome.error else text
