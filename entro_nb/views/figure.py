"""A figure with its text alternative, which lives without the network."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

import holoviews as hv
import panel as pn

from entro_nb.errors import ParameterError
from entro_nb.record import carry_styles
from entro_nb.views.stamp import write_thumbnail
from entro_nb.views.style import setup

__all__ = ["Figure", "figure", "in_report"]

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
    # A view that plays carries all its frames, and then Panel leaves its style sheets to the
    # network even where everything is to be inline.
    with pn.config.set(embed=True, inline=True):
        data, metadata = pane._repr_mimebundle_()
    return data | {"text/html": carry_styles(data["text/html"])}, metadata


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
