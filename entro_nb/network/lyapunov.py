"""What the exchange makes smaller: spread, V_net and the collective state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.topology import Topology
from entro_nb.validate import FloatArray

__all__ = [
    "collective_state",
    "contraction",
    "guaranteed_decrease",
    "node_weights",
    "spread",
    "v_net",
]


def v_net(psi: npt.ArrayLike, target: float = FAMILY_TARGET, axis: int = -1) -> FloatArray:
    """Global Lyapunov candidate V_net = ½·Σ_i (Ψ_i − Ψ*)² (seed 001).

    Parameters
    ----------
    psi : array_like
        States, nodes along `axis`.
    target : float
        Ψ*, 0.339 in the family.
    axis : int
        Axis of the nodes.

    Returns
    -------
    ndarray
        V_net in Ψ², one value for each position on the other axes.

    Examples
    --------
    >>> float(v_net([0.0, 1.0], target=0.5))
    0.25
    """
    states = validate.finite_array("psi", psi)
    axis = validate.checked_axis(axis, states.ndim)
    target = validate.real("target", target)
    return np.asarray(0.5 * ((states - target) ** 2).sum(axis=axis))


def spread(psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Population variance over the nodes, Var[Ψ_net], in Ψ².

    Examples
    --------
    >>> float(spread([0.0, 1.0]))
    0.25
    """
    states = validate.finite_array("psi", psi)
    return np.asarray(states.var(axis=validate.checked_axis(axis, states.ndim)))


def node_weights(weights: npt.ArrayLike | None, n_nodes: int) -> FloatArray:
    """Relative importance λ_i of the nodes, 1/N unless given (seed 002).

    Raises
    ------
    ParameterError
        If there are not N weights, one is negative, or they do not sum to 1.

    Examples
    --------
    >>> node_weights(None, 4)
    array([0.25, 0.25, 0.25, 0.25])
    """
    if weights is None:
        return np.full(n_nodes, 1.0 / n_nodes)
    checked = validate.probabilities("weights", weights)
    if checked.shape != (n_nodes,):
        raise ParameterError("weights", f"array of shape {checked.shape}", f"{n_nodes} weights")
    return checked


def collective_state(
    psi: npt.ArrayLike, coupling: float, weights: npt.ArrayLike | None = None
) -> float:
    """Collective state Ψ_total = Σ_i λ_i·Ψ_i + C_sync (seed 002).

    The published class multiplies C_sync by α; `PsiSync.published` does so, this does not.

    Examples
    --------
    >>> collective_state([0.2, 0.4], coupling=0.5)
    0.8
    """
    states = validate.finite_array("psi", psi, ndim=1)
    share = node_weights(weights, states.size)
    return float(share @ states) + validate.real("coupling", coupling)


def contraction(step: float, topology: Topology) -> float:
    """Largest factor on any disagreement in one linear exchange, ρ = max|1 − ε·λ| over λ > 0.

    Below 1 every disagreement shrinks; this is so exactly when 0 < ε < 2/λ_max. Where only a
    bound of λ_max is known, so is the factor. A single node has nobody to disagree with: 0.

    Examples
    --------
    >>> contraction(0.1, Topology.complete(5))
    0.5
    """
    ends = topology.spectrum
    if ends.largest == 0.0:
        return 0.0
    slow = 0.0 if ends.smallest is None else ends.smallest
    return max(abs(1.0 - step * slow), abs(1.0 - step * ends.largest))


def guaranteed_decrease(psi: npt.ArrayLike, step: float, topology: Topology) -> float:
    """Least by which V_net falls in one linear exchange: ½·N·(1 − ρ²)·Var.

    The exchange keeps the mean, and V_net = ½·N·[(mean − Ψ*)² + Var], so V_net falls by what
    the variance loses, whatever the target.

    Parameters
    ----------
    psi : array_like
        States before the exchange, shape (N,).
    step : float
        ε = ακ.
    topology : Topology
        A connected graph.

    Returns
    -------
    float
        In Ψ²; negative when the step is not admissible (a rise of at most that size).

    Examples
    --------
    >>> round(guaranteed_decrease([0.0, 1.0], 0.25, Topology.complete(2)), 6)
    0.1875
    """
    states = validate.finite_array("psi", psi, ndim=1)
    rate = contraction(validate.real("step", step), topology)
    return float(0.5 * states.size * (1.0 - rate**2) * states.var())
