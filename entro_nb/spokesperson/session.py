"""A session of the Entropy Engine: stages 1 to 6 of seed 003, §4, and the operator's commands."""

from __future__ import annotations

import asyncio
import gc
import getpass
import tempfile
import time
from collections.abc import AsyncIterable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entro_nb.accountant import AccountantConfig, DecisionGate, NormalizerConfig, Thresholds
from entro_nb.errors import EntroError, ParameterError, SessionError
from entro_nb.spokesperson.audit import FrameRecord, Keeper
from entro_nb.spokesperson.channel import MONITOR, Channel, ChannelState, Heartbeat, intake
from entro_nb.spokesperson.trail import Display, Extension, Trail
from entro_nb.streams import Event, Happening, Notice, Source, find
from entro_nb.surprise import Surprise, SurpriseConfig

if TYPE_CHECKING:
    import xarray as xr

#: Seconds after which a chain that failed of itself is started again.
RESTART = 1.0


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Event loop of this thread, if one runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Collector:
    """Sets aside what exists, so that full collections look only at what came since.

    With NumPy, xarray and Panel loaded, some 300 000 objects exist that a stream has nothing to
    do with, and one look at them all, every few seconds under load, stops the loop for 50 to
    90 ms. A program that has set objects aside itself is left alone.

    Examples
    --------
    >>> import gc
    >>> collector = Collector()
    >>> collector.enter()
    >>> collector.set_aside()
    >>> gc.get_freeze_count() > 0
    True
    >>> collector.leave()
    >>> gc.get_freeze_count()
    0
    """

    def __init__(self) -> None:
        self._sessions = 0
        self._ours = False

    def enter(self) -> None:
        """Count one session more."""
        self._sessions += 1

    def set_aside(self) -> None:
        """Set aside what exists now, at the first call since no session was left.

        Later calls do nothing. What came since is little, and is looked after as ever; to set it
        aside too, all would have to be looked through first, or garbage would gather there: that
        would stop every stream that runs whenever a further one is connected.
        """
        if self._ours or gc.get_freeze_count():  # the count walks through all of them
            return
        gc.freeze()
        self._ours = True

    def leave(self) -> None:
        """Give everything back once no session is left."""
        self._sessions -= 1
        if self._sessions == 0 and self._ours:
            gc.unfreeze()
            self._ours = False


#: The collector is the process's, and so is this.
COLLECTOR = Collector()


class Session:
    """The sole human interface to any number of streams (seed 003, §2, link 4).

    Each stream runs on a chain of its own: adapter, normaliser, Accountant, gate. The frames go
    through one unbounded queue to the Spokesperson, who writes them into the audit trail. What
    shows them (:class:`Display`, extensions) reads the trail: nothing that happens behind the
    queue can slow an Accountant, and nothing is lost by a display that is paused.

    Use as an asynchronous context; leaving it is a shutdown. A session belongs to the event loop
    it was begun on, and refuses commands from any other: JupyterLab hands what a widget says to
    threads with loops of their own, from where ``asyncio.run_coroutine_threadsafe(command,
    session.loop)`` is the way.

    Parameters
    ----------
    audit : path-like, optional
        File of the audit trail. Without it the trail is kept in a temporary folder and deleted
        at the end.
    who : str, optional
        The operator, for the log; the user's login name if not given.
    gate : DecisionGate, optional
    now : callable
        Wall clock in seconds since 1970, which dates everything.
    batch : float
        Seconds that frames are gathered before they are made permanent, at most 0.1.

    Examples
    --------
    >>> import asyncio
    >>> async def afternoon():
    ...     async with Session(who="ada") as session:
    ...         session.connect("usgs")
    ...         await session.finished()
    ...         return session.trail().last
    >>> asyncio.run(afternoon())
    596
    """

    def __init__(
        self,
        audit: str | Path | None = None,
        *,
        who: str | None = None,
        gate: DecisionGate | None = None,
        now: Callable[[], float] = time.time,
        batch: float = 0.05,
    ) -> None:
        self.path = None if audit is None else Path(audit)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._who = getpass.getuser() if who is None else who
        self._gate = DecisionGate() if gate is None else gate
        self._now = now
        self._batch = batch
        self._keeper: Keeper | None = None
        self._channels: dict[str, Channel] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._extensions: list[Extension] = []
        self._number = 0
        self._trail: Trail | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._paused = False
        self.display = Display(self.trail, lambda: self._paused or self._trail is None)

    async def __aenter__(self) -> Session:
        self.loop = asyncio.get_running_loop()
        if self.path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="entro-nb-")
            self.path = Path(self._folder.name) / "audit.db"
        self._keeper = Keeper(self.path, self._batch)
        self._trail = Trail(self.path)
        COLLECTOR.enter()
        self.display.number = self._keeper.audit.acknowledged
        self._number = self._keeper.audit.channels
        self._log(self._who, "start", {}, "done")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._keeper is None:
            return
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            self._keeper.hurry()  # the program ends, and must not wait for a disk that refuses
        await self.shutdown()

    @property
    def open(self) -> bool:
        """Whether the session runs."""
        return self._keeper is not None

    @property
    def channels(self) -> Mapping[str, ChannelState]:
        """State of the chains now connected, by the name of their stream.

        Only the state: the way to an Accountant is a command, and commands are on record.
        """
        return {name: channel.state() for name, channel in self._channels.items()}

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """Those attached."""
        return tuple(self._extensions)

    @property
    def acknowledged(self) -> int:
        """Number of the last frame that is permanent."""
        return self._running().audit.acknowledged

    def trail(self) -> Trail:
        """The audit trail, to read while the session runs; afterwards, open a :class:`Trail`."""
        if self._trail is None:
            raise SessionError("the session does not run: open its file with Trail")
        return self._trail

    def _running(self) -> Keeper:
        if self._keeper is None:
            raise SessionError("the session does not run: begin one with 'async with Session()'")
        return self._keeper

    def _here(self) -> Keeper:
        """Refuse a command from another thread: it could be half done when it fails."""
        keeper = self._running()
        if running_loop() is not self.loop:
            raise SessionError(
                "the session runs on another event loop: hand the command over with "
                "asyncio.run_coroutine_threadsafe(command, session.loop)"
            )
        return keeper

    def _log(self, who: str | None, command: str, detail: Mapping[str, Any], outcome: str) -> None:
        keeper, row = self._running(), (self._now(), who or self._who, command, detail, outcome)
        keeper.write(keeper.audit.action, *row)

    def _do(
        self, who: str | None, command: str, detail: Mapping[str, Any], act: Callable[[], object]
    ) -> None:
        """Do what an operator asks, and log it with what came of it."""
        self._here()
        try:
            act()
        except EntroError as error:
            self._log(who, command, detail, f"refused: {error}")
            raise
        self._log(who, command, detail, "done")

    def connect(
        self,
        stream: str | Source,
        data: xr.DataArray | AsyncIterable[Event] | None = None,
        *,
        live: bool = False,
        speed: float = float("inf"),
        config: AccountantConfig | None = None,
        normalizer: NormalizerConfig | None = None,
        surprise: SurpriseConfig | None = MONITOR,
        who: str | None = None,
    ) -> None:
        """Connect one more stream: a replay, unless live is asked for.

        Parameters
        ----------
        stream : str or Source
            Name in the catalog, or a stream of one's own.
        data : xarray.DataArray or async iterable of events, optional
            What to replay, or an adapter to take instead of the usual one.
        live : bool
            Whether to go to the network.
        speed : float
            Seconds of recording per second of replay.
        config, normalizer : optional
            Parameters of the Accountant and of the normaliser.
        surprise : SurpriseConfig or None
            Parameters of the monitor that judges each value as received; None for a chain without.
        who : str, optional
            The operator, if another than the session's.

        Raises
        ------
        ParameterError
            If the stream is unknown or connected already, lacks credentials to go live, or a
            recording is to be live.
        SessionError
            If the session does not run.
        """

        def act() -> None:
            keeper, source = self._running(), find(stream)
            if source.name in self._channels:
                raise ParameterError("stream", source.name, "one that is not connected yet")
            taken = intake(source, data, live=live, speed=speed, now=self._now)
            number = self._number + 1
            parts = self._gate, keeper, config, normalizer, surprise
            channel = Channel(number, source, taken, *parts)
            COLLECTOR.set_aside()
            self._number, self._channels[source.name] = number, channel
            what = source.name, source.units, channel.parameters()
            keeper.write(keeper.audit.channel, number, self._now(), *what)
            task = asyncio.create_task(self._run(channel), name=f"stream {source.name}")
            self._tasks[source.name] = task

        name = getattr(stream, "name", stream)
        self._do(who, "connect", {"stream": name, "live": live}, act)

    async def _run(self, channel: Channel) -> None:
        """Run a chain, and start it again if it fails: a fault of ours ends no session."""
        while True:
            try:
                await channel.run()
                return
            except Exception as error:
                words = f"the chain failed: {type(error).__name__}"
                channel.say(Notice(self._now(), Happening.DROPPED, words))
                await asyncio.sleep(RESTART)

    async def disconnect(self, stream: str, *, who: str | None = None) -> None:
        """Disconnect a stream; its frames stay in the audit trail."""
        self._do(who, "disconnect", {"stream": stream}, lambda: self._connected(stream))
        await self._stop(stream)

    def _connected(self, stream: str) -> Channel:
        if stream not in self._channels:
            allowed = f"one that is connected ({', '.join(self._channels) or 'none is'})"
            raise ParameterError("stream", stream, allowed)
        return self._channels[stream]

    async def _stop(self, stream: str) -> None:
        task = self._tasks.pop(stream)
        del self._channels[stream]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def switch(
        self, stream: str | Source, *, of: str | None = None, who: str | None = None, **options: Any
    ) -> None:
        """Put another stream in the place of one; the Accountant starts afresh.

        Parameters
        ----------
        stream : str or Source
            The new stream.
        of : str, optional
            The one that goes; may be left out if only one is connected.
        who : str, optional
            The operator, if another than the session's.
        **options
            As for :meth:`connect`.
        """
        source: Source | None = None

        def check() -> None:
            nonlocal source, of
            source = find(stream)
            if of is None:
                if len(self._channels) != 1:
                    raise ParameterError("of", None, f"one of {', '.join(self._channels)}")
                of = next(iter(self._channels))
            self._connected(of)
            if source.name in self._channels and source.name != of:
                raise ParameterError("stream", source.name, "one that is not connected yet")

        self._do(who, "switch", {"stream": getattr(stream, "name", stream), "of": of}, check)
        assert of is not None
        await self._stop(of)
        self.connect(source or stream, who=who, **options)

    def pause(self, *, who: str | None = None) -> None:
        """Hold the display; frames go on into the audit trail, and are shown on resume."""
        self._do(who, "pause", {}, lambda: setattr(self, "_paused", True))

    def resume(self, *, who: str | None = None) -> None:
        """Let the display go on, from the frame where it was held."""
        self._do(who, "resume", {}, lambda: setattr(self, "_paused", False))

    def thresholds(self, stream: str, thresholds: Thresholds, *, who: str | None = None) -> None:
        """Put other limits in force for a stream, from its next sample on.

        The log names that sample: from the trail alone the classes can be made again.
        """
        self._do(
            who,
            "thresholds",
            {"stream": stream, "thresholds": str(thresholds), "from": self._next(stream)},
            lambda: self._connected(stream).accountant.set_thresholds(thresholds),
        )

    def _next(self, stream: str) -> int | None:
        """Number of the next sample of a stream, if it is connected."""
        channel = self._channels.get(stream)
        return None if channel is None else channel.readings

    def promise(self, stream: str, promise: float, *, who: str | None = None) -> None:
        """Promise another mean number of values between false alarms, from its next value on.

        The log names that value, as it does for :meth:`thresholds`.
        """

        def act() -> None:
            monitor = self._connected(stream).surprise
            if monitor is None:
                raise ParameterError("stream", stream, "one whose values a monitor judges")
            monitor.set_promise(promise)

        detail = {"stream": stream, "promise": promise, "from": self._next(stream)}
        self._do(who, "promise", detail, act)

    def surprise(
        self, stream: str, config: SurpriseConfig | None, *, who: str | None = None
    ) -> None:
        """Judge a stream's values by a monitor that begins afresh with its next; None: by none.

        The log names that value, as it does for :meth:`thresholds`.
        """

        def act() -> None:
            channel = self._connected(stream)
            channel.surprise = None if config is None else Surprise(config)

        detail = {"stream": stream, "config": str(config), "from": self._next(stream)}
        self._do(who, "surprise", detail, act)

    def heartbeat(self, stream: str, on: bool, *, who: str | None = None) -> None:
        """Shut down the heartbeat of a stream, or begin it afresh."""

        def act() -> None:
            self._connected(stream).heartbeat = Heartbeat() if on else None

        self._do(who, "heartbeat", {"stream": stream, "on": on}, act)

    def attach(
        self,
        read: Callable[[FrameRecord], object],
        *,
        name: str | None = None,
        who: str | None = None,
    ) -> Extension:
        """Attach whatever reads records, on a thread of its own, from now on.

        It can neither slow nor change an Accountant: see :class:`Extension`.
        """
        label = str(name or getattr(read, "__qualname__", type(read).__name__))
        keeper = self._here()

        def report(text: str) -> None:
            keeper.write(keeper.audit.event, None, self._now(), Happening.EXTENSION.value, text)

        path, start = keeper.audit.path, keeper.audit.acknowledged
        extension = Extension(path, read, label, start, report)
        self._extensions.append(extension)
        self._log(who, "attach", {"extension": label}, "done")
        return extension

    async def detach(self, extension: Extension, *, who: str | None = None) -> None:
        """Shut down one extension: it reads no record after the one that it is at."""

        def act() -> None:
            if extension not in self._extensions:
                names = ", ".join(e.name for e in self._extensions) or "none is"
                raise ParameterError("extension", extension, f"one that is attached ({names})")
            self._extensions.remove(extension)

        label = getattr(extension, "name", str(extension))
        self._do(who, "detach", {"extension": label}, act)
        await asyncio.to_thread(extension.close, now=True)

    async def retain(
        self,
        *,
        seconds: float | None = None,
        megabytes: float | None = None,
        who: str | None = None,
    ) -> int:
        """Delete the oldest frames beyond an age or a size; see :meth:`Audit.retain`."""
        keeper, time, name = self._here(), self._now(), who or self._who
        retain = partial(keeper.audit.retain, time, name, seconds=seconds, megabytes=megabytes)
        gone: int = await asyncio.wrap_future(keeper.ask(retain))
        return gone

    async def finished(self) -> None:
        """Wait until every recording is over and its frames are permanent."""
        await asyncio.gather(*self._tasks.values())
        await self.settled()

    async def settled(self) -> None:
        """Wait until everything that came so far is permanent."""
        await asyncio.wrap_future(self._here().ask())

    async def shutdown(self, *, who: str | None = None) -> None:
        """Disconnect every stream, make everything permanent, and close the audit trail.

        Raises
        ------
        SessionError
            If the session does not run, or the program ends while the disk refuses: what was not
            permanent is lost then. The session is over all the same.
        """
        keeper = self._here()
        self._log(who, "shutdown", {}, "done")
        for stream in list(self._channels):
            await self._stop(stream)
        self._keeper, cancelled = None, None
        ending = asyncio.get_running_loop().run_in_executor(None, self._end, keeper)
        try:
            trouble = await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            keeper.hurry()
            cancelled, trouble = error, await ending
        self.trail().close()
        self._trail = None
        COLLECTOR.leave()
        if self._folder is not None:
            self._folder.cleanup()
        if trouble:
            raise SessionError(trouble) from cancelled
        if cancelled is not None:
            raise cancelled

    def _end(self, keeper: Keeper) -> str:
        """Wait, on a thread, until all is permanent and closed; why that failed, if it did."""
        with suppress(SessionError):  # closing says it
            keeper.ask().result()
        # Extensions read to the end, and what they report is kept; one that blocks is left behind.
        for extension in self._extensions:
            extension.close()
        return keeper.close()
