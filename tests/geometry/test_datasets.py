"""Real networks that come with the packages."""

from __future__ import annotations

import networkx as nx

from entro_nb.geometry import airports, karate_club


def test_real_graphs() -> None:
    assert karate_club().number_of_edges() == 78
    routes = airports()
    assert nx.is_connected(routes)
    # Boston to Los Angeles is about 4200 km.
    assert 4.1 < routes.edges["BOS", "LAX"]["length"] < 4.3
