"""Compilation of the package's recurrences.

A recurrence is written once, as a plain loop that reads like its equation, and
compiled by Numba. This module is the one place that knows Numba's decorator,
and gives it a type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

__all__ = ["compiled", "reordered"]

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a numerical loop to machine code on first call, cached on disk.

    Examples
    --------
    >>> @compiled
    ... def total(x):
    ...     s = 0.0
    ...     for value in x:
    ...         s += value
    ...     return s
    >>> import numpy as np
    >>> total(np.ones(3))
    3.0
    """
    # Division by zero gives infinity or NaN, as it does in NumPy, not an exception.
    jit = numba.njit(cache=_has_file(function), error_model="numpy")
    return cast(Function, jit(function))


def reordered(function: Function) -> Function:
    """Compile a loop of sums over a long array, letting the compiler reorder the additions.

    A plain sum waits for each addition in turn; reordered, the same loop runs side by side and
    several times as fast, if it counts with ``range``. Only for finite numbers, and where the
    order of rounding is free.

    Examples
    --------
    >>> @reordered
    ... def total(x):
    ...     s = 0.0
    ...     for i in range(x.size):
    ...         s += x[i]
    ...     return s
    >>> import numpy as np
    >>> total(np.ones(3))
    3.0
    """
    flags = {"reassoc", "nnan", "nsz", "contract"}
    return cast(Function, numba.njit(cache=_has_file(function), fastmath=flags)(function))


def _has_file(function: Callable[..., object]) -> bool:
    # Numba keeps its cache beside the source file; code typed into a cell or a doctest has none.
    return not function.__code__.co_filename.startswith("<")
