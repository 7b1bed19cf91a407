"""Views of Ψ-Sync: a network one can press, its traces and spread, and where it is stable."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import numpy.typing as npt
import param
import xarray as xr

from entro_nb import graphs, network
from entro_nb.errors import ParameterError
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY

#: Ψ from low to high; the same in every picture of a network.
PSI_COLOURS = [COLOURS["blue"], COLOURS["sky"], "#E5E5E5", COLOURS["orange"], COLOURS["vermilion"]]

STEPS = ("step", "time (steps)")

#: Graphs on offer in the apps.
GRAPHS = ("complete", "ring", "star", "random")

#: Marker of each state of a node: a state is never told by colour alone.
MARKERS = {"taking part": "circle", "isolated": "square", "faulty": "triangle"}


def graph_of(kind: str, n_nodes: int) -> graphs.Graph:
    """Graph of a kind on offer."""
    if kind == "random":
        return graphs.connected(n_nodes, min(4.0, n_nodes - 1.0), seed=1)
    return graphs.graph(kind, n_nodes)


def _circle(n: int) -> tuple[FloatArray, FloatArray]:
    angle = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    return np.cos(angle), np.sin(angle)


def network_picture(
    graph: graphs.Graph,
    psi: FloatArray,
    states: Sequence[str] | None = None,
    *,
    title: str = "",
    size: int = 340,
) -> hv.Overlay:
    """Network on a circle, nodes coloured by Ψ, and marked by state.

    Parameters
    ----------
    graph : Graph
        Who exchanges with whom; links of a large complete graph are left out.
    psi : ndarray
        Ψ of each node, shape (N,).
    states : sequence of str, optional
        "taking part", "isolated" or "faulty", one a node.
    title : str
        Written above.
    size : int
        Width and height in pixels.
    """
    n = graph.n_nodes
    x, y = _circle(n)
    edges = graph.edges if n <= 40 or not graph.is_complete else np.zeros((0, 2), int)
    left, right = edges[:, 0], edges[:, 1]
    links = hv.Segments((x[left], y[left], x[right], y[right]), ["nx", "ny", "nx1", "ny1"])
    labels = list(states) if states is not None else ["taking part"] * n
    dims = ["node", hv.Dimension("psi", label="Ψ", range=(0, 1)), "state"]
    dots = hv.Points((x, y, np.arange(n), psi, np.array(labels)), ["nx", "ny"], dims).opts(
        color="psi", cmap=PSI_COLOURS, clim=(0, 1), colorbar=True, size=max(6, 22 - n // 5),
        marker=hv.dim("state").categorize(MARKERS, default="circle"), line_color=GREY,
        tools=["hover"], clabel="Ψ",
    )  # fmt: skip
    return style.over(
        links.opts(color=GREY, alpha=0.35, line_width=1) * dots,
        **style.bare(size + 90, size, (-1.25, 1.25), (-1.25, 1.25)),
        title=title,
        show_legend=False,
    )


def traces(
    psi: FloatArray, marked: Sequence[int] = (), *, title: str = "", height: int = 200
) -> hv.Overlay:
    """Ψ of every node over time, shape (time, nodes), some of them marked."""
    steps = np.arange(psi.shape[0])
    others = [i for i in range(psi.shape[1]) if i not in set(marked)]
    plain, bold = (
        hv.Path([np.column_stack([steps, psi[:, i]]) for i in some], [STEPS, ("psi_t", "Ψ")])
        for some in (others, marked)
    )
    return style.over(
        plain.opts(color=COLOURS["blue"], alpha=0.5, line_width=1)
        * bold.opts(color=COLOURS["vermilion"], line_width=2, line_dash="dashed"),
        height=height,
        title=title,
        show_legend=False,
    )


def _picture(graph: graphs.Graph, run: xr.Dataset, step: int) -> hv.Overlay:
    return network_picture(graph, run.psi.values[0, step], title=f"step {step}: press a node")


def _traces(run: xr.Dataset, pressed: int) -> hv.Overlay:
    marked = [pressed] if pressed >= 0 else []
    psi = np.clip(run.psi.values[0], -0.3, 1.3)  # what runs away leaves the picture
    return traces(psi, marked, title="Ψ of every node; the stressed one dashed")


def _spreads(run: xr.Dataset, free: xr.Dataset, strength: float, expected: float) -> hv.Overlay:
    y = ("variance", "variance over nodes (Ψ²)")
    with_it, without = (
        (run.time.values, np.clip(one.variance.values[0], 1e-7, 10.0)) for one in (run, free)
    )
    says = f"{expected:.1%} left expected" if np.isfinite(expected) else "it grows"
    return style.over(
        style.curve(without, STEPS, y, "without exchange", GREY, "dashed")
        * style.curve(with_it, STEPS, y, "with exchange", "blue"),
        height=220,
        logy=True,
        title=f"ε·λ_max = {strength:.2f}: {says}",
        legend_position="top_right",
    )


class SyncApp(App):
    """A network in closed loop: press a node to stress it, and move the step past its bound."""

    title = "Network"
    alt = (
        "A network on a circle with nodes coloured by their state, the traces of all nodes over "
        "time, and the variance over nodes with and without exchange on a logarithmic axis."
    )
    columns = 1
    twin = ("strength", (0.1, 0.5, 1.0, 1.5, 1.9, 2.1))
    seed = param.Integer(1, precedence=-1)

    strength = param.Number(
        0.5, bounds=(0.05, 2.5), step=0.05, label="κ as ε·λ_max (2 is the bound)"
    )
    n_nodes = param.Integer(12, bounds=(3, 60), label="Nodes N")
    kind = param.Selector(default="complete", objects=list(GRAPHS), label="Graph")
    persistence = param.Number(0.95, bounds=(0.0, 0.99), step=0.01, label="Persistence of a node")
    regime = param.Selector(objects=["none", "scraper", "llm", "phase_shift"], label="Disturbance")
    delay = param.Integer(0, bounds=(0, 6), label="Delay of messages (steps)")
    pressed = param.Integer(0, bounds=(-1, 59), label="Stressed node (−1: none)")
    step = param.Integer(0, bounds=(0, 199), label="Step shown")

    views: ClassVar[Any] = (_picture, _traces, _spreads)

    def compute(self) -> dict[str, Any]:
        """Run the network with and without exchange, the pressed node displaced.

        `expected` is the share of the variance left, from the Lyapunov equation, or NaN.
        """
        graph = graph_of(self.kind, self.n_nodes)
        node = network.Autoregressive(self.persistence)
        pressed = self.pressed if self.pressed < self.n_nodes else -1
        initial = np.full(self.n_nodes, node.level)
        if pressed >= 0:
            initial[pressed] = 0.95
        epsilon = self.strength / graph.spectrum.largest
        transmission = network.Transmission(self.delay)
        settings: dict[str, Any] = {
            "graph": graph, "node": node, "initial": initial, "seed": self.seed,
            "disturbance": network.Disturbance(self.regime),
        }  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", network.StabilityWarning)  # the title says it
            run = network.simulate(
                self.n_nodes, 200, kappa=epsilon, transmission=transmission, **settings
            )
        free = network.simulate(self.n_nodes, 200, synchronised=False, **settings)
        try:
            expected = 1.0 - network.steady_variance(graph, epsilon, node, transmission).reduction
        except ParameterError:
            expected = float("nan")
        return {"graph": graph, "run": run, "free": free, "pressed": pressed, "expected": expected}

    def press(self, x: float | None, y: float | None) -> None:
        """Stress the node nearest to a point of the picture."""
        if x is None or y is None:
            return
        across, up = _circle(self.n_nodes)
        self.pressed = int(np.argmin((across - x) ** 2 + (up - y) ** 2))

    def live(self) -> hv.Layout:
        """Linked plots that follow the parameters, and a picture that can be pressed."""
        _, *others = super().live()
        # HoloViews listens to presses on an overlay only where they are among its streams.
        tap = hv.streams.Tap()
        tap.add_subscriber(self.press)
        return hv.Layout([self.follow(self.views[0], tap), *others]).cols(self.columns)


def reduction_curve(studies: dict[str, xr.Dataset]) -> hv.Overlay:
    """Share of the variance removed against N, with its intervals and the target of one half.

    Parameters
    ----------
    studies : dict
        Name to a dataset with `value`, `low` and `high` over ``node_count``.
    """
    x = ("nodes", "nodes N")
    y = hv.Dimension("removed", label="variance removed (1)", range=(0, 1.05))
    markers = ("circle", "square", "triangle", "diamond")
    parts: list[Any] = []
    for k, (name, study) in enumerate(studies.items()):
        n, value = study.node_count.values, study.value.values
        below, above = value - study.low.values, study.high.values - value
        parts += [
            hv.ErrorBars((n, value, below, above), x, [y, "below", "above"]),
            style.curve((n, value), x, y, name, CYCLE[k], line_width=1),
            style.dots((n, value), x, y, name, CYCLE[k], markers[k % 4], size=8),
        ]
    return style.over(
        [*parts, hv.HLine(0.5)], height=280, logx=True, legend_position="bottom_right"
    )


#: Dashes and markers of curves, in order.
_LOOKS = (("solid", "circle"), ("dashed", "square"), ("dotted", "triangle"), ("dotdash", "diamond"))


def dependence(
    curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    x: str,
    y: str,
    stated: tuple[float, float] | None = None,
    *,
    dotted: bool = True,
    **options: Any,
) -> hv.Overlay:
    """What a figure comes to for every value of a constant, and the range in which it is stated.

    Parameters
    ----------
    curves : mapping
        Name to values of the constant, and of the figure at each.
    x, y : str
        Labels of the axes, with units.
    stated : tuple of float, optional
        Ends of the published range, drawn as a band.
    dotted : bool
        Whether the values are marked on the curves.
    **options
        Of the plot, such as ``logx`` or ``ylim``.
    """
    across, up = ("constant", x), ("figure", y)
    parts: list[Any] = []
    if stated is not None:
        parts.append(hv.HSpan(*stated).opts(color=COLOURS["green"], alpha=0.25))
    for k, (name, (where, values)) in enumerate(curves.items()):
        points = (np.asarray(where, float), np.asarray(values, float))
        dash, marker = _LOOKS[k % len(_LOOKS)]
        parts.append(style.curve(points, across, up, name, CYCLE[k], dash, line_width=1.5))
        if dotted:
            parts.append(style.dots(points, across, up, name, CYCLE[k], marker, size=6))
    look = {"height": 260, "show_legend": len(curves) > 1, "legend_position": "top_left"}
    return style.over(parts, **look | options)


def cubic_map(nodes: npt.ArrayLike, widths: npt.ArrayLike, outcome: npt.ArrayLike) -> hv.Overlay:
    """What the cubic term does to one exchange, over nodes and the half-width of the states.

    Parameters
    ----------
    nodes, widths : array_like
        N and A, evenly spaced.
    outcome : array_like
        Shape (nodes, widths): 0 where it helps, 1 where it hinders, 2 where the exchange
        amplifies.
    """
    x, y = ("nodes", "nodes N"), ("amplitude", "half-width of the states, A (Ψ)")
    cells = np.asarray(outcome, float).T
    mesh = hv.QuadMesh((np.asarray(nodes, float), np.asarray(widths, float), cells), [x, y], "o")
    return style.over(
        [mesh.opts(cmap=MAP_COLOURS, clim=(-0.5, 2.5), alpha=0.55)],
        height=280,
        show_grid=False,
        title="blue: the cubic term helps; yellow: it hinders; vermilion: the exchange amplifies",
    )


#: Levels, stays, runs away.
MAP_COLOURS = [COLOURS["sky"], COLOURS["yellow"], COLOURS["vermilion"]]

#: Extent of the stability map: ακN, and the half-width of the states.
GAINS = np.geomspace(0.05, 100.0, 56)
AMPLITUDES = np.geomspace(0.01, 1.0, 32)


def levelling_map(
    n_nodes: int, aggression: float, cubic: bool, outcome: FloatArray, gain: float
) -> hv.Overlay:
    """Map of what becomes of the states over (ακN, amplitude), the documents' settings marked.

    Blue levels, yellow does not within 60 exchanges, vermilion runs away; on the dashed line
    one exchange leaves the variance of uniform states as it is.
    """
    x = hv.Dimension("gain", label="ακN (1)", range=(GAINS[0], GAINS[-1]))
    y = ("amplitude", "half-width of the states, A (Ψ)")
    mesh = hv.QuadMesh((GAINS, AMPLITUDES, outcome.T), [x, y], "outcome")
    bend = aggression**2 * n_nodes * AMPLITUDES**2 * cubic
    fine = np.geomspace(GAINS[0], GAINS[-1], 1500)
    turns = []
    for a in bend:
        stable = np.flatnonzero(network.uniform_factor(fine, a) < 1.0)
        turns.append(fine[stable[-1]] if stable.size else np.nan)
    border = style.curve((np.array(turns), AMPLITUDES), x, y, "", "black", "dashed", line_width=2)
    # The study draws its states 0.1 wide, so A = 0.05; the names are fanned out to be read.
    marks = style.dots(
        [(s.gain, 0.05) for s in network.SETTINGS], x, y, "", "black", "diamond", size=9
    )
    names = [(s.gain, 0.034 / 1.32**k, s.name) for k, s in enumerate(network.SETTINGS)]
    regions = [(0.2, 0.012, "levels"), (20.0, 0.5, "runs away")]
    written = {"text_font_size": "9pt", "text_color": "black", "text_align": "center"}
    return style.over(
        mesh.opts(cmap=MAP_COLOURS, clim=(-0.5, 2.5), alpha=0.55, logx=True, logy=True)
        * border
        * hv.VLine(gain).opts(color=COLOURS["purple"], line_width=2)
        * marks
        * hv.Labels(names, [x, y], "name").opts(**written)
        * hv.Labels(regions, [x, y], "region").opts(**written),
        height=380,
        logx=True,
        logy=True,
        show_legend=False,
        show_grid=False,
        title=f"N = {n_nodes}, α = {aggression:g}; here ακN = {gain:.2f}",
    )


class StabilityApp(App):
    """Where the exchange levels: move κ and α, and watch the boundary and one's own place."""

    title = "Stability"
    alt = (
        "Map over the gain ακN and the half-width of the states: blue where repeated exchanges "
        "level them, vermilion where they run away. The settings of the scaling study lie far to "
        "the right of the boundary."
    )
    twin = ("kappa", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0))

    kappa = param.Number(0.1, bounds=(0.01, 2.0), step=0.01, label="κ")
    aggression = param.Number(1.0, bounds=(0.5, 5.0), step=0.1, label="Aggression α")
    n_nodes = param.Integer(5, bounds=(2, 50), label="Nodes N")
    cubic = param.Boolean(True, label="Cubic term")

    views: ClassVar[Any] = (levelling_map,)

    def compute(self) -> dict[str, Any]:
        """Map for the present N and α: `outcome` has the shape (gains, amplitudes)."""
        outcome = network.outcome_map(
            self.n_nodes, GAINS, AMPLITUDES, self.aggression, cubic=self.cubic, steps=60
        )
        return {"outcome": outcome, "gain": self.kappa * self.aggression * self.n_nodes}
