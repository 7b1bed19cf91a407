"""Views of graphs and of what runs on them: curvature, flow, landscapes, consensus, balancing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import networkx as nx
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb import geometry, graphs, results
from entro_nb.geometry import karate_club, planted_communities, split_of
from entro_nb.graphs import Graph, as_graph
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, DASHES, GREY, WIDTH

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
        [("value", name), "thickness"],
    ).opts(
        color="value", cmap=CURVATURE_COLOURS, clim=(-limit, limit), colorbar=True,
        colorbar_opts={"title": name}, line_width="thickness", tools=["hover"],
    )  # fmt: skip
    label = np.zeros(len(spots), dtype=int) if kind is None else np.asarray(kind)
    names = [str(node) for node in graph.nodes]
    fills = [GREY if kind is None else colours[k % len(colours)] for k in label]
    marks = [MARKERS[k % len(MARKERS)] for k in label]
    nodes = hv.Points((*spots.T, names, fills, marks), ["x", "y"], ["node", "colour", "marker"])
    nodes.opts(color="colour", marker="marker", size=10, line_color="white", tools=["hover"])
    frame = style.bare(width, height, _room(spots[:, 0]), _room(spots[:, 1]))
    return style.over(segments * nodes, **frame)


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
    parts: list[Any] = []
    for k, (name, (a, b)) in enumerate(named.items()):
        what = ((np.asarray(a), np.asarray(b)), ("x", xlabel), ("y", ylabel), name)
        colour = CYCLE[k % len(CYCLE)]
        parts.append(style.curve(*what, colour, DASHES[k % len(DASHES)], padding=0.04))
        if markers:
            parts.append(style.dots(*what, colour, MARKERS[k % len(MARKERS)], size=7, padding=0.04))
    return style.over(parts, height=height, logx=logx, logy=logy, legend_position=legend)


def scatter(
    x: Any, y: Any, xlabel: str, ylabel: str, *, width: int = WIDTH // 2, height: int = 280
) -> hv.Scatter:
    """One quantity against another."""
    data = (np.asarray(x), np.asarray(y))
    look: dict[str, Any] = {"size": 6, "alpha": 0.6, "width": width, "height": height}
    return style.dots(data, ("x", xlabel), ("y", ylabel), colour=CYCLE[0], **look)


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
    axis = ("mean", ylabel)
    low = np.maximum(mean - half, mean * 1e-3)  # a logarithmic axis has no room for zero
    bars = hv.Segments((low, rows, mean + half, rows), [axis, "row", "end", "row2"])
    dots = hv.Points((mean, rows, names), [axis, "row"], "policy")
    parts = [
        bars.opts(color=GREY, line_width=3),
        dots.opts(color=CYCLE[0], size=9, tools=["hover"]),
    ]
    look = style.rows(names[::-1]) | {"ylim": (-0.7, len(names) - 0.3)}
    return style.over(parts, height=60 + 28 * len(names), logx=logx, **look)


def landscape(x: FloatArray, temperature: float, width: float = 8.0) -> hv.Overlay:
    """Where walkers are, against Boltzmann's law, over the landscape they walk in."""
    grid = np.linspace(-width, width, 401)
    energy = np.array([geometry.rugged(float(place)) for place in grid])
    law = np.nan * grid
    if temperature > 0:
        law = geometry.boltzmann(energy, temperature) / (grid[1] - grid[0])
    counts, edges = np.histogram(x, np.linspace(-width, width, 65), density=True)
    place = ("place", "place x (1)")
    density = hv.Dimension("density", label="density (1); landscape U, not to scale", range=(0, 1))
    # Scaled to the plot: its heights are energies, the axis is density.
    shape = np.minimum(0.25 * (energy - energy.min()), 1.0)
    hills = style.shade(hv.Area((grid, shape), place, density, label="landscape U"), GREY, 0.25)
    walkers = hv.Histogram((edges, counts), kdims=[place], vdims=[density], label="walkers")
    walkers.opts(color=COLOURS["sky"], alpha=0.7, line_color=None)
    curve = style.curve((grid, law), place, density, "Boltzmann's law", "vermilion", line_width=2)
    return style.over(hills * walkers * curve, height=320, legend_position="top_right")


def shares(study: xr.DataArray, columns: Sequence[str]) -> hv.Overlay:
    """A grid of shares, a row for each graph: colour, and the number written on it."""
    rows = [str(name) for name in study["graph"].values]
    cells = study.transpose("graph", ...).values.reshape(len(rows), -1)
    data = [
        (column, row, float(cell))
        for row, values in zip(rows, cells, strict=True)
        for column, cell in zip(columns, values, strict=True)
    ]
    share = hv.Dimension("share", label="share of runs (1)", range=(0, 1))
    heat = hv.HeatMap(data, ["case", "graph"], share)
    words = hv.Labels([(a, b, f"{s:.0%}") for a, b, s in data], ["case", "graph"], "text")
    greens = _blend("#E8E8E8", COLOURS["green"], 64)
    heat.opts(cmap=greens, colorbar=False, xrotation=30, xlabel="", ylabel="")
    words.opts(text_color="#202020", text_font_size="9pt")
    return style.over(heat * words, height=90 + 42 * len(rows), show_grid=False)


#: Steps of the flow that the app can play through.
LONGEST = 40


@dataclass(frozen=True)
class Drawn:
    """A graph with where its nodes are drawn and which known class each has."""

    graph: Graph
    spots: FloatArray
    kind: Any


#: Graphs of the apps, by name.
FLOWING: dict[str, Callable[[], Any]] = {
    "karate club": karate_club,
    "three communities": lambda: planted_communities(3, 10, 0.6, 0.03, seed=1),
    "barbell": lambda: graphs.graph("barbell", 16, seed=1),
    "lattice": lambda: graphs.graph("lattice", 16, seed=1),
    "tree": lambda: graphs.graph("tree", 16, seed=1),
    "random": lambda: graphs.graph("random", 16, seed=1),
}
HALLS: dict[str, Callable[[], Any]] = {
    "complete, 9 nodes": lambda: nx.complete_graph(9),
    "3-robust, 12 nodes": lambda: geometry.robust_graph(12, 3, seed=1),
    "5-robust, 12 nodes": lambda: geometry.robust_graph(12, 5, seed=1),
    "cycle, 12 nodes": lambda: nx.cycle_graph(12),
    "small world, 12 nodes": lambda: graphs.graph("small_world", 12, seed=1),
}
#: The attribute that tells a node's class, where one is known.
KNOWN = {"karate club": "club", "three communities": "block"}


@functools.cache
def drawn(name: str) -> Drawn:
    """Graph of an app by name."""
    found = (FLOWING | HALLS)[name]()
    graph, kind = as_graph(found), split_of(found, KNOWN[name]) if name in KNOWN else None
    return Drawn(graph, places(graph), kind)


@functools.lru_cache(maxsize=64)
def flowed(name: str, parameters: geometry.RicciFlow, cutoff: float, seed: int) -> xr.Dataset:
    """The whole flow, once for all positions of the player."""
    graph, surgery = drawn(name).graph, 0 if cutoff == 0 else 5
    return geometry.ricci_flow(
        graph, parameters, steps=LONGEST, surgery_every=surgery, cutoff=cutoff or 1.0, seed=seed
    )


def flowing_graph(picture: Drawn, run: xr.Dataset, step: int) -> hv.Overlay:
    """Edges at one step: colour is curvature, thickness length."""
    length, curvature = run["length"].values[step], run["curvature"].values
    width = np.clip(3.0 * np.nan_to_num(length / np.nanmean(length)), 0.8, 14.0)
    limit = max(float(np.nanmax(np.abs(curvature[0]))), 0.1)
    look = {"kind": picture.kind, "limit": limit, "name": "curvature (1)"}
    return graph_picture(picture.graph, picture.spots, curvature[step], width, **look)


def curvature_paths(run: xr.Dataset, step: int) -> hv.Overlay:
    """Curvature of every edge along the flow, with a line at the present step."""
    axes = [("step", "step of the flow"), ("kappa", "curvature (1)")]
    values = run["curvature"].values
    paths = hv.Path([np.column_stack([np.arange(len(values)), one]) for one in values.T], axes)
    paths.opts(color=COLOURS["blue"], alpha=0.35, line_width=1)
    here = hv.VLine(step).opts(color=COLOURS["vermilion"], line_dash="solid")
    return style.over(paths * here, height=200, xlim=(0, LONGEST))


class FlowApp(App):
    """A graph under the discrete Ricci flow: play it, and move its parameters."""

    title = "Curvature and flow"
    alt = (
        "A graph whose edges are coloured by curvature, from vermilion (negative, bottlenecks) "
        "to blue (positive, inside communities), and drawn thicker the longer they are; below, "
        "the curvature of every edge along the flow."
    )
    twin = ("step", (0, 2, 5, 10, 20, 40))
    widgets: ClassVar[dict[str, Any]] = {
        "step": {
            "widget_type": pn.widgets.Player, "interval": 250, "width": 250,
            "visible_buttons": ["first", "previous", "pause", "play", "next", "last"],
            "show_loop_controls": False,
        }
    }  # fmt: skip
    seed = param.Integer(1, precedence=-1)

    graph = param.Selector(default="karate club", objects=list(FLOWING), label="Graph")
    step = param.Integer(0, bounds=(0, LONGEST), label="Step")
    form = param.Selector(default="ni", objects=["ni", "bai"], label="Form of the flow")
    alpha = param.Number(0.5, bounds=(0.0, 0.95), step=0.05, label="Idleness α")
    barrier = param.Number(0.0, bounds=(0.0, 1.0), step=0.05, label="Barrier Λ")
    noise = param.Number(0.0, bounds=(0.0, 5.0), step=0.25, label="Noise Φ")
    cutoff = param.Number(
        0.0, bounds=(0.0, 5.0), step=0.25, label="Cut edges longer than (× mean; 0: never)"
    )

    views: ClassVar[Any] = (flowing_graph, curvature_paths)

    def compute(self) -> dict[str, Any]:
        """The flow with the present parameters, at the present step."""
        moved = {name: getattr(self, name) for name in ("form", "alpha", "noise", "barrier")}
        parameters = geometry.RicciFlow(step=0.3, **moved)
        run = flowed(self.graph, parameters, self.cutoff, self.seed)
        step = min(self.step, run.sizes["time"] - 1)
        return {"picture": drawn(self.graph), "run": run, "step": step}


class LandscapeApp(App):
    """Walkers in a rugged landscape at a temperature, against Boltzmann's law."""

    title = "Landscape"
    alt = (
        "Histogram of walkers in a landscape with five minima, and Boltzmann's law as a line. At "
        "temperature zero every walker stays in the minimum it started in; with noise and time "
        "the histogram follows the line."
    )
    twin = ("temperature", (0.0, 0.1, 0.3, 0.6, 1.0, 2.0))
    seed = param.Integer(1, precedence=-1)

    temperature = param.Number(0.6, bounds=(0.0, 3.0), step=0.05, label="Temperature λ")
    steps = param.Integer(600, bounds=(1, 1000), label="Steps of 0.2")
    walkers = param.Integer(500, bounds=(50, 1000), step=50, label="Walkers")

    views: ClassVar[Any] = (landscape,)

    def compute(self) -> dict[str, Any]:
        """Where walkers from anywhere end at the present temperature."""
        settings = {"steps": self.steps, "walkers": self.walkers, "seed": self.seed}
        return {"x": geometry.langevin(self.temperature, step=0.2, **settings)}


TRAJECTORIES = {"width": WIDTH, "height": 320, "ylim": (-3.3, 3.3), "xlim": (0, 66)}
STEPS = ("time", "step")


def trajectories(run: xr.Dataset) -> hv.Overlay:
    """States of honest nodes over time, within the band of their first states."""
    state = ("state", "state (1)")
    honest, at = run["x"].values[:, run["honest"].values], run["time"].values
    ends = (at[[0, -1]], [run.attrs["low"]] * 2, [run.attrs["high"]] * 2)
    paths = hv.Path([np.column_stack([at, column]) for column in honest.T], [STEPS, state])
    paths.opts(color=CYCLE[0], line_width=1.5)
    agreed = geometry.agreement(run)
    verdict = "honest nodes agree within their range" if agreed else "no honest agreement"
    words = hv.Text(float(at[-1]) / 2, 2.8, verdict).opts(color=GREY, text_font_size="11pt")
    band = style.shade(hv.Area(ends, STEPS, ["state", "high"]))
    return style.over(band * paths * words, **TRAJECTORIES)


def who_lies(picture: Drawn, run: xr.Dataset) -> hv.Overlay:
    """The graph with its liars as triangles."""
    even = np.ones(picture.graph.n_edges)
    colours = (COLOURS["blue"], COLOURS["vermilion"])
    liars = (~run["honest"].values).astype(int)
    look: dict[str, Any] = {"kind": liars, "colours": colours, "name": "role"}
    whole = graph_picture(picture.graph, picture.spots, 0 * even, even, height=260, **look)
    return whole.opts(hv.opts.Segments(colorbar=False, color=GREY))


class LiarsApp(App):
    """Consensus with liars whose lies one drags up and down, with and without W-MSR."""

    title = "Consensus among liars"
    alt = (
        "States of honest nodes against time, with a band for the range of their first states, "
        "and below it the graph with liars as triangles. With plain averaging one liar drags all "
        "to its value; with W-MSR on a robust graph they agree within the band."
    )
    twin = ("value", (-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0))
    seed = param.Integer(1, precedence=-1)

    graph = param.Selector(default="3-robust, 12 nodes", objects=list(HALLS), label="Graph")
    rule = param.Selector(default="average", objects=["average", "w-msr"], label="Rule")
    liars = param.Integer(1, bounds=(0, 2), label="Liars")
    value = param.Number(2.0, bounds=(-3.0, 3.0), step=0.1, label="What the first one says")
    second = param.Number(-2.0, bounds=(-3.0, 3.0), step=0.1, label="What the second one says")
    strategy = param.Selector(
        default="stubborn", objects=list(geometry.STRATEGIES), label="How they lie"
    )
    tolerated = param.Integer(1, bounds=(0, 3), label="F that W-MSR is prepared for")

    views: ClassVar[Any] = (trajectories, who_lies)

    def compute(self) -> dict[str, Any]:
        """Sixty steps with the present liars; drifting ones move a twentieth of it a step."""
        picture = drawn(self.graph)
        rng = np.random.default_rng(self.seed)
        nodes = picture.graph.nodes
        x0 = rng.random(len(nodes))
        # Places that stay put when the number of liars changes.
        chosen = rng.permutation(len(nodes))[: self.liars]
        scale = 0.05 if self.strategy == "drift" else 1.0
        lies = {
            nodes[k]: geometry.Liar(self.strategy, scale * value)
            for k, value in zip(chosen, (self.value, self.second), strict=False)
        }
        settings = {"tolerated": self.tolerated, "rule": self.rule, "steps": 60}
        run = geometry.resilient_consensus(picture.graph, x0, lies, **settings)
        return {"picture": picture, "run": run}

    def handles(self) -> hv.DynamicMap:
        """Points at what the liars say, to be dragged."""

        def points(**_: Any) -> hv.Points:
            said = [self.value, self.second][: self.liars]
            return hv.Points(([62.0] * len(said), said), [STEPS, "state"]).opts(
                color=COLOURS["vermilion"], marker="triangle", size=16, line_color="white",
                tools=["hover"], active_tools=["point_draw"],
            )  # fmt: skip

        follow = hv.streams.Params(self, ["value", "second", "liars"])
        dragged = hv.DynamicMap(points, streams=[follow])
        drag = hv.streams.PointDraw(source=dragged, add=False, num_objects=2)

        def moved(data: Any) -> None:
            said = list((data or {}).get("state", ()))[: self.liars]
            for name, y in zip(("value", "second"), said, strict=False):
                setattr(self, name, float(np.clip(y, -3.0, 3.0)))

        drag.add_subscriber(moved)
        self._drag = drag  # kept alive with the app
        return dragged

    def live(self) -> hv.Layout:
        """Trajectories with draggable lies, over the graph."""
        states, graph = super().live()
        drawing = style.over(states * self.handles(), **TRAJECTORIES, active_tools=["point_draw"])
        return hv.Layout([drawing, graph]).cols(1).opts(shared_axes=False)
