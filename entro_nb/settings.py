"""What is set from outside: files of settings, spelled parameters, where notebooks and data are.

Here too is the table of symbols, which is read from the data: every symbol of the five documents
with the code that stands for it.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entro_nb.errors import DataError, ParameterError, ParameterTypeError, ReportError
from entro_nb.validate import choice, meant

if TYPE_CHECKING:
    import pandas as pd

Value = int | float | bool | str

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

#: What a parameter of each kind may be, in words.
ALLOWED = {"int": "an integer", "float": "a finite number", "bool": "true or false", "str": "text"}

#: Endings of the files of settings that can be read.
ENDINGS = (".toml", ".yaml", ".yml")


def convert(name: str, value: object, kind: str) -> Value:
    """Value of a parameter in its type; text is read the way the command line spells it.

    Parameters
    ----------
    name : str
        Name used in errors.
    value : object
        A value of the type, or its spelling. An integer is a float too; a boolean is neither.
    kind : {"int", "float", "bool", "str"}
        The type wanted.

    Raises
    ------
    ParameterTypeError
        If the value has another type or cannot be read as this one.

    Examples
    --------
    >>> convert("alpha", "1", "float"), convert("verbose", "no", "bool"), convert("n", 3, "int")
    (1.0, False, 3)
    >>> convert("n", "many", "int")
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterTypeError: n = 'many' is not allowed: expected an integer
    """
    result: Value | None = None
    if kind == "bool" and isinstance(value, str):
        result = BOOLEANS.get(value.lower())
    elif kind in ("bool", "str"):
        result = value if isinstance(value, bool if kind == "bool" else str) else None
    elif isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            if kind == "float":
                result = float(value)
            elif not isinstance(value, float):
                result = int(value)
    if result is None or (isinstance(result, float) and not math.isfinite(result)):
        raise ParameterTypeError(name, value, ALLOWED[kind])
    return result


def load_settings(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, Any]:
    """Content of a TOML or YAML file that holds values under these names.

    Raises
    ------
    DataError
        If there is no such file, or it is neither.
    ParameterError
        If it holds a name that nothing reads; the nearest is suggested.
    """
    import yaml

    file, known = Path(path), list(names)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise DataError("file", file.name, f"a file that can be read ({reason})") from error
    try:
        content = tomllib.loads(text) if file.suffix == ".toml" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        line = " ".join(str(error).split())
        raise DataError("file", file.name, f"TOML (.toml) or YAML ({line})") from error
    if not isinstance(content, dict):
        raise DataError("file", file.name, "names and values")
    for name in map(str, content):
        if name not in known:
            raise ParameterError("setting", name, f"one of {', '.join(known)}{meant(name, known)}")
    return {str(name): value for name, value in content.items()}


def root() -> Path:
    """Folder that holds ``notebooks/`` and ``data/``: the checkout, or where a wheel put them.

    Raises
    ------
    ReportError
        If neither a checkout nor an installed copy is found.

    Examples
    --------
    >>> (root() / "notebooks").is_dir()
    True
    """
    checkout = Path(__file__).resolve().parents[1]
    installed = Path(sys.prefix) / "share" / "entro_nb"
    for folder in (checkout, installed):
        if (folder / "notebooks").is_dir():
            return folder
    raise ReportError(f"no notebooks found: looked in {checkout} and {installed}")


def notebooks() -> Path:
    """Folder of the notebooks."""
    return root() / "notebooks"


def data(name: str = "") -> Path:
    """Folder of the data that come with the package, or one file in it."""
    return root() / "data" / name


def symbols() -> pd.DataFrame:
    """Symbols with meaning, units, shape, code name and source, in the order of the notebooks.

    Examples
    --------
    >>> list(symbols().columns)
    ['symbol', 'meaning', 'units', 'shape', 'code', 'source']
    """
    import pandas as pd

    return pd.read_csv(data("symbols.csv"), dtype=str)


def function_of(name: str, spelled: str, known: Iterable[str]) -> Any:
    """Object that ``module:function`` stands for.

    Parameters
    ----------
    name : str
        Name used in errors.
    spelled : str
        Module and function, as they are imported.
    known : iterable of str
        Names that would have been understood in its place.

    Raises
    ------
    ParameterError
        If it is neither, or cannot be imported.

    Examples
    --------
    >>> function_of("detector", "math:fabs", []).__name__
    'fabs'
    """
    module, colon, attribute = spelled.partition(":")
    if not colon:
        choice(name, spelled, [*known, "module:function"])
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ParameterError(name, spelled, f"what can be had: {error}") from error


def symbol_code(name: str) -> Any:
    """Object that a code name of the table of symbols stands for.

    Raises
    ------
    ParameterError
        If the package has no such name.

    Examples
    --------
    >>> symbol_code("entropy.shannon").__name__
    'shannon'
    """
    module, _, rest = name.partition(".")
    try:
        return attrgetter(rest)(importlib.import_module(f"entro_nb.{module}"))
    except (ImportError, AttributeError):
        raise ParameterError("code", name, "a public name of the package") from None
