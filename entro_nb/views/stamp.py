"""The gallery's stamps: Matplotlib draws them, and knows nothing of Bokeh's options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import holoviews as hv

from entro_nb import validate
from entro_nb.views.style import COLOURS, CYCLE, GREY

__all__ = ["stamp", "still", "write_thumbnail"]


def stamp(content: Any, colours: dict[str, list[str]] | None = None, **axes: Any) -> Any:
    """A view with the options that its stamp needs; what a browser shows stays as it is.

    Parameters
    ----------
    content : HoloViews overlay
        The view.
    colours : dict, optional
        Element type to its colours, one for each element of that type in turn, or for "QuadMesh"
        and "Points" the colour map.
    **axes
        Options of the axes, such as ``logx``.

    Returns
    -------
    HoloViews overlay
        The same view.
    """
    hv.renderer("matplotlib")  # the options below exist once it is loaded
    given = {"Curve": [COLOURS["vermilion"]], "Scatter": [COLOURS["vermilion"]]} | (colours or {})
    turn = dict.fromkeys(given, 0)
    for part in content:
        kind = type(part).__name__
        options: dict[str, Any] = {}
        if kind in ("QuadMesh", "Points"):
            options = {"cmap": given[kind]} if kind in given else {}
            if kind == "Points":
                value = part.vdims[1]
                options |= {"color": value.name, "s": 60, "clim": value.range}
        elif kind in given:
            options["color"] = given[kind][turn[kind] % len(given[kind])]
            turn[kind] += 1
        elif kind == "Segments":
            options = {"color": GREY, "alpha": 0.4}
        elif kind == "Labels":
            options = {"size": 8, "color": "black"}
        if options:
            part.opts(backend="matplotlib", **options)
    return content.opts(hv.opts.Overlay(show_legend=False, title="", **axes, backend="matplotlib"))


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
