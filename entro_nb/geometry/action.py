"""The Lagrangian of seed 004, §1.1, its pseudo-code's version, and motion under it.

q_i is the logarithm of node i's share of the data, so that every q is a legal state and the
shares are p = softmax(q) (ours: the seed says "state vector of data distribution").

Stationary action (§1.2) is not least action: what moves without friction keeps its energy and
never settles. Rayleigh's dissipation brings it to a minimum of the potential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.graphs import Graph, GraphLike, as_graph
from entro_nb.results import compiled
from entro_nb.validate import Count, FloatArray, IntArray, NonNegative, Positive

if TYPE_CHECKING:
    import xarray as xr


class Terms(NamedTuple):
    """Values at one state, in units of energy; the entropy in nats."""

    kinetic: float  #: T = ½ Σ m q̇²
    potential: float  #: V
    entropy: float  #: S
    lagrangian: float  #: T − V ∓ λS
    energy: float  #: T + V ± λS, what the motion keeps


@dataclass(frozen=True)
class Action(validate.Parameters):
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

    mass: Positive = 1.0
    backlog: NonNegative = 0.1
    temperature: NonNegative = 0.1
    sign: Literal["lagrangian", "free_energy"] = "lagrangian"
    damping: NonNegative = 0.0
    step: Positive = 0.05

    @property
    def entropy_weight(self) -> float:
        """Weight of S in the effective potential: λ in §1.1, −λ in Lemma 1."""
        return self.temperature if self.sign == "lagrangian" else -self.temperature


def lagrangian(
    graph: GraphLike, q: npt.ArrayLike, velocity: npt.ArrayLike, parameters: Action | None = None
) -> Terms:
    """L = T(q̇) − V(q) − λS(q) and its terms at one state (seed 004, §1.1).

    Parameters
    ----------
    graph : networkx.Graph or Graph
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
    graph, parameters = as_graph(graph), parameters or Action()
    v = _one_a_node("velocity", velocity, graph)
    potential, entropy, _ = _slope_at(graph, q, parameters)
    kinetic = 0.5 * parameters.mass * float(v @ v)
    effective = potential + parameters.entropy_weight * entropy
    return Terms(kinetic, potential, entropy, kinetic - effective, kinetic + effective)


def force(graph: GraphLike, q: npt.ArrayLike, parameters: Action | None = None) -> FloatArray:
    """−∂(V ± λS)/∂q, the right-hand side of the Euler–Lagrange equations m q̈ = force.

    Examples
    --------
    >>> import networkx as nx
    >>> force(nx.path_graph(2), [1.0, 0.0], Action(temperature=0.0, backlog=0.0))
    array([-1.,  1.])
    """
    return -_slope_at(as_graph(graph), q, parameters or Action())[2]


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


def critical_temperature(graph: GraphLike, parameters: Action | None = None) -> float:
    """λ above which agreement is unstable with the sign of §1.1: N (λ₂ + k).

    Near p uniform S falls off as |q⊥|²/(2N), so that the effective potential V + λS has the
    curvature λ₂ + k − λ/N along the slowest mode of the Laplacian.

    Examples
    --------
    >>> import networkx as nx
    >>> round(critical_temperature(nx.complete_graph(4), Action(backlog=0.0)), 9)
    16.0
    """
    graph = as_graph(graph)
    second = float(graph.eigenvalues[1]) if graph.n_nodes > 1 else 0.0
    return graph.n_nodes * (second + (parameters or Action()).backlog)


def rest_energy(graph: GraphLike, parameters: Action | None = None) -> float:
    """Effective potential V ± λS at q = 0, where all shares are equal."""
    zero = np.zeros(as_graph(graph).n_nodes)
    return lagrangian(graph, zero, zero, parameters).energy


class Field(NamedTuple):
    """What the compiled loops know of a graph and of the motion on it."""

    edges: IntArray
    conductance: FloatArray
    backlog: float
    entropy_weight: float
    mass: float
    damping: float
    step: float


def _field(graph: Graph, p: Action) -> Field:
    ends, strength = graph.edges, graph.conductance
    return Field(ends, strength, p.backlog, p.entropy_weight, p.mass, p.damping, p.step)


@compiled
def _slope(q: FloatArray, field: Field, gradient: FloatArray) -> tuple[float, float]:
    """Write ∂(V + wS)/∂q into `gradient`; return V and S."""
    edges, conductance, backlog, entropy_weight, _, _, _ = field
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


def _slope_at(
    graph: Graph, q: npt.ArrayLike, parameters: Action
) -> tuple[float, float, FloatArray]:
    """V, S and ∂(V ± λS)/∂q at one state."""
    x = _one_a_node("q", q, graph)
    gradient = np.empty(x.size)
    return *_slope(x, _field(graph, parameters), gradient), gradient


def _one_a_node(name: str, value: npt.ArrayLike, graph: Graph) -> FloatArray:
    values = validate.finite_array(name, value, ndim=1)
    if values.size != graph.n_nodes:
        raise ParameterError(name, f"{values.size} values", f"{graph.n_nodes}, one a node")
    return values


@validate.checked
def integrate(
    graph: GraphLike,
    q0: npt.ArrayLike,
    velocity0: npt.ArrayLike,
    parameters: Action | None = None,
    *,
    steps: Count = 1000,
    every: Count = 1,
) -> xr.Dataset:
    """Motion by the Euler–Lagrange equations, m q̈ = −∂(V ± λS)/∂q − γq̇.

    With γ = 0 this is the Störmer–Verlet method: the stationary points of the discrete action
    of :func:`discrete_action`. It is symplectic, so its energy error stays bounded for ever.
    Friction is taken exactly between half steps.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        Conductances weigh the disagreement.
    q0, velocity0 : array_like, shape (node,)
        First state and velocity.
    parameters : Action, optional
        Parameters of the motion.
    steps, every : int
        Number of steps, and of steps between records; at least 1 each.

    Returns
    -------
    xarray.Dataset
        ``q`` and ``velocity`` over (time, node); ``kinetic``, ``potential``, ``entropy``,
        ``lagrangian`` and ``energy`` over time.

    Raises
    ------
    ParameterError, DataError
        If the step is at or above the limit of stability 2/ω_max of the method, or a state is
        not finite.

    References
    ----------
    J. Marsden, M. West, "Discrete mechanics and variational integrators", Acta Numerica 2001.

    Examples
    --------
    >>> import networkx as nx
    >>> run = integrate(nx.path_graph(3), [1.0, 0.0, -1.0], [0.0] * 3, steps=200)
    >>> bool(abs(run.energy - run.energy[0]).max() < 2e-3)
    True
    """
    graph, parameters = as_graph(graph), parameters or Action()
    q = _one_a_node("q", q0, graph).copy()
    v = _one_a_node("velocity", velocity0, graph).copy()
    limit = stable_step(graph, parameters)
    if parameters.step >= limit:
        raise ParameterError("step", parameters.step, f"below the stability limit {limit:.6g}")
    records = steps // every + 1
    states, terms = np.empty((2, records, q.size)), np.empty((records, 2))
    _integrate(q, v, _field(graph, parameters), every, states, terms)
    path, rates = states
    kinetic = 0.5 * parameters.mass * (rates**2).sum(axis=1)
    effective = terms[:, 0] + parameters.entropy_weight * terms[:, 1]
    return results.dataset(
        {
            "q": (("time", "node"), path, "1", "log share of the data"),
            "velocity": (("time", "node"), rates, "1/s", "rate of change of q"),
            "kinetic": ("time", kinetic, "energy", "kinetic energy T"),
            "potential": ("time", terms[:, 0], "energy", "potential V"),
            "entropy": ("time", terms[:, 1], "nats", "entropy S of the shares"),
            "lagrangian": ("time", kinetic - effective, "energy", "Lagrangian"),
            "energy": ("time", kinetic + effective, "energy", "total energy"),
        },
        coords={
            "time": (np.arange(records) * every * parameters.step, "s"),
            "node": (graph.coordinate, "1"),
        },
        parameters=results.parameters_of(parameters, steps=steps, every=every),
        title="Motion by the Euler–Lagrange equations",
        source="seed 004, §1.1 and §1.2",
    )


def stable_step(graph: Graph, parameters: Action) -> float:
    """2/ω_max of Störmer–Verlet, from bounds on the curvature of V and S."""
    weight, n = np.repeat(graph.conductance, 2), graph.n_nodes
    strongest = np.bincount(graph.edges.ravel(), weight, n).max()
    # λ_max ≤ 2 d_max; the entropy of a softmax bends by less than 2 per unit of q².
    stiffness = 2.0 * strongest + parameters.backlog + 2.0 * parameters.temperature
    return float(2.0 / np.sqrt(stiffness / parameters.mass)) if stiffness > 0 else float("inf")


def discrete_action(
    graph: GraphLike, path: npt.ArrayLike, parameters: Action | None = None
) -> float:
    """Action Σ h [½ m |(q' − q)/h|² − (U(q) + U(q'))/2] of a path in steps of h (§1.2).

    Stationary at the paths of :func:`integrate` without damping, when both ends are held; not
    minimal, unless the path is short.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        As :func:`integrate`.
    path : array_like, shape (time, node)
        At least two states.
    parameters : Action, optional
        Its step is h; damping is left out.

    Returns
    -------
    float
        Energy × time.

    Examples
    --------
    >>> import networkx as nx
    >>> still = discrete_action(nx.path_graph(2), [[0.0, 0.0]] * 3, Action(temperature=0.0))
    >>> float(still)
    0.0
    """
    graph, parameters = as_graph(graph), parameters or Action()
    states = validate.finite_array("path", path, ndim=2)
    if len(states) < 2 or states.shape[1] != graph.n_nodes:
        raise ParameterError(
            "path", f"shape {states.shape}", "two states or more, one value a node"
        )
    h = parameters.step
    speed = np.diff(states, axis=0) / h
    zero = np.zeros(states.shape[1])
    effective = np.array([lagrangian(graph, q, zero, parameters).energy for q in states])
    kinetic = 0.5 * parameters.mass * (speed**2).sum(axis=1)
    return float(h * (kinetic - (effective[1:] + effective[:-1]) / 2.0).sum())


@compiled
def _integrate(
    q: FloatArray, v: FloatArray, field: Field, every: int, states: FloatArray, terms: FloatArray
) -> None:
    path, rates, gradient = states[0], states[1], np.empty(q.size)
    potential, entropy = _slope(q, field, gradient)
    mass, step = field.mass, field.step
    slowing = np.exp(-field.damping * step / mass)
    path[0], rates[0], terms[0, 0], terms[0, 1] = q, v, potential, entropy
    for t in range(1, (len(path) - 1) * every + 1):
        for i in range(q.size):
            v[i] -= 0.5 * step * gradient[i] / mass
            q[i] += 0.5 * step * v[i]
            v[i] *= slowing
            q[i] += 0.5 * step * v[i]
        potential, entropy = _slope(q, field, gradient)
        for i in range(q.size):
            v[i] -= 0.5 * step * gradient[i] / mass
        if t % every == 0:
            k = t // every
            path[k], rates[k], terms[k, 0], terms[k, 1] = q, v, potential, entropy
