"""What a sweep runs: a function of scalar parameters and seeds, and what it is known to return."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from entro_nb import results
from entro_nb.errors import ParameterError, ParameterTypeError, SweepError
from entro_nb.settings import ALLOWED, Value, convert
from entro_nb.validate import nearest

__all__ = ["SIMULATIONS", "Result", "Simulation"]

#: Name by which `entro-nb sweep` knows a simulation, and the function that is one.
SIMULATIONS = {
    "pipeline": "entro_nb.sweep.simulations:pipeline",
    "network": "entro_nb.sweep.simulations:network",
    "regimes": "entro_nb.sweep.simulations:regimes",
}


@dataclass(frozen=True)
class Result:
    """One variable of the runs at one point of a grid.

    Parameters
    ----------
    dims : tuple of str
        Its own dimensions, after ``replicate``.
    values : ndarray, shape (replicate, …)
    units, long_name : str
    """

    dims: tuple[str, ...]
    values: Any
    units: str = ""
    long_name: str = ""


@dataclass(frozen=True)
class Simulation:
    """A function that a sweep can call.

    Parameters
    ----------
    function : callable
        Takes its parameters by name, each a number, a truth value or text, and one of

        * ``seeds``: a list of integers; returns arrays with one element (or row) a seed;
        * ``seed``: an integer; returns the numbers or arrays of one run;
        * neither: it is deterministic, and has one replicate.

        Returns a Dataset, or a mapping of names to values or to tuples (dims, values, units,
        long name).
    name : str
        How it is called in stores and messages.

    Raises
    ------
    ParameterTypeError
        If it is not a function with named parameters.

    Examples
    --------
    >>> Simulation.of("pipeline").parameters["alpha"]
    0.5
    """

    function: Callable[..., Any]
    name: str

    def __post_init__(self) -> None:
        allowed = "a function whose parameters have names"
        if not callable(self.function):
            raise ParameterTypeError("simulation", self.function, allowed)
        kinds = [p.kind for p in inspect.signature(self.function).parameters.values()]
        if inspect.Parameter.VAR_POSITIONAL in kinds or inspect.Parameter.POSITIONAL_ONLY in kinds:
            raise ParameterTypeError("simulation", self.name, allowed)

    @classmethod
    def of(cls, simulation: str | Callable[..., Any]) -> Simulation:
        """Simulation by its name in `SIMULATIONS`, by ``module:function``, or of a function."""
        if callable(simulation):
            module = getattr(simulation, "__module__", "")
            name = getattr(simulation, "__qualname__", type(simulation).__name__)
            return cls(simulation, f"{module}:{name}")
        if not isinstance(simulation, str):
            raise ParameterTypeError("simulation", simulation, "a function or the name of one")
        place = SIMULATIONS.get(simulation, simulation)
        module, colon, attribute = place.partition(":")
        if not colon:
            guess = nearest(simulation, SIMULATIONS)
            meant = "" if guess is None else f" (did you mean {guess!r}?)"
            known = ", ".join(SIMULATIONS)
            raise ParameterError("simulation", simulation, f"{known} or module:function{meant}")
        try:
            return cls(getattr(importlib.import_module(module), attribute), simulation)
        except (ImportError, AttributeError) as error:
            raise ParameterError("simulation", simulation, f"what can be had: {error}") from error

    @property
    def _signature(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.function).parameters

    @property
    def takes(self) -> str:
        """Name of the parameter that seeds go to: ``seeds``, ``seed``, or nothing."""
        return next((name for name in ("seeds", "seed") if name in self._signature), "")

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters with their defaults, `inspect.Parameter.empty` where there is none."""
        return {
            name: parameter.default
            for name, parameter in self._signature.items()
            if name not in ("seed", "seeds") and parameter.kind is not parameter.VAR_KEYWORD
        }

    def check(self, name: str) -> None:
        """Refuse a parameter that the function does not have."""
        known = self.parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in self._signature.values())
        if name in known or (anything and name not in ("seed", "seeds")):
            return
        guess = nearest(name, known)
        meant = "" if guess is None else f" (did you mean {guess!r}?)"
        raise ParameterError("parameter", name, f"one of {', '.join(map(repr, known))}{meant}")

    def converted(self, name: str, value: object) -> Value:
        """Value of a parameter in the type of its default, or of its annotation."""
        default = self.parameters.get(name, inspect.Parameter.empty)
        kind = type(default).__name__
        if kind not in ALLOWED:
            note = self._signature[name].annotation if name in self._signature else None
            kind = note if isinstance(note, str) else getattr(note, "__name__", "")
        value = value.item() if isinstance(value, np.generic) else value
        if kind not in ALLOWED:
            kind = type(value).__name__
        if kind not in ALLOWED:
            raise ParameterTypeError(name, value, "a number, a truth value or text")
        return convert(name, value, kind)

    def bound(self, given: Mapping[str, Value]) -> dict[str, Any]:
        """Every parameter with its value, those at their default included."""
        full = self.parameters | dict(given)
        for name, value in full.items():
            if value is inspect.Parameter.empty:
                raise ParameterError("parameter", name, "a value: this simulation has no default")
        return full

    def fingerprint(self) -> str:
        """Digest of the code that makes the results."""
        module = inspect.getmodule(self.function)
        if module is None or module.__name__.startswith("entro_nb."):
            return results.mathematics_digest()
        try:
            own = Path(inspect.getfile(self.function)).read_bytes()
        except (OSError, TypeError):  # typed into a session: only its compiled form is there
            own = getattr(getattr(self.function, "__code__", None), "co_code", b"")
        return hashlib.sha256(results.mathematics_digest().encode() + own).hexdigest()

    def run(self, point: Mapping[str, Value], seeds: Sequence[int]) -> dict[str, Result]:
        """Results of one point of the grid, one row a seed."""
        where = ", ".join(f"{name} = {value!r}" for name, value in point.items())
        try:
            if self.takes == "seeds":
                return _results(self.function(seeds=list(seeds), **point), len(seeds))
            if self.takes == "seed":
                return _stacked([_results(self.function(seed=s, **point), None) for s in seeds])
            return _stacked([_results(self.function(**point), None)])
        except Exception as error:
            kind = "" if isinstance(error, SweepError) else f"{type(error).__name__}: "
            raise SweepError(f"{self.name} at {where}: {kind}{error}") from error


def _results(returned: Any, runs: int | None) -> dict[str, Result]:
    """What a simulation returned, with the rows of its `runs`, or made one row."""
    if hasattr(returned, "data_vars"):
        returned = {
            name: (
                v.dims,
                v.values,
                str(v.attrs.get("units", "")),
                str(v.attrs.get("long_name", "")),
            )
            for name, v in returned.data_vars.items()
        }
    if not isinstance(returned, Mapping):
        raise SweepError(f"returned {type(returned).__name__}, not a Dataset or a mapping")
    return {str(name): _result(str(name), value, runs) for name, value in returned.items()}


def _result(name: str, value: Any, runs: int | None) -> Result:
    dims, values, units, text = value if isinstance(value, tuple) else (None, value, "", "")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise SweepError(f"{name} is of type {array.dtype}, not of numbers")
    names = (dims,) if isinstance(dims, str) else tuple(dims) if dims is not None else None
    if names is None:
        own = array.ndim - (runs is not None)
        names = (("replicate",) if runs is not None else ()) + tuple(
            f"{name}_{k}" for k in range(own)
        )
    if len(names) != array.ndim:
        raise SweepError(f"{name} has dims {names} and shape {array.shape}")
    if runs is None:
        if "replicate" in names:  # a Dataset of one replicate
            place = names.index("replicate")
            if array.shape[place] != 1:
                raise SweepError(f"{name} holds {array.shape[place]} replicates of one seed")
            return Result(
                names[:place] + names[place + 1 :], array.squeeze(place)[None], units, text
            )
        return Result(names, array[None], units, text)
    if not names or names[0] != "replicate" or array.shape[0] != runs:
        raise SweepError(f"{name} has shape {array.shape}, not {runs} rows, one a seed")
    return Result(names[1:], array, units, text)


def _stacked(rows: Sequence[Mapping[str, Result]]) -> dict[str, Result]:
    first = rows[0]
    for row in rows:
        if row.keys() != first.keys():
            raise SweepError(f"runs differ in their variables: {[*first]} and {[*row]}")
    return {
        name: Result(
            r.dims, _joined(name, [row[name].values for row in rows]), r.units, r.long_name
        )
        for name, r in first.items()
    }


def _joined(name: str, arrays: Sequence[Any]) -> Any:
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1:
        raise SweepError(f"runs differ in the shape of {name}: {sorted(shapes)}")
    return np.concatenate(arrays)
