from __future__ import annotations

import importlib
import inspect

import pytest

from entro_nb import settings
from entro_nb.errors import ParameterError

ROWS = settings.symbols()


@pytest.mark.parametrize("row", list(ROWS.itertuples()), ids=lambda row: row.symbol)
def test_every_symbol_has_code_that_exists_and_speaks_of_it(row: object) -> None:
    found = settings.symbol_code(row.code)
    if not inspect.isroutine(found) and not inspect.isclass(found):
        found = settings.symbol_code(row.code.rpartition(".")[0])  # a field: its class documents it
    written = inspect.getdoc(found)
    assert written
    seed = row.source.split(",")[0].removeprefix("seed ")
    home = inspect.getmodule(found)
    assert home is not None
    room = importlib.import_module(home.__name__.rpartition(".")[0])
    assert seed in f"{written} {home.__doc__} {room.__doc__}"


def test_the_table_is_complete_and_says_everything_once() -> None:
    assert not ROWS.isna().any(axis=None)
    assert ROWS.symbol.is_unique
    assert set(ROWS.code.str.split(".").str[0]) == {
        "entropy",
        "accountant",
        "surprise",
        "engine",
        "network",
        "geometry",
        "graphs",
    }


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"entropy\.nothing"):
        settings.symbol_code("entropy.nothing")
