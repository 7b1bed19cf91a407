"""Views of ENTRO-NET: a network that one can press, that learns, isolates the faulty, and grows."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import numpy.typing as npt
import param
import xarray as xr

from entro_nb import graphs, network
from entro_nb.errors import ParameterError
from entro_nb.graphs import Graph
from entro_nb.results import mean_interval
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

#: Ψ from low to high; the same in every picture of a network.
PSI_COLOURS = [COLOURS["blue"], COLOURS["sky"], "#E5E5E5", COLOURS["orange"], COLOURS["vermilion"]]

STEPS = ("step", "time (steps)")

#: Graphs on offer in the apps.
GRAPHS = ("complete", "ring", "star", "random")

#: Marker of each state of a node: a state is never told by colour alone.
MARKERS = {"taking part": "circle", "isolated": "square", "faulty": "triangle"}


def graph_of(kind: str, n_nodes: int) -> Graph:
    """Graph of a kind on offer."""
    if kind == "random":
        return graphs.connected(n_nodes, min(4.0, n_nodes - 1.0), seed=1)
    return graphs.graph(kind, n_nodes)


def _circle(n: int) -> tuple[FloatArray, FloatArray]:
    angle = np.pi / 2 - 2 * np.pi * np.arange(n) / n
    return np.cos(angle), np.sin(angle)


def network_picture(
    graph: Graph,
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
    look = style.bare(size + 90, size, (-1.25, 1.25), (-1.25, 1.25)) | {"show_legend": False}
    return style.over(links.opts(color=GREY, alpha=0.35, line_width=1) * dots, title=title, **look)


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
    plain.opts(color=COLOURS["blue"], alpha=0.5, line_width=1)
    bold.opts(color=COLOURS["vermilion"], line_width=2, line_dash="dashed")
    return style.over(plain * bold, height=height, title=title, show_legend=False)


def _picture(graph: Graph, run: xr.Dataset, step: int) -> hv.Overlay:
    return network_picture(graph, run.psi.values[0, step], title=f"step {step}: press a node")


def _traces(run: xr.Dataset, pressed: int) -> hv.Overlay:
    marked = [pressed] if pressed >= 0 else []
    psi = np.clip(run.psi.values[0], -0.3, 1.3)  # what runs away leaves the picture
    return traces(psi, marked, title="Ψ of every node; the stressed one dashed")


def _spreads(run: xr.Dataset, free: xr.Dataset, strength: float, expected: float) -> hv.Overlay:
    y = ("variance", "variance over nodes (Ψ²)")
    data, without = (
        (run.time.values, np.clip(one.variance.values[0], 1e-7, 10.0)) for one in (run, free)
    )
    apart = style.curve(without, STEPS, y, "without exchange", GREY, "dashed")
    together = style.curve(data, STEPS, y, "with exchange", "blue")
    says = f"{expected:.1%} left expected" if np.isfinite(expected) else "it grows"
    look = {"title": f"ε·λ_max = {strength:.2f}: {says}", "legend_position": "top_right"}
    return style.over(apart * together, height=220, logy=True, **look)


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
            "n_nodes": self.n_nodes, "steps": 200, "graph": graph, "node": node,
            "initial": initial, "seed": self.seed,
            "disturbance": network.Disturbance(self.regime),
        }  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", network.StabilityWarning)  # the title says it
            run = network.simulate(kappa=epsilon, transmission=transmission, **settings)
        free = network.simulate(synchronised=False, **settings)
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
    parts: list[Any] = []
    for k, (name, study) in enumerate(studies.items()):
        n, value = study.node_count.values, study.value.values
        below, above = value - study.low.values, study.high.values - value
        parts += [
            hv.ErrorBars((n, value, below, above), x, [y, "below", "above"]),
            style.curve((n, value), x, y, name, CYCLE[k], line_width=1),
            style.dots((n, value), x, y, name, CYCLE[k], style.MARKERS[k % 4], size=8),
        ]
    half = hv.HLine(0.5)
    return style.over([*parts, half], height=280, logx=True, legend_position="bottom_right")


#: Dashes of curves, in order.
_DASHES = ("solid", "dashed", "dotted", "dotdash")


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
    wheres = [np.asarray(where, float) for where, _ in curves.values()]
    parts: list[Any] = []
    for k, (name, (where, values)) in enumerate(curves.items()):
        points = (np.asarray(where, float), np.asarray(values, float))
        dash, marker = _DASHES[k % len(_DASHES)], style.MARKERS[k]
        parts.append(style.curve(points, across, up, name, CYCLE[k], dash, line_width=1.5))
        if dotted:
            parts.append(style.dots(points, across, up, name, CYCLE[k], marker, size=6))
    if stated is not None:
        ends = [min(map(np.min, wheres)), max(map(np.max, wheres))]
        low, high = ([value, value] for value in stated)
        parts.append(style.shade(hv.Area((ends, low, high), across, [up, "stated_high"])))
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
    mesh.opts(cmap=MAP_COLOURS, clim=(-0.5, 2.5), alpha=0.55, logx=True, logy=True)
    border = style.curve((np.array(turns), AMPLITUDES), x, y, "", "black", "dashed", line_width=2)
    here = hv.VLine(gain).opts(color=COLOURS["purple"], line_width=2)
    # The study draws its states 0.1 wide, so A = 0.05; the names are fanned out to be read.
    marks = style.dots(
        [(s.gain, 0.05) for s in network.SETTINGS], x, y, "", "black", "diamond", size=9
    )
    names = [(s.gain, 0.034 / 1.32**k, s.name) for k, s in enumerate(network.SETTINGS)]
    regions = [(0.2, 0.012, "levels"), (20.0, 0.5, "runs away")]
    written = {"text_font_size": "9pt", "text_color": "black", "text_align": "center"}
    words = (hv.Labels(names, [x, y], "name"), hv.Labels(regions, [x, y], "region"))
    parts = [mesh, border, here, marks, *(one.opts(**written) for one in words)]
    title = f"N = {n_nodes}, α = {aggression:g}; here ακN = {gain:.2f}"
    look = {"logx": True, "logy": True, "show_legend": False, "show_grid": False}
    return style.over(parts, height=380, title=title, **look)


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


#: Loss from low to high on the simplex.
LOSS_COLOURS = "cividis"


def _flat(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Corners w₁ bottom left, w₂ bottom right, w₃ on top."""
    w = np.atleast_2d(weights)
    return w[:, 1] + 0.5 * w[:, 2], np.sqrt(0.75) * w[:, 2]


@functools.lru_cache(maxsize=32)
def _landscape(task: network.Task, seed: int) -> tuple[FloatArray, FloatArray]:
    grid = network.simplex_grid(7)
    return grid, np.array([network.fixed_losses(task, [seed], w)[0] for w in grid])


def simplex(run: xr.Dataset, grid: FloatArray, losses: FloatArray) -> hv.Overlay:
    """Loss of fixed weights on the simplex, and the way the learner goes."""
    plane, red = ["wx", "wy"], COLOURS["vermilion"]
    dots = hv.Points((*_flat(grid), losses), plane, ("loss", "loss of fixed weights (Ψ²)"))
    px, py = _flat(run.weights.values)
    way = hv.Path([np.column_stack([px, py])], plane)
    end = hv.Points(([px[-1]], [py[-1]]), plane)
    start = hv.Points(_flat(np.array(network.START_WEIGHTS)), plane)
    names = hv.Labels([(0.15, 0.03, "w₁"), (0.85, 0.03, "w₂"), (0.5, 0.76, "w₃")], plane, "w")
    best = grid[np.argmin(losses)]
    layers = [
        dots.opts(color="loss", cmap=LOSS_COLOURS, size=13, colorbar=True, line_color=None),
        way.opts(color=red, line_width=2),
        start.opts(color=red, marker="circle", size=9),
        end.opts(color=red, marker="square", size=12),
        names.opts(text_color=GREY, text_font_size="9pt"),
    ]
    look = style.bare(430, 360, (0.06, 0.94), (-0.03, 0.83)) | {"show_legend": False}
    title = f"best fixed weights {best[0]:.2f}, {best[1]:.2f}, {best[2]:.2f}"
    return style.over(layers, title=title, **look)


def losses(run: xr.Dataset, fixed: FloatArray) -> hv.Overlay:
    """Loss over time, averaged over 100 steps, of the learner and of fixed weights."""
    x, y = ("t", "time (steps)"), ("mean_loss", "loss, mean of 100 steps (Ψ²)")
    learned = run.loss.values
    held, ours = (np.convolve(loss, np.ones(100) / 100, "valid") for loss in (fixed, learned))
    steps = np.arange(ours.size)
    still = style.curve((steps, held), x, y, "fixed", GREY, "dashed")
    moving = style.curve((steps, ours), x, y, "learning", "blue")
    title = f"learning takes away {1 - learned.mean() / fixed.mean():.1%} of the loss"
    look = {"legend_position": "top_right", "title": title}
    return style.over(still * moving, width=430, height=360, **look)


class LearningApp(App):
    """Weights on their way over the simplex, and what it does to the loss."""

    title = "Collective-AEW"
    alt = (
        "Left, the simplex of the three weights coloured by the loss of fixed weights, with the "
        "path of the learner from its start to its end; right, the loss over time of the learner "
        "and of the fixed start weights."
    )
    columns = 2
    twin = ("policy", ("alone", "collective", "published", "reversed"))
    seed = param.Integer(1, precedence=-1)

    policy = param.Selector(
        default="collective", objects=list(twin[1]), label="How the weights move"
    )
    regime = param.Selector(
        default="llm", objects=["scraper", "llm", "phase_shift"], label="Disturbance"
    )
    eta = param.Number(0.01, bounds=(0.0005, 0.05), step=0.0005, label="Learning rate η")
    coupling = param.Number(0.0, bounds=(0.0, 1.5), step=0.1, label="Exchange κN")
    n_nodes = param.Integer(5, bounds=(1, 8), label="Nodes N")

    views: ClassVar[Any] = (simplex, losses)

    def compute(self) -> dict[str, Any]:
        """One episode, the landscape that it moves in, and the loss of the start weights held."""
        plain = network.Task(self.n_nodes, regime=self.regime, coupling=round(self.coupling, 3))
        task = replace(plain, eta=self.eta)
        grid, values = _landscape(plain, self.seed)
        run = network.episode(task, self.policy, self.seed)
        fixed = network.episode(task, "fixed", self.seed).loss.values
        return {"run": run, "grid": grid, "losses": values, "fixed": fixed}


def policies_figure(compared: dict[str, xr.Dataset]) -> hv.Overlay:
    """Loss of each policy relative to fixed weights, with intervals, one row a regime.

    Parameters
    ----------
    compared : dict
        Regime to what :func:`entro_nb.network.compare_policies` returned.
    """
    x, y = ("place", "policy"), ("ratio", "loss / loss of the start weights (1)")
    parts = []
    names: list[str] = []
    for k, (regime, study) in enumerate(compared.items()):
        names = [str(p) for p in study.policy.values if p != "fixed"]
        fixed = study.loss.sel(policy="fixed").values
        rows = [
            (i + 0.18 * (k - 1), mean_interval(study.loss.sel(policy=name).values / fixed))
            for i, name in enumerate(names)
        ]
        look = {"colour": CYCLE[k], "marker": style.MARKERS[k % 3], "size": 9}
        parts += style.estimates(rows, x, y, regime, **look)
    ticks = list(enumerate(names))
    return style.over([*parts, hv.HLine(1.0)], height=320, xticks=ticks, legend_position="top_left")


def adaptation_figure(studies: dict[str, xr.Dataset]) -> hv.Overlay:
    """Adaptation time from scratch and with transfer, one pair of points a study.

    Parameters
    ----------
    studies : dict
        Name to what :func:`entro_nb.network.transfer_study` returned.
    """
    x, y = ("study", "regime, learner, rate"), ("adaptation", "adaptation time (steps)")
    looks = (("scratch", COLOURS["orange"], "circle"), ("transfer", COLOURS["blue"], "square"))
    parts = []
    for j, (start, colour, marker) in enumerate(looks):
        rows = [
            (i + 0.16 * (j - 0.5), mean_interval(study.adaptation_time.sel(start=start).values))
            for i, study in enumerate(studies.values())
        ]
        parts += style.estimates(rows, x, y, start, colour=colour, marker=marker, size=10)
    ticks = list(enumerate(studies))
    return style.over(parts, height=300, xticks=ticks, legend_position="top_left")


CRITICAL = 0.8


@functools.lru_cache(maxsize=64)
def _run(
    kind: str, n: int, faulty: int, fault: network.Fault, isolation: network.Isolation, seed: int
) -> xr.Dataset:
    # The faults begin early, so that the slider need not be long.
    outbreak, graph = network.Outbreak(fault, isolation, onset=20), graph_of(kind, n)
    return network.contagion(graph, faulty, outbreak, steps=300, replicates=1, seed=seed)


def _outbreak(graph: Graph, run: xr.Dataset, step: int) -> hv.Overlay:
    faulty = run.faulty.values & (step >= 20)
    isolated = run.isolated.values[step]
    marks = np.where(faulty, "faulty", np.where(isolated, "isolated", "taking part"))
    lost = ~run.faulty.values & (run.psi.values[: step + 1] > CRITICAL).any(0)
    title = f"step {step}: {int(isolated.sum())} isolated, {int(lost.sum())} healthy lost"
    return network_picture(graph, run.psi.values[step], list(marks), title=title)


def _levels(run: xr.Dataset, step: int) -> hv.Overlay:
    psi = np.clip(run.psi.values, -0.5, 1.5)
    marked = np.flatnonzero(run.faulty.values).tolist()
    share = float(run.protection[0])
    title = f"{share:.0%} of the healthy nodes protected; faulty ones dashed"
    lines = hv.HLine(CRITICAL) * hv.VLine(step)
    return style.over(traces(psi, marked, height=240) * lines, ylim=(0.0, 1.2), title=title)


class IsolationApp(App):
    """Inject faults, watch them spread through the exchange, and cut the edges or not."""

    title = "Fault isolation"
    alt = (
        "A network on a circle, nodes coloured by Ψ, faulty ones as triangles and isolated ones "
        "as squares, at the step chosen; below, the traces of all nodes with the critical level."
    )
    twin = ("step", (0, 20, 23, 30, 50, 100, 299))
    seed = param.Integer(1, precedence=-1)

    step = param.Integer(60, bounds=(0, 299), label="Step shown")
    isolation = param.Selector(default="none", objects=list(network.ISOLATIONS), label="Isolation")
    fault = param.Selector(default="stuck", objects=list(network.FAULTS), label="Fault")
    n_faulty = param.Integer(2, bounds=(0, 10), label="Faulty nodes")
    n_nodes = param.Integer(15, bounds=(11, 40), label="Nodes N")
    kind = param.Selector(default="random", objects=list(GRAPHS), label="Graph")

    views: ClassVar[Any] = (_outbreak, _levels)

    def compute(self) -> dict[str, Any]:
        """The run of the present faults."""
        run = _run(self.kind, self.n_nodes, self.n_faulty, self.fault, self.isolation, self.seed)
        return {"graph": graph_of(self.kind, self.n_nodes), "run": run}


def protection_figure(study: xr.Dataset) -> hv.Layout:
    """Share of healthy nodes protected against the number of faulty ones, a panel a fault.

    Parameters
    ----------
    study : xarray.Dataset
        `protection` over ``fault, isolation, n_faulty, replicate``.
    """
    looks = {
        "none": (GREY, "circle"), "published": ("vermilion", "x"),
        "level": ("orange", "square"), "sound": ("blue", "diamond"),
    }  # fmt: skip
    x = ("k", "faulty nodes")
    y = hv.Dimension("protected", label="healthy protected (1)", range=(-0.03, 1.06))
    counts = study.n_faulty.values
    look = {
        "height": 240, "legend_position": "right", "xticks": counts.tolist(),
        "xlim": (counts[0] - 0.3, counts[-1] + 0.3),
    }  # fmt: skip
    panels = []
    for place, fault in enumerate(study.fault.values):
        parts = []
        for name, (colour, marker) in looks.items():
            mean = study.protection.sel(fault=fault, isolation=name).mean("replicate").values
            parts.append(style.curve((counts, mean), x, y, name, colour, line_width=1.5))
            parts.append(style.dots((counts, mean), x, y, name, colour, marker, size=8))
        room = {"width": WIDTH // 2 + 110 * (place == 1), "show_legend": place == 1}
        panels.append(style.over(parts, title=str(fault), **look, **room))
    return hv.Layout(panels).cols(2)


#: The figures that seeds 001 and 002 print (N to variance).
PUBLISHED = {20: 0.165380, 30: 0.197713, 50: 0.221481}

#: Numbers of nodes at which the app draws its curve.
CURVE = np.unique(np.geomspace(2, 1000, 32).round().astype(int))

X, Y = ("nodes", "nodes N"), ("variance", "variance over nodes (Ψ²)")
_BOTH = {"logx": True, "logy": True, "legend_position": "bottom_right"}


def scaling_figure(study: xr.Dataset, predicted: FloatArray, sound: xr.Dataset) -> hv.Overlay:
    """Published protocol against N, its derived curve, and the sound protocol beneath.

    Parameters
    ----------
    study : xarray.Dataset
        What :func:`entro_nb.network.scaling_study` returned.
    predicted : ndarray
        Predicted variance at each of its numbers of nodes.
    sound : xarray.Dataset
        `gentle` and `unsynchronised` over ``node_count``, up to many nodes.
    """
    n = study.node_count.values
    mean = study.variance.mean("replicate").values
    published = list(PUBLISHED.items())
    many = sound.node_count.values
    gentle, large = "sound protocol, κ = min(0.1, 1/N)", {"size": 13, "fill_alpha": 0.3}
    parts = [
        style.curve((n, predicted), X, Y, "derived from the cause", "vermilion"),
        style.dots((n, mean), X, Y, "published protocol, run here", "vermilion", size=7),
        style.dots(published, X, Y, "printed in the seeds", "purple", "diamond", **large),
        style.curve((many, sound.unsynchronised.values), X, Y, "no exchange", GREY, "dotted"),
        style.curve((many, sound.gentle.values), X, Y, gentle, "blue", "dashed"),
        hv.HLine(network.CEILING),
    ]
    return style.over(parts, **_BOTH, height=380, ylim=(1e-8, 1.0))


def law_figure(nodes: FloatArray, data: FloatArray, refit: tuple[float, ...]) -> hv.Overlay:
    """The two published fits and the best saturation law through the published points."""
    fine = np.linspace(2, 55, 200)
    few = fine[fine <= 30]
    line, saturation = network.linear_law(few), network.saturation_law(fine)
    best = network.saturation_law(fine, *refit)
    parts = [
        style.curve((few, line), X, Y, "published line", "orange", "dotted"),
        style.curve((fine, saturation), X, Y, "published saturation", "purple", "dashed"),
        style.curve((fine, best), X, Y, "best saturation", "green", "dashdot"),
        style.dots((nodes, data), X, Y, "the seeds' points", "vermilion", size=7),
    ]
    return style.over(parts, height=300, legend_position="bottom_right")


def _curve(n_nodes: int, gain: float, curve: FloatArray, value: float) -> hv.Overlay:
    free = [max(1e-7, network.unclipped_variance(int(n), gain)) for n in CURVE]
    layers = [
        style.curve((CURVE, np.minimum(free, 1e3)), X, Y, "without the clip", GREY, "dashed"),
        style.curve((CURVE, np.maximum(curve, 1e-7)), X, Y, "with the clip", "vermilion"),
        style.dots([(n_nodes, value)], X, Y, "here", "blue", "diamond", size=12),
        hv.HLine(network.CEILING),
    ]
    title = f"N = {n_nodes}: ακN = {gain * n_nodes:.2f}, variance {value:.4f}"
    return style.over(layers, **_BOTH, height=280, title=title, ylim=(1e-6, 10.0))


def clip_picture(n_nodes: int, gain: float, alpha: float) -> hv.Overlay:
    """Output of a node against its own draw, at three phases of the wave."""
    x = ("draw", "a node's own draw, of U(0, 1)")
    y = hv.Dimension("output", label="output of the node (Ψ)", range=(-0.05, 1.05))
    draw = np.linspace(0, 1, 400)
    d = network.DRAW * (draw - 0.5)
    squares = (n_nodes - 1) * network.DRAW**2 / 12
    slope = 1 - n_nodes * gain - alpha**2 * (3 * squares + n_nodes * d**2)
    curves = []
    for t, *look in (
        (94, "trough", "blue", "solid"),
        (0, "middle", "orange", "dashed"),
        (31, "crest", "green", "dotdash"),
    ):
        output = np.clip(network.common_level("scraper", t) + network.DRAW / 2 + d * slope, 0, 1)
        curves.append(style.curve((draw, output), x, y, *look, line_width=2))
    return style.over(curves, height=240, legend_position="right")


class ScalingApp(App):
    """Why the variance saturates: turn up N, and watch amplification meet the clip."""

    title = "Scaling law"
    alt = (
        "Above, the variance over nodes against N with and without the clip; below, the output of "
        "a node against its own draw at the trough, middle and crest of the wave: a steep line "
        "cut at 0 and 1 when N is large."
    )
    twin = ("n_nodes", (2, 5, 10, 20, 50, 200, 1000))

    n_nodes = param.Integer(20, bounds=(2, 1000), label="Nodes N")
    kappa = param.Number(1.0, bounds=(0.001, 2.0), step=0.001, label="κ")
    alpha = param.Number(1.0, bounds=(0.5, 5.0), step=0.1, label="Aggression α")

    views: ClassVar[Any] = (_curve, clip_picture)

    def compute(self) -> dict[str, Any]:
        """Derived variance at each N of `CURVE` for the present κ and α, and at the present N."""
        *curve, value = (
            network.predicted_variance(int(n), aggression=self.alpha, kappa=self.kappa)
            for n in (*CURVE, self.n_nodes)
        )
        return {"gain": self.alpha * self.kappa, "curve": np.array(curve), "value": value}
