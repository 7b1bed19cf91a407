"""The apps of the geometry at the ends of every control, and what their figures say."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import pytest

from entro_nb import views
from entro_nb.geometry import byzantine_study, compare, robust_graph
from entro_nb.graphs import graph
from entro_nb.views.app import App
from entro_nb.views.geometry import (
    CURVATURE_COLOURS,
    confidence,
    graph_picture,
    intervals,
    landscape,
    places,
    shares,
)

views.setup()
APPS = (views.apps.Flow, views.apps.Landscape, views.apps.Liars)


def ends(app: App, name: str) -> list[Any]:
    parameter = app.param[name]
    options = getattr(parameter, "objects", None)
    return list(options) if options else list(parameter.bounds)


@pytest.mark.parametrize("kind", APPS)
def test_every_end_of_every_control_draws(kind: type[App]) -> None:
    app = kind()
    renderer = hv.renderer("bokeh")
    for name in app.controls():
        before = getattr(app, name)
        for value in ends(app, name):
            setattr(app, name, value)
            assert all(view(app.result) is not None for view in app.views)
        # Rendering is slow: once for each control, at its last end.
        assert all(renderer.get_plot(view(app.result)) is not None for view in app.views)
        setattr(app, name, before)


@pytest.mark.parametrize("kind", APPS)
def test_live_and_still(kind: type[App]) -> None:
    app = kind()
    name, values = app.twin
    assert set(app.still().traverse(lambda x: len(x), [hv.HoloMap])) == {len(values)}
    assert getattr(app, name) == kind().param[name].default
    assert len(app.live()) == len(app.views)
    assert kind in views.apps.values()


def test_the_flow_stretches_the_bridge() -> None:
    app = views.apps.Flow(graph="barbell", step=0)
    before = app.result.run.length.values[0]
    app.step = 20
    picture = app.views[0](app.result)
    thickness = picture.get(0).dimension_values("thickness")
    bridge = app.result.picture.graph.edge_names.index((7, 8))
    assert np.ptp(before) < 1e-12
    assert thickness.argmax() == bridge


def test_edges_that_were_cut_are_not_drawn() -> None:
    app = views.apps.Flow(graph="barbell", cutoff=2.0, step=40)
    segments = app.views[0](app.result).get(0)
    assert len(segments) < len(app.result.picture.graph.edges)


def test_dragging_a_lie_moves_its_value() -> None:
    app = views.apps.Liars(rule="average", value=2.0)
    app.live()
    app._drag.event(data={"time": [62.0], "state": [-1.5]})
    assert app.value == -1.5
    app._drag.event(data={"time": [62.0], "state": [99.0]})
    assert app.value == 3.0  # no further than the plot


def test_the_verdict_follows_the_rule() -> None:
    app = views.apps.Liars(rule="average", value=3.0)
    words = [t.data[2] for t in app.views[0](app.result).traverse(lambda x: x, [hv.Text])]
    app.rule = "w-msr"
    later = [t.data[2] for t in app.views[0](app.result).traverse(lambda x: x, [hv.Text])]
    assert words == ["no honest agreement"]
    assert later == ["honest nodes agree within their range"]


def test_pictures_repeat_and_colours_diverge() -> None:
    square = graph("lattice", 16)
    np.testing.assert_array_equal(places(square), places(square))
    m = square.n_edges
    picture = graph_picture(square, places(square), np.linspace(-1, 1, m), np.ones(m))
    assert picture.get(0).dimension_values("value").tolist() == np.linspace(-1, 1, m).tolist()
    assert len(set(CURVATURE_COLOURS)) > 40


def test_landscape_shows_boltzmann_only_where_there_is_one() -> None:
    x = np.zeros(10)
    assert np.isnan(landscape(x, 0.0).get(2).dimension_values(1)).all()
    law = landscape(x, 1.0).get(2)
    at, density = law.dimension_values(0), law.dimension_values(1)
    assert np.trapezoid(density, at) == pytest.approx(1.0, abs=0.01)


def test_intervals_and_shares_show_their_data() -> None:
    run = compare(graph("ring", 8), ["none", "diffusion"], replicates=3)
    mean, half = confidence(run.latency)
    assert mean == pytest.approx(run.latency.mean("replicate").values)
    # Student's t with two degrees of freedom, 97.5 %: 4.3027.
    spread = run.latency.std("replicate", ddof=1).values / np.sqrt(3)
    assert half == pytest.approx(4.3027 * spread, rel=1e-4)
    dots = intervals(run.latency, "latency (slots)").get(1)
    assert dots.dimension_values("mean").tolist() == mean.tolist()
    study = byzantine_study({"hall": robust_graph(8, 3)}, [0], strategies=["stubborn"], runs=2)
    picture = shares(study.share.isel(strategy=0), ["average", "w-msr"])
    assert picture.get(1).dimension_values("text").tolist() == ["100%", "100%"]
