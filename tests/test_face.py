"""The face of the package: a table of contents, every name with its example."""

from __future__ import annotations

import inspect
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
    for room in en.ROOMS:
        assert isinstance(getattr(en, room), ModuleType)


def test_the_table_of_contents_can_be_read() -> None:
    assert en.__doc__ is not None
    assert all(name in en.__doc__ for name in NAMES)


def test_what_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"'acount'.*did you mean 'account'"):
        _ = en.acount
