"""Many streams at once: the numbers of each alone, however the array lies and is cut."""

from __future__ import annotations

import itertools
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st

from entro_nb import AccountantConfig, account, watch
from entro_nb.accountant import Thresholds
from entro_nb.errors import DataError, EntroError, ParameterError, ParameterTypeError
from entro_nb.many import each_stream
from entro_nb.sweep import client_of

da = pytest.importorskip("dask.array")

CONFIG = AccountantConfig(
    window=6, bins=5, derivative_window=3, thresholds=Thresholds(1.0, 2.0, 0.2, 0.1, 0.1)
)


def cuts(draw: Any, size: int) -> tuple[int, ...]:
    """Sizes of the pieces of an axis, empty ones among them."""
    places = draw(st.lists(st.integers(0, size), max_size=4))
    return tuple(b - a for a, b in itertools.pairwise([0, *sorted(places), size]))


@st.composite
def arrays(draw: Any) -> tuple[xr.DataArray, xr.DataArray]:
    """An array of streams whose dims lie in any order; and the same in chunks."""
    dims = draw(st.permutations(["time", "site", "depth"]))[: draw(st.integers(1, 3))]
    dims = dims if "time" in dims else ["time", *dims[1:]]
    shape = [draw(st.integers(1, 12 if name == "time" else 4)) for name in dims]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.round(rng.standard_normal(shape) * 3.0, draw(st.integers(0, 3)))
    x = xr.DataArray(values, dims=dims)
    if "site" in dims:
        x = x.assign_coords(site=[f"s{k}" for k in range(x.sizes["site"])])
    chunks = tuple(cuts(draw, size) for size in shape)
    return x, x.copy(data=da.from_array(values, chunks=chunks))


@settings(max_examples=100)
@given(arrays())
def test_each_stream_is_measured_as_if_alone_however_it_is_cut(
    pair: tuple[xr.DataArray, xr.DataArray],
) -> None:
    whole, cut = pair
    together = account(whole, CONFIG)
    assert together.stability.dims == whole.dims
    others = [name for name in whole.dims if name != "time"]
    for index in itertools.product(*(range(whole.sizes[name]) for name in others)):
        place = dict(zip(others, index, strict=True))
        xr.testing.assert_identical(together.isel(place), account(whole.isel(place), CONFIG))
    lazy = account(cut, CONFIG)
    assert {name: row.chunks for name, row in lazy.items()} == dict.fromkeys(lazy, cut.chunks)
    xr.testing.assert_identical(lazy.compute(scheduler="sync"), together)


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
def test_any_scheduler_gives_the_same(scheduler: str) -> None:
    x = xr.DataArray(np.random.default_rng(1).standard_normal((6, 500)), dims=("site", "time"))
    lazy = account(x.chunk(site=2, time=100))
    xr.testing.assert_identical(lazy.compute(scheduler=scheduler, num_workers=2), account(x))


def test_a_cluster_gives_the_same() -> None:
    x = xr.DataArray(np.random.default_rng(1).standard_normal((500, 6)), dims=("time", "site"))
    lazy = [judge(x.chunk(site=2, time=100)) for judge in (account, watch)]
    with client_of(None, 2) as client:
        for found, judge in zip(client.gather(client.compute(lazy)), (account, watch), strict=True):
            xr.testing.assert_identical(found, judge(x))


def test_names_units_and_coordinates_are_those_of_one_stream() -> None:
    time = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[ns]")
    x = xr.DataArray(
        np.zeros((3, 2)),
        dims=("time", "site"),
        coords={"time": time, "site": ["a", "b"], "height": ("site", [1.0, 2.0], {"units": "m"})},
    )
    ds, alone = account(x), account(x[:, 0])
    assert ds.attrs == alone.attrs
    assert {name: row.attrs for name, row in ds.items()} == {
        name: row.attrs for name, row in alone.items()
    }
    assert ds.coords.keys() == {"time", "site", "height"}
    for name, coordinate in x.coords.items():
        xr.testing.assert_identical(ds[name], coordinate)
    counted = x.drop_vars("time")
    for one in (counted, counted[:, 0], counted.chunk(site=1)):
        assert account(one).time.attrs == {"units": "samples"}


def untouchable(*_: Any) -> Any:
    raise AssertionError("computed")


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    x = xr.DataArray(
        da.zeros((4, 6), chunks=(2, 3)).map_blocks(untouchable, dtype=float, meta=np.empty((0, 0))),
        dims=("site", "time"),
    )
    lazy = account(x)
    with pytest.raises(AssertionError, match="computed"):
        lazy.entropy.compute(scheduler="sync")


class Count:
    """Counts the values of each stream; and how many rows are alive at the most."""

    def __init__(self) -> None:
        self.alive, self.most, self.places = 0, 0, []

    def __dask_tokenize__(self) -> str:
        return "Count"

    def begin(self, places: np.ndarray) -> tuple[np.ndarray, ...]:
        self.places.append(places.tolist())
        return (np.zeros(places.size),)

    def go_on(self, x: np.ndarray, memory: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        rows = tuple(memory[0][:, np.newaxis] + np.arange(x.shape[1]) for _ in range(2))
        memory[0][:] += x.shape[1]
        for row in rows:
            self.alive += 1
            weakref.finalize(row, self.gone)
        self.most = max(self.most, self.alive)
        return rows

    def gone(self) -> None:
        self.alive -= 1


def test_rows_are_dropped_before_the_next_are_made() -> None:
    count = Count()
    x = xr.DataArray(da.zeros((4, 200), chunks=(2, 10)), dims=("site", "time"))
    rows = each_stream(x, count, {"first": float, "second": float})
    kept = [row.sum(axis=1).compute(scheduler="sync") for row in rows.values()]
    np.testing.assert_array_equal(kept, np.full((2, 4), 199 * 100))
    assert count.alive == 0
    assert count.most == 2  # of 80


def test_places_are_counted_over_the_whole_array() -> None:
    count = Count()
    x = xr.DataArray(da.zeros((3, 5, 4), chunks=(2, 5, 3)), dims=("site", "time", "depth"))
    each_stream(x, count, {"first": float, "second": float})["first"].compute(scheduler="sync")
    assert sorted(count.places) == [[0, 1, 2, 4, 5, 6], [3, 7], [8, 9, 10], [11]]


def test_what_a_task_is_given_stays_as_it_is() -> None:
    x = xr.DataArray(da.ones((2, 6), chunks=(2, 2)), dims=("site", "time"))
    rows = each_stream(x, Count(), {"first": float, "second": float})
    again = [rows["first"].compute(scheduler="sync") for _ in range(2)]
    np.testing.assert_array_equal(*again)
    blocks = da.compute(*rows["first"].to_delayed().ravel(), scheduler="sync")
    np.testing.assert_array_equal(np.hstack(blocks), again[0])


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_value_is_named_by_its_place_in_the_whole(lazily: bool, bad: float) -> None:
    x = xr.DataArray(np.zeros((7, 5)), dims=("time", "site"))
    x[4, 3] = bad
    x = x.chunk(time=3, site=2) if lazily else x
    with pytest.raises(DataError, match=r"x\[4, 3\] = (nan|inf) is not allowed") as caught:
        account(x).compute()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize(
    ("x", "error", "match"),
    [
        (xr.DataArray(np.zeros((2, 3)), dims=("site", "node")), ParameterError, "'time', and any"),
        (xr.DataArray(np.zeros((0, 3)), dims=("site", "time")), DataError, "at least one element"),
        (xr.DataArray(np.zeros((3, 0)), dims=("site", "time")), DataError, "at least one element"),
        (xr.DataArray([[True]], dims=("site", "time")), ParameterTypeError, "array of real"),
        (xr.DataArray([[1j]], dims=("site", "time")), ParameterTypeError, "array of real"),
        (xr.DataArray([[1.0]], dims=("jerk", "time")), ParameterError, "coordinate of x = 'jerk'"),
        (
            xr.DataArray([[1.0]], dims=("site", "time"), coords={"esi": 1.0}),
            ParameterError,
            "coordinate of x = 'esi'",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_at_once(
    x: xr.DataArray, error: type[EntroError], match: str, lazily: bool
) -> None:
    with pytest.raises(error, match=match):
        account(x.chunk() if lazily else x)


def test_a_wrong_config_is_refused() -> None:
    with pytest.raises(ParameterTypeError, match="AccountantConfig"):
        account(xr.DataArray([[1.0]], dims=("site", "time")), 3)  # type: ignore[arg-type]
