"""Views of the scaling law: the published points, their cause, and the sound protocol beneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb.network import (
    CEILING,
    linear_law,
    predicted_variance,
    saturation_law,
    unclipped_variance,
)
from entro_nb.network.scaling import DRAW, level
from entro_nb.validate import FloatArray
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, GREY, WIDTH

__all__ = ["PUBLISHED", "ScalingApp", "clip_picture", "law_figure", "scaling_figure"]

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
        hv.Curve((n, predicted), X, Y, label="derived from the cause").opts(
            color=COLOURS["vermilion"]
        ),
        hv.Scatter((n, mean), X, Y, label="published protocol, run here").opts(
            color=COLOURS["vermilion"], size=7
        ),
        hv.Scatter(published, X, Y, label="printed in the seeds").opts(
            color=COLOURS["purple"], marker="diamond", size=13, fill_alpha=0.3
        ),
        hv.Curve((many, sound.unsynchronised.values), X, Y, label="no exchange").opts(
            color=GREY, line_dash="dotted"
        ),
        hv.Curve((many, sound.gentle.values), X, Y, label="sound protocol, κ = min(0.1, 1/N)").opts(
            color=COLOURS["blue"], line_dash="dashed"
        ),
    ]
    return hv.Overlay([*parts, hv.HLine(CEILING)]).opts(
        hv.opts.Overlay(
            width=WIDTH, height=380, logx=True, logy=True, legend_position="bottom_right",
            ylim=(1e-8, 1.0),
        )
    )  # fmt: skip


def law_figure(nodes: FloatArray, data: FloatArray, refit: tuple[float, ...]) -> hv.Overlay:
    """The two published fits and the best saturation law through the published points."""
    fine = np.linspace(2, 55, 200)
    few = fine[fine <= 30]
    parts = [
        hv.Curve((few, linear_law(few)), X, Y, label="published line").opts(
            color=COLOURS["orange"], line_dash="dotted"
        ),
        hv.Curve((fine, saturation_law(fine)), X, Y, label="published saturation").opts(
            color=COLOURS["purple"], line_dash="dashed"
        ),
        hv.Curve((fine, saturation_law(fine, *refit)), X, Y, label="best saturation").opts(
            color=COLOURS["green"], line_dash="dashdot"
        ),
        hv.Scatter((nodes, data), X, Y, label="the seeds' points").opts(
            color=COLOURS["vermilion"], size=7
        ),
    ]
    return hv.Overlay(parts).opts(
        hv.opts.Overlay(width=WIDTH, height=300, legend_position="bottom_right")
    )


@dataclass(frozen=True)
class Law:
    """The derived curve for a gain, and what the clip does at one number of nodes."""

    n_nodes: int
    gain: float  #: ακ
    alpha: float
    curve: FloatArray  #: variance at each N of `CURVE`
    value: float  #: variance at n_nodes


def _curve(law: Law) -> hv.Overlay:
    free = [max(1e-7, unclipped_variance(int(n), law.gain)) for n in CURVE]
    here = hv.Scatter([(law.n_nodes, law.value)], X, Y, label="here").opts(
        color=COLOURS["blue"], size=12, marker="diamond"
    )
    title = f"N = {law.n_nodes}: ακN = {law.gain * law.n_nodes:.2f}, variance {law.value:.4f}"
    return (
        hv.Curve((CURVE, np.minimum(free, 1e3)), X, Y, label="without the clip").opts(
            color=GREY, line_dash="dashed"
        )
        * hv.Curve((CURVE, np.maximum(law.curve, 1e-7)), X, Y, label="with the clip").opts(
            color=COLOURS["vermilion"]
        )
        * here
        * hv.HLine(CEILING)
    ).opts(
        hv.opts.Overlay(
            width=WIDTH, height=280, logx=True, logy=True, ylim=(1e-6, 10.0),
            legend_position="bottom_right", title=title,
        )
    )  # fmt: skip


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
        output = np.clip(level("scraper", t) + DRAW / 2 + d * slope, 0, 1)
        curves.append(
            hv.Curve((draw, output), x, y, label=name).opts(
                color=COLOURS[colour], line_dash=dash, line_width=2
            )
        )
    return hv.Overlay(curves).opts(
        hv.opts.Overlay(width=WIDTH, height=240, legend_position="right")
    )


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

    def compute(self) -> Law:
        """Derived curve for the present κ and α, and its value at the present N."""
        curve = np.array([predicted_variance(int(n), self.alpha, kappa=self.kappa) for n in CURVE])
        value = predicted_variance(self.n_nodes, self.alpha, kappa=self.kappa)
        return Law(self.n_nodes, self.alpha * self.kappa, self.alpha, curve, value)
