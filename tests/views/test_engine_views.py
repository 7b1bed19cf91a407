"""Views of the engine: what they draw is what was computed, and every app follows its controls."""

from __future__ import annotations

import math

import holoviews as hv
import numpy as np
import pytest

from entro_nb import engine, views
from entro_nb.engine import PUBLISHED
from entro_nb.views import engine as view

views.setup()


def drawn(element):
    """Element as Bokeh would draw it; an unknown option or a broken column fails here."""
    return hv.renderer("bokeh").get_plot(element).state


def test_shaded_stretches_cover_exactly_the_violations():
    run = engine.simulate(law=engine.EntropyLaw())
    boxes = next(e for e in view.total_curve(run) if isinstance(e, hv.Rectangles))
    covered = np.zeros(run.sizes["time"], bool)
    for start, stop in zip(boxes["time"], boxes["stop"], strict=True):
        covered |= (run.time.values >= start) & (run.time.values < stop)
    assert np.array_equal(covered, run.violation.values[0])


def test_stacked_areas_add_up_to_the_total():
    plant = engine.fan([engine.Scraper("a"), engine.Scraper("b")], engine.LLMQueue())
    run = engine.simulate(plant)
    areas = [e for e in view.stacked(run, every=1) if isinstance(e, hv.Area)]
    assert len(areas) == 3
    assert areas[-1]["top"] == pytest.approx(run.psi_total.values[0])


def test_surface_holds_the_law():
    law = engine.ENTROEngineController()
    image = next(e for e in view.control_surface(law) if isinstance(e, hv.Image))
    assert image[0.375, 1.0] == pytest.approx(law.compute_control(1.5, 4.0).u, abs=5e-3)


def test_culprit_share_falls():
    own, most = view.culprit_share(3.0, 0.5)
    assert own["value"][0] == 1.0
    assert (np.diff(own["value"]) < 0).all()
    assert most["value"] == pytest.approx(0.5 * own["value"])


@pytest.mark.parametrize(
    "draw", [view.total_curve, view.queue_curve, view.admission_curve, view.signal_curve,
             view.phase_portrait, view.stacked]
)  # fmt: skip
@pytest.mark.parametrize("law", [engine.NoControl(), engine.HeadroomLaw()])
def test_every_picture_of_a_run_can_be_drawn(draw, law):
    assert drawn(draw(engine.simulate(law=law)))


def test_comparisons_can_be_drawn_and_hold_their_numbers():
    plant = engine.pipeline()
    families = {"static limit": [engine.StaticLimit(x) for x in (1.3, 1.5)],
                "headroom": [engine.HeadroomLaw()]}  # fmt: skip
    table = engine.fronts(plant, families, losses=(4.0, 6.0), sets=2, replicates=3)
    picture = view.advantage(table)
    assert drawn(picture)
    (points,) = (e for e in picture if isinstance(e, hv.Scatter))
    beyond = table.violations.sel(allowance="shared", family="static limit") - (
        table.violations.sel(allowance="shared", family="headroom")
    )
    assert points["beyond"] == pytest.approx(beyond.mean("set").values)
    assert drawn(view.advantage(table, "none", "by itself"))
    plants = engine.fitting_plants(4)
    rows = engine.predict(plants)
    intervals = view.predictions(rows, "violations", PUBLISHED)
    assert drawn(intervals)
    assert {e.label for e in intervals if isinstance(e, hv.Scatter)} == set(engine.SHAPES)
    demand = view.family_demand(plants, each=1)
    assert drawn(demand)
    assert [e["rate"].max() for e in demand] == [p.surge_rate for p, _ in plants[:3]]
    found = engine.beside_idle((0.5, 0.9), replicates=2)
    idle = view.idle_steps(found)
    assert drawn(idle)
    assert idle.Curve.No_control["steps"] == pytest.approx(found.steps[0].mean("replicate"))
    assert drawn(view.over_delay(range(3), np.ones(3), np.arange(3.0), 1))
    lines = [e.data for e in intervals if isinstance(e, hv.VLine)]
    assert lines == [row.violations for row in PUBLISHED.values()]
    gains = np.geomspace(0.5, 5.0, 4)
    assert drawn(view.stability_map(range(3), gains, np.ones((4, 3)), [3.0, 2.0, 1.0], 2.0))


def test_regime_pictures_show_each_step_once():
    run = engine.regimes()
    marks = [e for e in view.regime_trajectory(run) if isinstance(e, hv.Scatter)]
    assert [len(e) for e in marks] == [24, 19, 37]
    assert len({e.opts.get("style").kwargs["marker"] for e in marks}) == 3
    found = engine.search("v9", draws=50_000)
    tree = engine.bifurcation(values=[1.0, 2.0])
    for picture in (
        view.regime_trajectory(run),
        view.regime_ribbon(run),
        view.hysteresis_loop(engine.hysteresis(levels=20)),
        view.return_picture(engine.return_map()),
        view.bifurcation_picture(tree, 1.5),
        view.bifurcation_picture(tree),
        view.exponent_curve(tree),
        view.matches_picture(found, "drive", "feedback"),
    ):
        assert drawn(picture)


@pytest.mark.parametrize("name", ["budget", "pipeline", "regimes"])
def test_apps_are_registered_and_play_through_their_twin(name):
    app = views.apps[name]()
    assert app.alt
    assert app.title
    parameter, values = app.twin
    still = app.still()
    assert len(still) == len(app.views)
    assert [len(frame) for frame in still] == [len(values)] * len(app.views)
    assert getattr(app, parameter) == app.param[parameter].default


def test_pipeline_app_follows_its_controls():
    app = views.apps["pipeline"]()
    counts = {}
    for law in app.param.law.objects:
        app.law = law
        counts[law] = int(app.result.violations[0])
    assert counts["no control"] > counts["ENTRO-ENGINE, integral"] > counts["headroom"] == 0
    app.law, app.delay = "ENTRO-ENGINE, integral", 20
    assert int(app.result.attrs["delay"]) == 20
    app.budget = 4.0
    assert app.result.attrs["budget"] == app.result.attrs["psi_budget"] == 4.0


def test_budget_and_regime_apps_follow_their_controls():
    budget = views.apps["budget"](scrapers=5)
    assert budget.result.run.sizes["subsystem"] == 6
    assert budget.result.law.alpha == budget.alpha
    regimes = views.apps["regimes"]()
    assert [int((regimes.result.run.regime == k).sum()) for k in range(3)] == [24, 19, 37]
    regimes.version = "v10"
    assert regimes.result.here == regimes.rate
    assert math.isfinite(float(regimes.result.tree.exponent.max()))
