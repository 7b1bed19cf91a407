"""Views of the claims: how many hold, and each with its evidence."""

from __future__ import annotations

import html
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import panel as pn
import param
import xarray as xr

from entro_nb.claims.finding import Verdict
from entro_nb.views.app import App
from entro_nb.views.style import COLOURS, GREY, WIDTH

__all__ = ["ClaimsApp", "evidence", "verdict_bars"]

#: Colour and sign of each verdict: never told by colour alone.
_LOOK = {
    Verdict.REPRODUCED.value: (COLOURS["green"], "✓"),
    Verdict.PARTLY.value: (COLOURS["sky"], "◐"),
    Verdict.NOT_REPRODUCED.value: (COLOURS["orange"], "✗"),
    Verdict.REFUTED.value: (COLOURS["vermilion"], "⊥"),
    Verdict.NOT_TESTABLE.value: (GREY, "?"),
}
EVERY = "all"


def verdict_bars(found: xr.Dataset) -> hv.Overlay:
    """Verdicts of each system as a row of boxes, with their counts written in them."""
    systems = list(dict.fromkeys(found.system.values.tolist()))
    boxes, labels = [], []
    for row, system in enumerate(reversed(systems)):
        left = 0
        verdicts = found.verdict.values[found.system.values == system].tolist()
        for verdict, (_, sign) in _LOOK.items():
            if count := verdicts.count(verdict):
                boxes.append((left, row - 0.35, left + count, row + 0.35, verdict))
                labels.append((left + count / 2, row, f"{sign} {count}"))
                left += count
    x = hv.Dimension("claims", label="claims")
    bars = hv.Rectangles(boxes, [x, "row", "right", "top"], "verdict").opts(
        hv.opts.Rectangles(
            color="verdict",
            cmap={name: colour for name, (colour, _) in _LOOK.items()},
            alpha=0.75,
            line_color="white",
            show_legend=True,
            legend_position="bottom",
            legend_cols=3,
        )
    )
    text = hv.Labels(labels, ["claims", "row"], "text").opts(
        hv.opts.Labels(text_color="black", text_font_size="9pt")
    )
    return (bars * text).opts(
        hv.opts.Overlay(
            width=WIDTH,
            height=110 + 55 * len(systems),
            yticks=list(enumerate(reversed(systems))),
            ylabel="",
            show_grid=False,
            ylim=(-0.6, len(systems) - 0.4),
        )
    )


def evidence(found: xr.Dataset) -> str:
    """Claims as HTML, each one opening on what was found and where it is shown."""
    rows = []
    for name in found.claim.values:
        one = {key: str(found[key].sel(claim=name).item()) for key in _SHOWN}
        one = {key: html.escape(value) for key, value in one.items()}
        colour, sign = _LOOK[str(found.verdict.sel(claim=name).item())]
        instead = f"<dt>What holds</dt><dd>{one['instead']}</dd>" if one["instead"] else ""
        rows.append(
            f'<details style="border-left:4px solid {colour};padding:2px 8px;margin:4px 0">'
            f"<summary><b>{name}</b> {sign} <i>{one['verdict']}</i> · {one['text']}</summary>"
            f"<dl><dt>Published</dt><dd>{one['published']} {one['unit']}</dd>"
            f"<dt>Obtained</dt><dd>{one['obtained']}</dd>"
            f"<dt>Why</dt><dd>{one['why']}</dd>{instead}"
            f'<dt>Shown in</dt><dd><a href="{one["notebook"]}.ipynb">{one["notebook"]}</a>, '
            f"<code>{one['command']}</code></dd></dl></details>"
        )
    return "".join(rows)


_SHOWN = (
    "text", "published", "unit", "obtained", "verdict", "why", "instead", "notebook", "command",
)  # fmt: skip


class ClaimsApp(App):
    """The claims, to be filtered by system and verdict; each opens on its evidence."""

    title = "Claims"
    alt = "The claims, each with its verdict; opening one shows what was published and obtained."
    found = param.ClassSelector(class_=xr.Dataset, precedence=-1)
    system = param.Selector(default=EVERY, objects=[EVERY], label="System")
    verdict = param.Selector(default=EVERY, objects=[EVERY, *_LOOK], label="Verdict")
    views: ClassVar[Any] = ()

    def __init__(self, found: xr.Dataset, **values: Any) -> None:
        super().__init__(found=found, **values)
        self.param.system.objects = [EVERY, *dict.fromkeys(found.system.values.tolist())]

    def compute(self) -> xr.Dataset:
        """Claims of the chosen system with the chosen verdict."""
        keep = np.ones(self.found.sizes["claim"], dtype=bool)
        for name in ("system", "verdict"):
            if (wanted := getattr(self, name)) != EVERY:
                keep &= self.found[name].values == wanted
        chosen: xr.Dataset = self.found.isel(claim=keep)
        return chosen

    def still(self) -> pn.viewable.Viewable:
        """All claims, for a page with no kernel behind it."""
        return pn.pane.HTML(evidence(self.found), width=WIDTH)

    def panel(self) -> pn.viewable.Viewable:
        """The filters above the claims that pass them."""
        shown = pn.bind(lambda *_: evidence(self.result), self.param.system, self.param.verdict)
        filters = pn.Param(
            self.param, parameters=["system", "verdict"], default_layout=pn.Row, show_name=False
        )
        return pn.Column(filters, pn.pane.HTML(shown, width=WIDTH))
