"""The face of the package: a table of contents, every name with its example."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType

import pytest

import entro_nb as en

NAMES = [name for name in dir(en) if not name.startswith("_")]


def test_dir_is_a_table_of_contents_and_no_longer() -> None:
    assert 60 <= len([n for n in NAMES if not isinstance(getattr(en, n), ModuleType)]) <= 80
    assert set(dir(en)) == set(en.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_has_an_example(name: str) -> None:
    found = getattr(en, name)
    if callable(found):
        text = inspect.getdoc(found)
        assert text is not None
        assert ">>> " in text


def test_no_name_shadows_a_room() -> None:
    rooms = {name for name in NAMES if (Path(en.__file__).parent / name).is_dir()}
    rooms |= {path.stem for path in Path(en.__file__).parent.glob("[a-z]*.py")}
    for room in rooms & set(NAMES):
        assert isinstance(getattr(en, room), ModuleType)
    assert {"engine", "entropy", "sweep", "claims"} <= rooms


def test_the_table_of_contents_can_be_read() -> None:
    assert en.__doc__ is not None
    missing = [name for name in NAMES if name not in en.__doc__]
    assert missing == []


def test_what_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"'acount'.*did you mean 'account'"):
        _ = en.acount
