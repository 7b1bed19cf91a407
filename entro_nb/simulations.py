"""What a sweep runs: a simulation at every point of a grid, and the simulations known by name."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from entro_nb import engine, network, results, validate
from entro_nb.engine import LAWS, REGIMES
from entro_nb.errors import ParameterError, ParameterTypeError, SweepError
from entro_nb.settings import ALLOWED, Value, convert, function_of
from entro_nb.validate import Count, Seed

if TYPE_CHECKING:
    import xarray as xr

#: Dimension over which the runs of one point lie.
REPLICATE = "replicate"

#: Steps at the end of a run over which a network is summarised.
TAIL = 100

#: Name by which `entro-nb sweep` knows a simulation, and the function that is one.
SIMULATIONS = {
    "pipeline": "entro_nb.simulations:pipeline_runs",
    "network": "entro_nb.simulations:network_run",
    "regimes": "entro_nb.simulations:regime_counts",
}


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
        kinds = {p.kind for p in self._signature.values()}
        if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY}:
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
        spelled = SIMULATIONS.get(simulation, simulation)
        return cls(function_of("simulation", spelled, SIMULATIONS), simulation)

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

    def converted(self, name: str, value: object) -> Value:
        """Value of a parameter that the function has, in the type of its default or annotation."""
        known, taken = self.parameters, self._signature
        anything = any(p.kind is p.VAR_KEYWORD for p in taken.values())
        if name not in known and (not anything or name in ("seed", "seeds")):
            validate.choice("parameter", name, known)
        value = value.item() if isinstance(value, np.generic) else value
        note = taken[name].annotation if name in taken else ""
        kinds = (
            type(known.get(name)).__name__,
            note if isinstance(note, str) else getattr(note, "__name__", ""),
            type(value).__name__,
        )
        kind = next((kind for kind in kinds if kind in ALLOWED), None)
        if kind is None:
            raise ParameterTypeError(name, value, "a number, a truth value or text")
        return convert(name, value, kind)

    def complete(self, point: Mapping[str, Value]) -> dict[str, Any]:
        """Every parameter with its value, those at their default included."""
        full = self.parameters | dict(point)
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

    def run(self, point: Mapping[str, Value], seeds: Sequence[int]) -> dict[str, xr.Variable]:
        """Variables of one point of the grid, the first dimension of each its replicates."""
        try:
            if self.takes == "seeds":
                return _variables(self.function(seeds=list(seeds), **point), len(seeds))
            each = [{"seed": s} for s in seeds] if self.takes else [{}]
            return _stacked([_variables(self.function(**s, **point), None) for s in each])
        except Exception as error:
            where = ", ".join(f"{name} = {value!r}" for name, value in point.items())
            kind = "" if isinstance(error, SweepError) else f"{type(error).__name__}: "
            raise SweepError(f"{self.name} at {where}: {kind}{error}") from error


def _variables(returned: Any, runs: int | None) -> dict[str, xr.Variable]:
    """What a simulation returned for so many runs, or for one that is then made a row."""
    import xarray as xr

    if isinstance(returned, xr.Dataset):
        returned = {
            str(name): (v.dims, v.values, v.attrs.get("units", ""), v.attrs.get("long_name", ""))
            for name, v in returned.data_vars.items()
        }
    if not isinstance(returned, Mapping):
        raise SweepError(f"returned {type(returned).__name__}, not a Dataset or a mapping")
    found = {}
    for name, value in returned.items():
        dims, values, units, text = value if isinstance(value, tuple) else (None, value, "", "")
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise SweepError(f"{name} is of type {array.dtype}, not of numbers")
        if dims is None:
            first = () if runs is None else (REPLICATE,)
            dims = (*first, *(f"{name}_{k}" for k in range(array.ndim - len(first))))
        dims = (dims,) if isinstance(dims, str) else tuple(dims)
        if runs is None and REPLICATE not in dims:
            dims, array = (REPLICATE, *dims), array[None]
        try:
            v = xr.Variable(dims, array, {"units": str(units), "long_name": str(text)})
        except ValueError:
            raise SweepError(f"{name} has dims {dims} and shape {array.shape}") from None
        if runs is None and v.dims[0] != REPLICATE:  # a Dataset of one replicate
            v = v.transpose(REPLICATE, ...)
        if v.dims[:1] != (REPLICATE,) or len(v) != (runs or 1):
            rows = "one row for one seed" if runs is None else f"{runs} rows, one a seed"
            raise SweepError(f"{name} has shape {array.shape}, not {rows}")
        found[str(name)] = v
    return found


def _stacked(rows: Sequence[Mapping[str, xr.Variable]]) -> dict[str, xr.Variable]:
    import xarray as xr

    first, *others = ({name: v.shape for name, v in row.items()} for row in rows)
    if differing := [shapes for shapes in others if shapes != first]:
        raise SweepError(f"runs differ in what they give: shapes {first} and {differing[0]}")
    return {
        name: xr.Variable(v.dims, np.concatenate([row[name].values for row in rows]), v.attrs)
        for name, v in rows[0].items()
    }


@dataclass(frozen=True)
class Plan(validate.Parameters):
    """What a sweep will run, checked and complete.

    Parameters
    ----------
    simulation : Simulation
    grid : mapping
        Parameter to its values, in order; each becomes a dimension of the result.
    fixed : mapping
        Parameter to the one value that it has in all runs.
    replicates : int
        Independent runs of each point.
    seed : int
        Seed of the whole.
    common : bool
        Whether replicate k has the same random numbers at every point (a paired comparison).

    Raises
    ------
    ParameterError
        If a parameter is unknown, given twice or missing, an axis is empty or repeats a
        value, or there are replicates of a simulation without randomness.
    ParameterTypeError
        If a value is not of the parameter's type.

    Examples
    --------
    >>> plan = Plan(Simulation.of("pipeline"), {"alpha": [0.1, 0.5]}, replicates=3)
    >>> plan.shape, plan.runs
    ((2, 3), 6)
    """

    simulation: Simulation
    grid: Mapping[str, Sequence[Value]]
    fixed: Mapping[str, Value] = field(default_factory=dict)
    replicates: Count = 1
    seed: Seed = 0
    common: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.replicates > 1 and not self.simulation.takes:
            allowed = "1: this simulation takes no seed"
            raise ParameterError("replicates", self.replicates, allowed)
        if both := [name for name in self.grid if name in self.fixed]:
            raise ParameterError("parameter", both[0], "an axis of the grid or a fixed value")
        converted = self.simulation.converted
        fixed = {name: converted(name, value) for name, value in self.fixed.items()}
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "grid", {name: self._axis(name) for name in self.grid})
        self.simulation.complete(self.point((0,) * len(self.grid)))

    def _axis(self, name: str) -> tuple[Value, ...]:
        values, allowed = self.grid[name], "a list of at least one value"
        if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
            raise ParameterTypeError(name, values, allowed)
        axis = tuple(self.simulation.converted(name, value) for value in values)
        if not axis:
            raise ParameterError(name, [], allowed)
        if twice := [value for value in axis if axis.count(value) > 1]:
            raise ParameterError(name, twice[0], "each value of an axis once")
        if name == REPLICATE:
            raise ParameterError("parameter", name, "a name that is not that of the replicates")
        return axis

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the grid, the replicates last."""
        return (*self.grid, REPLICATE)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return (*(len(values) for values in self.grid.values()), self.replicates)

    @property
    def runs(self) -> int:
        """How many runs there are in all."""
        return math.prod(self.shape)

    def point(self, place: Sequence[int]) -> dict[str, Value]:
        """Parameters of a point of the grid, by its indices."""
        at = {name: values[k] for (name, values), k in zip(self.grid.items(), place, strict=True)}
        return dict(self.fixed) | at

    def seeds(self, point: Mapping[str, Value], part: slice) -> list[int]:
        """Seeds of some replicates of a point.

        They follow from the seed of the sweep, the values of the parameters (those at their
        default included) and the number of the replicate. So a run is the same in whatever
        piece, order, process or larger grid it is found.
        """
        key: list[int] = []
        if not self.common:
            text = json.dumps(self.simulation.complete(point), sort_keys=True, default=repr)
            key = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], "<u4").tolist()
        source = np.random.SeedSequence([self.seed, *key])
        # Words come in order and do not depend on how many are asked for. 63 bits fit everywhere.
        words = source.generate_state(part.stop, np.uint64)[part.start :] >> np.uint64(1)
        return [int(word) for word in words]

    def identity(self) -> dict[str, Any]:
        """What tells this sweep from another, fit for JSON."""
        return vars(self) | {"simulation": self.simulation.name}


def pipeline_runs(
    *,
    seeds: Sequence[int],
    law: str = "entropy",
    alpha: float = 0.5,
    beta: float = 2.0,
    psi_budget: float = 3.0,
    actuation: Literal["integral", "additive", "multiplicative"] = "integral",
    relaxation: float = 0.02,
    limit: float = 1.5,
    warmup_rate: float = 1.0,
    surge_rate: float = 2.88,
    recovery_rate: float = 0.9,
    surge: float = 52.0,
    duration: float = 1000.0,
    capacity: float = 1.2,
    noise: float = 0.05,
    dt: float = 1.0,
    delay: int = 0,
) -> dict[str, Any]:
    """Pipeline of scraper and queue under a law (seed 000, Eq. 6–14): the sums of each run.

    Parameters
    ----------
    seeds : sequence of int
        One a run: the run that ``engine.simulate(…, seed=…)`` makes.
    law : str
        The law, by its name in `engine.LAWS`; it takes those of the following that are its own.
    alpha, beta, psi_budget, actuation, relaxation
        As :class:`entro_nb.engine.EntropyLaw` has them.
    limit : float
        Of the static law, in req/s.
    warmup_rate, surge_rate, recovery_rate, surge, duration
        As :func:`entro_nb.engine.three_phases` has them, in req/s and s.
    capacity, noise, dt, delay
        As :func:`entro_nb.engine.pipeline` and :func:`entro_nb.engine.simulate` have them.

    Returns
    -------
    dict
        Name to (dims, values, units, long name), over ``replicate``.

    Examples
    --------
    >>> runs = pipeline_runs(seeds=[1, 2], law="none")
    >>> runs["violations"][1].shape
    (2,)
    """
    given = {
        "alpha": alpha, "beta": beta, "psi_budget": psi_budget, "actuation": actuation,
        "relaxation": relaxation, "limit": limit,
    }  # fmt: skip
    chosen = LAWS[validate.choice("law", law, LAWS)].having(**given)
    phases = engine.three_phases(
        warmup_rate, surge_rate, recovery_rate, surge=surge, duration=duration
    )
    plant = engine.pipeline(phases, noise=noise, capacity=capacity)
    totals = engine.sums(plant, chosen, dt=dt, delay=delay, budget=psi_budget, seeds=seeds)
    return engine.sum_variables(totals, round(duration / dt) * dt)


def network_run(
    *,
    seed: int,
    n_nodes: int = 10,
    steps: int = 500,
    synchronised: bool = True,
    kappa: float = 0.0,
    disturbance: str = "none",
    delay: int = 0,
    loss: float = 0.0,
    quantum: float = 0.0,
) -> dict[str, Any]:
    """Closed-loop network (seeds 001 and 002): what it settles at, over the last 100 steps.

    Parameters
    ----------
    seed : int
    n_nodes, steps, synchronised, disturbance, delay, loss, quantum
        As :func:`entro_nb.network.simulate` and its transmission have them.
    kappa : float
        Strength of the exchange; 0 for the fastest admissible one.

    Returns
    -------
    dict
        variance, variance_before (psi²), mean (psi): means over the last 100 steps.

    Examples
    --------
    >>> run = network_run(seed=1, steps=200)
    >>> run["variance"][1] < run["variance_before"][1]
    True
    """
    run = network.simulate(
        n_nodes,
        steps,
        synchronised=synchronised,
        kappa=kappa or None,
        disturbance=disturbance,
        transmission=network.Transmission(delay, loss, quantum),
        seed=seed,
        record=False,
    ).isel(replicate=0, time=slice(-TAIL, None))
    return {
        name: ((), float(run[name].mean()), units, str(run[name].attrs["long_name"]))
        for name, units in (("variance", "psi²"), ("variance_before", "psi²"), ("mean", "psi"))
    }


def regime_counts(
    *,
    steps: int = 80,
    drive: float = 1.65,
    feedback: float = 0.15,
    wear: float = 0.4,
    amplitude: float = 0.3,
    period: float = 45.0,
) -> dict[str, Any]:
    """Regime engine v9 (seed 000): steps spent in each regime. Deterministic.

    Parameters
    ----------
    steps, drive, feedback, wear, amplitude, period
        As :func:`entro_nb.engine.regimes` and :class:`entro_nb.engine.WaveEngine` have them.

    Returns
    -------
    dict
        stable, stress, critical, in steps.

    Examples
    --------
    >>> [int(counts[1]) for counts in regime_counts().values()]
    [24, 19, 37]
    """
    wave = engine.WaveEngine(
        drive=drive, feedback=feedback, wear=wear, amplitude=amplitude, period=period
    )
    counts = np.bincount(engine.regimes(wave, steps).regime.values, minlength=3)
    return {
        name: ((), int(count), "steps", f"steps in the {name} regime")
        for name, count in zip(REGIMES, counts, strict=True)
    }
