"""One look for the whole book: palette, class colours, width, plotting that needs no network."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.themes import Theme

from entro_nb.views.comms import keep_early_messages

__all__ = ["CLASS_COLOURS", "COLOURS", "CYCLE", "GREY", "HEIGHT", "WIDTH", "setup"]

#: Okabe and Ito's palette, which colour-blind readers can tell apart. Its black is left out:
#: it would vanish on a dark page.
COLOURS = MappingProxyType(
    {
        "blue": "#0072B2",
        "orange": "#E69F00",
        "green": "#009E73",
        "vermilion": "#D55E00",
        "purple": "#CC79A7",
        "sky": "#56B4E9",
        "yellow": "#F0E442",
    }
)
CYCLE = tuple(COLOURS.values())

#: Text, axes and reference lines: readable on white and on near-black alike.
GREY = "#7A7A7A"

#: Colours of classes, the same in every notebook. A class is never told by colour alone: it
#: also has a row, a marker or a hatch.
CLASS_COLOURS = MappingProxyType(
    {
        "UNKNOWN": "#999999",
        "STABLE": COLOURS["green"],
        "TRANSITION": COLOURS["sky"],
        "ACCELERATING": COLOURS["orange"],
        "DRIFTING": COLOURS["purple"],
        "UNSTABLE": COLOURS["vermilion"],
        "stable": COLOURS["green"],
        "stress": COLOURS["orange"],
        "critical": COLOURS["vermilion"],
    }
)

WIDTH = 720
HEIGHT = 240

_THEME: dict[str, Any] = {
    "attrs": {
        "Plot": {
            "background_fill_alpha": 0.0,
            "border_fill_alpha": 0.0,
            "outline_line_color": None,
        },
        "Axis": {
            "axis_label_text_color": GREY,
            "axis_label_text_font_style": "normal",
            "axis_line_color": GREY,
            "major_label_text_color": GREY,
            "major_tick_line_color": GREY,
            "minor_tick_line_color": None,
        },
        "Grid": {"grid_line_color": GREY, "grid_line_alpha": 0.2},
        "Title": {"text_color": GREY, "text_font_style": "normal", "text_font_size": "11pt"},
        "Legend": {
            "background_fill_alpha": 0.0,
            "border_line_color": None,
            "label_text_color": GREY,
        },
    }
}


@functools.cache
def setup() -> None:
    """Load plotting with its scripts inline, and put the book's theme and defaults in force.

    The first cell of every notebook calls it. Without it BokehJS would come from a content
    delivery network, and with no network a figure would stay blank without an error.
    """
    keep_early_messages()
    hv.extension("bokeh", inline=True, logo=False)
    pn.extension(inline=True)
    hv.renderer("bokeh").theme = Theme(json=_THEME)
    cycle = hv.Cycle(list(CYCLE))
    hv.opts.defaults(
        *(
            getattr(hv.opts, name)(width=WIDTH, height=HEIGHT, show_grid=True, toolbar="above")
            for name in ("Overlay", "NdOverlay")
        ),
        hv.opts.Curve(
            width=WIDTH, height=HEIGHT, show_grid=True, color=cycle, line_width=1.6, toolbar="above"
        ),
        hv.opts.Scatter(width=WIDTH, height=HEIGHT, show_grid=True, color=cycle, size=5),
        hv.opts.Histogram(width=WIDTH, height=HEIGHT, line_color=None, color=CYCLE[0]),
        # When a slider moves, the axes follow what is drawn now.
        *(
            getattr(hv.opts, name)(framewise=True)
            for name in ("Area", "Bars", "Curve", "Histogram", "NdOverlay", "Overlay", "Scatter")
        ),
        hv.opts.HLine(color=GREY, line_dash="dashed", line_width=1),
        hv.opts.VLine(color=GREY, line_dash="dotted", line_width=1),
        hv.opts.Layout(shared_axes=True, toolbar="above"),
        backend="bokeh",
    )
