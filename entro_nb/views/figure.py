"""A figure with its text alternative, and the still picture that the gallery shows of it."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.models.ui import UIElement
from panel.io.notebook import patch_inline_stylesheets, render_model

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.views.style import CYCLE, GREY, setup

__all__ = ["Figure", "figure", "in_report", "write_thumbnail"]

#: Set by the report runner: figures must then live without a kernel.
REPORT = "ENTRO_NB_REPORT"
#: Set by the report runner: where the notebook's thumbnail goes.
THUMBNAIL = "ENTRO_NB_THUMBNAIL"


def in_report() -> bool:
    """Whether this kernel runs for a report, so that no widget will have a kernel behind it."""
    return bool(os.environ.get(REPORT))


class Figure:
    """A HoloViews object or Panel layout with a caption that says what it shows.

    Parameters
    ----------
    content : HoloViews object or Panel viewable
    alt : str
        What the figure shows, in a sentence: caption for all, text alternative for a reader
        who cannot see it, and the cell's text output.
    """

    def __init__(self, content: Any, alt: str) -> None:
        self.content, self.alt = content, alt

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data, metadata = _rendered(self.content)
        text = html.escape(self.alt)
        body = data.get("text/html", "")
        data = data | {
            "text/plain": repr(self),
            "text/html": f'<figure role="group" aria-label="{text}" style="margin:0">{body}'
            f"<figcaption>{text}</figcaption></figure>",
        }
        return data, metadata


def _rendered(content: Any) -> Any:
    """Mimebundle of a view that asks for nothing from the network."""
    if isinstance(content, pn.viewable.Viewable):
        return content._repr_mimebundle_()
    pane = pn.pane.HoloViews(content, widget_location="top_left", center=False)
    if not content.traverse(lambda x: x, [_plays]):
        return pane._repr_mimebundle_()
    # A view that plays carries all its frames. Panel inlines its style sheets for live views
    # only, so here it is done for it.
    with pn.config.set(embed=True, inline=True):
        model = pane.layout._render_model()
        for part in model.select({"type": UIElement}):
            patch_inline_stylesheets(part)
        return render_model(model)


def _plays(view: Any) -> bool:
    return isinstance(view, hv.HoloMap) and not isinstance(view, hv.DynamicMap)


def figure(content: Any, alt: str, *, thumbnail: Any = False) -> Figure:
    """Figure of a view, with its text alternative.

    Parameters
    ----------
    content : HoloViews object
        What to show.
    alt : str
        What it shows, in a sentence.
    thumbnail : bool or HoloViews object
        Whether the gallery shows this one for the notebook; or a part of it that does better
        at the size of a stamp.

    Returns
    -------
    Figure
        Shows itself at the end of a cell.

    Raises
    ------
    ParameterError
        If `alt` says nothing.
    """
    setup()
    if not str(alt).strip():
        raise ParameterError("alt", alt, "a sentence that says what the figure shows")
    if thumbnail is not False and (path := os.environ.get(THUMBNAIL)):
        write_thumbnail(content if thumbnail is True else thumbnail, Path(path))
    return Figure(content, alt)


def write_thumbnail(content: Any, path: Path, width: int = 480) -> None:
    """Still picture of a HoloViews object, drawn without a browser.

    Parameters
    ----------
    content : HoloViews object
    path : pathlib.Path
        PNG file to write.
    width : int
        Pixels, roughly.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    width = validate.integer("width", width, 16, 4096)
    renderer = hv.renderer("matplotlib")
    hv.opts.defaults(
        hv.opts.Curve(color=hv.Cycle(list(CYCLE)), linewidth=1.2),
        hv.opts.Graph(node_size=4, node_color=GREY, xaxis=None, yaxis=None),
        hv.opts.HLine(color=GREY, linewidth=1),
        hv.opts.VLine(color=GREY, linewidth=1),
        backend="matplotlib",
    )
    with mpl.rc_context({"figure.max_open_warning": 0}):
        picture = renderer.get_plot(still(content)).state
        picture.savefig(path, dpi=width / picture.get_size_inches()[0], format="png")
        plt.close(picture)


def still(content: Any) -> Any:
    """First frame of a view that moves, the view itself if it does not."""
    if isinstance(content, hv.Layout):
        parts = hv.Layout([still(part) for part in content]).cols(2 if len(content) > 1 else 1)
        return parts.opts(backend="matplotlib", sublabel_format="", tight=True)
    return content.last if isinstance(content, hv.HoloMap) else content
