"""Views of graphs and of what runs on them: curvature, flow, landscapes, consensus, balancing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import holoviews as hv
import networkx as nx
import numpy as np
import xarray as xr

from entro_nb import results
from entro_nb.geometry import boltzmann, rugged
from entro_nb.graphs import Graph
from entro_nb.validate import FloatArray
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

__all__ = [
    "CURVATURE_COLOURS",
    "confidence",
    "graph_picture",
    "intervals",
    "landscape",
    "lines",
    "places",
    "scatter",
    "shares",
]

DASHES = ("solid", "dashed", "dotted", "dotdash")
#: Colours of classes of nodes: none that curvature has.
KINDS = (COLOURS["orange"], COLOURS["purple"], COLOURS["green"], COLOURS["yellow"])
MARKERS = ("circle", "triangle", "square", "diamond", "inverted_triangle", "star")


def _blend(first: str, second: str, steps: int) -> list[str]:
    ends = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (first, second)]
    mixed = np.linspace(ends[0], ends[1], steps).round().astype(int)
    return ["#" + "".join(f"{part:02X}" for part in colour) for colour in mixed]


#: From negative (bottleneck) through none to positive (inside of a community).
CURVATURE_COLOURS = [
    *_blend(COLOURS["vermilion"], "#B8B8B8", 32),
    *_blend("#B8B8B8", COLOURS["blue"], 32),
]


def places(graph: Graph, seed: int = 1) -> FloatArray:
    """Where to draw each node: springs along the edges, shape (node, 2), the same every time."""
    plain = nx.empty_graph(graph.n_nodes)
    plain.add_edges_from(graph.edges.tolist())
    spots = nx.spring_layout(plain, seed=seed, iterations=200)
    return np.array([spots[k] for k in range(graph.n_nodes)])


def graph_picture(
    graph: Graph,
    spots: FloatArray,
    values: Any,
    thickness: Any,
    *,
    kind: Any = None,
    colours: Sequence[str] = KINDS,
    limit: float = 1.0,
    name: str = "curvature",
    width: int = WIDTH,
    height: int = 420,
) -> hv.Overlay:
    """A graph whose edges are coloured by one number and thickened by another.

    Parameters
    ----------
    graph : Graph
        The graph.
    spots : ndarray, shape (node, 2)
        From :func:`places`.
    values : array_like, shape (edge,)
        Colour, from −limit to limit; an edge whose value is NaN is not drawn.
    thickness : array_like, shape (edge,)
        Width of the line in pixels.
    kind : array_like of int, optional
        Class of each node, told by colour and marker.
    colours : sequence of str
        Colour of each class.
    limit : float
        Value at either end of the colours.
    name : str
        What the colour means, with its unit.
    width, height : int
        Pixels.
    """
    values = np.asarray(values, dtype=float)
    there = np.isfinite(values)
    i, j = graph.edges[there].T
    segments = hv.Segments(
        (*spots[i].T, *spots[j].T, values[there], np.asarray(thickness)[there]),
        ["x", "y", "x2", "y2"],
        [hv.Dimension("value", label=name), "thickness"],
    )
    label = np.zeros(len(spots), dtype=int) if kind is None else np.asarray(kind)
    nodes = hv.Points(
        (
            *spots.T,
            [str(node) for node in graph.nodes],
            [colours[k % len(colours)] if kind is not None else GREY for k in label],
            [MARKERS[k % len(MARKERS)] for k in label],
        ),
        ["x", "y"],
        ["node", "colour", "marker"],
    )
    return (segments * nodes).opts(
        hv.opts.Segments(
            color="value",
            cmap=CURVATURE_COLOURS,
            clim=(-limit, limit),
            colorbar=True,
            colorbar_opts={"title": name},
            line_width="thickness",
            tools=["hover"],
        ),
        hv.opts.Points(
            color="colour", marker="marker", size=10, line_color="white", tools=["hover"]
        ),
        hv.opts.Overlay(
            width=width,
            height=height,
            xaxis=None,
            yaxis=None,
            show_grid=False,
            xlim=_room(spots[:, 0]),
            ylim=_room(spots[:, 1]),
        ),
    )


def _room(values: FloatArray) -> tuple[float, float]:
    margin = 0.08 * max(float(np.ptp(values)), 1e-6)
    return float(values.min()) - margin, float(values.max()) + margin


def lines(
    named: Mapping[str, tuple[Any, Any]],
    xlabel: str,
    ylabel: str,
    *,
    logx: bool = False,
    logy: bool = False,
    height: int = 260,
    legend: str = "top_right",
    markers: bool = False,
) -> hv.Overlay:
    """Several named curves, (x, y) each, told apart by colour and by dash or marker."""
    x, y = hv.Dimension("x", label=xlabel), hv.Dimension("y", label=ylabel)
    parts: list[Any] = []
    for k, (name, (a, b)) in enumerate(named.items()):
        colour = CYCLE[k % len(CYCLE)]
        curve = hv.Curve((np.asarray(a), np.asarray(b)), x, y, label=name)
        parts.append(curve.opts(color=colour, line_dash=DASHES[k % len(DASHES)], padding=0.04))
        if markers:
            dots = hv.Scatter((np.asarray(a), np.asarray(b)), x, y, label=name)
            parts.append(
                dots.opts(color=colour, marker=MARKERS[k % len(MARKERS)], size=7, padding=0.04)
            )
    return hv.Overlay(parts).opts(
        hv.opts.Overlay(width=WIDTH, height=height, logx=logx, logy=logy, legend_position=legend)
    )


def scatter(
    x: Any, y: Any, xlabel: str, ylabel: str, *, width: int = WIDTH // 2, height: int = 280
) -> hv.Scatter:
    """One quantity against another."""
    return hv.Scatter(
        (np.asarray(x), np.asarray(y)),
        hv.Dimension("x", label=xlabel),
        hv.Dimension("y", label=ylabel),
    ).opts(hv.opts.Scatter(width=width, height=height, alpha=0.6, color=CYCLE[0], size=6))


def confidence(values: xr.DataArray, dim: str = "replicate") -> tuple[FloatArray, FloatArray]:
    """Mean over replicates, and half of its 95 % interval by Student's t."""
    rows = np.moveaxis(values.values, values.get_axis_num(dim), -1)
    mean, _, high = np.apply_along_axis(results.mean_interval, -1, rows).T
    return mean, high - mean


def intervals(values: xr.DataArray, ylabel: str, *, logx: bool = True) -> hv.Overlay:
    """Means with 95 % intervals over replicates, one row for each policy."""
    mean, half = confidence(values)
    names = [str(name) for name in values["policy"].values]
    rows = np.arange(len(names))[::-1]
    axis = hv.Dimension("mean", label=ylabel)
    low = np.maximum(mean - half, mean * 1e-3)  # a logarithmic axis has no room for zero
    bars = hv.Segments((low, rows, mean + half, rows), [axis, "row", "end", "row2"])
    dots = hv.Points((mean, rows, names), [axis, "row"], "policy")
    return (bars * dots).opts(
        hv.opts.Segments(color=GREY, line_width=3),
        hv.opts.Points(color=CYCLE[0], size=9, tools=["hover"]),
        hv.opts.Overlay(
            width=WIDTH,
            height=60 + 28 * len(names),
            logx=logx,
            yticks=list(zip(rows.tolist(), names, strict=True)),
            ylabel="",
            ylim=(-0.7, len(names) - 0.3),
        ),
    )


def landscape(x: FloatArray, temperature: float, width: float = 8.0) -> hv.Overlay:
    """Where walkers are, against Boltzmann's law, over the landscape they walk in."""
    grid = np.linspace(-width, width, 401)
    energy = np.array([rugged(float(place)) for place in grid])
    law = boltzmann(energy, temperature) / (grid[1] - grid[0]) if temperature > 0 else np.nan * grid
    counts, edges = np.histogram(x, np.linspace(-width, width, 65), density=True)
    place = hv.Dimension("place", label="place x (1)")
    density = hv.Dimension("density", label="density (1); landscape U, not to scale", range=(0, 1))
    # Scaled to the plot: its heights are energies, the axis is density.
    shape = np.minimum(0.25 * (energy - energy.min()), 1.0)
    return (
        hv.Area((grid, shape), place, density, label="landscape U")
        * hv.Histogram((edges, counts), kdims=[place], vdims=[density], label="walkers")
        * hv.Curve((grid, law), place, density, label="Boltzmann's law")
    ).opts(
        hv.opts.Area(color=GREY, alpha=0.25, line_alpha=0),
        hv.opts.Histogram(color=COLOURS["sky"], alpha=0.7, line_color=None),
        hv.opts.Curve(color=COLOURS["vermilion"], line_width=2),
        hv.opts.Overlay(width=WIDTH, height=320, legend_position="top_right"),
    )


def shares(study: xr.DataArray, columns: Sequence[str]) -> hv.Overlay:
    """A grid of shares, a row for each graph: colour, and the number written on it."""
    rows = [str(name) for name in study["graph"].values]
    cells = study.transpose("graph", ...).values.reshape(len(rows), -1)
    data = [
        (column, row, float(cells[r, c]), f"{cells[r, c]:.0%}")
        for r, row in enumerate(rows)
        for c, column in enumerate(columns)
    ]
    share = hv.Dimension("share", label="share of runs (1)", range=(0, 1))
    heat = hv.HeatMap([row[:3] for row in data], ["case", "graph"], share)
    words = hv.Labels([(a, b, text) for a, b, _, text in data], ["case", "graph"], "text")
    return (heat * words).opts(
        hv.opts.HeatMap(
            cmap=_blend("#E8E8E8", COLOURS["green"], 64),
            colorbar=False,
            xrotation=30,
            xlabel="",
            ylabel="",
        ),
        hv.opts.Labels(text_color="#202020", text_font_size="9pt"),
        hv.opts.Overlay(width=WIDTH, height=90 + 42 * len(rows), show_grid=False),
    )
