"""Parameters of a notebook: read from its cell tagged ``parameters``, checked before it runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from entro_nb.errors import ParameterError, ReportError
from entro_nb.report.notebook import read
from entro_nb.scalars import ALLOWED, Value, convert
from entro_nb.validate import nearest

__all__ = ["PRESETS", "Parameter", "Value", "bind", "convert", "declared"]

#: What a notebook's parameter ``preset`` may be.
PRESETS = ("quick", "full")


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
        The comment on its line.
    """

    name: str
    kind: str
    default: Value
    help: str = ""


def declared(path: Path) -> dict[str, Parameter]:
    """Parameters that a notebook declares, by name; none if it has no such cell.

    Raises
    ------
    ReportError
        If a line of the cell is not a typed scalar with a literal default: a report could then
        neither check the parameter nor set it.
    """
    import papermill

    cells = [c for c in read(path).cells if "parameters" in c.metadata.get("tags", [])]
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
    targets = [
        target
        for line in lines
        for target in (
            line.targets
            if isinstance(line, ast.Assign)
            else [line.target]
            if isinstance(line, ast.AnnAssign)
            else []
        )
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]


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
        If no notebook has the parameter; the nearest name is suggested.
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
    wanted = dict(asked)
    if preset is not None:
        if "preset" in wanted:
            raise ParameterError("preset", preset, "the preset once, not also as a parameter")
        if preset not in PRESETS:
            raise ParameterError("preset", preset, f"one of {', '.join(PRESETS)}")
    everywhere = sorted({name for parameters in notebooks.values() for name in parameters})
    for name in wanted:
        if name not in everywhere:
            raise ParameterError("parameter", name, _suggestion(name, everywhere))
    if preset is not None:
        wanted["preset"] = preset
    if "preset" in everywhere and wanted.get("preset", PRESETS[0]) not in PRESETS:
        raise ParameterError("preset", wanted["preset"], f"one of {', '.join(PRESETS)}")
    return {
        notebook: {
            name: convert(name, value, parameters[name].kind)
            for name, value in wanted.items()
            if name in parameters
        }
        for notebook, parameters in notebooks.items()
    }


def _suggestion(name: str, known: list[str]) -> str:
    if not known:
        return "none: these notebooks have no parameters"
    guess = nearest(name, known)
    meant = "" if guess is None else f" (did you mean {guess!r}?)"
    return f"one of {', '.join(map(repr, known))}{meant}"
