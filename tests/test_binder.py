from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [
    Requirement(line)
    for line in (BINDER / "requirements.txt").read_text().splitlines()
    if line.strip() and not line.lstrip().startswith("#")
]


def canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


WANTED = [
    Requirement(line)
    for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["scale"]
]


def test_every_line_pins_one_version() -> None:
    for pin in PINS:
        (only,) = pin.specifier
        assert only.operator == "==", pin
        assert pin.url is None
    names = [canonical(pin.name) for pin in PINS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_the_pins_satisfy_the_project(wanted: Requirement) -> None:
    (pin,) = [pin for pin in PINS if canonical(pin.name) == canonical(wanted.name)]
    (version,) = [only.version for only in pin.specifier]
    assert wanted.specifier.contains(version, prereleases=True)


def test_the_python_satisfies_the_project() -> None:
    name, _, version = (BINDER / "runtime.txt").read_text().strip().partition("-")
    assert name == "python"
    assert Version(version) in SpecifierSet(PROJECT["requires-python"])


def test_the_package_itself_is_installed_after_the_pins() -> None:
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/bash\n")
    assert "pip install --no-deps -e ." in script.read_text()
