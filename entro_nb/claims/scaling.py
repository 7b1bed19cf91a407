"""Claims of ENTRO-NET about its scaling study (seeds 001 and 002)."""

from __future__ import annotations

import functools
import math

import numpy as np

from entro_nb import network
from entro_nb.claims.finding import Evaluator, Finding, Verdict, interval, judged
from entro_nb.claims.published import figures
from entro_nb.network import published_variance

__all__ = ["CLAIMS"]

#: Sizes and lengths of the small study, whose figures the documents' linear law was fitted to.
SMALL = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15)
LARGE = (20, 30, 50)


@functools.lru_cache(maxsize=64)
def _variance(n: int) -> tuple[float, float]:
    """Mean and deviation of the published protocol's variance, with the published seeds."""
    runs = published_variance(n, 300, 3) if n in SMALL else published_variance(n)
    return float(runs.mean()), float(runs.std(ddof=1))


def _points() -> tuple[list[int], list[float]]:
    sizes = [*SMALL, *LARGE]
    return sizes, [_variance(n)[0] for n in sizes]


def _study(claim: str, n: int) -> Evaluator:
    def evaluate(seed: int) -> Finding:
        mean, deviation = _variance(n)
        same = [f"{mean:.6f}" == f"{figures(claim)[0]:.6f}",
                f"{deviation:.6f}" == f"{figures(claim)[1]:.6f}"]  # fmt: skip
        low, high = interval(published_variance(n))
        derived = network.predicted_variance(n)
        return Finding(
            f"{mean:.6f} ± {deviation:.6f}",
            judged(same),
            f"The number is right to every digit, and is not what it is taken for: the exchange "
            f"multiplies deviations by 1 − ακN and the clip to [0, 1] cuts them off "
            f"(with α fixed at 1 that gives {derived:.3f}).",
            "10_scaling_law",
            low,
            high,
            "The sound exchange removes the variance instead.",
        )

    return evaluate


def _linear_law(seed: int) -> Finding:
    slope, offset = figures("N04")[0], figures("N04")[-1]
    printed = [round(value, 4) for value in _points()[1][: len(SMALL)]]
    best = network.refit_linear(SMALL, printed).parameters
    return Finding(
        f"{best[0]:.4f} N − {abs(best[1]):.4f}",
        judged([f"{best[0]:.4f}" == f"{slope:.4f}", f"{abs(best[1]):.4f}" == f"{abs(offset):.4f}"]),
        "It is the line of least squares through the published points.",
        "10_scaling_law",
    )


def _linear_goodness(seed: int) -> Finding:
    data = [round(value, 4) for value in _points()[1][: len(SMALL)]]
    fit = network.goodness(data, network.linear_law(SMALL))
    return Finding(
        f"R² = {fit.r2:.3f}; Pearson's r = {fit.pearson:.3f}",
        judged(round(fit.r2, 3) == figures("N05")[0]),
        "The printed figure is the correlation, not its square.",
        "10_scaling_law",
        instead=f"R² is {fit.r2:.3f}.",
    )


def _linear_predictions(seed: int) -> Finding:
    got = network.linear_law(LARGE)
    return Finding(
        " / ".join(f"{v:.4f}" for v in got),
        judged([f"{a:.4f}" == f"{b:.4f}" for a, b in zip(got, figures("N06"), strict=True)]),
        "They follow from the line.",
        "10_scaling_law",
    )


def _deviations(seed: int) -> Finding:
    got = [100 * (_variance(n)[0] / float(network.linear_law(n)) - 1) for n in LARGE]
    return Finding(
        " / ".join(f"{v:.1f}" for v in got) + " %",
        judged([f"{a:.1f}" == f"{b:.1f}" for a, b in zip(got, figures("N07"), strict=True)]),
        "They follow from the line and the published variances.",
        "10_scaling_law",
    )


def _saturation_law(seed: int) -> Finding:
    sizes, data = _points()
    ceiling, scale = network.refit_saturation(sizes, data).parameters
    stated = figures("N08")
    return Finding(
        f"{ceiling:.3f}, {scale:.1f}",
        judged([abs(ceiling / stated[0] - 1) < 0.02, abs(scale / stated[1] - 1) < 0.02]),
        "The least-squares fit of the stated form to the published points has other parameters.",
        "10_scaling_law",
        instead=f"The variance tends to {network.CEILING:g}, the clip's bound, along a law derived "
        "from the amplification and the clip, with nothing fitted.",
    )


def _saturation_goodness(seed: int) -> Finding:
    sizes, data = _points()
    stated = network.goodness(data, network.saturation_law(sizes))
    best = network.refit_saturation(sizes, data)
    r2, rmse = figures("N09")
    return Finding(
        f"R² = {stated.r2:.3f}, RMSE = {stated.rmse:.3f}",
        Verdict.REFUTED if best.r2 < r2 else judged([round(stated.r2, 3) == r2]),
        f"On the published points the law misses by {stated.rmse / rmse:.0f} times the stated "
        f"error; "
        f"no law of this form does better than R² = {best.r2:.3f}, RMSE = {best.rmse:.3f}.",
        "10_scaling_law",
    )


def _ceiling(seed: int) -> Finding:
    beyond = {n: float(published_variance(n, 300, 2).mean()) for n in (100, 200)}
    stated = figures("N10")[0]
    return Finding(
        ", ".join(f"{v:.3f} at N = {n}" for n, v in beyond.items()),
        Verdict.REFUTED if all(v > stated for v in beyond.values()) else Verdict.REPRODUCED,
        "More nodes are amplified more, and more of them end at 0 or 1: the bound is a quarter, "
        "the variance of half the nodes at each end.",
        "10_scaling_law",
        instead=f"The ceiling is {network.CEILING:g}, and it is the clip's.",
    )


def _self_regulation(seed: int) -> Finding:
    adaptive = {n: _variance(n)[0] for n in LARGE}
    fixed = {n: float(published_variance(n, adaptive=False).mean()) for n in LARGE}
    worse = [adaptive[n] > fixed[n] for n in LARGE]
    return Finding(
        "adaptive / fixed α: "
        + ", ".join(f"{adaptive[n]:.3f} / {fixed[n]:.3f}" for n in LARGE)
        + f" at N = {', '.join(map(str, LARGE))}",
        Verdict.REFUTED if all(worse) else judged(np.logical_not(worse)),
        "Tuning raises α when the variance is high, which amplifies it further; weights and "
        "threshold never reach the exchange of the study.",
        "10_scaling_law",
        instead="What bounds the variance is the clip to [0, 1].",
    )


def _no_catastrophe(seed: int) -> Finding:
    with_, without = _variance(50)[0], network.unclipped_variance(50, 1.0)
    input_variance = 0.01 / 12
    return Finding(
        f"{with_ / input_variance:.0f} times the variance of the unsynchronised input at N = 50",
        judged([math.isfinite(with_), with_ < input_variance]),
        f"Nothing diverges because every state is cut off at 0 and 1; without the clip the "
        f"variance of one exchange would be {without:.1f}.",
        "10_scaling_law",
        instead="With the step below 2/λ_max the exchange lowers the variance at every N tried in "
        "notebook 10.",
    )


def _crossover(seed: int) -> Finding:
    sizes = np.arange(2, 101)
    curve = np.array([network.predicted_variance(int(n), steps=300) for n in sizes])
    bend = float(sizes[1:-1][np.argmin(np.diff(curve, 2))])
    half = float(sizes[np.argmax(curve > network.CEILING / 2)])
    return Finding(
        f"half of the ceiling at N = {half:.0f}; sharpest bend at N = {bend:.0f} (α = 1)",
        judged([15 <= half <= 25, 15 <= bend <= 25]),
        "The derived curve bends where amplified draws of ±0.05 begin to reach the clip; smooth "
        "it is, its place depends on κ, α and the size of the draws.",
        "10_scaling_law",
    )


def _bands(seed: int) -> Finding:
    bands = ((2, 5, 0.0, 0.05), (6, 12, 0.05, 0.09), (13, 20, 0.09, 0.17), (21, 30, 0.17, 0.20))
    sizes, data = _points()
    inside = [
        low <= value <= high
        for first, last, low, high in bands
        for n, value in zip(sizes, data, strict=True)
        if first <= n <= last
    ]
    return Finding(
        f"{sum(inside)} of {len(inside)} of the documents' own figures lie in their band",
        judged(inside),
        "The second band leaves out its own first and last points.",
        "10_scaling_law",
    )


def _least_variance(seed: int) -> Finding:
    own, stated = _variance(5)[0], figures("N22")[0]
    smallest = min(_points()[1])
    gentle = float(published_variance(5, 300, 3, kappa=0.1).mean())
    return Finding(
        f"{own:.4f} at N = 5; the least of the study is {smallest:.4f}, at N = 2",
        judged(f"{own:.4f}" == f"{stated:.4f}"),
        f"It contradicts the same project's scaling study by a factor of {own / stated:.0f}.",
        "10_scaling_law",
        instead=f"At κ = 0.1 the variance at N = 5 is {gentle:.4f}.",
    )


def _front_page(seed: int) -> Finding:
    study = network.scaling_study([5], steps=300, runs=3)
    ratio = study.variance / study.unsynchronised
    low, high = interval(100 * (1 - ratio.values.ravel()))
    gentle = network.scaling_study([5], steps=300, runs=3, kappa=0.1)
    cut = 100 * (1 - float(gentle.variance.mean() / gentle.unsynchronised.mean()))
    return Finding(
        f"variance × {float(ratio.mean()):.0f} at N = 5",
        judged(low <= figures("N23")[0] <= high),
        "The study's κ = 1 multiplies deviations by 1 − ακN, which five nodes bring far below −1.",
        "07_psi_sync",
        low,
        high,
        f"At κ = 0.1 the reduction is {cut:.0f} %.",
    )


def _critical_size(seed: int) -> Finding:
    edges = {kappa: 2 / kappa for kappa in (0.1, 0.3, 1.0)}
    return Finding(
        "critical N = 2/(ακ): " + ", ".join(f"{n:.0f} at κ = {k:g}" for k, n in edges.items()),
        judged([6 <= edges[0.3] <= 8, 6 <= edges[1.0] <= 8, 6 <= edges[0.1] <= 8]),
        "There is no critical N by itself: on the complete graph the exchange is stable for "
        "ακN < 2, and at the study's κ = 1 two nodes are too many already.",
        "07_psi_sync",
    )


#: Code of every claim, by its id.
CLAIMS: dict[str, Evaluator] = {
    "N01": _study("N01", 20),
    "N02": _study("N02", 30),
    "N03": _study("N03", 50),
    "N04": _linear_law,
    "N05": _linear_goodness,
    "N06": _linear_predictions,
    "N07": _deviations,
    "N08": _saturation_law,
    "N09": _saturation_goodness,
    "N10": _ceiling,
    "N11": _self_regulation,
    "N12": _no_catastrophe,
    "N13": _crossover,
    "N19": _bands,
    "N22": _least_variance,
    "N23": _front_page,
    "N24": _critical_size,
}
