"""Views of entropy itself, and of the Accountant that measures it on a stream."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
import xarray as xr

from entro_nb import accountant, entropy
from entro_nb.accountant import AccountantConfig, Stability, Thresholds
from entro_nb.results import dataset
from entro_nb.streams import CHANGES, RECORDINGS, Scenario, generate, load_recording
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, CYCLE, DASHES, GREY, WIDTH

CATEGORIES = 8
SAMPLE = hv.Dimension("sample")


def measures_of(p: FloatArray, samples: int, order: float) -> dict[str, float]:
    """Every measure of a distribution by name, in bits.

    Parameters
    ----------
    p : ndarray, shape (categories,)
        The distribution.
    samples : int
        How many samples an estimate would have.
    order : float
        Of the Rényi entropy.
    """
    mean = entropy.expected_plugin(p, samples)
    return {
        "H": float(entropy.shannon(p)),
        f"Rényi, order {order:g}": float(entropy.renyi(p, order)),
        f"plug-in estimate, mean over samples of {samples}": mean,
        "ceiling log₂ n": float(np.log2(p.size)),
    }


def distribution(p: FloatArray) -> hv.Rectangles:
    """The distribution as bars."""
    bars = [(k + 0.6, 0.0, k + 1.4, height) for k, height in enumerate(p)]
    sides = ["category", ("p", "probability (1)"), "right", "top"]
    return hv.Rectangles(bars, sides).opts(
        width=WIDTH // 2, height=260, xlim=(0.4, CATEGORIES + 0.6), ylim=(0, 1),
        xticks=list(range(1, CATEGORIES + 1)), color=COLOURS["sky"], line_color=None,
        default_tools=[],
    )  # fmt: skip


def tops(p: FloatArray) -> hv.Points:
    """What one takes hold of to drag a bar."""
    points = hv.Points([(k + 1.0, height) for k, height in enumerate(p)], ["category", "p"])
    return points.opts(color=COLOURS["blue"], size=11, marker="circle")


def measures(p: FloatArray, samples: int, order: float) -> hv.Overlay:
    """The measures of a distribution as bars with their values written on them."""
    found = list(enumerate(reversed(measures_of(p, samples, order).items())))
    # Categories would have to be the same for every state: positions with labels may change.
    boxes = [(0, k - 0.35, value, k + 0.35) for k, (_, value) in found]
    bars = hv.Rectangles(boxes, [("bits", "entropy (bits)"), "row", "end", "top"])
    bars.opts(color=COLOURS["orange"], alpha=0.5, line_color=None)
    words = [(0.05, k, f"{name}: {value:.3f}") for k, (name, value) in found]
    labels = hv.Labels(words, ["bits", "row"], "text")
    labels.opts(text_align="left", text_color=GREY, text_font_size="9pt")
    look = {"xlim": (0, 3.2), "yaxis": None, "show_grid": False}
    return style.over(bars * labels, width=WIDTH // 2 + 40, height=260, **look)


class HistogramApp(App):
    """A histogram whose bars one drags, with H, Rényi entropy and bias beside it."""

    title = "Histogram"
    alt = (
        "A distribution over eight categories as bars, and beside it Shannon entropy, Rényi "
        "entropy, the mean of the plug-in estimate and the ceiling, in bits."
    )
    columns = 2
    twin = ("samples", (8, 16, 32, 64, 128, 256))

    samples = param.Integer(32, bounds=(4, 512), label="Samples in an estimate")
    order = param.Number(2.0, bounds=(0.0, 6.0), step=0.25, label="Order of the Rényi entropy")
    bar_1, bar_2, bar_3, bar_4, bar_5, bar_6, bar_7, bar_8 = (
        param.Number(height, bounds=(0.0, 1.0), step=0.01, label=f"Bar {k}")
        for k, height in enumerate((0.9, 0.7, 0.5, 0.35, 0.25, 0.2, 0.1, 0.05), 1)
    )

    views: ClassVar[Any] = (distribution, measures)

    def compute(self) -> dict[str, FloatArray]:
        """The distribution of the present heights; all bars at zero count as all alike."""
        weights = np.array([getattr(self, f"bar_{k + 1}") for k in range(CATEGORIES)])
        if not weights.any():
            weights = np.ones(CATEGORIES)
        return {"p": weights / weights.sum()}

    def pull(self, bar: int, share: float) -> None:
        """Give a bar a probability; the others keep their proportions."""
        p = self.result.p
        share = min(max(share, 0.0), 0.99)
        rest = 1.0 - p[bar]
        others = p / rest if rest > 0.0 else np.full(CATEGORIES, 1.0 / (CATEGORIES - 1))
        weights = (1.0 - share) * others
        weights[bar] = share
        weights /= weights.max()
        self.param.update({f"bar_{k + 1}": float(w) for k, w in enumerate(weights)})

    def live(self) -> hv.Layout:
        """Linked plots that follow the parameters, and the tops of the bars under the mouse."""
        bars, beside = super().live()
        held = self.follow(lambda result: tops(result.p))
        self._drag = hv.streams.PointDraw(source=held, add=False, drag=True)
        self._drag.add_subscriber(self._dragged)
        tools = {"default_tools": ["reset"], "active_tools": ["point_draw"]}
        left = style.over(bars * held, width=WIDTH // 2, height=260, **tools)
        return hv.Layout([left, beside]).cols(self.columns)

    def _dragged(self, data: dict[str, Any] | None) -> None:
        heights = np.asarray((data or {}).get("p", ()), dtype=float)
        if heights.shape != (CATEGORIES,) or not np.isfinite(heights).all():
            return  # a point was deleted, not dragged
        moved = int(np.argmax(np.abs(heights - self.result.p)))
        self.pull(moved, float(heights[moved]))


def bias_study(bins: int, sizes: Any, draws: int, seed: int) -> xr.Dataset:
    """Mean plug-in and Miller–Madow entropy of a uniform source, measured and in theory.

    Parameters
    ----------
    bins : int
        Categories, all equally likely.
    sizes : sequence of int
        Sample sizes N.
    draws : int
        Histograms drawn at each size.
    seed : int
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        Over `samples`: normalised means `plugin`, `miller_madow` (measured), `exact` and
        `first_order` (theory), dimensionless.
    """
    rng = np.random.default_rng(seed)
    ceiling, even = np.log2(bins), [1 / bins] * bins
    drawn = [rng.multinomial(size, even, size=draws) for size in sizes]
    biases = [entropy.expected_bias(bins, int(size)) for size in sizes]
    columns = {
        "plugin": ("plug-in, measured", [entropy.plugin(n).mean() for n in drawn]),
        "miller_madow": ("Miller–Madow, measured", [entropy.miller_madow(n).mean() for n in drawn]),
        "exact": ("plug-in, exact", [entropy.expected_plugin(even, int(n)) for n in sizes]),
        "first_order": ("first order", ceiling + np.array(biases)),
    }
    return dataset(
        {
            name: ("samples", np.array(bits) / ceiling, "1", title)
            for name, (title, bits) in columns.items()
        },
        coords={"samples": (np.asarray(sizes), "1")},
        parameters={"bins": bins, "draws": draws, "seed": seed},
        title="Bias of the plug-in entropy",
    )


def bias_curves(study: xr.Dataset) -> hv.Overlay:
    """Estimated over true entropy against sample size, measured beside theory."""
    axes = (("samples", "samples in the histogram"), ("ratio", "estimate / true entropy (1)"))
    exact, first_order, plugin, corrected = (
        ((study.samples.values, study[name].values), *axes)
        for name in ("exact", "first_order", "plugin", "miller_madow")
    )
    curves = [
        style.curve(*exact, "plug-in, exact mean", "blue"),
        style.curve(*first_order, "first-order theory", GREY, "dashed"),
        style.dots(*plugin, "plug-in, measured", "blue", size=8),
        style.dots(*corrected, "Miller–Madow, measured", "orange", "triangle", size=8),
        hv.HLine(1.0),
    ]
    return style.over(curves, height=300, logx=True, legend_position="bottom_right")


def series(named: dict[str, Any], ylabel: str, height: int = 220) -> hv.Overlay:
    """Several series over the sample number, told apart by colour and dash."""
    curves = []
    for k, (name, values) in enumerate(named.items()):
        data, look = (np.arange(len(values)), values), (CYCLE[k], DASHES[k % 4])
        curves.append(style.curve(data, SAMPLE, ("value", ylabel), name, *look))
    return style.over(curves, height=height, legend_position="top_left")


def filter_gain(window: int, points: int = 400) -> hv.Overlay:
    """Gain of H′ against frequency, beside a true derivative's.

    H′ = H − mean of the last n has the transfer function 1 − (1/n)Σ z⁻ᵏ: it passes what is
    faster than the window and holds back what is slower, and nothing grows with frequency.
    """
    frequency = np.geomspace(1e-3, 0.5, points)
    z = np.exp(-2j * np.pi * np.outer(frequency, np.arange(window)))
    velocity = np.abs(1 - z.mean(axis=1))
    # What a derivative scaled to settle at the same value on a ramp would do.
    derivative = 2 * np.pi * frequency * (window - 1) / 2
    x = ("frequency", "frequency (cycles per sample)")
    y = hv.Dimension("gain", label="gain (1)", range=(1e-3, 100))
    ours = style.curve((frequency, velocity), x, y, f"H′ over {window} values", "blue")
    true = style.curve((frequency, derivative), x, y, "a derivative", "vermilion", "dashed")
    return style.over(ours * true, height=280, logx=True, logy=True, legend_position="top_left")


_COMMON: dict[str, Any] = {"width": WIDTH, "height": 100, "toolbar": "right", "xaxis": None}


@dataclass(frozen=True)
class Measured:
    """A stream with what the Accountant says about it."""

    values: Any  #: the normalised samples, shape (time,)
    frames: xr.Dataset  #: what :func:`entro_nb.account` returned
    limits: Thresholds  #: the thresholds in force
    raw: Any = None  #: the samples as received, in the stream's units, shape (time,)


def measured(values: Any, config: AccountantConfig, limits: Thresholds) -> Measured:
    """Measure normalised samples with given thresholds in force."""
    return Measured(values, accountant.account(values, replace(config, thresholds=limits)), limits)


def signal(run: Measured) -> hv.Curve:
    """The normalised samples."""
    data = (np.arange(len(run.values)), run.values)
    return style.curve(data, SAMPLE, ("z", "z (1)"), colour=GREY, line_width=1, **_COMMON)


def _between(values: Any, low: float, high: float, symbol: str) -> hv.Overlay:
    """A quantity over the samples with the band of its limits."""
    axis = (symbol, f"{symbol} (bits)")
    ends = [0, values.size - 1]
    band = hv.Area((ends, [low] * 2, [high] * 2), SAMPLE, [axis, f"{symbol}, upper limit"])
    curve = style.curve((np.arange(values.size), values), SAMPLE, axis, colour="blue")
    return style.over(style.shade(band) * curve, **_COMMON)


def _sure(run: Measured, name: str) -> Any:
    """A quantity without the warm-up, whose values lie far from all that follow."""
    sure = run.frames.confidence.values == 1
    return np.where(sure, run.frames[name].values, np.nan)


def entropy_curve(run: Measured) -> hv.Overlay:
    """H with the band outside which a frame is UNSTABLE."""
    h = _sure(run, "entropy")
    known = h[np.isfinite(h)]
    ends = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    limits = (run.limits.entropy_low, run.limits.entropy_high)
    low, high = (
        limit if np.isfinite(limit) else end for limit, end in zip(limits, ends, strict=True)
    )
    return _between(h, low, high, "H")


def rate_curve(run: Measured, name: str, symbol: str) -> hv.Overlay:
    """One of the three rates with its limits."""
    rate = _sure(run, name)
    limit = getattr(run.limits, name)
    limit = limit if np.isfinite(limit) else float(np.nanmax(np.abs(rate), initial=0.0))
    return _between(rate, -limit, limit, symbol)


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
    frame = style.rows(names) | {"height": 190, "xaxis": "bottom", "show_legend": False}
    look = {"cmap": {name: CLASS_COLOURS[name] for name in names}, "line_color": None}
    ribbon = hv.Rectangles(boxes, [SAMPLE, "class", "end", "top"], "stability")
    return ribbon.opts(**_COMMON | frame | look, color="stability", line_alpha=0)


#: The three rates as plots, in an app's `views`.
RATES = tuple(
    functools.partial(rate_curve, name=name, symbol=symbol)
    for name, symbol in (("velocity", "H′"), ("acceleration", "H″"), ("jerk", "H‴"))
)


@functools.lru_cache(maxsize=16)
def samples_of(source: str, seed: int, longest: int = 4096) -> Any:
    """Normalised samples of a recording or of a generated change."""
    if source in RECORDINGS:
        x = load_recording(source)[:longest]
        low, high = x.attrs["band"]
        return accountant.normalize(x.values, accountant.NormalizerConfig(low=low, high=high))
    scenario = Scenario(source, size={"shape": 0.95, "drift": 4.0}.get(source, 2.0))
    return generate(scenario, seed).values


@functools.lru_cache(maxsize=256)
def limits_of(config: AccountantConfig, promise: float, source: str, seed: int) -> Thresholds:
    """Thresholds for a promised run length, for a normal input or for the stream's own values."""
    if not source and promise == accountant.RUN_LENGTH:
        return accountant.default_thresholds(config)
    reference = samples_of(source, seed) if source else None
    return accountant.calibrate(config, promise, precision=0.1, reference=reference)


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

    source = param.Selector(default="earthquakes", objects=[*RECORDINGS, *CHANGES], label="Stream")
    window = param.Selector(default=128, objects=[32, 64, 128, 256], label="Window (samples)")
    bins = param.Selector(default=16, objects=[8, 16, 32], label="Bins")
    derivative_window = param.Selector(
        default=32, objects=[8, 32], label="Derivative window (values)"
    )
    promise = param.Selector(
        default=10_000, objects=[200, 1000, 10_000], label="Thresholds: frames between false alarms"
    )
    null = param.Selector(
        objects=["standard normal values", "this stream's own values"], label="Calibrated for"
    )

    views: ClassVar[Any] = (signal, entropy_curve, *RATES, ribbon)

    def compute(self) -> Measured:
        """Measure the chosen stream with the chosen parameters."""
        names = ("window", "bins", "derivative_window")
        config = AccountantConfig(**{name: getattr(self, name) for name in names})
        own = self.source if self.null.startswith("this") else ""
        limits = limits_of(config, float(self.promise), own, self.seed)
        return measured(samples_of(self.source, self.seed), config, limits)


def run_length_curve(lengths: Any, promise: float) -> hv.Overlay:
    """Share of runs still without a false alarm, beside the exponential law of the promise."""
    ordered = np.sort(lengths)
    share = 1 - np.arange(1, ordered.size + 1) / ordered.size
    x = ("frames", "frames since full confidence")
    y = hv.Dimension("share", label="share of runs without an alarm (1)", range=(1e-3, 1))
    times = np.linspace(0, ordered[-1], 200)
    law = (times, np.exp(-times / promise))
    measured = style.curve((ordered, share), x, y, "measured", "blue")
    promised = style.curve(law, x, y, "promised", "vermilion", "dashed")
    return style.over(measured * promised, height=240, legend_position="top_right")


def delays_table(delays: dict[str, xr.Dataset], nothing: xr.Dataset) -> pd.DataFrame:
    """Median delay and share noticed, detectors down and kinds of change across, as text.

    A tilde marks a share that is no more than two standard errors above that of `nothing`: the
    same detectors on streams in which nothing changes.
    """

    def rows(d: xr.Dataset) -> Any:
        return d.delay.transpose("detector", "replicate").values

    by_chance = np.isfinite(rows(nothing))
    chance, few = by_chance.mean(axis=1), 1 / by_chance.shape[1]

    def cell(values: Any, chance: float) -> str:
        seen = np.isfinite(values)
        delay = np.median(np.where(seen, values, np.inf))
        middle = f"{delay:.0f}" if np.isfinite(delay) else "-"
        error = np.sqrt(chance * (1 - chance) * (1 / seen.size + few))
        mark = "~" if seen.mean() <= chance + 2 * error else " "
        return f"{middle} ({seen.mean():.0%}){mark}"

    return pd.DataFrame(
        {
            kind: list(map(cell, rows(d), chance))
            for kind, d in (delays | {"nothing": nothing}).items()
        },
        index=[str(name) for name in next(iter(delays.values())).detector.values],
    )
