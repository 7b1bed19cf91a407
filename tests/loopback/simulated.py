"""An event loop whose clock jumps to the next thing to do: a month in a minute."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Does not wait: it moves the clock, unless a worker thread is at work."""

    loop: SimulatedLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.working or timeout is None:
            return super().select(0.01)
        self.loop.moment += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Real threads, simulated time."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.moment = 0.0
        self.working = 0
        super().__init__(selector)

    def time(self) -> float:
        return self.moment

    def run_in_executor(self, executor: Any, function: Any, *arguments: Any) -> Any:
        self.working += 1
        future = super().run_in_executor(executor, function, *arguments)

        def done(_: Any) -> None:
            self.working -= 1

        future.add_done_callback(done)
        return future
