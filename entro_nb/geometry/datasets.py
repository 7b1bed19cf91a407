"""Graphs with a known answer: planted communities, and two real networks without a download."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from entro_nb import validate
from entro_nb.validate import Count, Seed, Share

if TYPE_CHECKING:
    import networkx as nx


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
    import networkx as nx

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
