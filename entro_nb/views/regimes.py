"""Views of the regime engines: trajectory, hysteresis, return map, bifurcation, matches."""

from __future__ import annotations

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
_LEGEND = {"legend_position": "top_left", "legend_cols": 3}


def regime_trajectory(run: xr.Dataset) -> hv.Overlay:
    """The load with its moving thresholds; each regime has a colour and a marker."""
    load, time = run.system_load.values, run.time.values
    layers = [style.curve((time, load), STEP, LOAD, colour=GREY, line_width=1)]
    for number, name in enumerate(REGIMES):
        here = run.regime.values == number
        data, look = (time[here], load[here]), (CLASS_COLOURS[name], MARKERS[name])
        layers.append(style.dots(data, STEP, LOAD, f"{name} {int(here.sum())}", *look, size=6))
    for name, dash in (("threshold_stress", "dashed"), ("threshold_critical", "dotdash")):
        data = (time, run[name].values)
        layers.append(style.curve(data, STEP, LOAD, "", "purple", dash, line_width=1.2))
    return style.over(layers, **_LEGEND, height=290, ylim=(0.0, 4.3))


def regime_ribbon(run: xr.Dataset) -> hv.Overlay:
    """Energy, memory and stability beside the load."""
    y = ("value", "e, m, s (1)")
    looks = (
        ("energy", "vermilion", "solid"),
        ("memory", "purple", "dashed"),
        ("stability", "green", "dotted"),
    )
    layers = [style.curve((run.time.values, run[look[0]].values), STEP, y, *look) for look in looks]
    return style.over(layers, **_LEGEND, height=190, ylim=(-2.2, 3.4))


def hysteresis_loop(loop: xr.Dataset) -> hv.Overlay:
    """Load at rest while the drive climbs and while it falls."""
    x = ("drive", "drive D (1)")
    climbing, falling = (
        (loop.drive.values, loop.system_load.sel(way=way).values) for way in ("up", "down")
    )
    return style.over(
        style.curve(climbing, x, LOAD, "climbing", "blue", line_width=2.5)
        * style.curve(falling, x, LOAD, "falling", "vermilion", "dashed", line_width=2.5),
        height=260,
        legend_position="top_left",
        title=f"area of the loop {loop.attrs['area']:.2f}",
    )


def return_picture(pairs: xr.Dataset) -> hv.Overlay:
    """Each load against the next, with the diagonal on which nothing changes."""
    following = hv.Dimension("following", label="next load (1)", range=(0.0, 3.6))
    data, diagonal = (pairs.system_load.values, pairs.following.values), ([0.0, 3.6], [0.0, 3.6])
    return style.over(
        style.curve(diagonal, LOAD, following, "", GREY, "dashed", line_width=1)
        * style.dots(data, LOAD, following, colour="blue", size=4),
        width=360,
        height=320,
        title="return map",
    )


def bifurcation_picture(tree: xr.Dataset, here: float | None = None, label: str = "") -> hv.Overlay:
    """Loads that are visited along a parameter; a line marks where the engine stands."""
    x = ("value", label or f"{tree.attrs['parameter']} (1)")
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
    x, y = ("value", label or f"{tree.attrs['parameter']} (1)"), ("exponent", "exponent (1/step)")
    data = (tree["value"].values, tree.exponent.values)
    return style.over(style.curve(data, x, y, colour="purple") * hv.HLine(0.0), height=160)


def matches_picture(found: xr.Dataset, x: str, y: str) -> hv.Scatter:
    """Engines that give the published counts, each a dot over two of their parameters."""
    across, up = ((name, f"{name} (1)") for name in (x, y))
    data = (found[x].values, found[y].values)
    title = f"{found.attrs['version']}: {found.attrs['matches']} of {found.attrs['draws']}"
    return style.dots(data, across, up, "", "vermilion", "diamond", size=7).opts(
        width=360, height=300, title=title
    )


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
        regime_trajectory, regime_ribbon, return_picture, bifurcation_picture, exponent_curve,
    )  # fmt: skip

    def compute(self) -> dict[str, Any]:
        """Run the engine, and sweep its own parameter."""
        names = ("drive", "feedback", "wear", "shift", "stress_ratio")
        shared = {name: getattr(self, name) for name in names}
        made: engine.WaveEngine | engine.AttractorEngine
        if self.version == "v9":
            made = engine.WaveEngine(**shared, amplitude=self.amplitude, period=self.period)
            values, name = [0.3 + 0.03 * k for k in range(91)], "drive"
        else:
            made = engine.AttractorEngine(**shared, rate=self.rate)
            values, name = [0.5 + 0.02 * k for k in range(151)], "rate"
        tree = engine.bifurcation(made, name, values, transient=400, samples=60, stride=1)
        return {
            "run": engine.regimes(made),
            "pairs": engine.return_map(made),
            "tree": tree,
            "here": float(getattr(made, name)),
            "label": "v9: drive D, v10: rate ρ (1)",  # one axis for both
        }
