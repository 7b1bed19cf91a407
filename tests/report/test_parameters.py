from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entro_nb.errors import ParameterError, ParameterTypeError, ReportError
from entro_nb.report.parameters import Parameter, bind, convert, declared

CELL = """\
seed: int = 1  # random seed
alpha: float = 0.5  # gain
name: str = "surge"
live: bool = False
guessed = 3
below: float = -1.5

preset: str = "quick"  # quick or full
"""


def test_parameters_are_read_with_type_default_and_help(make) -> None:
    found = declared(make("x", parameters=CELL))
    assert found["seed"] == Parameter("seed", "int", 1, "random seed")
    assert found["alpha"] == Parameter("alpha", "float", 0.5, "gain")
    assert found["name"] == Parameter("name", "str", "surge")
    assert found["live"] == Parameter("live", "bool", False)
    assert found["guessed"] == Parameter("guessed", "int", 3)
    assert found["below"].default == -1.5
    assert list(found) == ["seed", "alpha", "name", "live", "guessed", "below", "preset"]


def test_a_notebook_without_parameters_has_none(make) -> None:
    assert declared(make("x", "1")) == {}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("n: int = 3  # where n=3 is small", "line of parameter n cannot be read"),
        ("n: int | None = 3", "line of parameter n cannot be read"),
        ("n: int = 2 + 1", "no literal"),
        ("n: list = [1]", "of type list"),
        ("n: int = 1.5", "n = 1.5 is not allowed: expected an integer"),
        ("n: int = ", "invalid syntax"),
    ],
)
def test_a_cell_that_cannot_be_checked_is_refused(make, cell, message) -> None:
    with pytest.raises((ReportError, ParameterTypeError), match=message):
        declared(make("x", parameters=cell))


@given(st.integers())
def test_integers_survive_spelling(n: int) -> None:
    assert convert("n", str(n), "int") == n == convert("n", n, "int")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_spelling(x: float) -> None:
    assert convert("x", repr(x), "float") == x


@given(st.text())
def test_text_stays(text: str) -> None:
    assert convert("name", text, "str") == text


@pytest.mark.parametrize(
    ("spelling", "value"),
    [("true", True), ("False", False), ("YES", True), ("no", False), ("1", True), ("0", False)],
)
def test_booleans_are_spelled(spelling: str, value: bool) -> None:
    assert convert("live", spelling, "bool") is value
    assert convert("live", value, "bool") is value


def test_integer_is_a_float_too() -> None:
    value = convert("x", 3, "float")
    assert value == 3.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("3.0", "int"), ("1e3", "int"), (3.0, "int"), (True, "int"), (None, "int"), ("", "int"),
        ("x", "float"), ("nan", "float"), ("inf", "float"), (math.inf, "float"), (True, "float"),
        (10**400, "float"), ("maybe", "bool"), (1, "bool"), (3, "str"), (None, "str"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(value: object, kind: str) -> None:
    with pytest.raises(ParameterTypeError, match=r"^alpha = .* is not allowed: expected "):
        convert("alpha", value, kind)


BOOKS = {
    "a": {"seed": Parameter("seed", "int", 1), "preset": Parameter("preset", "str", "quick")},
    "b": {"alpha": Parameter("alpha", "float", 0.5)},
}


def test_a_parameter_goes_where_it_exists() -> None:
    assert bind(BOOKS, {"seed": "3", "alpha": 2}, "full") == {
        "a": {"seed": 3, "preset": "full"},
        "b": {"alpha": 2.0},
    }
    assert bind(BOOKS, {}) == {"a": {}, "b": {}}


def test_unknown_parameter_suggests_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"'sede'.*did you mean 'seed'"):
        bind(BOOKS, {"sede": "3"})
    with pytest.raises(ParameterError, match="no parameters"):
        bind({"c": {}}, {"seed": "3"})


def test_mistyped_value_is_named() -> None:
    with pytest.raises(ParameterTypeError, match=r"seed = 'many'.*an integer"):
        bind(BOOKS, {"seed": "many"})


@pytest.mark.parametrize(
    ("asked", "preset"), [({}, "slow"), ({"preset": "slow"}, None), ({"preset": "full"}, "quick")]
)
def test_preset_is_quick_or_full_and_given_once(asked: dict[str, str], preset: str | None) -> None:
    with pytest.raises(ParameterError, match="preset"):
        bind(BOOKS, asked, preset)


def test_preset_is_harmless_where_no_notebook_has_one() -> None:
    assert bind({"b": BOOKS["b"]}, {}, "full") == {"b": {}}
