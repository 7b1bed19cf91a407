from __future__ import annotations

import json

import clean as tool
import nbformat
import pytest
from nbformat import v4


@pytest.fixture
def dirty(tmp_path):
    """A notebook with one of everything that a run or an editor leaves."""
    out = v4.new_output
    outputs = [
        out("stream", name="stdout", text="kept\n"),
        out("stream", name="stderr", text="gone\n"),
        out("display_data", {"text/plain": ":Curve", "text/html": "<b>"}, metadata={"x": 1}),
        out("display_data", {"application/javascript": "1"}),
        out("execute_result", {"text/plain": "1", "image/png": "AAAA"}, execution_count=3),
        out("error", ename="ValueError", evalue="no", traceback=["a path"]),
    ]
    code = v4.new_code_cell("f()", execution_count=3, outputs=outputs)
    code.metadata = {"tags": ["raises-exception"], "papermill": {}, "scrolled": True}
    nb = v4.new_notebook(cells=[v4.new_markdown_cell("# T", metadata={"editable": False}), code])
    nb.metadata = {
        "kernelspec": {"name": "python3", "display_name": "P", "language": "python", "env": {}},
        "language_info": {"name": "python", "version": "3.11.7"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {}},
        "papermill": {"duration": 1.0},
    }
    path = tmp_path / "x.ipynb"
    nbformat.write(nb, path)
    return path


def test_text_and_counts_stay_and_all_else_goes(dirty) -> None:
    assert tool.main([str(dirty)]) == 0
    nb = json.loads(dirty.read_text())
    assert nb["metadata"] == {
        "kernelspec": {"display_name": "P", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    markdown, code = nb["cells"]
    assert markdown["metadata"] == {}
    assert code["metadata"] == {"tags": ["raises-exception"]}
    assert code["execution_count"] == 3
    assert code["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": ["kept\n"]},
        {"output_type": "display_data", "data": {"text/plain": [":Curve"]}, "metadata": {}},
        {
            "output_type": "execute_result",
            "data": {"text/plain": ["1"]},
            "metadata": {},
            "execution_count": 3,
        },
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []},
    ]


def test_cleaning_twice_changes_nothing(dirty) -> None:
    tool.main([str(dirty)])
    once = dirty.read_bytes()
    tool.main([str(dirty)])
    assert dirty.read_bytes() == once


def test_check_changes_nothing_and_tells(dirty, capsys) -> None:
    before = dirty.read_bytes()
    assert tool.main(["--check", str(dirty)]) == 1
    assert dirty.read_bytes() == before
    assert "not clean" in capsys.readouterr().err
    tool.main([str(dirty)])
    assert tool.main(["--check", str(dirty)]) == 0


def test_check_refuses_a_cell_that_never_ran(make, capsys) -> None:
    path = make("x", "1", "", "# text")
    assert tool.main(["--check", str(path)]) == 1
    assert capsys.readouterr().err == f"{path}: code cell 1 was never run\n"


def test_execute_runs_in_the_folder_of_the_notebook(make, folder) -> None:
    path = make("x", "import os\nprint(os.path.basename(os.getcwd()))", "1 + 1", "1 / 1;")
    assert tool.main(["--execute", str(path)]) == 0
    cells = json.loads(path.read_text())["cells"][1:]
    assert [cell["execution_count"] for cell in cells] == [1, 2, 3]
    assert cells[0]["outputs"][0]["text"] == [folder.name + "\n"]
    assert cells[1]["outputs"][0]["data"] == {"text/plain": ["2"]}
    assert tool.main(["--check", str(path)]) == 0


def test_execute_leaves_a_notebook_that_fails(make, capsys) -> None:
    path = make("x", "1 / 0")
    before = path.read_bytes()
    assert tool.main(["--execute", str(path)]) == 1
    assert path.read_bytes() == before
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().err


def test_check_and_execute_exclude_each_other(make) -> None:
    with pytest.raises(SystemExit) as left:
        tool.main(["--check", "--execute", str(make("x"))])
    assert left.value.code == 2


def test_what_is_no_notebook_is_one_line(tmp_path, capsys) -> None:
    assert tool.main([str(tmp_path / "none.ipynb")]) == 1
    assert "cannot read" in capsys.readouterr().err
