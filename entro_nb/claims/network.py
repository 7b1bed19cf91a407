"""Claims of ENTRO-NET (seeds 001 and 002): what synchronising, learning and isolating do."""

from __future__ import annotations

import warnings

import numpy as np

from entro_nb import network
from entro_nb.claims import scaling
from entro_nb.claims.finding import Evaluator, Finding, Verdict, interval, judged
from entro_nb.claims.published import figures, observed
from entro_nb.network import Topology

__all__ = ["CLAIMS"]


def _objective(objective: network.Objective, why: str, notebook: str, instead: str = "") -> Finding:
    value, low, high = objective.measured
    holds = {"holds": Verdict.REPRODUCED, "fails": Verdict.NOT_REPRODUCED}
    return Finding(
        f"{100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]",
        holds.get(objective.verdict, Verdict.PARTLY),
        why,
        notebook,
        100 * low,
        100 * high,
        instead,
    )


def _removed(seed: int) -> Finding:
    sound = network.variance_removed(5, kappa=0.1, seed=seed)
    gentle = network.scaling_study([3, 5, 15], steps=300, runs=3, kappa=0.1)
    cut = 1 - gentle.variance.mean("replicate") / gentle.unsynchronised.mean("replicate")
    value, low, high = sound.measured
    return Finding(
        "published exchange at κ = 0.1: "
        + ", ".join(f"{100 * float(c):.0f} % at N = {int(n)}" for n, c in zip(cut.node_count, cut))  # noqa: B905
        + f"; sound exchange, N = 5: {100 * value:.1f} %",
        judged((cut > 0.5).values),
        "It holds where ακN is well below 2, at the smaller default κ and few nodes, and turns "
        "into amplification beyond.",
        "07_psi_sync",
        100 * low,
        100 * high,
        "With the step taken from the graph it holds at every N tried in notebook 07.",
    )


def _transfer(seed: int) -> Finding:
    found = {
        regime: network.adaptation_saved(regime, "collective", replicates=8, seed=seed)
        for regime in ("scraper", "llm")
    }
    measured = {regime: o for regime, o in found.items() if o is not None}
    slow = network.adaptation_saved("scraper", "collective", eta=0.0003, replicates=8, seed=seed)
    low, high = (
        min(o.measured.low for o in measured.values()),
        max(o.measured.high for o in measured.values()),
    )
    return Finding(
        ", ".join(f"{r}: {100 * o.measured.value:.0f} %" for r, o in measured.items()),
        judged([o.verdict == "holds" for o in measured.values()]),
        "At the published learning rate a new node adapts as fast from scratch, and transferred "
        "weights can be in its way.",
        "08_collective_learning",
        100 * low,
        100 * high,
        ""
        if slow is None
        else f"For slow learners (η = 0.0003, scraper) transfer saves "
        f"{100 * slow.measured.value:.0f} %.",
    )


def _protection(seed: int) -> Finding:
    graph = Topology.random(15, 4.0, seed)
    published = network.nodes_protected(graph, [1, 5], "published", replicates=5, seed=seed)
    sound = network.nodes_protected(graph, [1, 5], "sound", replicates=5, seed=seed)
    return _objective(
        published,
        "The published isolation marks nodes but never reaches the exchange: the healthy are "
        "dragged along, and isolated too.",
        "09_fault_isolation",
        f"With the edges cut, {100 * sound.measured.value:.1f} % of the runs protect every healthy "
        "node; what is left are faults that drift too slowly to be seen.",
    )


def _cascade(seed: int) -> Finding:
    graph = Topology.random(15, 4.0, seed)
    runs = network.contagion(graph, 2, network.Outbreak("stuck", "none"), replicates=10, seed=seed)
    kept = float(runs.protection.mean())
    low, high = interval(100 * runs.protection.values)
    return Finding(
        f"two stuck nodes of fifteen leave {100 * kept:.0f} % of the healthy below Ψ_critical",
        judged(kept > 0.99),
        "The exchange is what carries a fault from node to node; only isolation that cuts edges "
        "stops it.",
        "09_fault_isolation",
        low,
        high,
        "Exchange with sound isolation does prevent it for stuck, noisy and lying nodes.",
    )


def _single_node(seed: int) -> Finding:
    study = network.compare_policies(network.Task(regime="scraper"), replicates=10, seed=seed)
    loss = study.loss.mean("replicate")
    start = float(loss.sel(policy="fixed"))
    cuts = {str(p): 100 * (1 - float(loss.sel(policy=p)) / start) for p in loss.policy.values}
    ratio = study.loss.sel(policy="published") / study.loss.sel(policy="fixed")
    low, high = interval(100 * (1 - ratio.values))
    best = max(cuts, key=lambda name: cuts[name])
    return Finding(
        f"{cuts['published']:.1f} % against fixed weights in the scraper regime",
        judged(low <= figures("N18")[0] <= high),
        "Fixed weights do better than the published update there, whose gradient does not see "
        "how the weights act on the loss.",
        "08_collective_learning",
        low,
        high,
        f"The best policy tried, {best}, cuts the loss by {cuts[best]:.1f} %.",
    )


def _lyapunov(seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    falls = {}
    for name, kappa in (("sound", 1 / 20), ("published", 1.0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", network.StabilityWarning)
            sync = network.PsiSync(20, kappa=kappa)
        fall = []
        for _ in range(200):
            psi = rng.uniform(0.3, 0.4, 20)
            before, after = network.v_net(psi), network.v_net(np.asarray(sync.broadcast(psi)))
            fall.append(after <= before + 1e-12)
        falls[name] = float(np.mean(fall))
    return Finding(
        f"decreases in {100 * falls['sound']:.0f} % of exchanges below the bound, in "
        f"{100 * falls['published']:.0f} % at the study's κ = 1",
        judged([falls["sound"] == 1, falls["published"] == 1]),
        "The exchange keeps the mean and multiplies deviations by 1 − ακN: V_net falls if and only "
        "if the step is below 2/λ_max.",
        "07_psi_sync",
        instead="Below the bound the decrease is proved, with its least size.",
    )


def _quick_start(seed: int) -> Finding:
    theirs = observed("entro-net")
    sync, threshold = network.PsiSync(n_nodes=3), network.NetThreshold(theta_base=1.2)
    weights = network.CollectiveAEW(eta=0.01, target=0.339).step(sync.broadcast([0.3, 0.4, 0.5]))
    theta = float(threshold.update([0.3, 0.4, 0.5]))
    return Finding(
        f"published package {theirs['version']}: {theirs['import_error']}",
        judged(theirs["import_works"]),
        "The package's front door exports nothing.",
        "07_psi_sync",
        instead=f"With entro_nb in the place of entro_net it runs: weights "
        f"{np.round(np.asarray(weights), 3).tolist()}, θ = {theta:.3f}.",
    )


def _tests(seed: int) -> Finding:
    tests = observed("entro-net")["tests"]
    run = sum(sum(counts.values()) for counts in tests.values())
    return Finding(
        f"{run} tests in {len(tests)} files of the published source distribution",
        judged(run >= figures("N25")[0]),
        "The test files that ship with the package hold no test.",
        "07_psi_sync",
    )


def _cubic(seed: int) -> Finding:
    outcome = []
    for n in (3, 10, 19):
        for width in np.linspace(0.05, 0.5, 10):
            states = 0.5 + width * np.linspace(-1, 1, n)
            sync = network.PsiSync.published(n, 0.1, adaptive=False)
            after = states + sync.exchange(states)
            linear = (1 - 0.1 * n) ** 2
            outcome.append(float(np.var(after) / np.var(states)) < linear)
    return Finding(
        f"it lowers the variance in {sum(outcome)} of {len(outcome)} cases over N and spread",
        judged(outcome),
        "For few and close nodes it adds to a step that is too small; else it overshoots, the more "
        "so the further apart they are.",
        "07_psi_sync",
        instead="Without overshoot if (N − 1)(ακ + α²D²) ≤ 1 for states within D.",
    )


def _threshold(seed: int) -> Finding:
    rng = np.random.default_rng(seed)
    theta = {}
    for spread in (0.05, 0.5):
        rule = network.NetThreshold(theta_base=1.2, gamma=2.5)
        for _ in range(20):
            theta[spread] = float(rule.update(0.5 + spread * rng.uniform(-1, 1, 10)))
    rises, crossed = theta[0.5] > theta[0.05], min(theta.values()) < 1.0
    return Finding(
        f"θ_net rises from {theta[0.05]:.3f} to {theta[0.5]:.3f} with the spread; "
        f"{'crossed' if crossed else 'never crossed'} by a state in [0, 1]",
        judged([rises, crossed]),
        "A higher threshold acts later, not more cautiously; and as no state exceeds 1 and no "
        "threshold lies below it, it gates nothing in the published range.",
        "07_psi_sync",
    )


#: Code of every claim, by its id.
CLAIMS: dict[str, Evaluator] = {
    **scaling.CLAIMS,
    "N14": _removed,
    "N15": _transfer,
    "N16": _protection,
    "N17": _cascade,
    "N18": _single_node,
    "N20": _lyapunov,
    "N21": _quick_start,
    "N25": _tests,
    "N26": _cubic,
    "N27": _threshold,
}
