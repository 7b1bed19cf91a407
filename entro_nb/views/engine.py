"""Views of ENTRO-ENGINE: the control law, trajectories, predictions, laws, stability; regimes.

Of the regime engines: trajectory, hysteresis, return map, bifurcation, and who gives the
published counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb import engine
from entro_nb.engine import REGIMES, SHAPES, ENTROEngineController, Law, Plant, PublishedRow
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, CYCLE, GREY, WIDTH

TIME = hv.Dimension("time", unit="s")
QUEUE = ("queue", "queue q (requests)")
_STRIP: dict[str, Any] = {"width": WIDTH, "height": 150, "toolbar": "right"}
_SMALL = {"fontsize": {"legend": 8}}


def control_surface(law: ENTROEngineController, pressure_max: float = 2.0) -> hv.Overlay:
    """Eq. 14 as a surface: u over a subsystem's share and the pressure above the budget."""
    share = np.linspace(0.0, 1.0, 81)
    pressure = np.linspace(0.0, pressure_max, 101)
    total = law.psi_budget + pressure
    u = law.compute_control(share * total[:, np.newaxis], total[:, np.newaxis]).u
    plane = [("share", "share ρ (1)"), ("pressure", "pressure Δ (nats)")]
    value = hv.Dimension("u", label="u (1)", range=(-law.alpha, 0.0))
    image = hv.Image((share, pressure, u), plane, value)
    lines = hv.operation.contours(image, levels=np.linspace(-0.9, -0.1, 5) * law.alpha)
    image.opts(cmap="Viridis", colorbar=True, clabel="u (1)", width=WIDTH, height=300)
    lines.opts(color=GREY, line_width=1, show_legend=False, cmap=[GREY])
    return style.over(image * lines, height=300)


def culprit_share(rate: float, alpha: float, queue_max: float = 100.0) -> hv.Overlay:
    """Share of the scraper and the strongest signal that it can get, while its queue grows."""
    queue = np.linspace(0.0, queue_max, 201)
    share = math.log1p(rate) / (math.log1p(rate) + np.log1p(queue))
    y = hv.Dimension("value", label="share, signal (1)", range=(0.0, 1.05))
    own = style.curve((queue, share), QUEUE, y, "share ρ of the scraper", "blue")
    most = style.curve((queue, alpha * share), QUEUE, y, "strongest |u|, α·ρ", "vermilion")
    return style.over(own * most, height=240, legend_position="top_right")


def _shaded(run: xr.Dataset, replicate: int, low: float, high: float) -> hv.Rectangles:
    """Stretches in which the budget is broken, as boxes from `low` to `high`."""
    broken = run.violation.values[replicate].astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], broken, [0]])))
    time = np.append(run.time.values, run.time.values[-1] + run.attrs["dt"])
    boxes = [(time[a], low, time[b], high) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return hv.Rectangles(boxes, [TIME, "low", "stop", "high"]).opts(
        color=COLOURS["vermilion"], alpha=0.18, line_alpha=0
    )


def total_curve(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """Ψ_total beside the budget, with the steps that break it shaded."""
    psi = run.psi_total.values[replicate]
    top = max(float(psi.max()), run.attrs["budget"]) * 1.08
    y = hv.Dimension("psi_total", label="Ψ_total (nats)", range=(0.0, top))
    curve = style.curve((run.time, psi), TIME, y, "Ψ_total", "blue")
    line = hv.HLine(run.attrs["budget"]).opts(color=COLOURS["vermilion"])
    title = f"{run.attrs['law_label']}: {int(run.violations[replicate])} steps above the budget"
    look = _STRIP | {"height": 200, "title": title, "show_legend": False, "ylabel": y.label}
    return style.over(_shaded(run, replicate, 0.0, top) * curve * line, **look)


def queue_curve(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """The queue, and what has been held back so far."""
    queue = run.queue.values[replicate]
    lost = run.deferred_so_far.values[replicate] + run.refused_so_far.values[replicate]
    axes = (TIME, "requests")
    waiting = style.curve((run.time, queue), *axes, "queue", "blue")
    held = style.curve((run.time, lost), *axes, "deferred or refused so far", "orange", "dashed")
    return style.over(waiting * held, **_STRIP, **_SMALL, legend_position="top_left")


def admission_curve(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """What was offered to the sources, and what was admitted."""
    axes = (TIME, ("rate", "rate (req/s)"))
    stores = [str(name) for name in run.subsystem.values if str(name).startswith("scraper")]
    nodes = stores or [str(run.subsystem.values[0])]
    looks = (("offered", GREY, run.offered), ("admitted", "green", run.rate))
    curves = []
    for name, colour, rates in looks:
        summed = rates.sel(subsystem=nodes).sum("subsystem").values[replicate]
        curves.append(style.curve((run.time, summed), *axes, name, colour, line_width=1.2))
    return style.over(curves, **_STRIP, **_SMALL, legend_position="top_right")


def signal_curve(run: xr.Dataset, replicate: int = 0) -> hv.Curve:
    """The law's signal to the first subsystem."""
    u = run.u.values[replicate, :, 0]
    label = "u (nats)" if run.attrs["law"] == "HeadroomLaw" else "u (1)"
    return style.curve((run.time, u), TIME, ("u", label), colour="purple", **_STRIP)


def phase_portrait(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """The run as a path over queue and admitted rate, with the budget and the capacity."""
    y = hv.Dimension("rate", label="admitted rate r (req/s)", range=(0.0, 3.1))
    queue, rate = run.queue.values[replicate], run.rate.values[replicate, :, 0]
    grid = np.linspace(0.0, max(float(queue.max()) * 1.05, 20.0), 400)
    edge = np.maximum(math.exp(run.attrs["budget"]) / (1.0 + grid) - 1.0, 0.0)
    colours = np.where(run.violation.values[replicate], COLOURS["vermilion"], COLOURS["blue"])
    path = style.curve((queue, rate), QUEUE, y, colour=GREY, line_width=0.6)
    points = hv.Points((queue, rate, colours), [QUEUE, y], "colour")
    points.opts(color="colour", size=3, line_alpha=0)
    border = style.curve((grid, np.minimum(edge, 3.1)), QUEUE, y, colour="vermilion")
    title = "red line: Ψ_total = budget; dashed: capacity"
    parts = path * points * border * hv.HLine(1.2)
    return style.over(parts, height=300, show_legend=False, title=title)


def stacked(run: xr.Dataset, replicate: int = 0, every: int = 2) -> hv.Overlay:
    """Entropies of all subsystems on top of each other, under the budget line."""
    psi = run.psi.values[replicate, ::every]
    time = run.time.values[::every]
    tops = np.cumsum(psi, axis=1)
    high = max(float(tops.max()), run.attrs["budget"]) * 1.25
    y = hv.Dimension("psi", label="Ψ (nats)", range=(0.0, high))
    layers = []
    for k, name in enumerate(run.subsystem.values):
        below = tops[:, k - 1] if k else np.zeros(time.size)
        area = hv.Area((time, below, tops[:, k]), TIME, [y, "top"], label=str(name))
        layers.append(style.shade(area, CYCLE[k % len(CYCLE)], 0.6))
    line = hv.HLine(run.attrs["budget"]).opts(color=COLOURS["vermilion"], line_width=2)
    title = f"{int(run.violations[replicate])} steps above the budget (dashed)"
    look = {"legend_position": "top_right", "legend_cols": 4, "title": title}
    return style.over([*layers, line], height=280, **look)


#: How the shapes of a surge are told apart: colour and dashes.
_SHAPES = dict(
    zip(SHAPES, (("blue", "solid"), ("orange", "dashed"), ("green", "dotdash")), strict=True)
)


def family_demand(plants: Sequence[tuple[Plant, int]], each: int = 6) -> hv.Overlay:
    """Demand over time of some plants of each shape that give the same uncontrolled row."""
    since = hv.Dimension("since", label="time since the surge began (s)")
    rate = hv.Dimension("rate", label="offered rate (req/s)")
    layers, left = [], dict.fromkeys(SHAPES, each)
    for plant, _ in plants:
        if left[plant.shape]:
            label = plant.shape if left[plant.shape] == each else ""
            left[plant.shape] -= 1
            colour, dash = _SHAPES[plant.shape]
            phases = plant.phases()
            path = [(t - plant.warmup, p.rate) for p in phases for t in (p.start, p.stop)]
            layers.append(style.curve(path, since, rate, label, colour, dash, line_width=1.2))
    return style.over(layers, height=260, xlim=(-30.0, 270.0), legend_position="right")


def predictions(rows: xr.Dataset, name: str, published: Mapping[str, PublishedRow]) -> hv.Overlay:
    """Each reading's 95 % range over the plants of each shape; the published values as lines."""
    values = rows[name]
    labels = [str(r) for r in rows.reading.values][::-1]
    x = hv.Dimension(name, label=f"{values.attrs['long_name']} ({values.attrs['units']})")
    lines = [
        hv.VLine(getattr(row, name)).opts(color=GREY, line_dash=dash, line_width=2)
        for row, dash in zip(published.values(), ("solid", "dashed", "dotdash"), strict=False)
    ]
    layers: list[Any] = []
    for k, shape in enumerate(SHAPES):
        part = values.values[:, rows["shape"].values == shape]
        low, middle, high = np.percentile(part, [2.5, 50.0, 97.5], axis=1)
        places = np.arange(len(labels))[::-1] + 0.25 * (1 - k)
        colour, marker = _SHAPES[shape][0], style.MARKERS[k]
        bars = hv.Segments((low, places, high, places), [x, "reading", "high", "same"])
        layers.append(bars.opts(color=COLOURS[colour], line_width=3))
        layers.append(style.dots((middle, places), x, "reading", shape, colour, marker, size=5))
    title = "published: no control —, static limit - -, Eq. 14 - ·"
    look = style.rows(labels) | {"legend_position": "right", "xlabel": x.label, "title": title}
    return style.over([*lines, *layers], height=60 + 24 * len(labels), **look)


def over_delay(
    delays: Sequence[int], overshoot: FloatArray, spread: FloatArray, last: int
) -> hv.Overlay:
    """How far a loop overshoots and what swing stays, over its delay, and the last that settles."""
    x = hv.Dimension("delay", label="delay (steps)")
    y = hv.Dimension("nats", label="Ψ_total (nats)", range=(0.0, None))
    names = (
        ("overshoot beyond the rest", overshoot, "blue", "solid"),
        ("swing that stays", spread, "vermilion", "dashed"),
    )
    lines = [
        style.curve((delays, values), x, y, name, colour, dash)
        for name, values, colour, dash in names
    ]
    edge = hv.VLine(last + 0.5).opts(color=GREY, line_dash="dotted")
    return style.over([*lines, edge], height=260, legend_position="top_left")


def idle_steps(found: xr.Dataset) -> hv.Overlay:
    """Steps with one queue collapsed and the other empty, over the first one's share of work."""
    x = hv.Dimension("share", label="share of the first queue (1)")
    y = hv.Dimension("steps", label="steps of 1000", range=(0.0, None))
    mean = found.steps.mean("replicate")
    dashes = ("solid", "dashed", "dotdash", "dotted", "solid")
    lines = [
        style.curve((found.share, mean.sel(law=law)), x, y, str(law), colour, dash)
        for law, colour, dash in zip(found.law.values, CYCLE, dashes, strict=False)
    ]
    return style.over(lines, height=280, legend_position="right", **_SMALL)


#: How it is told what a law is told.
_TOLD = {"nothing": "blue", "the queue": "orange", "queue and demand": "green"}


def advantage(table: xr.Dataset, allowance: str = "shared", title: str = "") -> hv.Overlay:
    """Violations that each family has beyond the headroom law's, at equal work lost.

    The headroom law has its allowance in either case; bars are the range over the sets of noises.
    """
    x = hv.Dimension("loss", label="work that may be lost (%)")
    y = hv.Dimension("beyond", label="violations beyond headroom's (steps)")
    ours = table.violations.sel(allowance="shared", family="headroom")
    layers: list[Any] = []
    names = [n for n in table.family.values if n not in ("headroom", "no control")]
    for k, name in enumerate(names):
        part = table.violations.sel(allowance=allowance, family=name) - ours
        part = part.dropna("loss", how="any")
        mean = part.mean("set").values
        told = str(table.information.sel(family=name).item())
        colour, loss = _TOLD.get(told, "grey"), part.loss.values
        bars = (loss, mean, mean - part.min("set").values, part.max("set").values - mean)
        layers += [
            style.curve((loss, mean), x, y, colour=colour, line_width=0.8),
            hv.ErrorBars(bars, x, [y, "below", "above"]).opts(color=COLOURS.get(colour, GREY)),
            style.dots(
                (loss, mean), x, y, f"{name} ({told})", colour,
                style.MARKERS[k % len(style.MARKERS)], size=7,
            ),
        ]  # fmt: skip
    zero = hv.HLine(0.0).opts(color=GREY, line_width=1)
    legend = _SMALL | {"legend_position": "right", "legend_limit": 100, "axiswise": True}
    return style.over([*layers, zero], height=330, title=title, **legend)


def stability_map(
    delays: Sequence[int], gains: FloatArray, radius: Any, edge: Any, beta: float
) -> hv.Overlay:
    """Spectral radius over delay and β, its edge, and the published gain."""
    x, y = ("delay", "delay (steps)"), ("log10_beta", "log₁₀ β (β in 1/nat)")
    z = hv.Dimension("radius", label="spectral radius (1)", range=(0.85, 1.15))
    image = hv.Image((np.asarray(delays), np.log10(gains), radius), [x, y], z)
    image.opts(cmap="RdBu_r", colorbar=True, clabel="spectral radius (1)")
    border = style.curve((np.asarray(delays), np.log10(edge)), x, y, colour=GREY, line_width=3)
    title = "stable below the line, except at the bottom (no rest); dashed: published β"
    parts = image * border * hv.HLine(math.log10(beta))
    return style.over(parts, height=320, show_legend=False, title=title)


class BudgetApp(App):
    """Eq. 14 as a surface, and N subsystems stacked under the budget line."""

    title = "Entropy budget"
    alt = (
        "Above, the signal u of Eq. 14 as a surface over a subsystem's share and the pressure. "
        "Below, the entropies of several scrapers and their queue stacked over time, under the "
        "budget line."
    )
    twin = ("alpha", (0.1, 0.25, 0.5, 1.0))
    seed = param.Integer(42, precedence=-1)

    alpha = param.Number(0.5, bounds=(0.05, 2.0), step=0.05, label="α, largest pressure (1)")
    beta = param.Number(2.0, bounds=(0.1, 10.0), step=0.1, label="β, slope (1/nat)")
    budget = param.Number(3.5, bounds=(0.5, 8.0), step=0.1, label="Budget Ψ_budget (nats)")
    scrapers = param.Integer(3, bounds=(1, 6), label="Scrapers (subsystems)")

    views: ClassVar[Any] = (control_surface, stacked)

    def compute(self) -> dict[str, Any]:
        """Let several scrapers surge one after the other into one queue."""
        n = self.scrapers
        sources = []
        for k in range(n):
            times = {"warmup": 60.0 + 25.0 * k, "surge": 60.0, "duration": 400.0}
            phases = engine.three_phases(0.9 / n, 2.4 / n, 0.8 / n, **times)
            sources.append(engine.Scraper(f"scraper {k + 1}", phases, noise=0.03))
        plant = engine.fan(sources, engine.LLMQueue())
        gains = (self.alpha, self.beta, self.budget)
        run = engine.simulate(plant, engine.EntropyLaw(*gains), budget=self.budget, seed=self.seed)
        return {"law": engine.ENTROEngineController(*gains), "run": run}


ALLOWANCE = "headroom, allowance"

#: Laws by their labels: those of the table, how else Eq. 14 may act, headroom with an allowance.
_EITHER = [engine.EntropyLaw(actuation=way) for way in ("additive", "multiplicative")]
CONTROLLERS = {law.label: law for law in (*engine.LAWS.values(), *_EITHER)}
CONTROLLERS[ALLOWANCE] = engine.HeadroomLaw()


class PipelineApp(App):
    """A scraper and its queue under a law of one's choice: trajectories and phase portrait."""

    title = "Pipeline"
    alt = (
        "Total entropy with the budget line and the steps above it shaded; the queue and the "
        "work held back; the offered and admitted rate; the law's signal; and the run as a path "
        "over queue and rate."
    )
    twin = ("law", ("no control", "static limit", "ENTRO-ENGINE, integral", "PID", "headroom"))
    seed = param.Integer(42, precedence=-1)

    law = param.Selector(
        default="ENTRO-ENGINE, integral", objects=list(CONTROLLERS), label="Controller"
    )
    alpha = param.Number(0.5, bounds=(0.05, 2.0), step=0.05, label="α, largest pressure (1)")
    beta = param.Number(2.0, bounds=(0.1, 10.0), step=0.1, label="β, slope (1/nat)")
    relaxation = param.Number(0.02, bounds=(0.0, 0.2), step=0.005, label="λ, relaxation (1/s)")
    budget = param.Number(3.0, bounds=(1.0, 6.0), step=0.1, label="Budget Ψ_budget (nats)")
    allowance = param.Number(60.0, bounds=(0.0, 100.0), step=5.0, label="Allowance (requests)")
    surge = param.Number(52.0, bounds=(5.0, 200.0), step=1.0, label="Surge length (s)")
    surge_rate = param.Number(2.88, bounds=(0.5, 3.0), step=0.02, label="Surge rate (req/s)")
    recovery_rate = param.Number(0.9, bounds=(0.1, 1.15), step=0.05, label="Recovery (req/s)")
    noise = param.Number(0.05, bounds=(0.0, 0.5), step=0.01, label="Noise (req/s)")
    delay = param.Integer(0, bounds=(0, 30), label="Delay of the loop (steps)")

    views: ClassVar[Any] = (total_curve, queue_curve, admission_curve, signal_curve, phase_portrait)

    def chosen(self) -> Law:
        """The law with the present gains."""
        gains = {name: getattr(self, name) for name in ("alpha", "beta", "relaxation")}
        budget = {"psi_budget": self.budget, "setpoint": self.budget}
        law = CONTROLLERS[self.law].having(**gains, **budget)
        return law.having(allowance=self.allowance) if self.law == ALLOWANCE else law

    def compute(self) -> xr.Dataset:
        """Run the chosen law on the chosen plant."""
        rates = (1.0, self.surge_rate, self.recovery_rate)
        phases = engine.three_phases(*rates, 100.0, self.surge, 600.0)
        plant = engine.pipeline(phases, noise=self.noise)
        settings = {"delay": self.delay, "budget": self.budget, "seed": self.seed}
        return engine.simulate(plant, self.chosen(), **settings)


STEP = hv.Dimension("time", label="step")
LOAD = hv.Dimension("load", label="load x (1)", range=(0.0, 3.6))
_LEGEND = {"legend_position": "top_left", "legend_cols": 3}


def regime_trajectory(run: xr.Dataset) -> hv.Overlay:
    """The load with its moving thresholds; each regime has a colour and a marker."""
    load, time = run.system_load.values, run.time.values
    layers = [style.curve((time, load), STEP, LOAD, colour=GREY, line_width=1)]
    for number, (name, marker) in enumerate(
        zip(REGIMES, ("circle", "triangle", "square"), strict=True)
    ):
        here = run.regime.values == number
        data, look = (time[here], load[here]), (CLASS_COLOURS[name], marker)
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
    up, down = ((loop.drive.values, loop.system_load.sel(way=way).values) for way in ("up", "down"))
    climbing = style.curve(up, x, LOAD, "climbing", "blue", line_width=2.5)
    falling = style.curve(down, x, LOAD, "falling", "vermilion", "dashed", line_width=2.5)
    title = f"area of the loop {loop.attrs['area']:.2f}"
    return style.over(climbing * falling, height=260, legend_position="top_left", title=title)


def return_picture(pairs: xr.Dataset) -> hv.Overlay:
    """Each load against the next, with the diagonal on which nothing changes."""
    following = hv.Dimension("following", label="next load (1)", range=(0.0, 3.6))
    data, diagonal = (pairs.system_load.values, pairs.following.values), ([0.0, 3.6], [0.0, 3.6])
    same = style.curve(diagonal, LOAD, following, "", GREY, "dashed", line_width=1)
    dots = style.dots(data, LOAD, following, colour="blue", size=4)
    return style.over(same * dots, width=360, height=320, title="return map")


def bifurcation_picture(tree: xr.Dataset, here: float | None = None, label: str = "") -> hv.Overlay:
    """Loads that are visited along a parameter; a line marks where the engine stands."""
    x = ("value", label or f"{tree.attrs['parameter']} (1)")
    values = np.repeat(tree["value"].values, tree.sizes["sample"])
    dots = hv.Points((values, tree.system_load.values.ravel()), [x, LOAD])
    dots.opts(color=COLOURS["blue"], size=1.2, alpha=0.4, line_alpha=0)
    mark = hv.VLine(tree["value"].values[0] if here is None else here)
    mark.opts(color=COLOURS["vermilion"], alpha=0.0 if here is None else 1.0)
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
