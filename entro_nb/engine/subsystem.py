"""Subsystems and how they are joined: sources of work, queues that serve it, chains and fans."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from entro_nb import validate
from entro_nb.engine.phases import Phase, checked, three_phases
from entro_nb.engine.table import ROWS, Row, clear_valves
from entro_nb.errors import ParameterError, ParameterTypeError
from entro_nb.validate import FloatArray

__all__ = ["LLMQueue", "Pipeline", "Scraper", "Subsystem", "chain", "fan", "pipeline"]


@dataclass(frozen=True)
class Subsystem(ABC):
    """Anything with a load and therefore an entropy Ψ = ln(1 + load).

    A subsystem with a valve can hold back what arrives at it; control acts on valves only.
    """

    name: str

    @property
    @abstractmethod
    def stores(self) -> bool:
        """Whether its load is a store (a queue) or a flow (a rate)."""

    @property
    @abstractmethod
    def has_valve(self) -> bool:
        """Whether control can hold back its intake."""


@dataclass(frozen=True)
class Scraper(Subsystem):
    """Source of requests: its load is the rate r that it admits, Ψ_s = ln(1 + r) (Eq. 6).

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
    rate_max: float = 3.0
    noise: float = 0.05
    proportional: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", checked(self.phases))
        validate.real("rate_max", self.rate_max, 0.0, open_low=True)
        validate.real("noise", self.noise, 0.0)
        validate.flag("proportional", self.proportional)

    @property
    def stores(self) -> bool:
        """A scraper stores nothing: what it does not admit is deferred."""
        return False

    @property
    def has_valve(self) -> bool:
        """A scraper can always scrape less."""
        return True


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
    capacity: float = 1.2
    queue_max: float = float("inf")
    valve: bool = False

    def __post_init__(self) -> None:
        validate.real("capacity", self.capacity, 0.0, open_low=True)
        if self.queue_max != float("inf"):
            validate.real("queue_max", self.queue_max, 0.0, open_low=True)
        validate.flag("valve", self.valve)

    @property
    def stores(self) -> bool:
        """A queue's load is what waits in it."""
        return True

    @property
    def has_valve(self) -> bool:
        """Whether control may refuse at the door."""
        return self.valve


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
            if not self.subsystems[j].stores:
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
    def sources(self) -> tuple[int, ...]:
        """Indices of the scrapers."""
        return tuple(k for k, s in enumerate(self.subsystems) if isinstance(s, Scraper))

    def wiring(self) -> tuple[FloatArray, FloatArray]:
        """Working table of an empty plant with open valves, and the routed shares."""
        n = len(self.subsystems)
        route = np.zeros((n, n))
        for i, j, share in self.links:
            route[i, j] += share
        table = np.zeros((ROWS, n))
        clear_valves(table)
        table[[Row.CAPACITY, Row.ROOM]] = np.inf
        for k, subsystem in enumerate(self.subsystems):
            table[Row.STORES, k] = subsystem.stores
            table[Row.VALVE, k] = subsystem.has_valve
            if isinstance(subsystem, LLMQueue):
                table[Row.CAPACITY, k] = subsystem.capacity
                table[Row.ROOM, k] = subsystem.queue_max
        return table, route


def pipeline(
    phases: Sequence[Phase] | None = None,
    *,
    noise: float = 0.05,
    proportional: bool = False,
    rate_max: float = 3.0,
    capacity: float = 1.2,
    queue_max: float = float("inf"),
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
