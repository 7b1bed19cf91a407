"""Views of a network that learns, isolates what is faulty, and grows."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb import network
from entro_nb.graphs import Graph
from entro_nb.results import mean_interval
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.network import GRAPHS, graph_of, network_picture, traces
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

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
    frame = style.bare(430, 360, (0.06, 0.94), (-0.03, 0.83))
    title = f"best fixed weights {best[0]:.2f}, {best[1]:.2f}, {best[2]:.2f}"
    return style.over(layers, title=title, show_legend=False, **frame)


def losses(run: xr.Dataset, fixed: FloatArray) -> hv.Overlay:
    """Loss over time, averaged over 100 steps, of the learner and of fixed weights."""
    x, y = ("t", "time (steps)"), ("mean_loss", "loss, mean of 100 steps (Ψ²)")
    learned = run.loss.values
    held, ours = (np.convolve(loss, np.ones(100) / 100, "valid") for loss in (fixed, learned))
    steps = np.arange(ours.size)
    return style.over(
        style.curve((steps, held), x, y, "fixed", GREY, "dashed")
        * style.curve((steps, ours), x, y, "learning", "blue"),
        width=430,
        height=360,
        legend_position="top_right",
        title=f"learning takes away {1 - learned.mean() / fixed.mean():.1%} of the loss",
    )


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
        default="collective",
        objects=["alone", "collective", "published", "reversed"],
        label="How the weights move",
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
    markers = ("circle", "square", "triangle")
    parts = []
    names: list[str] = []
    for k, (regime, study) in enumerate(compared.items()):
        names = [str(p) for p in study.policy.values if p != "fixed"]
        fixed = study.loss.sel(policy="fixed").values
        rows = [
            (i + 0.18 * (k - 1), mean_interval(study.loss.sel(policy=name).values / fixed))
            for i, name in enumerate(names)
        ]
        look = {"colour": CYCLE[k], "marker": markers[k % 3], "size": 9}
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
    return style.over(
        parts, height=300, xticks=list(enumerate(studies)), legend_position="top_left"
    )


CRITICAL = 0.8


@functools.lru_cache(maxsize=64)
def _run(
    kind: str, n: int, faulty: int, fault: network.Fault, isolation: network.Isolation, seed: int
) -> xr.Dataset:
    # The faults begin early, so that the slider need not be long.
    outbreak = network.Outbreak(fault, isolation, onset=20)
    return network.contagion(
        graph_of(kind, n), faulty, outbreak, steps=300, replicates=1, seed=seed
    )


def _picture(graph: Graph, run: xr.Dataset, step: int) -> hv.Overlay:
    faulty = run.faulty.values & (step >= 20)
    isolated = run.isolated.values[step]
    marks = np.where(faulty, "faulty", np.where(isolated, "isolated", "taking part"))
    lost = ~run.faulty.values & (run.psi.values[: step + 1] > CRITICAL).any(0)
    title = f"step {step}: {int(isolated.sum())} isolated, {int(lost.sum())} healthy lost"
    return network_picture(graph, run.psi.values[step], list(marks), title=title)


def _traces(run: xr.Dataset, step: int) -> hv.Overlay:
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

    views: ClassVar[Any] = (_picture, _traces)

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
    panels = []
    for place, fault in enumerate(study.fault.values):
        parts = []
        for name, (colour, marker) in looks.items():
            mean = study.protection.sel(fault=fault, isolation=name).mean("replicate").values
            parts.append(style.curve((counts, mean), x, y, name, colour, line_width=1.5))
            parts.append(style.dots((counts, mean), x, y, name, colour, marker, size=8))
        panels.append(
            style.over(
                parts,
                width=WIDTH // 2 + 110 * (place == 1),
                height=240,
                title=str(fault),
                xlim=(counts[0] - 0.3, counts[-1] + 0.3),
                xticks=counts.tolist(),
                legend_position="right",
                show_legend=place == 1,
            )
        )
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
    gentle = "sound protocol, κ = min(0.1, 1/N)"
    parts = [
        style.curve((n, predicted), X, Y, "derived from the cause", "vermilion"),
        style.dots((n, mean), X, Y, "published protocol, run here", "vermilion", size=7),
        style.dots(published, X, Y, "printed in the seeds", "purple", "diamond").opts(
            size=13, fill_alpha=0.3
        ),
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
    phases = (
        (94, "trough", "blue", "solid"),
        (0, "middle", "orange", "dashed"),
        (31, "crest", "green", "dotdash"),
    )
    for t, *look in phases:
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
        derived = functools.partial(
            network.predicted_variance, aggression=self.alpha, kappa=self.kappa
        )
        curve = np.array([derived(int(n)) for n in CURVE])
        return {"gain": self.alpha * self.kappa, "curve": curve, "value": derived(self.n_nodes)}
