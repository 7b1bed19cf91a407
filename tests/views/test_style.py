"""The gallery's stamps: what a browser draws, drawn small by Matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, UIElement
from matplotlib import colors, pyplot as plt
from pyviz_comms import Comm

from entro_nb import views
from entro_nb.errors import ParameterError
from entro_nb.views.app import setup
from entro_nb.views.style import COLOURS, write_thumbnail

setup()


@pytest.fixture
def share(tmp_path: Path) -> Any:
    """Share of a stamp's pixels that have a colour."""

    def of(view: Any, *names: str) -> list[float]:
        write_thumbnail(view, tmp_path / "stamp.png")
        picture = plt.imread(tmp_path / "stamp.png")[..., :3]
        wanted = [np.array(colors.to_rgb(COLOURS[name])) for name in names]
        return [float((np.abs(picture - c).max(axis=-1) < 0.02).mean()) for c in wanted]

    return of


def test_colours_are_those_of_the_browser(share: Any) -> None:
    curve = hv.Curve([1, 2, 3]).opts(color=COLOURS["purple"], line_width=6)
    band = hv.Area(([0, 2], [1, 1])).opts(color=COLOURS["sky"], line_alpha=0, fill_alpha=1.0)
    dots = hv.Scatter([(0.5, 2.5)]).opts(color=COLOURS["green"], size=40, marker="square")
    found = share(band * curve * dots, "purple", "sky", "green", "vermilion")
    assert min(found[:3]) > 0.005
    assert found[3] == 0


def test_a_map_a_network_and_a_row_of_boxes(share: Any) -> None:
    app = views.apps.Stability()
    (runaway,) = share(app.views[0](app.result).opts(hv.opts.QuadMesh(alpha=1.0)), "vermilion")
    assert runaway > 0.1
    # Colours by the name of a class, and markers by an expression.
    boxes = hv.Rectangles(
        [(0, 0, 1, 1, "good"), (1, 0, 2, 1, "bad"), (2, 0, 3, 1, "good")], vdims="kind"
    ).opts(color="kind", cmap={"good": COLOURS["green"], "bad": COLOURS["orange"]})
    good, bad = share(boxes, "green", "orange")
    assert good == pytest.approx(2 * bad, rel=0.1)
    assert bad > 0.05
    marked = hv.Points([(0, 0, "a"), (1, 1, "b")], vdims="kind").opts(
        marker=hv.dim("kind").categorize({"a": "circle", "b": "triangle"}),
        color=COLOURS["purple"],
        size=30,
    )
    assert share(marked, "purple")[0] > 0.005


def test_what_a_browser_shows_stays_as_it_is(tmp_path: Path) -> None:
    view = hv.Curve([1, 2], label="one").opts(color="red", width=300) * hv.Text(0, 1, "word")
    before = [hv.Store.lookup_options("bokeh", part, "style").kwargs for part in (view, *view)]
    write_thumbnail(view, tmp_path / "a.png")
    after = [hv.Store.lookup_options("bokeh", part, "style").kwargs for part in (view, *view)]
    assert before == after
    assert len(view) == 2


def test_axes_and_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    # HoloViews closes figures too, some of them twice.
    monkeypatch.setattr(plt, "close", lambda f=None: None if f in kept else kept.append(f))
    days = np.arange("2026-03-01", "2026-03-20", dtype="datetime64[h]")
    write_thumbnail(hv.Curve((days, np.arange(len(days)))), tmp_path / "a.png")
    write_thumbnail(hv.Curve([(1, 1), (100, 10)]).opts(logx=True, ylim=(0, 20)), tmp_path / "b.png")
    dates, scaled = (figure.axes[0] for figure in kept)
    assert 2 <= len(dates.get_xticks()) <= 5
    assert (scaled.get_xscale(), scaled.get_ylim()) == ("log", (0, 20))
    # A plot that leaves its axis to the one below it has it on a stamp; a picture has none.
    bare = hv.Curve([1, 2]).opts(xaxis=None)
    write_thumbnail(bare, tmp_path / "c.png")
    write_thumbnail(bare.opts(yaxis=None, clone=True), tmp_path / "d.png")
    assert [f.axes[0].xaxis.get_visible() for f in kept[2:]] == [True, False]


def test_a_moving_view_stands_still_and_several_stand_side_by_side(tmp_path: Path) -> None:
    moving = hv.HoloMap({k: hv.Curve([k, k + 1]) for k in range(3)}, "k")
    write_thumbnail(moving + hv.Curve([1, 2]), tmp_path / "a.png")
    height, width = plt.imread(tmp_path / "a.png").shape[:2]
    assert width > 1.5 * height
    with pytest.raises(ParameterError, match="width"):
        write_thumbnail(hv.Curve([1]), tmp_path / "a.png", width=0)


def test_a_text_that_changes_names_no_style_sheet_elsewhere() -> None:
    """In a notebook: a server of apps has the sheets itself."""
    pane = pn.pane.HTML("before")
    layout = pn.Column(pane, pn.widgets.Button(label="press"))
    doc = Document()
    root = layout.get_root(doc, Comm())
    doc.add_root(root)
    models = list(root.select({"type": UIElement}))
    sheets = [sheet for model in models for sheet in model.stylesheets]
    assert sheets
    assert not [sheet for sheet in sheets if isinstance(sheet, ImportedStyleSheet)]
    (model,) = (m for m in models if getattr(m, "text", "") == "before")
    first = list(model.stylesheets)
    pane.object = "after"
    pane._update(root.ref["id"], model)  # as for a page that is open
    assert model.text == "after"
    assert model.stylesheets == first  # so that they are not sent again
    # A look that changes has all sheets sent again, and so does a pane that comes later.
    look = pane._process_param_change({"stylesheets": [":host { color: grey }"]})
    pane._update_model({}, look, root, model, doc, Comm())
    late = pn.pane.HTML("late")._get_model(doc, root, root, Comm())
    for sheets in (model.stylesheets, late.stylesheets):
        assert sheets
        assert not [sheet for sheet in sheets if isinstance(sheet, ImportedStyleSheet)]
