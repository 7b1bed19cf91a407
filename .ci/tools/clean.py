"""The cleaner of committed notebooks: text outputs and counts stay, all else that a run left goes.

``python .ci/tools/clean.py [--execute] [--check] FILES``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from entro_nb.errors import EntroError, ReportError
from entro_nb.report.notebook import KERNEL, read_notebook

#: Metadata of a cell that an author writes; everything else comes from a run or an editor.
CELL_METADATA = ("tags",)
#: Metadata of a notebook that say how to run it.
NOTEBOOK_METADATA = {
    "kernelspec": ("display_name", "language", "name"),
    "language_info": ("name",),
}


def clean(nb: Any) -> None:
    """Take from a notebook, in place, what would change from run to run or weigh it down.

    Standard output, plain-text representations, names of errors and execution counts stay, so
    that a test can compare them; pictures, HTML, scripts, widget state, standard error, tracebacks
    and volatile metadata go.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> rich = v4.new_output("execute_result", {"text/plain": "1", "text/html": "<b>1</b>"})
    >>> nb = v4.new_notebook(cells=[v4.new_code_cell("1", outputs=[rich])])
    >>> clean(nb)
    >>> nb.cells[0].outputs[0].data
    {'text/plain': '1'}
    """
    nb.metadata = {
        name: {key: nb.metadata[name][key] for key in keys if key in nb.metadata[name]}
        for name, keys in NOTEBOOK_METADATA.items()
        if name in nb.metadata
    }
    for cell in nb.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _output(output))]


def _output(output: Any) -> Any:
    """What is kept of one output, or None."""
    if output.output_type == "stream":
        return output if output.name == "stdout" else None
    if output.output_type == "error":
        output.traceback = []  # it names files of the machine that ran it
        return output
    if "text/plain" not in output.data:
        return None
    output.data = {"text/plain": output.data["text/plain"]}
    output.metadata = {}
    return output


def uncounted(nb: Any) -> list[int]:
    """Indices of the code cells that were never run: a test would compare nothing in them."""
    return [
        index
        for index, cell in enumerate(nb.cells)
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None
    ]


def execute(nb: Any, folder: Path) -> None:
    """Run a notebook in place, in a fresh kernel, in the folder given.

    Raises
    ------
    ReportError
        If a cell fails.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    resources = {"metadata": {"path": str(folder)}}
    try:
        NotebookClient(nb, resources=resources, coalesce_streams=True, **KERNEL).execute()
    except CellExecutionError as error:
        raise ReportError(f"{error.ename}: {error.evalue}") from error


def text(nb: Any) -> str:
    """The notebook as it is written to a file."""
    import nbformat

    return str(nbformat.writes(nb)).rstrip("\n") + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Clean the files named; 0 if all is well, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="python .ci/tools/clean.py", description=__doc__.split("\n")[0]
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES")
    parser.add_argument("--execute", action="store_true", help="run each notebook first")
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing; exit 1 if a file is not clean or has a code cell that was never run",
    )
    options = parser.parse_args(arguments)
    if options.check and options.execute:
        parser.error("--check changes nothing, so it cannot go with --execute")
    faults = [f"{path}: {fault}" for path in options.files for fault in _faults(path, options)]
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


def _faults(path: Path, options: argparse.Namespace) -> list[str]:
    """Clean one file, or look whether it is; what is wrong with it."""
    try:
        nb = read_notebook(path)
        if options.execute:
            execute(nb, path.resolve().parent)
    except EntroError as error:
        return [str(error)]
    clean(nb)
    cleaned = text(nb)
    if options.check:
        dirty = cleaned != path.read_text(encoding="utf-8")
        counts = [f"code cell {index} was never run" for index in uncounted(nb)]
        return (["not clean"] if dirty else []) + counts
    path.write_text(cleaned, encoding="utf-8")
    return []


if __name__ == "__main__":
    sys.exit(main())
