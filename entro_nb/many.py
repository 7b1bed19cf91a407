"""Many streams: a recurrence over an array with `time` and other dims, at once or in blocks.

An array of NumPy is worked on at once. One of Dask stays lazy: blocks of streams are independent;
along time each block waits for what the one before it remembers, and for nothing else, so that
its results can be used and dropped before the next is begun, and memory does not grow with the
length of the streams. A stream meets its values in order and from the same state, however the
array is cut: chunking never changes a number.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray, IntArray

if TYPE_CHECKING:
    import xarray as xr

#: What a block of streams remembers, or what is found out about it: arrays by stream.
Arrays = tuple[npt.NDArray[Any], ...]


class Recurrence(Protocol):
    """What is done with each of many streams; it travels to the workers of a cluster."""

    def begin(self, places: IntArray) -> Arrays:
        """What is remembered before the first values of streams, by their places among all."""

    def go_on(self, x: FloatArray, memory: Arrays) -> Arrays:
        """Rows for values of shape (streams, time); what is remembered is changed in place."""


def each_stream(
    x: xr.DataArray,
    recurrence: Recurrence,
    rows: Mapping[str, npt.DTypeLike],
    *,
    name: str = "x",
    taken: Iterable[str] = (),
    check: Callable[..., FloatArray] = validate.finite_array,
) -> dict[str, Any]:
    """Rows of a recurrence over the dims of an array, each stream for itself.

    Parameters
    ----------
    x : xarray.DataArray
        Values over ``time``, anywhere among its dims, and any other dims.
    recurrence : Recurrence
        What is done with each stream. Its place is its number in the order of the dims, the last
        of them counting fastest.
    rows : mapping
        Names and types of what the recurrence gives for each value.
    name : str
        Name of `x` in errors.
    taken : iterable of str
        Other names that the result will have.
    check : callable
        What :func:`entro_nb.validate.finite_array` is by default, with the same arguments.

    Returns
    -------
    dict
        Rows by name, of the shape of `x`: of Dask where `x` is, else of NumPy.

    Raises
    ------
    ParameterError
        If there is no dim `time`, or a dim or coordinate has a name of the result's.
    DataError
        If there are no values, or one fails the check (named by index); in an array of Dask only
        when it is computed.
    """
    if "time" not in x.dims:
        raise ParameterError(f"dims of {name}", x.dims, "'time', and any others")
    for twice in sorted({*rows, *taken} & {*x.dims, *x.coords}):
        raise ParameterError(f"coordinate of {name}", twice, "none of the names of the result")
    if x.dtype.kind not in "iuf":
        raise ParameterTypeError(name, f"array of {x.dtype}", "an array of real numbers")
    if x.size == 0:
        raise DataError(name, f"array of shape {x.shape}", "at least one element")
    axis = x.dims.index("time")
    check = functools.partial(check, name)
    if x.chunks is not None:
        return _lazily(x.data, axis, recurrence, rows, check)
    *found, _ = _block(x.values, axis, x.shape, (0,) * x.ndim, recurrence, check, None)
    return dict(zip(rows, found, strict=True))


def _block(
    block: npt.NDArray[Any],
    axis: int,
    shape: tuple[int, ...],
    origin: tuple[int, ...],
    recurrence: Recurrence,
    check: Callable[..., FloatArray],
    before: Arrays | None,
) -> tuple[Any, ...]:
    """Rows of a block that begins at an origin of the whole; and last, what is remembered."""
    values = check(block, empty=True, origin=origin)
    values = np.moveaxis(values, axis, -1)
    if before is None:
        places = np.zeros((), np.int64)
        for d in range(len(shape)):
            if d != axis:
                along = np.arange(origin[d], origin[d] + block.shape[d])
                places = places[..., np.newaxis] * shape[d] + along
        memory = recurrence.begin(places.ravel())
    else:
        # What a task is given is not its own: the same may be given to it again.
        memory = tuple(part.copy() for part in before)
    flat = np.ascontiguousarray(values).reshape(memory[0].shape[0], values.shape[-1])
    found = recurrence.go_on(flat, memory)
    return *(np.moveaxis(row.reshape(values.shape), -1, axis) for row in found), memory


def _lazily(
    x: Any,
    axis: int,
    recurrence: Recurrence,
    rows: Mapping[str, npt.DTypeLike],
    check: Callable[..., FloatArray],
) -> dict[str, Any]:
    """Rows as Dask arrays in the chunks of `x`: a chain along time for each block of streams."""
    from dask.array import Array
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph

    token = tokenize(x, axis, recurrence)
    judged, memory = f"judged-{token}", f"memory-{token}"
    starts = [np.cumsum([0, *sizes[:-1]]).tolist() for sizes in x.chunks]
    chain: dict[Any, Any] = {}
    indices = list(np.ndindex(x.numblocks))
    for index in indices:
        origin = tuple(start[k] for start, k in zip(starts, index, strict=True))
        earlier = tuple(k - 1 if d == axis else k for d, k in enumerate(index))
        before = (memory, *earlier) if index[axis] > 0 else None
        given = (x.name, *index)
        chain[judged, *index] = _block, given, axis, x.shape, origin, recurrence, check, before
        # By itself, so that the next block holds on to this and not to the rows.
        chain[memory, *index] = operator.getitem, (judged, *index), len(rows)
    whole = HighLevelGraph.from_collections(judged, chain, dependencies=[x])
    arrays = {}
    for k, (name, dtype) in enumerate(rows.items()):
        own = f"{name}-{token}"
        layer: dict[Any, Any] = {
            (own, *index): (operator.getitem, (judged, *index), k) for index in indices
        }
        graph = HighLevelGraph({**whole.layers, own: layer}, {**whole.dependencies, own: {judged}})
        arrays[name] = Array(graph, own, x.chunks, dtype=dtype)  # type: ignore[no-untyped-call]
    return arrays
