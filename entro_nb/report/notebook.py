"""What a notebook says of itself: where it is, its title, its summary, its sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entro_nb.errors import ParameterError, ReportError
from entro_nb.validate import nearest

__all__ = ["KERNEL", "Description", "available", "describe", "read", "resolve", "sections"]

#: How every kernel is started: this interpreter's own, with its start-up warnings off.
KERNEL: dict[str, Any] = {"kernel_name": "python3", "extra_arguments": ["--log-level=ERROR"]}

HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
FENCE = re.compile(r"^\s{0,3}(```|~~~)")


@dataclass(frozen=True)
class Description:
    """Title and summary of a notebook.

    Parameters
    ----------
    title : str
        Its first heading of the first level.
    summary : str
        The first paragraph after the title, as plain text.
    """

    title: str
    summary: str


def available(folder: Path) -> dict[str, Path]:
    """Notebooks of a folder and its subfolders, by name, in order.

    The name is the path within the folder without its ending: ``02_accountant``,
    ``reports/period``.
    """
    found = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.ipynb"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    if not found:
        raise ReportError(f"no notebooks in {folder}")
    return found


def resolve(asked: Sequence[str], names: Iterable[str]) -> list[str]:
    """Full names of the notebooks asked for, each once, in the order asked; all when none is.

    A short form is enough when it fits one notebook only: its number, or a part of its name.

    Raises
    ------
    ParameterError
        If a name fits no notebook (the nearest is suggested), or several (they are listed).

    Examples
    --------
    >>> resolve(["02", "entropy"], ["01_entropy", "02_accountant"])
    ['02_accountant', '01_entropy']
    >>> resolve(["acountant"], ["01_entropy", "02_accountant"])
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: notebook = 'acountant' is not allowed: \
expected one of 01_entropy, 02_accountant (did you mean '02_accountant'?)
    """
    known = list(names)
    chosen = [_resolve(name, known) for name in asked] or known
    return list(dict.fromkeys(chosen))


def _resolve(name: str, known: list[str]) -> str:
    wanted = name.removesuffix(".ipynb")
    if wanted in known:
        return wanted
    last = {full: full.rpartition("/")[2] for full in known}
    word = {full: last[full].partition("_")[2] or last[full] for full in known}
    rules: tuple[Callable[[str], bool], ...] = (
        lambda full: wanted in (last[full], word[full]),
        lambda full: wanted.isdigit() and last[full].startswith(f"{wanted}_"),
        lambda full: wanted != "" and wanted in last[full],
    )
    for fits in rules:
        candidates = [full for full in known if fits(full)]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise ParameterError("notebook", name, f"one of them: {', '.join(candidates)} all fit")
    allowed = f"one of {', '.join(known)}"
    # A misspelt word is compared with words, else the number weighs too much.
    meant = {full: full for full in known} | {word[full]: full for full in known}
    if (guess := nearest(wanted, meant)) is not None:
        allowed += f" (did you mean {meant[guess]!r}?)"
    raise ParameterError("notebook", name, allowed)


def read(path: Path) -> Any:
    """Notebook in a file, as a ``nbformat.NotebookNode`` of the present version.

    Raises
    ------
    ReportError
        If the file cannot be read or is no notebook.
    """
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise ReportError(f"cannot read {path}: {error.strerror}") from error
    except Exception as error:  # nbformat passes on whatever its JSON and schema readers raise
        raise ReportError(f"{path} is no notebook: {error}") from error


def describe(nb: Any, name: str) -> Description:
    """Title and summary; the notebook's name stands in for a missing title."""
    title, paragraph = "", []
    for line in _markdown_lines(nb):
        if not title:
            if (heading := HEADING.match(line)) and len(heading[1]) == 1:
                title = _plain(heading[2])
        elif line.strip() and not HEADING.match(line):
            paragraph.append(line.strip())
        elif paragraph:
            break
    return Description(title or name, _plain(" ".join(paragraph)))


def sections(nb: Any) -> list[str]:
    """For each cell, the heading under which it stands (the last one at or before it)."""
    current, titles = "", []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            for line in _outside_fences(cell.source):
                if heading := HEADING.match(line):
                    current = _plain(heading[2])
        titles.append(current)
    return titles


def _markdown_lines(nb: Any) -> Iterable[str]:
    """Lines of the markdown cells, with a blank line after each cell."""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            yield from _outside_fences(cell.source)
        yield ""


def _outside_fences(source: str) -> Iterable[str]:
    fenced = False
    for line in source.splitlines():
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield line


def _plain(markdown: str) -> str:
    """Markdown of one line without its marks: links, emphasis, code, dollar signs."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"(\*\*|__)(.+?)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_`$])(\S(?:.*?\S)?)\1(?!\w)", r"\2", text)
    return " ".join(text.split())
