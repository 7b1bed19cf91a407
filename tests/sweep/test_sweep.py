"""Sweeps in this process: what is run, what comes out, what is refused."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from entro_nb import engine
from entro_nb.errors import DataError, ParameterError, ParameterTypeError, SweepError
from entro_nb.simulations import SIMULATIONS, Plan, Simulation
from entro_nb.sweep import Store, first_run, read_sweep, run_sweep, tile_size, tiles

SHORT = {"duration": 300.0}


def draw(*, seed: int, scale: float = 1.0, shift: int = 0) -> dict[str, float]:
    """One normal number."""
    return {"x": shift + scale * np.random.default_rng(seed).standard_normal()}


def vector(*, seed: int, n: int = 3) -> xr.Dataset:
    """A variable with a dimension of its own."""
    values = np.random.default_rng(seed).random((1, n))
    return xr.Dataset({"v": (("replicate", "node"), values, {"units": "psi"})})


def test_a_run_is_the_one_that_the_simulation_makes_with_its_seed():
    runs = run_sweep(
        "pipeline", {"alpha": [0.2, 0.8], "delay": [0, 3]}, replicates=2, seed=5, fixed=SHORT
    )
    plan = Plan(Simulation.of("pipeline"), {"alpha": [0.2, 0.8], "delay": [0, 3]}, SHORT, 2, 5)
    seeds = plan.seeds(plan.point((1, 1)), slice(0, 2))
    plant = engine.pipeline(engine.three_phases(duration=300.0))
    law = engine.EntropyLaw(alpha=0.8)
    for k, seed in enumerate(seeds):
        alone = engine.replicate(plant, law, delay=3, replicates=1, seed=seed)
        there = runs.sel(alpha=0.8, delay=3).isel(replicate=k)
        for name in alone.data_vars:
            assert there[name].item() == alone[name].item()
            assert there[name].attrs["units"] == alone[name].attrs["units"]


@settings(max_examples=25)
@given(chunk=st.integers(1, 40), sizes=st.tuples(*[st.integers(1, 4)] * 2), runs=st.integers(1, 6))
def test_any_chunking_gives_the_same(chunk, sizes, runs):
    grid = {"scale": [float(k) for k in range(sizes[0])], "shift": list(range(sizes[1]))}
    whole = run_sweep(draw, grid, replicates=runs, seed=3, chunk=1000)
    xr.testing.assert_identical(run_sweep(draw, grid, replicates=runs, seed=3, chunk=chunk), whole)


def test_a_point_is_the_same_in_a_larger_grid_and_with_more_replicates():
    small = run_sweep(draw, {"scale": [2.0]}, replicates=2, seed=3)
    large = run_sweep(draw, {"shift": [0, 1], "scale": [1.0, 2.0]}, replicates=5, seed=3)
    assert (large.x.sel(shift=0, scale=[2.0], replicate=[0, 1]).values == small.x.values).all()


def test_runs_are_independent_unless_they_are_to_be_paired():
    grid = {"shift": [0, 100]}
    free = run_sweep(draw, grid, replicates=50, seed=3).x
    paired = run_sweep(draw, grid, replicates=50, seed=3, common=True).x
    assert np.unique(np.round(free.values, 9)).size == 100
    assert np.allclose(np.diff(paired.values, axis=0), 100.0)
    assert not np.array_equal(free, run_sweep(draw, grid, replicates=50, seed=4).x)
    values = run_sweep(draw, {"shift": [0]}, replicates=4000, seed=1).x.values
    assert abs(values.mean()) < 4 / np.sqrt(4000)
    assert abs(values.std() - 1) < 0.05


def test_variables_keep_their_own_dimensions():
    runs = run_sweep(vector, {"n": [3]}, replicates=2, seed=1)
    assert runs.v.dims == ("n", "replicate", "node")
    assert runs.v.attrs["units"] == "psi"
    with pytest.raises(SweepError, match=r"v is shape \(4,\) at .*'n': 4"):
        run_sweep(vector, {"n": [3, 4]}, seed=1)


@pytest.mark.parametrize("name", SIMULATIONS)
def test_every_known_simulation_runs(name):
    simulation = Simulation.of(name)
    axis = next(iter(simulation.parameters))
    value = simulation.parameters[axis]
    runs = run_sweep(name, {axis: [value]}, replicates=2 if simulation.takes else 1)
    assert all(np.isfinite(v.values).all() and v.attrs["units"] for v in runs.data_vars.values())


REFUSED = {
    "unknown parameter": ({"grid": {"alhpa": [1]}}, ParameterError, "did you mean 'alpha'"),
    "empty axis": ({"grid": {"alpha": []}}, ParameterError, r"alpha = \[\]"),
    "a number for an axis": ({"grid": {"alpha": 0.5}}, ParameterTypeError, "alpha = 0.5"),
    "text for a number": ({"grid": {"alpha": ["much"]}}, ParameterTypeError, "alpha = 'much'"),
    "not a number": ({"grid": {"alpha": [float("nan")]}}, ParameterTypeError, "alpha = nan"),
    "twice the same": ({"grid": {"alpha": [1, 1.0]}}, ParameterError, "each value of an axis once"),
    "axis and fixed": (
        {"grid": {"alpha": [1]}, "fixed": {"alpha": 1}}, ParameterError, "or a fixed value"
    ),
    "no replicates": ({"grid": {}, "replicates": 0}, ParameterError, "replicates = 0"),
    "no chunk": ({"grid": {}, "chunk": 0}, ParameterError, "chunk = 0"),
    "no workers": ({"grid": {}, "workers": 0}, ParameterError, "workers = 0"),
    "unknown simulation": ({"simulation": "pipline"}, ParameterError, "did you mean 'pipeline'"),
    "no such module": ({"simulation": "none.such:f"}, ParameterError, "none"),
    "unknown variable": ({"keep": ["violation"]}, ParameterError, "one of 'violations'"),
    "a run that fails": (
        {"grid": {"alpha": [0.5, -1.0]}}, SweepError, "alpha = -1.0.*finite number in"
    ),
    "too much to hold": ({"memory": 100, "replicates": 50}, ParameterError, "Zarr store"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    wrong, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message):
        run_sweep(**{"simulation": "pipeline", "grid": {"alpha": [0.5]}, "fixed": SHORT} | wrong)


def test_replicates_of_a_deterministic_simulation_are_refused():
    with pytest.raises(ParameterError, match="takes no seed"):
        run_sweep("regimes", {"drive": [1.0]}, replicates=2)


GRID = {"scale": [1.0, 2.0, 3.0], "shift": [0, 1]}


def test_a_store_holds_what_memory_holds(tmp_path):
    out = tmp_path / "deep" / "s.zarr"
    stored = run_sweep(draw, GRID, replicates=5, seed=3, out=out, chunk=4)
    held = run_sweep(draw, GRID, replicates=5, seed=3)
    assert np.array_equal(stored.x, held.x)
    assert stored.x.dims == held.x.dims
    lazy = run_sweep(draw, GRID, replicates=5, seed=3, out=out, memory=1)
    assert lazy.x.chunks is not None
    assert np.array_equal(lazy.x, held.x)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["s.zarr"]


def test_text_on_an_axis_can_be_stored(tmp_path):
    grid = {"law": ["none", "entropy"]}
    stored = run_sweep("pipeline", grid, fixed=SHORT, out=tmp_path / "s.zarr")
    assert list(stored.law.values) == ["none", "entropy"]
    assert stored.violations.sel(law="none").item() > stored.violations.sel(law="entropy").item()


def test_what_is_finished_is_not_run_again(tmp_path, monkeypatch):
    out = tmp_path / "s.zarr"
    whole = run_sweep(draw, GRID, replicates=5, seed=3)
    wrote = Store.write

    def stop(self, number, tile, arrays):
        if number == 3:
            raise KeyboardInterrupt
        wrote(self, number, tile, arrays)

    monkeypatch.setattr(Store, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(draw, GRID, replicates=5, seed=3, out=out, chunk=5)
    numbers = []

    def note(self, number, tile, arrays):
        numbers.append(number)
        wrote(self, number, tile, arrays)

    monkeypatch.setattr(Store, "write", note)
    seen = []
    tell = lambda done, total: seen.append((done, total))  # noqa: E731
    again = run_sweep(draw, GRID, replicates=5, seed=3, out=out, chunk=7, progress=tell)
    assert numbers == [3, 4, 5]  # in the pieces of the store, whatever is asked for now
    assert seen == [(20, 30), (25, 30), (30, 30)]
    assert np.array_equal(again.x, whole.x)


KILLED = """
import sys, time
sys.path.insert(0, {here!r})
from test_sweep import draw, GRID
from entro_nb.sweep import run_sweep
def tell(done, total):
    print(done, flush=True)
    time.sleep(0.2)
run_sweep(draw, GRID, replicates=5, seed=3, out={out!r}, chunk=1, progress=tell)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_sweep_goes_on(tmp_path):
    out = tmp_path / "s.zarr"
    script = KILLED.format(here=str(Path(__file__).parent), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    seen = []
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        from test_sweep import draw as same  # as the script knows it

        again = run_sweep(
            same, GRID, replicates=5, seed=3, out=out, progress=lambda done, _: seen.append(done)
        )
    finally:
        sys.path.remove(str(Path(__file__).parent))
    assert seen[0] > 4
    assert seen[-1] == 30
    assert np.array_equal(again.x, run_sweep(draw, GRID, replicates=5, seed=3).x)


def test_a_store_of_another_sweep_is_refused_and_left_alone(tmp_path, monkeypatch):
    out = tmp_path / "s.zarr"
    run_sweep(draw, GRID, replicates=2, seed=3, out=out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    for change, named in (
        ({"seed": 4}, "seed"),
        ({"replicates": 3}, "replicates"),
        ({"grid": {"scale": [1.0]}}, "grid"),
        ({"fixed": {"shift": 0}, "grid": {"scale": [1.0]}}, "grid, fixed"),
        ({"simulation": vector, "grid": {"n": [3]}}, "simulation, grid, variables"),
    ):
        asked = {"simulation": draw, "grid": GRID, "replicates": 2, "seed": 3} | change
        with pytest.raises(SweepError, match=f"another sweep \\(its {named}"):
            run_sweep(**asked, out=out)
    monkeypatch.setattr(Simulation, "fingerprint", lambda _: "other")
    with pytest.raises(SweepError, match="another version of the code"):
        run_sweep(draw, GRID, replicates=2, seed=3, out=out)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_a_place_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(tmp_path / "other.zarr", consolidated=False)
    for name in ("mine", "file", "other.zarr"):
        with pytest.raises(SweepError, match="no sweep made"):
            run_sweep(draw, GRID, out=tmp_path / name)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_told_and_what_is_finished_stays(tmp_path, monkeypatch):
    import zarr.storage._local as local

    out = tmp_path / "s.zarr"
    plan = Plan(Simulation.of(draw), GRID, {}, 5, 3)
    store = Store(out, plan, first_run(plan, None)[0], (1, 1, 5))
    put = local._put

    def full(path, value, *rest, **more):
        if path.parent.name == "1" and "x" in path.parts:  # the second row of chunks
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return put(path, value, *rest, **more)

    monkeypatch.setattr(local, "_put", full)
    with pytest.raises(SweepError, match=r"No space left on device \(what is finished is safe"):
        run_sweep(draw, GRID, replicates=5, seed=3, out=out)
    finished = store.finished
    assert 0 < len(finished) < 6
    monkeypatch.undo()
    again = run_sweep(draw, GRID, replicates=5, seed=3, out=out)
    assert np.array_equal(again.x, run_sweep(draw, GRID, replicates=5, seed=3).x)


@given(
    shape=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    runs=st.integers(1, 400),
)
def test_pieces_cover_the_grid_once(shape, runs):
    size = tile_size(shape, runs)
    assert np.prod(size) <= runs
    seen = np.zeros(shape, int)
    for tile in tiles(shape, size):
        seen[tile] += 1
    assert (seen == 1).all()


def test_a_file_says_the_same_in_toml_and_yaml(tmp_path):
    toml = tmp_path / "a.toml"
    toml.write_text(
        textwrap.dedent("""\
        simulation = "pipeline"
        replicates = 2
        [grid]
        alpha = { start = 0.1, stop = 10, count = 3, log = true }
        delay = { start = 0, stop = 4, count = 3 }
        [fixed]
        beta = 1e-1
        """)
    )
    yml = tmp_path / "a.yaml"
    yml.write_text(
        "simulation: pipeline\nreplicates: 2\nfixed: {beta: 1e-1}\ngrid:\n"
        "  alpha: {start: 0.1, stop: 10, count: 3, log: true}\n"
        "  delay: {start: 0, stop: 4, count: 3}\n"
    )
    asked = read_sweep(toml)
    assert asked["grid"]["alpha"] == pytest.approx([0.1, 1.0, 10.0])
    assert asked["grid"]["delay"] == [0, 2, 4]
    other = read_sweep(yml)
    assert other["fixed"] == {"beta": "1e-1"}  # YAML 1.1 takes it for text; the sweep does not
    xr.testing.assert_identical(
        run_sweep(**asked | {"fixed": asked["fixed"] | SHORT}),
        run_sweep(**other | {"fixed": other["fixed"] | SHORT}),
    )


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("simulation = [", DataError, "TOML"),
        ('simulation = "pipeline"', ParameterError, "grid = None"),
        ('simulation = "a"\ngird = 1', ParameterError, "did you mean 'grid'"),
        ('simulation = "a"\ngrid = 1', ParameterTypeError, "grid = 1"),
        ('simulation = "a"\n[grid]\nx = 1', ParameterTypeError, "x = 1"),
        ('simulation = "a"\n[grid]\nx = {start = 1}', ParameterError, "start, stop, count"),
        (
            'simulation = "a"\n[grid]\nx = {start = 0, stop = 1, count = 2, log = true}',
            ParameterError,
            "start of x",
        ),
    ],
)
def test_files_that_are_refused(tmp_path, text, kind, message):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(kind, match=message):
        read_sweep(path)
    with pytest.raises(DataError, match="No such file"):
        read_sweep(tmp_path / "none.toml")
