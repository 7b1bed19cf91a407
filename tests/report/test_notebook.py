from __future__ import annotations

import math
import subprocess
import sys

import nbformat
import pytest
from hypothesis import given, strategies as st

from entro_nb.errors import ParameterError, ParameterTypeError, ReportError
from entro_nb.report.notebook import (
    Parameter,
    available,
    bind,
    declared,
    describe,
    read_notebook,
    resolve,
    sections,
)
from entro_nb.settings import convert

NAMES = ["00_start_here", "01_entropy", "02_accountant", "03_entropy_flow", "reports/period"]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("02_accountant", "02_accountant"),
        ("02_accountant.ipynb", "02_accountant"),
        ("02", "02_accountant"),
        ("accountant", "02_accountant"),
        ("entropy", "01_entropy"),  # a whole name beats a part of another
        ("account", "02_accountant"),
        ("period", "reports/period"),
    ],
)
def test_short_names_resolve(asked: str, name: str) -> None:
    assert resolve([asked], NAMES) == [name]


def test_nothing_asked_is_everything_and_repeats_are_dropped() -> None:
    assert resolve([], NAMES) == NAMES
    assert resolve(["02", "accountant", "01"], NAMES) == ["02_accountant", "01_entropy"]


def test_ambiguous_name_lists_the_candidates() -> None:
    with pytest.raises(ParameterError, match="one only; it fits 01_entropy, 03_entropy_flow"):
        resolve(["entro"], NAMES)


@pytest.mark.parametrize(
    ("asked", "guess"), [("acountant", "02_accountant"), ("01_entropi", "01_entropy")]
)
def test_unknown_name_suggests_the_nearest(asked: str, guess: str) -> None:
    with pytest.raises(ParameterError, match=f"{asked}.*did you mean '{guess}'"):
        resolve([asked], NAMES)


def test_empty_name_fits_nothing() -> None:
    with pytest.raises(ParameterError):
        resolve([""], NAMES)


def test_available_names_subfolders_and_skips_hidden_ones(folder, make) -> None:
    make("b")
    make("a")
    make("reports/period")
    make(".ipynb_checkpoints/a-checkpoint")
    assert list(available(folder)) == ["a", "b", "reports/period"]


def test_a_folder_without_notebooks_is_an_error(tmp_path) -> None:
    with pytest.raises(ReportError, match="no notebooks in"):
        available(tmp_path)


def test_title_and_summary_are_plain_text(make) -> None:
    about = describe(read_notebook(make("x")), "x")
    assert about.title == "The title"
    assert about.summary == "First paragraph about H, in two lines."


def test_title_within_a_code_fence_is_none(make) -> None:
    about = describe(read_notebook(make("x", title="```\n# a comment\n```\n\ntext")), "x")
    assert about.title == "x"
    assert about.summary == ""


def test_summary_may_stand_in_the_next_cell(make) -> None:
    about = describe(
        read_notebook(make("x", "## Next\n\nBody [here](there.html).", title="# T")), "x"
    )
    assert (about.title, about.summary) == ("T", "Body here.")


def test_every_cell_has_its_section(make) -> None:
    nb = read_notebook(make("x", "1", "## One\n\n### Part *two*", "2", "3"))
    assert sections(nb) == ["The title", "The title", "Part two", "Part two", "Part two"]


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"cells": 3, "nbformat": 4}'])
def test_what_is_no_notebook_is_named(tmp_path, text) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"x\.ipynb is no notebook"):
        read_notebook(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(ReportError, match=r"cannot read .*x\.ipynb"):
        read_notebook(tmp_path / "x.ipynb")


def test_present_format_is_unchanged(make) -> None:
    path = make("x", "1")
    assert read_notebook(path) == nbformat.read(path, as_version=4)


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


def test_a_notebook_is_read_without_a_grammar_of_addresses() -> None:
    probe = (
        "import sys; from entro_nb import record; record.quick_schemas(); import nbformat\n"
        "sys.exit(len({'lark', 'rfc3987_syntax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe]).returncode == 0


@pytest.mark.parametrize(
    ("comment", "good", "bad", "allowed"),
    [
        ("nodes, at least 6", 6, 5, "a number at least 6"),
        ("above 0 and below 1", 0.5, 0, "a number above 0 and below 1"),
        ("step, above 0 and below 1", 0.5, 1, "a number above 0 and below 1"),
        ("at most -0.5", -0.5, -0.4, "a number at most -0.5"),
    ],
)
def test_a_comment_limits_a_number(comment: str, good: float, bad: float, allowed: str) -> None:
    parameter = Parameter("x", "float", good, comment)
    assert parameter.taken(str(good)) == good
    with pytest.raises(ParameterError, match=f"expected {allowed}"):
        parameter.taken(str(bad))


@pytest.mark.parametrize("comment", ["daily, weekly or monthly", "its length: daily or weekly"])
def test_a_comment_lists_the_words_allowed(comment: str) -> None:
    parameter = Parameter("period", "str", "daily", comment)
    assert parameter.taken("weekly") == "weekly"
    with pytest.raises(ParameterError, match="'hourly' is not allowed: expected one of 'daily'"):
        parameter.taken("hourly")


@pytest.mark.parametrize(
    ("kind", "default", "comment"),
    [
        ("str", "", "CSV or Parquet"),  # the default is none of the words
        ("str", "usgs", "usgs, or another one or two"),
        ("float", 2.0, "what a liar says; the honest are at least 0"),
        ("bool", False, "this or that"),
        ("int", 1, "this or that"),
    ],
)
def test_a_comment_that_only_happens_to_sound_so_limits_nothing(kind, default, comment) -> None:
    given = {"str": "x", "bool": True}.get(kind, -5)
    assert Parameter("x", kind, default, comment).taken(given) == given
