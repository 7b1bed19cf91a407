"""Views of what a monitor says of a stream: its alarms, its bits, and the benchmark's board."""

from __future__ import annotations

import functools
import html
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb import monitor
from entro_nb.benchmark import HALVES, LabelledStream, nab_corpus
from entro_nb.errors import EntroError
from entro_nb.streams import RECORDINGS, load_recording
from entro_nb.surprise import SurpriseConfig
from entro_nb.validate import FloatArray, IntArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, GREY

#: Detectors of the benchmark that are ours.
OURS = ("surprise", "surprise, alarms as promised")
#: What a bar of the scoreboard is, from the most distant.
_KINDS = ("published", "measured here", "ours")
#: Groups of values that are drawn, at most: of each the lowest and the highest.
GROUPS = 1000


def outline(values: FloatArray, always: Any = ()) -> IntArray:
    """Places of the values that a curve is drawn through: of a long one, the ends of each group.

    Parameters
    ----------
    values : ndarray
        Shape (n,). Of a group with missing ones, one of those is kept too, so that the gap is seen.
    always : array_like
        Places that are kept in any case.

    Examples
    --------
    >>> outline(np.array([3.0, 1.0, 2.0]))
    array([0, 1, 2])
    """
    each = -(-values.size // GROUPS)
    if each <= 3:
        return np.arange(values.size)
    padded = np.full(-(-values.size // each) * each, np.nan)
    padded[: values.size] = values
    groups = padded.reshape(-1, each)
    missing = np.isnan(groups)
    ends = (
        np.where(missing, np.inf, groups).argmin(axis=1),
        np.where(missing, -np.inf, groups).argmax(axis=1),
        missing.argmax(axis=1),
    )
    starts = np.arange(0, padded.size, each)
    places = np.unique(np.concatenate([*(starts + end for end in ends), np.asarray(always, int)]))
    return places[places < values.size]


def _when(found: xr.Dataset) -> Any:
    """Time of each value as a plot has it: instants, or numbers."""
    time = found.time.values
    return time / np.timedelta64(1, "s") if time.dtype.kind == "m" else time


def _time(found: xr.Dataset) -> hv.Dimension:
    kind, units = found.time.dtype.kind, found.time.attrs.get("units", "")
    numbered = {"samples": "number of the value", "1": "time", "": "time"}
    label = "time" if kind == "M" else "time (s)" if kind == "m" else numbered.get(units)
    return hv.Dimension("time", label=label or f"time ({units})")


#: Dragging chooses a stretch of time; the plots of a stack move together.
_TOOLS = ["xbox_zoom", "reset", "save"]


def _plot(found: xr.Dataset, name: str, parts: Sequence[Any], look: dict[str, Any]) -> hv.Overlay:
    """Parts over one another, with all of a quantity in sight whichever stream was shown before."""
    limits: dict[str, Any] = {}
    for axis, all_of_it in (("xlim", _when(found)), ("ylim", found[name].values)):
        known = all_of_it[~np.isnan(all_of_it)]
        if known.size and (low := known.min()) < (high := known.max()):
            limits[axis] = (low, high)
    if "ylim" in limits:
        low, high = limits["ylim"]
        least = low - 0.06 * (high - low) if name == "value" else 0.0
        limits["ylim"] = (least, high + 0.1 * (high - low))
    tooled = [part.opts(default_tools=_TOOLS) for part in parts]
    return style.over(
        tooled, **limits | {"fontsize": {"title": 10}, "xlabel": _time(found).label} | look
    )


def _name(found: xr.Dataset) -> str:
    """What was watched: a column of a table, or a series by its name."""
    named = found.column.item() if "column" in found.coords else found.value.attrs["long_name"]
    return str(named)


def _line(found: xr.Dataset, name: str, axis: hv.Dimension, colour: str, at: Any = ()) -> hv.Curve:
    """One quantity over time, broken where values are missing and where there is a gap."""
    values, time = found[name].values, _when(found)
    drawn = outline(values, at)
    steps = np.diff(time) / (np.timedelta64(1, "s") if time.dtype.kind == "M" else 1.0)
    usual = np.nanmedian(steps) if np.isfinite(steps).any() else np.inf
    gaps = np.flatnonzero(steps > monitor.GAP * usual)
    breaks = np.searchsorted(drawn, gaps, side="right")
    data = (np.insert(time[drawn], breaks, time[gaps]), np.insert(values[drawn], breaks, np.nan))
    return style.curve(data, _time(found), axis, colour=colour, line_width=1)


def _alarms(found: xr.Dataset) -> hv.VLines:
    """A line down each alarm, to be followed from one plot to the next."""
    lines = hv.VLines(_when(found)[found.alarm.values], [_time(found)])
    return lines.opts(color=COLOURS["vermilion"], alpha=0.4, line_width=1)


def values(found: xr.Dataset, windows: Sequence[tuple[Any, Any]] = (), **look: Any) -> hv.Overlay:
    """The values of a stream with the alarms on them, and what people marked in it behind them.

    Parameters
    ----------
    found : xarray.Dataset
        What :func:`entro_nb.watch` says of one stream.
    windows : sequence of pairs
        Beginning and end of each stretch that people marked.
    look : optional
        Options of the plot.
    """
    at, name = np.flatnonzero(found.alarm.values), _name(found)
    units = found.value.attrs["units"]
    short = name if len(name) <= 20 else "value"
    axis = hv.Dimension("value", label=short if units == "1" else f"{short} ({units})")
    marks = (_when(found)[at], found.value.values[at])
    bands = hv.VSpans(list(windows), [_time(found), "until"])
    parts = [
        bands.opts(color=COLOURS["sky"], alpha=0.3, line_alpha=0),
        _line(found, "value", axis, GREY, at),
        _alarms(found),
        style.dots(marks, _time(found), axis, "", "vermilion", "inverted_triangle", size=11),
    ]
    told = [f"{name}, ▼ {_counted(at.size, 'alarm')}", *["bands: marked by people"] * bool(windows)]
    title = "; ".join([*told, monitor.promise_in_words(found.attrs)])
    frame = {"height": 220, "ylabel": axis.label, "title": title}
    return _plot(found, "value", parts, frame | look)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def surprisal(found: xr.Dataset, **look: Any) -> hv.Overlay:
    """How unlikely each value was by those before it, in bits."""
    axis = hv.Dimension("surprisal", label="surprisal (bits)")
    parts = [_line(found, "surprisal", axis, "sky"), _alarms(found)]
    title = "surprisal: how unlikely the value was, by the values before it"
    return _plot(found, "surprisal", parts, {"height": 150, "title": title} | look)


def score(found: xr.Dataset, **look: Any) -> hv.Overlay:
    """How much stranger each value was than any of late, and the evidence that it is not chance.

    An alarm asks that both reach the limit.
    """
    limit = found.attrs["limit"]
    axis = hv.Dimension("bits", label="bits")
    strange = _line(found, "score", axis, "blue")
    sure = _line(found, "evidence", axis, "orange").opts(line_dash="dotted", line_width=1.5)
    line = hv.HLine(limit).opts(color=COLOURS["vermilion"], line_width=1.5)
    title = f"score (line), evidence (dotted): an alarm asks for {limit:.1f} bits (dashed) of both"
    highest = max(1.2 * limit, 1.1 * float(found.score.max()))
    look = {"height": 200, "title": title, "ylim": (0.0, highest)} | look
    parts = [strange, sure, line, _alarms(found)]
    return _plot(found, "score", parts, look)


#: Value, surprisal and score over one time, whose axis the lowest has.
_STACK = (
    functools.partial(values, xaxis=None),
    functools.partial(surprisal, xaxis=None),
    score,
)


def watched(found: xr.Dataset, windows: Sequence[tuple[Any, Any]] = ()) -> hv.Layout:
    """A stream at a glance: its values with the alarms, its surprisal, its score and the limit."""
    return hv.Layout([_STACK[0](found, windows), *(view(found) for view in _STACK[1:])]).cols(1)


def beneath(stream: LabelledStream, rows: Mapping[str, FloatArray]) -> hv.Layout:
    """A recorded stream, what was measured on it beneath, and the marked windows behind all.

    Parameters
    ----------
    stream : LabelledStream
    rows : mapping
        Label of each axis to the values, shape (n,).
    """
    time = hv.Dimension("time")
    plots: list[hv.Overlay] = []
    for label, row in {"value": stream.values, **rows}.items():
        axis, drawn = hv.Dimension(label, label=label), outline(row)
        ends, sides = ([np.nanmin(row)] * 2, [np.nanmax(row)] * 2), [axis, f"{label}, highest"]
        spans = [stream.time[[w.start, w.stop - 1]] for w in stream.windows]
        behind = [style.shade(hv.Area((x, *ends), time, sides), "sky", 0.3) for x in spans]
        colour = "blue" if plots else GREY
        line = style.curve((stream.time[drawn], row[drawn]), time, axis, "", colour, line_width=1)
        height = 130 if plots else 180
        plots.append(style.over([*behind, line], height=height, xlabel="time", ylabel=label))
    for plot in plots[:-1]:
        plot.opts(xaxis=None)
    plots[0].opts(title=f"{stream.name}; shaded: marked by people")
    return hv.Layout(plots).cols(1)


def ranking(
    board: xr.Dataset, profile: str = "standard", ours: Collection[str] = OURS
) -> hv.Overlay:
    """Scores of the benchmark as bars, best first, each with its number.

    Grey is what the benchmark publishes, and blue what is ours; pale blue was measured here too.
    What was measured here has a mark for each half of the files.

    Parameters
    ----------
    board : Dataset
        What :func:`entro_nb.benchmark.board` gives.
    profile : {"standard", "low_fp", "low_fn"}
        By which the mistakes are weighed.
    ours : collection of str
        Names of the detectors to be seen among the others.
    """
    found = board.score.sel(profile=profile)
    order = np.argsort(found.sel(files="all").values, kind="stable")
    # Everything scores between these two by definition.
    order = order[~np.isin(found.detector.values[order], ["null", "perfect"])]
    found, published = found.isel(detector=order), board.published.values[order]
    names = found.detector.values.tolist()
    total, odd, even = (found.sel(files=half).values for half in HALVES)
    kinds = [_KINDS[2 if name in ours else 0 if known else 1]
             for name, known in zip(names, published, strict=True)]  # fmt: skip
    boxes = [(0.0, k - 0.38, max(score, 0.0), k + 0.38, kind)
             for k, (score, kind) in enumerate(zip(total, kinds, strict=True))]  # fmt: skip
    axis = hv.Dimension("score", label="score, of 100")
    bars = hv.Rectangles(boxes, [axis, "row", "end", "top"], "measured").opts(
        color="measured", cmap=dict(zip(_KINDS, (GREY, COLOURS["sky"], COLOURS["blue"]),
        strict=True)), alpha=0.75, line_color=None, show_legend=True,
    )  # fmt: skip
    rows = np.arange(len(names))
    halves = [
        style.dots((score[~published], rows[~published]), axis, "row", label, colour, marker,
                   size=7)
        for label, score, colour, marker in (
            ("odd files", odd, "orange", "triangle"), ("even files", even, "vermilion", "circle"),
        )
    ]  # fmt: skip
    ends = np.fmax(np.fmax(total, odd), even)
    words = [(end + 1.2, k, f"{score:.1f}")
             for k, (end, score) in enumerate(zip(ends, total, strict=True))]  # fmt: skip
    labels = hv.Labels(words, [axis, "row"], "text")
    labels.opts(text_align="left", text_color=GREY, text_font_size="9pt")
    look = style.rows(names) | {"show_grid": False, "legend_position": "bottom"}
    height = 110 + 21 * len(names)
    return style.over([bars, *halves, labels], height=height, xlim=(0, 1.1 * ends.max()), **look)


#: Alarms in the table of an app, at most: the first ones.
ROWS = 20
#: Columns of that table: heading and how a cell is written.
_CELLS = {
    "time": ("time", monitor.told_time),
    "value": ("value", "{:.6g}".format),
    "surprisal": ("surprisal (bits)", "{:.1f}".format),
    "p_value": ("p-value", "{:.1g}".format),
    "score": ("score (bits)", "{:.1f}".format),
    "evidence": ("evidence (bits)", "{:.1f}".format),
}


def alarms_table(found: xr.Dataset) -> str:
    """The first alarms as an HTML table."""
    alarms = monitor.alarms(found)
    if alarms.empty:
        return ""
    cell = "style='padding:0.15em 1.5em 0.15em 0;text-align:left'"
    head = "".join(f"<th scope='col' {cell}>{heading}</th>" for heading, _ in _CELLS.values())
    rows = "".join(
        "<tr>" + "".join(f"<td {cell}>{write(alarm[name])}</td>"
                         for name, (_, write) in _CELLS.items()) + "</tr>"
        for _, alarm in alarms.head(ROWS).iterrows()
    )  # fmt: skip
    more = f"<p>and {len(alarms) - ROWS:,} more</p>" if len(alarms) > ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _paragraphs(lines: Sequence[str]) -> str:
    """Lines as HTML that is read aloud when it changes."""
    inner = "".join(f"<p style='margin:0.2em 0'>{html.escape(line)}</p>" for line in lines)
    return f"<div role='status' aria-live='polite'>{inner}</div>"


def _stretch(plot: Any, _: Any) -> None:
    # The option `responsive` is refused where any default has a width.
    plot.state.sizing_mode = "stretch_width"


class MonitorApp(App):
    """Base of the apps with a monitor: words and controls above plots as wide as the page."""

    #: What to do here, in a sentence or two.
    hint: ClassVar[str] = ""
    views: ClassVar[Any] = _STACK
    twin: tuple[str, Sequence[Any]] = ("promise", (200, 1000, 2000, 10_000, 100_000))
    widgets: ClassVar[Any] = {"promise": {"type": pn.widgets.DiscreteSlider, "throttled": True}}

    promise = param.Selector(
        default=2000,
        check_on_set=False,
        objects=[100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000],
        label="Promise: values between false alarms",
        precedence=1,  # below the stream
    )
    refused = param.String("", precedence=-1, label="Why what was asked for is not shown")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        # Any promise may be asked for: then it is one of those that are offered.
        self.param.promise.objects = sorted({*self.param.promise.objects, self.promise})
        name, played = self.twin
        if name == "promise":
            self.twin = (name, sorted({*played, self.promise}))

    @classmethod
    def controls(cls) -> list[str]:
        """The stream and the promise; a subclass says which streams there are."""
        return ["stream", "promise"]

    def said(self) -> list[str]:
        """What was found, line by line."""
        found = self.result.found
        return monitor.in_words(found.attrs, monitor.alarms(found), listed=0)

    def follow(self, view: Any, *streams: Any) -> hv.DynamicMap:
        """One plot that follows the promise, as wide as there is room.

        Another stream, whose time may be of another kind, has plots of its own.
        """
        moved = hv.streams.Params(self, ["promise"])
        drawn = hv.DynamicMap(lambda **_: view(self.result), streams=[moved, *streams])
        return drawn.opts(hv.opts.Overlay(hooks=[_stretch]))

    def panel(self) -> pn.viewable.Viewable:
        """What to do, the controls and what was found above the plots."""
        wide = {"sizing_mode": "stretch_width"}
        knobs = pn.Param(
            self.param, parameters=self.controls(), widgets=self.widgets, show_name=False,
            default_layout=pn.FlexBox,
        )  # fmt: skip
        moved = [self.param[name] for name in self.controls()]
        words = pn.bind(
            lambda *_: _paragraphs([self.refused] * bool(self.refused) + self.said()),
            *moved, self.param.refused,
        )  # fmt: skip
        table = pn.bind(lambda *_: alarms_table(self.result.found), *moved)
        plots = pn.pane.HoloViews(self.live(), **wide)
        self.param.watch(lambda _: setattr(plots, "object", self.live()), "stream")
        head = f"<h2>{self.title}</h2><p>{self.hint}</p>"
        return pn.Column(
            pn.pane.HTML(head, **wide), *self.above(), knobs, pn.pane.HTML(words, **wide), plots,
            pn.pane.HTML(table, **wide), **wide,
        )  # fmt: skip

    def above(self) -> Sequence[pn.viewable.Viewable]:
        """What stands before the controls."""
        return ()


TAXI = "realKnownCause/nyc_taxi.csv"


class BenchmarkApp(MonitorApp):
    """The streams of the Numenta Anomaly Benchmark, one by one, as the monitor sees them."""

    title = "58 recorded streams"
    alt = (
        "Three linked plots of a recorded stream: its values with the alarms and the windows that "
        "people marked, the surprisal of each value, and the score with the limit of an alarm."
    )
    hint = (
        "Streams of the Numenta Anomaly Benchmark; the bands are what people marked in them. Try "
        "realKnownCause/machine_temperature_system_failure.csv, then move the promise and see "
        "which alarms stay. Drag across a stretch of a plot to look closer."
    )
    twin = (
        "stream",
        (
            TAXI,
            "realKnownCause/machine_temperature_system_failure.csv",
            "artificialWithAnomaly/art_daily_jumpsup.csv",
            "realAWSCloudwatch/ec2_cpu_utilization_ac20cd.csv",
            "realTweets/Twitter_volume_AAPL.csv",
            "artificialWithAnomaly/art_increase_spike_density.csv",
        ),
    )

    stream = param.Selector(default=TAXI, objects=[TAXI], check_on_set=False, label="Stream")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.param.stream.objects = [*nab_corpus()]  # read when there is an app, not before

    def compute(self) -> dict[str, Any]:
        """Watch the chosen stream under the chosen promise."""
        (stream,) = nab_corpus([self.stream]).values()
        # Its clock may have been put back: the monitor gets the values alone.
        found = monitor.watch(stream.values, SurpriseConfig(promise=float(self.promise)))
        found = found.assign_coords(time=stream.time)
        found.value.attrs["long_name"] = stream.name
        return {
            "found": found,
            "windows": [(stream.time[w.start], stream.time[w.stop - 1]) for w in stream.windows],
            "labelled": stream,
        }

    def said(self) -> list[str]:
        """How the alarms stand to what people marked."""
        stream: LabelledStream = self.result.labelled
        alarms = np.flatnonzero(self.result.found.alarm.values)
        counted = alarms[alarms >= stream.probation]
        inside = [int(np.isin(window, counted).any()) for window in stream.windows]
        outside = ~np.isin(counted, [place for w in stream.windows for place in w])
        return [
            f"{_counted(len(stream.values), 'value')}, of which the first {stream.probation} are "
            f"for learning; {_counted(len(stream.windows), 'window')} marked by people.",
            f"{_counted(alarms.size, 'alarm')}, {alarms.size - counted.size} while learning; "
            f"windows with one: {sum(inside)} of {len(inside)}; alarms outside of any: "
            f"{int(outside.sum())}.",
        ]


class WatchApp(MonitorApp):
    """What is strange in a file of the reader's own, or in a recording that comes with the package.

    Parameters
    ----------
    data : xarray.DataArray, optional
        Values over `time`, or over `time` and `column`, as in what :func:`entro_nb.watch` gives.
    """

    title = "What is strange in my data?"
    alt = (
        "Three linked plots: the values with the alarms on them, the surprisal of each value, and "
        "the score with the limit that an alarm asks for."
    )
    hint = (
        "Drop a file of your own below: CSV, Parquet or NetCDF, a column of numbers and, if there "
        "is one, a column of times. It is read where this page is served and kept nowhere. Or "
        "choose a recording. Then move the promise, how many values pass between two false "
        "alarms, on average and at least, and see which alarms stay. Drag across a stretch of a "
        "plot to look closer."
    )
    promise = param.Selector(default=200)

    stream = param.Selector(
        default="earthquakes", objects=[*RECORDINGS], check_on_set=False, label="Stream"
    )

    def __init__(self, data: xr.DataArray | None = None, **values: Any) -> None:
        super().__init__(**values)
        self._brought: dict[str, xr.DataArray] = {}
        if data is not None:
            self._offer("", data)

    def _offer(self, file: str, data: xr.DataArray) -> None:
        """Let the reader choose among the columns of a file, and show the first."""
        if "column" in data.dims:
            parts = {str(c): data.sel(column=c, drop=True) for c in data.column.values}
        else:
            parts = {str(data.attrs["long_name"]): data}
        named = {f"{file}: {name}" if file else name: part.rename(name)
                 for name, part in parts.items()}  # fmt: skip
        self._brought = named | {n: d for n, d in self._brought.items() if n not in named}
        self.param.stream.objects = [*self._brought, *RECORDINGS]
        self._cache = None  # a file may come again under its name, with other values in it
        with param.parameterized.discard_events(self):
            self.stream = next(iter(named))
        self.param.trigger("stream")

    def above(self) -> Sequence[pn.viewable.Viewable]:
        """Where a file is dropped."""
        self.file = pn.widgets.FileInput(
            accept=".csv,.tsv,.txt,.gz,.parquet,.nc", multiple=False, sizing_mode="stretch_width"
        )
        self.file.param.watch(self._dropped, ["value", "filename"])
        return (self.file,)

    def _dropped(self, *_: Any) -> None:
        """Read what was dropped; what is refused is said, and what was shown stays."""
        if not self.file.filename:
            return
        file = Path(self.file.filename).name[-60:]  # no file system takes names of any length
        try:
            with tempfile.TemporaryDirectory(prefix="entro-nb-") as folder:
                path = Path(folder) / file
                path.write_bytes(self.file.value or b"")
                found = monitor.watch(monitor.read_table(path))
        except EntroError as error:
            self.refused = f"{file} was not read: {error}"
            return
        self.refused = ""
        self._offer(file, found.value)

    def compute(self) -> dict[str, Any]:
        """Watch the chosen stream under the chosen promise."""
        data = self._brought.get(self.stream)
        if data is None:
            data = load_recording(self.stream)
        return {"found": monitor.watch(data, SurpriseConfig(promise=float(self.promise)))}
