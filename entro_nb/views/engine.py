"""Views of the entropy budget: the control law, trajectories, predictions, fronts, stability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb import engine
from entro_nb.engine import ENTROEngineController, Law, PublishedRow
from entro_nb.validate import FloatArray
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY, WIDTH

TIME = hv.Dimension("time", unit="s")
QUEUE = ("queue", "queue q (requests)")
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "hex", "cross")
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
    return (image * lines).opts(
        hv.opts.Image(cmap="Viridis", colorbar=True, clabel="u (1)", width=WIDTH, height=300),
        hv.opts.Contours(color=GREY, line_width=1, show_legend=False, cmap=[GREY]),
        hv.opts.Overlay(height=300),
    )


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
    return style.over(
        _shaded(run, replicate, 0.0, top) * curve * line,
        **_STRIP | {"height": 200, "title": title},
        show_legend=False,
        ylabel="Ψ_total (nats)",
    )


def queue_curve(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """The queue, and what has been held back so far."""
    queue = run.queue.values[replicate]
    lost = run.deferred_so_far.values[replicate] + run.refused_so_far.values[replicate]
    held = "deferred or refused so far"
    return style.over(
        style.curve((run.time, queue), TIME, "requests", "queue", "blue")
        * style.curve((run.time, lost), TIME, "requests", held, "orange", "dashed"),
        **_STRIP | _SMALL,
        legend_position="top_left",
    )


def admission_curve(run: xr.Dataset, replicate: int = 0) -> hv.Overlay:
    """What was offered to the sources, and what was admitted."""
    y = ("rate", "rate (req/s)")
    stores = [str(name) for name in run.subsystem.values if str(name).startswith("scraper")]
    nodes = stores or [str(run.subsystem.values[0])]
    offered = run.offered.sel(subsystem=nodes).sum("subsystem").values[replicate]
    admitted = run.rate.sel(subsystem=nodes).sum("subsystem").values[replicate]
    return style.over(
        style.curve((run.time, offered), TIME, y, "offered", GREY, line_width=1.2)
        * style.curve((run.time, admitted), TIME, y, "admitted", "green", line_width=1.2),
        **_STRIP | _SMALL,
        legend_position="top_right",
    )


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
    points = hv.Points((queue, rate, colours), [QUEUE, y], "colour")
    return style.over(
        style.curve((queue, rate), QUEUE, y, colour=GREY, line_width=0.6)
        * points.opts(color="colour", size=3, line_alpha=0)
        * style.curve((grid, np.minimum(edge, 3.1)), QUEUE, y, colour="vermilion")
        * hv.HLine(1.2),
        height=300,
        show_legend=False,
        title="red line: Ψ_total = budget; dashed: capacity",
    )


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
    return style.over(
        [*layers, line],
        height=280,
        legend_position="top_right",
        legend_cols=4,
        title=f"{int(run.violations[replicate])} steps above the budget (dashed)",
    )


def predictions(rows: xr.Dataset, name: str, published: Mapping[str, PublishedRow]) -> hv.Overlay:
    """Each reading's 95 % interval over all fitting plants, and the published values as lines."""
    values = rows[name]
    low, middle, high = np.percentile(values.values, [2.5, 50.0, 97.5], axis=1)
    labels = [str(r) for r in rows.reading.values][::-1]
    places = np.arange(len(labels))[::-1]
    x = hv.Dimension(name, label=f"{values.attrs['long_name']} ({values.attrs['units']})")
    bars = hv.Segments((low, places, high, places), [x, "reading", "high", "same"])
    dots = style.dots((middle, places), x, "reading", colour=GREY, marker="diamond", size=7)
    looks = (("blue", "solid"), ("orange", "dashed"), ("vermilion", "dotdash"))
    lines = [
        hv.VLine(getattr(row, name)).opts(color=COLOURS[colour], line_dash=dash, line_width=2)
        for row, (colour, dash) in zip(published.values(), looks, strict=False)
    ]
    return style.over(
        [*lines, bars.opts(color=GREY, line_width=4), dots],
        **style.rows(labels),
        height=300,
        show_legend=False,
        xlabel=x.label,
        title="lines, published: uncontrolled (solid), static (dashed), controlled (dot-dash)",
    )


def front(table: xr.Dataset, value: str = "violations", highlight: str = "headroom") -> hv.Overlay:
    """Fronts of all families: a cost against the work lost, with 95 % intervals."""
    x = ("lost", "work lost (%)")
    y = (value, f"{value.replace('_', ' ')} ({table[value].attrs['units']})")
    families = list(dict.fromkeys(str(f) for f in table.family.values))
    layers = []
    for k, family in enumerate(families):
        part = table.isel(setting=np.flatnonzero(table.family.values == family))
        order = np.argsort(part.lost_share.values)
        lost, cost = part.lost_share.values[order], part[value].values[order]
        error = part[f"{value}_ci"].values[order]
        ours = family == highlight
        colour = COLOURS["vermilion"] if ours else (*CYCLE[:3], *CYCLE[4:], GREY)[k % 7]
        marker, size, width = MARKERS[k % len(MARKERS)], 10 if ours else 6, 2.5 if ours else 0.8
        points = style.dots((lost, cost), x, y, family, colour, marker, size=size)
        # Past the end of the palette a family is told by its dashes as well as by its marker.
        dash = "solid" if ours or k < 7 else "dashed"
        joined = style.curve((lost, cost), x, y, colour=colour, dash=dash, line_width=width)
        bars = hv.ErrorBars((lost, cost, error), x, [y, "ci"]).opts(color=colour, line_width=1)
        layers += [joined, bars, points]
    return style.over(
        layers,
        **_SMALL,
        height=420,
        legend_position="right",
        legend_limit=100,
        xlim=(-0.2, 1.03 * float(table.lost_share.max())),
    )


def stability_map(
    delays: Sequence[int], gains: FloatArray, radius: Any, edge: Any, beta: float
) -> hv.Overlay:
    """Spectral radius over delay and β, its edge, and the published gain."""
    x, y = ("delay", "delay (steps)"), ("log10_beta", "log₁₀ β (β in 1/nat)")
    z = hv.Dimension("radius", label="spectral radius (1)", range=(0.85, 1.15))
    image = hv.Image((np.asarray(delays), np.log10(gains), radius), [x, y], z)
    return style.over(
        image.opts(cmap="RdBu_r", colorbar=True, clabel="spectral radius (1)")
        * style.curve((np.asarray(delays), np.log10(edge)), x, y, colour=GREY, line_width=3)
        * hv.HLine(math.log10(beta)),
        height=320,
        show_legend=False,
        title="stable below the line, except at the bottom (no rest); dashed: published β",
    )


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
            phases = engine.three_phases(
                0.9 / n, 2.4 / n, 0.8 / n, warmup=60.0 + 25.0 * k, surge=60.0, duration=400.0
            )
            sources.append(engine.Scraper(f"scraper {k + 1}", phases, noise=0.03))
        plant = engine.fan(sources, engine.LLMQueue())
        gains = (self.alpha, self.beta, self.budget)
        run = engine.simulate(plant, engine.EntropyLaw(*gains), budget=self.budget, seed=self.seed)
        return {"law": engine.ENTROEngineController(*gains), "run": run}


ALLOWANCE = "headroom, allowance"

#: Laws by their labels: those of the table, how else Eq. 14 may act, headroom with an allowance.
CONTROLLERS = {
    law.label: law
    for law in (
        *engine.LAWS.values(),
        engine.EntropyLaw(actuation="additive"),
        engine.EntropyLaw(actuation="multiplicative"),
    )
} | {ALLOWANCE: engine.HeadroomLaw()}


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
        law = CONTROLLERS[self.law].having(
            alpha=self.alpha,
            beta=self.beta,
            psi_budget=self.budget,
            setpoint=self.budget,
            relaxation=self.relaxation,
        )
        return law.having(allowance=self.allowance) if self.law == ALLOWANCE else law

    def compute(self) -> xr.Dataset:
        """Run the chosen law on the chosen plant."""
        phases = engine.three_phases(
            1.0, self.surge_rate, self.recovery_rate, 100.0, self.surge, 600.0
        )
        plant = engine.pipeline(phases, noise=self.noise)
        return engine.simulate(
            plant, self.chosen(), delay=self.delay, budget=self.budget, seed=self.seed
        )
