"""What every committed notebook must be like: run, clean, described, checked."""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path

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


#: A report of all notebooks that was made already (CI makes one, and nbval then runs none).
MADE = os.environ.get("ENTRO_NB_PAGES")


def printed(cell: nbformat.NotebookNode) -> str:
    """What nbval compares of a cell: printed text and plain results, made alike as it does."""
    texts = [o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout"]
    texts += [o.data["text/plain"] for o in cell.outputs if "text/plain" in o.get("data", {})]
    said = "".join(texts)
    alike = configparser.ConfigParser()
    alike.read(Path(__file__).parent / "nbval_sanitize.cfg")
    for name in alike.sections():
        said = re.sub(alike[name]["regex"], alike[name]["replace"], said)
    return said


def differing(
    committed: nbformat.NotebookNode, run: nbformat.NotebookNode
) -> list[tuple[str, str, str]]:
    """Cells that printed something else, with both texts; those that nbval ignores are left out."""
    again = [c for c in code_cells(run) if "injected-parameters" not in c.metadata.get("tags", [])]
    cells = list(zip(code_cells(committed), again, strict=True))
    assert all(mine.source == theirs.source for mine, theirs in cells)
    return [
        (mine.source, printed(mine), printed(theirs))
        for mine, theirs in cells
        if "nbval-ignore-output" not in mine.metadata.get("tags", [])
        and printed(mine) != printed(theirs)
    ]


@pytest.mark.skipif(not MADE, reason="nbval runs and compares them")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_the_report_printed_what_is_committed(path: Path) -> None:
    name = "-".join(path.relative_to(settings.notebooks()).with_suffix("").parts)
    made = Path(str(MADE)).resolve() / f"{name}.ipynb"
    assert differing(nbformat.read(path, 4), nbformat.read(made, 4)) == []


def test_another_printed_number_is_a_difference(notebook: nbformat.NotebookNode) -> None:
    assert differing(notebook, notebook) == []
    cell = next(c for c in code_cells(notebook) if printed(c) and "tags" not in c.metadata)
    other = nbformat.from_dict(notebook)
    place = notebook.cells.index(cell)
    stream = next(o for o in cell.outputs if o.output_type == "stream")
    other.cells[place].outputs = [nbformat.v4.new_output("stream", text=stream.text + "1")]
    assert len(differing(notebook, other)) == 1
