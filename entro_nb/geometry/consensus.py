"""Consensus by averaging, x ← (I − αL)x, and exactly how fast (seed 004, §3.3)."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.graphs import GraphLike, as_graph
from entro_nb.network.exchange import Gains, exchange_into, links_of
from entro_nb.validate import Count, Positive

if TYPE_CHECKING:
    import xarray as xr

#: Disagreement below this fraction of the first is rounding, not convergence.
ROUNDING = 1e-11


@validate.checked
def consensus(
    graph: GraphLike | Sequence[GraphLike],
    x0: npt.ArrayLike,
    *,
    step: Positive | None = None,
    steps: Count = 100,
    stubborn: Mapping[Hashable, float] | None = None,
    unstable: bool = False,
) -> xr.Dataset:
    """Averaging over a graph, x(k+1) = (I − αL) x(k) (seed 004, §3.3).

    Parameters
    ----------
    graph : networkx.Graph or Graph, or a sequence of them
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
    graphs = [as_graph(g) for g in (graph if isinstance(graph, Sequence) else [graph])]
    if not graphs:
        raise DataError("graph", graph, "at least one graph")
    nodes = tuple(graphs[0].nodes)
    for one in graphs:
        if tuple(one.nodes) != nodes:
            raise ParameterError("graph", tuple(one.nodes), f"the same nodes in each: {nodes}")
    x = validate.finite_array("x0", x0, ndim=1)
    if x.size != len(nodes):
        raise ParameterError("x0", f"{x.size} values", f"one for each node, {len(nodes)}")
    spectra = [one.spectrum for one in graphs if one.n_edges]
    if not spectra:
        raise DataError("graph", "no edges", "edges, for averaging")
    bound = min(s.bound for s in spectra)
    if step is None:
        step = spectra[0].optimal if len(graphs) == 1 else min(s.sufficient for s in spectra)
    if step >= bound and not unstable:
        raise ParameterError(
            "step", step, f"below 2/λ_max = {bound:.6g} (unstable=True shows the divergence)"
        )

    held = np.zeros(x.size, dtype=np.bool_)
    states = np.empty((steps + 1, x.size))
    states[0] = x
    for name, value in (stubborn or {}).items():
        if name not in nodes:
            raise ParameterError("stubborn", name, "a node of the graph")
        held[nodes.index(name)] = True
        states[0, nodes.index(name)] = validate.real(f"stubborn[{name!r}]", value)
    links, everyone = [links_of(one) for one in graphs], np.ones(x.size, np.bool_)
    for t, (now, after) in enumerate(itertools.pairwise(states)):
        exchange_into(after, now, now, links[t % len(graphs)], Gains(step), everyone)
        after[held] = now[held]
    edges = np.unique(np.sort(np.concatenate([one.edges for one in graphs]), axis=1), axis=0)
    part = graphs[0].replace(edges=edges).labels
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
        coords={"time": (np.arange(steps + 1), "steps"), "node": (graphs[0].coordinate, "1")},
        parameters=results.parameters_of(
            step=step, bound=bound, graphs=len(graphs), stubborn=len(stubborn or {})
        ),
        title="Consensus by averaging",
        source="seed 004, §3.3",
    )


def measured_rate(run: xr.Dataset) -> float:
    """Factor per step on the disagreement, by least squares on its logarithm over the tail.

    The tail is the second half of the steps before rounding takes over.

    Examples
    --------
    >>> from entro_nb.graphs import graph
    >>> ring = graph("ring", 9)
    >>> run = consensus(ring, np.arange(9.0), steps=200)
    >>> abs(measured_rate(run) / ring.spectrum.rate(run.attrs["step"]) - 1) < 0.01
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
