"""What a notebook says of itself, and a run of it: what is asked, and what came of it."""

from __future__ import annotations

import ast
import hashlib
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from entro_nb import record
from entro_nb.errors import ParameterError, ReportError
from entro_nb.settings import ALLOWED, Value, convert
from entro_nb.validate import choice, nearest

#: How every kernel is started: this interpreter's own, with its start-up warnings off.
KERNEL: dict[str, Any] = {"kernel_name": "python3", "extra_arguments": ["--log-level=ERROR"]}

PASSED, FAILED, TIMED_OUT = "passed", "failed", "timed out"

#: Folder of a job that takes what its notebook hands over, see :mod:`entro_nb.record`.
RECORD = "record"

HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
FENCE = re.compile(r"^\s{0,3}(```|~~~)")

#: How the comment on a parameter ends that says what it may be: the words that it may hold, alone
#: or after a colon (``whose law: none, static or entropy``), or the limits of a number, alone or
#: after a comma (``nodes, at least 6``; ``step, above 0 and below 1``).
CHOICES = re.compile(r"(?:^|: )((?:\w+, )*\w+ or \w+)$")
LIMIT = r"(at least|above|at most|below) (-?\d+(?:\.\d+)?)"
LIMITS = re.compile(rf"(?:^|, ){LIMIT}(?: and {LIMIT})?$")
KEEPS: dict[str, Callable[[float, float], bool]] = {
    "at least": operator.ge,
    "above": operator.gt,
    "at most": operator.le,
    "below": operator.lt,
}

#: What a notebook's parameter ``preset`` may be.
PRESETS = ("quick", "full")


class Description(NamedTuple):
    """Title of a notebook, and the first paragraph after it as plain text."""

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
            raise ParameterError(
                "notebook", name, f"a name that fits one only; it fits {', '.join(candidates)}"
            )
    allowed = f"one of {', '.join(known)}"
    # A misspelt word is compared with words, else the number weighs too much.
    meant = {full: full for full in known} | {word[full]: full for full in known}
    if (guess := nearest(wanted, meant)) is not None:
        allowed += f" (did you mean {meant[guess]!r}?)"
    raise ParameterError("notebook", name, allowed)


def read_notebook(path: Path) -> Any:
    """Notebook in a file, as a ``nbformat.NotebookNode`` of the present version.

    Raises
    ------
    ReportError
        If the file cannot be read or is no notebook.
    """
    record.quick_schemas()
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


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook, from a line like ``n: int = 200  # nodes``.

    Parameters
    ----------
    name : str
        Its name.
    kind : {"int", "float", "bool", "str"}
        Its type, from the annotation or else from the default.
    default : int, float, bool or str
        Its value when nothing else is asked for.
    help : str
        The comment on its line. What it ends with may limit the values, see `CHOICES`.
    """

    name: str
    kind: str
    default: Value
    help: str = ""

    def taken(self, value: object) -> Value:
        """A value or its spelling in the type of the parameter, if the comment allows it.

        Raises
        ------
        ParameterTypeError
            If it does not fit the type.
        ParameterError
            If the comment says otherwise.

        Examples
        --------
        >>> Parameter("nodes", "int", 9, "of the graph, at least 6").taken("7")
        7
        >>> Parameter("law", "str", "none", "of control: none or static").taken("statc")
        Traceback (most recent call last):
        ...
        entro_nb.errors.ParameterError: law = 'statc' is not allowed: \
expected one of 'none', 'static' (did you mean 'static'?)
        """
        found = convert(self.name, value, self.kind)
        if isinstance(found, str):
            words = CHOICES.search(self.help)
            options = re.split(", | or ", words[1]) if words else []
            # A default that is none of them: the comment only happens to end like this.
            return choice(self.name, found, options) if self.default in options else found
        if limits := LIMITS.search(self.help):
            pairs = zip(limits.groups()[::2], limits.groups()[1::2], strict=True)
            if not all(KEEPS[word](found, float(end)) for word, end in pairs if word):
                raise ParameterError(self.name, found, f"a number {limits[0].lstrip(', ')}")
        return found


def declared(path: Path) -> dict[str, Parameter]:
    """Parameters that a notebook declares, by name; none if it has no such cell.

    Raises
    ------
    ReportError
        If a line of the cell is not a typed scalar with a literal default: a report could then
        neither check the parameter nor set it.
    """
    record.quick_schemas()
    import papermill

    cells = [c for c in read_notebook(path).cells if "parameters" in c.metadata.get("tags", [])]
    if not cells:
        return {}
    try:
        found = papermill.inspect_notebook(str(path))
    except ValueError as error:  # it says not which language its parameters are in
        raise ReportError(f"{path.name}: {error}") from error
    # Papermill skips, with a log line only, what it cannot parse.
    if lost := [name for name in _assigned(path, cells[0].source) if name not in found]:
        raise ReportError(
            f"{path.name}: the line of parameter {lost[0]} cannot be read: "
            "expected name: type = value  # help, with one equals sign"
        )
    return {name: _parameter(path, raw) for name, raw in found.items()}


def _assigned(path: Path, source: str) -> list[str]:
    """Names that a cell of parameters sets."""
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        raise ReportError(f"{path.name}: the cell of parameters: {error.msg}") from error
    targets = (getattr(line, "targets", [getattr(line, "target", None)]) for line in lines)
    return [t.id for each in targets for t in each if isinstance(t, ast.Name)]


def _parameter(path: Path, raw: Mapping[str, str]) -> Parameter:
    where = f"{path.name}: parameter {raw['name']} = {raw['default']}"
    try:
        default = ast.literal_eval(raw["default"])
    except (ValueError, SyntaxError):
        raise ReportError(f"{where} is no literal number, boolean or text") from None
    kind = raw["inferred_type_name"]
    if kind == "None":
        kind = type(default).__name__
    if kind not in ALLOWED:
        raise ReportError(f"{where} is of type {kind}: expected one of {', '.join(ALLOWED)}")
    return Parameter(raw["name"], kind, convert(raw["name"], default, kind), raw["help"])


def listing(folder: Path, names: Sequence[str] = ()) -> Iterable[str]:
    """Lines that tell notebooks and the parameters that each declares; all when none is named."""
    sources = available(folder)
    for name in resolve(names, sources):
        yield f"{name}  {describe(read_notebook(sources[name]), name).title}"
        lines = {
            f"    {parameter.name}: {parameter.kind} = {parameter.default!r}": parameter.help
            for parameter in declared(sources[name]).values()
        }
        width = max(map(len, lines), default=0)
        yield from (f"{line:{width}}  {text}" for line, text in lines.items())


def bind(
    notebooks: Mapping[str, Mapping[str, Parameter]],
    asked: Mapping[str, object],
    preset: str | None = None,
) -> dict[str, dict[str, Value]]:
    """What to set in each notebook, so that everything asked for is set somewhere.

    A parameter goes to every notebook that has it; one that none has is an error. The preset goes
    to the notebooks with a parameter of that name.

    Parameters
    ----------
    notebooks : mapping
        Name of a notebook to the parameters it declares.
    asked : mapping
        Name of a parameter to its value or its spelling.
    preset : {"quick", "full"}, optional
        Shorthand for the parameter ``preset``.

    Returns
    -------
    dict
        Name of a notebook to the values that differ from nothing asked.

    Raises
    ------
    ParameterError
        If no notebook has the parameter (the nearest name is suggested), or the comment on it
        does not allow the value, see :meth:`Parameter.taken`.
    ParameterTypeError
        If a value does not fit the declared type.

    Examples
    --------
    >>> book = {"01_entropy": {"seed": Parameter("seed", "int", 1)}}
    >>> bind(book, {"seed": "7"})
    {'01_entropy': {'seed': 7}}
    >>> bind(book, {"sead": "7"})
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: parameter = 'sead' is not allowed: \
expected one of 'seed' (did you mean 'seed'?)
    """
    if preset is not None and "preset" in asked:
        raise ParameterError("preset", preset, "the preset once, not also as a parameter")
    everywhere = sorted({name for parameters in notebooks.values() for name in parameters})
    for name in asked:
        if not everywhere:
            raise ParameterError("parameter", name, "none: these notebooks have no parameters")
        choice("parameter", name, everywhere)
    wanted = dict(asked) if preset is None else dict(asked) | {"preset": preset}
    if wanted.get("preset", PRESETS[0]) not in PRESETS:
        raise ParameterError("preset", wanted["preset"], f"one of {', '.join(PRESETS)}")
    return {
        notebook: {
            name: parameters[name].taken(value)
            for name, value in wanted.items()
            if name in parameters
        }
        for notebook, parameters in notebooks.items()
    }


@dataclass(frozen=True)
class Job:
    """A notebook to be run once, with these parameters, in this folder.

    Parameters
    ----------
    name : str
        Name of the run; its files are called ``name.html`` and ``name.ipynb``.
    source : str
        Path of the notebook.
    folder : str
        Folder of this run alone; its parent may hold the file that stops it (`STOP`).
    parameters : mapping
        What to set in the notebook.
    timeout : float or None
        Seconds allowed for the whole notebook.
    title : str
        Title of its page.
    summary : str
        What the gallery says of it.
    notebook : str
        Name of the notebook within its folder, as ``reports/period``.
    values : mapping
        The value of every parameter, those left at their default included.
    varied : tuple of str
        The parameters in which it differs from other runs of the same notebook.
    previous, next : (str, str) or None
        Name and title of the pages before and after it.
    links : mapping
        Name of a notebook to the page of the report that links to it lead to.
    key : str
        Digest of all that goes into the run; empty if nobody asks.
    code : str
        Digest of the package that the caller has; a worker with another refuses. Empty for any.
    finished : bool
        Whether the notebook has run already and only its page is to be made anew.
    """

    name: str
    source: str
    folder: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    timeout: float | None = None
    title: str = ""
    summary: str = ""
    notebook: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    varied: tuple[str, ...] = ()
    previous: tuple[str, str] | None = None
    next: tuple[str, str] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    code: str = ""
    finished: bool = False

    @property
    def context(self) -> str:
        """Digest of what its page shows of the pages around it."""
        parts = [self.title, self.previous, self.next, dict(self.links)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def path(self, file: str) -> Path:
        """A file in the folder of the job."""
        return Path(self.folder) / file

    def write(self, file: str, content: object) -> None:
        """Write JSON whole or not at all, so that a reader never sees half of it."""
        partial = self.path(f"{file}.part")
        partial.write_text(json.dumps(content))
        partial.replace(self.path(file))

    def read(self, file: str) -> dict[str, Any]:
        """JSON that was written, or nothing yet."""
        try:
            content: dict[str, Any] = json.loads(self.path(file).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return content


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Parameters
    ----------
    status : {"passed", "failed", "timed out"}
        Whether every cell ran.
    error : str
        What went wrong, in one line; empty if nothing.
    seconds : float
        Wall time of the notebook, its kernel's start included.
    peak_bytes : int or None
        Largest resident memory of the kernel; None where the system does not tell.
    """

    status: str
    error: str = ""
    seconds: float = 0.0
    peak_bytes: int | None = None
