"""The plant that a law acts on: demand in phases, subsystems, how they are joined, one step of it.

A run works on one table with a row for each quantity and a column for each node: it stands for
the plant, its state, what the law sees and what it asks for. The pieces of a step are compiled into
the loop that calls them: to hand arrays over costs as much as a law does.
"""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, cast

import numba
import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.results import Function
from entro_nb.validate import Bounds, FloatArray, NonNegative, Parameters, Positive


class Quantity(IntEnum):
    """Rows of the working table. Rates are in req/s, queues in requests."""

    # the plant
    STORES = 0  # 1 for a queue, 0 for a source
    VALVE = 1  # 1 where control can hold back the intake
    CAPACITY = 2  # infinite for sources
    ROOM = 3  # infinite where there is no limit
    # what the law asks: intake = min(factor·offered, cap) + push, within [0, offered]
    FACTOR = 4
    CAP = 5
    PUSH = 6
    SIGNAL = 7  # the law's u behind it, for the record
    # what flows in a step, and the load after it
    OFFERED = 8
    RATE = 9  # what was admitted
    SERVED = 10
    REFUSED = 11  # what found no room or no entry at a queue
    DEFERRED = 12  # what a source held back
    LOAD = 13  # a source's rate, a queue's requests
    # what the law sees: loads and proxies as old as the loop's delay, demand as it is now
    SEEN = 14
    SEEN_PSI = 15
    DEMAND = 16
    # what the law remembers, in its own terms
    MEMORY_A = 17
    MEMORY_B = 18
    MEMORY_C = 19
    MEMORY_D = 20


def inlined(function: Function) -> Function:
    """Compile a piece of a step into its callers; in each call arrays would be counted anew."""
    return cast(Function, numba.njit(inline="always", error_model="numpy")(function))


@inlined
def clear_valves(table: FloatArray) -> None:
    """Open all valves."""
    for i in range(table.shape[1]):
        table[Quantity.FACTOR, i] = 1.0
        table[Quantity.CAP, i] = np.inf
        table[Quantity.PUSH, i] = table[Quantity.SIGNAL, i] = 0.0


@inlined
def pass_through(table: FloatArray, route: FloatArray, capacity: float, dt: float) -> float:
    """Move one step's work through the plant and return what left it completed, in req/s.

    Nothing is lost: offered = served + growth of the queue/dt + refused + deferred at each node.

    Parameters
    ----------
    table : ndarray, shape (quantity, node)
        Rows of :class:`Quantity`: plant, valves, demand and loads are read, flows and loads
        written.
    route : ndarray, shape (node, node)
        Share of a node's output that enters a later one.
    capacity : float
        Factor on all capacities.
    dt : float
        Step in s.
    """
    n = table.shape[1]
    for i in range(n):
        table[Quantity.OFFERED, i] = table[Quantity.DEMAND, i]
    completed = 0.0
    for i in range(n):
        offered = table[Quantity.OFFERED, i]
        admitted = offered
        refused = deferred = 0.0
        if table[Quantity.VALVE, i] != 0.0:
            admitted = min(offered * table[Quantity.FACTOR, i], table[Quantity.CAP, i])
            admitted = min(max(admitted + table[Quantity.PUSH, i], 0.0), offered)
        if table[Quantity.STORES, i] != 0.0:
            waiting = table[Quantity.LOAD, i]
            rate = table[Quantity.CAPACITY, i] * capacity
            # What is served in this step makes room for as much again.
            admitted = min(admitted, max((table[Quantity.ROOM, i] - waiting) / dt + rate, 0.0))
            served = min(rate, waiting / dt + admitted)
            table[Quantity.LOAD, i] = max(waiting + dt * (admitted - served), 0.0)
            refused = offered - admitted
        else:
            served = admitted
            table[Quantity.LOAD, i] = admitted
            deferred = offered - admitted
        table[Quantity.RATE, i] = admitted
        table[Quantity.SERVED, i] = served
        table[Quantity.REFUSED, i] = refused
        table[Quantity.DEFERRED, i] = deferred
        completed += served
        for j in range(i + 1, n):
            share = served * route[i, j]
            table[Quantity.OFFERED, j] += share
            completed -= share
    return completed


@inlined
def total_entropy(table: FloatArray) -> float:
    """Ψ_total = Σ ln(1 + load) of a table's loads, in nats (Eq. 6–8)."""
    total = 0.0
    for i in range(table.shape[1]):
        total += np.log1p(table[Quantity.LOAD, i])
    return total


@dataclass(frozen=True)
class Phase(Parameters):
    """Stretch of time with a constant offered rate.

    Parameters
    ----------
    name : str
        What it is called, for figures.
    start, stop : float
        From `start` to before `stop`, in s; 0 ≤ start < stop.
    rate : float
        Offered rate in req/s, not negative.
    capacity : float
        Factor on every queue's capacity during the phase, above 0: below 1 for a service that
        suffers at the same time as demand surges.

    Examples
    --------
    >>> Phase("surge", 200.0, 252.0, rate=2.9).duration
    52.0
    """

    name: str
    start: NonNegative
    stop: NonNegative
    rate: NonNegative
    capacity: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stop <= self.start:
            raise ParameterError(
                f"phase {self.name!r}", (self.start, self.stop), "a stop after its start"
            )

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.stop - self.start


def _in_order(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Phases in order of time, refused when they overlap, leave a gap, or are none."""
    if not phases:
        raise ParameterError("phases", tuple(phases), "at least one phase")
    for phase in phases:
        if not isinstance(phase, Phase):
            raise ParameterTypeError("phases", phase, "Phase objects")
    ordered = tuple(sorted(phases, key=lambda phase: phase.start))
    if ordered[0].start != 0.0:
        raise ParameterError("start of the first phase", ordered[0].start, "0 s")
    for before, after in itertools.pairwise(ordered):
        if after.start != before.stop:
            fault = "overlap" if after.start < before.stop else "leave a gap"
            raise ParameterError(
                f"phases {before.name!r} and {after.name!r}",
                (before.stop, after.start),
                f"the second to start where the first stops (they {fault})",
            )
    return ordered


@validate.checked
def three_phases(
    warmup_rate: float = 1.0,
    surge_rate: float = 2.88,
    recovery_rate: float = 0.9,
    warmup: Positive = 200.0,
    surge: Positive = 52.0,
    duration: float = 1000.0,
) -> tuple[Phase, Phase, Phase]:
    """Warm-up, surge and recovery, as the seed's pipeline names them.

    The seed gives no rates and no lengths. The defaults are close to what
    :func:`entro_nb.engine.identify` finds from its uncontrolled row (rates in req/s, times in s).

    Examples
    --------
    >>> [phase.stop for phase in three_phases()]
    [200.0, 252.0, 1000.0]
    """
    return (
        Phase("warm-up", 0.0, warmup, warmup_rate),
        Phase("surge", warmup, warmup + surge, surge_rate),
        Phase("recovery", warmup + surge, duration, recovery_rate),
    )


def profile(phases: Sequence[Phase], dt: float, steps: int) -> FloatArray:
    """Offered rate and capacity factor of each step, averaged over the step.

    A phase that ends inside a step counts for its part of it, so that the work offered does
    not depend on how the steps fall.

    Returns
    -------
    ndarray, shape (2, steps)
        Rates in req/s, and capacity factors. After the last phase its values go on.

    Examples
    --------
    >>> profile([Phase("a", 0.0, 1.5, 2.0), Phase("b", 1.5, 3.0, 4.0)], 1.0, 3)[0]
    array([2., 3., 4.])
    """
    ordered = _in_order(phases)
    edges = np.arange(steps + 1) * dt
    knots = np.array([phase.start for phase in ordered])
    table = np.array([[phase.rate, phase.capacity] for phase in ordered]).T
    done = np.hstack([np.zeros((2, 1)), np.cumsum(table[:, :-1] * np.diff(knots), axis=1)])
    at = np.searchsorted(knots, edges, side="right") - 1
    integral = done[:, at] + table[:, at] * (edges - knots[at])
    mean: FloatArray = np.diff(integral, axis=1) / dt
    # Differences of running integrals carry rounding noise; whole steps get their exact values.
    whole = at[:-1] == np.maximum(np.searchsorted(knots, edges[1:], side="left") - 1, 0)
    return np.where(whole, table[:, at[:-1]], mean)


@dataclass(frozen=True)
class Subsystem(Parameters):
    """Anything with a load and therefore an entropy Ψ = ln(1 + load).

    A subsystem with a valve can hold back what arrives at it; control acts on valves only.
    """

    name: str

    @property
    @abstractmethod
    def constants(self) -> tuple[bool, bool, float, float]:
        """Whether its load is a store, whether it has a valve; its capacity, its room."""


@dataclass(frozen=True)
class Scraper(Subsystem):
    """Source of requests: its load is the rate r that it admits, Ψ_s = ln(1 + r) (Eq. 6).

    It stores nothing and can always scrape less: what it does not admit is deferred.

    Parameters
    ----------
    name : str
        Label of the node.
    phases : sequence of Phase
        Offered rate over time.
    rate_max : float
        Largest rate that can be offered, r_max in req/s.
    noise : float
        Standard deviation of the Gaussian noise on the offered rate, in req/s (or as a share of
        the rate, with `proportional`). Published: 0.05, without saying of what.
    proportional : bool
        Whether the noise is a share of the rate.

    Examples
    --------
    >>> Scraper("scraper").rate_max
    3.0
    """

    name: str = "scraper"
    phases: tuple[Phase, ...] = field(default_factory=three_phases)
    rate_max: Positive = 3.0
    noise: NonNegative = 0.05
    proportional: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "phases", _in_order(self.phases))

    @property
    def constants(self) -> tuple[bool, bool, float, float]:
        """A source: no store, a valve, no limits."""
        return False, True, math.inf, math.inf


@dataclass(frozen=True)
class LLMQueue(Subsystem):
    """Fluid queue of unit gain: q ← q + dt·(intake − served), Ψ_l = ln(1 + q) (Eq. 7).

    Parameters
    ----------
    name : str
        Label of the node.
    capacity : float
        Largest service rate c in req/s, above 0.
    queue_max : float
        Room in requests; what finds no room is refused. The published q_max = 10 cannot have
        been a hard limit, since queues of 87.6 are published with it; the default is no limit.
    valve : bool
        Whether control may refuse work at the door. Off by default: a request refused here has
        already been scraped. The reading of Eq. 14 in which both subsystems act is `valve=True`.

    Examples
    --------
    >>> LLMQueue("llm").capacity
    1.2
    """

    name: str = "llm"
    capacity: Positive = 1.2
    queue_max: Annotated[float, Bounds(0.0, open_low=True, infinite=True)] = math.inf
    valve: bool = False

    @property
    def constants(self) -> tuple[bool, bool, float, float]:
        """A store with its capacity and room, and a valve if it has one."""
        return True, self.valve, self.capacity, self.queue_max


@dataclass(frozen=True)
class Pipeline:
    """Subsystems in the order of the flow, and the shares in which each feeds later ones.

    Parameters
    ----------
    subsystems : sequence of Subsystem
        Upstream before downstream.
    links : sequence of (int, int, float)
        (from, to, share): the part of the output of one that enters another. What is not passed
        on leaves the pipeline as completed work.

    Examples
    --------
    >>> Pipeline((Scraper(), LLMQueue()), ((0, 1, 1.0),)).names
    ('scraper', 'llm')
    """

    subsystems: tuple[Subsystem, ...]
    links: tuple[tuple[int, int, float], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "subsystems", tuple(self.subsystems))
        object.__setattr__(self, "links", tuple((i, j, w) for i, j, w in self.links))
        for subsystem in self.subsystems:
            if not isinstance(subsystem, Subsystem):
                raise ParameterTypeError("subsystems", subsystem, "Subsystem objects")
        if not self.sources:
            raise ParameterError("subsystems", self.names, "at least one Scraper")
        if len(set(self.names)) != len(self.names):
            raise ParameterError("names of the subsystems", self.names, "different names")
        n = len(self.subsystems)
        passed = np.zeros(n)
        for i, j, share in self.links:
            validate.integer("link from", i, 0, n - 1)
            validate.integer("link to", j, i + 1, n - 1)
            if j in self.sources:
                raise ParameterError("link to", self.names[j], "a queue: a scraper takes no input")
            passed[i] += validate.real("share of a link", share, 0.0, 1.0, open_low=True)
        if (passed > 1.0 + 1e-12).any():
            worst = int(np.argmax(passed))
            raise ParameterError(
                f"shares passed on by {self.names[worst]!r}", float(passed[worst]), "at most 1"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Labels of the nodes."""
        return tuple(subsystem.name for subsystem in self.subsystems)

    @property
    def sources(self) -> dict[int, Scraper]:
        """The scrapers by their place among the nodes."""
        return {k: s for k, s in enumerate(self.subsystems) if isinstance(s, Scraper)}

    @property
    def duration(self) -> float:
        """When the last phase of any source ends, in s."""
        return max(source.phases[-1].stop for source in self.sources.values())

    def wiring(self) -> tuple[FloatArray, FloatArray]:
        """Working table of an empty plant with open valves, and the routed shares."""
        n = len(self.subsystems)
        route = np.zeros((n, n))
        for i, j, share in self.links:
            route[i, j] += share
        table = np.zeros((len(Quantity), n))
        clear_valves(table)
        constants = [Quantity.STORES, Quantity.VALVE, Quantity.CAPACITY, Quantity.ROOM]
        table[constants] = np.array([s.constants for s in self.subsystems], dtype=float).T
        return table, route


def pipeline(
    phases: Sequence[Phase] | None = None,
    *,
    noise: float = 0.05,
    proportional: bool = False,
    rate_max: float = 3.0,
    capacity: float = 1.2,
    queue_max: float = math.inf,
    queue_valve: bool = False,
) -> Pipeline:
    """The seed's pipeline, a scraper that feeds an LLM queue, with the published constants.

    Examples
    --------
    >>> pipeline().links
    ((0, 1, 1.0),)
    """
    demand = three_phases() if phases is None else tuple(phases)
    return chain(
        Scraper("scraper", demand, rate_max, noise, proportional),
        LLMQueue("llm", capacity, queue_max, queue_valve),
    )


def chain(*subsystems: Subsystem) -> Pipeline:
    """Subsystems one after the other, each passing on all it serves.

    Examples
    --------
    >>> chain(Scraper(), LLMQueue("parse", 2.0), LLMQueue("llm")).links
    ((0, 1, 1.0), (1, 2, 1.0))
    """
    return Pipeline(tuple(subsystems), tuple((k, k + 1, 1.0) for k in range(len(subsystems) - 1)))


def fan(sources: Sequence[Scraper], *queues: LLMQueue) -> Pipeline:
    """Several scrapers that share queues in equal parts.

    Examples
    --------
    >>> fan([Scraper("a"), Scraper("b")], LLMQueue()).links
    ((0, 2, 1.0), (1, 2, 1.0))
    """
    if not sources or not queues:
        raise ParameterError("sources and queues", (len(sources), len(queues)), "one or more each")
    n, m = len(sources), len(queues)
    links = tuple((i, n + j, 1.0 / m) for i in range(n) for j in range(m))
    return Pipeline((*sources, *queues), links)
