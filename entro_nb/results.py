"""What every result needs: compiled loops, labels and units, intervals, and which code made it.

A recurrence is written once, as a plain loop that reads like its equation, and compiled by
:func:`compiled`; a simulation returns a :func:`dataset`; a handful of runs becomes a value with
its :class:`Interval`; :func:`code_digest` says which code made a result.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError
from entro_nb.validate import Bounds, Count

if TYPE_CHECKING:
    import xarray as xr

#: Confidence of an interval, strictly between 0 and 1.
Level = Annotated[float, Bounds(0.0, 1.0, open_low=True, open_high=True)]
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
    import numba

    # Division by zero gives infinity or NaN, as it does in NumPy, not an exception.
    jit = numba.njit(cache=_has_file(function), error_model="numpy")
    return cast(Function, jit(function))


def unlocked(function: Function) -> Function:
    """Compile a long loop, during which Python's other threads go on: Dask's among them.

    To let them, and to get the turn again afterwards, costs a short call more than it takes.

    Examples
    --------
    >>> @unlocked
    ... def total(x):
    ...     s = 0.0
    ...     for value in x:
    ...         s += value
    ...     return s
    >>> import numpy as np
    >>> total(np.ones(3))
    3.0
    """
    import numba

    jit = numba.njit(cache=_has_file(function), error_model="numpy", nogil=True)
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
    import numba

    flags = {"reassoc", "nnan", "nsz", "contract"}
    return cast(Function, numba.njit(cache=_has_file(function), fastmath=flags)(function))


def _has_file(function: Callable[..., object]) -> bool:
    # Numba keeps its cache beside the source file; code typed into a cell or a doctest has none.
    return not function.__code__.co_filename.startswith("<")


def parameters_of(*configs: Any, **scalars: Any) -> dict[str, str | int | float]:
    """Flat mapping of the parameters of dataclasses and scalars, fit for NetCDF attributes.

    None, booleans and containers become JSON text, since NetCDF knows only numbers and text.

    Examples
    --------
    >>> parameters_of(seed=3, limits=(0, 1), name="surge")
    {'seed': 3, 'limits': '[0, 1]', 'name': 'surge'}
    """
    merged: dict[str, Any] = {}
    for config in configs:
        merged |= dataclasses.asdict(config)
    merged |= scalars
    return {name: _attribute(value) for name, value in merged.items()}


def _attribute(value: Any) -> str | int | float:
    if isinstance(value, (bool, np.bool_)) or value is None:
        return json.dumps(None if value is None else bool(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value, default=str)


def dataset(
    variables: Mapping[str, tuple[tuple[str, ...] | str, Any, str, str]],
    *,
    coords: Mapping[str, tuple[Any, str] | str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    title: str = "",
    source: str = "",
) -> xr.Dataset:
    """Dataset from named variables, each given as (dims, values, units, long name).

    Parameters
    ----------
    variables : mapping
        Name to ``(dims, values, units, long_name)``.
    coords : mapping, optional
        Name of a dimension to ``(values, units)``, or to the units alone where its places are
        counted from 0.
    parameters : mapping, optional
        Parameters that made the result, stored as attributes (see :func:`parameters_of`).
    title, source : str
        Global attributes: what it is, and which seed or recording it comes from.

    Returns
    -------
    xarray.Dataset

    Examples
    --------
    >>> ds = dataset({"psi": ("time", [0.0, 1.0], "nats", "entropy proxy")},
    ...              coords={"time": ([0.0, 0.1], "s")}, parameters={"seed": 1})
    >>> ds.psi.attrs["units"], ds.attrs["seed"]
    ('nats', 1)
    >>> dataset({"psi": ("node", [0.3, 0.4], "nats", "proxy")}, coords={"node": "1"}).node.values
    array([0, 1])
    """
    import xarray as xr

    data = {
        name: (dims, values, {"units": units, "long_name": long_name})
        for name, (dims, values, units, long_name) in variables.items()
    }
    sizes: dict[str, int] = {}
    for dims, values, *_ in variables.values():
        sizes |= zip((dims,) if isinstance(dims, str) else dims, np.shape(values), strict=True)
    axes = {}
    for name, given in (coords or {}).items():
        values, units = (np.arange(sizes[name]), given) if isinstance(given, str) else given
        # An index of pandas (a range, say) stays one: as an array it would take memory.
        values = values if hasattr(values, "dtype") else np.asarray(values)
        axes[name] = (name, values, {"units": units})
    attrs = {"title": title, "source": source} | dict(parameters or {})
    return xr.Dataset(data, coords=axes, attrs={k: v for k, v in attrs.items() if v != ""})


class Interval(NamedTuple):
    """A measured value and the interval it lies in at the stated confidence."""

    value: float
    low: float
    high: float


@validate.checked
def mean_interval(samples: npt.ArrayLike, confidence: Level = 0.95) -> Interval:
    """Mean of independent runs with Student's interval.

    Raises
    ------
    DataError
        If there are fewer than two runs.

    Examples
    --------
    >>> mean_interval([1.0, 1.0, 1.0])
    Interval(value=1.0, low=1.0, high=1.0)
    """
    from scipy.stats import t

    x = validate.finite_array("samples", samples, ndim=1)
    if x.size < 2:
        raise DataError("samples", x.tolist(), "at least two runs")
    half = (
        float(t.ppf(0.5 + confidence / 2.0, x.size - 1)) * float(x.std(ddof=1)) / math.sqrt(x.size)
    )
    return Interval(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half)


@validate.checked
def share_interval(
    successes: Annotated[int, Bounds(0)], trials: Count, confidence: Level = 0.95
) -> Interval:
    """Share of successes with the exact interval of Clopper and Pearson (1934).

    Examples
    --------
    >>> [round(v, 3) for v in share_interval(100, 100)]
    [1.0, 0.964, 1.0]
    """
    from scipy.stats import beta

    k, n = validate.integer("successes", successes, 0, trials), trials
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if k == 0 else float(beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(1.0 - tail, k + 1, n - k))
    return Interval(k / n, low, high)


@validate.checked
def reduction_interval(
    with_it: npt.ArrayLike, without: npt.ArrayLike, confidence: Level = 0.95
) -> Interval:
    """Reduction 1 − mean(with)/mean(without) over paired runs, with the interval of a ratio.

    The runs are paired (same seed), so the interval is that of the ratio of two means, to first
    order in their scatter.

    Examples
    --------
    >>> reduction_interval([0.25, 0.25], [1.0, 1.0]).value
    0.75
    """
    from scipy.stats import t

    a = validate.finite_array("with_it", with_it, ndim=1)
    b = validate.finite_array("without", without, ndim=1)
    n = validate.same_length(with_it=a, without=b)
    if n < 2 or b.mean() == 0.0:
        raise DataError("without", b.tolist(), "at least two runs whose mean is not zero")
    ratio = float(a.mean() / b.mean())
    scatter = float(np.std(a - ratio * b, ddof=1)) / abs(float(b.mean()))
    half = float(t.ppf(0.5 + confidence / 2.0, n - 1)) * scatter / math.sqrt(n)
    return Interval(1.0 - ratio, 1.0 - ratio - half, 1.0 - ratio + half)


@dataclasses.dataclass(frozen=True)
class Objective:
    """A measured figure against what a document promises, such as those of seed 001.

    Attributes
    ----------
    name : str
        What was measured, and where.
    target : float
        What the document promises, as a share.
    measured : Interval
        What was measured, as a share, at 95 % confidence.
    """

    name: str
    target: float
    measured: Interval

    @property
    def verdict(self) -> str:
        """Whether the target is reached: holds, fails, or undecided between the two.

        A target of everything holds when nothing at all was lost; its interval says how much
        that proves.
        """
        value, low, high = self.measured
        if self.target == 1.0:
            return "holds" if value == 1.0 else "fails"
        if low > self.target:
            return "holds"
        return "fails" if high < self.target else "undecided"

    def __str__(self) -> str:
        value, low, high = (100.0 * x for x in self.measured)
        wanted = f"> {100 * self.target:g}" if self.target < 1.0 else "100"
        return f"{self.name}: {value:.1f} % [{low:.1f}, {high:.1f}], {wanted} % {self.verdict}"


#: What shows and runs results, and does not make them.
SHELL = {"views", "report", "cli.py"}


def digest(root: Path, files: Iterable[Path]) -> str:
    """Digest of files and of their names within a folder, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(files):
        name = path.relative_to(root).as_posix()
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


@functools.cache
def code_digest() -> str:
    """Digest of every source file, template and table of the package.

    Examples
    --------
    >>> len(code_digest()), code_digest() == mathematics_digest()
    (64, False)
    """
    package = Path(__file__).parent
    return digest(package, _sources(package))


@functools.cache
def mathematics_digest() -> str:
    """Digest of the part of the package that results depend on: all but views, reports, command."""
    package = Path(__file__).parent
    return digest(
        package, [f for f in _sources(package) if f.relative_to(package).parts[0] not in SHELL]
    )


def _sources(package: Path) -> list[Path]:
    # Numba writes its cache beside the sources; it comes from them.
    return [f for f in package.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
