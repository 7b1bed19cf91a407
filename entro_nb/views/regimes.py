"""Views of the regime engines: trajectory, hysteresis, return map, bifurcation, matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb import engine
from entro_nb.engine import REGIMES
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY

STEP = hv.Dimension("time", label="step")
LOAD = hv.Dimension("load", label="load x (1)", range=(0.0, 3.6))
MARKERS = dict(zip(REGIMES, ("circle", "triangle", "square"), strict=True))


def regime_trajectory(run: xr.Dataset) -> hv.Overlay:
    """The load with its moving thresholds; each regime has a colour and a marker."""
    load, time = run.system_load.values, run.time.values
    layers = [style.curve((time, load), STEP, LOAD, colour=GREY, line_width=1)]
    for number, name in enumerate(REGIMES):
        here = run.regime.values == number
        layers.append(
            style.dots(
                (time[here], load[here]),
                STEP,
                LOAD,
                f"{name} {int(here.sum())}",
                CLASS_COLOURS[name],
                MARKERS[name],
                size=6,
            )
        )
    for name, dash in (("threshold_stress", "dashed"), ("threshold_critical", "dotdash")):
        layers.append(
            style.curve(
                (time, run[name].values), STEP, LOAD, colour="purple", dash=dash, line_width=1.2
            )
        )
    return style.over(
        layers, height=290, legend_position="top_left", legend_cols=3, ylim=(0.0, 4.3)
    )


def regime_ribbon(run: xr.Dataset) -> hv.Overlay:
    """Energy, memory and stability beside the load."""
    y = hv.Dimension("value", label="e, m, s (1)")
    layers = [
        style.curve((run.time.values, run[name].values), STEP, y, name, colour, dash)
        for name, colour, dash in (
            ("energy", COLOURS["vermilion"], "solid"),
            ("memory", COLOURS["purple"], "dashed"),
            ("stability", COLOURS["green"], "dotted"),
        )
    ]
    return style.over(
        layers, height=190, legend_position="top_left", legend_cols=3, ylim=(-2.2, 3.4)
    )


def hysteresis_loop(loop: xr.Dataset) -> hv.Overlay:
    """Load at rest while the drive climbs and while it falls."""
    x = hv.Dimension("drive", label="drive D (1)")
    layers = [
        style.curve(
            (loop.drive.values, loop.system_load.sel(way=way).values),
            x,
            LOAD,
            label,
            colour,
            dash,
            line_width=2.5,
        )
        for way, label, colour, dash in (
            ("up", "climbing", COLOURS["blue"], "solid"),
            ("down", "falling", COLOURS["vermilion"], "dashed"),
        )
    ]
    return style.over(
        layers,
        height=260,
        legend_position="top_left",
        title=f"area of the loop {loop.attrs['area']:.2f}",
    )


def return_picture(pairs: xr.Dataset) -> hv.Overlay:
    """Each load against the next, with the diagonal on which nothing changes."""
    following = hv.Dimension("following", label="next load (1)", range=(0.0, 3.6))
    dots = hv.Scatter((pairs.system_load.values, pairs.following.values), LOAD, following)
    diagonal = hv.Curve(([0.0, 3.6], [0.0, 3.6]), LOAD, following)
    return (diagonal * dots).opts(
        hv.opts.Scatter(color=COLOURS["blue"], size=4),
        hv.opts.Curve(color=GREY, line_dash="dashed", line_width=1),
        hv.opts.Overlay(width=360, height=320, title="return map"),
    )


def bifurcation_picture(tree: xr.Dataset, here: float | None = None, label: str = "") -> hv.Overlay:
    """Loads that are visited along a parameter; a line marks where the engine stands."""
    x = hv.Dimension("value", label=label or f"{tree.attrs['parameter']} (1)")
    values = np.repeat(tree["value"].values, tree.sizes["sample"])
    dots = hv.Points((values, tree.system_load.values.ravel()), [x, LOAD]).opts(
        color=COLOURS["blue"], size=1.2, alpha=0.4, line_alpha=0
    )
    mark = hv.VLine(tree["value"].values[0] if here is None else here).opts(
        color=COLOURS["vermilion"], alpha=0.0 if here is None else 1.0
    )
    return style.over(dots * mark, height=260)


def exponent_curve(tree: xr.Dataset, label: str = "") -> hv.Overlay:
    """Largest Lyapunov exponent along the same parameter; above 0 lies chaos."""
    x = hv.Dimension("value", label=label or f"{tree.attrs['parameter']} (1)")
    y = hv.Dimension("exponent", label="exponent (1/step)")
    return style.over(
        style.curve(
            (tree["value"].values, tree.exponent.values), x, y, colour="purple", dash="solid"
        )
        * hv.HLine(0.0),
        height=160,
    )


def matches_picture(found: xr.Dataset, x: str, y: str) -> hv.Scatter:
    """Engines that give the published counts, each a dot over two of their parameters."""
    across, up = (hv.Dimension(name, label=f"{name} (1)") for name in (x, y))
    data = (found[x].values, found[y].values)
    title = f"{found.attrs['version']}: {found.attrs['matches']} of {found.attrs['draws']}"
    return style.dots(data, across, up, "", "vermilion", "diamond", size=7).opts(
        width=360, height=300, title=title
    )


@dataclass(frozen=True)
class Explored:
    """A regime engine, its run, and what it does along its own parameter."""

    engine: engine.WaveEngine | engine.AttractorEngine
    run: xr.Dataset
    tree: xr.Dataset
    here: float


class RegimeApp(App):
    """v9 and v10 with every parameter under a slider."""

    title = "Regimes"
    alt = (
        "The load over 80 steps with its moving thresholds, each regime with a colour and a "
        "marker; energy, memory and stability; the return map; and the bifurcation diagram with "
        "the largest Lyapunov exponent beneath, a line at the present value."
    )
    twin = ("drive", (1.2, 1.4, 1.65, 1.9, 2.2))

    version = param.Selector(default="v9", objects=["v9", "v10"], label="Engine")
    drive = param.Number(1.65, bounds=(0.3, 3.0), step=0.05, label="Drive D (1)")
    feedback = param.Number(0.15, bounds=(0.0, 0.3), step=0.01, label="Feedback g (1)")
    wear = param.Number(0.4, bounds=(0.0, 1.0), step=0.05, label="Wear h (1)")
    shift = param.Number(0.3, bounds=(0.0, 0.6), step=0.05, label="Shift of thresholds k (1)")
    stress_ratio = param.Number(0.55, bounds=(0.3, 0.95), step=0.05, label="Stress ratio f (1)")
    amplitude = param.Number(0.3, bounds=(0.0, 0.6), step=0.05, label="v9: wave A (1)")
    period = param.Number(45.0, bounds=(5.0, 100.0), step=1.0, label="v9: period P (steps)")
    rate = param.Number(2.05, bounds=(0.5, 3.5), step=0.05, label="v10: rate ρ (1)")

    views: ClassVar[Any] = (
        lambda made: regime_trajectory(made.run),
        lambda made: regime_ribbon(made.run),
        lambda made: return_picture(engine.return_map(made.engine)),
        lambda made: bifurcation_picture(made.tree, made.here, "v9: drive D, v10: rate ρ (1)"),
        lambda made: exponent_curve(made.tree, "v9: drive D, v10: rate ρ (1)"),
    )

    def compute(self) -> Explored:
        """Run the engine, and sweep its own parameter."""
        shared = {
            name: getattr(self, name)
            for name in ("drive", "feedback", "wear", "shift", "stress_ratio")
        }
        made: engine.WaveEngine | engine.AttractorEngine
        if self.version == "v9":
            made = engine.WaveEngine(**shared, amplitude=self.amplitude, period=self.period)
            values, name = [0.3 + 0.03 * k for k in range(91)], "drive"
        else:
            made = engine.AttractorEngine(**shared, rate=self.rate)
            values, name = [0.5 + 0.02 * k for k in range(151)], "rate"
        tree = engine.bifurcation(made, name, values, transient=400, samples=60, stride=1)
        return Explored(made, engine.regimes(made), tree, float(getattr(made, name)))
