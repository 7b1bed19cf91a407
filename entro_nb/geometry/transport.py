"""Exact optimal transport between two small measures, in one compiled loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.compiled import compiled
from entro_nb.errors import ParameterError
from entro_nb.validate import FloatArray

__all__ = ["transport_cost", "wasserstein"]

#: Mass below which a supply, a demand or a flow counts as used up.
USED_UP = 1e-14


@compiled
def transport_cost(supply: FloatArray, demand: FloatArray, cost: FloatArray) -> float:
    """Least Σ fᵢⱼ cᵢⱼ that ships all supply to the demands; uses up both arrays.

    The Hungarian method for flows: potentials u, v with cᵢⱼ − uᵢ − vⱼ ≥ 0, flow only where
    that is zero, and from each source a tree of tight pairs grown until it meets demand.
    """
    n, m = cost.shape
    flow = np.zeros((n, m))
    u, v = np.empty(n), np.empty(m)
    for i in range(n):
        u[i] = cost[i].min()
    for j in range(m):
        v[j] = cost[0, j] - u[0]
        for i in range(1, n):
            v[j] = min(v[j], cost[i, j] - u[i])
    # Most mass travels along pairs that are tight at once.
    for i in range(n):
        for j in range(m):
            if demand[j] > 0.0 and cost[i, j] - u[i] - v[j] <= 0.0:
                moved = min(supply[i], demand[j])
                flow[i, j] = moved
                supply[i] -= moved
                demand[j] -= moved

    slack, via = np.empty(m), np.empty(m, np.int64)
    from_sink = np.empty(n, np.int64)
    for root in range(n):
        while supply[root] > USED_UP:
            for i in range(n):
                from_sink[i] = -2  # not in the tree
            from_sink[root] = -1
            for j in range(m):
                slack[j] = cost[root, j] - u[root] - v[j]
                via[j] = root
            reached = np.zeros(m, np.bool_)
            end = -1
            while True:
                near = -1
                for j in range(m):
                    if not reached[j] and (near < 0 or slack[j] < slack[near]):
                        near = j
                if near < 0:
                    break  # only rounding residue is left of the supply
                step = slack[near]
                if step > 0.0:
                    for i in range(n):
                        if from_sink[i] > -2:
                            u[i] += step
                    for j in range(m):
                        if reached[j]:
                            v[j] -= step
                        else:
                            slack[j] -= step
                reached[near] = True
                if demand[near] > USED_UP:
                    end = near
                    break
                for i in range(n):
                    if from_sink[i] == -2 and flow[i, near] > USED_UP:
                        from_sink[i] = near
                        for j in range(m):
                            gap = cost[i, j] - u[i] - v[j]
                            if not reached[j] and gap < slack[j]:
                                slack[j] = gap
                                via[j] = i
            if end < 0:
                break
            # Along the path found: as much as the supply, the demand and the flows undone allow.
            moved = min(supply[root], demand[end])
            j = end
            while via[j] != root:
                i = via[j]
                j = from_sink[i]
                moved = min(moved, flow[i, j])
            supply[root] -= moved
            demand[end] -= moved
            j = end
            while True:
                i = via[j]
                flow[i, j] += moved
                if i == root:
                    break
                j = from_sink[i]
                flow[i, j] -= moved
    total = 0.0
    for i in range(n):
        for j in range(m):
            total += flow[i, j] * cost[i, j]
    return total


def wasserstein(supply: npt.ArrayLike, demand: npt.ArrayLike, cost: npt.ArrayLike) -> float:
    """Earth mover's distance W₁ = min Σ fᵢⱼ cᵢⱼ between two measures of equal mass, exact.

    Parameters
    ----------
    supply : array_like, shape (n,)
        Mass at each source, non-negative.
    demand : array_like, shape (m,)
        Mass at each sink, non-negative, with the same sum.
    cost : array_like, shape (n, m)
        Cost of moving one unit of mass.

    Returns
    -------
    float
        Least total cost, in units of mass × cost.

    Raises
    ------
    ParameterError, DataError
        If shapes do not match, the masses differ by more than one part in 10⁹, or a number
        is negative, NaN or infinite.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; J. Munkres, 1957, for
    the transportation problem.

    Examples
    --------
    >>> wasserstein([0.5, 0.5], [1.0], [[1.0], [3.0]])
    2.0
    """
    a = validate.finite_array("supply", supply, ndim=1, low=0.0)
    b = validate.finite_array("demand", demand, ndim=1, low=0.0)
    c = validate.finite_array("cost", cost, ndim=2)
    if c.shape != (a.size, b.size):
        raise ParameterError("cost", f"shape {c.shape}", f"shape ({a.size}, {b.size})")
    mass = float(a.sum())
    if not np.isclose(mass, float(b.sum()), rtol=validate.SUM_TOLERANCE, atol=0.0):
        raise ParameterError("sum of demand", float(b.sum()), f"the sum of supply, {mass:g}")
    if mass == 0.0:
        return 0.0
    # Unit mass inside, so that "used up" means the same for every problem.
    return float(transport_cost(a / mass, b / mass, c)) * mass
