"""The Lagrangian of seed 004, §1.1, motion under it, and the seed's own classes.

q_i is the logarithm of node i's share of the data, so that every q is a legal state and the
shares are p = softmax(q) (ours: the seed says "state vector of data distribution").

Stationary action (§1.2) is not least action: what moves without friction keeps its energy and
never settles. Rayleigh's dissipation brings it to a minimum of the potential.

``ManifoldOptimizer(nodes)`` is the pseudo-code of §3.2, step for step. It starts at zero
adjacency, only ever subtracts and clips at zero, so it stays there. Given a `graph` it runs the
discrete Ricci flow of :mod:`entro_nb.geometry.flow` on that graph's edge lengths instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.geometry.curvature import proxy
from entro_nb.geometry.flow import FlowState, RicciFlow, ricci_start, ricci_step
from entro_nb.graphs import Graph, GraphLike, as_graph
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, IntArray, NonNegative, Positive, Seed

if TYPE_CHECKING:
    import xarray as xr

#: Components of a node's state vector in the seed.
COMPONENTS = 128
#: Squared distance, as a fraction of the squared norms, below which rounding would show.
NEARBY = 1e-3


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
    mass : float or sequence of float
        m_i > 0: of every node, or one for each.
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

    mass: float | tuple[float, ...] = 1.0
    backlog: NonNegative = 0.1
    temperature: NonNegative = 0.1
    sign: Literal["lagrangian", "free_energy"] = "lagrangian"
    damping: NonNegative = 0.0
    step: Positive = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if np.ndim(self.mass) == 0:
            mass: float | tuple[float, ...] = validate.real("mass", self.mass, 0, open_low=True)
        else:
            each = validate.finite_array("mass", self.mass, ndim=1).tolist()
            mass = tuple(
                validate.real(f"mass[{k}]", m, 0, open_low=True) for k, m in enumerate(each)
            )
        object.__setattr__(self, "mass", mass)

    def masses(self, n_nodes: int) -> FloatArray:
        """m_i of every node, shape (node,); refused where there is not one for each."""
        if isinstance(self.mass, float):
            return np.full(n_nodes, self.mass)
        return validate.finite_array("mass", self.mass, shape=(n_nodes,))

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
    v = validate.finite_array("velocity", velocity, shape=(graph.n_nodes,))
    potential, entropy, _ = _slope_at(graph, q, parameters)
    kinetic = 0.5 * float(parameters.masses(v.size) @ v**2)
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
    g = validate.finite_array("adjacency", adjacency, ndim=2, shape=(load.size, load.size))
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
    mass: FloatArray  #: (node,)
    damping: float
    step: float


def _field(graph: Graph, p: Action) -> Field:
    ends, strength = graph.edges, graph.conductance
    mass = p.masses(graph.n_nodes)
    return Field(ends, strength, p.backlog, p.entropy_weight, mass, p.damping, p.step)


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
    x = validate.finite_array("q", q, shape=(graph.n_nodes,))
    gradient = np.empty(x.size)
    return *_slope(x, _field(graph, parameters), gradient), gradient


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
    """Motion by the Euler–Lagrange equations, m_i q̈_i = −∂(V ± λS)/∂q_i − γq̇_i.

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
    q = validate.finite_array("q", q0, shape=(graph.n_nodes,)).copy()
    v = validate.finite_array("velocity", velocity0, shape=(graph.n_nodes,)).copy()
    limit = stable_step(graph, parameters)
    if parameters.step >= limit:
        raise ParameterError("step", parameters.step, f"below the stability limit {limit:.6g}")
    records = steps // every + 1
    states, terms = np.empty((2, records, q.size)), np.empty((records, 2))
    _integrate(q, v, _field(graph, parameters), every, states, terms)
    path, rates = states
    kinetic = 0.5 * rates**2 @ parameters.masses(q.size)
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
    lightest = float(parameters.masses(n).min())
    return float(2.0 / np.sqrt(stiffness / lightest)) if stiffness > 0 else float("inf")


def discrete_action(
    graph: GraphLike, path: npt.ArrayLike, parameters: Action | None = None
) -> float:
    """Action Σ h [½ Σ m_i |(q_i' − q_i)/h|² − (U(q) + U(q'))/2] of a path in steps of h (§1.2).

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
    kinetic = 0.5 * speed**2 @ parameters.masses(states.shape[1])
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
            v[i] -= 0.5 * step * gradient[i] / mass[i]
            q[i] += 0.5 * step * v[i]
            v[i] *= slowing[i]
            q[i] += 0.5 * step * v[i]
        potential, entropy = _slope(q, field, gradient)
        for i in range(q.size):
            v[i] -= 0.5 * step * gradient[i] / mass[i]
        if t % every == 0:
            k = t // every
            path[k], rates[k], terms[k, 0], terms[k, 1] = q, v, potential, entropy


class IEGN_Node:  # noqa: N801 - the seed's spelling
    """Node of seed 004, §3.2: an identity, a load, and a state vector drawn from U(0, 1)¹²⁸.

    Parameters
    ----------
    id : int
        Identity.
    load : float
        Scalar energy term, finite.
    seed : int
        Seed of the state vector's draw, together with `id`. The seed document draws from
        NumPy's global state, which no run can repeat.

    Raises
    ------
    ParameterError, ParameterTypeError
        If the load is NaN, infinite or no number.

    Examples
    --------
    >>> node = IEGN_Node(id=3, load=0.5)
    >>> node.current_load, node.state_vector.shape
    (0.5, (128,))
    """

    @validate.checked
    def __init__(
        self,
        id: Annotated[int, Bounds(0)],  # noqa: A002 - the seed's name
        load: float,
        seed: Seed = 0,
    ) -> None:
        self.id = id
        self.current_load = load
        self.state_vector: FloatArray = np.random.default_rng([seed, id]).random(COMPONENTS)


class ManifoldOptimizer:
    """Optimiser of seed 004, §3.2, as published or on a graph.

    Parameters
    ----------
    nodes : sequence of IEGN_Node
        At least one.
    learning_rate : float
        α of the pseudo-code; positive. On a graph at most ½, see
        :class:`~entro_nb.geometry.flow.RicciFlow`.
    graph : networkx.Graph or Graph, optional
        With it, nodes 0 … n − 1 in the order of `nodes`, curvature is Ollivier's, the state is
        the edge lengths and a step is one of the discrete Ricci flow. Without it, everything
        is as published: the proxy, and adjacency from zero.

    Attributes
    ----------
    nodes : list of IEGN_Node
    adj_matrix : ndarray, shape (node, node)
        Published: the adjacency weights. On a graph: edge lengths, 0 where there is no edge.
    alpha : float
        Learning rate.

    Raises
    ------
    ParameterError, DataError
        If there are no nodes, the learning rate is not positive, or the graph's nodes are not
        0 … n − 1.

    Examples
    --------
    >>> published = ManifoldOptimizer([IEGN_Node(k, load=float(k)) for k in range(4)])
    >>> for _ in range(10):
    ...     _ = published.minimize_action()
    >>> float(published.adj_matrix.max())  # zero for ever
    0.0
    >>> import networkx as nx
    >>> sound = ManifoldOptimizer(published.nodes, graph=nx.path_graph(4))
    >>> round(sound.compute_ricci_curvature(0, 1), 12)
    0.5
    """

    @validate.checked
    def __init__(
        self,
        nodes: Sequence[IEGN_Node],
        learning_rate: Positive = 0.01,
        *,
        graph: GraphLike | None = None,
    ) -> None:
        self.nodes = list(nodes)
        if not self.nodes:
            raise DataError("nodes", nodes, "at least one node")
        for node in self.nodes:
            if not isinstance(node, IEGN_Node):
                raise ParameterTypeError("nodes", node, "IEGN_Node objects")
        self.alpha = learning_rate
        self.adj_matrix: FloatArray = np.zeros((len(self.nodes), len(self.nodes)))
        self._graph = None if graph is None else as_graph(graph)
        if self._graph is not None:
            names = self._graph.nodes
            if sorted(names, key=str) != sorted(range(len(self.nodes)), key=str):
                raise ParameterError(
                    "graph", graph, f"nodes 0 … {len(self.nodes) - 1}, one for each"
                )
            # Rows of the matrix are node numbers, whatever order the graph lists them in.
            self._ends = np.array(names, np.int64)[self._graph.edges]
            # dg/dt = −2 Ric, so that a learning rate of α is a flow step of 2α.
            self._flow = RicciFlow(step=2 * learning_rate)
            self._keep(ricci_start(self._graph))

    def _keep(self, state: FlowState) -> None:
        i, j = self._ends.T
        self._state = state
        self.adj_matrix = np.zeros((len(self.nodes), len(self.nodes)))
        self.adj_matrix[i, j] = self.adj_matrix[j, i] = state.length

    def compute_ricci_curvature(self, i: int, j: int) -> float:
        """Curvature between nodes i and j.

        Published: R_ij = |load_i − load_j| / (‖s_i − s_j‖ + 10⁻⁹), for any two nodes. On a
        graph: Ollivier–Ricci curvature of the edge (i, j) at the present lengths.

        Raises
        ------
        ParameterError
            If there is no such node or, on a graph, no such edge.
        """
        i = validate.integer("i", i, 0, len(self.nodes) - 1)
        j = validate.integer("j", j, 0, len(self.nodes) - 1)
        if self._graph is not None:
            edge = np.flatnonzero((np.sort(self._ends) == sorted((i, j))).all(axis=1))
            if not edge.size:
                raise ParameterError("(i, j)", (i, j), "an edge of the graph")
            return float(self._state.curvature[edge[0]])
        a, b = self.nodes[i], self.nodes[j]
        apart = float(np.linalg.norm(a.state_vector - b.state_vector))
        return float(proxy(a.current_load, b.current_load, apart))

    def step_ricci_flow(self) -> None:
        """One step of the flow.

        Published: g_ij ← max(0, g_ij − 2α R_ij) for every pair (§3.2). On a graph: the
        discrete Ricci flow w ← d (1 − 2α κ), rescaled to keep Σw.

        Raises
        ------
        DataError
            If a load or a state vector has become NaN or infinite.
        """
        if self._graph is not None:
            self._keep(ricci_step(self._graph, self._state, self._flow))
            return
        loads = self._loads()
        states = validate.finite_array(
            "state_vector", [node.state_vector for node in self.nodes], ndim=2
        )
        adjacency = validate.finite_array(
            "adj_matrix", self.adj_matrix, shape=(loads.size, loads.size)
        )
        self.adj_matrix = _published_step(adjacency, loads, states, states @ states.T, self.alpha)

    def minimize_action(self) -> float:
        """L = Σ load² − Σ g, then one step of the flow (§3.2); the value is from before the step.

        It is computed and returned, and nothing in the loop makes it small.
        """
        value = lagrangian_as_coded(self._loads(), self.adj_matrix)
        self.step_ricci_flow()
        return value

    def _loads(self) -> FloatArray:
        return validate.finite_array("load", [node.current_load for node in self.nodes])


@validate.checked
def step_cost(n_nodes: Count, components: Count = COMPONENTS) -> tuple[int, int, int]:
    """Operations of one turn of the pseudo-code of §3.2, counted: the O(1) of §4.3.

    Operations that do not wait for each other are done at the same time, and sums are taken two
    and two, so that a chain is as long as a machine with a processor for everything needs.

    Parameters
    ----------
    n_nodes, components : int
        Nodes, and components of a state vector; at least 1 each.

    Returns
    -------
    tuple of int
        Longest chain of operations that wait for each other in a step of the adjacency, the same
        for L = T − V, and the number of operations of both together.

    Examples
    --------
    >>> step_cost(4), step_cost(8)
    ((16, 5, 2375), (16, 7, 11055))
    """
    work = 0

    def after(*chains: int) -> int:
        nonlocal work
        work += 1
        return 1 + max(chains)

    def summed(chains: list[int]) -> int:
        while len(chains) > 1:
            odd = chains[len(chains) // 2 * 2 :]
            chains = [after(*two) for two in zip(chains[::2], chains[1::2], strict=False)] + odd
        return chains[0]

    step = 0
    for _ in range(n_nodes * (n_nodes - 1) // 2):
        distance = after(summed([after(after(0)) for _ in range(components)]))  # √Σ(a − b)²
        ricci = after(after(after(0)), after(distance))  # |difference| / (distance + 10⁻⁹)
        step = max(step, after(after(after(after(ricci)))))  # times −2, times α, added, clipped
    kinetic = summed([after(0) for _ in range(n_nodes)])
    potential = summed([0] * n_nodes**2)
    return step, after(kinetic, potential), work


@compiled
def _published_step(
    adjacency: FloatArray, loads: FloatArray, states: FloatArray, products: FloatArray, rate: float
) -> FloatArray:
    """max(0, g − 2 α R) for every pair; `products` holds the inner products of the states."""
    n = loads.size
    result = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            size = products[i, i] + products[j, j]
            # |a − b|² = |a|² + |b|² − 2ab, unless that would cancel.
            square = size - 2.0 * products[i, j]
            if square < NEARBY * size:
                square = 0.0
                for k in range(states.shape[1]):
                    square += (states[i, k] - states[j, k]) ** 2
            ricci = proxy(loads[i], loads[j], np.sqrt(square))
            result[i, j] = max(adjacency[i, j] - 2.0 * rate * ricci, 0.0)
    return result
