"""What a moved slider costs beside the first drawing: ``pytest tests/benchmarks -n 0 -s``."""

from __future__ import annotations

import asyncio
import statistics
import time

import holoviews as hv
import panel as pn
import pytest

from entro_nb import views

views.setup()


@pytest.mark.parametrize("app", list(views.apps.values()), ids=list(views.apps))
def test_a_moved_slider_recomputes_quickly(app: type[views.App]) -> None:
    asyncio.run(_moved(app))  # what is dragged is heard in a loop


async def _moved(app: type[views.App]) -> None:
    start = time.perf_counter()
    one = app()
    _ = one.result
    pn.pane.HoloViews(one.live()).get_root()
    first = time.perf_counter() - start
    name, values = app.twin
    for value in values:  # caches of the calibration, as after the first minute of use
        setattr(one, name, value)
    computed, drawn = [], []
    for value in reversed(values):
        start = time.perf_counter()
        setattr(one, name, value)  # computes and redraws
        drawn.append(time.perf_counter() - start)
        one._cache = None
        start = time.perf_counter()
        _ = one.result
        computed.append(time.perf_counter() - start)
    compute, draw = statistics.median(computed) * 1e3, statistics.median(drawn) * 1e3
    print(
        f"\n{app.__name__}: computing {compute:.1f} ms, redrawing {draw:.0f} ms, "
        f"first {first:.2f} s"
    )
    assert compute < 50
    assert draw / 1e3 < first
    assert isinstance(one.live(), hv.Layout)
