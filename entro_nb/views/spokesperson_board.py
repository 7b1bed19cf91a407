"""The dashboard: an operator's controls over a session, and what it says."""

from __future__ import annotations

import asyncio
import html
import io
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn

from entro_nb.errors import EntroError
from entro_nb.spokesperson import Session, Trail, sentence
from entro_nb.spokesperson.session import running_loop
from entro_nb.streams import CATALOG, Happening, Playback, sample
from entro_nb.views.spokesperson_strips import Strips

if TYPE_CHECKING:
    from entro_nb.views.spokesperson import SpokespersonApp

__all__ = ["Dashboard", "table"]

#: Milliseconds between two looks of the display.
PERIOD = 100

#: Looks between two refreshes of the logs.
SELDOM = 10

#: Rows of the logs.
ROWS = 15

PREVIEW = "Nothing is connected. Below is the replay as a whole; press Connect to live through it."


def table(rows: list[dict[str, Any]]) -> str:
    """HTML table of rows. Every cell is text: what a stream says never becomes markup."""
    if not rows:
        return "<p>nothing yet</p>"
    head = "".join(f"<th scope='col'>{html.escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(n, v))}</td>" for n, v in row.items()) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(name: str, value: Any) -> str:
    if name == "time":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)[:200]


class Dashboard:
    """Widgets over one session; each page has its own.

    Parameters
    ----------
    app : SpokespersonApp
        Its parameters are the choices; its session begins with the first "Connect".
    """

    def __init__(self, app: SpokespersonApp) -> None:
        self.app = app
        self.session: Session | None = None
        self.strips = Strips()
        # The trail outlives its session, for the viewer and the downloads.
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.path: Path | None = None
        self._looks = 0
        # Strips are plain Bokeh, which only a periodic callback may touch: it holds the lock.
        self._fresh, self._shown = False, 0
        self._said = self._refused = ""
        self._callback: Any = None
        self._home = running_loop()
        self.who = pn.widgets.TextInput(label="Operator", value="operator", width=300)
        self.connect = pn.widgets.Button(label="Connect", width=95)
        self.hold = pn.widgets.Button(label="Pause", width=95, disabled=True)
        self.end = pn.widgets.Button(label="Shut down", width=95, disabled=True)
        self.status = pn.pane.HTML(_status(PREVIEW))
        self.log = pn.pane.HTML("", width=720)
        self.shown = pn.widgets.Select(
            label="Audit trail", options=["actions", "events", "frames", "channels"], width=200
        )
        self.viewer = pn.pane.HTML("", width=720)
        self.saves = (
            self._download("audit.nc", "Save as NetCDF", lambda t, f: t.to_netcdf(f / "audit.nc")),
            self._download("audit.zip", "Save as CSV", lambda t, f: _zipped(t.to_csv(f / "csv"))),
        )
        self.connect.on_click(self._guarded(self._connect))
        self.hold.on_click(self._guarded(self._hold))
        self.end.on_click(self._guarded(self._end))
        self.shown.param.watch(self._guarded(self._refresh), "value")
        app.param.watch(self._guarded(self._threshold), "velocity")
        app.param.watch(lambda _: self._preview(), ["stream", "velocity"])
        self._preview()

    def layout(self) -> pn.viewable.Viewable:
        """Controls beside the strips, the logs below them."""
        controls = pn.Param(
            self.app.param,
            parameters=self.app.controls(),
            name=self.app.title,
            widgets=self.app.widgets,
            width=320,
        )
        buttons = pn.Row(self.connect, self.hold, self.end)
        left = pn.Column(controls, self.who, buttons, *self.saves, width=330)
        right = pn.Column(
            self.status,
            self.strips.pane,
            pn.pane.HTML("<h3>Event log</h3>"),
            self.log,
            self.shown,
            self.viewer,
        )
        pn.state.on_session_destroyed(lambda _: self.close())
        return pn.Row(left, right)

    def _preview(self) -> None:
        """Show what a replay would give, as long as nothing is connected."""
        if self.session is None:
            self.strips.show(self.app.result)

    def _guarded(self, act: Callable[[], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        """Callback of a widget: what is refused is said on the page.

        It runs where the session does. JupyterLab hands the messages of widgets to threads with
        event loops of their own (subshells), all but the first: there the session could not be
        awaited, and two threads would write to one plot.
        """

        async def run(_: Any) -> None:
            here = asyncio.get_running_loop()
            home = self._home = self._home or here
            if here is home:
                await do()
            else:
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(do(), home))

        async def do() -> None:
            self._refused = ""
            try:
                await act()
            except EntroError as error:
                self._refused = f"Not done: {error}"
                self._say(self._refused)
            self._logs()

        return run

    async def _connect(self) -> None:
        session = await self._running()
        stream, options = self.app.stream, self._options()
        if session.channels:
            old = next(iter(session.channels))
            await session.switch(stream, of=old, **options)
        else:
            session.connect(stream, **options)
        self._fresh, self._shown = True, session.channels[stream].number
        session.display.number = session.trail().last
        session.thresholds(stream, self.app.limits, who=self.who.value)

    def _options(self) -> dict[str, Any]:
        who = self.who.value
        if self.app.network:
            return {"live": True, "who": who}
        source = CATALOG[self.app.stream]
        # A recording's own pauses may be hours: here values come evenly, at the chosen pace.
        data = Playback(
            source,
            sample(source),
            speed=1e-12,
            longest_pause=1.0 / self.app.pace,
            now=time.time,
        )
        return {"data": data, "who": who}

    async def _running(self) -> Session:
        if self.path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="entro-nb-")
            self.path = Path(self._folder.name) / "audit.db"
        if self.session is None or not self.session.open:
            self.session = Session(self.path, who=self.who.value)
            await self.session.__aenter__()
            for widget in (self.hold, self.end, *self.saves):
                widget.disabled = False
            if self._callback is None:
                self._callback = pn.state.add_periodic_callback(self.look, period=PERIOD)
        return self.session

    async def _hold(self) -> None:
        if self.session is None:
            return
        if self.session.display.paused:
            self.session.resume(who=self.who.value)
            self.hold.label = "Pause"
        else:
            self.session.pause(who=self.who.value)
            self.hold.label = "Resume"

    async def _end(self) -> None:
        if self.session is not None and self.session.open:
            await self.session.shutdown(who=self.who.value)
        self.hold.disabled = self.end.disabled = True
        self.hold.label = "Pause"
        if self._callback is not None:
            self._callback.stop()
            self._callback = None
        self._say("The session is shut down. Its audit trail can still be read and saved.")

    async def _refresh(self) -> None:
        """Nothing but what follows every act: the logs are read anew."""

    async def _threshold(self) -> None:
        session = self.session
        if session is not None and session.open:
            for stream in session.channels:
                session.thresholds(stream, self.app.limits, who=self.who.value)

    def look(self) -> None:
        """Show what has come since the last look."""
        session = self.session
        if session is None or not session.open:
            return
        if self._fresh:
            self.strips.clear()
            self._fresh, self._said = False, ""
        # After a switch the last frames of the former stream are still on their way to the trail.
        records = [r for r in session.display.look() if r.channel == self._shown]
        self.strips.push(records)
        self._looks += 1
        if records:
            last = records[-1]
            title = CATALOG[last.stream].title
            self._said = sentence(title, last.frame, last.decision)
        self._say(self._refused or f"{self._state(session)} {self._said}")
        if self._looks % SELDOM == 0:
            self._logs()

    def _state(self, session: Session) -> str:
        """The connection in a friendly line."""
        if session.display.paused:
            return f"Paused at frame {session.display.number}; nothing is lost."
        for name, channel in session.channels.items():
            totals = channel.tally.totals
            if totals[Happening.ENDED]:
                return f"The replay of {name} is over, {channel.readings} values."
            if not channel.readings and totals[Happening.DROPPED]:
                return (
                    f"{name} cannot be reached from here; it is tried again. "
                    "A replay needs no network: untick “Live” and connect."
                )
            return f"{name}: {channel.readings} values."
        return "Nothing is connected."

    def _say(self, text: str) -> None:
        self.status.object = _status(text)

    def _logs(self) -> None:
        """Bring the event log and the audit viewer up to date."""
        if self.path is None:
            return
        with Trail(self.path) as trail:
            self.log.object = table(trail.latest("events", ROWS))
            self.viewer.object = table(trail.latest(self.shown.value, ROWS))

    def _download(
        self, name: str, label: str, write: Callable[[Trail, Path], Path]
    ) -> pn.widgets.FileDownload:
        def content() -> io.BytesIO:
            assert self.path is not None  # the button is disabled until there is a trail
            with Trail(self.path) as trail, tempfile.TemporaryDirectory() as folder:
                return io.BytesIO(write(trail, Path(folder)).read_bytes())

        return pn.widgets.FileDownload(
            callback=content, filename=name, label=label, width=300, disabled=True
        )

    def close(self) -> None:
        """End the session with its page, so that nothing runs on without a reader."""
        pn.state.execute(self._close)

    async def _close(self) -> None:
        if self._callback is not None:
            self._callback.stop()
            self._callback = None
        if self.session is not None and self.session.open:
            await self.session.shutdown()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = self.path = None


def _status(text: str) -> str:
    return f"<p role='status' aria-live='polite'>{html.escape(text)}</p>"


def _zipped(files: list[Path]) -> Path:
    target = files[0].parent.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return target
