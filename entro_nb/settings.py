"""Settings in files of names and values, TOML or YAML."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from entro_nb.errors import DataError, ParameterError
from entro_nb.validate import nearest

__all__ = ["ENDINGS", "known", "load"]

#: Endings of the files that can be read.
ENDINGS = (".toml", ".yaml", ".yml")


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Content of a TOML or YAML file that holds names and values.

    Raises
    ------
    DataError
        If there is no such file, or it is neither.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise DataError("file", file.name, f"a file that can be read ({reason})") from error
    try:
        content = tomllib.loads(text) if file.suffix == ".toml" else _yaml(text)
    except ValueError as error:
        line = " ".join(str(error).split())
        raise DataError("file", file.name, f"TOML (.toml) or YAML ({line})") from error
    if not isinstance(content, dict):
        raise DataError("file", file.name, "names and values")
    return {str(name): value for name, value in content.items()}


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from error


def known(content: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a setting that nothing reads.

    Examples
    --------
    >>> known({"gird": 1}, ["grid"])
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: setting = 'gird' is not allowed: \
expected one of grid (did you mean 'grid'?)
    """
    names = list(names)
    for name in content:
        if name not in names:
            guess = nearest(name, names)
            meant = "" if guess is None else f" (did you mean {guess!r}?)"
            raise ParameterError("setting", name, f"one of {', '.join(names)}{meant}")
