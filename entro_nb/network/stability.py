"""What the exchange makes smaller, where it levels and where it amplifies, and what is left.

Linear exchange on the complete graph: every disagreement is multiplied by 1 − ακN, so it shrinks
exactly when 0 < ακN < 2, whatever the amplitude. The cubic term makes the factor depend on the
amplitude: with a = α²N·A², A the half-width of the states, the plane (ακN, a) holds every case.

Nodes that move by themselves keep some spread. The Laplacian's modes do not mix: along an
eigenvector of eigenvalue λ the deviation x and what the exchange makes of it,
s(t) = x(t) − ε·λ·x(t − τ), follow X(t + 1) = F·X(t) + b·ξ with X = (x(t), …, x(t − τ)), and their
covariance solves the discrete Lyapunov equation P = F·P·Fᵀ + b·bᵀ. The population variance over
nodes is the mean over nodes of the modes' variances, the mean mode left out.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.graphs import Graph
from entro_nb.network import exchange
from entro_nb.network.simulation import Autoregressive, Node, Oscillator, Transmission
from entro_nb.results import compiled
from entro_nb.validate import Bounds, Count, FloatArray, Positive

#: Largest graph for which loss of links is averaged exactly (matrices of N × N, one a link).
LOSS_LIMIT = 200

#: Outcomes of `outcome_map`: how far the variance is from its start after many exchanges.
LEVELS, STAYS, GROWS = 0, 1, 2


def v_net(psi: npt.ArrayLike, target: float = exchange.FAMILY_TARGET, axis: int = -1) -> FloatArray:
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


def net_variance(psi: npt.ArrayLike, axis: int = -1) -> FloatArray:
    """Population variance over the nodes, Var[Ψ_net], in Ψ².

    Examples
    --------
    >>> float(net_variance([0.0, 1.0]))
    0.25
    """
    states = validate.finite_array("psi", psi)
    return np.asarray(states.var(axis=validate.checked_axis(axis, states.ndim)))


def contraction(step: float, graph: Graph) -> float:
    """Largest factor on any disagreement in one linear exchange, ρ = max|1 − ε·λ| over λ > 0.

    Below 1 every disagreement shrinks; this is so exactly when 0 < ε < 2/λ_max. Where only a
    bound of λ_max is known, so is the factor. A single node has nobody to disagree with: 0.

    Examples
    --------
    >>> contraction(0.1, Graph.complete(5))
    0.5
    """
    ends = graph.spectrum
    if ends.largest == 0.0:
        return 0.0
    return ends.radius(step) if ends.smallest is None else ends.rate(step)


def guaranteed_decrease(psi: npt.ArrayLike, step: float, graph: Graph) -> float:
    """Least by which V_net falls in one linear exchange: ½·N·(1 − ρ²)·Var.

    The exchange keeps the mean, and V_net = ½·N·[(mean − Ψ*)² + Var], so V_net falls by what
    the variance loses, whatever the target.

    Parameters
    ----------
    psi : array_like
        States before the exchange, shape (N,).
    step : float
        ε = ακ.
    graph : Graph
        A connected graph.

    Returns
    -------
    float
        In Ψ²; negative when the step is not admissible (a rise of at most that size).

    Examples
    --------
    >>> round(guaranteed_decrease([0.0, 1.0], 0.25, Graph.complete(2)), 6)
    0.1875
    """
    states = validate.finite_array("psi", psi, ndim=1)
    rate = contraction(validate.real("step", step), graph)
    return float(0.5 * states.size * (1.0 - rate**2) * states.var())


class Setting(NamedTuple):
    """A setting named in the documents, or used in their studies."""

    name: str
    n_nodes: int
    kappa: float
    aggression: float
    source: str

    @property
    def gain(self) -> float:
        """ακN."""
        return self.aggression * self.kappa * self.n_nodes


#: Settings that the documents name or use, with α where they start it.
SETTINGS = (
    Setting("quick start, 3 nodes", 3, 0.1, 1.0, "seed 001"),
    Setting("quick start, 5 nodes", 5, 1.0, 1.0, "seed 002"),
    Setting("scaling study, N = 20", 20, 1.0, 1.0, "seed 001"),
    Setting("scaling study, N = 30", 30, 1.0, 1.0, "seed 001"),
    Setting("scaling study, N = 50", 50, 1.0, 1.0, "seed 001"),
)


def uniform_factor(gain: npt.ArrayLike, bend: npt.ArrayLike = 0.0) -> FloatArray:
    """Factor on the variance in one exchange, for states spread uniformly over ±A.

    (1 − g − a)² − 1.2·(1 − g − a)·a + (3/7)·a² with g = ακN and a = α²N·A²; exact for many
    nodes, and with a = 0 the square of the linear factor 1 − g for any number.

    Parameters
    ----------
    gain : array_like
        g = ακN.
    bend : array_like
        a = α²N·A², 0 without the cubic term.

    Returns
    -------
    ndarray
        Variance after over variance before: below 1 the exchange levels.

    Examples
    --------
    >>> float(uniform_factor(0.3).round(2)), float(uniform_factor(20.0))
    (0.49, 361.0)
    """
    g = validate.finite_array("gain", gain)
    a = validate.finite_array("bend", bend, low=0.0)
    # S₂ takes 3·α²·S₂ = α²N·A² = a off the slope; the rest is −α²N·d³.
    slope = 1.0 - g - a
    return np.asarray(slope**2 - 1.2 * slope * a + 3.0 / 7.0 * a**2)


@validate.checked
def pair_factor(
    kappa: Positive, aggression: Positive, difference: npt.ArrayLike, *, cubic: bool = True
) -> FloatArray:
    """Factor on the difference of two nodes in one exchange, 1 − 2·(ακ + α²d²).

    Contraction exactly when 0 < ακ + α²d² < 1.

    Examples
    --------
    >>> pair_factor(0.1, 1.0, [0.0, 0.5])
    array([0.8, 0.3])
    """
    d = validate.finite_array("difference", difference)
    return 1.0 - 2.0 * (aggression * kappa + (aggression * d) ** 2 * cubic)


@validate.checked
def no_overshoot(
    n_nodes: Count, kappa: Positive, aggression: Positive, width: npt.ArrayLike
) -> exchange.BoolArray:
    """Whether (N − 1)·(ακ + α²D²) ≤ 1: then no node passes its neighbours, D = max − min.

    Sufficient for levelling with the cubic term, not necessary.

    Examples
    --------
    >>> no_overshoot(3, 0.1, 1.0, [0.1, 0.9]).tolist()
    [True, False]
    """
    d = validate.finite_array("width", width, low=0.0)
    return np.asarray((n_nodes - 1) * (aggression * kappa + (aggression * d) ** 2) <= 1.0)


@compiled
def _outcomes(
    links: exchange.Links, gains: FloatArray, amplitudes: FloatArray, start: FloatArray,
    cubic: float, steps: int,
) -> FloatArray:  # fmt: skip
    n = start.size
    d, after = np.empty(n), np.empty(n)
    out = np.zeros((gains.size, amplitudes.size))
    for i in range(gains.size):
        for k in range(amplitudes.size):
            d[:] = start * amplitudes[k]
            size = amplitudes[k]
            strength = exchange.Gains(gains[i] / n, cubic, -np.inf, np.inf)
            for _ in range(steps):
                mean = exchange.exchange_into(after, d, d, links, strength, exchange.EVERYBODY).mean
                size = 0.0
                for q in range(n):
                    d[q] = after[q] - mean
                    size = max(size, abs(d[q]))
                if not size < 1e3 or size < 1e-9:
                    break
            final = size / amplitudes[k]
            out[i, k] = LEVELS if final < 0.5 else STAYS if final < 1e3 else GROWS
    return out


@validate.checked
def outcome_map(
    n_nodes: Annotated[int, Bounds(2)],
    gains: npt.ArrayLike,
    amplitudes: npt.ArrayLike,
    aggression: Positive = 1.0,
    *,
    cubic: bool = True,
    steps: Count = 300,
) -> FloatArray:
    """What becomes of N evenly spread states after many exchanges without a clip.

    Parameters
    ----------
    n_nodes : int
        N ≥ 2.
    gains, amplitudes : array_like
        ακN, and the half-width A > 0 of the states.
    aggression : float
        α, whose square weighs the cubic term.
    cubic : bool
        Whether the cubic term acts.
    steps : int
        Exchanges before the verdict.

    Returns
    -------
    ndarray
        Shape (gains, amplitudes): 0 where the states level (their spread at least halves),
        1 where they stay spread, 2 where they run away (a thousandfold).

    Examples
    --------
    >>> outcome_map(5, [0.5, 2.5], [0.1], cubic=False).ravel()
    array([0., 2.])
    """
    g = validate.finite_array("gains", gains, ndim=1, low=0.0)
    a = validate.finite_array("amplitudes", amplitudes, ndim=1, low=1e-9)
    spread_evenly = np.linspace(-1.0, 1.0, n_nodes)
    links = exchange.links_of(Graph.complete(n_nodes))
    return _outcomes(links, g, a, spread_evenly, aggression**2 * cubic, steps)


class SteadyVariance(NamedTuple):
    """Population variance over nodes in the long run, in Ψ²."""

    before: float  #: before the exchange
    after: float  #: after it
    without: float  #: of the same nodes without exchange

    @property
    def reduction(self) -> float:
        """Share of the variance that the exchange takes away, 1 − after/without."""
        return 1.0 - self.after / self.without


@validate.checked
def delay_bound(delay: Annotated[int, Bounds(0)]) -> float:
    """Bound on ε·λ_max for levelling with messages of age τ: 2·sin(π/(2·(2τ + 1))).

    For nodes that do nothing by themselves (a = 1); 2 without delay.

    Examples
    --------
    >>> delay_bound(0), round(delay_bound(1), 6)
    (2.0, 1.0)
    """
    return float(2.0 * np.sin(np.pi / (2.0 * (2.0 * delay + 1.0))))


@validate.checked
def steady_variance(
    graph: Graph, step: Positive, node: Node | None = None, transmission: Transmission | None = None
) -> SteadyVariance:
    """Variance over nodes that linear nodes settle at, with and without exchange.

    Parameters
    ----------
    graph : Graph
        Connected graph; at most 1500 nodes unless complete or a ring.
    step : float
        ε > 0.
    node : Autoregressive or Oscillator, optional
        An oscillator must have no control and no floor.
    transmission : Transmission, optional
        Delay, or (on at most 200 nodes, and not together with delay) loss. Rounding is not
        linear and is left out.

    Returns
    -------
    SteadyVariance
        In Ψ².

    Raises
    ------
    ParameterError
        If the node is not linear, the transmission rounds or both delays and loses, the graph
        is too large, or the loop is unstable so that no steady state exists.

    Examples
    --------
    >>> v = steady_variance(Graph.complete(10), 0.05, Autoregressive(0.9, 0.1))
    >>> round(v.after, 6), round(0.9 * 0.25 * 0.01 / (1 - 0.81 * 0.25), 6)
    (0.002821, 0.002821)
    """
    node = Autoregressive() if node is None else node
    way = Transmission() if transmission is None else transmission
    if isinstance(node, Oscillator) and (node.weights is not None or node.floor != -np.inf):
        raise ParameterError("node", node, "weights=None and floor=-inf, which make it linear")
    if way.quantum > 0.0 or (way.delay and way.loss):
        raise ParameterError("transmission", way, "delay or loss, not both, and no rounding")
    matrix, noise = node.linear
    n = graph.n_nodes
    without = (n - 1) / n * _mode(0.0, 0, matrix, noise)[0]
    if way.loss > 0.0:
        before, after = _with_loss(graph, step, way.loss, matrix, noise)
        return SteadyVariance(before, after, without)
    values, copies = _eigenvalues(graph)
    modes = np.array([_mode(step * v, way.delay, matrix, noise) for v in values])
    before, after = (copies[:, np.newaxis] * modes).sum(axis=0) / n
    return SteadyVariance(float(before), float(after), without)


def _eigenvalues(graph: Graph) -> tuple[FloatArray, FloatArray]:
    n = graph.n_nodes
    if graph.is_complete and not graph.is_weighted:
        return np.array([float(n)]), np.array([n - 1.0])
    if len(graph.components()) > 1:
        raise ParameterError("graph", graph.name, "a connected graph")
    unique, copies = np.unique(graph.eigenvalues[1:].round(12), return_counts=True)
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
    graph: Graph, step: float, loss: float, matrix: FloatArray, noise: FloatArray
) -> tuple[float, float]:
    """Average over lost links: P ← A·(W̄PW̄ + ε²p(1 − p)·Σ_e L_e P L_e)·Aᵀ + b·bᵀ, iterated."""
    if noise.size > 1:
        raise ParameterError("transmission", f"loss = {loss:g}", "no loss with oscillators")
    n = validate.integer("n_nodes", graph.n_nodes, 1, LOSS_LIMIT)
    a, variance = float(matrix[0, 0]), float(noise[0] ** 2)
    edges = graph.edges
    left, right = edges[:, 0], edges[:, 1]
    laplacian = graph.laplacian()
    mixing = np.eye(n) - step * (1.0 - loss) * laplacian
    centre = np.eye(n) - 1.0 / n
    covariance = centre * variance
    after = covariance
    for _ in range(100_000):
        # L_e P L_e is (P_ii + P_jj − 2P_ij) times L_e: a Laplacian weighted link by link.
        contrast = covariance[left, left] + covariance[right, right] - 2 * covariance[left, right]
        contrast = contrast * graph.conductance**2
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
