"""How a sweep is watched: a bar on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["watch"]


@contextmanager
def watch(stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    """Function to be told of the runs finished and the runs in all.

    Examples
    --------
    >>> import io
    >>> log = io.StringIO()
    >>> with watch(log) as tell:
    ...     for done in range(5, 101, 5):
    ...         tell(done, 100)
    >>> log.getvalue().splitlines()[:2]
    ['5 of 100 runs', '10 of 100 runs']
    """
    if not stream.isatty():
        tenths: list[int] = []

        def line(done: int, total: int) -> None:
            tenth = 10 * done // total
            if not tenths or tenth > tenths[-1]:
                tenths.append(tenth)
                print(f"{done} of {total} runs", file=stream, flush=True)

        yield line
        return
    from tqdm import tqdm

    bar = tqdm(file=stream, unit=" runs", unit_scale=True, dynamic_ncols=True, leave=False)

    def move(done: int, total: int) -> None:
        if bar.total is None:  # what a former run finished says nothing of the speed of this one
            bar.reset(total)
            bar.initial = bar.n = 0
        bar.update(done - bar.n)

    with bar:
        yield move
