"""Which runs a request means: every notebook with every combination of the values asked for."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from entro_nb.errors import ParameterError, ReportError
from entro_nb.report.parameters import Parameter, bind, convert
from entro_nb.scalars import Value

__all__ = ["MANY", "agreed", "alternatives", "count", "label", "located", "spread"]

#: More reports than this are not begun without asking.
MANY = 1000

#: Parameters of this ending name a file. They are looked at before anything runs, and made
#: absolute: a notebook runs in its own folder, not in the caller's.
FILE = "_file"

Declared = Mapping[str, Mapping[str, Parameter]]


def alternatives(text: str) -> object:
    r"""Value or list of values in an argument of the command line; a comma divides them.

    A backslash before a comma keeps it in a value.

    Examples
    --------
    >>> alternatives("7"), alternatives("1,2,3"), alternatives(r"a\,b")
    ('7', ['1', '2', '3'], 'a,b')
    """
    parts = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text)]
    return parts if len(parts) > 1 else parts[0]


def _axes(asked: Mapping[str, object]) -> dict[str, list[object]]:
    axes = {}
    for name, given in asked.items():
        values = list(given) if isinstance(given, (list, tuple)) else [given]
        if not values:
            raise ParameterError(name, given, "at least one value")
        axes[name] = values
    return axes


def count(declared: Declared, asked: Mapping[str, object]) -> int:
    """How many runs it would be, without making them.

    Examples
    --------
    >>> book = {"01": {"seed": Parameter("seed", "int", 1)}, "02": {}}
    >>> count(book, {"seed": range(10)}), count(book, {"seed": list(range(10))})
    (2, 11)
    """
    axes = _axes(asked)
    return sum(
        math.prod(len(values) for name, values in axes.items() if name in parameters)
        for parameters in declared.values()
    )


def agreed(runs: int, ask: Callable[[int], bool] | None) -> None:
    """Refuse a great number of reports unless whoever asked for them means it."""
    if runs > MANY and not (ask is not None and ask(runs)):
        raise ReportError(
            f"{runs} reports were asked for: to run more than {MANY}, say so with --yes"
        )


def spread(
    declared: Declared, asked: Mapping[str, object], preset: str | None
) -> Iterator[tuple[str, dict[str, Value], tuple[str, ...]]]:
    """Every run: notebook, what is set in it, and the names of what is varied.

    Raises
    ------
    ParameterError
        If a parameter is unknown or its value not allowed, see
        :func:`entro_nb.report.parameters.bind`, or is given twice.
    """
    axes = _axes(asked)
    bind(declared, {name: values[0] for name, values in axes.items()}, preset)
    for notebook, parameters in declared.items():
        mine = {name: values for name, values in axes.items() if name in parameters}
        for name, values in mine.items():
            converted = [convert(name, value, parameters[name].kind) for value in values]
            if len(set(converted)) < len(converted):
                raise ParameterError(name, values, "each value once")
        varied = tuple(name for name, values in mine.items() if len(values) > 1)
        for point in itertools.product(*mine.values()):
            one = dict(zip(mine, point, strict=True))
            bound = bind({notebook: parameters}, one, preset if "preset" in parameters else None)
            yield notebook, bound[notebook], varied


def label(notebook: str, values: Mapping[str, Value], varied: Sequence[str]) -> str:
    """Name of a run, fit for a file.

    Examples
    --------
    >>> label("reports/period", {"seed": 3, "law": "none"}, ["seed"])
    'reports-period--seed-3'
    """
    parts = [notebook.replace("/", "-"), *(f"{name}-{values[name]}" for name in varied)]
    text = "--".join(parts)
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "_", text)
    if plain == text and len(plain) <= 120:
        return plain
    return f"{plain[:110]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def located(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the names of files made absolute.

    Raises
    ------
    ParameterError
        If there is no such file.
    """
    found = dict(values)
    for name, value in values.items():
        if name.endswith(FILE) and value:
            path = Path(str(value)).expanduser().resolve()
            if not path.is_file():
                raise ParameterError(name, value, "a file that exists")
            found[name] = str(path)
    return found
