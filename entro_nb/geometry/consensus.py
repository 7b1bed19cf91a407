"""Consensus by averaging, x ← (I − αL)x, and exactly how fast (seed 004, §3.3)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network, require_edges
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Spectrum", "consensus", "laplacian", "measured_rate", "spectrum"]

#: An eigenvalue below this fraction of the largest counts as zero.
ZERO = 1e-9
#: Disagreement below this fraction of the first is rounding, not convergence.
ROUNDING = 1e-11


def laplacian(graph: Graph) -> FloatArray:
    """Graph Laplacian L = D − A with conductances as weights, shape (node, node).

    Examples
    --------
    >>> import networkx as nx
    >>> laplacian(nx.path_graph(2))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    network = as_network(graph)
    matrix = np.zeros((len(network.nodes),) * 2)
    i, j = network.edges.T
    matrix[i, j] = matrix[j, i] = -network.conductance
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


@dataclass(frozen=True)
class Spectrum:
    """What the Laplacian's eigenvalues say about averaging.

    Seed 004, §3.3 asks for ρ(I − αL) < 1. That is never so: L has the eigenvalue 0, with the
    constant vector, so ρ = 1 for 0 ≤ α ≤ 2/λ_max. What contracts is the part orthogonal to the
    constant vectors of the connected components, by the factor :meth:`rate`.
    """

    eigenvalues: FloatArray  #: ascending, shape (node,)
    components: int  #: number of connected components, and of zero eigenvalues
    largest_degree: float  #: largest sum of conductances at a node

    @property
    def slowest(self) -> float:
        """λ₂ of a connected graph: the smallest eigenvalue above zero."""
        return float(self.eigenvalues[self.components])

    @property
    def largest(self) -> float:
        """λ_max."""
        return float(self.eigenvalues[-1])

    @property
    def bound(self) -> float:
        """2/λ_max: averaging contracts for 0 < α < bound, and for no other α."""
        return 2.0 / self.largest

    @property
    def sufficient(self) -> float:
        """1/d_max, at most the bound and known without eigenvalues."""
        return 1.0 / self.largest_degree

    @property
    def optimal(self) -> float:
        """Fastest step, α = 2/(λ₂ + λ_max)."""
        return 2.0 / (self.slowest + self.largest)

    def rate(self, step: float) -> float:
        """Factor per step on the disagreement, max(|1 − αλ₂|, |1 − αλ_max|)."""
        return max(abs(1.0 - step * self.slowest), abs(1.0 - step * self.largest))

    def radius(self, step: float) -> float:
        """Spectral radius ρ(I − αL), the constant vector included."""
        return float(np.abs(1.0 - step * self.eigenvalues).max())


def spectrum(graph: Graph) -> Spectrum:
    """Eigenvalues of the Laplacian and the bounds on the step that follow from them.

    Parameters
    ----------
    graph : networkx.Graph or Network
        Undirected, with at least one edge; it may be disconnected.

    Raises
    ------
    DataError
        If the graph has no edges: nothing is exchanged, so no step is too long.

    Examples
    --------
    >>> import networkx as nx
    >>> s = spectrum(nx.complete_graph(4))
    >>> round(s.bound, 6), round(s.sufficient, 6), round(s.rate(s.optimal), 6)
    (0.5, 0.333333, 0.0)
    """
    network = require_edges(as_network(graph), "averaging")
    matrix = laplacian(network)
    values: FloatArray = np.linalg.eigvalsh(matrix).astype(np.float64)
    components = int(network.components().max()) + 1
    values[:components] = 0.0
    return Spectrum(values, components, float(matrix.diagonal().max()))


def consensus(
    graph: Graph | Sequence[Graph],
    x0: npt.ArrayLike,
    *,
    step: float | None = None,
    steps: int = 100,
    stubborn: Mapping[Hashable, float] | None = None,
    unstable: bool = False,
) -> xr.Dataset:
    """Averaging over a graph, x(k+1) = (I − αL) x(k) (seed 004, §3.3).

    Parameters
    ----------
    graph : networkx.Graph or Network, or a sequence of them
        Several graphs on the same nodes are used in turn, one a step.
    x0 : array_like, shape (node,)
        First state, in the order of the nodes.
    step : float, optional
        α; by default the fastest, 2/(λ₂ + λ_max), and with several graphs the smallest 1/d_max.
    steps : int
        Number of steps, at least 1.
    stubborn : mapping, optional
        Node to the value that it holds for ever.
    unstable : bool
        Accept a step at or above 2/λ_max, to show the divergence.

    Returns
    -------
    xarray.Dataset
        ``x`` over (time, node), ``disagreement`` over time: norm of what differs from the mean
        of the node's own component (of all graphs together, when there are several).

    Raises
    ------
    ParameterError, DataError
        If the step reaches the bound, the graphs have no edge between them or differ in their
        nodes, or the state is not finite.

    Examples
    --------
    >>> import networkx as nx
    >>> run = consensus(nx.complete_graph(4), [0.0, 1.0, 2.0, 5.0], steps=2)
    >>> run.x.isel(time=-1).values.round(6)
    array([2., 2., 2., 2.])
    """
    several = isinstance(graph, Sequence)
    networks = (
        [as_network(g) for g in graph] if isinstance(graph, Sequence) else [as_network(graph)]
    )
    if not networks:
        raise DataError("graph", graph, "at least one graph")
    nodes = networks[0].nodes
    for network in networks:
        if network.nodes != nodes:
            raise ParameterError("graph", network.nodes, f"the same nodes in each: {nodes}")
    x = validate.finite_array("x0", x0, ndim=1)
    if x.size != len(nodes):
        raise ParameterError("x0", f"{x.size} values", f"one for each node, {len(nodes)}")
    steps = validate.integer("steps", steps, 1)

    busy = [network for network in networks if len(network.edges)]
    if not busy:
        raise DataError("graph", "no edges", "edges, for averaging")
    spectra = [spectrum(network) for network in busy]
    bound = min(s.bound for s in spectra)
    if step is None:
        step = min(s.sufficient for s in spectra) if several else spectra[0].optimal
    step = validate.real("step", step, 0.0, open_low=True)
    if step >= bound and not unstable:
        raise ParameterError(
            "step", step, f"below 2/λ_max = {bound:.6g} (unstable=True shows the divergence)"
        )

    held = np.zeros(x.size, dtype=np.bool_)
    start = x.copy()
    for name, value in (stubborn or {}).items():
        if name not in nodes:
            raise ParameterError("stubborn", name, "a node of the graph")
        held[nodes.index(name)] = True
        start[nodes.index(name)] = validate.real(f"stubborn[{name!r}]", value)

    states = np.empty((steps + 1, x.size))
    states[0] = start
    for t in range(steps):
        network = networks[t % len(networks)]
        average(network.edges, network.conductance, step, held, states[t], states[t + 1])
    part = _joined(networks).components()
    means = np.array([np.bincount(part, weights=row) for row in states]) / np.bincount(part)
    return results.dataset(
        {
            "x": (("time", "node"), states, "1", "state"),
            "disagreement": (
                "time",
                np.linalg.norm(states - means[:, part], axis=1),
                "1",
                "distance from the mean of the component",
            ),
        },
        coords={"time": (np.arange(steps + 1), "steps"), "node": (networks[0].coordinate, "1")},
        parameters=results.parameters_of(
            step=step, bound=bound, graphs=len(networks), stubborn=len(stubborn or {})
        ),
        title="Consensus by averaging",
        source="seed 004, §3.3",
    )


def measured_rate(run: xr.Dataset) -> float:
    """Factor per step on the disagreement, by least squares on its logarithm over the tail.

    The tail is the second half of the steps before rounding takes over.

    Examples
    --------
    >>> import networkx as nx, numpy as np
    >>> ring = nx.cycle_graph(9)
    >>> run = consensus(ring, np.arange(9.0), steps=200)
    >>> abs(measured_rate(run) / spectrum(ring).rate(run.attrs["step"]) - 1) < 0.01
    True
    """
    values = run["disagreement"].values
    clear = np.flatnonzero(values > ROUNDING * values[0])
    # Equal disagreement from the start leaves nothing to measure.
    last = int(clear[-1]) if clear.size else 0
    if last < 4:
        raise DataError("run", f"{last} steps above rounding", "at least 4 steps of convergence")
    tail = np.arange(last // 2, last + 1)
    return float(np.exp(np.polyfit(tail, np.log(values[tail]), 1)[0]))


@compiled
def average(
    edges: IntArray,
    conductance: FloatArray,
    step: float,
    held: np.ndarray,
    x: FloatArray,
    result: FloatArray,
) -> None:
    """X − αLx, edge by edge; held nodes keep their value."""
    for i in range(x.size):
        result[i] = x[i]
    for e in range(len(edges)):
        i, j = edges[e, 0], edges[e, 1]
        sent = step * conductance[e] * (x[j] - x[i])
        result[i] += sent
        result[j] -= sent
    for i in range(x.size):
        if held[i]:
            result[i] = x[i]


def _joined(networks: Sequence[Network]) -> Network:
    """Union of the edges of graphs on the same nodes."""
    if len(networks) == 1:
        return networks[0]
    edges = np.unique(np.sort(np.concatenate([n.edges for n in networks]), axis=1), axis=0)
    first = networks[0]
    return Network(
        first.nodes, edges, np.ones(len(edges)), np.ones(len(edges)), first.load, first.state
    )
