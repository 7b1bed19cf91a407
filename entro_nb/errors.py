"""The errors and warnings of the package.

Every error raised on purpose derives from :class:`EntroError` and from the
builtin a caller would expect (``ValueError``, ``TypeError``, ``RuntimeError``),
and its message names the parameter, the offending value and what is allowed.
"""

from __future__ import annotations


class EntroError(Exception):
    """Base of every error that the package raises on purpose.

    Examples
    --------
    >>> issubclass(ParameterError, EntroError), issubclass(ParameterError, ValueError)
    (True, True)
    """


class ParameterError(EntroError, ValueError):
    """A parameter lies outside its allowed range.

    Parameters
    ----------
    name : str
        Name of the parameter, as the caller spells it.
    value : object
        The value that was given.
    allowed : str
        What would have been accepted, in words.

    Examples
    --------
    >>> raise ParameterError("window", 1, "an integer of at least 2")
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: window = 1 is not allowed: expected an integer of at least 2
    """

    def __init__(self, name: str, value: object, allowed: str) -> None:
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(f"{name} = {shown(value)} is not allowed: expected {allowed}")

    def __reduce__(self) -> tuple[type, tuple[str, object, str]]:
        return type(self), (self.name, self.value, self.allowed)


class ParameterTypeError(ParameterError, TypeError):
    """A parameter has the wrong type (a string where a number belongs, say)."""


class DataError(ParameterError):
    """Data hold something that cannot be computed with: NaN, infinity, nothing at all.

    Examples
    --------
    >>> raise DataError("x[3]", float("nan"), "finite numbers")
    Traceback (most recent call last):
    ...
    entro_nb.errors.DataError: x[3] = nan is not allowed: expected finite numbers
    """


class DivergenceError(EntroError, RuntimeError):
    """A run left the finite numbers; the message says at which step."""


class PathUnavailableError(EntroError, RuntimeError):
    """A path of the Decision Gate exists by name but nothing stands behind it yet."""


class ReportError(EntroError, RuntimeError):
    """A report could not be started, or a notebook in it failed."""


class SessionError(EntroError, RuntimeError):
    """A session cannot do what it was asked, in the state that it is in."""


class SweepError(EntroError, RuntimeError):
    """A sweep could not go on: a run failed, a store or a cluster cannot be used."""


class EntroWarning(UserWarning):
    """Base of every warning that the package gives on purpose."""


def shown(value: object, limit: int = 80) -> str:
    """Representation of a value, short enough for one line of an error message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
