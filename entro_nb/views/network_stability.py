"""The stability map of the exchange, with the documents' own settings on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import param

from entro_nb.network import SETTINGS, outcome_map, uniform_factor
from entro_nb.validate import FloatArray
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, WIDTH

__all__ = ["MAP_COLOURS", "StabilityApp", "stability_map"]

#: Levels, stays, runs away.
MAP_COLOURS = [COLOURS["sky"], COLOURS["yellow"], COLOURS["vermilion"]]

#: Extent of the stability map: ακN, and the half-width of the states.
GAINS = np.geomspace(0.05, 100.0, 56)
AMPLITUDES = np.geomspace(0.01, 1.0, 32)


@dataclass(frozen=True)
class Stability:
    """What the exchange does over (ακN, amplitude)."""

    n_nodes: int
    aggression: float
    cubic: bool
    outcome: FloatArray  #: shape (gains, amplitudes)
    gain: float  #: ακN of the present setting


def stability_map(state: Stability) -> hv.Overlay:
    """Map of what becomes of the states, the documents' own settings marked.

    Blue levels, yellow does not within 60 exchanges, vermilion runs away; on the dashed line
    one exchange leaves the variance of uniform states as it is.
    """
    x = hv.Dimension("gain", label="ακN (1)", range=(GAINS[0], GAINS[-1]))
    y = hv.Dimension("amplitude", label="half-width of the states, A (Ψ)")
    mesh = hv.QuadMesh((GAINS, AMPLITUDES, state.outcome.T), [x, y], hv.Dimension("outcome"))
    bend = state.aggression**2 * state.n_nodes * AMPLITUDES**2 * state.cubic
    fine = np.geomspace(GAINS[0], GAINS[-1], 1500)
    turns = []
    for a in bend:
        stable = np.flatnonzero(uniform_factor(fine, a) < 1.0)
        turns.append(fine[stable[-1]] if stable.size else np.nan)
    border = hv.Curve((np.array(turns), AMPLITUDES), x, y)
    # The study draws its states 0.1 wide, so A = 0.05; the names are fanned out to be read.
    marks = hv.Scatter([(s.gain, 0.05) for s in SETTINGS], x, y)
    names = hv.Labels(
        [(s.gain, 0.034 / 1.32**k, s.name) for k, s in enumerate(SETTINGS)], [x, y], "name"
    )
    regions = hv.Labels([(0.2, 0.012, "levels"), (20.0, 0.5, "runs away")], [x, y], "region")
    here = hv.VLine(state.gain)
    return (mesh * border * here * marks * names * regions).opts(
        hv.opts.QuadMesh(
            cmap=MAP_COLOURS, clim=(-0.5, 2.5),
            alpha=0.55, logx=True, logy=True,
        ),
        hv.opts.Curve(color="black", line_width=2, line_dash="dashed"),
        hv.opts.Scatter(color="black", size=9, marker="diamond"),
        hv.opts.VLine(color=COLOURS["purple"], line_width=2, line_dash="dotted"),
        hv.opts.Labels(text_font_size="9pt", text_color="black", text_align="center"),
        hv.opts.Overlay(
            width=WIDTH, height=380, logx=True, logy=True, show_legend=False, show_grid=False,
            title=f"N = {state.n_nodes}, α = {state.aggression:g}; here ακN = {state.gain:.2f}",
        ),
    )  # fmt: skip


class StabilityApp(App):
    """Where the exchange levels: move κ and α, and watch the boundary and one's own place."""

    title = "Stability"
    alt = (
        "Map over the gain ακN and the half-width of the states: blue where repeated exchanges "
        "level them, vermilion where they run away. The settings of the scaling study lie far to "
        "the right of the boundary."
    )
    twin = ("kappa", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0))

    kappa = param.Number(0.1, bounds=(0.01, 2.0), step=0.01, label="κ")
    aggression = param.Number(1.0, bounds=(0.5, 5.0), step=0.1, label="Aggression α")
    n_nodes = param.Integer(5, bounds=(2, 50), label="Nodes N")
    cubic = param.Boolean(True, label="Cubic term")

    views: ClassVar[Any] = (stability_map,)

    def compute(self) -> Stability:
        """Map for the present N and α."""
        outcome = outcome_map(
            self.n_nodes, GAINS, AMPLITUDES, self.aggression, cubic=self.cubic, steps=60
        )
        gain = self.kappa * self.aggression * self.n_nodes
        return Stability(self.n_nodes, self.aggression, self.cubic, outcome, gain)
