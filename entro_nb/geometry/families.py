"""Graphs to work on: the usual families, and two real networks that need no download."""

from __future__ import annotations

import math
from collections.abc import Callable

import networkx as nx
import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError

__all__ = ["FAMILIES", "airports", "family", "karate_club", "planted_communities"]


def _regular(n: int, degree: int, seed: int) -> nx.Graph:
    if n * degree % 2 or degree >= n:
        raise ParameterError("degree", degree, f"below n = {n}, with n·degree even")
    return nx.random_regular_graph(degree, n, seed=seed)


def _grid(n: int, _degree: int, _seed: int) -> nx.Graph:
    side = math.isqrt(n)
    if side * side != n:
        raise ParameterError("n", n, "a square number, for a square grid")
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side), ordering="sorted")


def _hypercube(n: int, _degree: int, _seed: int) -> nx.Graph:
    if n & (n - 1):
        raise ParameterError("n", n, "a power of 2, for a hypercube")
    cube = nx.hypercube_graph(n.bit_length() - 1)
    return nx.convert_node_labels_to_integers(cube, ordering="sorted")


def _tree(n: int, degree: int, _seed: int) -> nx.Graph:
    return nx.full_rary_tree(max(degree - 1, 1), n)


def _small_world(n: int, degree: int, seed: int) -> nx.Graph:
    return nx.connected_watts_strogatz_graph(n, degree, 0.1, tries=1000, seed=seed)


def _scale_free(n: int, degree: int, seed: int) -> nx.Graph:
    return nx.barabasi_albert_graph(n, max(degree // 2, 1), seed=seed)


def _random(n: int, degree: int, seed: int) -> nx.Graph:
    return nx.gnm_random_graph(n, min(n * degree // 2, n * (n - 1) // 2), seed=seed)


def _geometric(n: int, degree: int, seed: int) -> nx.Graph:
    return nx.random_geometric_graph(n, math.sqrt((degree + 1) / (math.pi * n)), seed=seed)


def _barbell(n: int, _degree: int, _seed: int) -> nx.Graph:
    if n % 2:
        raise ParameterError("n", n, "an even number, for two equal bells")
    return nx.barbell_graph(n // 2, 0)


#: Name of a family to its maker, (nodes, degree, seed) -> graph.
FAMILIES: dict[str, Callable[[int, int, int], nx.Graph]] = {
    "complete": lambda n, _degree, _seed: nx.complete_graph(n),
    "cycle": lambda n, _degree, _seed: nx.cycle_graph(n),
    "path": lambda n, _degree, _seed: nx.path_graph(n),
    "star": lambda n, _degree, _seed: nx.star_graph(n - 1),
    "grid": _grid,
    "hypercube": _hypercube,
    "tree": _tree,
    "barbell": _barbell,
    "regular": _regular,
    "small_world": _small_world,
    "scale_free": _scale_free,
    "random": _random,
    "geometric": _geometric,
}


def family(name: str, n: int, *, degree: int = 4, seed: int = 0) -> nx.Graph:
    """Graph of a named family, nodes 0 … n − 1.

    Parameters
    ----------
    name : str
        Key of :data:`FAMILIES`.
    n : int
        Number of nodes, at least 4. A grid needs a square, a hypercube a power of 2.
    degree : int
        Mean degree of the random families (about), and one more than the branching of a tree.
    seed : int
        Seed of the random families.

    Returns
    -------
    networkx.Graph

    Raises
    ------
    ParameterError
        If the name is unknown or no such graph exists.

    Examples
    --------
    >>> family("hypercube", 8).number_of_edges()
    12
    """
    name = validate.choice("name", name, FAMILIES)
    n = validate.integer("n", n, 4)
    degree = validate.integer("degree", degree, 1, n - 1)
    seed = validate.integer("seed", seed, 0)
    return FAMILIES[name](n, degree, seed)


def planted_communities(
    communities: int = 2, size: int = 15, inside: float = 0.6, between: float = 0.03, seed: int = 0
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
    communities = validate.integer("communities", communities, 1)
    size = validate.integer("size", size, 1)
    inside = validate.real("inside", inside, 0.0, 1.0)
    between = validate.real("between", between, 0.0, 1.0)
    seed = validate.integer("seed", seed, 0)
    drawn = nx.planted_partition_graph(communities, size, inside, between, seed=seed)
    graph = nx.Graph()
    graph.add_nodes_from((k, {"block": drawn.nodes[k]["block"]}) for k in drawn)
    graph.add_edges_from(drawn.edges)
    return graph


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
    graph = nx.Graph()
    source = nx.karate_club_graph()
    graph.add_nodes_from((k, {"club": source.nodes[k]["club"]}) for k in source)
    graph.add_edges_from(
        (u, v, {"conductance": float(w)}) for u, v, w in source.edges.data("weight")
    )
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
    from bokeh_sampledata.airport_routes import airports as table
    from bokeh_sampledata.airport_routes import routes

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
    return 2 * 6.371 * float(np.arcsin(math.sqrt(h)))
