"""The two laws that the seeds fit to their scaling figures, and how well they really fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from entro_nb import validate
from entro_nb.errors import DataError
from entro_nb.validate import FloatArray

__all__ = ["Fit", "goodness", "linear_law", "refit_linear", "refit_saturation", "saturation_law"]


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


def linear_law(nodes: npt.ArrayLike, slope: float = 0.0101, offset: float = -0.0331) -> FloatArray:
    """Linear law σ² = 0.0101·N − 0.0331 of the seeds, stated for N ≤ 15.

    Examples
    --------
    >>> linear_law([20, 30, 50])
    array([0.1689, 0.2699, 0.4719])
    """
    return validate.real("slope", slope) * validate.finite_array("nodes", nodes) + validate.real(
        "offset", offset
    )


def saturation_law(nodes: npt.ArrayLike, ceiling: float = 0.228, scale: float = 16.2) -> FloatArray:
    """Saturation law σ² = σ²_max·(1 − e^{−N/N₀}) of the seeds, σ²_max = 0.228, N₀ = 16.2.

    Examples
    --------
    >>> saturation_law([0.0])
    array([0.])
    """
    scale = validate.real("scale", scale, 0.0, open_low=True)
    counts = validate.finite_array("nodes", nodes)
    return validate.real("ceiling", ceiling) * -np.expm1(-counts / scale)


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
    y = validate.finite_array("data", data, ndim=1)
    predicted = validate.finite_array("law", law, ndim=1)
    validate.same_length(data=y, law=predicted)
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
    x = validate.finite_array("nodes", nodes, ndim=1)
    y = validate.finite_array("data", data, ndim=1)
    validate.same_length(nodes=x, data=y)
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

    x = validate.finite_array("nodes", nodes, ndim=1, low=0.0)
    y = validate.finite_array("data", data, ndim=1)
    validate.same_length(nodes=x, data=y)

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
