"""Views of the network room: what they draw, and the picture that can be pressed."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pytest
import xarray as xr

from entro_nb import graphs, views
from entro_nb.network import (
    FAULTS,
    ISOLATIONS,
    SETTINGS,
    Task,
    compare_policies,
    predicted_variance,
    transfer_study,
)
from entro_nb.views import network

views.setup()


def drawn(content: object) -> bool:
    return hv.render(content) is not None


def test_a_press_stresses_the_nearest_node() -> None:
    app = views.apps.Sync(n_nodes=12, pressed=-1)
    calm = app.result.run.psi.values[0, 0].max()
    app.press(1.0, 0.1)
    assert app.pressed == 3
    assert app.result.run.psi.values[0, 0].argmax() == 3
    assert app.result.run.psi.values[0, 0].max() > calm + 0.2
    app.press(None, None)
    assert app.pressed == 3


def test_the_live_picture_listens_to_presses() -> None:
    app = views.apps.Sync(n_nodes=4)
    picture = hv.renderer("bokeh").get_plot(app.live()).subplots[(0, 0)].subplots["main"]
    (listener,) = picture.callbacks
    (tap,) = listener.streams
    tap.event(x=0.0, y=-1.0)
    assert app.pressed == 2


def test_the_network_app_says_when_the_step_is_too_long() -> None:
    app = views.apps.Sync(strength=2.3)
    assert np.isnan(app.result.expected)
    assert drawn(app.views[2](app.result))
    app.strength = 1.0
    assert app.result.expected == pytest.approx(0.0, abs=1e-12)


def test_a_dependence_shows_curves_and_the_stated_range() -> None:
    picture = network.dependence(
        {"one": ([1, 2], [3.0, 4.0]), "two": ([1, 2], [5.0, 6.0])}, "κ", "N", (6.0, 8.0), logx=True
    )
    band = picture.Area.I
    assert [set(band[side]) for side in ("figure", "stated_high")] == [{6.0}, {8.0}]
    assert set(band["constant"]) == {1.0, 2.0}
    np.testing.assert_array_equal(picture.Curve.Two["figure"], [5.0, 6.0])
    assert drawn(picture)
    plain = network.dependence({"one": ([1, 2], [3.0, 4.0])}, "κ", "N", dotted=False)
    assert [type(part).__name__ for part in plain] == ["Curve"]


def test_the_map_of_the_cubic_term_has_a_cell_for_each_case() -> None:
    outcome = np.array([[0, 1, 2], [1, 2, 2]])
    picture = network.cubic_map([2, 3], [0.1, 0.2, 0.3], outcome)
    cells = picture.QuadMesh.I.dimension_values("o", flat=False)
    np.testing.assert_array_equal(cells, outcome.T)
    assert drawn(picture)


def test_pictures_tell_states_by_marker_and_hide_a_thousand_links() -> None:
    few = network.network_picture(
        graphs.graph("ring", 3), np.array([0.1, 0.5, 0.9]), ["faulty", "isolated", "taking part"]
    )
    plot = hv.renderer("bokeh").get_plot(few)
    source = plot.subplots[("Points", "I")].handles["source"].data
    texts = [v for v in source.values() if np.asarray(v).dtype.kind in "UO"]
    assert set(np.concatenate(texts)) >= {"triangle", "square", "circle"}
    crowd = network.network_picture(graphs.Graph.complete(60), np.zeros(60))
    assert len(crowd.get(0)) == 0


def test_the_stability_map_turns_where_theory_says() -> None:
    app = views.apps.Stability(cubic=False, n_nodes=10)
    outcome = app.result.outcome
    assert (outcome[(network.GAINS < 1.9) & (network.GAINS > 0.1)] == 0).all()
    assert (outcome[network.GAINS > 2.2] == 2).all()
    marks = app.views[0](app.result).get(3)
    assert marks.dimension_values(0).tolist() == [s.gain for s in SETTINGS]


def test_the_scaling_app_draws_the_prediction() -> None:
    app = views.apps.Scaling(n_nodes=30, kappa=0.5, alpha=2.0)
    assert app.result.value == predicted_variance(30, 2.0, kappa=0.5)
    assert app.result.curve[-1] < 0.25


def test_the_learning_app_walks_on_the_simplex() -> None:
    app = views.apps.Learning(n_nodes=2)
    x, y = network._flat(np.eye(3))
    np.testing.assert_allclose(np.hypot(np.diff([*x, x[0]]), np.diff([*y, y[0]])), 1.0)
    path = app.views[0](app.result).get(1)
    assert path.dimension_values(0)[-1] == pytest.approx(
        network._flat(app.result.run.weights.values[-1])[0][0]
    )


def test_the_isolation_app_counts_who_is_isolated() -> None:
    app = views.apps.Isolation(isolation="sound", n_faulty=2, step=100)
    picture = app.views[0](app.result)
    assert "2 isolated, 0 healthy lost" in picture.opts.get("plot").kwargs["title"]
    app.isolation = "none"
    assert "0 isolated" in app.views[0](app.result).opts.get("plot").kwargs["title"]


def test_figures_of_studies_are_drawn() -> None:
    policies = compare_policies(Task(2, 60), replicates=3, tuning_seeds=1)
    assert drawn(network.policies_figure({"scraper": policies}))
    assert drawn(network.adaptation_figure({"a": transfer_study(replicates=3, periods=2)}))
    shape = (len(FAULTS), len(ISOLATIONS), 2, 3)
    protection = xr.Dataset(
        {"protection": (("fault", "isolation", "n_faulty", "replicate"), np.ones(shape))},
        coords={"fault": list(FAULTS), "isolation": list(ISOLATIONS), "n_faulty": [1, 2]},
    )
    assert drawn(network.protection_figure(protection))
    nodes = np.array([2.0, 20.0, 50.0])
    assert drawn(network.law_figure(nodes, nodes / 200, (0.3, 40.0)))
