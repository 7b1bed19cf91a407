"""Imports point down only, and importing the package is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import entro_nb

PACKAGE = Path(entro_nb.__file__).parent

#: What each layer may import of the layers beside or above it; what is not named, none.
MATHEMATICS = {"entropy", "accountant", "engine", "network", "geometry"}
ABOVE = {
    **{
        room: {
            "streams",
            "spokesperson",
            "simulations",
            "sweep",
            "periods",
            "views",
            "report",
            "cli",
            "claims",
        }
        for room in MATHEMATICS
    },
    "streams": {"spokesperson", "views", "report", "cli", "claims"},
    "spokesperson": {"views", "report", "cli", "claims"},
    "simulations": {
        "streams",
        "spokesperson",
        "sweep",
        "periods",
        "views",
        "report",
        "cli",
        "claims",
    },
    "sweep": {"streams", "spokesperson", "periods", "views", "report", "cli", "claims"},
    "periods": {"sweep", "views", "report", "cli", "claims"},
    "views": {"report", "cli"},
}
PLOTTING = {"holoviews", "panel", "bokeh", "matplotlib"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    names = imported(path)
    for above in ABOVE.get(room, set()):
        assert not any(f"{name}.".startswith(f"entro_nb.{above}.") for name in names)
    if room not in {"views", "report", "cli"} and path != PACKAGE / "__init__.py":
        plotting = {name for name in names if name.split(".")[0] in PLOTTING}
        # A sample recording that Bokeh ships is data, not plotting.
        assert all(name.startswith("bokeh.sampledata") for name in plotting)


def test_importing_the_package_loads_nothing_heavier_than_numpy() -> None:
    code = "import sys, entro_nb; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"scipy", "pandas", "xarray", "numba", "networkx", "dask", "papermill", "ot"}
    assert "entro_nb" in loaded
    assert not set(loaded) & (heavy | PLOTTING)


def test_every_public_name_can_be_had() -> None:
    for name in entro_nb.__all__:
        assert getattr(entro_nb, name) is not None
    assert "Accountant" in dir(entro_nb)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = entro_nb.no_such_name


def test_modules_stay_readable() -> None:
    lengths = {p.relative_to(PACKAGE): len(p.read_text().splitlines()) for p in MODULES}
    assert {path: n for path, n in lengths.items() if n > 700} == {}
