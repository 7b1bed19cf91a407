"""The checks that public functions and parameters share.

A range is declared where the parameter is: the field of a :class:`Parameters` dataclass, or the
argument of a function under :func:`checked`, is annotated ``Positive``, ``Count`` or
``Annotated[float, Bounds(0.0, 3.0)]``, and the value is checked and converted by that. What the
annotations do not say is checked by the functions below: each takes the parameter's name and
value, and returns the value in the form that the mathematics wants, or raises an error of
:mod:`entro_nb.errors` that names the parameter, the value and the allowed range.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import math
import operator
import sys
import types
import typing
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from entro_nb.errors import DataError, ParameterError, ParameterTypeError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Name = TypeVar("Name", bound=str)
P = ParamSpec("P")
R = TypeVar("R")
Check = Callable[[str, Any], Any]

#: How far the sum of a distribution may lie from 1 before it is refused.
SUM_TOLERANCE = 1e-9


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Integer within [low, high]; booleans and fractional floats are refused.

    Examples
    --------
    >>> integer("window", 128, low=2)
    128
    """
    allowed = f"an integer of at least {low}" if high is None else f"an integer in [{low}, {high}]"
    if isinstance(value, (bool, np.bool_)):
        raise ParameterTypeError(name, value, allowed)
    try:
        result = operator.index(value)
    except TypeError:
        raise ParameterTypeError(name, value, allowed) from None
    if result < low or (high is not None and result > high):
        raise ParameterError(name, result, allowed)
    return result


def real(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Finite real number within an interval, as a Python float.

    ``open_low`` and ``open_high`` exclude the ends.

    Examples
    --------
    >>> real("alpha", 0.5, low=0, open_low=True)
    0.5
    """
    left = "(" if open_low or low == -math.inf else "["
    right = ")" if open_high or high == math.inf else "]"
    free = low == -math.inf and high == math.inf
    allowed = "a finite number" if free else f"a finite number in {left}{low:g}, {high:g}{right}"
    # NumPy's scalars register as Real; 0-d arrays do not, and are no numbers here.
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise ParameterTypeError(name, value, allowed)
    result = float(value)
    at_end = (open_low and result == low) or (open_high and result == high)
    if not math.isfinite(result) or at_end or not low <= result <= high:
        raise ParameterError(name, result, allowed)
    return result


def band(low: Any, high: Any) -> tuple[float, float]:
    """Ends of a range, refused unless low < high.

    Examples
    --------
    >>> band(-1, 1)
    (-1.0, 1.0)
    """
    low = real("low", low)
    return low, real("high", high, low=low, open_low=True)


def finite_array(
    name: str,
    value: npt.ArrayLike,
    *,
    ndim: int | None = None,
    shape: tuple[int, ...] | None = None,
    low: float = -math.inf,
    high: float = math.inf,
    empty: bool = False,
    missing: bool = False,
    origin: tuple[int, ...] | None = None,
) -> FloatArray:
    """Array of finite floats; the first bad element is named by its index.

    Parameters
    ----------
    name : str
        Name used in error messages.
    value : array_like
        Anything NumPy reads as real numbers.
    ndim : int, optional
        Required number of dimensions.
    shape : tuple of int, optional
        Required shape.
    low, high : float
        Allowed range of every element, ends included.
    empty : bool
        Whether an array without elements is accepted.
    missing : bool
        Whether NaN is accepted, as a value that is missing.
    origin : tuple of int, optional
        Where the array begins in a greater one, by whose indices elements are named.

    Raises
    ------
    ParameterTypeError
        If the elements are not real numbers.
    ParameterError
        If the number of dimensions or the shape is wrong, or an element is out of range.
    DataError
        If an element is NaN or infinite, or there are none.

    Examples
    --------
    >>> finite_array("x", [1, 2])
    array([1., 2.])
    >>> finite_array("x", [0.0, float("nan")])
    Traceback (most recent call last):
    ...
    entro_nb.errors.DataError: x[1] = nan is not allowed: expected finite numbers
    """
    raw = np.asarray(value)
    if raw.dtype.kind not in "iuf":
        raise ParameterTypeError(name, value, "an array of real numbers")
    array = np.ascontiguousarray(raw, dtype=np.float64).reshape(raw.shape)
    given = f"array of shape {array.shape}"
    if ndim is not None and array.ndim != ndim:
        raise ParameterError(name, given, f"{ndim} dimension{'s' if ndim != 1 else ''}")
    if array.size == 0 and not empty:
        raise DataError(name, given, "at least one element")
    # One reduction is the fast path: a sum is finite only if no element is NaN or infinite.
    with np.errstate(over="ignore", invalid="ignore"):
        suspect = not math.isfinite(float(array.sum()))
    if suspect and not (finite := ~np.isinf(array) if missing else np.isfinite(array)).all():
        raise DataError(*_first(name, array, ~finite, origin), "finite numbers")
    bounded = low != -math.inf or high != math.inf
    if bounded and (outside := (array < low) | (array > high)).any():
        wrong = _first(name, array, outside, origin)
        raise ParameterError(*wrong, f"numbers in [{low:g}, {high:g}]")
    if shape is not None and array.shape != shape:
        raise ParameterError(name, given, f"shape {shape}")
    return array


def _first(
    name: str,
    array: FloatArray,
    wrong: npt.NDArray[np.bool_],
    origin: tuple[int, ...] | None = None,
) -> tuple[str, float]:
    """Name and value of the first element that is wrong."""
    where = np.argwhere(wrong)[0]
    told = where if origin is None else where + origin
    return element(name, tuple(told.tolist())), float(array[tuple(where)])


def flag(name: str, value: Any) -> bool:
    """Truth value; numbers and text that merely look true are refused.

    Examples
    --------
    >>> flag("clamped", True)
    True
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterTypeError(name, value, "True or False")
    return bool(value)


def element(name: str, where: tuple[int, ...]) -> str:
    """Name of one element of an array, as in ``x[3, 1]``."""
    return f"{name}[{', '.join(map(str, where))}]" if where else name


def probabilities(
    name: str, value: npt.ArrayLike, axis: int = -1, *, shape: tuple[int, ...] | None = None
) -> FloatArray:
    """Probability distributions along an axis: non-negative, summing to 1, of a shape if given.

    Examples
    --------
    >>> probabilities("p", [0.5, 0.5])
    array([0.5, 0.5])
    """
    p = finite_array(name, value, shape=shape, low=0.0)
    if p.ndim == 0:
        raise ParameterError(name, value, "at least one dimension")
    total = p.sum(axis=checked_axis(axis, p.ndim))
    if not np.allclose(total, 1.0, rtol=0.0, atol=SUM_TOLERANCE):
        worst = float(np.ravel(total)[np.argmax(np.abs(np.ravel(total) - 1.0))])
        raise ParameterError(f"sum of {name}", worst, f"1 within {SUM_TOLERANCE:g}")
    return p


def counts(name: str, value: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Histogram counts along an axis: whole, non-negative, not all zero.

    Examples
    --------
    >>> counts("c", [3, 0, 1])
    array([3., 0., 1.])
    """
    c = finite_array(name, value, low=0.0)
    if c.ndim == 0:
        raise ParameterError(name, value, "at least one dimension")
    if (broken := c != np.floor(c)).any():
        raise ParameterError(*_first(name, c, broken), "whole numbers")
    if (c.sum(axis=checked_axis(axis, c.ndim)) == 0).any():
        raise DataError(name, value, "at least one count that is not zero")
    return c


def checked_axis(axis: int, ndim: int) -> int:
    """Axis as a non-negative index, refused when the array has no such axis."""
    index = integer("axis", axis, -ndim, ndim - 1)
    return index % ndim


def same_length(**arrays: npt.ArrayLike) -> int:
    """Common length of one-dimensional arrays, refused when they differ.

    Examples
    --------
    >>> same_length(rate=[1, 2], queue=[0, 0])
    2
    """
    lengths = {name: len(np.asarray(a)) for name, a in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ParameterError(" and ".join(lengths), list(lengths.values()), "equal lengths")
    return next(iter(lengths.values()))


def choice(name: str, value: Any, options: Iterable[Name]) -> Name:
    """One of several names; the error lists them and suggests the nearest.

    Examples
    --------
    >>> choice("edges", "fixed", ["fixed", "minmax"])
    'fixed'
    """
    names = list(options)
    if value in names:
        return names[names.index(value)]
    kind = ParameterError if isinstance(value, str) else ParameterTypeError
    raise kind(name, value, f"one of {', '.join(map(repr, names))}{meant(value, names)}")


def nearest(value: object, names: Iterable[str]) -> str | None:
    """The name most like a mistyped one, or None when nothing is close."""
    found = difflib.get_close_matches(str(value), list(names), n=1, cutoff=0.5)
    return found[0] if found else None


def meant(value: object, names: Iterable[str]) -> str:
    """What an error adds about a mistyped name; nothing when no name is close.

    Examples
    --------
    >>> meant("fixd", ["fixed", "minmax"])
    " (did you mean 'fixed'?)"
    """
    guess = nearest(value, names)
    return "" if guess is None else f" (did you mean {guess!r}?)"


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Range of a number, or of every element of an array, for use in ``Annotated``.

    Parameters
    ----------
    low, high : float
        Ends of the range, allowed unless `open_low` or `open_high`.
    open_low, open_high : bool
        Whether an end itself is refused.
    infinite : bool
        Whether infinity, "no limit", is allowed at an end that is infinite.
    ndim : int, optional
        Required number of dimensions of an array.
    empty : bool
        Whether an array may have no elements.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    infinite: bool = False
    ndim: int | None = None
    empty: bool = False


Positive = Annotated[float, Bounds(0.0, open_low=True)]
NonNegative = Annotated[float, Bounds(0.0)]
Share = Annotated[float, Bounds(0.0, 1.0)]
PartOfOne = Annotated[float, Bounds(0.0, 1.0, open_high=True)]
Count = Annotated[int, Bounds(1)]
Natural = Annotated[int, Bounds(0)]
Seed = Natural


@typing.dataclass_transform(frozen_default=True)
class Parameters:
    """Base of frozen dataclasses whose fields are checked by what they are annotated with.

    ``float`` wants a finite number, ``int`` an integer, ``bool`` a truth value, ``str`` text, a
    ``Literal`` one of its values, an array of floats finite numbers; ``Annotated`` with
    :class:`Bounds` narrows the range, ``| None`` allows None. Values are stored as Python's own
    types. A rule that ties fields together goes into a `__post_init__` that calls this one first.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Limit(Parameters):
    ...     rate: Positive = 1.5
    >>> Limit(2)
    Limit(rate=2.0)
    >>> Limit(-1.0)
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: rate = -1.0 is not allowed: expected a finite number in (0, inf)
    """

    def __post_init__(self) -> None:
        for name, check in field_checks(typing.cast(Any, type(self))).items():
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def coefficients(self) -> FloatArray:
        """Parameters as a compiled loop reads them: flags as 0 or 1, choices by their place.

        Where each of them stands is said by :func:`slots`.
        """
        given = [
            (getattr(self, name), options)
            for name, options in _numbers(typing.cast(Any, type(self))).items()
        ]
        numbers = [options.index(value) if options else value for value, options in given]
        return np.array(numbers, dtype=np.float64)


def slots(cls: Any) -> Any:
    """Where each parameter stands among the :meth:`Parameters.coefficients`, by name.

    Parameters that are neither numbers nor flags nor choices are left out.
    """
    names = list(_numbers(cls))
    return namedtuple(f"{cls.__name__}Slots", names)(*range(len(names)))


@functools.cache
def _numbers(cls: Any) -> dict[str, tuple[Any, ...]]:
    """Fields that are numbers, flags or choices, with the options of the choices."""
    hints = typing.get_type_hints(cls)
    found = {
        f.name: (hints[f.name], typing.get_args(hints[f.name])) for f in dataclasses.fields(cls)
    }
    return {
        name: options
        for name, (hint, options) in found.items()
        if hint in (bool, int, float) or typing.get_origin(hint) is Literal
    }


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Check and convert the arguments of a function by their annotations, as `Parameters` does.

    Arguments annotated with other types, arrays among them, are passed on as they are; so are
    defaults.

    Examples
    --------
    >>> @checked
    ... def ring(n_nodes: Annotated[int, Bounds(3)]) -> int:
    ...     return n_nodes
    >>> ring(2)
    Traceback (most recent call last):
    ...
    entro_nb.errors.ParameterError: n_nodes = 2 is not allowed: expected an integer of at least 3
    """
    signature = inspect.signature(function)
    parameters = signature.parameters.values()
    positional = [p.name for p in parameters if p.kind < p.VAR_POSITIONAL]
    found: dict[str, Check] = {}

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if not found:
            hints = {p.name: p.annotation for p in signature.parameters.values()}
            found.update(_checks(hints, function.__globals__))
        given: list[Any] = list(args)
        for k, name in enumerate(positional[: len(given)]):
            if name in found:
                given[k] = found[name](name, given[k])
        for name in found.keys() & kwargs.keys():
            kwargs[name] = found[name](name, kwargs[name])
        return function(*given, **kwargs)

    return wrapper


@functools.cache
def field_checks(cls: Any) -> dict[str, Check]:
    """Checks of the fields of a dataclass by their annotations, as `Parameters` makes them.

    Fields annotated with other types have none.
    """
    found: dict[str, Check] = {}
    # A field is read among the names of the module that declares it.
    for owner in reversed(cls.__mro__):
        names = vars(sys.modules[owner.__module__])
        found |= _checks(inspect.get_annotations(owner), names)
    return {f.name: found[f.name] for f in dataclasses.fields(cls) if f.name in found}


def _checks(hints: Mapping[str, Any], names: dict[str, Any]) -> dict[str, Check]:
    found = {}
    for name, hint in hints.items():
        if isinstance(hint, str):
            try:
                hint = eval(hint, names)
            except (NameError, TypeError):
                continue  # for the type checker only: no type of ours
        if (check := _check_of(hint)) is not None:
            found[name] = check
    return found


def _check_of(hint: Any, bounds: Bounds | None = None) -> Check | None:
    """Check that an annotation stands for, None where it says nothing that can be checked."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        given = [m for m in hint.__metadata__ if isinstance(m, Bounds)]
        return _check_of(parts[0], given[-1] if given else bounds)
    if origin in (typing.Union, types.UnionType) and len(parts) == 2 and type(None) in parts:
        inner = _check_of(next(p for p in parts if p is not type(None)), bounds)
        return inner and (lambda name, value: None if value is None else inner(name, value))
    if origin is Literal:
        return lambda name, value: choice(name, value, parts)
    b = bounds or Bounds()
    if hint is bool:
        return flag
    if hint is int:
        low = -sys.maxsize if b.low == -math.inf else int(b.low)
        high = None if b.high == math.inf else int(b.high)
        return lambda name, value: integer(name, value, low, high)
    if hint is float:
        return functools.partial(_bounded, b)
    if hint is str:
        return _text
    if hint == FloatArray:
        return lambda name, value: finite_array(
            name, value, ndim=b.ndim, low=b.low, high=b.high, empty=b.empty
        )
    return None


def _bounded(b: Bounds, name: str, value: Any) -> float:
    unlimited = isinstance(value, Real) and math.isinf(float(value))
    if b.infinite and unlimited and b.low <= float(value) <= b.high:
        return float(value)
    return real(name, value, b.low, b.high, open_low=b.open_low, open_high=b.open_high)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ParameterTypeError(name, value, "text")
    return value
