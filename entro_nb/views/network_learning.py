"""Views of learning: the simplex of weights, losses with intervals, adaptation with transfer."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb.network import (
    START_WEIGHTS,
    Task,
    episode,
    fixed_losses,
    mean_interval,
    simplex_grid,
)
from entro_nb.validate import FloatArray
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

__all__ = ["LearningApp", "adaptation_figure", "policies_figure", "simplex"]

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
    return (
        dots.opts(
            hv.opts.Points(color="loss", cmap=LOSS_COLOURS, size=13, colorbar=True, line_color=None)
        )
        * way.opts(hv.opts.Path(color=COLOURS["vermilion"], line_width=2))
        * start.opts(hv.opts.Points(color=COLOURS["vermilion"], marker="circle", size=9))
        * ends.opts(hv.opts.Points(color=COLOURS["vermilion"], marker="square", size=12))
        * names.opts(hv.opts.Labels(text_color=GREY, text_font_size="9pt"))
    ).opts(
        hv.opts.Overlay(
            width=430, height=360, xaxis=None, yaxis=None, show_grid=False, title=title,
            xlim=(0.06, 0.94), ylim=(-0.03, 0.83), show_legend=False,
        )
    )  # fmt: skip


def _smooth(loss: FloatArray, window: int = 100) -> FloatArray:
    return np.convolve(loss, np.ones(window) / window, "valid")


def losses(lesson: Lesson) -> hv.Overlay:
    """Loss over time, averaged over 100 steps, of the learner and of fixed weights."""
    x = hv.Dimension("t", label="time (steps)")
    y = hv.Dimension("mean_loss", label="loss, mean of 100 steps (Ψ²)")
    ours, fixed = _smooth(lesson.run.loss.values), _smooth(lesson.fixed)
    steps = np.arange(ours.size)
    saved = 1 - lesson.run.loss.values.mean() / lesson.fixed.mean()
    return (
        hv.Curve((steps, fixed), x, y, label="fixed").opts(color=GREY, line_dash="dashed")
        * hv.Curve((steps, ours), x, y, label="learning").opts(color=COLOURS["blue"])
    ).opts(
        hv.opts.Overlay(
            width=430, height=360, legend_position="top_right",
            title=f"learning takes away {saved:.1%} of the loss",
        )
    )  # fmt: skip


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
        rows = []
        for i, name in enumerate(names):
            value, low, high = mean_interval(study.loss.sel(policy=name).values / fixed)
            rows.append((i + 0.18 * (k - 1), value, value - low, high - value))
        parts += [
            hv.ErrorBars(rows, x, [y, "below", "above"]).opts(hv.opts.ErrorBars(color=CYCLE[k])),
            hv.Scatter([r[:2] for r in rows], x, y, label=regime).opts(
                color=CYCLE[k], marker=markers[k % 3], size=9
            ),
        ]
    return hv.Overlay([*parts, hv.HLine(1.0)]).opts(
        hv.opts.Overlay(
            width=WIDTH, height=320, xticks=list(enumerate(names)), legend_position="top_left"
        )
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
        rows = []
        for i, study in enumerate(studies.values()):
            times = study.adaptation_time.sel(start=start).values
            value, low, high = mean_interval(times)
            rows.append((i + 0.16 * (j - 0.5), value, value - low, high - value))
        parts += [
            hv.ErrorBars(rows, x, [y, "below", "above"]).opts(hv.opts.ErrorBars(color=colour)),
            hv.Scatter([r[:2] for r in rows], x, y, label=start).opts(
                color=colour, marker=marker, size=10
            ),
        ]
    return hv.Overlay(parts).opts(
        hv.opts.Overlay(
            width=WIDTH, height=300, xticks=list(enumerate(studies)), legend_position="top_left"
        )
    )
