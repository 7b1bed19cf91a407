"""Looks for the gallery's stamps: Matplotlib draws them and knows nothing of Bokeh's options."""

from __future__ import annotations

from typing import Any

import holoviews as hv

from entro_nb.views.style import COLOURS, GREY

__all__ = ["stamp"]


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
