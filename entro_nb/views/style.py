"""One look for the whole book: palette, class colours, theme, and the gallery's stamps."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import holoviews as hv
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from bokeh.themes import Theme
from panel.io.notebook import replace_inline_css
from panel.reactive import Reactive, Syncable

from entro_nb import validate
from entro_nb.results import Interval

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

#: Markers and dashes that tell apart, beside their colours, the curves of one picture.
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "hex", "cross")
DASHES = ("solid", "dashed", "dotted", "dotdash")

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


#: Style sheets of Panel's by their address, for each document that carries them.
_SHEETS: WeakKeyDictionary[Document, dict[str, Any]] = WeakKeyDictionary()


def _carried(doc: Document | None, sheets: list[Any]) -> None:
    """Put style sheets in the place of their addresses on another machine."""
    known = {} if doc is None else _SHEETS.setdefault(doc, {})
    for place, sheet in enumerate(sheets):
        if isinstance(sheet, ImportedStyleSheet):
            inline = known.get(sheet.url) or replace_inline_css(sheet)
            if inline is not sheet:  # an address on this machine stays one
                sheets[place] = known[sheet.url] = inline


def _carry_sheets() -> None:
    """Have whatever Panel makes or changes in a notebook carry its style sheets.

    Panel itself carries them with what a notebook shows first, but a pane that comes later, or
    whose text or look changes, names addresses in a content delivery network: the page fetches
    them, and with no network the text is hidden until that has failed. There are two doors: the
    properties that a model is made with, and the changes of one that is on a page.
    """
    made, changed = Reactive._get_properties, Syncable._update_model

    @functools.wraps(made)
    def properties(self: Any, doc: Document | None) -> dict[str, Any]:
        found: dict[str, Any] = made(self, doc)
        _carried(doc, found.get("stylesheets", []))
        return found

    @functools.wraps(changed)
    def update(
        self: Any, events: Any, msg: dict[str, Any], root: Any, model: Any, doc: Any, comm: Any
    ) -> None:
        _carried(doc, msg.get("stylesheets", []))
        changed(self, events, msg, root, model, doc, comm)

    Reactive._get_properties, Syncable._update_model = properties, update


def apply() -> None:
    """Put the book's theme and defaults in force, and let no figure fetch anything."""
    _carry_sheets()
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


def over(parts: Any, **options: Any) -> hv.Overlay:
    """Elements over one another, with the options of the plot that they share."""
    # What follows the parameters lies over one another already, and goes on following them.
    whole = hv.Overlay(parts) if isinstance(parts, list) else parts
    return whole.opts(hv.opts.Overlay(**options))


def shade(area: hv.Area, colour: str = "green", alpha: float = 0.2) -> hv.Area:
    """Area without an edge, as what lies behind a curve."""
    return area.opts(color=COLOURS.get(colour, colour), alpha=alpha, line_alpha=0)


def curve(
    data: Any, x: Any, y: Any, label: str = "", colour: str = "", dash: str = "solid", **look: Any
) -> hv.Curve:
    """Curve in a colour of the palette, by its name there or as HTML has it."""
    if colour:
        look["color"] = COLOURS.get(colour, colour)
    return hv.Curve(data, x, y, label=label).opts(line_dash=dash, **look)


def dots(
    data: Any, x: Any, y: Any, label: str = "", colour: str = "", marker: str = "", **look: Any
) -> hv.Scatter:
    """Scattered points in a colour of the palette, told apart by their marker too."""
    if colour:
        look["color"] = COLOURS.get(colour, colour)
    if marker:
        look["marker"] = marker
    return hv.Scatter(data, x, y, label=label).opts(**look)


def bare(width: int, height: int, xlim: Any, ylim: Any) -> dict[str, Any]:
    """Options of a drawing whose places mean nothing: no axes, no grid."""
    frame = {"width": width, "height": height, "xlim": xlim, "ylim": ylim}
    return frame | {"xaxis": None, "yaxis": None, "show_grid": False}


def rows(names: Sequence[str]) -> dict[str, Any]:
    """Options of a plot whose rows bear names, from the lowest up."""
    ticks = list(enumerate(names))
    return {"yticks": ticks, "ylim": (-0.6, len(ticks) - 0.4), "ylabel": ""}


def estimates(
    rows: Sequence[tuple[float, Interval]], x: Any, y: Any, label: str, **look: Any
) -> list[Any]:
    """Means with their intervals, each at its place, as bars and points of one colour."""
    points = [(place, mean.value) for place, mean in rows]
    bars = [(place, m.value, m.value - m.low, m.high - m.value) for place, m in rows]
    error = hv.ErrorBars(bars, x, [y, "below", "above"])
    return [error.opts(color=look["colour"]), dots(points, x, y, label, **look)]


#: Inches of a stamp. Letters of 8 points then stay readable on a card.
SIZE = (4.0, 2.4)

#: Dots of a plot at the size of a stamp.
SHRINK = 0.6

#: Words on a stamp are too small to read.
_WORDS = ("Labels", "Text")

_DASHES = {"solid": "-", "dashed": "--", "dotted": ":", "dotdash": "-.", "dashdot": "-."}
_MARKERS = {
    "circle": "o", "square": "s", "triangle": "^", "inverted_triangle": "v", "diamond": "D",
    "cross": "+", "x": "x", "star": "*", "hex": "h", "dash": "_",
}  # fmt: skip
#: Options of the look that both libraries know by one name, and those that they name apart.
_SAME = ("alpha", "cmap", "color", "edge_alpha", "edge_cmap", "edge_color", "node_color")
_RENAMED = {
    "line_width": "linewidth", "edge_line_width": "edge_linewidth", "node_cmap": "cmap",
    "edge_line_color": "edge_color", "edge_line_alpha": "edge_alpha",
}  # fmt: skip
_FILLED = ("Area", "Bars", "Histogram", "HSpan", "Rectangles", "VSpan")
_DOTS = ("Points", "Scatter")
#: Options of the axes that both know.
_AXES = ("invert_axes", "invert_xaxis", "invert_yaxis", "logx", "logy", "logz", "xaxis",
         "xlabel", "xlim", "xticks", "yaxis", "ylabel", "ylim", "yticks")  # fmt: skip


def write_thumbnail(content: Any, path: Path, width: int = 560) -> None:
    """Still picture of a HoloViews object, drawn without a browser.

    Parameters
    ----------
    content : HoloViews object
    path : pathlib.Path
        PNG file to write.
    width : int
        Pixels.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    width = validate.integer("width", width, 16, 4096)
    renderer = hv.renderer("matplotlib")
    # A clone: what a browser shows of the view stays as it is.
    view = _dressed(still(content).clone())
    look = {"figure.max_open_warning": 0, "font.size": 8, "text.color": GREY}
    with mpl.rc_context(look):
        picture = renderer.get_plot(view).state
        for axes in picture.axes:
            _few_dates(axes.xaxis)
        picture.savefig(
            path, dpi=width / picture.get_size_inches()[0], format="png", bbox_inches="tight"
        )
        plt.close(picture)


def _few_dates(axis: Any) -> None:
    """Dates that do not run into one another."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if isinstance(axis.get_major_locator(), AutoDateLocator):
        locator = AutoDateLocator(minticks=2, maxticks=4)
        axis.set_major_locator(locator)
        axis.set_major_formatter(ConciseDateFormatter(locator))


def still(content: Any) -> Any:
    """First frame of a view that moves, the view itself if it does not."""
    if isinstance(content, hv.Layout):
        return hv.Layout([still(part) for part in content]).cols(2 if len(content) > 1 else 1)
    return content.last if isinstance(content, hv.HoloMap) else content


def _dressed(view: Any) -> Any:
    """The view with the looks and axes that it has in a browser, in Matplotlib's words."""
    if isinstance(view, hv.Layout):
        parts = hv.Layout([_dressed(part) for part in view]).cols(2 if len(view) > 1 else 1)
        return parts.opts(
            backend="matplotlib", sublabel_format="", tight=True, fig_inches=SIZE, fontsize=6
        )
    parts = [view] if isinstance(view, hv.Element) else list(view)
    axes: dict[str, Any] = {}
    for part in (*parts, view):
        given = _given(part, "plot")
        axes |= {name: given[name] for name in _AXES if name in given}
    if axes.get("yaxis", "left") is not None:
        axes.pop("xaxis", None)  # one that leaves it to the plot below has it here
    words = [part for part in parts if type(part).__name__ in _WORDS]
    return hv.Overlay(
        [piece for part in parts if part not in words for piece in _pieces(part)]
    ).opts(
        backend="matplotlib",
        show_legend=False,
        title="",
        fig_inches=SIZE,
        aspect="auto",
        fontsize={"ticks": 7, "labels": 8},
        **axes,
    )


def _given(part: Any, group: str) -> dict[str, Any]:
    """Options in force for a browser."""
    return dict(hv.Store.lookup_options("bokeh", part, group).kwargs)


def _pieces(part: Any) -> list[Any]:
    """An element with its looks; one of many named colours or markers as one for each."""
    given = _given(part, "style")
    colour = _each(part, given.get("color", given.get("fill_color")))
    marker = _each(part, given.get("marker"))
    if colour is None and marker is None:
        return [_looking(part, given)]
    palette = given.get("cmap")
    names = palette if isinstance(palette, dict) else {}
    looks: list[dict[str, Any]] = [{}] * len(part)
    if colour is not None:
        looks = [{"color": names.get(value, value), "cmap": None} for value in colour]
    if marker is not None:
        looks = [look | {"marker": value} for look, value in zip(looks, marker, strict=True)]
    rows: dict[tuple[Any, ...], list[int]] = {}
    for k, look in enumerate(looks):
        rows.setdefault(tuple(look.items()), []).append(k)
    return [_looking(part.iloc[places], given | dict(look)) for look, places in rows.items()]


def _each(part: Any, value: Any) -> list[Any] | None:
    """What a look is for every row, if it is not one for all nor a number's."""
    if isinstance(value, hv.dim):
        found = value.apply(part)
    elif isinstance(value, str) and part.get_dimension(value) is not None:
        found = part.dimension_values(value)
    else:
        return None
    return None if found.dtype.kind in "biuf" else list(found)


def _looking(part: Any, given: dict[str, Any]) -> Any:
    """An element with its looks in Matplotlib's words."""
    kind = type(part).__name__
    looks = {name: given[name] for name in _SAME if given.get(name) is not None}
    looks |= {new: given[old] for old, new in _RENAMED.items() if old in given}
    if given.get("line_dash", "solid") != "solid":
        looks["linestyle"] = _DASHES.get(given["line_dash"], "-")
    if kind in _DOTS:
        marker = _MARKERS.get(given.get("marker", "circle"), "o")
        looks |= {"s": (SHRINK * given.get("size", 5)) ** 2, "marker": marker, "linewidth": 0}
    if kind == "Graph":
        looks |= {"node_size": SHRINK * given.get("node_size", 5), "node_edgecolors": GREY}
    if kind in _FILLED:
        fill = given.get("fill_color", given.get("color", CYCLE[0]))
        looks |= {
            "color": fill,
            "facecolor": fill,
            "alpha": given.get("fill_alpha", given.get("alpha", 1.0)),
            "linewidth": 0,
        }
    if (limits := _given(part, "plot").get("clim")) is not None:
        looks["clim"] = limits
    groups = hv.Store.options(backend="matplotlib")[kind].groups.values()
    known = {name for group in groups for name in group.allowed_keywords}
    looks = {name: value for name, value in looks.items() if name in known}
    return part.opts(backend="matplotlib", clone=True, **looks)
