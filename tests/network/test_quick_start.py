"""The quick starts of both seeds, with `entro_nb` in the place of `entro_net`."""

from __future__ import annotations

import numpy as np
import pytest

from entro_nb.network import FaultIsolation, StabilityWarning


class Node:
    """A node as seed 001's quick start assumes it."""

    def __init__(self, seed, level):
        self.rng, self.level = np.random.default_rng(seed), level

    def observe(self):
        return float(self.level + 0.05 * self.rng.standard_normal())


@pytest.mark.parametrize("collect", [list, np.array])
def test_seed_001(collect):
    from entro_nb import CollectiveAEW, NetThreshold, PsiSync

    nodes = [Node(0, 0.3), Node(1, 0.4), Node(2, 1.2)]
    sync = PsiSync(n_nodes=3)
    collective = CollectiveAEW(eta=0.01, target=0.339)
    threshold = NetThreshold(theta_base=1.2)
    for _ in range(500):
        psi_states = collect([node.observe() for node in nodes])
        synced_psi = sync.broadcast(psi_states)
        weights = collective.step(synced_psi)
        theta = threshold.update(synced_psi)
        if faulty := sync.detect_fault(psi_states):
            for faulty_id in faulty:
                sync.isolate_node(faulty_id)
    assert sync.isolated == [2]
    assert weights.sum() == pytest.approx(1.0)
    assert 1.0 <= theta <= 2.5


def test_seed_002():
    from entro_nb import CollectiveAEW, NetThreshold, PsiSync

    with pytest.warns(StabilityWarning, match="step 1 of the exchange"):
        sync = PsiSync(n_nodes=5, kappa=1.0, aggression=1.0)
    psi_states = [0.30, 0.32, 0.35, 0.31, 0.33]
    synced = sync.broadcast(psi_states)
    assert synced.mean() == pytest.approx(np.mean(psi_states))
    aew = CollectiveAEW(eta=0.01, target=0.339, beta=1.0)
    assert aew.step(0.32, 0.01, 0.0, [-0.02, 0.01]).sum() == pytest.approx(1.0)
    assert NetThreshold(theta_base=1.4, gamma=10.0).update(psi_states) > 1.4
    assert FaultIsolation(psi_critical=0.8).check_node(0, 0.5) is False
