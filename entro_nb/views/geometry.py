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

from entro_nb import graphs, results
from entro_nb.geometry import (
    STRATEGIES,
    Liar,
    RicciFlow,
    agreement,
    boltzmann,
    karate_club,
    langevin,
    planted_communities,
    resilient_consensus,
    ricci_flow,
    robust_graph,
    rugged,
    split_of,
)
from entro_nb.graphs import Graph, GraphLike, as_graph
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

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
    return style.over(parts, height=height, logx=logx, logy=logy, legend_position=legend)


def scatter(
    x: Any, y: Any, xlabel: str, ylabel: str, *, width: int = WIDTH // 2, height: int = 280
) -> hv.Scatter:
    """One quantity against another."""
    return style.dots(
        (np.asarray(x), np.asarray(y)),
        hv.Dimension("x", label=xlabel),
        hv.Dimension("y", label=ylabel),
        colour=CYCLE[0],
        size=6,
        width=width,
        height=height,
        alpha=0.6,
    )


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
        hv.opts.Overlay(height=320, legend_position="top_right"),
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
        hv.opts.Overlay(height=90 + 42 * len(rows), show_grid=False),
    )


#: Steps of the flow that the app can play through.
LONGEST = 40


@dataclass(frozen=True)
class Drawn:
    """A graph with where its nodes are drawn and which known class each has."""

    graph: Graph
    spots: FloatArray
    kind: Any


@functools.cache
def drawn(name: str) -> Drawn:
    """Graph of the app by name."""
    kind = None
    if name == "karate club":
        known = karate_club()
        graph, kind = as_graph(known), split_of(known, "club")
    elif name == "three communities":
        known = planted_communities(3, 10, 0.6, 0.03, seed=1)
        graph, kind = as_graph(known), split_of(known, "block")
    else:
        graph = graphs.graph(name, 16, seed=1)
    return Drawn(graph, places(graph), kind)


@functools.lru_cache(maxsize=64)
def flowed(name: str, parameters: RicciFlow, cutoff: float, seed: int) -> xr.Dataset:
    """The whole flow, once for all positions of the player."""
    surgery = 0 if cutoff == 0 else 5
    return ricci_flow(
        drawn(name).graph,
        parameters,
        steps=LONGEST,
        surgery_every=surgery,
        cutoff=cutoff or 1.0,
        seed=seed,
    )


@dataclass(frozen=True)
class Moment:
    """A flow and the step to look at."""

    picture: Drawn
    run: xr.Dataset
    step: int


def flowing_graph(moment: Moment) -> hv.Overlay:
    """Edges at one step: colour is curvature, thickness length."""
    length = moment.run["length"].values[moment.step]
    relative = np.nan_to_num(length / np.nanmean(length))
    curvature = moment.run["curvature"].values[moment.step]
    limit = max(float(np.nanmax(np.abs(moment.run["curvature"].values[0]))), 0.1)
    return graph_picture(
        moment.picture.graph,
        moment.picture.spots,
        curvature,
        np.clip(3.0 * relative, 0.8, 14.0),
        kind=moment.picture.kind,
        limit=limit,
        name="curvature (1)",
    )


def curvature_paths(moment: Moment) -> hv.Overlay:
    """Curvature of every edge along the flow, with a line at the present step."""
    values = moment.run["curvature"].values
    step = hv.Dimension("step", label="step of the flow")
    height = hv.Dimension("kappa", label="curvature (1)")
    at = np.arange(len(values))
    paths = hv.Path([np.column_stack([at, column]) for column in values.T], [step, height])
    return (paths * hv.VLine(moment.step)).opts(
        hv.opts.Path(color=COLOURS["blue"], alpha=0.35, line_width=1),
        hv.opts.VLine(color=COLOURS["vermilion"], line_dash="solid"),
        hv.opts.Overlay(height=200, xlim=(0, LONGEST)),
    )


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
            "widget_type": pn.widgets.Player,
            "interval": 250,
            "width": 250,
            "show_loop_controls": False,
            "visible_buttons": ["first", "previous", "pause", "play", "next", "last"],
        }
    }
    seed = param.Integer(1, precedence=-1)

    graph = param.Selector(
        default="karate club",
        objects=["karate club", "three communities", "barbell", "lattice", "tree", "random"],
        label="Graph",
    )
    step = param.Integer(0, bounds=(0, LONGEST), label="Step")
    form = param.Selector(default="ni", objects=["ni", "bai"], label="Form of the flow")
    alpha = param.Number(0.5, bounds=(0.0, 0.95), step=0.05, label="Idleness α")
    barrier = param.Number(0.0, bounds=(0.0, 1.0), step=0.05, label="Barrier Λ")
    noise = param.Number(0.0, bounds=(0.0, 5.0), step=0.25, label="Noise Φ")
    cutoff = param.Number(
        0.0, bounds=(0.0, 5.0), step=0.25, label="Cut edges longer than (× mean; 0: never)"
    )

    views: ClassVar[Any] = (flowing_graph, curvature_paths)

    def compute(self) -> Moment:
        """The flow with the present parameters, at the present step."""
        parameters = RicciFlow(
            step=0.3, form=self.form, alpha=self.alpha, noise=self.noise, barrier=self.barrier
        )
        run = flowed(self.graph, parameters, self.cutoff, self.seed)
        return Moment(drawn(self.graph), run, min(self.step, run.sizes["time"] - 1))


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

    views: ClassVar[Any] = (lambda walked: landscape(*walked),)

    def compute(self) -> tuple[FloatArray, float]:
        """Where walkers from anywhere end at the present temperature, and that temperature."""
        x = langevin(
            self.temperature, steps=self.steps, walkers=self.walkers, step=0.2, seed=self.seed
        )
        return x, self.temperature


@functools.cache
def hall(name: str) -> Drawn:
    """Graph of the consensus app by name."""
    halls: dict[str, Callable[[], GraphLike]] = {
        "complete, 9 nodes": lambda: nx.complete_graph(9),
        "3-robust, 12 nodes": lambda: robust_graph(12, 3, seed=1),
        "5-robust, 12 nodes": lambda: robust_graph(12, 5, seed=1),
        "cycle, 12 nodes": lambda: nx.cycle_graph(12),
        "small world, 12 nodes": lambda: graphs.graph("small_world", 12, seed=1),
    }
    graph = as_graph(halls[name]())
    return Drawn(graph, places(graph), None)


TRAJECTORIES = {"width": WIDTH, "height": 320, "ylim": (-3.3, 3.3), "xlim": (0, 66)}


@dataclass(frozen=True)
class Meeting:
    """A run of consensus with liars, and the graph it ran on."""

    picture: Drawn
    run: xr.Dataset


def trajectories(meeting: Meeting) -> hv.Overlay:
    """States of honest nodes over time, within the band of their first states."""
    steps = hv.Dimension("time", label="step")
    state = hv.Dimension("state", label="state (1)")
    run = meeting.run
    honest = run["x"].values[:, run["honest"].values]
    at = run["time"].values
    band = hv.Area(
        (at[[0, -1]], [run.attrs["low"]] * 2, [run.attrs["high"]] * 2), steps, ["state", "high"]
    )
    paths = hv.Path([np.column_stack([at, column]) for column in honest.T], [steps, state])
    verdict = "honest nodes agree within their range" if agreement(run) else "no honest agreement"
    words = hv.Text(float(at[-1]) / 2, 2.8, verdict)
    return (band * paths * words).opts(
        hv.opts.Area(color=COLOURS["green"], alpha=0.2, line_alpha=0),
        hv.opts.Path(color=CYCLE[0], line_width=1.5),
        hv.opts.Text(color=GREY, text_font_size="11pt"),
        hv.opts.Overlay(**TRAJECTORIES),
    )


def who_lies(meeting: Meeting) -> hv.Overlay:
    """The graph with its liars as triangles."""
    run, picture = meeting.run, meeting.picture
    m = picture.graph.n_edges
    return graph_picture(
        picture.graph,
        picture.spots,
        np.zeros(m),
        np.ones(m),
        kind=(~run["honest"].values).astype(int),
        height=260,
        colours=(COLOURS["blue"], COLOURS["vermilion"]),
        name="role",
    ).opts(hv.opts.Segments(colorbar=False, color=GREY))


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

    graph = param.Selector(
        default="3-robust, 12 nodes",
        objects=[
            "complete, 9 nodes",
            "3-robust, 12 nodes",
            "5-robust, 12 nodes",
            "cycle, 12 nodes",
            "small world, 12 nodes",
        ],
        label="Graph",
    )
    rule = param.Selector(default="average", objects=["average", "w-msr"], label="Rule")
    liars = param.Integer(1, bounds=(0, 2), label="Liars")
    value = param.Number(2.0, bounds=(-3.0, 3.0), step=0.1, label="What the first one says")
    second = param.Number(-2.0, bounds=(-3.0, 3.0), step=0.1, label="What the second one says")
    strategy = param.Selector(default="stubborn", objects=list(STRATEGIES), label="How they lie")
    tolerated = param.Integer(1, bounds=(0, 3), label="F that W-MSR is prepared for")

    views: ClassVar[Any] = (trajectories, who_lies)

    def compute(self) -> Meeting:
        """Sixty steps with the present liars; drifting ones move a twentieth of it a step."""
        picture = hall(self.graph)
        rng = np.random.default_rng(self.seed)
        nodes = picture.graph.nodes
        x0 = rng.random(len(nodes))
        # Places that stay put when the number of liars changes.
        chosen = rng.permutation(len(nodes))[: self.liars]
        scale = 0.05 if self.strategy == "drift" else 1.0
        lies = {
            nodes[k]: Liar(self.strategy, scale * value)
            for k, value in zip(chosen, (self.value, self.second), strict=False)
        }
        run = resilient_consensus(
            picture.graph, x0, lies, tolerated=self.tolerated, rule=self.rule, steps=60
        )
        return Meeting(picture, run)

    def handles(self) -> hv.DynamicMap:
        """Points at what the liars say, to be dragged."""

        def points(**_: Any) -> hv.Points:
            said = [self.value, self.second][: self.liars]
            return hv.Points(
                ([62.0] * len(said), said), [hv.Dimension("time", label="step"), "state"]
            ).opts(
                hv.opts.Points(
                    color=COLOURS["vermilion"],
                    marker="triangle",
                    size=16,
                    line_color="white",
                    tools=["hover"],
                    active_tools=["point_draw"],
                )
            )

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
        drawing = style.over(
            self.follow(trajectories) * self.handles(), **TRAJECTORIES, active_tools=["point_draw"]
        )
        return (
            hv.Layout([drawing, self.follow(who_lies)])
            .cols(1)
            .opts(hv.opts.Layout(shared_axes=False))
        )
