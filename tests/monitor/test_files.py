"""Files and lines as tables: what is found in them, in any pieces, and what is refused by line."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st

import entro_nb as en
from entro_nb.errors import DataError, ParameterError
from entro_nb.monitor import (
    WATCHED,
    TableWatcher,
    alarms,
    as_table,
    read_lines,
    read_pieces,
    read_table,
)
from entro_nb.streams import load_recording
from entro_nb.streams.replay import save_recording

QUICK = en.SurpriseConfig(promise=50.0, warm_up=10)


def long_table(n: int = 5000) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x = rng.standard_normal((n, 2))
    x[rng.random((n, 2)) < 0.02] = np.nan
    x[3210:3230, 1] += 9.0
    frame = pd.DataFrame(x.round(6), columns=["load", "wait"])
    frame.insert(0, "when", pd.date_range("2026-03-01", periods=n, freq="7min"))
    return frame


def rows_of(found: xr.Dataset) -> np.ndarray:
    return np.stack([found[name].values.astype(np.float64) for name in WATCHED])


def watched(pieces) -> tuple[np.ndarray, pd.DataFrame, dict]:
    watcher, rows, found = TableWatcher(QUICK), [], []
    for piece in pieces:
        ds = watcher.push(piece.table, piece.row)
        rows.append(rows_of(ds))
        found.append(watcher.alarms)
    return np.concatenate(rows, axis=1), pd.concat(found, ignore_index=True), watcher.attrs


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The same table in files of each kind."""
    folder = tmp_path_factory.mktemp("files")
    frame = long_table()
    paths = {name: folder / f"data.{name}" for name in ("csv", "csv.gz", "tsv", "nc")}
    frame.to_csv(paths["csv"], index=False)
    frame.to_csv(paths["csv.gz"], index=False)
    frame.to_csv(paths["tsv"], index=False, sep="\t")
    frame.set_index("when").to_xarray().to_netcdf(paths["nc"])
    return paths


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "tsv", "nc"])
def test_pieces_of_a_file_are_the_whole_to_the_bit(files, kind) -> None:
    whole = en.watch(long_table(), QUICK)
    told = alarms(whole)
    assert len(told) > 1
    for rows in (371, 10**6):
        found, table, attrs = watched(read_pieces(files[kind], rows=rows))
        np.testing.assert_array_equal(found, rows_of(whole))
        pd.testing.assert_frame_equal(table, told, check_dtype=False)  # µs or ns
        assert attrs == {k: v for k, v in whole.attrs.items() if k != "title"}
    pd.testing.assert_frame_equal(read_table(files[kind]), long_table(), check_dtype=False)
    for path in (files[kind], str(files[kind])):
        np.testing.assert_array_equal(rows_of(en.watch(path, QUICK)), found)
    alone = en.watch(files[kind], QUICK, time="when", columns=["wait"])
    np.testing.assert_array_equal(rows_of(alone), found[..., 1:])


def test_what_has_been_read_is_told(files) -> None:
    for path in files.values():
        done = [piece.done for piece in read_pieces(path, rows=500)]
        assert done == sorted(done)
        assert done[-1] == pytest.approx(1.0)
        assert 0.0 < done[0] < 1.0 or path.suffix != ".nc"


def test_a_recording_is_read_with_its_units(tmp_path) -> None:
    quakes = load_recording("sea_temperature")[:300]
    path = save_recording(quakes, tmp_path / "sea.nc")
    (piece,) = read_pieces(path)
    assert piece.table.names == ("temperature",)
    assert piece.table.units == ("degC",)
    found = en.watch(read_table(path))
    assert found.value.attrs["units"] == "degC"
    np.testing.assert_array_equal(found.time.values, quakes.time.values)


def test_numbers_as_times_of_netcdf_keep_their_units(tmp_path) -> None:
    time = ("sample", np.arange(4.0) / 2, {"units": "m"})
    xr.Dataset({"q": ("sample", np.arange(4.0))}, coords={"sample": time}).to_netcdf(
        tmp_path / "q.nc"
    )
    (piece,) = read_pieces(tmp_path / "q.nc")
    assert piece.table.names == ("q",)
    assert piece.table.time_attrs == {"long_name": "time", "units": "m"}
    np.testing.assert_array_equal(piece.table.time, np.arange(4.0) / 2)


def test_netcdf_of_many_streams_is_refused(tmp_path) -> None:
    xr.Dataset({"q": (("time", "node"), np.ones((3, 2)))}).to_netcdf(tmp_path / "q.nc")
    with pytest.raises(DataError, match=r"dims of the file = 'node, time'"):
        next(read_pieces(tmp_path / "q.nc"))


def test_parquet_says_what_it_needs(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1....PAR1")
    with pytest.raises(DataError, match=r'for Parquet: pip install "entro-nb\[parquet\]"'):
        next(read_pieces(tmp_path / "a.parquet"))


def test_parquet_is_read_in_batches(tmp_path, monkeypatch) -> None:
    frame = long_table(3000)

    class ParquetFile:
        metadata = SimpleNamespace(num_rows=len(frame))

        def __init__(self, path) -> None:
            assert path.name == "a.parquet"

        def __enter__(self):
            return self

        def __exit__(self, *_) -> None: ...

        def iter_batches(self, batch_size):
            for k in range(0, len(frame), batch_size):
                yield SimpleNamespace(to_pandas=lambda k=k: frame[k : k + batch_size])

    fake = ModuleType("pyarrow.parquet")
    fake.ParquetFile = ParquetFile
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", fake)
    (tmp_path / "a.parquet").write_bytes(b"PAR1....PAR1")
    found, _, _ = watched(read_pieces(tmp_path / "a.parquet", rows=1))
    np.testing.assert_array_equal(found, rows_of(en.watch(frame, QUICK)))


# The many ways to write a table


def table_in(text: str, tmp_path: Path, **asked: object):
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode())
    (piece,) = read_pieces(path, **asked)
    return piece.table


@pytest.mark.parametrize(
    ("text", "names", "values"),
    [
        ("1.5\n2.5\n", ("value",), [[1.5], [2.5]]),
        ("load\n1.5\n\n2.5", ("load",), [[1.5], [2.5]]),
        ("\ufeffload, wait\r\n1, 2\r\n3,\r\n", ("load", "wait"), [[1, 2], [3, np.nan]]),
        ("a;b\n1,5;2\n2,5;3\n", ("a", "b"), [[1.5, 2], [2.5, 3]]),
        ("1 2\n3 4\n", ("column 1", "column 2"), [[1, 2], [3, 4]]),
        ("a|b\n1|NA\n2|null\n", ("a", "b"), [[1, np.nan], [2, np.nan]]),
        (",load\n0,5\n1,6\n", ("load",), [[5], [6]]),
        ('"a, of x",b\n"1",2\n', ("a, of x", "b"), [[1, 2]]),
        ("wait time\n5\n6\n", ("wait time",), [[5], [6]]),
    ],
)
def test_text_is_read_however_it_is_divided(text, names, values, tmp_path) -> None:
    table = table_in(text, tmp_path)
    assert table.names == names
    np.testing.assert_array_equal(table.values, values)
    assert table.time_attrs == {"units": "samples"}
    pieces = [piece.table.values for piece in read_lines(io.BytesIO(text.encode()))]
    np.testing.assert_array_equal(np.concatenate(pieces), values)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("2026-03-01,5\n2026-03-02,6\n", "column 1"),
        ("load,at\n5,2026-03-01\n6,2026-03-02\n", "at"),
        ("Timestamp,load\n1772323200,5\n1772409600,6\n", "Timestamp"),
        ("ts,load\n1772323200000,5\n1772409600000,6\n", "ts"),
        ("date,load,seen\n2026-03-01,5,2026-03-01\n2026-03-02,6,2026-03-02\n", "date"),
        ("at load\n2026-03-01T00:00Z 5\n2026-03-02T01:00+01:00 6\n", "at"),
    ],
)
def test_the_times_are_found_and_read(text, source, tmp_path) -> None:
    table = table_in(text, tmp_path)
    days = np.array(["2026-03-01", "2026-03-02"], dtype="datetime64[ns]")
    np.testing.assert_array_equal(table.time, days)
    assert table.time_attrs == {"long_name": source}
    np.testing.assert_array_equal(table.values[:, 0], [5.0, 6.0])
    bare = table_in(text, tmp_path, time="", columns=["load"]) if "load" in text else None
    assert bare is None or bare.time_attrs == {"units": "samples"}


@pytest.mark.parametrize(
    ("text", "asked", "error", "wrong"),
    [
        ("", {}, DataError, "at least one row"),
        ("\n\n", {}, DataError, "at least one row"),
        ("load,wait\n", {}, DataError, "at least one row"),
        ("a,b\nx,y\n", {}, DataError, "'a', 'b'.*at least one that holds numbers"),
        ("a,b\n1,2\n", {"columns": ["c"]}, ParameterError, "column = 'c'.*'a', 'b'"),
        ("load,b\n1,2\n", {"columns": ["lod"]}, ParameterError, "did you mean 'load'"),
        ("load,b\n1,2\n", {"time": "tim"}, ParameterError, "time = 'tim'"),
        ("load,b\n1,2\n\n3,4\nx,5\n", {}, DataError, r"^load, line 5 = 'x' .* a number"),
        ('load,b\n1,"two\nlines"\nx,5\n', {"columns": ["load"]}, DataError, "load, line 4 = 'x'"),
        ("load,b\n1,2\n3,inf\n", {}, DataError, r"^b, line 3 = inf"),
        ("a,b\n1,2\n1,2,3\n", {}, DataError, "CSV, NetCDF or Parquet .*line 3"),
        ("t,b\n2026-03-01,2\nsoon,3\n", {"time": "t"}, DataError, "t, line 3 = 'soon'"),
        ("t,b\n1772323200,2\nsoon,3\n", {"time": "t"}, DataError, "t, line 3 = 'soon'"),
        ("a,a\n1,2\n", {}, DataError, "column = 'a' .* no other column has"),
    ],
)
def test_refusals_name_the_line(text, asked, error, wrong, tmp_path) -> None:
    with pytest.raises(error, match=wrong):
        table_in(text, tmp_path, **asked)


def test_a_late_line_is_named_too(tmp_path) -> None:
    lines = ["load", *["1.5"] * 4000]
    lines[3000] = "off"
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"^load, line 3001 = 'off'"):
        list(read_pieces(tmp_path / "a.csv", rows=100))


def test_times_that_run_backwards_are_named_by_line(tmp_path) -> None:
    text = "at,load\n" + "".join(f"2026-03-01T00:{k % 50:02d},1\n" for k in range(60))
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=r"^at, line 52 = '2026-03-01 00:00:00"):
        watched(read_pieces(tmp_path / "a.csv"))


def test_what_is_no_table_is_refused(tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    (tmp_path / "a.nc").write_bytes(b"\x89HDF not really")
    with gzip.open(tmp_path / "b.csv.gz", "wb") as file:
        file.write(b"1\n2\n")
    (tmp_path / "a.csv.gz").write_bytes((tmp_path / "b.csv.gz").read_bytes()[:-9])
    for name in ("a.png", "a.nc", "a.csv.gz", "none.csv", "."):
        with pytest.raises(DataError, match=r"^file = "):
            list(read_pieces(tmp_path / name))


# Lines that are still to come


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes, self._at = data, sizes, 0

    def read1(self, n: int) -> bytes:
        size = self._sizes[self._at % len(self._sizes)] if self._sizes else n
        self._at += 1
        block, self._data = self._data[:size], self._data[size:]
        return block


@settings(max_examples=20)
@given(st.lists(st.integers(1, 4000), max_size=5))
def test_lines_are_the_same_table_however_they_come(sizes) -> None:
    frame = long_table(120)
    data = frame.to_csv(index=False).encode()
    found, _, _ = watched(read_lines(Dribble(data, sizes)))
    np.testing.assert_array_equal(found, rows_of(en.watch(frame, QUICK)))


def test_each_line_is_given_as_it_comes() -> None:
    pieces = read_lines(Dribble(b"load\n1.5\n2.5\n3.5", [5, 4, 4, 3]))
    assert [piece.table.values.tolist() for piece in pieces] == [[[1.5]], [[2.5]], [[3.5]]]


def test_lines_before_one_that_is_refused_are_given() -> None:
    pieces = read_lines(io.BytesIO(b"1.5\n2.5\n\noff\n3.5\n"))
    assert [next(pieces).table.values.item() for _ in range(2)] == [1.5, 2.5]
    with pytest.raises(DataError, match=r"^value, line 4 = 'off'"):
        next(pieces)
    pieces = read_lines(io.BytesIO(b"a,b\n1,2\n1,2,3\n"))
    next(pieces)
    with pytest.raises(DataError, match=r"^line 3 = '1,2,3' .*expected 2 fields"):
        next(pieces)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"load\n"])
def test_no_lines_at_all_are_refused(data) -> None:
    with pytest.raises(DataError, match="at least one line of numbers"):
        list(read_lines(io.BytesIO(data)))


def test_alarms_of_pieces_are_those_of_the_whole_over_their_ends() -> None:
    frame = long_table()
    whole = alarms(en.watch(frame, QUICK))
    for cut in (3211, 3212, 3215):
        watcher, found = TableWatcher(QUICK), []
        for part in (frame[:cut], frame[cut:]):
            watcher.push(as_table(part))
            found.append(watcher.alarms)
        pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), whole)
