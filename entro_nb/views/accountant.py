"""Views of the Accountant: a stream, its entropy, the three rates, and the class as a ribbon."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
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
from entro_nb.streams import KINDS, RECORDINGS, Scenario, generate, load
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, GREY, WIDTH

__all__ = ["AccountantApp", "Measured", "entropy_curve", "rate_curve", "ribbon", "signal"]

SAMPLE = hv.Dimension("sample")
_COMMON = {"width": WIDTH, "height": 130, "shared_axes": True, "toolbar": "right"}


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
    curve = hv.Curve((np.arange(h.size), h), SAMPLE, hv.Dimension("H", label="H (bits)"))
    low, high = (
        limit if np.isfinite(limit) else float(end)
        for limit, end in ((run.limits.entropy_low, h.min()), (run.limits.entropy_high, h.max()))
    )
    band = hv.Area(([0, h.size - 1], [low] * 2, [high] * 2), SAMPLE, ["H", "high"])
    return (band * curve).opts(
        hv.opts.Area(color=COLOURS["green"], alpha=0.2, line_alpha=0),
        hv.opts.Curve(color=COLOURS["blue"]),
        hv.opts.Overlay(**_COMMON),
    )


def rate_curve(run: Measured, name: str, symbol: str) -> hv.Overlay:
    """One of the three rates with its limits."""
    rate, limit = run.frames[name].values, getattr(run.limits, name)
    limit = limit if np.isfinite(limit) else float(np.nanmax(np.abs(rate)))
    axis = hv.Dimension(symbol, label=f"{symbol} (bits)")
    steps = np.arange(rate.size)
    ends = [0, rate.size - 1]
    band = hv.Area((ends, [-limit] * 2, [limit] * 2), SAMPLE, [symbol, "high"])
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
            **(_COMMON | {"height": 170}),
        )
    )


@functools.lru_cache(maxsize=16)
def samples_of(source: str, seed: int, longest: int = 4096) -> Any:
    """Normalised samples of a recording or of a generated change."""
    if source in RECORDINGS:
        x = load(source)[:longest]
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
    seed = param.Integer(1, precedence=-1)

    source = param.Selector(
        default="earthquakes",
        objects=[*RECORDINGS, *KINDS],
        label="Stream (recorded, or generated with a change at sample 1024)",
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
