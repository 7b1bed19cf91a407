"""Scalar parameters as the command line, a file of settings or a notebook spells them."""

from __future__ import annotations

import math

from entro_nb.errors import ParameterTypeError

__all__ = ["ALLOWED", "Value", "convert"]

Value = int | float | bool | str

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

#: What a parameter of each kind may be, in words.
ALLOWED = {
    "int": "an integer",
    "float": "a finite number",
    "bool": "true or false",
    "str": "text",
}


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
    if kind == "str":
        result = value if isinstance(value, str) else None
    elif kind == "bool":
        result = BOOLEANS.get(value.lower()) if isinstance(value, str) else None
        result = value if isinstance(value, bool) else result
    elif not isinstance(value, bool) and isinstance(value, (int, float, str)):
        try:
            result = float(value) if kind == "float" else _whole(value)
        except (ValueError, OverflowError):
            result = None
    if result is None or (isinstance(result, float) and not math.isfinite(result)):
        raise ParameterTypeError(name, value, ALLOWED[kind])
    return result


def _whole(value: float | str) -> int:
    if isinstance(value, float):
        raise ValueError
    return int(value)
