"""Views of period reports: a period at a glance, and the periods side by side."""

from __future__ import annotations

from collections.abc import Sequence

import holoviews as hv
import numpy as np
import xarray as xr

from entro_nb.periods import Summary
from entro_nb.periods.readings import REGIMES
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

__all__ = ["glance", "health_curve", "psi_curve", "regime_bars"]

TIME = hv.Dimension("time", label="time (UTC)")
#: Points drawn of a curve, at most; more are grouped, and of each group the largest is drawn.
POINTS = 1500


def _within(data: xr.Dataset, summary: Summary) -> xr.Dataset:
    start, stop = (np.datetime64(t, "ns") for t in (summary.period.start, summary.period.stop))
    times = data.time.values
    return data.isel(time=slice(*np.searchsorted(times, [start, stop])))


def psi_curve(data: xr.Dataset, summary: Summary) -> hv.Overlay:
    """Ψ in a period, with its budget; what is above it is filled."""
    part = _within(data, summary)
    group = max(part.sizes["time"] // POINTS, 1)
    ends = np.arange(0, part.sizes["time"], group)
    psi = np.maximum.reduceat(part.psi.values, ends) if ends.size else part.psi.values
    time = part.time.values[ends]
    axis = hv.Dimension("psi", label="Ψ (nats)")
    above = np.where(psi > summary.budget, psi, summary.budget)
    top = hv.Dimension("psi above", label="Ψ above the budget (nats)")
    area = hv.Area((time, above, np.full(psi.size, summary.budget)), TIME, [axis, top])
    budget = hv.HLine(summary.budget)
    return (area * hv.Curve((time, psi), TIME, axis) * budget).opts(
        hv.opts.Area(color=COLOURS["vermilion"], alpha=0.4, line_alpha=0),
        hv.opts.Curve(color=COLOURS["blue"], line_width=1),
        hv.opts.HLine(color=GREY),
        hv.opts.Overlay(width=WIDTH, height=220, title=f"Ψ and its budget, {summary.period.label}"),
    )


def regime_bars(summaries: Sequence[Summary]) -> hv.Bars:
    """Share of the readings in each regime, period by period."""
    rows = [
        (s.period.label, name, 100.0 * s.tally.share(k) if s.tally.count else 0.0)
        for s in summaries
        for k, name in enumerate(REGIMES)
    ]
    share = hv.Dimension("share", label="readings (%)")
    return hv.Bars(rows, ["period", "regime"], share).opts(
        stacked=True,
        color="regime",
        cmap=[CLASS_COLOURS[name] for name in REGIMES],
        line_color=None,
        width=WIDTH,
        height=240,
        xrotation=60,
        legend_position="right",
        title="Regimes",
    )


def health_curve(summaries: Sequence[Summary]) -> hv.Overlay:
    """Health of each period, and its risk as a marker."""
    known = [s for s in summaries if s.tally.count]
    axis = hv.Dimension("health", label="health (of 100)", range=(0, 105))
    markers = {
        "LOW": ("circle", "green"),
        "MODERATE": ("triangle", "orange"),
        "HIGH": ("square", "vermilion"),
    }
    curve = hv.Curve([(s.period.label, s.health) for s in known], "period", axis)
    overlay = curve.opts(color=GREY, line_width=1)
    for risk, (marker, colour) in markers.items():
        points = [(s.period.label, s.health) for s in known if s.risk == risk]
        if points:
            overlay = overlay * hv.Scatter(points, "period", axis, label=f"risk {risk}").opts(
                marker=marker, color=COLOURS[colour], size=9
            )
    return overlay.opts(
        hv.opts.Overlay(
            width=WIDTH, height=220, xrotation=60, legend_position="right", title="Health and risk"
        )
    )


def glance(data: xr.Dataset, summary: Summary, around: Sequence[Summary]) -> hv.Layout:
    """A period at a glance: its Ψ, and how it stands among its neighbours."""
    parts = [psi_curve(data, summary), regime_bars(around), health_curve(around)]
    return hv.Layout(parts).opts(shared_axes=False).cols(1)
