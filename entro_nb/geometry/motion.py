"""Motion under the Lagrangian: a variational integrator, and friction to get to rest.

Stationary action (seed 004, §1.2) is not least action: what moves without friction keeps its
energy and never settles. Rayleigh's dissipation brings it to a minimum of the potential.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from entro_nb import results, validate
from entro_nb.errors import ParameterError
from entro_nb.geometry.action import Action, lagrangian, slope, state_of
from entro_nb.geometry.graph import Graph, IntArray, Network, as_network
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["discrete_action", "integrate", "stable_step"]


def integrate(
    graph: Graph,
    q0: npt.ArrayLike,
    velocity0: npt.ArrayLike,
    parameters: Action | None = None,
    *,
    steps: int = 1000,
    every: int = 1,
) -> xr.Dataset:
    """Motion by the Euler–Lagrange equations, m q̈ = −∂(V ± λS)/∂q − γq̇.

    With γ = 0 this is the Störmer–Verlet method: the stationary points of the discrete action
    of :func:`discrete_action`. It is symplectic, so its energy error stays bounded for ever.
    Friction is taken exactly between half steps.

    Parameters
    ----------
    graph : networkx.Graph or Network
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
    network = as_network(graph)
    parameters = parameters or Action()
    q, v = state_of(network, q0, velocity0)
    steps, every = validate.integer("steps", steps, 1), validate.integer("every", every, 1)
    limit = stable_step(network, parameters)
    if parameters.step >= limit:
        raise ParameterError("step", parameters.step, f"below the stability limit {limit:.6g}")
    records = steps // every + 1
    path, rates, terms = (
        np.empty((records, q.size)),
        np.empty((records, q.size)),
        np.empty((records, 2)),
    )
    _integrate(
        q,
        v,
        network.edges,
        network.conductance,
        parameters.mass,
        parameters.backlog,
        parameters.entropy_weight,
        parameters.damping,
        parameters.step,
        every,
        path,
        rates,
        terms,
    )
    kinetic = 0.5 * parameters.mass * (rates**2).sum(axis=1)
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
            "node": (network.coordinate, "1"),
        },
        parameters=results.parameters_of(parameters, steps=steps, every=every),
        title="Motion by the Euler–Lagrange equations",
        source="seed 004, §1.1 and §1.2",
    )


def stable_step(network: Network, parameters: Action) -> float:
    """2/ω_max of Störmer–Verlet, from bounds on the curvature of V and S."""
    strongest = np.bincount(
        network.edges.ravel(),
        weights=np.repeat(network.conductance, 2),
        minlength=len(network.nodes),
    ).max()
    # λ_max ≤ 2 d_max; the entropy of a softmax bends by less than 2 per unit of q².
    stiffness = 2.0 * strongest + parameters.backlog + 2.0 * parameters.temperature
    return float(2.0 / np.sqrt(stiffness / parameters.mass)) if stiffness > 0 else float("inf")


def discrete_action(graph: Graph, path: npt.ArrayLike, parameters: Action | None = None) -> float:
    """Action Σ h [½ m |(q' − q)/h|² − (U(q) + U(q'))/2] of a path in steps of h (§1.2).

    Stationary at the paths of :func:`integrate` without damping, when both ends are held; not
    minimal, unless the path is short.

    Parameters
    ----------
    graph : networkx.Graph or Network
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
    network = as_network(graph)
    parameters = parameters or Action()
    states = validate.finite_array("path", path, ndim=2)
    if len(states) < 2 or states.shape[1] != len(network.nodes):
        raise ParameterError(
            "path", f"shape {states.shape}", "two states or more, one value a node"
        )
    h = parameters.step
    speed = np.diff(states, axis=0) / h
    zero = np.zeros(states.shape[1])
    effective = np.array([lagrangian(network, q, zero, parameters).energy for q in states])
    kinetic = 0.5 * parameters.mass * (speed**2).sum(axis=1)
    return float(h * (kinetic - (effective[1:] + effective[:-1]) / 2.0).sum())


@compiled
def _integrate(
    q: FloatArray,
    v: FloatArray,
    edges: IntArray,
    conductance: FloatArray,
    mass: float,
    backlog: float,
    entropy_weight: float,
    damping: float,
    step: float,
    every: int,
    path: FloatArray,
    rates: FloatArray,
    terms: FloatArray,
) -> None:
    gradient = np.empty(q.size)
    potential, entropy = slope(q, edges, conductance, backlog, entropy_weight, gradient)
    slowing = np.exp(-damping * step / mass)
    path[0], rates[0], terms[0, 0], terms[0, 1] = q, v, potential, entropy
    for t in range(1, (len(path) - 1) * every + 1):
        for i in range(q.size):
            v[i] -= 0.5 * step * gradient[i] / mass
            q[i] += 0.5 * step * v[i]
            v[i] *= slowing
            q[i] += 0.5 * step * v[i]
        potential, entropy = slope(q, edges, conductance, backlog, entropy_weight, gradient)
        for i in range(q.size):
            v[i] -= 0.5 * step * gradient[i] / mass
        if t % every == 0:
            k = t // every
            path[k], rates[k], terms[k, 0], terms[k, 1] = q, v, potential, entropy
