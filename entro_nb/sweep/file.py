"""A sweep described in a file, TOML or YAML, for `entro-nb sweep`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from entro_nb import settings, validate
from entro_nb.errors import ParameterError, ParameterTypeError

__all__ = ["read"]

#: What a file of a sweep may hold; the arguments of `sweep` by the same names.
KEYS = (
    "simulation", "grid", "fixed", "replicates", "seed", "keep", "common", "out", "chunk",
)  # fmt: skip
RANGE = {"start", "stop", "count", "log"}


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    r"""Arguments of :func:`sweep` from a file.

    An axis is a list of values, or a range: ``{start = 0.1, stop = 10, count = 5, log = true}``.

    Raises
    ------
    DataError
        If the file cannot be read.
    ParameterError
        If it holds a name that is not known, or lacks the simulation or the grid.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "gain.toml"
    ...     _ = file.write_text('simulation = "pipeline"\n[grid]\nalpha = [0.1, 0.5]')
    ...     read(file)
    {'simulation': 'pipeline', 'grid': {'alpha': [0.1, 0.5]}}
    """
    content = settings.load_settings(path, KEYS)
    for name in ("simulation", "grid"):
        if name not in content:
            raise ParameterError(name, None, f"a line for it in {Path(path).name}")
    for name in ("grid", "fixed"):
        if not isinstance(content.get(name, {}), Mapping):
            raise ParameterTypeError(name, content[name], "names of parameters and their values")
    grid = {str(name): _values(str(name), given) for name, given in content["grid"].items()}
    return content | {"grid": grid}


def _values(name: str, given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    if not isinstance(given, Mapping):
        raise ParameterTypeError(name, given, "a list of values, or start, stop and count")
    if set(given) - RANGE or not {"start", "stop", "count"} <= set(given):
        raise ParameterError(name, dict(given), "start, stop, count and, if need be, log")
    log = validate.flag(f"log of {name}", given.get("log", False))
    count = validate.integer(f"count of {name}", given["count"], 1)
    low = 0.0 if log else -np.inf
    start = validate.real(f"start of {name}", given["start"], low, open_low=log)
    stop = validate.real(f"stop of {name}", given["stop"], low, open_low=log)
    make = np.geomspace if log else np.linspace
    values = [float(value) for value in make(start, stop, count)]
    whole = isinstance(given["start"], int) and all(value.is_integer() for value in values)
    return [int(value) for value in values] if whole else values
