"""Imports point down only and in no circle; names stand once; importing the package is cheap."""

from __future__ import annotations

import ast
import collections
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import entro_nb

PACKAGE = Path(entro_nb.__file__).parent

#: From the ground up: a room imports from itself and from those that stand before it.
FLOORS = (
    ("errors",),
    ("validate",),
    ("results", "record", "settings", "many"),
    ("graphs", "entropy"),
    ("surprise", "engine", "network"),
    ("accountant",),
    ("geometry", "monitor"),
    ("streams",),
    ("spokesperson",),
    ("simulations", "benchmark"),
    ("sweep", "periods"),
    ("claims",),
    ("views",),
    ("report",),
    ("cli",),
)
FLOOR = {room: k for k, rooms in enumerate(FLOORS) for room in rooms}
PLOTTING = {"holoviews", "panel", "bokeh", "matplotlib"}
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Names that stand in two rooms by the documents' own interface.
TWICE = {"simulate"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path: Path) -> str:
    parts = ("entro_nb", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(nodes: list[ast.stmt], whole: bool) -> Iterator[str]:
    """Names imported by statements: when the module loads, or in the whole of it."""
    for statement in nodes:
        if not whole and isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text(encoding="utf-8")).body, whole=True))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    names = imported(path)
    if path != PACKAGE / "__init__.py":
        own = {name.split(".")[1] for name in names if name.startswith("entro_nb.")}
        assert {r for r in own & FLOOR.keys() - {room} if FLOOR[r] >= FLOOR[room]} == set()
    if room not in {"views", "report", "cli"}:
        plotting = {name for name in names if name.split(".")[0] in PLOTTING}
        # A sample recording that Bokeh ships is data, not plotting.
        assert all(name.startswith("bokeh.sampledata") for name in plotting)


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in MODULES} - {"__init__"} == FLOOR.keys()


def test_no_file_waits_for_one_that_waits_for_it() -> None:
    files = {dotted(path): path for path in MODULES}
    needs = {}
    for name, path in files.items():
        body = ast.parse(path.read_text(encoding="utf-8")).body
        found = set(imports(body, whole=True))
        # `from entro_nb.room import name` needs the file `name` if there is one, else the room.
        homes = {n if n in files else n.rpartition(".")[0] for n in found}
        # A room's face hands names on and defines none: whoever is in the room may stand below it.
        needs[name] = {h for h in homes & files.keys() - {name} if not name.startswith(f"{h}.")}
    del needs["entro_nb"]
    graphlib.TopologicalSorter(needs).prepare()


def test_each_public_name_is_defined_in_one_file() -> None:
    homes = collections.defaultdict(set)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name[0] != "_":
                homes[node.name].add(dotted(path))
    assert {name: where for name, where in homes.items() if len(where) > 1}.keys() <= TWICE


def test_importing_the_package_loads_nothing_heavier_than_numpy() -> None:
    code = "import sys, entro_nb; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"scipy", "pandas", "xarray", "numba", "networkx", "dask", "papermill", "ot"}
    assert "entro_nb" in loaded
    assert not set(loaded) & (heavy | PLOTTING)


def test_modules_stay_readable() -> None:
    lengths = {p.relative_to(PACKAGE): len(p.read_text().splitlines()) for p in MODULES}
    assert {path: n for path, n in lengths.items() if n > 700} == {}
