"""Discrete Ricci flow of edge lengths, with surgery, and the communities that it finds.

Seed 004, §1.3: ∂g_ij/∂t = −2 R_ij + (1/N) ∇_k Φᵏ. The sound forms are those of the
literature: lengths shrink where curvature is positive and grow where it is negative, and the
total length is kept, so that what remains is the difference between edges. The equation as it is
written, added and with nothing kept, is the form ``written``. Below them stand graphs whose
communities are known: planted ones, and two real networks without a download.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.curvature import LIN_LU_YAU, Idleness, curvature_and_distance
from entro_nb.graphs import Graph, GraphLike, as_graph, require_edges
from entro_nb.validate import (
    Bounds,
    Count,
    FloatArray,
    IntArray,
    NonNegative,
    Positive,
    Seed,
    Share,
)

if TYPE_CHECKING:
    import networkx as nx
    import xarray as xr

#: Steps of Newton's method that bring the root of a barrier to rounding, from any length.
NEWTON = 80
#: What stands for a length of zero where nothing else keeps it above.
SHORTEST = 1e-12


@dataclass(frozen=True)
class RicciFlow(validate.Parameters):
    """Parameters of the flow.

    Parameters
    ----------
    step : float
        Time step in (0, 1). Below 1 a length stays positive, since κ ≤ 1.
    form : {"ni", "bai", "written"}
        ``ni``: w ← d (1 − step·κ_α), rescaled to Σw = number of edges (Ni et al. 2019);
        ``bai``: dw/dt = −κw + wΣκw with Lin–Lu–Yau κ and Σw = 1 (Bai et al. 2020), stepped in
        log w so that no step can reach zero; ``written``: w ← w − 2·step·κ_α + noise, §1.3 with
        g read as the distance of §1.1. It begins at Σw = number of edges and keeps no sum, so
        that what is curved positively everywhere is a point after the time w/2κ.
    alpha : float
        Idleness in [0, 1), for ``ni`` and ``written``.
    noise : float
        Strength σ ≥ 0 of Φ (ours: the seed gives no law): each node k draws fluxes for its
        edges that sum to zero, and log w of an edge (``written``: w itself) moves by
        (σ/N)·√step times what its two ends sent: a divergence, as written, with the seed's
        factor 1/N.
    barrier : float
        Λ ≥ 0 in the energy that keeps lengths from zero. Its force is taken implicitly:
        lengths stay positive whatever the step.
    floor : float
        Least length, as a fraction of the mean length (``written``: of the first mean), in
        [0, 1). The default only keeps a long run from shrinking the inside of a community to
        nothing.
    energy : {"log", "inverse"}
        What Λ multiplies: −Σ log w, with the force Λ/w, or Σ 1/w, with the force Λ/w²: §4.2 with
        d the length of an edge.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Notes
    -----
    The seed's Λ·Σ 1/d keeps from zero what d stands for: the lengths, if d is the length of an
    edge. If d is the distance of state vectors, as in its code, no weight enters it; and weights
    that are 1/d are pushed down by it (§4.2 says "no edge weight").

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

    step: Annotated[float, Bounds(0.0, 1.0, open_low=True, open_high=True)] = 0.1
    form: Literal["ni", "bai", "written"] = "ni"
    alpha: Idleness = 0.5
    noise: NonNegative = 0.0
    barrier: NonNegative = 0.0
    floor: Annotated[float, Bounds(0.0, 1.0, open_high=True)] = 1e-9
    energy: Literal["log", "inverse"] = "log"


class FlowState(NamedTuple):
    """Edge lengths and their curvature, shape (edge,) each."""

    length: FloatArray
    curvature: FloatArray
    distance: FloatArray  #: shortest path between the ends of each edge


def ricci_start(graph: GraphLike, parameters: RicciFlow | None = None) -> FlowState:
    """State at the graph's own lengths, rescaled to the total that the form keeps or begins at.

    Raises
    ------
    DataError
        If the graph has no edges.
    """
    graph = require_edges(as_graph(graph), "a flow of edge lengths")
    parameters = parameters or RicciFlow()
    return _measured(graph, _rescaled(graph.length, parameters), parameters)


def ricci_step(
    graph: GraphLike,
    state: FlowState,
    parameters: RicciFlow,
    rng: np.random.Generator | None = None,
) -> FlowState:
    """One step of the flow; `graph` gives the edges, `state` their lengths.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        The edges that are present.
    state : FlowState
        From :func:`ricci_start` or the step before.
    parameters : RicciFlow
        With ``noise`` above zero, `rng` is needed.
    rng : numpy.random.Generator, optional
        Source of Φ.

    Examples
    --------
    >>> import networkx as nx
    >>> path = nx.path_graph(4)
    >>> before = ricci_start(path)
    >>> ricci_step(path, before, RicciFlow(step=0.5)).length.round(3)  # ends shrink
    array([0.9, 1.2, 0.9])
    """
    graph = as_graph(graph)
    if parameters.form == "ni":
        length = state.distance * (1.0 - parameters.step * state.curvature)
    elif parameters.form == "written":
        length = state.length - 2.0 * parameters.step * state.curvature
    else:
        mean = float(state.curvature @ state.distance) / float(state.distance.sum())
        length = state.distance * np.exp(parameters.step * (mean - state.curvature))
    if parameters.noise > 0.0:
        if rng is None:
            raise ParameterError("rng", rng, "a numpy.random.Generator when noise is above 0")
        spread = parameters.noise * np.sqrt(parameters.step) / graph.n_nodes
        stir = spread * _zero_sum_flux(graph, rng)
        length = length + stir if parameters.form == "written" else length * np.exp(stir)
    if parameters.barrier > 0.0:
        length = pushed_up(length, parameters.step * parameters.barrier, parameters.energy)
    if parameters.form == "written":
        return _measured(graph, np.maximum(length, max(parameters.floor, SHORTEST)), parameters)
    return _measured(graph, _rescaled(length, parameters), parameters)


def pushed_up(
    length: FloatArray, push: float, energy: Literal["log", "inverse"] = "log"
) -> FloatArray:
    """Lengths after an implicit step of the force of a barrier: the root w > 0 of a polynomial.

    ``log``: w² − bw − push = 0; ``inverse``: w³ − bw² − push = 0, where b is the length before.

    Examples
    --------
    >>> pushed_up(np.array([0.0, 1.5]), 1.0), pushed_up(np.array([0.0, 1.75]), 1.0, "inverse")
    (array([1., 2.]), array([1., 2.]))
    """
    if energy == "log":
        root: FloatArray = (length + np.sqrt(length**2 + 4.0 * push)) / 2.0
        return root
    # Newton's method from above: the polynomial is convex there, so that it falls to the root.
    root = np.maximum(length, 0.0) + push ** (1 / 3)
    for _ in range(NEWTON):
        root = root - (root**3 - length * root**2 - push) / (3.0 * root**2 - 2.0 * length * root)
    return root


@validate.checked
def ricci_flow(
    graph: GraphLike,
    parameters: RicciFlow | None = None,
    *,
    steps: Count = 50,
    surgery_every: Annotated[int, Bounds(0)] = 0,
    cutoff: Positive = 2.0,
    keep_connected: bool = False,
    seed: Seed = 0,
) -> xr.Dataset:
    """Run the flow, with surgery if asked for: edges grown beyond a length are cut.

    Parameters
    ----------
    graph : networkx.Graph or Graph
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
    >>> run = ricci_flow(nx.barbell_graph(4, 0), steps=20)
    >>> bridge = run.length.isel(time=-1).argmax("edge")
    >>> run.source[bridge].item(), run.target[bridge].item()
    (3, 4)
    """
    graph = part = require_edges(as_graph(graph), "a flow of edge lengths")
    parameters = parameters or RicciFlow()
    rng = np.random.default_rng(seed)
    length, curvature = np.full((2, steps + 1, graph.n_edges), np.nan)
    components = np.empty(steps + 1, np.int64)
    present = np.arange(graph.n_edges)
    state, parts = ricci_start(graph, parameters), len(graph.components())
    for t in range(steps + 1):
        length[t, present], curvature[t, present] = state.length, state.curvature
        components[t] = parts
        if t == steps:
            break
        state = ricci_step(part, state, parameters, rng)
        if surgery_every and (t + 1) % surgery_every == 0:
            keep = _survivors(part, state.length, cutoff, keep_connected)
            if not keep.any():
                break
            if not keep.all():
                present, part = present[keep], _without(part, ~keep)
                parts = len(part.components())
                state = _measured(part, _rescaled(state.length[keep], parameters), parameters)
    ds = results.dataset(
        {
            "length": (("time", "edge"), length[: t + 1], "1", "edge length"),
            "curvature": (("time", "edge"), curvature[: t + 1], "1", "edge curvature"),
            "components": ("time", components[: t + 1], "1", "connected components"),
        },
        coords={
            "time": (np.arange(t + 1) * parameters.step, "flow time"),
            "edge": "1",
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
    source, target = graph.coordinate[graph.edges].T
    return ds.assign_coords(source=("edge", source), target=("edge", target))


def _without(graph: Graph, cut: npt.NDArray[np.bool_]) -> Graph:
    """The same nodes without the edges that are cut."""
    return graph.replace(
        edges=graph.edges[~cut], length=graph.length[~cut], conductance=graph.conductance[~cut]
    )


def _measured(graph: Graph, length: FloatArray, parameters: RicciFlow) -> FlowState:
    """State at the given lengths."""
    lazy = parameters.form != "bai"
    curvature, distance = curvature_and_distance(
        graph, parameters.alpha if lazy else LIN_LU_YAU, length
    )
    return FlowState(length, curvature if lazy else curvature / (1.0 - LIN_LU_YAU), distance)


def _rescaled(length: FloatArray, parameters: RicciFlow) -> FloatArray:
    """Lengths with the sum that the form keeps, none below the floor."""
    mean = 1.0 / length.size if parameters.form == "bai" else 1.0
    result: FloatArray = length * (mean * length.size / length.sum())
    low = np.zeros(length.size, dtype=bool)
    # Raising some to the floor shrinks the others, which may bring more of them to it.
    while (below := (result < parameters.floor * mean) & ~low).any():
        low |= below
        result[low] = parameters.floor * mean
        rest = mean * (length.size - parameters.floor * np.count_nonzero(low))
        result[~low] = length[~low] * (rest / length[~low].sum())
    return result


def _zero_sum_flux(graph: Graph, rng: np.random.Generator) -> FloatArray:
    """Divergence of the noise: each node shares out normal fluxes that sum to zero."""
    ends, flux = graph.edges.T, rng.standard_normal((2, graph.n_edges))
    sums = np.bincount(ends.ravel(), weights=flux.ravel(), minlength=graph.n_nodes)
    mean = sums / np.maximum(graph.degrees, 1)
    result: FloatArray = (flux - mean[ends]).sum(axis=0)
    return result


def _survivors(
    graph: Graph, length: FloatArray, cutoff: float, keep_connected: bool
) -> npt.NDArray[np.bool_]:
    """Edges that surgery leaves."""
    keep: npt.NDArray[np.bool_] = length <= cutoff * length.mean()
    if keep_connected:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import minimum_spanning_tree

        n = graph.n_nodes
        i, j = np.sort(graph.edges, axis=1).T
        tree = minimum_spanning_tree(coo_array((length, (i, j)), shape=(n, n)).tocsr()).tocoo()
        keep |= np.isin(i * n + j, tree.row.astype(np.int64) * n + tree.col)
    return keep


@validate.checked
def flow_communities(
    graph: GraphLike, parameters: RicciFlow | None = None, *, steps: Count = 20
) -> IntArray:
    """Communities by flow and surgery: the cut of stretched edges with the largest modularity.

    Runs the flow, then cuts edges from the longest down and keeps the cut whose components
    have the largest modularity on the uncut graph. The number of communities is found, not
    given.

    Parameters
    ----------
    graph : networkx.Graph or Graph
        Undirected and simple, with at least one edge.
    parameters : RicciFlow, optional
        By default the form of Ni et al. with step 0.9.
    steps : int
        Steps of the flow, at least 1.

    Returns
    -------
    ndarray of int64, shape (node,)
        Community of each node, numbered from 0.

    Raises
    ------
    ParameterError, DataError
        As :func:`ricci_flow`.

    References
    ----------
    C.-C. Ni et al., "Community detection on networks with Ricci flow", 2019.

    Examples
    --------
    >>> import networkx as nx
    >>> flow_communities(nx.barbell_graph(4, 0))
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    graph = require_edges(as_graph(graph), "communities")
    parameters = parameters or RicciFlow(step=0.9)
    state = ricci_start(graph, parameters)
    for _ in range(steps):
        state = ricci_step(graph, state, parameters)
    best, found = -np.inf, graph.labels
    for length in np.unique(state.length)[::-1]:
        labels = cut(graph, state.length, float(length))
        score = modularity(graph, labels)
        if score > best:
            best, found = score, labels
    return found


@validate.checked
def cut(graph: GraphLike, length: npt.ArrayLike, cutoff: float) -> IntArray:
    """Components that remain when every edge longer than `cutoff` is removed, shape (node,).

    Examples
    --------
    >>> import networkx as nx
    >>> cut(nx.path_graph(3), [1.0, 5.0], cutoff=2.0)
    array([0, 0, 1])
    """
    graph = as_graph(graph)
    lengths = validate.finite_array("length", length, shape=(graph.n_edges,))
    return _without(graph, lengths > cutoff).labels


@validate.checked
def louvain(graph: GraphLike, seed: Seed = 0) -> IntArray:
    """Communities by the Louvain method, the usual alternative; shape (node,).

    Examples
    --------
    >>> import networkx as nx
    >>> louvain(nx.barbell_graph(4, 0))
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    import networkx as nx

    graph = as_graph(graph)
    plain = nx.empty_graph(graph.n_nodes)
    plain.add_edges_from(graph.edges.tolist())
    labels = np.empty(graph.n_nodes, np.int64)
    parts = nx.community.louvain_communities(plain, seed=seed)
    for k, part in enumerate(sorted(parts, key=min)):
        labels[list(part)] = k
    return labels


def split_of(graph: nx.Graph, attribute: str) -> IntArray:
    """Known communities, from a node attribute, numbered in order of appearance.

    Examples
    --------
    >>> int(split_of(karate_club(), "club").sum())
    17
    """
    values: list[Hashable] = [data.get(attribute) for _, data in graph.nodes.data()]
    if None in values:
        raise ParameterError("attribute", attribute, "an attribute that every node has")
    number = {value: k for k, value in enumerate(dict.fromkeys(values))}
    return np.array([number[value] for value in values], dtype=np.int64)


def modularity(graph: GraphLike, labels: npt.ArrayLike) -> float:
    """Newman's modularity Q = Σ_c [m_c/m − (d_c/2m)²] of a split of an unweighted graph.

    Examples
    --------
    >>> import networkx as nx
    >>> round(modularity(nx.barbell_graph(4, 0), [0, 0, 0, 0, 1, 1, 1, 1]), 4)
    0.4231
    """
    graph = require_edges(as_graph(graph), "modularity")
    label, m = _labels(labels, graph.n_nodes), graph.n_edges
    i, j = graph.edges.T
    inside = np.bincount(label[i][label[i] == label[j]], minlength=label.max() + 1) / m
    degree: FloatArray = np.bincount(label, weights=graph.degrees) / (2 * m)
    return float(np.sum(inside - degree**2))


def adjusted_rand(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Adjusted Rand index of two splits: 1 for the same, 0 on average for unrelated ones.

    Examples
    --------
    >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    n = validate.same_length(first=first, second=second)
    a, b = _labels(first, n), _labels(second, n)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1.0)

    def pairs(counts: FloatArray) -> float:
        return float((counts * (counts - 1.0)).sum()) / 2.0

    rows, columns, both = pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), pairs(table)
    chance = rows * columns / max(n * (n - 1) / 2.0, 1.0)
    largest = (rows + columns) / 2.0
    return 1.0 if largest == chance else (both - chance) / (largest - chance)


def _labels(value: npt.ArrayLike, size: int) -> IntArray:
    """Community labels as whole numbers from 0."""
    label = np.unique(np.asarray(value), return_inverse=True)[1].astype(np.int64).ravel()
    if label.size != size or size == 0:
        raise ParameterError("labels", f"{label.size} values", f"one for each of {size} nodes")
    return label


@validate.checked
def planted_communities(
    communities: Count = 2,
    size: Count = 15,
    inside: Share = 0.6,
    between: Share = 0.03,
    seed: Seed = 0,
) -> nx.Graph:
    """Random graph with known communities (planted partition), as node attribute ``block``.

    Parameters
    ----------
    communities, size : int
        Number of communities, and of nodes in each.
    inside, between : float
        Probability of an edge within a community and across two.
    seed : int
        Seed of the draw.

    Examples
    --------
    >>> g = planted_communities(3, 10, seed=1)
    >>> len(g), {g.nodes[k]["block"] for k in g}
    (30, {0, 1, 2})
    """
    import networkx as nx

    return nx.planted_partition_graph(communities, size, inside, between, seed=seed)


def karate_club() -> nx.Graph:
    """Zachary's karate club: 34 members, 78 friendships, and the split that happened.

    Node attribute ``club`` is the club joined after the split. Interaction counts stand as
    ``conductance``: more contact is a stronger tie, not a longer one.

    References
    ----------
    W. W. Zachary, "An information flow model for conflict and fission in small groups", 1977.

    Examples
    --------
    >>> club = karate_club()
    >>> len(club), club.number_of_edges(), club.nodes[33]["club"]
    (34, 78, 'Officer')
    """
    import networkx as nx

    graph = nx.karate_club_graph()
    for *_, data in graph.edges.data():
        data["conductance"] = float(data.pop("weight"))
    return graph


def airports() -> nx.Graph:
    """Airports of the United States and the routes flown between them, with their lengths.

    Comes with the ``bokeh_sampledata`` package: public-domain records of OurAirports (places)
    and of the U.S. Bureau of Transportation Statistics (flights). One edge for each pair served
    by any carrier in either direction; edge attribute ``length`` is the great-circle distance
    in 1000 km, ``conductance`` the number of listed routes. Node attributes ``city``,
    ``latitude`` and ``longitude`` in degrees.

    Examples
    --------
    >>> routes = airports()
    >>> len(routes) > 300, min(length for *_, length in routes.edges.data("length")) > 0
    (True, True)
    """
    import networkx as nx
    from bokeh_sampledata.airport_routes import airports as table, routes

    graph = nx.Graph()
    # Joined by identifier: the letter codes of the two sources differ for some airports.
    places = {int(row.AirportID): row for row in table.itertuples()}
    columns = (routes.Source, routes.SourceID, routes.Destination, routes.DestinationID)
    for a, a_id, b, b_id in zip(*columns, strict=True):
        if a == b or int(a_id) not in places or int(b_id) not in places:
            continue
        for name, identifier in ((a, a_id), (b, b_id)):
            place = places[int(identifier)]
            graph.add_node(
                name,
                city=str(place.City),
                latitude=float(place.Latitude),
                longitude=float(place.Longitude),
            )
        flown = graph.edges[a, b]["conductance"] if graph.has_edge(a, b) else 0.0
        graph.add_edge(a, b, conductance=flown + 1.0)
    for a, b, data in graph.edges.data():
        data["length"] = _great_circle(graph.nodes[a], graph.nodes[b])
    return graph


def _great_circle(a: dict[str, float], b: dict[str, float]) -> float:
    """Distance in 1000 km on a sphere of radius 6371 km (haversine formula)."""
    phi, psi = math.radians(a["latitude"]), math.radians(b["latitude"])
    half = math.radians(b["longitude"] - a["longitude"]) / 2
    h = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(half) ** 2
    return 2 * 6.371 * math.asin(math.sqrt(h))
