"""Discrete Ricci flow of edge lengths, with noise, barrier, floor and surgery.

Seed 004, §1.3: ∂g_ij/∂t = −2 R_ij + (1/N) ∇_k Φᵏ. The sound forms are those of the
literature: lengths shrink where curvature is positive and grow where it is negative, and the
total length is kept, so that what remains is the difference between edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network, names_array, require_edges
from entro_nb.geometry.ollivier import curvature_and_distance
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FlowState", "RicciFlow", "advance", "flow", "start"]

Form = Literal["ni", "bai"]

#: Idleness at which κ_α/(1 − α) is the Lin–Lu–Yau curvature, see ``ollivier.lin_lu_yau``.
LIN_LU_YAU = 0.75


@dataclass(frozen=True)
class RicciFlow:
    """Parameters of the flow.

    Parameters
    ----------
    step : float
        Time step in (0, 1). Below 1 a length stays positive, since κ ≤ 1.
    form : {"ni", "bai"}
        ``ni``: w ← d (1 − step·κ_α), rescaled to Σw = number of edges (Ni et al. 2019);
        ``bai``: dw/dt = −κw + wΣκw with Lin–Lu–Yau κ and Σw = 1 (Bai et al. 2020), stepped in
        log w so that no step can reach zero.
    alpha : float
        Idleness in [0, 1), for ``ni`` alone.
    noise : float
        Strength σ ≥ 0 of Φ (ours: the seed gives no law): each node k draws fluxes for its
        edges that sum to zero, and log w of an edge moves by (σ/N)·√step times what its two
        ends sent: a divergence, as written, with the seed's factor 1/N.
    barrier : float
        Λ ≥ 0 in the energy −Λ·Σ log w, whose force Λ/w is taken implicitly: lengths stay
        positive whatever the step.
    floor : float
        Least length, as a fraction of the mean length, in [0, 1). The default only keeps a
        long run from shrinking the inside of a community to nothing.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Notes
    -----
    The seed's own Λ·Σ 1/d keeps *distances* from zero. It does nothing for edge *weights*
    (§4.2 claims it does); a barrier or a floor on the quantity that flows does.

    References
    ----------
    C.-C. Ni, Y.-Y. Lin, F. Luo, J. Gao, "Community detection on networks with Ricci flow",
    Scientific Reports 9, 2019. S. Bai, Y. Lin, L. Lu, Z. Wang, S.-T. Yau, "Ollivier Ricci-flow
    on weighted graphs", arXiv 2010.01802.

    Examples
    --------
    >>> RicciFlow(step=0.5).form
    'ni'
    """

    step: float = 0.1
    form: Form = "ni"
    alpha: float = 0.5
    noise: float = 0.0
    barrier: float = 0.0
    floor: float = 1e-9

    def __post_init__(self) -> None:
        validate.real("step", self.step, 0.0, 1.0, open_low=True, open_high=True)
        validate.choice("form", self.form, ("ni", "bai"))
        validate.real("alpha", self.alpha, 0.0, 1.0, open_high=True)
        validate.real("noise", self.noise, 0.0)
        validate.real("barrier", self.barrier, 0.0)
        validate.real("floor", self.floor, 0.0, 1.0, open_high=True)


class FlowState(NamedTuple):
    """Edge lengths and their curvature, shape (edge,) each."""

    length: FloatArray
    curvature: FloatArray
    distance: FloatArray  #: shortest path between the ends of each edge


def start(graph: Graph, parameters: RicciFlow | None = None) -> FlowState:
    """State at the graph's own lengths, rescaled to the total that the form keeps.

    Raises
    ------
    DataError
        If the graph has no edges.
    """
    network = require_edges(as_network(graph), "a flow of edge lengths")
    parameters = parameters or RicciFlow()
    return _measured(network, _rescaled(network.length, parameters), parameters)


def advance(
    graph: Graph, state: FlowState, parameters: RicciFlow, rng: np.random.Generator | None = None
) -> FlowState:
    """One step of the flow; `graph` gives the edges, `state` their lengths.

    Parameters
    ----------
    graph : networkx.Graph or Network
        The edges that are present.
    state : FlowState
        From :func:`start` or the step before.
    parameters : RicciFlow
        With ``noise`` above zero, `rng` is needed.
    rng : numpy.random.Generator, optional
        Source of Φ.

    Examples
    --------
    >>> import networkx as nx
    >>> path = nx.path_graph(4)
    >>> before = start(path)
    >>> advance(path, before, RicciFlow(step=0.5)).length.round(3)  # ends shrink, middle grows
    array([0.9, 1.2, 0.9])
    """
    network = as_network(graph)
    if parameters.form == "ni":
        length = state.distance * (1.0 - parameters.step * state.curvature)
    else:
        mean = float(state.curvature @ state.distance) / float(state.distance.sum())
        length = state.distance * np.exp(parameters.step * (mean - state.curvature))
    if parameters.noise > 0.0:
        if rng is None:
            raise ParameterError("rng", rng, "a numpy.random.Generator when noise is above 0")
        spread = parameters.noise * np.sqrt(parameters.step) / len(network.nodes)
        length = length * np.exp(spread * _zero_sum_flux(network, rng))
    if parameters.barrier > 0.0:
        # Implicit step of dw/dt = Λ/w: the positive root of w² − bw − step·Λ = 0.
        length = (length + np.sqrt(length**2 + 4.0 * parameters.step * parameters.barrier)) / 2.0
    return _measured(network, _rescaled(length, parameters), parameters)


def flow(
    graph: Graph,
    parameters: RicciFlow | None = None,
    *,
    steps: int = 50,
    surgery_every: int = 0,
    cutoff: float = 2.0,
    keep_connected: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    """Run the flow, with surgery if asked for: edges grown beyond a length are cut.

    Parameters
    ----------
    graph : networkx.Graph or Network
        Undirected and simple, with at least one edge.
    parameters : RicciFlow, optional
        The flow's parameters.
    steps : int
        Number of steps, at least 1.
    surgery_every : int
        Cut after every so many steps; 0 for no surgery.
    cutoff : float
        Length beyond which an edge is cut, as a multiple of the mean length; above 0.
    keep_connected : bool
        Keep the edges of a shortest spanning forest whatever their length, so that nothing
        connected comes apart.
    seed : int
        Seed of the noise.

    Returns
    -------
    xarray.Dataset
        ``length`` and ``curvature`` over (time, edge), NaN once an edge is cut, and
        ``components`` over time, for the start and after each step. Coordinates ``source`` and
        ``target`` name the ends of each edge.

    Raises
    ------
    ParameterError, DataError
        If a parameter is out of range or the graph has no edges.

    Examples
    --------
    >>> import networkx as nx
    >>> run = flow(nx.barbell_graph(4, 0), steps=20)
    >>> bridge = run.length.isel(time=-1).argmax("edge")
    >>> run.source[bridge].item(), run.target[bridge].item()
    (3, 4)
    """
    network = require_edges(as_network(graph), "a flow of edge lengths")
    parameters = parameters or RicciFlow()
    steps = validate.integer("steps", steps, 1)
    surgery_every = validate.integer("surgery_every", surgery_every, 0)
    cutoff = validate.real("cutoff", cutoff, 0.0, open_low=True)
    rng = np.random.default_rng(validate.integer("seed", seed, 0))

    m = len(network.edges)
    length, curvature = np.full((steps + 1, m), np.nan), np.full((steps + 1, m), np.nan)
    components = np.empty(steps + 1, dtype=np.int64)
    present = np.arange(m)
    state = start(network, parameters)
    part, parts = network, int(network.components().max()) + 1
    for t in range(steps + 1):
        length[t, present], curvature[t, present] = state.length, state.curvature
        components[t] = parts
        if t == steps:
            break
        state = advance(part, state, parameters, rng)
        if surgery_every and (t + 1) % surgery_every == 0:
            keep = _survivors(part, state.length, cutoff, keep_connected)
            if not keep.all():
                present, part = present[keep], subnetwork(part, keep)
                if present.size == 0:
                    length, curvature = length[: t + 1], curvature[: t + 1]
                    components = components[: t + 1]
                    break
                parts = int(part.components().max()) + 1
                state = _measured(part, _rescaled(state.length[keep], parameters), parameters)
    return _dataset(
        network,
        length,
        curvature,
        components,
        parameters,
        surgery_every,
        cutoff,
        keep_connected,
        seed,
    )


def subnetwork(network: Network, keep: np.ndarray) -> Network:
    """The same nodes with only the edges marked in `keep`."""
    return replace(
        network,
        edges=network.edges[keep],
        length=network.length[keep],
        conductance=network.conductance[keep],
    )


def _measured(network: Network, length: FloatArray, parameters: RicciFlow) -> FlowState:
    lazy = parameters.form == "ni"
    curvature, distance = curvature_and_distance(
        network, parameters.alpha if lazy else LIN_LU_YAU, length
    )
    return FlowState(length, curvature if lazy else curvature / (1.0 - LIN_LU_YAU), distance)


def _rescaled(length: FloatArray, parameters: RicciFlow) -> FloatArray:
    """Lengths with the sum that the form keeps, none below the floor."""
    mean = 1.0 if parameters.form == "ni" else 1.0 / length.size
    result: FloatArray = length * (mean * length.size / length.sum())
    low = np.zeros(length.size, dtype=bool)
    # Raising some to the floor shrinks the others, which may bring more of them to it.
    while (below := (result < parameters.floor * mean) & ~low).any():
        low |= below
        result[low] = parameters.floor * mean
        rest = mean * (length.size - parameters.floor * np.count_nonzero(low))
        result[~low] = length[~low] * (rest / length[~low].sum())
    return result


def _zero_sum_flux(network: Network, rng: np.random.Generator) -> FloatArray:
    """Divergence of the noise: each node shares out normal fluxes that sum to zero."""
    flux = rng.standard_normal((2, len(network.edges)))
    result: FloatArray = np.zeros(len(network.edges))
    n = len(network.nodes)
    ends = network.edges.T
    sums = np.bincount(ends.ravel(), weights=flux.ravel(), minlength=n)
    mean = sums / np.maximum(network.degree, 1)
    for side in range(2):
        result += flux[side] - mean[ends[side]]
    return result


def _survivors(
    network: Network, length: FloatArray, cutoff: float, keep_connected: bool
) -> np.ndarray:
    """Edges that surgery leaves, as booleans over edges."""
    keep: np.ndarray = length <= cutoff * length.mean()
    if not keep_connected:
        return keep
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    n = len(network.nodes)
    i, j = np.sort(network.edges, axis=1).T
    tree = minimum_spanning_tree(coo_array((length, (i, j)), shape=(n, n)).tocsr()).tocoo()
    kept: np.ndarray = keep | np.isin(i * n + j, tree.row.astype(np.int64) * n + tree.col)
    return kept


def _dataset(
    network: Network,
    length: FloatArray,
    curvature: FloatArray,
    components: IntArray,
    parameters: RicciFlow,
    surgery_every: int,
    cutoff: float,
    keep_connected: bool,
    seed: int,
) -> xr.Dataset:
    ds = results.dataset(
        {
            "length": (("time", "edge"), length, "1", "edge length"),
            "curvature": (("time", "edge"), curvature, "1", "edge curvature"),
            "components": ("time", components, "1", "connected components"),
        },
        coords={
            "time": (np.arange(len(length)) * parameters.step, "flow time"),
            "edge": (np.arange(len(network.edges)), "1"),
        },
        parameters=results.parameters_of(
            parameters,
            surgery_every=surgery_every,
            cutoff=cutoff,
            keep_connected=keep_connected,
            seed=seed,
        ),
        title="Discrete Ricci flow of edge lengths",
        source="seed 004, §1.3",
    )
    names = network.edge_names
    return ds.assign_coords(
        source=("edge", names_array([u for u, _ in names])),
        target=("edge", names_array([v for _, v in names])),
    )
