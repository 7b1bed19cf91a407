"""The whole at a glance: the map of the four systems, the claims, the periods."""

from __future__ import annotations

import functools
import html
import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import holoviews as hv
import networkx as nx
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb import engine, geometry, network
from entro_nb.accountant import AccountantConfig, account
from entro_nb.claims import Kind, Verdict
from entro_nb.engine import REGIMES
from entro_nb.periods import Summary
from entro_nb.streams import Scenario, generate
from entro_nb.views import style
from entro_nb.views.app import App
from entro_nb.views.style import CLASS_COLOURS, COLOURS, CYCLE, GREY, WIDTH

_SIZE = {
    "width": 360, "height": 230, "toolbar": None, "show_grid": False, "fontsize": {"title": 10},
}  # fmt: skip


@functools.lru_cache(maxsize=64)
def _measured(size: float, seed: int) -> tuple[Any, xr.Dataset]:
    values = generate(Scenario("scale", samples=1200, change=600, size=size), seed).values
    return values, account(values, AccountantConfig())


@functools.lru_cache(maxsize=64)
def _budgeted(budget: float, seed: int) -> xr.Dataset:
    law = engine.EntropyLaw(psi_budget=budget)
    return engine.simulate(law=law, budget=budget, seed=seed)


@functools.lru_cache(maxsize=64)
def _shared(step: float, seed: int) -> xr.Dataset:
    nodes = 8
    start = np.random.default_rng(seed).uniform(0.0, 1.0, nodes)
    sync = network.PsiSync(nodes, kappa=step / nodes)
    path = [start]
    for _ in range(40):
        path.append(np.asarray(sync.broadcast(path[-1])))
    return xr.Dataset({"psi": (("time", "node"), np.array(path), {"units": "1"})})


@functools.lru_cache(maxsize=64)
def _shaped(idleness: float) -> dict[Any, float]:
    return geometry.ollivier_ricci(geometry.karate_club(), alpha=idleness)


def streamed(stream: Any, frames: xr.Dataset) -> hv.Overlay:
    """System one: a stream that doubles in spread, and its entropy."""
    data = (np.arange(stream.size), frames.entropy.values)
    curve = style.curve(data, "sample", ("H", "H (bits)"), colour="blue")
    return style.over(curve * hv.VLine(stream.size // 2), **_SIZE, title="measured: the Accountant")


def budgeted(pipeline: xr.Dataset, budget: float) -> hv.Overlay:
    """ENTRO-ENGINE: the sum of two proxies and the line it should stay under."""
    data = (pipeline.time.values, pipeline.psi_total.values[0])
    curve = style.curve(data, ("t", "time (s)"), ("psi", "Ψ_total (nats)"), colour="blue")
    line = hv.HLine(budget).opts(color=COLOURS["vermilion"])
    return style.over(curve * line, **_SIZE, title="budgeted: ENTRO-ENGINE")


def shared(nodes: xr.Dataset) -> hv.Overlay:
    """ENTRO-NET: nodes that start apart and exchange."""
    psi = nodes.psi.values
    x, y = "round", ("node", "Ψ of each node (1)")
    curves = [
        style.curve((np.arange(len(psi)), one), x, y, colour=colour, line_width=1.2)
        for one, colour in zip(psi.T, itertools.cycle(CYCLE), strict=False)
    ]
    return style.over(curves, **_SIZE, title="shared: ENTRO-NET")


@functools.cache
def _places() -> dict[Any, Any]:
    return dict(nx.spring_layout(geometry.karate_club(), seed=4, iterations=200))


def shaped(curvature: dict[Any, float]) -> hv.Graph:
    """IEGN: a network whose edges are coloured and thickened by curvature."""
    number = {node: k for k, node in enumerate(_places())}
    x, y = np.array(list(_places().values())).T
    nodes = hv.Nodes((x, y, list(number.values())))
    kappa = np.array(list(curvature.values()))
    left, right = ([number[edge[end]] for edge in curvature] for end in (0, 1))
    table = (left, right, kappa, 1 + 4 * np.abs(kappa))
    kappa_axis = hv.Dimension("curvature", range=(-0.6, 0.6))
    return hv.Graph((table, nodes), vdims=[kappa_axis, "thickness"]).opts(
        **_SIZE, title="shaped: IEGN", xaxis=None, yaxis=None, node_size=6, node_color=GREY,
        edge_color="curvature", edge_cmap=[COLOURS["vermilion"], GREY, COLOURS["blue"]],
        edge_line_width="thickness",
    )  # fmt: skip


class SystemMap(App):
    """Four small pictures, one for each system, each with one knob."""

    title = "Four systems"
    alt = (
        "Four small plots: the entropy of a stream that spreads out half way; the entropy of a "
        "pipeline against its budget line; eight nodes levelling their states; a network whose "
        "edges are red and thick where curvature is negative, blue where it is positive."
    )
    columns = 2
    twin = ("size", (0.25, 0.5, 1.0, 2.0))
    seed = param.Integer(1, precedence=-1)

    size = param.Number(1.0, bounds=(0.1, 4.0), step=0.05, label="Spread gained by the stream")
    budget = param.Number(3.0, bounds=(1.5, 6.0), step=0.1, label="Budget of the pipeline (nats)")
    step = param.Number(
        0.2, bounds=(0.05, 1.95), step=0.05, label="Step of the exchange, ακN (stable below 2)"
    )
    idleness = param.Number(0.5, bounds=(0.0, 0.9), step=0.1, label="Idleness of the curvature")

    views: ClassVar[Any] = (streamed, budgeted, shared, shaped)

    def compute(self) -> dict[str, Any]:
        """Run the four systems for the present knobs; what did not move is not run again."""
        stream, frames = _measured(self.size, self.seed)
        return {
            "stream": stream,
            "frames": frames,
            "pipeline": _budgeted(self.budget, self.seed),
            "nodes": _shared(self.step, self.seed),
            "curvature": _shaped(self.idleness),
        }


#: Colour and sign of each verdict: never told by colour alone.
_LOOK = {
    Verdict.REPRODUCED.value: (COLOURS["green"], "✓"),
    Verdict.PARTLY.value: (COLOURS["sky"], "◐"),
    Verdict.NOT_REPRODUCED.value: (COLOURS["orange"], "✗"),
    Verdict.REFUTED.value: (COLOURS["vermilion"], "⊥"),
    Verdict.NOT_TESTABLE.value: (GREY, "?"),
}
EVERY = "all"


def verdict_bars(found: xr.Dataset, by: str = "system") -> hv.Overlay:
    """Verdicts of each system (or kind) as a row of boxes, with their counts written in them."""
    groups = list(dict.fromkeys(found[by].values.tolist()))
    boxes, labels = [], []
    for row, group in enumerate(reversed(groups)):
        left = 0
        verdicts = found.verdict.values[found[by].values == group].tolist()
        for verdict, (_, sign) in _LOOK.items():
            if count := verdicts.count(verdict):
                boxes.append((left, row - 0.35, left + count, row + 0.35, verdict))
                labels.append((left + count / 2, row, f"{sign} {count}"))
                left += count
    bars = hv.Rectangles(boxes, ["claims", "row", "right", "top"], "verdict").opts(
        color="verdict", cmap={name: colour for name, (colour, _) in _LOOK.items()}, alpha=0.75,
        line_color="white", show_legend=True, legend_position="bottom", legend_cols=3,
    )  # fmt: skip
    text = hv.Labels(labels, ["claims", "row"], "text")
    text.opts(text_color="black", text_font_size="9pt")
    look = style.rows(groups[::-1]) | {"show_grid": False}
    return style.over(bars * text, height=110 + 55 * len(groups), **look)


def evidence(found: xr.Dataset) -> str:
    """Claims as HTML, each one opening on what was found and where it is shown."""
    rows = []
    for name in found.claim.values:
        one = {key: str(found[key].sel(claim=name).item()) for key in _SHOWN}
        one = {key: html.escape(value) for key, value in one.items()}
        colour, sign = _LOOK[str(found.verdict.sel(claim=name).item())]
        instead = f"<dt>What holds</dt><dd>{one['instead']}</dd>" if one["instead"] else ""
        chosen = f"<dt>Constants</dt><dd>{one['chosen']}</dd>" if one["chosen"] else ""
        lines = filter(None, one["readings"].split("\n"))
        readings = "".join(f"<div>{line}</div>" for line in lines) or "none that could be tested"
        rows.append(
            f'<details style="border-left:4px solid {colour};padding:2px 8px;margin:4px 0">'
            f"<summary><b>{name}</b> {sign} <i>{one['verdict']}</i> · {one['text']}</summary>"
            f"<p><b>Published</b> ({one['source']}): {one['published']} {one['unit']}. "
            f"<b>Obtained</b>: {one['obtained']}.<br>{one['why']}</p><dl>"
            f"<dt>Readings tried</dt><dd>{readings}</dd>{chosen}{instead}"
            f"<dt>Kind</dt><dd>{one['kind']}</dd>"
            f'<dt>Shown in</dt><dd><a href="{one["evidence"]}">{one["notebook"]}</a>, '
            f"<code>{one['command']}</code></dd></dl></details>"
        )
    return "".join(rows)


_SHOWN = (
    "source", "kind", "text", "published", "unit", "obtained", "verdict", "readings", "why",
    "instead", "chosen", "evidence", "notebook", "command",
)  # fmt: skip


class ClaimsApp(App):
    """The claims, to be filtered by system, kind and verdict; each opens on its evidence."""

    title = "Claims"
    alt = "The claims, each with its verdict; opening one shows what was published and obtained."
    found = param.ClassSelector(class_=xr.Dataset, precedence=-1)
    system = param.Selector(default=EVERY, objects=[EVERY], label="System")
    kind = param.Selector(default=EVERY, objects=[EVERY, *(k.value for k in Kind)], label="Kind")
    verdict = param.Selector(default=EVERY, objects=[EVERY, *_LOOK], label="Verdict")
    FILTERS: ClassVar[tuple[str, ...]] = ("system", "kind", "verdict")
    views: ClassVar[Any] = ()

    def __init__(self, found: xr.Dataset, **values: Any) -> None:
        super().__init__(found=found, **values)
        self.param.system.objects = [EVERY, *dict.fromkeys(found.system.values.tolist())]

    def compute(self) -> xr.Dataset:
        """Claims of the chosen system and kind with the chosen verdict."""
        keep = np.ones(self.found.sizes["claim"], dtype=bool)
        for name in self.FILTERS:
            if (wanted := getattr(self, name)) != EVERY:
                keep &= self.found[name].values == wanted
        chosen: xr.Dataset = self.found.isel(claim=keep)
        return chosen

    def still(self) -> pn.viewable.Viewable:
        """All claims, for a page with no kernel behind it."""
        return pn.pane.HTML(evidence(self.found), width=WIDTH)

    def panel(self) -> pn.viewable.Viewable:
        """The filters above the claims that pass them."""
        shown = pn.bind(lambda *_: evidence(self.result), *(self.param[n] for n in self.FILTERS))
        names = [*self.FILTERS]
        filters = pn.Param(self.param, parameters=names, default_layout=pn.Row, show_name=False)
        return pn.Column(filters, pn.pane.HTML(shown, width=WIDTH))


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
    axis, top = ("psi", "Ψ (nats)"), ("psi above", "Ψ above the budget (nats)")
    line = np.full(psi.size, summary.budget)
    area = hv.Area((time, np.fmax(psi, line), line), TIME, [axis, top])  # nothing over a gap
    curve = style.curve((time, psi), TIME, axis, colour="blue", line_width=1)
    parts = style.shade(area, "vermilion", 0.4) * curve * hv.HLine(summary.budget).opts(color=GREY)
    return style.over(parts, height=220, title=f"Ψ and its budget, {summary.period.label}")


def regime_bars(summaries: Sequence[Summary]) -> hv.Bars:
    """Share of the readings in each regime, period by period."""
    rows = [
        (s.period.label, name, 100.0 * s.totals.share(k) if s.totals.count else 0.0)
        for s in summaries
        for k, name in enumerate(REGIMES)
    ]
    return hv.Bars(rows, ["period", "regime"], ("share", "readings (%)")).opts(
        stacked=True, color="regime", cmap=[CLASS_COLOURS[name] for name in REGIMES],
        line_color=None, width=WIDTH, height=240, xrotation=60, legend_position="right",
        title="Regimes",
    )  # fmt: skip


def health_curve(summaries: Sequence[Summary]) -> hv.Overlay:
    """Health of each period, and its risk as a marker."""
    known = [s for s in summaries if s.totals.count]
    axis = hv.Dimension("health", label="health (of 100)", range=(0, 105))
    path = [(s.period.label, s.health) for s in known]
    layers = [style.curve(path, "period", axis, colour=GREY, line_width=1)]
    for risk, *look in (
        ("LOW", "green", "circle"),
        ("MODERATE", "orange", "triangle"),
        ("HIGH", "vermilion", "square"),
    ):
        if points := [(s.period.label, s.health) for s in known if s.risk == risk]:
            layers.append(style.dots(points, "period", axis, f"risk {risk}", *look, size=9))
    legend, title = "right", "Health and risk"
    return style.over(layers, height=220, xrotation=60, legend_position=legend, title=title)


def glance(data: xr.Dataset, summary: Summary, around: Sequence[Summary]) -> hv.Layout:
    """A period at a glance: its Ψ, and how it stands among its neighbours."""
    parts = [psi_curve(data, summary), regime_bars(around), health_curve(around)]
    return hv.Layout(parts).opts(shared_axes=False).cols(1)
