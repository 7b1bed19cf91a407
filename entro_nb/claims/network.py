"""Claims of ENTRO-NET (seeds 001 and 002): synchronising, learning, isolating, scaling."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Iterable

import numpy as np

from entro_nb import network
from entro_nb.claims.table import Evaluator, Finding, Reading, figures, observed
from entro_nb.graphs import connected
from entro_nb.results import Interval, mean_interval


def _percent(share: Interval) -> Interval:
    return Interval(*(100 * value for value in share))


def _n14_removed(seed: int) -> Finding:
    sound = _percent(network.variance_removed(5, kappa=0.1, seed=seed).measured)
    gentle = network.scaling_study([3, 5, 15], steps=300, runs=3, kappa=0.1)
    cut = 1 - gentle.variance.mean("replicate") / gentle.unsynchronised.mean("replicate")
    return Finding(
        Reading(
            "published exchange at κ = 0.1: "
            + ", ".join(f"{100 * float(c):.0f} % at N = {int(c.node_count)}" for c in cut)
            + f"; sound exchange, N = 5: {sound.value:.1f} %",
            (cut > 0.5).values,
        ),
        "It holds where ακN is well below 2, at the smaller default κ and few nodes, and turns "
        "into amplification beyond.",
        sound,
        "t-interval (95 %) over seeds",
        instead="With the step taken from the graph it holds at every N tried in notebook 07.",
    )


def _n15_transfer(seed: int) -> Finding:
    saved = functools.partial(network.adaptation_saved, replicates=8, seed=seed)
    found = {regime: saved(regime, "collective") for regime in ("scraper", "llm")}
    shares = {regime: _percent(o.measured) for regime, o in found.items() if o is not None}
    slow = saved("scraper", "collective", eta=0.0003)
    slower = slow and _percent(slow.measured).value
    return Finding(
        Reading(
            ", ".join(f"{regime}: {share.value:.0f} %" for regime, share in shares.items()),
            [o.verdict == "holds" for o in found.values() if o is not None],
        ),
        "At the published learning rate a new node adapts as fast from scratch, and transferred "
        "weights can be in its way.",
        Interval(
            math.nan, min(s.low for s in shares.values()), max(s.high for s in shares.values())
        ),
        "t-interval (95 %) over seeds",
        instead=f"For slow learners (η = 0.0003, scraper) transfer saves {slower:.0f} %."
        if slow
        else "",
    )


def _n16_protection(seed: int) -> Finding:
    graph = connected(15, 4.0, seed)
    published = network.nodes_protected(graph, [1, 5], "published", replicates=5, seed=seed)
    sound = network.nodes_protected(graph, [1, 5], "sound", replicates=5, seed=seed)
    share = _percent(published.measured)
    return Finding(
        Reading(
            f"{share.value:.1f} % [{share.low:.1f}, {share.high:.1f}]",
            published.verdict == "holds",
        ),
        "The published isolation marks nodes but never reaches the exchange: the healthy are "
        "dragged along, and isolated too.",
        share,
        "t-interval (95 %) over seeds",
        instead=f"With the edges cut, {_percent(sound.measured).value:.1f} % of the runs protect "
        "every healthy node; what is left are faults that drift too slowly to be seen.",
    )


def _n17_cascade(seed: int) -> Finding:
    graph = connected(15, 4.0, seed)
    runs = network.contagion(graph, 2, network.Outbreak("stuck", "none"), replicates=10, seed=seed)
    kept = mean_interval(100 * runs.protection.values)
    return Finding(
        Reading(
            f"two stuck nodes of fifteen leave {kept.value:.0f} % of the healthy below Ψ_critical",
            kept.value > 99,
        ),
        "The exchange is what carries a fault from node to node; only isolation that cuts edges "
        "stops it.",
        kept,
        "t-interval (95 %) over seeds",
        instead="Exchange with sound isolation does prevent it for stuck, noisy and lying nodes.",
    )


def _n18_single_node(seed: int) -> Finding:
    task = network.Task(regime="scraper")
    loss = network.compare_policies(task, replicates=10, seed=seed).loss
    mean = loss.mean("replicate")
    shares = 100 * (1 - mean / mean.sel(policy="fixed"))
    cuts = dict(zip(map(str, loss.policy.values), shares.values.tolist(), strict=True))
    ratio = loss.sel(policy="published") / loss.sel(policy="fixed")
    cut, best = mean_interval(100 * (1 - ratio.values)), max(cuts, key=cuts.__getitem__)
    return Finding(
        Reading(
            f"{cuts['published']:.1f} % against fixed weights in the scraper regime",
            cut.low <= figures("N18")[0] <= cut.high,
        ),
        "Fixed weights do better than the published update there, whose gradient does not see "
        "how the weights act on the loss.",
        cut,
        "t-interval (95 %) over seeds",
        instead=f"The best policy tried, {best}, cuts the loss by {cuts[best]:.1f} %.",
    )


def _n20_lyapunov(seed: int) -> Finding:
    rng = np.random.default_rng(seed)

    def falls(kappa: float) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", network.StabilityWarning)
            sync = network.PsiSync(20, kappa=kappa)
        drawn = (rng.uniform(0.3, 0.4, 20) for _ in range(200))
        v = [(network.v_net(psi), network.v_net(np.asarray(sync.broadcast(psi)))) for psi in drawn]
        return float(np.mean([after <= before + 1e-12 for before, after in v]))

    sound, published = falls(1 / 20), falls(1.0)
    return Finding(
        Reading(
            f"decreases in {100 * sound:.0f} % of exchanges below the bound, in "
            f"{100 * published:.0f} % at the study's κ = 1",
            [sound == 1, published == 1],
        ),
        "The exchange keeps the mean and multiplies deviations by 1 − ακN: V_net falls if and only "
        "if the step is below 2/λ_max.",
        instead="Below the bound the decrease is proved, with its least size.",
    )


def _n21_quick_start(seed: int) -> Finding:
    theirs = observed("entro-net")
    sync, learner = network.PsiSync(n_nodes=3), network.CollectiveAEW(eta=0.01, target=0.339)
    weights = learner.step(sync.broadcast([0.3, 0.4, 0.5]))
    theta = float(network.NetThreshold(theta_base=1.2).update([0.3, 0.4, 0.5]))
    return Finding(
        Reading(
            f"published package {theirs['version']}: {theirs['import_error']}",
            theirs["import_works"],
        ),
        "The package's front door exports nothing.",
        instead=f"With entro_nb in the place of entro_net it runs: weights "
        f"{np.round(np.asarray(weights), 3).tolist()}, θ = {theta:.3f}.",
    )


def _n25_tests(seed: int) -> Finding:
    tests = observed("entro-net")["tests"]
    run = sum(sum(counts.values()) for counts in tests.values())
    return Finding(
        Reading(
            f"{run} tests in {len(tests)} files of the published source distribution",
            run >= figures("N25")[0],
        ),
        "The test files that ship with the package hold no test.",
    )


def _n26_cubic(seed: int) -> Finding:
    outcome = []
    for n in (3, 10, 19):
        for width in np.linspace(0.05, 0.5, 10):
            states = 0.5 + width * np.linspace(-1, 1, n)
            sync = network.PsiSync.published(n, 0.1, adaptive=False)
            after = states + sync.exchange(states)
            outcome.append(float(np.var(after) / np.var(states)) < (1 - 0.1 * n) ** 2)
    return Finding(
        Reading(
            f"it lowers the variance in {sum(outcome)} of {len(outcome)} cases over N and spread",
            outcome,
        ),
        "For few and close nodes it adds to a step that is too small; else it overshoots, the more "
        "so the further apart they are.",
        instead="Without overshoot if (N − 1)(ακ + α²D²) ≤ 1 for states within D.",
    )


def _n27_threshold(seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    theta = {}
    for spread in (0.05, 0.5):
        rule = network.NetThreshold(theta_base=1.2, gamma=2.5)
        for _ in range(20):
            theta[spread] = float(rule.update(0.5 + spread * rng.uniform(-1, 1, 10)))
    rises, crossed = theta[0.5] > theta[0.05], min(theta.values()) < 1.0
    return Finding(
        Reading(
            f"θ_net rises from {theta[0.05]:.3f} to {theta[0.5]:.3f} with the spread; "
            f"{'crossed' if crossed else 'never crossed'} by a state in [0, 1]",
            [rises, crossed],
        ),
        "A higher threshold acts later, not more cautiously; and as no state exceeds 1 and no "
        "threshold lies below it, it gates nothing in the published range.",
    )


#: Sizes and lengths of the small study, whose figures the documents' linear law was fitted to.
SMALL = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15)
LARGE = (20, 30, 50)


@functools.lru_cache(maxsize=64)
def _variance(n: int) -> tuple[float, float]:
    """Mean and deviation of the published protocol's variance, with the published seeds."""
    runs = network.published_variance(n, 300, 3) if n in SMALL else network.published_variance(n)
    return float(runs.mean()), float(runs.std(ddof=1))


def _points() -> tuple[list[int], list[float]]:
    sizes = [*SMALL, *LARGE]
    return sizes, [_variance(n)[0] for n in sizes]


def _printed(ours: Iterable[float], stated: Iterable[float], form: str) -> list[bool]:
    """Whether the figures agree as far as they are printed."""
    pairs = zip(ours, stated, strict=True)
    return [f"{a:{form}}" == f"{b:{form}}" for a, b in pairs]


def _study(claim: str, n: int) -> Evaluator:
    def evaluate(seed: int) -> Finding:
        mean, deviation = _variance(n)
        return Finding(
            Reading(
                f"{mean:.6f} ± {deviation:.6f}",
                _printed((mean, deviation), figures(claim), ".6f"),
            ),
            f"The number is right to every digit, and is not what it is taken for: the exchange "
            f"multiplies deviations by 1 − ακN and the clip to [0, 1] cuts them off "
            f"(with α fixed at 1 that gives {network.predicted_variance(n):.3f}).",
            mean_interval(network.published_variance(n)),
            "t-interval (95 %) over seeds",
            instead="The sound exchange removes the variance instead.",
        )

    return evaluate


_n01 = _study("N01", 20)
_n02 = _study("N02", 30)
_n03 = _study("N03", 50)


def _n04_linear_law(seed: int) -> Finding:
    printed = [round(value, 4) for value in _points()[1][: len(SMALL)]]
    slope, offset = map(abs, network.refit_linear(SMALL, printed).parameters)
    stated = figures("N04")
    return Finding(
        Reading(
            f"{slope:.4f} N − {offset:.4f}",
            _printed((slope, offset), (stated[0], abs(stated[-1])), ".4f"),
        ),
        "It is the line of least squares through the published points.",
    )


def _n05_linear_goodness(seed: int) -> Finding:
    data = [round(value, 4) for value in _points()[1][: len(SMALL)]]
    fit = network.goodness(data, network.linear_law(SMALL))
    return Finding(
        Reading(
            f"R² = {fit.r2:.3f}; Pearson's r = {fit.pearson:.3f}",
            round(fit.r2, 3) == figures("N05")[0],
        ),
        "The printed figure is the correlation, not its square.",
        instead=f"R² is {fit.r2:.3f}.",
    )


def _n06_linear_predictions(seed: int) -> Finding:
    got = network.linear_law(LARGE)
    return Finding(
        Reading(" / ".join(f"{v:.4f}" for v in got), _printed(got, figures("N06"), ".4f")),
        "They follow from the line.",
    )


def _n07_deviations(seed: int) -> Finding:
    got = [100 * (_variance(n)[0] / float(network.linear_law(n)) - 1) for n in LARGE]
    return Finding(
        Reading(" / ".join(f"{v:.1f}" for v in got) + " %", _printed(got, figures("N07"), ".1f")),
        "They follow from the line and the published variances.",
    )


def _n08_saturation_law(seed: int) -> Finding:
    sizes, data = _points()
    ceiling, scale = network.refit_saturation(sizes, data).parameters
    stated = figures("N08")
    return Finding(
        Reading(
            f"{ceiling:.3f}, {scale:.1f}",
            [abs(ceiling / stated[0] - 1) < 0.02, abs(scale / stated[1] - 1) < 0.02],
        ),
        "The least-squares fit of the stated form to the published points has other parameters.",
        instead=f"The variance tends to {network.CEILING:g}, the clip's bound, along a law derived "
        "from the amplification and the clip, with nothing fitted.",
    )


def _n09_saturation_goodness(seed: int) -> Finding:
    sizes, data = _points()
    stated = network.goodness(data, network.saturation_law(sizes))
    best = network.refit_saturation(sizes, data)
    r2, rmse = figures("N09")
    return Finding(
        Reading(
            f"R² = {stated.r2:.3f}, RMSE = {stated.rmse:.3f}",
            best.r2 >= r2 and round(stated.r2, 3) == r2,
            proved=bool(best.r2 < r2),
        ),
        f"On the published points the law misses by {stated.rmse / rmse:.0f} times the stated "
        f"error; no law of this form does better than R² = {best.r2:.3f}, RMSE = {best.rmse:.3f}.",
    )


def _n10_ceiling(seed: int) -> Finding:
    beyond = {n: float(network.published_variance(n, 300, 2).mean()) for n in (100, 200)}
    stated = figures("N10")[0]
    return Finding(
        Reading(
            ", ".join(f"{v:.3f} at N = {n}" for n, v in beyond.items()),
            all(v <= stated for v in beyond.values()),
        ),
        "More nodes are amplified more, and more of them end at 0 or 1: the bound is a quarter, "
        "the variance of half the nodes at each end.",
        instead=f"The ceiling is {network.CEILING:g}, and it is the clip's.",
    )


def _n11_self_regulation(seed: int) -> Finding:
    adaptive = {n: _variance(n)[0] for n in LARGE}
    fixed = {n: float(network.published_variance(n, adaptive=False).mean()) for n in LARGE}
    worse = [adaptive[n] > fixed[n] for n in LARGE]
    return Finding(
        Reading(
            "adaptive / fixed α: "
            + ", ".join(f"{adaptive[n]:.3f} / {fixed[n]:.3f}" for n in LARGE)
            + f" at N = {', '.join(map(str, LARGE))}",
            np.logical_not(worse),
        ),
        "Tuning raises α when the variance is high, which amplifies it further; weights and "
        "threshold never reach the exchange of the study.",
        instead="What bounds the variance is the clip to [0, 1].",
    )


def _n12_no_catastrophe(seed: int) -> Finding:
    clipped, of_input = _variance(50)[0], 0.01 / 12
    return Finding(
        Reading(
            f"{clipped / of_input:.0f} times the variance of the unsynchronised input at N = 50",
            [math.isfinite(clipped), clipped < of_input],
        ),
        f"Nothing diverges because every state is cut off at 0 and 1; without the clip the "
        f"variance of one exchange would be {network.unclipped_variance(50, 1.0):.1f}.",
        instead="With the step below 2/λ_max the exchange lowers the variance at every N tried in "
        "notebook 10.",
    )


def _n13_crossover(seed: int) -> Finding:
    sizes = np.arange(2, 101)
    curve = np.array([network.predicted_variance(int(n), steps=300) for n in sizes])
    bend = float(sizes[1:-1][np.argmin(np.diff(curve, 2))])
    half = float(sizes[np.argmax(curve > network.CEILING / 2)])
    return Finding(
        Reading(
            f"half of the ceiling at N = {half:.0f}; sharpest bend at N = {bend:.0f} (α = 1)",
            [15 <= half <= 25, 15 <= bend <= 25],
        ),
        "The derived curve bends where amplified draws of ±0.05 begin to reach the clip; smooth "
        "it is, its place depends on κ, α and the size of the draws.",
    )


def _n19_bands(seed: int) -> Finding:
    bands = ((2, 5, 0.0, 0.05), (6, 12, 0.05, 0.09), (13, 20, 0.09, 0.17), (21, 30, 0.17, 0.20))
    sizes, data = _points()
    inside = [
        low <= value <= high
        for first, last, low, high in bands
        for n, value in zip(sizes, data, strict=True)
        if first <= n <= last
    ]
    return Finding(
        Reading(
            f"{sum(inside)} of {len(inside)} of the documents' own figures lie in their band",
            inside,
        ),
        "The second band leaves out its own first and last points.",
    )


def _n22_least_variance(seed: int) -> Finding:
    own, stated = _variance(5)[0], figures("N22")[0]
    smallest = min(_points()[1])
    gentle = float(network.published_variance(5, 300, 3, kappa=0.1).mean())
    return Finding(
        Reading(
            f"{own:.4f} at N = 5; the least of the study is {smallest:.4f}, at N = 2",
            f"{own:.4f}" == f"{stated:.4f}",
        ),
        f"It contradicts the same project's scaling study by a factor of {own / stated:.0f}.",
        instead=f"At κ = 0.1 the variance at N = 5 is {gentle:.4f}.",
    )


def _n23_front_page(seed: int) -> Finding:
    study = network.scaling_study([5], steps=300, runs=3)
    ratio = study.variance / study.unsynchronised
    cut = mean_interval(100 * (1 - ratio.values.ravel()))
    gentle = network.scaling_study([5], steps=300, runs=3, kappa=0.1)
    then = 100 * (1 - float(gentle.variance.mean() / gentle.unsynchronised.mean()))
    return Finding(
        Reading(
            f"variance × {float(ratio.mean()):.0f} at N = 5",
            cut.low <= figures("N23")[0] <= cut.high,
        ),
        "The study's κ = 1 multiplies deviations by 1 − ακN, which five nodes bring far below −1.",
        cut,
        "t-interval (95 %) over seeds",
        instead=f"At κ = 0.1 the reduction is {then:.0f} %.",
    )


def _n24_critical_size(seed: int) -> Finding:
    edges = {kappa: 2 / kappa for kappa in (0.1, 0.3, 1.0)}
    return Finding(
        Reading(
            "critical N = 2/(ακ): " + ", ".join(f"{n:.0f} at κ = {k:g}" for k, n in edges.items()),
            [6 <= n <= 8 for n in edges.values()],
        ),
        "There is no critical N by itself: on the complete graph the exchange is stable for "
        "ακN < 2, and at the study's κ = 1 two nodes are too many already.",
    )
