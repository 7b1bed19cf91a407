"""Views of fault isolation: contagion step by step, and what each isolation protects."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param
import xarray as xr

from entro_nb.network import FAULTS, ISOLATIONS, Outbreak, Topology, contagion
from entro_nb.views.app import App
from entro_nb.views.network import GRAPHS, graph_of, network_picture, traces
from entro_nb.views.style import COLOURS, GREY, WIDTH

__all__ = ["IsolationApp", "protection_figure"]

CRITICAL = 0.8


@dataclass(frozen=True)
class Spread:
    """A contagion run and the step that the picture shows."""

    topology: Topology
    run: xr.Dataset
    step: int


@functools.lru_cache(maxsize=64)
def _run(kind: str, n: int, faulty: int, fault: str, isolation: str, seed: int) -> xr.Dataset:
    # The faults begin early, so that the slider need not be long.
    outbreak = Outbreak(fault, isolation, onset=20)
    return contagion(graph_of(kind, n), faulty, outbreak, steps=300, replicates=1, seed=seed)


def _picture(state: Spread) -> hv.Overlay:
    faulty = state.run.faulty.values & (state.step >= 20)
    isolated = state.run.isolated.values[state.step]
    marks = np.where(faulty, "faulty", np.where(isolated, "isolated", "taking part"))
    lost = ~state.run.faulty.values & (state.run.psi.values[: state.step + 1] > CRITICAL).any(0)
    title = f"step {state.step}: {int(isolated.sum())} isolated, {int(lost.sum())} healthy lost"
    psi = state.run.psi.values[state.step]
    return network_picture(state.topology, psi, list(marks), title=title)


def _traces(state: Spread) -> hv.Overlay:
    psi = np.clip(state.run.psi.values, -0.5, 1.5)
    marked = np.flatnonzero(state.run.faulty.values).tolist()
    share = float(state.run.protection[0])
    title = f"{share:.0%} of the healthy nodes protected; faulty ones dashed"
    lines = hv.HLine(CRITICAL) * hv.VLine(state.step)
    return (traces(psi, marked, height=240) * lines).opts(
        hv.opts.Overlay(ylim=(0.0, 1.2), title=title)
    )


class IsolationApp(App):
    """Inject faults, watch them spread through the exchange, and cut the edges or not."""

    title = "Fault isolation"
    alt = (
        "A network on a circle, nodes coloured by Ψ, faulty ones as triangles and isolated ones "
        "as squares, at the step chosen; below, the traces of all nodes with the critical level."
    )
    twin = ("step", (0, 20, 23, 30, 50, 100, 299))
    seed = param.Integer(1, precedence=-1)

    step = param.Integer(60, bounds=(0, 299), label="Step shown")
    isolation = param.Selector(default="none", objects=list(ISOLATIONS), label="Isolation")
    fault = param.Selector(default="stuck", objects=list(FAULTS), label="Fault")
    n_faulty = param.Integer(2, bounds=(0, 10), label="Faulty nodes")
    n_nodes = param.Integer(15, bounds=(11, 40), label="Nodes N")
    kind = param.Selector(default="random", objects=list(GRAPHS), label="Graph")

    views: ClassVar[Any] = (_picture, _traces)

    def compute(self) -> Spread:
        """The run of the present faults."""
        run = _run(self.kind, self.n_nodes, self.n_faulty, self.fault, self.isolation, self.seed)
        return Spread(graph_of(self.kind, self.n_nodes), run, self.step)


def protection_figure(study: xr.Dataset) -> hv.Layout:
    """Share of healthy nodes protected against the number of faulty ones, a panel a fault.

    Parameters
    ----------
    study : xarray.Dataset
        `protection` over ``fault, isolation, n_faulty, replicate``.
    """
    looks = {
        "none": (GREY, "circle"),
        "published": (COLOURS["vermilion"], "x"),
        "level": (COLOURS["orange"], "square"),
        "sound": (COLOURS["blue"], "diamond"),
    }
    x = hv.Dimension("k", label="faulty nodes")
    y = hv.Dimension("protected", label="healthy protected (1)", range=(-0.03, 1.06))
    panels = []
    first, last = study.n_faulty.values[[0, -1]]
    for place, fault in enumerate(study.fault.values):
        parts = []
        for name, (colour, marker) in looks.items():
            mean = study.protection.sel(fault=fault, isolation=name).mean("replicate").values
            curve = hv.Curve((study.n_faulty.values, mean), x, y, label=name)
            dots = hv.Scatter((study.n_faulty.values, mean), x, y, label=name)
            parts += [
                curve.opts(color=colour, line_width=1.5),
                dots.opts(color=colour, marker=marker, size=8),
            ]
        panels.append(
            hv.Overlay(parts).opts(
                hv.opts.Overlay(
                    width=WIDTH // 2 + 110 * (place == 1), height=240, title=str(fault),
                    xlim=(first - 0.3, last + 0.3), xticks=study.n_faulty.values.tolist(),
                    legend_position="right", show_legend=place == 1,
                )
            )
        )  # fmt: skip
    return hv.Layout(panels).cols(2)
