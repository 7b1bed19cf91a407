"""Many streams under watch: each as if alone, but for its coin; lazily in any chunks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st

import entro_nb as en
from entro_nb.errors import DataError, EntroError, ParameterError
from entro_nb.monitor import WATCHED

da = pytest.importorskip("dask.array")

QUICK = en.SurpriseConfig(promise=50.0, warm_up=5)


@st.composite
def cases(draw) -> tuple[xr.DataArray, xr.DataArray, en.SurpriseConfig]:
    """Streams with holes, whose dims lie in any order; the same in chunks; and a config."""
    dims = draw(st.permutations(["time", "site"]))
    shape = [draw(st.integers(1, 150 if name == "time" else 5)) for name in dims]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.round(rng.standard_t(2.0, shape), draw(st.integers(0, 3)))
    values[rng.random(shape) < draw(st.sampled_from([0.0, 0.1, 0.9]))] = np.nan
    x = xr.DataArray(values, dims=dims, attrs={"units": "K"}, name="load")
    places = [sorted(draw(st.lists(st.integers(0, size), max_size=4))) for size in shape]
    chunks = tuple(
        tuple(b - a for a, b in itertools.pairwise([0, *cut, size]))
        for cut, size in zip(places, shape, strict=True)
    )
    config = en.SurpriseConfig(
        promise=50.0, warm_up=5, changes=draw(st.booleans()), order=draw(st.integers(0, 2))
    )
    return x, x.copy(data=da.from_array(values, chunks=chunks)), config


@settings(max_examples=60)
@given(cases())
def test_chunks_change_no_number(case) -> None:
    whole, cut, config = case
    together, lazy = en.watch(whole, config), en.watch(cut, config)
    assert lazy.surprisal.chunks == cut.chunks
    xr.testing.assert_identical(lazy.compute(scheduler="sync"), together)
    assert together.alarm.dims == whole.dims
    # The first has the seed's own coin.
    alone = en.watch(whole.isel(site=0), config)
    for name in ("value", *WATCHED):
        xr.testing.assert_identical(together[name].isel(site=0), alone[name])
    assert int(together.missing[0]) == alone.attrs["missing"]


def test_a_stream_differs_by_its_coin_alone_which_follows_from_its_place() -> None:
    # Where all values are alike a p-value is nothing but the coin.
    alike = xr.DataArray(np.zeros((2, 3, 1000)), dims=("a", "b", "time"))
    found = en.watch(alike, QUICK)
    coins = found.p_value.values.reshape(6, -1)
    assert abs(np.corrcoef(coins) - np.eye(6)).max() < 0.15
    assert abs(coins.mean(axis=1) - 0.5).max() < 0.05
    assert (found.surprisal == found.surprisal[0, 0]).all()
    # Cut, it has the same one: its place is counted over the whole array.
    part = en.watch(alike.chunk(a=1, b=2), QUICK).isel(a=1, b=2).compute()
    np.testing.assert_array_equal(part.p_value, found.p_value[1, 2])


def test_one_lazy_series_has_the_numbers_of_the_series() -> None:
    x = xr.DataArray(np.random.default_rng(1).standard_normal(300), dims="time")
    lazy, alone = en.watch(x.chunk(time=70), QUICK), en.watch(x, QUICK)
    assert lazy.alarm.chunks == x.chunk(time=70).chunks
    for name in ("value", *WATCHED):
        xr.testing.assert_identical(lazy[name].compute(), alone[name])
    assert lazy.attrs.items() <= alone.attrs.items()


def test_attributes_times_and_coordinates() -> None:
    time = np.datetime64("2026-01-01", "ns") + np.arange(60) * np.timedelta64(3600, "s")
    x = xr.DataArray(
        np.zeros((60, 2)),
        dims=("time", "site"),
        coords={"time": time, "site": ["a", "b"], "height": ("site", [1.0, 2.0])},
        attrs={"units": "hPa"},
    )
    x[3, 1] = np.nan
    found = en.watch(x, QUICK)
    alone = en.watch(x[:, 0].drop_vars("site"), QUICK)
    assert found.value.attrs["units"] == "hPa"
    assert {name: row.attrs for name, row in found[[*WATCHED]].items()} == {
        name: row.attrs for name, row in alone[[*WATCHED]].items()
    }
    assert found.attrs.items() <= alone.attrs.items()
    assert (found.attrs["step"], found.attrs["limit"]) == (3600.0, QUICK.limit)
    assert found.missing.values.tolist() == [0, 1]
    assert found.coords.keys() == {"time", "site", "height"}
    assert en.monitor.promise_in_words(found.attrs) == (
        "at most one false alarm in about 2.1 days at this rate in each stream (50 values)"
    )
    assert en.watch(x.drop_vars("time")).time.attrs["units"] == "samples"
    numbered = en.watch(x, time=np.arange(60.0))
    assert numbered.time.values.tolist() == list(range(60))


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("bad", [math.inf, -1e301])
def test_a_value_that_is_none_is_named_by_its_place(bad: float, lazily: bool) -> None:
    x = xr.DataArray(np.zeros((4, 30)), dims=("site", "time"))
    x[2, 17] = bad
    with pytest.raises(EntroError, match=r"series\[2, 17\] = -?(inf|1e\+301)"):
        en.watch(x.chunk(site=3, time=10) if lazily else x).compute()


def test_refusals() -> None:
    x = xr.DataArray(np.zeros((2, 3)), dims=("site", "time"))
    with pytest.raises(ParameterError, match="dims of series"):
        en.watch(x.rename(time="when"))
    with pytest.raises(ParameterError, match="coordinate of series = 'missing'"):
        en.watch(x.rename(site="missing"))
    with pytest.raises(ParameterError, match="columns"):
        en.watch(x, columns=["a"])
    with pytest.raises(ParameterError, match="2 times"):
        en.watch(x, time=[1.0, 2.0])
    with pytest.raises(DataError, match=r"time\[2\]"):
        en.watch(x, time=[1.0, 2.0, 0.0])
    with pytest.raises(DataError, match="at least one element"):
        en.watch(x[:, :0])
