"""The three objectives: how figures become verdicts."""

from __future__ import annotations

import pytest

from entro_nb import graphs
from entro_nb.network import (
    Objective,
    adaptation_saved,
    contagion,
    nodes_protected,
    objectives,
    simulate,
    steady_variance,
    variance_removed,
)
from entro_nb.results import Interval


@pytest.mark.parametrize(
    ("target", "interval", "verdict"),
    [
        (0.5, (0.6, 0.55, 0.65), "holds"),
        (0.5, (0.6, 0.45, 0.75), "undecided"),
        (0.5, (0.4, 0.35, 0.45), "fails"),
        (1.0, (1.0, 0.96, 1.0), "holds"),
        (1.0, (0.999, 0.99, 1.0), "fails"),
    ],
)
def test_verdicts_follow_from_the_interval(target, interval, verdict):
    objective = Objective("x", target, Interval(*interval))
    assert objective.verdict == verdict
    assert verdict in str(objective)


def test_variance_removed_is_what_lyapunov_expects():
    ring = graphs.graph("ring", 30)
    step = 0.3
    measured = variance_removed(30, graph=ring, kappa=step, replicates=20, steps=3000).measured
    assert measured.low < steady_variance(ring, step).reduction < measured.high


def test_variance_removed_compares_the_same_noise():
    settings = {"replicates": 3, "seed": 4, "record": False}
    on = simulate(4, 100, kappa=0.1, **settings).variance[:, 50:].mean()
    off = simulate(4, 100, synchronised=False, **settings).variance[:, 50:].mean()
    measured = variance_removed(4, kappa=0.1, steps=100, replicates=3, seed=4).measured
    assert measured.value == pytest.approx(float(1 - on / off))


def test_transfer_saves_slow_learners_and_not_quick_ones():
    slow = adaptation_saved("scraper", "reversed", eta=3e-4, replicates=12)
    quick = adaptation_saved("scraper", "collective", replicates=40)
    assert slow is not None
    assert slow.verdict == "holds"
    assert quick is None or quick.verdict == "fails"


def test_nothing_to_save_is_said_and_not_divided_by(monkeypatch):
    study = objectives.transfer_study("scraper", replicates=2, periods=2)
    study.adaptation_time[:] = 0
    monkeypatch.setattr(objectives, "transfer_study", lambda *_, **__: study)
    assert adaptation_saved() is None


def test_protection_counts_runs():
    graph = graphs.Graph.complete(9)
    none = nodes_protected(graph, [1, 3], "none", faults=["stuck"], replicates=4)
    saved = sum(
        int((contagion(graph, k, _stuck(), replicates=4).protection == 1).sum()) for k in (1, 3)
    )
    assert none.measured.value == saved / 8
    assert none.verdict == "fails"
    assert nodes_protected(graph, [1, 3], faults=["stuck"], replicates=4).verdict == "holds"


def _stuck():
    from entro_nb.network import Outbreak

    return Outbreak("stuck", "none")
