"""The Lagrangian of seed 004, §1.1: its terms, their slope, and the pseudo-code's version.

q_i is the logarithm of node i's share of the data, so that every q is a legal state and the
shares are p = softmax(q) (ours: the seed says "state vector of data distribution").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = [
    "Action",
    "Terms",
    "critical_temperature",
    "force",
    "lagrangian",
    "lagrangian_as_coded",
    "rest_energy",
    "slope",
    "state_of",
]

Sign = Literal["lagrangian", "free_energy"]


class Terms(NamedTuple):
    """Values at one state, in units of energy; the entropy in nats."""

    kinetic: float  #: T = ½ Σ m q̇²
    potential: float  #: V
    entropy: float  #: S
    lagrangian: float  #: T − V ∓ λS
    energy: float  #: T + V ± λS, what the motion keeps


@dataclass(frozen=True)
class Action:
    """Parameters of the motion.

    Parameters
    ----------
    mass : float
        m_i > 0 of every node.
    backlog : float
        k ≥ 0 in V(q) = ½ Σ_edges c_ij (q_i − q_j)² + ½ k Σ q_i²: the first sum is the
        disagreement of §2.1, the second the queue depth of §1.1. With k = 0 nothing holds the
        mean of q.
    temperature : float
        λ ≥ 0, the multiplier of the entropy.
    sign : {"lagrangian", "free_energy"}
        §1.1 has L = T − V − λS, so that entropy acts as energy and motion avoids it;
        Lemma 1 has F = U − λS, which rewards it. The two contradict each other; the default
        is §1.1 as written.
    damping : float
        γ ≥ 0 of Rayleigh's dissipation ½γΣq̇² (ours): without it nothing comes to rest.
    step : float
        Time step > 0.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> Action(temperature=0.2).sign
    'lagrangian'
    """

    mass: float = 1.0
    backlog: float = 0.1
    temperature: float = 0.1
    sign: Sign = "lagrangian"
    damping: float = 0.0
    step: float = 0.05

    def __post_init__(self) -> None:
        validate.real("mass", self.mass, 0.0, open_low=True)
        validate.real("backlog", self.backlog, 0.0)
        validate.real("temperature", self.temperature, 0.0)
        validate.choice("sign", self.sign, ("lagrangian", "free_energy"))
        validate.real("damping", self.damping, 0.0)
        validate.real("step", self.step, 0.0, open_low=True)

    @property
    def entropy_weight(self) -> float:
        """Weight of S in the effective potential: λ in §1.1, −λ in Lemma 1."""
        return self.temperature if self.sign == "lagrangian" else -self.temperature


def lagrangian(
    graph: Graph, q: npt.ArrayLike, velocity: npt.ArrayLike, parameters: Action | None = None
) -> Terms:
    """L = T(q̇) − V(q) − λS(q) and its terms at one state (seed 004, §1.1).

    Parameters
    ----------
    graph : networkx.Graph or Network
        Conductances weigh the disagreement.
    q, velocity : array_like, shape (node,)
        State and its rate of change.
    parameters : Action, optional
        Masses, potential and temperature.

    Returns
    -------
    Terms

    Raises
    ------
    ParameterError, DataError
        If the arrays have the wrong length or are not finite.

    Examples
    --------
    >>> import networkx as nx
    >>> terms = lagrangian(nx.path_graph(2), [1.0, 1.0], [2.0, 0.0], Action(backlog=0.0))
    >>> terms.kinetic, terms.potential, round(terms.entropy, 4)
    (2.0, 0.0, 0.6931)
    """
    network = as_network(graph)
    parameters = parameters or Action()
    x, v = state_of(network, q, velocity)
    gradient = np.empty(x.size)
    potential, entropy = slope(
        x,
        network.edges,
        network.conductance,
        parameters.backlog,
        parameters.entropy_weight,
        gradient,
    )
    kinetic = 0.5 * parameters.mass * float(v @ v)
    effective = potential + parameters.entropy_weight * entropy
    return Terms(kinetic, potential, entropy, kinetic - effective, kinetic + effective)


def force(graph: Graph, q: npt.ArrayLike, parameters: Action | None = None) -> FloatArray:
    """−∂(V ± λS)/∂q, the right-hand side of the Euler–Lagrange equations m q̈ = force.

    Examples
    --------
    >>> import networkx as nx
    >>> force(nx.path_graph(2), [1.0, 0.0], Action(temperature=0.0, backlog=0.0))
    array([-1.,  1.])
    """
    network = as_network(graph)
    parameters = parameters or Action()
    x, _ = state_of(network, q, np.zeros(len(network.nodes)))
    gradient = np.empty(x.size)
    slope(
        x,
        network.edges,
        network.conductance,
        parameters.backlog,
        parameters.entropy_weight,
        gradient,
    )
    return -gradient


def lagrangian_as_coded(loads: npt.ArrayLike, adjacency: npt.ArrayLike) -> float:
    """What seed 004, §3.2 computes under the name L: Σ load² − Σ_ij g_ij.

    No ½ and no mass, load instead of flux, every edge counted twice, no entropy; and it is
    printed, not minimised. Kept for comparison with :func:`lagrangian`.

    Examples
    --------
    >>> lagrangian_as_coded([1.0, 2.0], [[0.0, 3.0], [3.0, 0.0]])
    -1.0
    """
    load = validate.finite_array("loads", loads, ndim=1)
    g = validate.finite_array("adjacency", adjacency, ndim=2)
    if g.shape != (load.size, load.size):
        raise ParameterError("adjacency", f"shape {g.shape}", f"({load.size}, {load.size})")
    return float(np.sum(load**2) - np.sum(g))


def critical_temperature(graph: Graph, parameters: Action | None = None) -> float:
    """λ above which agreement is unstable with the sign of §1.1: N (λ₂ + k).

    Near p uniform S falls off as |q⊥|²/(2N), so that the effective potential V + λS has the
    curvature λ₂ + k − λ/N along the slowest mode of the Laplacian.

    Examples
    --------
    >>> import networkx as nx
    >>> round(critical_temperature(nx.complete_graph(4), Action(backlog=0.0)), 9)
    16.0
    """
    from entro_nb.geometry.consensus import laplacian

    network = as_network(graph)
    parameters = parameters or Action()
    second = float(np.linalg.eigvalsh(laplacian(network))[1]) if len(network.nodes) > 1 else 0.0
    return len(network.nodes) * (second + parameters.backlog)


def rest_energy(graph: Graph, parameters: Action | None = None) -> float:
    """Effective potential V ± λS at q = 0, where all shares are equal."""
    network = as_network(graph)
    zero = np.zeros(len(network.nodes))
    return lagrangian(network, zero, zero, parameters).energy


@compiled
def slope(
    q: FloatArray,
    edges: IntArray,
    conductance: FloatArray,
    backlog: float,
    entropy_weight: float,
    gradient: FloatArray,
) -> tuple[float, float]:
    """Write ∂(V + wS)/∂q into `gradient`; return V and S."""
    potential = 0.0
    top = q.max()
    total = 0.0
    for i in range(q.size):
        gradient[i] = backlog * q[i]
        potential += 0.5 * backlog * q[i] * q[i]
        total += np.exp(q[i] - top)
    for e in range(len(edges)):
        i, j = edges[e, 0], edges[e, 1]
        pull = conductance[e] * (q[i] - q[j])
        gradient[i] += pull
        gradient[j] -= pull
        potential += 0.5 * pull * (q[i] - q[j])
    log_total = np.log(total)
    entropy = 0.0
    for i in range(q.size):
        log_p = q[i] - top - log_total
        entropy -= np.exp(log_p) * log_p
    if entropy_weight != 0.0:
        for i in range(q.size):
            log_p = q[i] - top - log_total
            gradient[i] -= entropy_weight * np.exp(log_p) * (log_p + entropy)
    return potential, entropy


def state_of(
    network: Network, q: npt.ArrayLike, velocity: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Copies of state and velocity, checked."""
    x, v = (
        validate.finite_array("q", q, ndim=1),
        validate.finite_array("velocity", velocity, ndim=1),
    )
    for name, values in (("q", x), ("velocity", v)):
        if values.size != len(network.nodes):
            raise ParameterError(name, f"{values.size} values", f"{len(network.nodes)}, one a node")
    return x.copy(), v.copy()
