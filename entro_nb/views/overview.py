"""The map of the four systems: the same number measured, budgeted, shared and shaped."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import networkx as nx
import numpy as np
import param
import xarray as xr

from entro_nb import engine, geometry, network
from entro_nb.accountant import AccountantConfig, account
from entro_nb.streams import Scenario, generate
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, CYCLE, GREY

__all__ = ["SystemMap", "Systems"]

_SIZE = {
    "width": 360,
    "height": 230,
    "toolbar": None,
    "show_grid": False,
    "fontsize": {"title": 10},
}


@dataclass(frozen=True)
class Systems:
    """One small run of each of the four systems."""

    stream: Any  #: samples, shape (time,)
    frames: xr.Dataset  #: what the Accountant says of them
    pipeline: xr.Dataset  #: a pipeline under the entropy budget
    budget: float  #: that budget, in nats
    nodes: xr.Dataset  #: nodes that exchange
    curvature: dict[Any, float]  #: of the edges of the karate club


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


def measured(run: Systems) -> hv.Overlay:
    """System one: a stream that doubles in spread, and its entropy."""
    steps = np.arange(run.stream.size)
    x = hv.Dimension("sample")
    h = hv.Dimension("H", label="H (bits)")
    return (
        hv.Curve((steps, run.frames.entropy.values), x, h).opts(color=COLOURS["blue"])
        * hv.VLine(run.stream.size // 2)
    ).opts(hv.opts.Overlay(**_SIZE, title="measured: the Accountant"))


def budgeted(run: Systems) -> hv.Overlay:
    """ENTRO-ENGINE: the sum of two proxies and the line it should stay under."""
    one = run.pipeline.isel(replicate=0)
    x = hv.Dimension("t", label="time (s)")
    y = hv.Dimension("psi", label="Ψ_total (nats)")
    return (
        hv.Curve((one.time.values, one.psi_total.values), x, y).opts(color=COLOURS["blue"])
        * hv.HLine(run.budget).opts(color=COLOURS["vermilion"])
    ).opts(hv.opts.Overlay(**_SIZE, title="budgeted: ENTRO-ENGINE"))


def shared(run: Systems) -> hv.Overlay:
    """ENTRO-NET: nodes that start apart and exchange."""
    x, y = hv.Dimension("round"), hv.Dimension("node", label="Ψ of each node (1)")
    psi = run.nodes.psi.values
    return hv.Overlay(
        [
            hv.Curve((np.arange(len(psi)), psi[:, k]), x, y).opts(
                color=CYCLE[k % len(CYCLE)], line_width=1.2
            )
            for k in range(psi.shape[1])
        ]
    ).opts(hv.opts.Overlay(**_SIZE, title="shared: ENTRO-NET"))


@functools.cache
def _places() -> dict[Any, Any]:
    return dict(nx.spring_layout(geometry.karate_club(), seed=4, iterations=200))


def shaped(run: Systems) -> hv.Graph:
    """IEGN: a network whose edges are coloured and thickened by curvature."""
    places = _places()
    ends = list(run.curvature)
    kappa = np.array([run.curvature[edge] for edge in ends])
    names = {node: k for k, node in enumerate(places)}
    nodes = hv.Nodes(
        (
            [places[n][0] for n in places],
            [places[n][1] for n in places],
            list(names.values()),
        )
    )
    table = (
        [names[u] for u, _ in ends],
        [names[v] for _, v in ends],
        kappa,
        1 + 4 * np.abs(kappa),
    )
    kappa_axis = hv.Dimension("curvature", range=(-0.6, 0.6))
    return hv.Graph((table, nodes), vdims=[kappa_axis, "thickness"]).opts(
        hv.opts.Graph(
            **_SIZE,
            title="shaped: IEGN",
            edge_color="curvature",
            edge_cmap=[COLOURS["vermilion"], GREY, COLOURS["blue"]],
            edge_line_width="thickness",
            node_size=6,
            node_color=GREY,
            xaxis=None,
            yaxis=None,
        )
    )


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

    views: ClassVar[Any] = (measured, budgeted, shared, shaped)

    def compute(self) -> Systems:
        """Run the four systems for the present knobs; what did not move is not run again."""
        stream, frames = _measured(self.size, self.seed)
        return Systems(
            stream,
            frames,
            _budgeted(self.budget, self.seed),
            self.budget,
            _shared(self.step, self.seed),
            _shaped(self.idleness),
        )
