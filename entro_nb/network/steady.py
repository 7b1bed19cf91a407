"""Spread of linear nodes in the long run, from the discrete Lyapunov equation.

The Laplacian's modes do not mix: along an eigenvector of eigenvalue λ the deviation x and what
the exchange makes of it, s(t) = x(t) − ε·λ·x(t − τ), follow X(t + 1) = F·X(t) + b·ξ with
X = (x(t), …, x(t − τ)), and their covariance solves P = F·P·Fᵀ + b·bᵀ. The population variance
over nodes is the mean over nodes of the modes' variances, the mean mode left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.nodes import Autoregressive, Node, Oscillator
from entro_nb.network.simulation import Channel
from entro_nb.network.topology import DENSE_LIMIT, Topology
from entro_nb.validate import FloatArray

__all__ = ["SteadyVariance", "delay_bound", "steady_variance"]

#: Largest graph for which loss of links is averaged exactly (matrices of N × N, one a link).
LOSS_LIMIT = 200


class SteadyVariance(NamedTuple):
    """Population variance over nodes in the long run, in Ψ²."""

    before: float  #: before the exchange
    after: float  #: after it
    without: float  #: of the same nodes without exchange

    @property
    def reduction(self) -> float:
        """Share of the variance that the exchange takes away, 1 − after/without."""
        return 1.0 - self.after / self.without


def delay_bound(delay: int) -> float:
    """Bound on ε·λ_max for levelling with messages of age τ: 2·sin(π/(2·(2τ + 1))).

    For nodes that do nothing by themselves (a = 1); 2 without delay.

    Examples
    --------
    >>> delay_bound(0), round(delay_bound(1), 6)
    (2.0, 1.0)
    """
    tau = validate.integer("delay", delay, 0)
    return float(2.0 * np.sin(np.pi / (2.0 * (2.0 * tau + 1.0))))


def steady_variance(
    topology: Topology, step: float, node: Node | None = None, channel: Channel | None = None
) -> SteadyVariance:
    """Variance over nodes that linear nodes settle at, with and without exchange.

    Parameters
    ----------
    topology : Topology
        Connected graph; at most 1500 nodes unless complete or a ring.
    step : float
        ε > 0.
    node : Autoregressive or Oscillator, optional
        An oscillator must have no control and no floor.
    channel : Channel, optional
        Delay, or (on at most 200 nodes, and not together with delay) loss. Rounding is not
        linear and is left out.

    Returns
    -------
    SteadyVariance
        In Ψ².

    Raises
    ------
    ParameterError
        If the node is not linear, the channel rounds or both delays and loses, the graph is too
        large, or the loop is unstable so that no steady state exists.

    Examples
    --------
    >>> v = steady_variance(Topology.complete(10), 0.05, Autoregressive(0.9, 0.1))
    >>> round(v.after, 6), round(0.9 * 0.25 * 0.01 / (1 - 0.81 * 0.25), 6)
    (0.002821, 0.002821)
    """
    node = Autoregressive() if node is None else node
    channel = Channel() if channel is None else channel
    step = validate.real("step", step, 0.0, open_low=True)
    if isinstance(node, Oscillator) and (node.weights is not None or node.floor != -np.inf):
        raise ParameterError("node", node, "weights=None and floor=-inf, which make it linear")
    if channel.quantum > 0.0 or (channel.delay and channel.loss):
        raise ParameterError("channel", channel, "delay or loss, not both, and no rounding")
    matrix, noise = node.linear
    n = topology.n_nodes
    without = (n - 1) / n * _mode(0.0, 0, matrix, noise)[0]
    if channel.loss > 0.0:
        before, after = _with_loss(topology, step, channel.loss, matrix, noise)
        return SteadyVariance(before, after, without)
    values, copies = _eigenvalues(topology)
    modes = np.array([_mode(step * v, channel.delay, matrix, noise) for v in values])
    before, after = (copies[:, np.newaxis] * modes).sum(axis=0) / n
    return SteadyVariance(float(before), float(after), without)


def _eigenvalues(topology: Topology) -> tuple[FloatArray, FloatArray]:
    n = topology.n_nodes
    if topology.is_complete:
        return np.array([float(n)]), np.array([n - 1.0])
    if topology.name == "ring":
        values = 2.0 - 2.0 * np.cos(2.0 * np.pi * np.arange(1, n) / n)
    else:
        validate.integer("n_nodes", n, 1, DENSE_LIMIT)
        if len(topology.components) > 1:
            raise ParameterError("topology", topology.name, "a connected graph")
        values = np.asarray(np.linalg.eigvalsh(topology.laplacian())[1:], np.float64)
    unique, copies = np.unique(values.round(12), return_counts=True)
    return unique, copies.astype(np.float64)


def _mode(
    strength: float, delay: int, matrix: FloatArray, noise: FloatArray
) -> tuple[float, float]:
    """Variance of one mode before and after an exchange of strength ε·λ."""
    from scipy.linalg import solve_discrete_lyapunov

    m = noise.size
    size = m + delay
    # What the exchange leaves of x(t), as a row over (x(t), x₀(t − 1), …, x₀(t − τ)).
    exchanged = np.zeros((m, size))
    exchanged[:, :m] = np.eye(m)
    exchanged[0, 0 if delay == 0 else size - 1] -= strength
    transition = np.zeros((size, size))
    transition[:m] = matrix @ exchanged
    for k in range(delay):
        transition[m + k, 0 if k == 0 else m + k - 1] = 1.0
    if np.abs(np.linalg.eigvals(transition)).max() >= 1.0:
        raise ParameterError("step", f"ε·λ = {strength:g}", "a step for which the loop is stable")
    push = np.concatenate([noise, np.zeros(delay)])
    covariance = solve_discrete_lyapunov(transition, np.outer(push, push))
    row = exchanged[0]
    return float(covariance[0, 0]), float(row @ covariance @ row)


def _with_loss(
    topology: Topology, step: float, loss: float, matrix: FloatArray, noise: FloatArray
) -> tuple[float, float]:
    """Average over lost links: P ← A·(W̄PW̄ + ε²p(1 − p)·Σ_e L_e P L_e)·Aᵀ + b·bᵀ, iterated."""
    if noise.size > 1:
        raise ParameterError("channel", f"loss = {loss:g}", "no loss with oscillators")
    n = validate.integer("n_nodes", topology.n_nodes, 1, LOSS_LIMIT)
    a, variance = float(matrix[0, 0]), float(noise[0] ** 2)
    edges = topology.edges
    left, right = edges[:, 0], edges[:, 1]
    laplacian = topology.laplacian()
    mixing = np.eye(n) - step * (1.0 - loss) * laplacian
    centre = np.eye(n) - 1.0 / n
    covariance = centre * variance
    after = covariance
    for _ in range(100_000):
        # L_e P L_e is (P_ii + P_jj − 2P_ij) times L_e: a Laplacian weighted link by link.
        contrast = covariance[left, left] + covariance[right, right] - 2 * covariance[left, right]
        scatter = np.zeros((n, n))
        scatter[left, right] -= contrast
        scatter[right, left] -= contrast
        np.fill_diagonal(scatter, -scatter.sum(axis=1))
        after = mixing @ covariance @ mixing + step**2 * loss * (1.0 - loss) * scatter
        following = a * a * after + variance * centre
        change = float(np.abs(following - covariance).max())
        covariance = following
        if not change < 1e300:
            break
        if change <= 1e-13 * float(np.abs(covariance).max()):
            return float(np.trace(covariance)) / n, float(np.trace(after)) / n
    raise ParameterError("step", step, "a step for which the loop is stable")
