from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import holoviews as hv
import numpy as np
import pytest
from bokeh.core.validation import check_integrity

from entro_nb import AccountantConfig, views
from entro_nb.accountant import Stability, Thresholds
from entro_nb.errors import ParameterError
from entro_nb.views import entropy, style

views.setup()


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_is_readable_on_light_and_dark_pages() -> None:
    for page in ("#ffffff", "#121212"):
        assert contrast(style.GREY, page) >= 4.0


def test_every_class_has_its_own_colour() -> None:
    colours = [style.CLASS_COLOURS[s.name] for s in Stability]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("app", list(views.apps.values()), ids=list(views.apps))
def test_every_app_draws_follows_and_has_a_twin(app: type[views.App]) -> None:
    one = app()
    assert one.title
    assert one.alt
    assert all(one.param[name].label for name in one.controls())
    assert one.panel() is not None
    name, values = app.twin
    before = getattr(one, name)
    twin = one.still()
    assert getattr(one, name) == before
    frames = [part for part in twin if isinstance(part, hv.HoloMap)]
    assert frames
    assert all(len(frame) == len(values) for frame in frames)

    async def follow() -> None:
        # Marks that can be dragged report to a running event loop, as there is in a kernel.
        live = one.live()
        assert len(live) == len(app.views)
        assert all(isinstance(part, hv.DynamicMap) for part in live)
        assert hv.render(live) is not None
        for value in values:
            setattr(one, name, value)

    asyncio.run(follow())


@pytest.mark.parametrize("name", ["budget", "histogram"])
def test_a_page_has_nothing_that_bokeh_warns_of(name: str) -> None:
    """It would do so in the server's log, for every visitor."""
    assert check_integrity(views.apps[name]().panel().get_root().references()).warning == []


@pytest.mark.parametrize("app", list(views.apps.values()), ids=list(views.apps))
def test_a_slider_moved_recomputes_only_once(app: type[views.App]) -> None:
    one = app()
    first = one.result
    assert one.result is first
    name, values = app.twin
    setattr(one, name, next(v for v in values if v != getattr(one, name)))
    if type(one).compute is not views.App.compute:
        assert one.result is not first


def test_the_accountant_app_measures_what_it_is_told() -> None:
    app = views.apps.Accountant(source="scale", window=64, bins=8, derivative_window=8, promise=200)
    run = app.result
    assert (run.frames.attrs["window"], run.frames.attrs["bins"]) == (64, 8)
    assert run.limits.run_length == 200
    app.null = "this stream's own values"
    assert app.result.limits != run.limits


def test_the_ribbon_covers_every_sample_once() -> None:
    values = np.random.default_rng(0).standard_normal(500)
    config = AccountantConfig(window=32, bins=8, derivative_window=8)
    run = entropy.measured(values, config, Thresholds(1.8, 2.4, 0.1, 0.05, 0.05))
    boxes = entropy.ribbon(run).data
    covered = list(
        itertools.chain.from_iterable(
            range(int(a), int(b)) for a, b in zip(boxes["sample"], boxes["end"], strict=True)
        )
    )
    assert covered == list(range(500))
    labels = [Stability(int(code)).name for code in run.frames.stability.values]
    for start, name in zip(boxes["sample"], boxes["stability"], strict=True):
        assert labels[int(start)] == name


def test_bias_study_agrees_with_theory() -> None:
    study = entropy.bias_study(16, [16, 64, 256], draws=4000, seed=0)
    np.testing.assert_allclose(study.plugin, study.exact, atol=5e-3)
    assert (study.miller_madow > study.plugin).all()
    assert isinstance(entropy.bias_curves(study), hv.Overlay)


def test_the_filter_has_the_gain_it_should() -> None:
    curve = next(iter(entropy.filter_gain(32)))
    frequency, gain = curve.dimension_values(0), curve.dimension_values(1)
    k = int(np.argmin(np.abs(frequency - 1 / 32)))
    assert gain[k] == pytest.approx(1, abs=0.05)  # one whole period in the mean
    assert gain[0] == pytest.approx(2 * np.pi * frequency[0] * 31 / 2, rel=0.01)


def test_a_figure_says_what_it_shows_everywhere() -> None:
    shown = views.figure(hv.Curve([1, 2, 3]), alt="A line & its <end>.")
    data, _ = shown._repr_mimebundle_()
    assert data["text/plain"] == "Figure: A line & its <end>."
    assert 'aria-label="A line &amp; its &lt;end&gt;."' in data["text/html"]
    assert "<figcaption>A line &amp; its &lt;end&gt;.</figcaption>" in data["text/html"]
    for empty in ("", "  "):
        with pytest.raises(ParameterError, match="alt"):
            views.figure(hv.Curve([1]), alt=empty)


@pytest.mark.parametrize("report", [False, True])
def test_no_figure_asks_for_anything_from_the_network(
    report: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if report:
        monkeypatch.setenv("ENTRO_NB_REPORT", "1")
    data, _ = views.show(views.apps.Histogram())._repr_mimebundle_()
    assert "cdn." not in data["text/html"]
    assert ("HoloMap" in repr(views.show(views.apps.Histogram()).content)) == report


def test_thumbnails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "thumb.png"
    monkeypatch.setenv("ENTRO_NB_THUMBNAIL", str(path))
    views.figure(hv.Curve([1, 2, 3]), alt="no thumbnail")
    assert not path.exists()
    views.show(views.apps.Histogram(), thumbnail=True)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size < 1_000_000


def test_estimates_normalise_what_was_dragged() -> None:
    heights = {f"bar_{k}": 0.0 for k in range(3, 9)} | {"bar_1": 0.5, "bar_2": 1.0, "bar_8": 0.5}
    p = views.apps.Histogram(**heights).result.p
    np.testing.assert_array_equal(p, [0.25, 0.5, 0, 0, 0, 0, 0, 0.25])
    assert entropy.measures_of(p, samples=10, order=2.0)["H"] == 1.5
    assert entropy.measures_of(p, samples=10, order=1.0)["Rényi, order 1"] == 1.5


@pytest.mark.parametrize(("bar", "share"), [(0, 0.5), (7, 0.25), (3, 0.0), (2, 1.7), (2, -1.0)])
def test_a_dragged_bar_goes_where_it_is_put(bar: int, share: float) -> None:
    app = views.apps.Histogram()
    before = app.result.p
    app.live()
    heights = before.copy()
    heights[bar] = share
    app._dragged({"category": list(range(1, 9)), "p": list(heights)})
    after = app.result.p
    assert after[bar] == pytest.approx(min(max(share, 0.0), 0.99))
    others = np.arange(8) != bar
    np.testing.assert_allclose(
        after[others] / after[others].sum(), before[others] / before[others].sum()
    )


def test_what_is_no_drag_changes_nothing() -> None:
    app = views.apps.Histogram()
    before = app.result.p
    for data in (None, {}, {"p": [0.1] * 7}, {"p": [float("nan")] * 8}):
        app._dragged(data)  # type: ignore[arg-type]
    np.testing.assert_array_equal(app.result.p, before)
    # A bar that holds everything leaves the others no proportions to keep: they become alike.
    for k in range(2, 9):
        setattr(app, f"bar_{k}", 0.0)
    app.pull(0, 0.3)
    np.testing.assert_allclose(app.result.p, [0.3] + [0.1] * 7)


def test_apps_are_found_by_name() -> None:
    assert "Pipeline" in dir(views.apps)
    assert {getattr(views.apps, name) for name in dir(views.apps)} == set(views.apps.values())
    assert views.apps.Pipeline is views.apps["pipeline"]
    with pytest.raises(AttributeError, match="no app is called 'Pipelin': there are Accountant"):
        _ = views.apps.Pipelin
