"""Views of a stream on its way through the Spokesperson, and the dashboard's app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb.accountant import AccountantConfig, NormalizerConfig, Thresholds, normalize
from entro_nb.accountant.calibration import default_thresholds
from entro_nb.spokesperson import Record, WeightedEsi
from entro_nb.streams import CATALOG, Policy, sample
from entro_nb.views.accountant import Measured, entropy_curve, measured, rate_curve, ribbon
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, GREY, WIDTH

__all__ = [
    "Afternoon",
    "SpokespersonApp",
    "afternoon",
    "from_trail",
    "index_curves",
    "overview",
    "raw_curve",
    "waits",
    "weighted_esi",
]

FRAME = hv.Dimension("sample")
_STREAM_COLOURS = (COLOURS["orange"], COLOURS["sky"], COLOURS["green"], COLOURS["purple"])
_STREAM_MARKERS = ("circle", "square", "triangle", "diamond")
_COMMON = {"width": WIDTH, "height": 110, "toolbar": "right", "xaxis": None}


@dataclass(frozen=True)
class Afternoon(Measured):
    """A stream as received, with what the Accountant says about it."""

    raw: Any = None  #: values in the stream's units, shape (time,)
    units: str = "1"


def afternoon(stream: str, limits: Thresholds, length: int = 1024) -> Afternoon:
    """Something to replay for a stream, measured with given thresholds in force."""
    source, data = CATALOG[stream], sample(stream, length)
    x = data.values[:length]
    z = normalize(x, NormalizerConfig(source.low, source.high))
    run = measured(z, AccountantConfig(), limits)
    return Afternoon(run.values, run.frames, run.limits, x, source.units)


def from_trail(frames: xr.Dataset, limits: Thresholds, units: str) -> Afternoon:
    """The same from the frames of an audit trail."""
    return Afternoon(frames.value.values, frames, limits, frames.raw.values, units)


def raw_curve(run: Afternoon) -> hv.Curve:
    """The values as received, in the stream's units."""
    axis = hv.Dimension("value", label="value (stream's units)")
    return hv.Curve((np.arange(len(run.raw)), run.raw), FRAME, axis).opts(
        hv.opts.Curve(**_COMMON, color=GREY, line_width=1, framewise=True)
    )


def index_curves(run: Afternoon) -> hv.Overlay:
    """ESI and confidence, both between 0 and 1."""
    steps = np.arange(len(run.values))
    axis = hv.Dimension("share", label="ESI, confidence (1)", range=(0, 1.02))
    esi = hv.Curve((steps, run.frames.esi.values), FRAME, axis, label="ESI")
    sure = hv.Curve((steps, run.frames.confidence.values), FRAME, axis, label="confidence")
    return (
        esi.opts(hv.opts.Curve(color=COLOURS["blue"]))
        * sure.opts(hv.opts.Curve(color=COLOURS["orange"], line_dash="dashed"))
    ).opts(hv.opts.Overlay(**_COMMON, legend_position="right"))


def weighted_esi(records: Iterable[Record], weights: Mapping[str, float]) -> hv.Overlay:
    """ESI of each stream, and their weighted ESI, as if all came at the same pace."""
    reader = WeightedEsi(weights)
    own: dict[str, list[tuple[int, float]]] = {name: [] for name in reader.weights}
    together = []
    for record in sorted(records, key=lambda r: (r.frame.sequence, r.stream)):
        reader.read(record)
        if record.stream in own and record.frame.confidence == 1.0:
            own[record.stream].append((record.frame.sequence, record.frame.esi))
            together.append((record.frame.sequence, reader.value))
    axis = hv.Dimension("esi", label="ESI (1)", range=(0, 1.02))
    curves = [
        hv.Scatter(points, FRAME, axis, label=f"{name}, weight {reader.weights[name]:g}").opts(
            hv.opts.Scatter(color=colour, marker=marker, size=3)
        )
        for (name, points), colour, marker in zip(
            own.items(), cycle(_STREAM_COLOURS), cycle(_STREAM_MARKERS), strict=False
        )
    ]
    total = hv.Curve(together, FRAME, axis, label="weighted").opts(
        hv.opts.Curve(color=COLOURS["blue"], line_width=1.6)
    )
    return hv.Overlay([*curves, total]).opts(
        hv.opts.Overlay(width=WIDTH, height=260, legend_position="right", show_grid=True)
    )


def overview(run: Afternoon) -> hv.Layout:
    """All strips of an afternoon under one another, linked along the samples."""
    return hv.Layout([view(run) for view in SpokespersonApp.views]).cols(1)


def waits(policy: Policy, failures: int = 10) -> hv.Overlay:
    """Wait before each new try against the failures in a row, from the least to the most."""
    x = hv.Dimension("failures", label="failures in a row")
    y = hv.Dimension("wait", label="wait (s)")
    k = np.arange(1, failures + 1)
    most = np.minimum(policy.cap, policy.base * 2.0 ** (k - 1))
    least = most * (1 - policy.jitter)
    band = hv.Area((k, least, most), x, [y, "most"])
    return (band * hv.Curve((k, most), x, y) * hv.Curve((k, least), x, y)).opts(
        hv.opts.Area(color=COLOURS["sky"], alpha=0.3, line_alpha=0),
        hv.opts.Curve(color=COLOURS["blue"]),
        hv.opts.Overlay(width=WIDTH, height=220, show_grid=True),
    )


class SpokespersonApp(App):
    """A session at the operator's hand: choose a stream, watch, hold, adjust, look up, save.

    Nothing runs before "Connect" is pressed, and the default is a replay, which needs no network.
    """

    title = "Live streams"
    alt = (
        "Linked strips over the frames of a stream: the value, its entropy with the calibrated "
        "band, velocity, acceleration and jerk with their limits, ESI and confidence, and the "
        "stability class as a ribbon of coloured rows."
    )
    twin = ("stream", ("usgs", "wikipedia", "noaa", "mta"))
    widgets: ClassVar[Any] = {"velocity": {"type": pn.widgets.FloatSlider, "throttled": True}}

    stream = param.Selector(
        default="usgs",
        objects={source.title: name for name, source in CATALOG.items()},
        label="Stream",
    )
    network = param.Boolean(False, label="Live, over the network")
    pace = param.Selector(default=50, objects=[10, 50, 200], label="Replay (values a second)")
    velocity = param.Number(
        round(default_thresholds(AccountantConfig()).velocity, 2),
        bounds=(0.01, 1.5),
        step=0.01,
        label="Threshold: |H′| of DRIFTING (bits)",
    )

    views: ClassVar[Any] = (
        raw_curve,
        entropy_curve,
        lambda run: rate_curve(run, "velocity", "H′"),
        lambda run: rate_curve(run, "acceleration", "H″"),
        lambda run: rate_curve(run, "jerk", "H‴"),
        index_curves,
        ribbon,
    )

    @property
    def limits(self) -> Thresholds:
        """The calibrated thresholds, with the operator's own limit of H′."""
        return replace(default_thresholds(AccountantConfig()), velocity=self.velocity)

    def compute(self) -> Afternoon:
        """Replay of the chosen stream, all at once."""
        return afternoon(self.stream, self.limits)

    def panel(self) -> pn.viewable.Viewable:
        """The dashboard."""
        from entro_nb.views.spokesperson_board import Dashboard

        return Dashboard(self).layout()
