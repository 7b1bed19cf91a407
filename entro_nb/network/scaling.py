"""The published scaling study, as published (seeds 001, 002), its cause, and the laws fitted to it.

Open loop: at each step every node draws a fresh state around a common wave, the protocol is
applied once, the variance of its output is noted, and nothing is fed back (golden figures in the
tests).

Why the published variance saturates: amplification, then the clip to [0, 1]. One exchange sends
the deviation d of a node to (1 − ακN)·d and a cubic rest. The draws are uniform and 0.1 wide, so
the output would be uniform and 0.1·|1 − ακN| wide, with variance
(1 − ακN)²·(0.1²/12)·(N − 1)/N. The clip cuts what leaves [0, 1]; no distribution on [0, 1] has a
variance above 1/4 (Popoviciu 1935), and that is where the curve goes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError, ParameterError
from entro_nb.network.exchange import flow_from_all
from entro_nb.network.stability import net_variance
from entro_nb.network.sync import PsiSync
from entro_nb.results import compiled, dataset, parameters_of
from entro_nb.validate import Count, FloatArray, Natural, Positive

if TYPE_CHECKING:
    import xarray as xr

#: What drives the nodes of the study.
Drive = Literal["scraper", "phase_shift"]

#: Steps at the end of a run over which the variance is averaged.
TAIL = 100

#: Width of the uniform draw that tells the nodes apart.
DRAW = 0.1

#: Largest variance of anything that lies in [0, 1].
CEILING = 0.25

#: Values of the network mean, and panels of a node's own draw with Gauss points in each.
MEANS, PANELS, POINTS = 12, 48, 3


def common_level(regime: str, t: int) -> float:
    """Common level of all nodes at step t: 0.3 + 0.4·sin(0.05·t), or 0.3 and 0.7 from t = 250.

    Examples
    --------
    >>> common_level("scraper", 0), common_level("phase_shift", 250)
    (0.3, 0.7)
    """
    if regime == "scraper":
        return 0.3 + 0.4 * math.sin(0.05 * t)
    return 0.3 if t < 250 else 0.7


def _source(n_nodes: int, run: int) -> random.Random:
    return random.Random(42 * run if n_nodes <= 15 else 101 * run + n_nodes)


def input_states(
    n_nodes: int, steps: int, run: int, regime: str = "scraper"
) -> Iterator[FloatArray]:
    """Input of one published run, step by step: level + 0.1·U(0, 1), drawn in node order.

    Python's own generator, seeded 101·run + N, or 42·run for N ≤ 15: the published figures
    depend on it.
    """
    source = _source(n_nodes, run)
    for t in range(steps):
        common = common_level(regime, t)
        yield np.array([common + DRAW * source.random() for _ in range(n_nodes)])


class StudyNode:
    """Node of the documents' quick start: observed once a step, it gives the study's input.

    :func:`study_nodes` makes them.
    """

    def __init__(self, source: random.Random, regime: Drive) -> None:
        self._source, self._regime, self._step = source, regime, -1

    def observe(self) -> float:
        """Ψ of the node now; each observation is one step of its time."""
        self._step += 1
        return common_level(self._regime, self._step) + DRAW * self._source.random()


@validate.checked
def study_nodes(n_nodes: Count, run: Natural = 0, regime: Drive = "scraper") -> list[StudyNode]:
    """Nodes with ``observe()``, as document 001's quick start calls them.

    Observed in order, step by step, they give what :func:`input_states` gives.

    Examples
    --------
    >>> nodes = study_nodes(3, run=1)
    >>> [round(node.observe(), 3) for node in nodes]
    [0.364, 0.303, 0.328]
    """
    source = _source(n_nodes, run)
    return [StudyNode(source, regime) for _ in range(n_nodes)]


@validate.checked
def published_variance(
    n_nodes: Count,
    steps: Count = 800,
    runs: Count = 4,
    *,
    kappa: Positive = 1.0,
    aggression: Positive = 1.0,
    adaptive: bool = True,
    regime: Drive = "scraper",
) -> FloatArray:
    """Variance that the published protocol leaves, as in the seeds' scaling study.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    steps, runs : int
        800 and 4 for N > 15, 300 and 3 for the smaller ones, as published.
    kappa, aggression, adaptive
        As `PsiSync.published` takes them; 1, 1 and True in the study.
    regime : {"scraper", "phase_shift"}
        What drives the nodes.

    Returns
    -------
    ndarray
        Mean over the last 100 steps of the variance over nodes, one value a run, in Ψ².

    Raises
    ------
    ParameterError
        If a count is below 1 or the regime is unknown.

    Examples
    --------
    >>> v = published_variance(20)
    >>> print(f"{v.mean():.6f} ± {v.std(ddof=1):.6f}")
    0.165380 ± 0.002169
    """
    result = np.empty(runs)
    for run in range(runs):
        sync = PsiSync.published(n_nodes, kappa, aggression, adaptive=adaptive)
        outputs = (sync.broadcast(psi) for psi in input_states(n_nodes, steps, run, regime))
        result[run] = np.mean([np.var(out) for out in outputs][-TAIL:])
    return result


@validate.checked
def scaling_study(
    nodes: Iterable[int],
    steps: Count = 800,
    runs: Count = 4,
    *,
    kappa: Positive = 1.0,
    aggression: Positive = 1.0,
    adaptive: bool = True,
    regime: Drive = "scraper",
) -> xr.Dataset:
    """Scaling study with all that explains it, the sound protocol on the same input beside it.

    Parameters
    ----------
    nodes : iterable of int
        Numbers of nodes N.
    steps, runs, kappa, aggression, adaptive, regime
        As for :func:`published_variance`.

    Returns
    -------
    xarray.Dataset
        Over ``node_count, replicate``: `variance` (published protocol), `unsynchronised`
        (the same input without exchange), `sound` (fastest admissible step), `gentle` (the
        seed's κ = 0.1, or 1/N where that is smaller), all in Ψ² and averaged over the last
        100 steps, and `clipped`, the share of outputs at 0 or 1. Over
        ``node_count, replicate, time``: `aggression`, the α of those last steps.

    Examples
    --------
    >>> study = scaling_study([3], steps=120, runs=2)
    >>> bool((study.sound < study.unsynchronised).all())
    True
    """
    counts = [validate.integer("nodes", n, 1) for n in nodes]
    tail = min(TAIL, steps)
    labels = {
        "variance": "variance after the published exchange",
        "unsynchronised": "variance of the input",
        "sound": "variance after the sound exchange, fastest step",
        "gentle": "variance after the sound exchange, κ = min(0.1, 1/N)",
        "clipped": "share of outputs at 0 or 1",
    }
    held = {name: np.zeros((len(counts), runs)) for name in labels}
    alpha = np.zeros((len(counts), runs, tail))
    for k, n in enumerate(counts):
        for run in range(runs):
            sync = PsiSync.published(n, kappa, aggression, adaptive=adaptive)
            sound, gentle = PsiSync(n), PsiSync(n, kappa=min(0.1, 1.0 / n))
            for t, psi in enumerate(input_states(n, steps, run, regime)):
                out = sync.broadcast(psi)
                if (place := t - (steps - tail)) < 0:
                    continue
                alpha[k, run, place] = sync.aggression
                held["variance"][k, run] += net_variance(out)
                held["unsynchronised"][k, run] += net_variance(psi)
                held["sound"][k, run] += net_variance(sound.broadcast(psi))
                held["gentle"][k, run] += net_variance(gentle.broadcast(psi))
                held["clipped"][k, run] += np.mean((out == 0.0) | (out == 1.0))
    dims, units = ("node_count", "replicate"), {"clipped": "1"}
    return dataset(
        {
            **{
                name: (dims, held[name] / tail, units.get(name, "psi²"), label)
                for name, label in labels.items()
            },
            "aggression": ((*dims, "time"), alpha, "1", "aggression α"),
        },
        coords={
            "node_count": (counts, "nodes"),
            "replicate": "1",
            "time": (np.arange(steps - tail, steps), "steps"),
        },
        parameters=parameters_of(
            steps=steps, runs=runs, kappa=kappa, aggression_start=aggression,
            adaptive=adaptive, regime=regime,
        ),
        title="Open-loop scaling study",
        source="seeds 001 and 002",
    )  # fmt: skip


@validate.checked
def unclipped_variance(n_nodes: Count, gain: float) -> float:
    """Variance after one linear exchange that nothing clips: (1 − N·ακ)²·(0.01/12)·(N − 1)/N.

    Exact for the input of the published study, whatever N.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    gain : float
        ακ.

    Returns
    -------
    float
        Expected population variance, in Ψ².

    Examples
    --------
    >>> round(unclipped_variance(5, 1.0), 6)
    0.010667
    """
    return (1.0 - n_nodes * gain) ** 2 * DRAW**2 / 12.0 * (n_nodes - 1) / n_nodes


@compiled
def _predicted(
    n: int, levels: FloatArray, alpha: FloatArray, kappa: float, means: FloatArray,
    draws: FloatArray,
) -> float:  # fmt: skip
    """Mean over the levels; rows of `means` and `draws` are values and their weights."""
    total = 0.0
    for t in range(levels.size):
        linear = alpha[t] * kappa
        cubic = alpha[t] * alpha[t]
        squares = (n - 1) * DRAW * DRAW / 12.0
        for k in range(means.shape[1]):
            shift = means[0, k]
            centre = levels[t] + DRAW * (0.5 + shift)
            first = second = along = 0.0
            for q in range(draws.shape[1]):
                # Given the mean, a node's own draw is a little likelier on the mean's side.
                draw = draws[0, q]
                weight = draws[1, q] * (1.0 + 12.0 * shift * draw)
                d = DRAW * (draw - shift)
                taken = flow_from_all(d, n, squares, 0.0, linear, cubic)
                value = min(1.0, max(0.0, centre + d + taken))
                first += weight * value
                second += weight * value * value
                along += weight * value * (draw - shift)
            variance = second - first * first
            # The mean of the outputs varies with what its input mean does not explain.
            own = 1.0 / 12.0 - shift * shift
            unexplained = variance - along * along / own if own > 0.0 else 0.0
            total += means[1, k] * (variance - unexplained / n)
    # Where the exchange levels everything at once, rounding may leave less than nothing.
    return max(0.0, total / levels.size)


@validate.checked
def predicted_variance(
    n_nodes: Count,
    aggression: npt.ArrayLike = 1.0,
    *,
    kappa: Positive = 1.0,
    steps: Count = 800,
    regime: Drive = "scraper",
) -> float:
    """Variance of the published study, computed from its cause and nothing fitted.

    Average over the phases t of the last 100 steps, and over the mean of the draws, of the
    variance of clip₀¹(Ψ̄ + d·(1 − ακN − 3α²S₂) − α²N·d³), where d is uniform and 0.1 wide and
    S₂ = (N − 1)·0.01/12. Nothing is random in it.

    Parameters
    ----------
    n_nodes : int
        N ≥ 1.
    aggression : array_like
        α, a number or one value for each of those steps, as measured in the adaptive study.
    kappa : float
        κ > 0.
    steps : int
        Length of the run, which sets the phases of its last 100 steps.
    regime : {"scraper", "phase_shift"}
        What drives the nodes.

    Returns
    -------
    float
        Expected variance over nodes, in Ψ².

    Raises
    ------
    ParameterError
        If a parameter is out of range or the number of α is wrong.

    Examples
    --------
    >>> round(predicted_variance(50), 2)
    0.21
    """
    tail = min(TAIL, steps)
    alpha = np.atleast_1d(validate.finite_array("aggression", aggression, low=0.0))
    if alpha.shape not in ((1,), (tail,)):
        raise ParameterError("aggression", f"array of shape {alpha.shape}", f"1 or {tail} values")
    levels = np.array([common_level(regime, t) for t in range(steps - tail, steps)])
    # The mean of N uniform draws, by its first moments: a normal law of variance 1/(12·N).
    z, z_weights = np.polynomial.hermite_e.hermegauss(MEANS)
    x, x_weights = np.polynomial.legendre.leggauss(POINTS)
    edges = np.linspace(-0.5, 0.5, PANELS + 1)
    half = 0.5 / PANELS
    within = ((edges[:-1] + half)[:, None] + half * x).ravel()
    draws = np.array([within, np.tile(half * x_weights, PANELS)])
    alphas = np.ascontiguousarray(np.broadcast_to(alpha, levels.shape))
    means = np.array([z / math.sqrt(12.0 * n_nodes), z_weights / z_weights.sum()])
    return _predicted(n_nodes, levels, alphas, kappa, means, draws)


@dataclass(frozen=True)
class Fit:
    """How well a law fits.

    Attributes
    ----------
    parameters : tuple of float
        Parameters of the law, in the order of its arguments.
    r2 : float
        Coefficient of determination 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; negative when the mean does
        better.
    rmse : float
        Root of the mean squared error, in the unit of the data.
    pearson : float
        Correlation of data and law, which is blind to a wrong slope and offset.
    """

    parameters: tuple[float, ...]
    r2: float
    rmse: float
    pearson: float


@validate.checked
def linear_law(nodes: npt.ArrayLike, slope: float = 0.0101, offset: float = -0.0331) -> FloatArray:
    """Linear law σ² = 0.0101·N − 0.0331 of the seeds, stated for N ≤ 15.

    Examples
    --------
    >>> linear_law([20, 30, 50])
    array([0.1689, 0.2699, 0.4719])
    """
    return slope * validate.finite_array("nodes", nodes) + offset


@validate.checked
def saturation_law(
    nodes: npt.ArrayLike, ceiling: float = 0.228, scale: Positive = 16.2
) -> FloatArray:
    """Saturation law σ² = σ²_max·(1 − e^{−N/N₀}) of the seeds, σ²_max = 0.228, N₀ = 16.2.

    Examples
    --------
    >>> saturation_law([0.0])
    array([0.])
    """
    return ceiling * -np.expm1(-validate.finite_array("nodes", nodes) / scale)


def _pair(**given: npt.ArrayLike) -> list[FloatArray]:
    """Two lists of numbers, checked, of one length."""
    pair = {name: validate.finite_array(name, values, ndim=1) for name, values in given.items()}
    validate.same_length(**pair)
    return list(pair.values())


def goodness(data: npt.ArrayLike, law: npt.ArrayLike, parameters: tuple[float, ...] = ()) -> Fit:
    """R², RMSE and correlation of a law's values with the data.

    Raises
    ------
    DataError
        If the data do not vary, so that R² has no meaning.

    Examples
    --------
    >>> goodness([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    Fit(parameters=(), r2=-0.5, rmse=1.0, pearson=1.0)
    """
    y, predicted = _pair(data=data, law=law)
    around = float(((y - y.mean()) ** 2).sum())
    if around == 0.0:
        raise DataError("data", data, "values that differ")
    error = float(((y - predicted) ** 2).sum())
    turn = predicted - predicted.mean()
    scale = float(np.sqrt(around * (turn**2).sum()))
    return Fit(
        parameters,
        1.0 - error / around,
        float(np.sqrt(error / y.size)),
        float(((y - y.mean()) * turn).sum() / scale) if scale > 0.0 else 0.0,
    )


def refit_linear(nodes: npt.ArrayLike, data: npt.ArrayLike) -> Fit:
    """Straight line of least squares through the data, parameters (slope, offset).

    Examples
    --------
    >>> refit_linear([1, 2, 3], [2, 4, 6]).r2
    1.0
    """
    x, y = _pair(nodes=nodes, data=data)
    slope = float(np.cov(x, y, bias=True)[0, 1] / x.var())
    offset = float(y.mean() - slope * x.mean())
    return goodness(y, linear_law(x, slope, offset), (slope, offset))


def refit_saturation(nodes: npt.ArrayLike, data: npt.ArrayLike) -> Fit:
    """Saturation law of least squares through the data, parameters (σ²_max, N₀).

    For a given N₀ the best σ²_max is a ratio of sums, so only N₀ is searched, on [0.01, 1000]
    times the largest N.

    Examples
    --------
    >>> fit = refit_saturation([5, 10, 20, 40], saturation_law([5, 10, 20, 40]))
    >>> [round(p, 3) for p in fit.parameters]
    [0.228, 16.2]
    """
    from scipy.optimize import minimize_scalar

    x, y = _pair(nodes=nodes, data=data)
    validate.finite_array("nodes", x, low=0.0)

    def ceiling(scale: float) -> float:
        shape = saturation_law(x, 1.0, scale)
        return float(shape @ y / (shape @ shape))

    def error(log_scale: float) -> float:
        scale = float(np.exp(log_scale))
        return float(((y - saturation_law(x, ceiling(scale), scale)) ** 2).sum())

    ends = np.log(float(x.max()) * np.array([1e-2, 1e3]))
    best = minimize_scalar(error, bounds=tuple(ends), method="bounded", options={"xatol": 1e-10})
    scale = float(np.exp(best.x))
    top = ceiling(scale)
    return goodness(y, saturation_law(x, top, scale), (top, scale))
