"""Files of many streams under watch on a cluster: `entro-nb watch --scheduler`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import entro_nb as en
from entro_nb import cli
from entro_nb.errors import DataError, ParameterError
from entro_nb.monitor import alarms, alarms_of_streams, open_streams, streams
from entro_nb.sweep import client_of


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    """Twelve streams in a Zarr store, in two of which something happens; read in many blocks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(streams, "BLOCK", 20_000)
    x = np.random.default_rng(1).standard_normal((3, 1200, 4))
    x[0, 1000, 1], x[2, 1100, 3], x[1, 5, 2] = 30.0, -25.0, np.nan
    load = xr.DataArray(x, dims=("tank", "time", "site"), coords={"site": [10, 20, 30, 40]})
    load.to_dataset(name="load").to_zarr("load.zarr", consolidated=False)
    return tmp_path / "load.zarr"


def test_the_command_finds_the_alarms_of_the_whole_array(store, capsys) -> None:
    config = en.SurpriseConfig(promise=1000.0)
    with xr.open_zarr(store, consolidated=False) as file:
        x = file["load"].load().assign_coords(tank=range(3))
    expected = alarms(en.watch(x, config))
    happened = expected[["tank", "time", "site"]].itertuples(index=False, name=None)
    assert {(0, 1000, 20), (2, 1100, 40)} <= set(happened)
    assert len(open_streams(store).data.to_delayed().ravel()) > 3
    with client_of(None, 2) as client:
        line = ["watch", "load.zarr", "--promise", "1000", "--out", "found"]
        assert cli.main([*line, "--scheduler", client.scheduler.address]) == 0
        *_, (_, done) = alarms_of_streams(open_streams(store), config, client)
    assert done == 1.0
    found = pd.read_csv("found/alarms.csv")
    order = ["time", "tank", "site"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True)
    )
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "12 streams of 1,200 values",
        "at most one false alarm in 1,000 values in each stream",
        f"{len(expected)} alarms",
        "found/alarms.csv",
    ]
    assert told.err.splitlines()[-1] == "100 of 100 %"


def test_what_holds_no_streams_is_refused(store, tmp_path) -> None:
    with pytest.raises(DataError, match=r"file = 'none.nc'.*NetCDF, or a Zarr store"):
        open_streams("none.nc")
    with pytest.raises(DataError, match="NetCDF, or a Zarr store"):
        open_streams(tmp_path)
    with pytest.raises(ParameterError, match="did you mean 'load'"):
        open_streams(store, "laod")
    two = xr.Dataset({"a": ("time", [1.0]), "b": ("time", [1.0]), "c": ("site", [1.0])})
    two.to_netcdf("two.nc")
    with pytest.raises(ParameterError, match="one of a, b"):
        open_streams("two.nc")
    two[["c"]].to_netcdf("none.nc")
    with pytest.raises(DataError, match="a variable over 'time'"):
        open_streams("none.nc")


@pytest.mark.parametrize(
    ("more", "wrong"),
    [(["--time", "when"], "time = 'when'"), (["--column", "a", "--column", "b"], "one variable")],
)
def test_the_command_refuses_what_means_nothing_there(store, more, wrong, capsys) -> None:
    assert cli.main(["watch", "load.zarr", "--scheduler", "tcp://127.0.0.1:1", *more]) == 2
    assert wrong in capsys.readouterr().err
