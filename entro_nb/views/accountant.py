"""Views of the Accountant: a stream, its entropy, the three rates, and the class as a ribbon."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
import xarray as xr

from entro_nb.accountant import (
    AccountantConfig,
    NormalizerConfig,
    Stability,
    Thresholds,
    account,
    calibrate,
    normalize,
)
from entro_nb.accountant.calibration import RUN_LENGTH, default_thresholds
from entro_nb.streams import CHANGES, RECORDINGS, Scenario, generate, load_recording
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

__all__ = [
    "AccountantApp",
    "Measured",
    "delays_table",
    "entropy_curve",
    "measured",
    "overview",
    "rate_curve",
    "ribbon",
    "run_length_curve",
    "signal",
]

SAMPLE = hv.Dimension("sample")
_COMMON = {"width": WIDTH, "height": 100, "toolbar": "right", "xaxis": None}


@dataclass(frozen=True)
class Measured:
    """A stream with what the Accountant says about it."""

    values: Any  #: the normalised samples, shape (time,)
    frames: xr.Dataset  #: what :func:`entro_nb.account` returned
    limits: Thresholds  #: the thresholds in force


def measured(values: Any, config: AccountantConfig, limits: Thresholds) -> Measured:
    """Measure normalised samples with given thresholds in force."""
    return Measured(values, account(values, replace(config, thresholds=limits)), limits)


def signal(run: Measured) -> hv.Curve:
    """The normalised samples."""
    steps = np.arange(len(run.values))
    return hv.Curve((steps, run.values), SAMPLE, hv.Dimension("z", label="z (1)")).opts(
        hv.opts.Curve(**_COMMON, color=GREY, line_width=1)
    )


def entropy_curve(run: Measured) -> hv.Overlay:
    """H with the band outside which a frame is UNSTABLE."""
    h = run.frames.entropy.values
    axis = hv.Dimension("H", label="H (bits)")
    curve = hv.Curve((np.arange(h.size), h), SAMPLE, axis)
    low, high = (
        limit if np.isfinite(limit) else float(end)
        for limit, end in ((run.limits.entropy_low, h.min()), (run.limits.entropy_high, h.max()))
    )
    band = hv.Area(([0, h.size - 1], [low] * 2, [high] * 2), SAMPLE, [axis, "H, upper limit"])
    return (band * curve).opts(
        hv.opts.Area(color=COLOURS["green"], alpha=0.2, line_alpha=0),
        hv.opts.Curve(color=COLOURS["blue"]),
        hv.opts.Overlay(**_COMMON),
    )


def rate_curve(run: Measured, name: str, symbol: str) -> hv.Overlay:
    """One of the three rates with its limits."""
    sure = run.frames.confidence.values == 1  # before, the rates are those of the cold start
    rate = np.where(sure, run.frames[name].values, np.nan)
    limit = getattr(run.limits, name)
    limit = limit if np.isfinite(limit) else float(np.nanmax(np.abs(rate), initial=0.0))
    axis = hv.Dimension(symbol, label=f"{symbol} (bits)")
    steps = np.arange(rate.size)
    ends = [0, rate.size - 1]
    band = hv.Area((ends, [-limit] * 2, [limit] * 2), SAMPLE, [axis, f"{symbol}, upper limit"])
    return (band * hv.Curve((steps, rate), SAMPLE, axis)).opts(
        hv.opts.Area(color=COLOURS["green"], alpha=0.2, line_alpha=0),
        hv.opts.Curve(color=COLOURS["blue"]),
        hv.opts.Overlay(**_COMMON),
    )


def ribbon(run: Measured) -> hv.Rectangles:
    """The stability class along the stream: a row and a colour for each."""
    codes = run.frames.stability.values
    starts = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1])
    ends = np.append(starts[1:], codes.size)
    names = [s.name for s in Stability]
    boxes = [
        (start, codes[start] - 0.4, end, codes[start] + 0.4, names[codes[start]])
        for start, end in zip(starts, ends, strict=True)
    ]
    return hv.Rectangles(boxes, [SAMPLE, "class", "end", "top"], "stability").opts(
        hv.opts.Rectangles(
            color="stability",
            cmap={name: CLASS_COLOURS[name] for name in names},
            line_color=None,
            line_alpha=0,
            yticks=list(enumerate(names)),
            ylim=(-0.6, 5.6),
            show_legend=False,
            ylabel="",
            **(_COMMON | {"height": 190, "xaxis": "bottom"}),
        )
    )


@functools.lru_cache(maxsize=16)
def samples_of(source: str, seed: int, longest: int = 4096) -> Any:
    """Normalised samples of a recording or of a generated change."""
    if source in RECORDINGS:
        x = load_recording(source)[:longest]
        low, high = x.attrs["band"]
        return normalize(x.values, NormalizerConfig(low=low, high=high))
    scenario = Scenario(source, size={"shape": 0.95, "drift": 4.0}.get(source, 2.0))
    return generate(scenario, seed).values


@functools.lru_cache(maxsize=256)
def limits_of(config: AccountantConfig, promise: float, source: str, seed: int) -> Thresholds:
    """Thresholds for a promised run length, for a normal input or for the stream's own values."""
    if not source:
        if promise == RUN_LENGTH:
            return default_thresholds(config)
        return calibrate(config, promise, precision=0.1)
    return calibrate(config, promise, precision=0.1, reference=samples_of(source, seed))


class AccountantApp(App):
    """An Accountant on a stream of one's choice, every parameter under a slider."""

    title = "Accountant"
    alt = (
        "Five linked plots over the samples of a stream: the normalised value, its entropy with "
        "the band of the calibrated thresholds, velocity, acceleration and jerk with theirs, and "
        "the stability class as a ribbon of coloured rows."
    )
    twin = ("window", (32, 64, 128, 256))
    widgets: ClassVar[Any] = dict.fromkeys(
        ("window", "bins", "derivative_window", "promise"), pn.widgets.DiscreteSlider
    )
    seed = param.Integer(1, precedence=-1)

    source = param.Selector(
        default="earthquakes",
        objects=[*RECORDINGS, *CHANGES],
        label="Stream",
    )
    window = param.Selector(default=128, objects=[32, 64, 128, 256], label="Window (samples)")
    bins = param.Selector(default=16, objects=[8, 16, 32], label="Bins")
    derivative_window = param.Selector(
        default=32, objects=[8, 32], label="Derivative window (values)"
    )
    promise = param.Selector(
        default=10_000,
        objects=[200, 1000, 10_000],
        label="Thresholds: frames between false alarms",
    )
    null = param.Selector(
        default="standard normal values",
        objects=["standard normal values", "this stream's own values"],
        label="Calibrated for",
    )

    views: ClassVar[Any] = (
        signal,
        entropy_curve,
        lambda run: rate_curve(run, "velocity", "H′"),
        lambda run: rate_curve(run, "acceleration", "H″"),
        lambda run: rate_curve(run, "jerk", "H‴"),
        ribbon,
    )

    def compute(self) -> Measured:
        """Measure the chosen stream with the chosen parameters."""
        config = AccountantConfig(
            window=self.window, bins=self.bins, derivative_window=self.derivative_window
        )
        own = self.source if self.null.startswith("this") else ""
        limits = limits_of(config, float(self.promise), own, self.seed)
        return measured(samples_of(self.source, self.seed), config, limits)


def overview(run: Measured) -> hv.Layout:
    """All views of a measured stream under one another, linked along the samples."""
    return hv.Layout([view(run) for view in AccountantApp.views]).cols(1)


def run_length_curve(lengths: Any, promise: float) -> hv.Overlay:
    """Share of runs still without a false alarm, beside the exponential law of the promise."""
    ordered = np.sort(lengths)
    share = 1 - np.arange(1, ordered.size + 1) / ordered.size
    x = hv.Dimension("frames", label="frames since full confidence")
    y = hv.Dimension("share", label="share of runs without an alarm (1)", range=(1e-3, 1))
    times = np.linspace(0, ordered[-1], 200)
    return (
        hv.Curve((ordered, share), x, y, label="measured").opts(color=COLOURS["blue"])
        * hv.Curve((times, np.exp(-times / promise)), x, y, label="promised").opts(
            color=COLOURS["vermilion"], line_dash="dashed"
        )
    ).opts(hv.opts.Overlay(width=WIDTH, height=240, legend_position="top_right"))


def delays_table(delays: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Median delay and share noticed, detectors down and kinds of change across, as text."""

    def cell(values: Any) -> str:
        seen = np.isfinite(values)
        delay = np.median(np.where(seen, values, np.inf))
        return (
            f"{delay:.0f} ({seen.mean():.0%})" if np.isfinite(delay) else f"- ({seen.mean():.0%})"
        )

    return pd.DataFrame(
        {
            kind: [cell(row) for row in d.delay.transpose("detector", "replicate").values]
            for kind, d in delays.items()
        },
        index=[str(name) for name in next(iter(delays.values())).detector.values],
    )
