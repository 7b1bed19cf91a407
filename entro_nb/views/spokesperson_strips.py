"""Live strips: linked plots over one data source, ten times a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import panel as pn
from bokeh.layouts import column
from bokeh.models import BasicTicker, ColumnDataSource, CustomJSTickFormatter, FixedTicker, Range1d
from bokeh.plotting import figure

from entro_nb.accountant import Stability
from entro_nb.spokesperson import Record
from entro_nb.views.spokesperson import Afternoon
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

__all__ = ["Strips"]

#: Frames shown at once.
SHOWN = 1000

#: Strips: column, label of its axis, colour.
_LINES = (
    ("raw", "value", GREY),
    ("entropy", "H (bits)", COLOURS["blue"]),
    ("velocity", "H′ (bits)", COLOURS["blue"]),
    ("acceleration", "H″ (bits)", COLOURS["blue"]),
    ("jerk", "H‴ (bits)", COLOURS["blue"]),
    ("esi", "ESI (1)", COLOURS["blue"]),
    ("confidence", "confidence (1)", COLOURS["orange"]),
)
_NAMES = [s.name for s in Stability]


class Strips:
    """Eight strips of the latest frames.

    Bokeh's data source is fed directly: one push of all columns costs well under a millisecond,
    a redrawn HoloViews element ten times as much.
    """

    def __init__(self) -> None:
        columns = ["number", *(name for name, _, _ in _LINES), "stability", "colour"]
        self.data = ColumnDataSource({name: [] for name in columns})
        x_range: Any = None
        strips = []
        for name, label, colour in _LINES:
            strip = _strip(label, x_range)
            x_range = strip.x_range
            strip.line("number", name, source=self.data, color=colour, line_width=1.4)
            strips.append(strip)
        strips.append(self._classes(x_range))
        self.pane = pn.pane.Bokeh(column(strips))

    def _classes(self, x_range: Any) -> Any:
        strip = _strip("", x_range, height=150)
        strip.scatter(
            "number", "stability", source=self.data, color="colour", marker="square", size=6
        )
        strip.y_range = Range1d(start=-0.6, end=len(_NAMES) - 0.4)
        strip.yaxis.ticker = FixedTicker(ticks=list(range(len(_NAMES))))
        strip.yaxis.formatter = CustomJSTickFormatter(
            args={"names": _NAMES}, code="return names[tick] ?? ''"
        )
        strip.xaxis.visible = True
        strip.xaxis.axis_label = "frame"
        return strip

    def push(self, records: Sequence[Record]) -> None:
        """Show further records; of many at once, the last."""
        records = records[-SHOWN:]
        if not records:
            return
        frames = [r.frame for r in records]
        nan = float("nan")

        def rate(name: str) -> list[float]:
            return [nan if (v := getattr(f, name)) is None else v for f in frames]

        self.data.stream(
            {
                "number": [r.number for r in records],
                "raw": [r.raw for r in records],
                "entropy": [f.entropy for f in frames],
                "velocity": rate("velocity"),
                "acceleration": rate("acceleration"),
                "jerk": rate("jerk"),
                "esi": [f.esi for f in frames],
                "confidence": [f.confidence for f in frames],
                "stability": [int(f.stability) for f in frames],
                "colour": [CLASS_COLOURS[f.stability.name] for f in frames],
            },
            rollover=SHOWN,
        )
        pn.io.push_notebook(self.pane)

    def show(self, run: Afternoon) -> None:
        """Show a whole replay at once, in the place of what is there."""
        frames, labels = run.frames, [Stability(int(s)) for s in run.frames.stability.values]
        last = slice(-SHOWN, None)
        rows = {name: frames[name].values[last] for name, _, _ in _LINES if name != "raw"}
        self.data.data = rows | {
            "number": list(range(1, len(labels) + 1))[last],
            "raw": run.raw[last],
            "stability": [int(s) for s in labels[last]],
            "colour": [CLASS_COLOURS[s.name] for s in labels[last]],
        }
        pn.io.push_notebook(self.pane)

    def clear(self) -> None:
        """Show nothing, as when the stream is switched."""
        self.data.data = {name: [] for name in self.data.data}
        pn.io.push_notebook(self.pane)


def _strip(label: str, x_range: Any, height: int = 90) -> Any:
    options = {} if x_range is None else {"x_range": x_range}
    strip = figure(width=WIDTH, height=height, toolbar_location=None, y_axis_label=label, **options)
    strip.xaxis.visible = False
    strip.yaxis.ticker = BasicTicker(desired_num_ticks=3)
    for part in (strip, strip.xaxis, strip.yaxis, strip.grid):
        for name in ("background_fill_alpha", "border_fill_alpha", "minor_tick_line_alpha"):
            if hasattr(part, name):
                setattr(part, name, 0.0)
    strip.grid.grid_line_color = GREY
    strip.grid.grid_line_alpha = 0.2
    for axis in (*strip.xaxis, *strip.yaxis):
        axis.axis_label_text_color = axis.major_label_text_color = GREY
        axis.axis_label_text_font_style = "normal"
    return strip
