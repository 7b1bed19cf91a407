"""Why the published variance saturates: amplification, then the clip to [0, 1].

One exchange sends the deviation d of a node to (1 − ακN)·d and a cubic rest. The draws are
uniform and 0.1 wide, so the output would be uniform and 0.1·|1 − ακN| wide, with variance
(1 − ακN)²·(0.1²/12)·(N − 1)/N. The clip cuts what leaves [0, 1]; no distribution on [0, 1]
has a variance above 1/4 (Popoviciu 1935), and that is where the curve goes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.scaling import DRAW, REGIMES, TAIL, level
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["CEILING", "predicted_variance", "unclipped_variance"]

#: Largest variance of anything that lies in [0, 1].
CEILING = 0.25

#: Values of the network mean, and panels of a node's own draw with Gauss points in each.
MEANS, PANELS, POINTS = 12, 48, 3


def unclipped_variance(n_nodes: int, gain: float) -> float:
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
    n = validate.integer("n_nodes", n_nodes, 1)
    amplification = 1.0 - n * validate.real("gain", gain)
    return amplification**2 * DRAW**2 / 12.0 * (n - 1) / n


@compiled
def _predicted(
    n: int,
    levels: FloatArray,
    alpha: FloatArray,
    kappa: float,
    means: FloatArray,
    mean_weights: FloatArray,
    draws: FloatArray,
    draw_weights: FloatArray,
) -> float:
    total = 0.0
    for t in range(levels.size):
        linear = alpha[t] * kappa * n
        cubic = alpha[t] * alpha[t]
        squares = (n - 1) * DRAW * DRAW / 12.0
        for k in range(means.size):
            shift = means[k]
            centre = levels[t] + DRAW * (0.5 + shift)
            first = 0.0
            second = 0.0
            along = 0.0
            for q in range(draws.size):
                # Given the mean, a node's own draw is a little likelier on the mean's side.
                weight = draw_weights[q] * (1.0 + 12.0 * shift * draws[q])
                d = DRAW * (draws[q] - shift)
                value = centre + d * (1.0 - linear - cubic * (3.0 * squares + n * d * d))
                value = min(1.0, max(0.0, value))
                first += weight * value
                second += weight * value * value
                along += weight * value * (draws[q] - shift)
            variance = second - first * first
            # The mean of the outputs varies with what its input mean does not explain.
            own = 1.0 / 12.0 - shift * shift
            unexplained = variance - along * along / own if own > 0.0 else 0.0
            total += mean_weights[k] * (variance - unexplained / n)
    # Where the exchange levels everything at once, rounding may leave less than nothing.
    return max(0.0, total / levels.size)


def predicted_variance(
    n_nodes: int,
    aggression: npt.ArrayLike = 1.0,
    *,
    kappa: float = 1.0,
    steps: int = 800,
    regime: str = "scraper",
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
    n = validate.integer("n_nodes", n_nodes, 1)
    kappa = validate.real("kappa", kappa, 0.0, open_low=True)
    steps = validate.integer("steps", steps, 1)
    regime = validate.choice("regime", regime, REGIMES)
    tail = min(TAIL, steps)
    alpha = np.atleast_1d(validate.finite_array("aggression", aggression, low=0.0))
    if alpha.shape not in ((1,), (tail,)):
        raise ParameterError("aggression", f"array of shape {alpha.shape}", f"1 or {tail} values")
    levels = np.array([level(regime, t) for t in range(steps - tail, steps)])
    # The mean of N uniform draws, by its first moments: a normal law of variance 1/(12·N).
    z, z_weights = np.polynomial.hermite_e.hermegauss(MEANS)
    x, x_weights = np.polynomial.legendre.leggauss(POINTS)
    edges = np.linspace(-0.5, 0.5, PANELS + 1)
    half = 0.5 / PANELS
    draws = ((edges[:-1] + half)[:, None] + half * x).ravel()
    return float(
        _predicted(
            n,
            levels,
            np.ascontiguousarray(np.broadcast_to(alpha, levels.shape)),
            kappa,
            z / math.sqrt(12.0 * n),
            z_weights / z_weights.sum(),
            draws,
            np.tile(half * x_weights, PANELS),
        )
    )
