"""Views of the regime engines: trajectory, hysteresis, return map, bifurcation, matches."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import xarray as xr

from entro_nb.engine import REGIMES
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

__all__ = [
    "bifurcation_picture",
    "exponent_curve",
    "hysteresis_loop",
    "matches_picture",
    "regime_ribbon",
    "regime_trajectory",
    "return_picture",
]

STEP = hv.Dimension("time", label="step")
LOAD = hv.Dimension("load", label="load x (1)", range=(0.0, 3.6))
MARKERS = dict(zip(REGIMES, ("circle", "triangle", "square"), strict=True))


def regime_trajectory(run: xr.Dataset) -> hv.Overlay:
    """The load with its moving thresholds; each regime has a colour and a marker."""
    load, time = run.system_load.values, run.time.values
    layers = [hv.Curve((time, load), STEP, LOAD).opts(color=GREY, line_width=1)]
    for number, name in enumerate(REGIMES):
        here = run.regime.values == number
        layers.append(
            hv.Scatter((time[here], load[here]), STEP, LOAD, label=f"{name} {int(here.sum())}")
            .opts(color=CLASS_COLOURS[name], marker=MARKERS[name], size=6)
        )  # fmt: skip
    for name, dash in (("threshold_stress", "dashed"), ("threshold_critical", "dotdash")):
        layers.append(
            hv.Curve((time, run[name].values), STEP, LOAD).opts(
                color=COLOURS["purple"], line_dash=dash, line_width=1.2
            )
        )
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            width=WIDTH, height=290, legend_position="top_left", legend_cols=3, ylim=(0.0, 4.3)
        )
    )


def regime_ribbon(run: xr.Dataset) -> hv.Overlay:
    """Energy, memory and stability beside the load."""
    y = hv.Dimension("value", label="e, m, s (1)")
    layers = [
        hv.Curve((run.time.values, run[name].values), STEP, y, label=name).opts(
            color=colour, line_dash=dash
        )
        for name, colour, dash in (
            ("energy", COLOURS["vermilion"], "solid"),
            ("memory", COLOURS["purple"], "dashed"),
            ("stability", COLOURS["green"], "dotted"),
        )
    ]
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            width=WIDTH, height=190, legend_position="top_left", legend_cols=3, ylim=(-2.2, 3.4)
        )
    )


def hysteresis_loop(loop: xr.Dataset) -> hv.Overlay:
    """Load at rest while the drive climbs and while it falls."""
    x = hv.Dimension("drive", label="drive D (1)")
    layers = [
        hv.Curve((loop.drive.values, loop.system_load.sel(way=way).values), x, LOAD, label=label)
        .opts(color=colour, line_dash=dash, line_width=2.5)
        for way, label, colour, dash in (
            ("up", "climbing", COLOURS["blue"], "solid"),
            ("down", "falling", COLOURS["vermilion"], "dashed"),
        )
    ]  # fmt: skip
    return hv.Overlay(layers).opts(
        hv.opts.Overlay(
            width=WIDTH, height=260, legend_position="top_left",
            title=f"area of the loop {loop.attrs['area']:.2f}",
        )
    )  # fmt: skip


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
    return (dots * mark).opts(hv.opts.Overlay(width=WIDTH, height=260))


def exponent_curve(tree: xr.Dataset, label: str = "") -> hv.Overlay:
    """Largest Lyapunov exponent along the same parameter; above 0 lies chaos."""
    x = hv.Dimension("value", label=label or f"{tree.attrs['parameter']} (1)")
    y = hv.Dimension("exponent", label="exponent (1/step)")
    return (
        hv.Curve((tree["value"].values, tree.exponent.values), x, y).opts(
            color=COLOURS["purple"], line_dash="solid"
        )
        * hv.HLine(0.0)
    ).opts(hv.opts.Overlay(width=WIDTH, height=160))


def matches_picture(found: xr.Dataset, x: str, y: str) -> hv.Scatter:
    """Engines that give the published counts, each a dot over two of their parameters."""
    return hv.Scatter(
        (found[x].values, found[y].values),
        hv.Dimension(x, label=f"{x} (1)"),
        hv.Dimension(y, label=f"{y} (1)"),
    ).opts(
        color=COLOURS["vermilion"], size=7, marker="diamond", width=360, height=300,
        title=f"{found.attrs['version']}: {found.attrs['matches']} of {found.attrs['draws']}",
    )  # fmt: skip
