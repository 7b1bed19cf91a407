"""Seed 004's classes by their own names: the published rule, and the same loop made sound.

``ManifoldOptimizer(nodes)`` is the pseudo-code of §3.2, step for step. It starts at zero
adjacency, only ever subtracts and clips at zero, so it stays there. Given a `graph` it runs the
discrete Ricci flow of :mod:`entro_nb.geometry.flow` on that graph's edge lengths instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError, ParameterTypeError
from entro_nb.geometry.action import lagrangian_as_coded
from entro_nb.geometry.curvature import proxy
from entro_nb.geometry.flow import FlowState, RicciFlow, ricci_start, ricci_step
from entro_nb.graphs import GraphLike, as_graph
from entro_nb.results import compiled
from entro_nb.validate import Bounds, FloatArray, Positive, Seed

#: Components of a node's state vector in the seed.
COMPONENTS = 128
#: Squared distance, as a fraction of the squared norms, below which rounding would show.
NEARBY = 1e-3


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
        adjacency = validate.finite_array("adj_matrix", self.adj_matrix, ndim=2)
        if adjacency.shape != (loads.size, loads.size):
            raise ParameterError("adj_matrix", f"shape {adjacency.shape}", "one row for each node")
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
