"""What every committed notebook must be like: run, clean, described, checked."""

from __future__ import annotations

import re

import nbformat
import pytest

from entro_nb import settings
from entro_nb.report.html import mathml

NOTEBOOKS = sorted(settings.notebooks().rglob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]


@pytest.fixture(params=NOTEBOOKS, ids=NAMES)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_was_run_from_top_to_bottom(notebook: nbformat.NotebookNode) -> None:
    # nbval compares nothing in a cell without a count.
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_it_holds_text_outputs_only_and_no_error(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert set(output.get("data", {})) <= {"text/plain"}
            assert output.get("name") != "stderr"


def test_it_has_commented_typed_parameters(notebook: nbformat.NotebookNode) -> None:
    tagged = [c for c in code_cells(notebook) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    for line in tagged[0].source.splitlines():
        assert re.match(r"^\w+: (int|float|str|bool) = .+  # \S", line), line


def test_it_has_the_skeleton(notebook: nbformat.NotebookNode) -> None:
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert notebook.cells[0].source.startswith("# ")
    for part in ("You will learn", "Prerequisites", "Time", "## Check", "## Exercises"):
        assert part in prose, part
    assert "<details>" in prose
    assert "## References" in prose
    assert "$" in prose  # the equation
    assert any("assert " in cell.source for cell in code_cells(notebook))


def test_its_equations_are_understood(notebook: nbformat.NotebookNode) -> None:
    equation = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$\n`]+?)\$", re.DOTALL)
    prose = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    found = [block or inline for block, inline in equation.findall(re.sub(r"`[^`]*`", "", prose))]
    assert found
    assert [tex for tex in found if not mathml(tex).startswith("<math")] == []


def test_its_figures_are_described_and_left_out_of_the_comparison(
    notebook: nbformat.NotebookNode,
) -> None:
    shows = re.compile(r"\b(views|en)\.(figure|show)\(")
    figures = [c for c in code_cells(notebook) if shows.search(c.source)]
    assert figures
    for cell in figures:
        assert "nbval-ignore-output" in cell.metadata.get("tags", [])
        if re.search(r"\b(views|en)\.figure\(", cell.source):
            assert "alt=" in cell.source
    thumbnails = [c for c in figures if "thumbnail=" in c.source]
    assert len(thumbnails) == 1


def test_what_is_not_a_figure_is_compared(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            assert re.search(r"\b(views|en)\.(figure|show|setup)\(", cell.source)


def test_no_machine_path_stands_in_it(notebook: nbformat.NotebookNode) -> None:
    text = nbformat.writes(notebook)
    assert not re.search(r"/(home|root|work|tmp|Users)/\w", text)
