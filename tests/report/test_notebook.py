from __future__ import annotations

import nbformat
import pytest

from entro_nb.errors import ParameterError, ReportError
from entro_nb.report.notebook import available, describe, read, resolve, sections

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
    with pytest.raises(ParameterError, match="01_entropy, 03_entropy_flow all fit"):
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
    about = describe(read(make("x")), "x")
    assert about.title == "The title"
    assert about.summary == "First paragraph about H, in two lines."


def test_title_within_a_code_fence_is_none(make) -> None:
    about = describe(read(make("x", title="```\n# a comment\n```\n\ntext")), "x")
    assert about.title == "x"
    assert about.summary == ""


def test_summary_may_stand_in_the_next_cell(make) -> None:
    about = describe(read(make("x", "## Next\n\nBody [here](there.html).", title="# T")), "x")
    assert (about.title, about.summary) == ("T", "Body here.")


def test_every_cell_has_its_section(make) -> None:
    nb = read(make("x", "1", "## One\n\n### Part *two*", "2", "3"))
    assert sections(nb) == ["The title", "The title", "Part two", "Part two", "Part two"]


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"cells": 3, "nbformat": 4}'])
def test_what_is_no_notebook_is_named(tmp_path, text) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(ReportError, match=r"x\.ipynb is no notebook"):
        read(path)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(ReportError, match=r"cannot read .*x\.ipynb"):
        read(tmp_path / "x.ipynb")


def test_present_format_is_unchanged(make) -> None:
    path = make("x", "1")
    assert read(path) == nbformat.read(path, as_version=4)
