"""A stream on its way through the Spokesperson, and the board an operator watches it on."""

from __future__ import annotations

import asyncio
import html
import io
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb import accountant, surprise
from entro_nb.accountant import COLUMNS, JUDGED, AccountantConfig, EeFrame, Thresholds
from entro_nb.errors import EntroError
from entro_nb.spokesperson import FrameRecord, Session, Trail, WeightedEsi, running_loop, sentence
from entro_nb.streams import CATALOG, Happening, Playback, Policy, sample
from entro_nb.surprise import Surprise, SurpriseConfig
from entro_nb.views import style
from entro_nb.views.app import TURN, App
from entro_nb.views.board import ALARM, TABLE, Lamp, Strips, html_table
from entro_nb.views.entropy import RATES, SAMPLE, Measured, entropy_curve, measured, ribbon
from entro_nb.views.style import GREY, WIDTH

#: Colour and marker of each stream.
_LOOKS = (("orange", "circle"), ("sky", "square"), ("green", "triangle"), ("purple", "diamond"))
_COMMON: dict[str, Any] = {"width": WIDTH, "height": 110, "toolbar": "right", "xaxis": None}


def afternoon(
    stream: str, limits: Thresholds, promise: float = SurpriseConfig().promise, length: int = 1024
) -> Measured:
    """Something to replay for a stream, measured with given thresholds and promise in force."""
    source, data = CATALOG[stream], sample(stream, length)
    x = data.values[:length]
    z = accountant.normalize(x, accountant.NormalizerConfig(source.low, source.high))
    run = measured(z, AccountantConfig(), limits)
    judged = Surprise(SurpriseConfig(promise=promise)).judge(x)
    said: dict[str, Any] = dict(zip(surprise.ROWS, judged, strict=True))
    said["alarm"] = said["alarm"] > 0.0
    columns = {
        name: ("time", said[name], {"units": units, "long_name": text})
        for name, (units, text, *_) in COLUMNS.items()
        if name in JUDGED
    }
    return replace(run, raw=x, frames=run.frames.assign(columns))


def from_trail(frames: xr.Dataset, limits: Thresholds) -> Measured:
    """The same from the frames of an audit trail."""
    return Measured(frames.value.values, frames, limits, frames.raw.values)


def raw_curve(run: Measured) -> hv.Curve:
    """The values as received, in the stream's units."""
    data, axis = (np.arange(len(run.raw)), run.raw), ("value", "value as received")
    return style.curve(data, SAMPLE, axis, colour=GREY, line_width=1, **_COMMON)


def surprisal_curve(run: Measured) -> hv.Overlay:
    """Surprisal of each value by those before it, and the alarms."""
    s, at = run.frames.surprisal.values, np.flatnonzero(run.frames.alarm.values)
    axis = ("surprisal", "surprisal (bits)")
    line = style.curve((np.arange(s.size), s), SAMPLE, axis, "surprisal", "blue", line_width=1)
    marks = style.dots((at, s[at]), SAMPLE, axis, "alarm", *ALARM, size=9)
    return style.over(line * marks, **_COMMON, legend_position="right")


def index_curves(run: Measured) -> hv.Overlay:
    """ESI and confidence, both between 0 and 1."""
    steps = np.arange(len(run.values))
    axis = hv.Dimension("share", label="share (1)", range=(0, 1.02))
    esi, sure = ((steps, run.frames[name].values) for name in ("esi", "confidence"))
    index = style.curve(esi, SAMPLE, axis, "ESI", "blue")
    trust = style.curve(sure, SAMPLE, axis, "confidence", "orange", "dashed")
    return style.over(index * trust, **_COMMON, legend_position="right")


def weighted_esi(records: Iterable[FrameRecord], weights: Mapping[str, float]) -> hv.Overlay:
    """ESI of each stream, and their weighted ESI, as if all came at the same pace."""
    reader = WeightedEsi(weights)
    own: dict[str, list[tuple[int, float]]] = {name: [] for name in reader.weights}
    together = []
    for record in sorted(records, key=lambda r: (r.frame.sequence, r.frame.stream or "")):
        reader.read(record)
        frame = record.frame
        if frame.stream in own and frame.confidence == 1.0:
            own[frame.stream].append((frame.sequence, frame.esi))
            together.append((frame.sequence, reader.value))
    axis = hv.Dimension("esi", label="ESI (1)", range=(0, 1.02))
    curves = [
        style.dots(points, SAMPLE, axis, f"{name}, weight {reader.weights[name]:g}", *look, size=3)
        for (name, points), look in zip(own.items(), cycle(_LOOKS), strict=False)
    ]
    total = style.curve(together, SAMPLE, axis, "weighted", "blue", line_width=1.6)
    return style.over([*curves, total], height=260, legend_position="right", show_grid=True)


def waits(policy: Policy, failures: int = 10) -> hv.Overlay:
    """Wait before each new try against the failures in a row, from the least to the most."""
    x, y = ("failures", "failures in a row"), ("wait", "wait (s)")
    k = np.arange(1, failures + 1)
    most = np.minimum(policy.cap, policy.base * 2.0 ** (k - 1))
    least = most * (1 - policy.jitter)
    band = style.shade(hv.Area((k, least, most), x, [y, "most"]), "sky", 0.3)
    edges = [style.curve((k, edge), x, y, colour="blue") for edge in (most, least)]
    return style.over([band, *edges], height=220, show_grid=True)


class SpokespersonApp(App):
    """A session at the operator's hand: choose a stream, watch, hold, adjust, look up, save.

    Nothing runs before "Connect" is pressed, and the default is a replay, which needs no network.
    """

    title = "Live streams"
    alt = (
        "Linked strips over the frames of a stream: the value, its surprisal with the alarms "
        "marked, the entropy with the calibrated band, velocity, acceleration and jerk with their "
        "limits, ESI and confidence, and the stability class as a ribbon of coloured rows."
    )
    twin = ("stream", ("usgs", "wikipedia", "noaa", "mta"))
    widgets: ClassVar[Any] = {"velocity": {"type": pn.widgets.FloatSlider, "throttled": True}}

    stream = param.Selector(
        default="usgs",
        objects={source.title: name for name, source in CATALOG.items()},
        label="Stream",
    )
    network = param.Boolean(False, label="Live, over the network")
    pace = param.Selector(default=50, objects=[10, 50, 200], label="Replay (values a second)")
    velocity = param.Number(
        round(accountant.default_thresholds(AccountantConfig()).velocity, 2),
        bounds=(0.01, 1.5),
        step=0.01,
        label="Threshold: |H′| of DRIFTING (bits)",
    )

    promise = param.Selector(
        default=2000, objects=[100, 500, 2000, 10_000], label="Promise (values to a false alarm)"
    )

    views: ClassVar[Any] = (raw_curve, surprisal_curve, entropy_curve, *RATES, index_curves, ribbon)

    @property
    def limits(self) -> Thresholds:
        """The calibrated thresholds, with the operator's own limit of H′."""
        return replace(accountant.default_thresholds(AccountantConfig()), velocity=self.velocity)

    def compute(self) -> Measured:
        """Replay of the chosen stream, all at once."""
        return afternoon(self.stream, self.limits, self.promise)

    def panel(self) -> pn.viewable.Viewable:
        """The dashboard."""
        return Dashboard(self).layout()


#: Milliseconds between two looks of the display.
PERIOD = 100

#: Looks between two refreshes of the logs.
SELDOM = 10

#: Rows of the logs.
ROWS = 15

OVER = "The session is shut down. Its audit trail can still be read and saved."
PREVIEW = "Nothing is connected. Below is the replay as a whole; press Connect to live through it."


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
        self._fresh, self._shown, self._title = False, 0, ""
        self._limits: Thresholds | None = None
        self._said = self._refused = ""
        self._callback: Any = None
        self._home = running_loop()
        self.who = pn.widgets.TextInput(label="Operator", value="operator", width=300)
        look: dict[str, Any] = {"width": 95, "margin": (5, 0, 5, 10)}
        self.connect = pn.widgets.Button(label="Connect", **look)
        self.hold = pn.widgets.Button(label="Pause", disabled=True, **look)
        self.end = pn.widgets.Button(label="Shut down", disabled=True, **look)
        self.lamp = Lamp()
        self.status = pn.pane.HTML(_status(PREVIEW), width=WIDTH)
        self.log = pn.pane.HTML("", width=WIDTH, stylesheets=[TABLE])
        self.shown = pn.widgets.Select(
            label="Audit trail", options=["actions", "events", "frames", "channels"], width=200
        )
        self.viewer = pn.pane.HTML("", width=WIDTH, stylesheets=[TABLE])
        self.saves = (
            self._download("audit.nc", "Save as NetCDF", lambda t, f: t.to_netcdf(f / "audit.nc")),
            self._download("audit.zip", "Save as CSV", lambda t, f: _zipped(t.to_csv(f / "csv"))),
        )
        self.connect.on_click(self._guarded(self._connect))
        self.hold.on_click(self._guarded(self._hold))
        self.end.on_click(self._guarded(self._end))
        self.shown.param.watch(self._guarded(self._refresh), "value")
        app.param.watch(self._guarded(self._threshold), "velocity")
        app.param.watch(self._guarded(self._promise), "promise")
        app.param.watch(lambda _: self._preview(), ["stream", "velocity", "promise"])
        self._preview()

    def layout(self) -> pn.viewable.Viewable:
        """Controls beside the strips, the logs below them."""
        buttons = pn.Row(self.connect, self.hold, self.end)
        left = pn.Column(self.app.knobs(), self.who, buttons, *self.saves, width=330)
        head = pn.pane.HTML("<h3>Event log</h3>")
        right = pn.Column(
            self.lamp.pane, self.status, self.strips.pane, head, self.log, self.shown, self.viewer
        )
        pn.state.on_session_destroyed(lambda _: self.close())
        return pn.Row(left, right)

    def _preview(self) -> None:
        """Show what a replay would give, as long as nothing is connected."""
        if self.session is None:
            with TURN:
                name = str(sample(self.app.stream).attrs["title"])
                self.lamp.dark(name, "NOT CONNECTED")
                self.strips.show(self.app.result, name)

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
            self._show()

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
        data = options.get("data")
        self._title = f"{CATALOG[stream].title}, live" if data is None else data.title
        session.display.number = session.trail().last
        self._limits = self.app.limits
        session.thresholds(stream, self._limits, who=self.who.value)

    def _options(self) -> dict[str, Any]:
        told = {"who": self.who.value, "surprise": SurpriseConfig(promise=self.app.promise)}
        if self.app.network:
            return told | {"live": True}
        source = CATALOG[self.app.stream]
        # A recording's own pauses may be hours: here values come evenly, at the chosen pace.
        data = Playback(
            source, sample(source), speed=1e-12, longest_pause=1.0 / self.app.pace, now=time.time
        )
        return told | {"data": data}

    async def _running(self) -> Session:
        if self.path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="entro-nb-")
            self.path = Path(self._folder.name) / "audit.db"
        if self.session is None or not self.session.open:
            self.session = Session(self.path, who=self.who.value)
            await self.session.__aenter__()
            if self._callback is None:
                self._callback = pn.state.add_periodic_callback(self.look, period=PERIOD)
        return self.session

    async def _hold(self) -> None:
        if self.session is not None:
            act = self.session.resume if self.session.display.paused else self.session.pause
            act(who=self.who.value)

    async def _end(self) -> None:
        if self.session is not None and self.session.open:
            await self.session.shutdown(who=self.who.value)
        self._stop()

    def _stop(self) -> None:
        if self._callback is not None:
            self._callback.stop()
            self._callback = None

    async def _refresh(self) -> None:
        """Nothing but what follows every act: the page is brought up to date."""

    async def _threshold(self) -> None:
        session = self.session
        if session is not None and session.open:
            self._limits = self.app.limits
            for stream in session.channels:
                session.thresholds(stream, self._limits, who=self.who.value)

    async def _promise(self) -> None:
        session = self.session
        if session is not None and session.open:
            for stream in session.channels:
                session.promise(stream, self.app.promise, who=self.who.value)

    def look(self) -> None:
        """Show what has come since the last look."""
        session = self.session
        if session is None or not session.open:
            return
        with TURN:
            if self._fresh:
                self.strips.clear(self._title)
                self.lamp.dark(self._title, "NO VALUE YET")
                self._fresh, self._said = False, ""
            if self._limits is not None:
                self.strips.limit(self._limits)
                self._limits = None
            # After a switch the last frames of the former stream are still on their way.
            records = [r for r in session.display.look() if r.channel == self._shown]
            self.strips.push(records)
            self._looks += 1
            if records:
                last = records[-1]
                self.lamp.light(self._title, records)
                title = CATALOG[str(last.frame.stream)].title
                self._said = sentence(title, last.frame, last.decision) + _readout(last.frame)
            self._say(self._refused or f"{self._state(session)} {self._said}{self._other(session)}")
            if self._looks % SELDOM == 0:
                self._logs()

    def _show(self) -> None:
        """Bring buttons, status and logs up to date after an act."""
        session = self.session
        live = session is not None and session.open
        with TURN:
            self.hold.disabled = self.end.disabled = not live
            paused = session is not None and live and session.display.paused
            self.hold.label = "Resume" if paused else "Pause"
            for save in self.saves:
                save.disabled = self.path is None
            if self._refused:
                self._say(self._refused)
            elif session is not None and not live:
                self.lamp.dark(self._title, "SHUT DOWN")
                self._say(OVER)
            self._logs()

    def _state(self, session: Session) -> str:
        """The connection in a friendly line."""
        if session.display.paused:
            return f"Paused at frame {session.display.number}; nothing is lost."
        for name, channel in session.channels.items():
            totals = channel.totals
            if totals[Happening.ENDED]:
                return f"The replay of {name} is over, {channel.readings} values."
            if not channel.readings and totals[Happening.DROPPED]:
                return (
                    f"{name} cannot be reached from here; it is tried again. "
                    "A replay needs no network: untick “Live” and connect."
                )
            return f"{name}: {channel.readings} values."
        return "Nothing is connected."

    def _other(self, session: Session) -> str:
        """What to do if another stream is chosen than the one shown."""
        if self.app.stream in session.channels:
            return ""
        return f" Chosen, but not shown: {CATALOG[self.app.stream].title}; press Connect for it."

    def _say(self, text: str) -> None:
        self.status.object = _status(text)

    def _logs(self) -> None:
        """Bring the event log and the audit viewer up to date."""
        if self.path is None:
            return
        with Trail(self.path) as trail:
            self.log.object = html_table(trail.rows("events", ROWS))
            self.viewer.object = html_table(trail.rows(self.shown.value, ROWS))

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
        self._stop()
        if self.session is not None and self.session.open:
            await self.session.shutdown()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = self.path = None


def _readout(frame: EeFrame) -> str:
    """How surprising a value is, in figures."""
    if frame.surprisal is None or frame.p_value is None:
        return ""
    return f" Surprisal {frame.surprisal:.1f} bits, p-value {frame.p_value:.2g}."


def _status(text: str) -> str:
    return f"<p role='status' aria-live='polite'>{html.escape(text)}</p>"


def _zipped(files: list[Path]) -> Path:
    target = files[0].parent.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return target
