"""Views of a network that learns, isolates what is faulty, and grows."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb.graphs import Graph
from entro_nb.network import (
    CEILING,
    DRAW,
    FAULTS,
    ISOLATIONS,
    START_WEIGHTS,
    Fault,
    Isolation,
    Outbreak,
    Task,
    common_level,
    contagion,
    episode,
    fixed_losses,
    linear_law,
    predicted_variance,
    saturation_law,
    simplex_grid,
    unclipped_variance,
)
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
def _landscape(task: Task, seed: int) -> tuple[FloatArray, FloatArray]:
    grid = simplex_grid(7)
    return grid, np.array([fixed_losses(task, [seed], w)[0] for w in grid])


@dataclass(frozen=True)
class Lesson:
    """An episode of learning, and the loss of fixed weights on the same task."""

    run: xr.Dataset
    grid: FloatArray
    losses: FloatArray
    fixed: FloatArray  #: loss over time of the weights at the start, held fixed


def simplex(lesson: Lesson) -> hv.Overlay:
    """Loss of fixed weights on the simplex, and the way the learner goes."""
    x, y = _flat(lesson.grid)
    loss = hv.Dimension("loss", label="loss of fixed weights (Ψ²)")
    dots = hv.Points((x, y, lesson.losses), ["wx", "wy"], loss)
    px, py = _flat(lesson.run.weights.values)
    way = hv.Path([np.column_stack([px, py])], ["wx", "wy"])
    ends = hv.Points(([px[-1]], [py[-1]]), ["wx", "wy"])
    start = hv.Points(_flat(np.array(START_WEIGHTS)), ["wx", "wy"])
    names = hv.Labels(
        [(0.15, 0.03, "w₁"), (0.85, 0.03, "w₂"), (0.5, 0.76, "w₃")], ["wx", "wy"], "w"
    )
    best = lesson.grid[np.argmin(lesson.losses)]
    title = f"best fixed weights {best[0]:.2f}, {best[1]:.2f}, {best[2]:.2f}"
    layers = [
        dots.opts(color="loss", cmap=LOSS_COLOURS, size=13, colorbar=True, line_color=None),
        way.opts(color=COLOURS["vermilion"], line_width=2),
        start.opts(color=COLOURS["vermilion"], marker="circle", size=9),
        ends.opts(color=COLOURS["vermilion"], marker="square", size=12),
        names.opts(text_color=GREY, text_font_size="9pt"),
    ]
    bare = {"xaxis": None, "yaxis": None, "show_grid": False, "show_legend": False}
    frame = {"width": 430, "height": 360, "xlim": (0.06, 0.94), "ylim": (-0.03, 0.83)}
    return style.over(layers, title=title, **bare, **frame)


def _smooth(loss: FloatArray, window: int = 100) -> FloatArray:
    return np.convolve(loss, np.ones(window) / window, "valid")


def losses(lesson: Lesson) -> hv.Overlay:
    """Loss over time, averaged over 100 steps, of the learner and of fixed weights."""
    x = hv.Dimension("t", label="time (steps)")
    y = hv.Dimension("mean_loss", label="loss, mean of 100 steps (Ψ²)")
    ours, fixed = _smooth(lesson.run.loss.values), _smooth(lesson.fixed)
    steps = np.arange(ours.size)
    saved = 1 - lesson.run.loss.values.mean() / lesson.fixed.mean()
    layers = [
        style.curve((steps, fixed), x, y, "fixed", GREY, "dashed"),
        style.curve((steps, ours), x, y, "learning", "blue"),
    ]
    title = f"learning takes away {saved:.1%} of the loss"
    return style.over(layers, width=430, height=360, legend_position="top_right", title=title)


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

    def compute(self) -> Lesson:
        """One episode, and the landscape that it moves in."""
        task = Task(
            self.n_nodes, regime=self.regime, coupling=round(self.coupling, 3), eta=self.eta
        )
        plain = Task(self.n_nodes, regime=self.regime, coupling=round(self.coupling, 3))
        grid, values = _landscape(plain, self.seed)
        run = episode(task, self.policy, self.seed)
        fixed = episode(task, "fixed", self.seed).loss.values
        return Lesson(run, grid, values, fixed)


def policies_figure(compared: dict[str, xr.Dataset]) -> hv.Overlay:
    """Loss of each policy relative to fixed weights, with intervals, one row a regime.

    Parameters
    ----------
    compared : dict
        Regime to what :func:`entro_nb.network.compare_policies` returned.
    """
    x = hv.Dimension("place", label="policy")
    y = hv.Dimension("ratio", label="loss / loss of the start weights (1)")
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
    return style.over(
        [*parts, hv.HLine(1.0)],
        height=320,
        xticks=list(enumerate(names)),
        legend_position="top_left",
    )


def adaptation_figure(studies: dict[str, xr.Dataset]) -> hv.Overlay:
    """Adaptation time from scratch and with transfer, one pair of points a study.

    Parameters
    ----------
    studies : dict
        Name to what :func:`entro_nb.network.transfer_study` returned.
    """
    x = hv.Dimension("study", label="regime, learner, rate")
    y = hv.Dimension("adaptation", label="adaptation time (steps)")
    parts = []
    for j, (start, colour, marker) in enumerate(
        (("scratch", COLOURS["orange"], "circle"), ("transfer", COLOURS["blue"], "square"))
    ):
        rows = [
            (i + 0.16 * (j - 0.5), mean_interval(study.adaptation_time.sel(start=start).values))
            for i, study in enumerate(studies.values())
        ]
        parts += style.estimates(rows, x, y, start, colour=colour, marker=marker, size=10)
    return style.over(
        parts, height=300, xticks=list(enumerate(studies)), legend_position="top_left"
    )


CRITICAL = 0.8


@dataclass(frozen=True)
class Contained:
    """A contagion run and the step that the picture shows."""

    graph: Graph
    run: xr.Dataset
    step: int


@functools.lru_cache(maxsize=64)
def _run(
    kind: str, n: int, faulty: int, fault: Fault, isolation: Isolation, seed: int
) -> xr.Dataset:
    # The faults begin early, so that the slider need not be long.
    outbreak = Outbreak(fault, isolation, onset=20)
    return contagion(graph_of(kind, n), faulty, outbreak, steps=300, replicates=1, seed=seed)


def _picture(state: Contained) -> hv.Overlay:
    faulty = state.run.faulty.values & (state.step >= 20)
    isolated = state.run.isolated.values[state.step]
    marks = np.where(faulty, "faulty", np.where(isolated, "isolated", "taking part"))
    lost = ~state.run.faulty.values & (state.run.psi.values[: state.step + 1] > CRITICAL).any(0)
    title = f"step {state.step}: {int(isolated.sum())} isolated, {int(lost.sum())} healthy lost"
    psi = state.run.psi.values[state.step]
    return network_picture(state.graph, psi, list(marks), title=title)


def _traces(state: Contained) -> hv.Overlay:
    psi = np.clip(state.run.psi.values, -0.5, 1.5)
    marked = np.flatnonzero(state.run.faulty.values).tolist()
    share = float(state.run.protection[0])
    title = f"{share:.0%} of the healthy nodes protected; faulty ones dashed"
    lines = hv.HLine(CRITICAL) * hv.VLine(state.step)
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
    isolation = param.Selector(default="none", objects=list(ISOLATIONS), label="Isolation")
    fault = param.Selector(default="stuck", objects=list(FAULTS), label="Fault")
    n_faulty = param.Integer(2, bounds=(0, 10), label="Faulty nodes")
    n_nodes = param.Integer(15, bounds=(11, 40), label="Nodes N")
    kind = param.Selector(default="random", objects=list(GRAPHS), label="Graph")

    views: ClassVar[Any] = (_picture, _traces)

    def compute(self) -> Contained:
        """The run of the present faults."""
        run = _run(self.kind, self.n_nodes, self.n_faulty, self.fault, self.isolation, self.seed)
        return Contained(graph_of(self.kind, self.n_nodes), run, self.step)


def protection_figure(study: xr.Dataset) -> hv.Layout:
    """Share of healthy nodes protected against the number of faulty ones, a panel a fault.

    Parameters
    ----------
    study : xarray.Dataset
        `protection` over ``fault, isolation, n_faulty, replicate``.
    """
    looks = {
        "none": (GREY, "circle"),
        "published": (COLOURS["vermilion"], "x"),
        "level": (COLOURS["orange"], "square"),
        "sound": (COLOURS["blue"], "diamond"),
    }
    x = hv.Dimension("k", label="faulty nodes")
    y = hv.Dimension("protected", label="healthy protected (1)", range=(-0.03, 1.06))
    panels = []
    first, last = study.n_faulty.values[[0, -1]]
    for place, fault in enumerate(study.fault.values):
        parts = []
        for name, (colour, marker) in looks.items():
            mean = study.protection.sel(fault=fault, isolation=name).mean("replicate").values
            at = (study.n_faulty.values, mean)
            parts += [
                style.curve(at, x, y, name, colour, line_width=1.5),
                style.dots(at, x, y, name, colour, marker, size=8),
            ]
        panels.append(
            style.over(
                parts,
                width=WIDTH // 2 + 110 * (place == 1),
                height=240,
                title=str(fault),
                xlim=(first - 0.3, last + 0.3),
                xticks=study.n_faulty.values.tolist(),
                legend_position="right",
                show_legend=place == 1,
            )
        )
    return hv.Layout(panels).cols(2)


#: The figures that seeds 001 and 002 print (N to variance).
PUBLISHED = {20: 0.165380, 30: 0.197713, 50: 0.221481}

#: Numbers of nodes at which the app draws its curve.
CURVE = np.unique(np.geomspace(2, 1000, 32).round().astype(int))

X = hv.Dimension("nodes", label="nodes N")
Y = hv.Dimension("variance", label="variance over nodes (Ψ²)")


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
    parts = [
        style.curve((n, predicted), X, Y, "derived from the cause", "vermilion"),
        style.dots((n, mean), X, Y, "published protocol, run here", "vermilion", size=7),
        style.dots(
            published, X, Y, "printed in the seeds", "purple", "diamond", size=13, fill_alpha=0.3
        ),
        style.curve((many, sound.unsynchronised.values), X, Y, "no exchange", GREY, "dotted"),
        style.curve(
            (many, sound.gentle.values), X, Y, "sound protocol, κ = min(0.1, 1/N)", "blue", "dashed"
        ),
    ]
    return style.over(
        [*parts, hv.HLine(CEILING)],
        height=380,
        logx=True,
        logy=True,
        legend_position="bottom_right",
        ylim=(1e-8, 1.0),
    )


def law_figure(nodes: FloatArray, data: FloatArray, refit: tuple[float, ...]) -> hv.Overlay:
    """The two published fits and the best saturation law through the published points."""
    fine = np.linspace(2, 55, 200)
    few = fine[fine <= 30]
    parts = [
        style.curve((few, linear_law(few)), X, Y, "published line", "orange", "dotted"),
        style.curve((fine, saturation_law(fine)), X, Y, "published saturation", "purple", "dashed"),
        style.curve(
            (fine, saturation_law(fine, *refit)), X, Y, "best saturation", "green", "dashdot"
        ),
        style.dots((nodes, data), X, Y, "the seeds' points", "vermilion", size=7),
    ]
    return style.over(parts, height=300, legend_position="bottom_right")


@dataclass(frozen=True)
class Saturating:
    """The derived curve for a gain, and what the clip does at one number of nodes."""

    n_nodes: int
    gain: float  #: ακ
    alpha: float
    curve: FloatArray  #: variance at each N of `CURVE`
    value: float  #: variance at n_nodes


def _curve(law: Saturating) -> hv.Overlay:
    free = [max(1e-7, unclipped_variance(int(n), law.gain)) for n in CURVE]
    here = style.dots([(law.n_nodes, law.value)], X, Y, "here", "blue", "diamond", size=12)
    title = f"N = {law.n_nodes}: ακN = {law.gain * law.n_nodes:.2f}, variance {law.value:.4f}"
    layers = [
        style.curve((CURVE, np.minimum(free, 1e3)), X, Y, "without the clip", GREY, "dashed"),
        style.curve((CURVE, np.maximum(law.curve, 1e-7)), X, Y, "with the clip", "vermilion"),
        here,
        hv.HLine(CEILING),
    ]
    both = {"logx": True, "logy": True, "ylim": (1e-6, 10.0)}
    return style.over(layers, height=280, legend_position="bottom_right", title=title, **both)


def clip_picture(n_nodes: int, gain: float, alpha: float) -> hv.Overlay:
    """Output of a node against its own draw, at three phases of the wave."""
    x = hv.Dimension("draw", label="a node's own draw, of U(0, 1)")
    y = hv.Dimension("output", label="output of the node (Ψ)", range=(-0.05, 1.05))
    draw = np.linspace(0, 1, 400)
    d = DRAW * (draw - 0.5)
    squares = (n_nodes - 1) * DRAW**2 / 12
    slope = 1 - n_nodes * gain - alpha**2 * (3 * squares + n_nodes * d**2)
    curves = []
    phases = {"trough": 94, "middle": 0, "crest": 31}
    looks = (("blue", "solid"), ("orange", "dashed"), ("green", "dotdash"))
    for (name, t), (colour, dash) in zip(phases.items(), looks, strict=True):
        output = np.clip(common_level("scraper", t) + DRAW / 2 + d * slope, 0, 1)
        curves.append(style.curve((draw, output), x, y, name, COLOURS[colour], dash, line_width=2))
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

    views: ClassVar[Any] = (_curve, lambda law: clip_picture(law.n_nodes, law.gain, law.alpha))

    def compute(self) -> Saturating:
        """Derived curve for the present κ and α, and its value at the present N."""
        curve = np.array([predicted_variance(int(n), self.alpha, kappa=self.kappa) for n in CURVE])
        value = predicted_variance(self.n_nodes, self.alpha, kappa=self.kappa)
        return Saturating(self.n_nodes, self.alpha * self.kappa, self.alpha, curve, value)
