"""What a dashboard shows: the verdict's lamp, strips of the latest frames, tables of a trail."""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import panel as pn
from bokeh.layouts import column
from bokeh.models import BasicTicker, ColumnDataSource, CustomJSTickFormatter, FixedTicker, Range1d
from bokeh.models.annotations import BoxAnnotation, Title
from bokeh.plotting import figure

from entro_nb.accountant import Stability, Thresholds
from entro_nb.spokesperson import FrameRecord
from entro_nb.views.entropy import Measured
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

#: Colour and marker of an alarm.
ALARM = ("vermilion", "triangle")

#: Colour and sign of each verdict: a triangle to go on, two bars to wait, an octagon to stop. The
#: word tells it too; black on these colours has a contrast of 5 at least.
_LAMPS = MappingProxyType(
    {
        "PROCEED": (COLOURS["green"], "<polygon points='12,4 94,50 12,96'/>"),
        "PAUSE": (COLOURS["orange"], "<path d='M14 6h26v88h-26zM60 6h26v88h-26z'/>"),
        "ABORT": (
            COLOURS["vermilion"],
            "<polygon points='30,2 70,2 98,30 98,70 70,98 30,98 2,70 2,30'/>",
        ),
    }
)
_DARK = (
    CLASS_COLOURS["UNKNOWN"],
    "<circle cx='50' cy='50' r='40' fill='none' stroke-width='10' stroke='#000'/>",
)

#: The lamp's look: its word is read across a room.
_LIT = """
.lamp { display: flex; align-items: center; gap: 24px; padding: 10px 20px; box-sizing: border-box;
        width: 100%; min-height: 112px; border-radius: 8px; color: #000; }
.lamp svg { flex: none; width: 76px; height: 76px; }
.lamp strong { display: block; font-size: 46px; line-height: 1.1; letter-spacing: 0.04em; }
.lamp b { display: block; font-size: 16px; }
.lamp small { font-size: 13px; }
"""


class Lamp:
    """The verdict on the latest frame, to be seen from afar, and the stream it is about."""

    def __init__(self) -> None:
        self.pane = pn.pane.HTML("", width=WIDTH, stylesheets=[_LIT])
        self._counts: Counter[str] = Counter()

    def dark(self, title: str, word: str) -> None:
        """No verdict: say why, and forget the verdicts so far."""
        self._counts.clear()
        self._show(*_DARK, title, word, "no verdict")

    def light(self, title: str, records: Sequence[FrameRecord]) -> None:
        """The verdict on the last of some frames; all of them are counted."""
        self._counts.update(record.decision.path.value for record in records)
        frame, decision = records[-1].frame, records[-1].decision
        word = decision.path.value
        when = "" if frame.time is None else f", {_time(frame.time)} UTC"
        counts = ", ".join(f"{name} {self._counts[name]}" for name in _LAMPS)
        self._show(
            *_LAMPS.get(word, _DARK), title, word, f"{decision.reason}{when}. So far: {counts}"
        )

    def _show(self, colour: str, sign: str, title: str, word: str, why: str) -> None:
        title, word, why = (html.escape(text) for text in (title, word, why))
        self.pane.object = (
            f"<div class='lamp' style='background:{colour}' role='img' "
            f"aria-label='Verdict: {word}. {title}'>"
            f"<svg viewBox='0 0 100 100' aria-hidden='true'>{sign}</svg>"
            f"<div><b>{title}</b><strong>{word}</strong><small>{why}</small></div></div>"
        )


#: Frames shown at once.
SHOWN = 1000

#: Strips: column, label of its axis, colour.
_LINES = (
    ("raw", "value", GREY),
    ("surprisal", "surprisal (bits)", COLOURS["blue"]),
    ("entropy", "H (bits)", COLOURS["blue"]),
    ("velocity", "H′ (bits)", COLOURS["blue"]),
    ("acceleration", "H″ (bits)", COLOURS["blue"]),
    ("jerk", "H‴ (bits)", COLOURS["blue"]),
    ("esi", "ESI (1)", COLOURS["blue"]),
    ("confidence", "confidence (1)", COLOURS["orange"]),
)
#: Those that the frames hold; the value itself comes beside them.
_MEASURED = [name for name, _, _ in _LINES if name != "raw"]
_NAMES = [s.name for s in Stability]
#: Those with limits, whose axes leave out the warm-up: what is not sure yet lies far from the rest.
_LIMITED = ("entropy", "velocity", "acceleration", "jerk")
_SHARES = ("esi", "confidence")


class Strips:
    """Strips of the latest frames, one below the other, with the limits in force as bands.

    Bokeh's data source is fed directly: one push of all columns costs well under a millisecond,
    a redrawn HoloViews element ten times as much.
    """

    def __init__(self) -> None:
        columns = ["number", *(name for name, _, _ in _LINES), "stability", "colour", "alarm"]
        self.data = ColumnDataSource({name: [] for name in columns})
        self.title = Title(text_color=GREY, text_font_style="normal", text_font_size="13px")
        self.bands = {name: BoxAnnotation() for name in _LIMITED}
        self.limits: dict[str, list[float]] = {}
        self.ranges = {
            name: Range1d(start=0.0, end=1.02 if name in _SHARES else 1.0) for name in columns
        }
        strips = []
        for name, label, colour in _LINES:
            strip = self._strip(name, label)
            if name in self.bands:
                band = self.bands[name]
                band.fill_color, band.fill_alpha = COLOURS["green"], 0.2
                band.line_alpha, band.level = 0.0, "underlay"
                strip.add_layout(band)
            strip.line("number", name, source=self.data, color=colour, line_width=1.4)
            if name == "surprisal":
                look = {"color": COLOURS[ALARM[0]], "marker": ALARM[1], "size": 9}
                strip.scatter("number", "alarm", source=self.data, **look)
            strips.append(strip)
        strips[0].title = self.title
        strips[0].height += 24
        strips.append(self._classes())
        self.pane = pn.pane.Bokeh(column(strips))

    def _strip(self, name: str, label: str, height: int = 96) -> Any:
        ranges: dict[str, Any] = {"x_range": self.ranges["number"], "y_range": self.ranges[name]}
        strip = figure(
            width=WIDTH, height=height, toolbar_location=None, y_axis_label=label, **ranges
        )
        strip.xaxis.visible = False
        strip.yaxis.ticker = BasicTicker(desired_num_ticks=3)
        for part in (strip, strip.xaxis, strip.yaxis, strip.grid):
            for alpha in ("background_fill_alpha", "border_fill_alpha", "minor_tick_line_alpha"):
                if hasattr(part, alpha):
                    setattr(part, alpha, 0.0)
        strip.grid.grid_line_color = GREY
        strip.grid.grid_line_alpha = 0.2
        for axis in (*strip.xaxis, *strip.yaxis):
            axis.axis_label_text_color = axis.major_label_text_color = GREY
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_text_font_size = "11px"
        return strip

    def _classes(self) -> Any:
        self.ranges["stability"] = Range1d(start=-0.6, end=len(_NAMES) - 0.4)
        strip = self._strip("stability", "", height=150)
        strip.scatter(
            "number", "stability", source=self.data, color="colour", marker="square", size=6
        )
        strip.yaxis.ticker = FixedTicker(ticks=list(range(len(_NAMES))))
        strip.yaxis.formatter = CustomJSTickFormatter(
            args={"names": _NAMES}, code="return names[tick] ?? ''"
        )
        strip.xaxis.visible = True
        strip.xaxis.axis_label = "frame"
        return strip

    def push(self, records: Sequence[FrameRecord]) -> None:
        """Show further records; of many at once, the last."""
        records = records[-SHOWN:]
        if not records:
            return
        frames = [r.frame for r in records]
        columns: dict[str, list[Any]] = {
            # A rate that is not known yet leaves a gap.
            name: [float("nan") if (v := getattr(f, name)) is None else v for f in frames]
            for name in _MEASURED
        }
        columns |= {"number": [r.number for r in records], "raw": [f.raw for f in frames]}
        columns["alarm"] = [
            s if f.alarm else float("nan")
            for f, s in zip(frames, columns["surprisal"], strict=True)
        ]
        self.data.stream(columns | _rows([f.stability for f in frames]), rollover=SHOWN)
        self._fit()

    def show(self, run: Measured, title: str = "") -> None:
        """Show a whole replay at once, in the place of what is there."""
        frames, labels = run.frames, [Stability(int(s)) for s in run.frames.stability.values]
        last = slice(-SHOWN, None)
        rows: dict[str, Any] = {name: frames[name].values[last] for name in _MEASURED}
        rows |= {"number": list(range(1, len(labels) + 1))[last], "raw": run.raw[last]}
        rows["alarm"] = np.where(frames.alarm.values[last], rows["surprisal"], np.nan)
        self.data.data = rows | _rows(labels[last])
        self.title.text = title
        self.limit(run.limits)

    def clear(self, title: str = "") -> None:
        """Show nothing, as when the stream is switched, but the name of what will come."""
        self.data.data = {name: [] for name in self.data.data}
        self.title.text = title
        pn.io.push_notebook(self.pane)

    def limit(self, limits: Thresholds) -> None:
        """Draw other limits: within a band a frame is STABLE."""
        ends = {"entropy": (limits.entropy_low, limits.entropy_high)}
        for name in _LIMITED:
            low, high = ends.get(name) or (-getattr(limits, name), getattr(limits, name))
            # One that is infinite is no limit: the band goes on to the frame.
            self.limits[name] = [end for end in (low, high) if np.isfinite(end)]
            bottom, top = (end if np.isfinite(end) else None for end in (low, high))
            self.bands[name].update(bottom=bottom, top=top)
        self._fit()

    def _fit(self) -> None:
        """Let the axes hold what is drawn and its limits, without the warm-up."""
        shown = {name: np.asarray(values) for name, values in self.data.data.items()}
        if shown["number"].size:
            first, last = (int(shown["number"][k]) for k in (0, -1))
            self.ranges["number"].update(start=first, end=max(last, first + 1))
            sure = shown["confidence"] == 1.0
            for name in ("raw", "surprisal", *_LIMITED):
                values = shown[name][sure] if name in _LIMITED and sure.any() else shown[name]
                ends = self.limits.get(name, [])
                reach = np.concatenate([np.asarray(values, dtype=np.float64), ends])
                reach = reach[np.isfinite(reach)]
                if reach.size:
                    low, high = float(reach.min()), float(reach.max())
                    room = 0.06 * (high - low) or 0.5
                    self.ranges[name].update(start=low - room, end=high + room)
        pn.io.push_notebook(self.pane)


def _rows(labels: Sequence[Stability]) -> dict[str, list[Any]]:
    return {
        "stability": [int(s) for s in labels],
        "colour": [CLASS_COLOURS[s.name] for s in labels],
    }


#: Look of a table in a pane.
TABLE = """
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th, td { text-align: left; vertical-align: top; padding: 3px 10px 3px 0;
         border-bottom: 1px solid #7A7A7A55; overflow-wrap: anywhere; }
th, .short { white-space: nowrap; overflow-wrap: normal; }
"""

#: Longest text of a cell; what is more is cut between words.
LONGEST = 400

#: A number with more digits than one reads.
_DIGITS = re.compile(r"-?\d+\.\d{4,}(?:e[-+]?\d+)?")


def html_table(rows: list[dict[str, Any]]) -> str:
    """HTML table of rows. Every cell is text: what a stream says never becomes markup."""
    if not rows:
        return "<p>nothing yet</p>"
    heads = ("time (UTC)" if name == "time" else str(name) for name in rows[0])
    head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in heads)
    body = "".join(
        f"<tr>{''.join(_cell(name, value) for name, value in row.items())}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(name: str, value: Any) -> str:
    text = _time(value) if name == "time" else _told(value)
    short = " class='short'" if len(text) < 24 else ""
    return f"<td{short}>{html.escape(textwrap.shorten(text, LONGEST, placeholder=' …'))}</td>"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _told(value: Any) -> str:
    """A value for a reader: JSON as names with their values, numbers with four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}={_inner(v)}" for name, v in value.items())
    if isinstance(value, list):
        return ", ".join(_inner(v) for v in value)
    if not isinstance(value, str):
        return "" if value is None else str(value)
    if value.startswith(("{", "[")):
        try:
            return _told(json.loads(value))
        except ValueError:
            pass  # text that only looks like JSON is shown as it is
    return _DIGITS.sub(lambda found: f"{float(found[0]):.4g}", value)


def _inner(value: Any) -> str:
    """A value within another."""
    told = "none" if value is None else _told(value)
    return f"({told})" if isinstance(value, (dict, list)) else told
