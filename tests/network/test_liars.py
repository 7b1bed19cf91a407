"""Liars who are not caught: what a run is, what bounds the harm, and what finds the worst."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from entro_nb import graphs
from entro_nb.errors import ParameterError
from entro_nb.network import (
    DEFENCES,
    Defended,
    Lie,
    attack,
    harm_bound,
    spread_removed,
    trimmed_average,
    unseen_harm,
    worst_lie,
)

RING, FULL = graphs.graph("ring", 9), graphs.Graph.complete(9)
RANDOM = graphs.connected(9, 3.0, 2)


def by_hand(graph, liars, script, d, noise):
    """Healthy nodes, link by link: the same in plain Python."""
    n, cut, past = graph.n_nodes, set(), {}
    step = graph.spectrum.optimal
    lists = [[] for _ in range(n)]
    for i, j in graph.edges.tolist():
        lists[i].append(j)
        lists[j].append(i)
    x, states = np.full(n, 0.339), []
    for t, xi in enumerate(noise):
        x = 0.339 + 0.98 * (x - 0.339) + xi
        shown = x.copy()
        shown[liars] = [script[t, j, 0] for j in liars]
        new = np.full(n, np.nan)
        for i in set(range(n)) - set(liars):
            heard = {j: script[t, j, i] if j in liars else x[j] for j in lists[i]}
            heard = {j: m for j, m in heard.items() if (i, j) not in cut}
            centre = np.median(shown)
            if d.defence == "local":
                centre = np.median([x[i], *heard.values()])
            taken = 0.0
            for j, m in heard.items():
                away = m - x[i]
                if d.defence == "clipped":
                    away = np.clip(away, -d.reach, d.reach)
                elif d.defence not in ("averaging", "w-msr"):
                    bad = m > 0.8
                    if d.defence != "documented" and abs(m - centre) > d.distance:
                        bad = True
                    record = past.setdefault((i, j), [])
                    record.append(bad)
                    if sum(record[-5:]) >= 3:
                        cut.add((i, j))
                    if (i, j) in cut or (bad and d.defence != "documented"):
                        away = 0.0
                taken += away
            new[i] = x[i] + step * taken
            if d.defence == "w-msr":
                above = sorted((m for m in heard.values() if m > x[i]), reverse=True)
                below = sorted(m for m in heard.values() if m < x[i])
                same = [m for m in heard.values() if m == x[i]]
                new[i] = np.mean([x[i], *above[d.tolerated :], *below[d.tolerated :], *same])
        states.append(new)
        x = np.where(np.isnan(new), x, new)
    return np.array(states), len([c for c in cut if c[1] in liars])


@pytest.mark.parametrize("defence", DEFENCES)
@pytest.mark.parametrize("graph", [RING, FULL, RANDOM], ids=["ring", "complete", "random"])
def test_a_run_is_its_plain_self(defence, graph):
    rng, d = np.random.default_rng(3), Defended(defence)
    script = rng.uniform(0.3, 1.0, (60, 9, 9)) * rng.choice([1.0, 0.4], (60, 9, 1))
    script[:, :, 0] = script[:, :, [0]].mean(axis=2)
    found = attack(graph, [2, 5], defended=d, script=script, steps=60, seed=7)
    noise = 0.01 * np.random.default_rng(7).standard_normal((60, 9))
    # The overall median of "sound" takes in what a lie sends, and a script stands for no lie.
    if defence == "sound":
        lie = np.broadcast_to(np.array([0.339]), (60, 9, 9))
        found = attack(graph, [2, 5], Lie(), d, steps=60, seed=7)
        script = lie + 0.0
    states, cut = by_hand(graph, [2, 5], script, d, noise)
    np.testing.assert_allclose(found.states, states, rtol=1e-12)
    assert found.caught == cut


def test_without_liars_the_truth_is_the_network_without_their_links():
    found = attack(FULL, [0], Lie(offset=0.5), Defended("averaging"), steps=80, seed=4)
    noise = 0.01 * np.random.default_rng(4).standard_normal((80, 9))
    mean, expected = 0.339, []
    for xi in noise:  # what healthy nodes exchange adds up to nothing
        mean = 0.339 + 0.98 * (mean - 0.339) + xi[1:].mean()
        expected.append(mean)
    np.testing.assert_allclose(found.truth, expected, rtol=1e-12)


@settings(max_examples=60)
@given(
    st.sampled_from([RING, FULL, RANDOM]),
    st.sets(st.integers(0, 8), min_size=1, max_size=6),
    st.floats(0.001, 0.3),
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_clipped_bounds_the_harm_whatever_is_sent(graph, liars, reach, seed, size):
    rng, chosen = np.random.default_rng(seed), sorted(liars)
    held = np.repeat(rng.normal(0.3, size, (10, 9, 9)), 12, axis=0)  # sent for a while
    run = attack(graph, chosen, defended=Defended(reach=reach), script=held, steps=120, seed=seed)
    healthy = np.delete(run.states, chosen, axis=1).mean(axis=1)
    bound = harm_bound(graph, chosen, reach)
    grown = bound * (1 - 0.98 ** np.arange(1, 121))
    assert (np.abs(healthy - run.truth) <= grown + 1e-12).all()


def test_the_bound_is_attained():
    for graph in (RING, FULL, RANDOM):
        held = np.full((600, 9, 9), 50.0)
        run = attack(graph, [1, 4], defended=Defended(reach=0.01), script=held, steps=600)
        assert run.harm == pytest.approx(harm_bound(graph, [1, 4], 0.01), rel=1e-4)


def test_no_other_rule_keeps_that_bound():
    for defence in ("averaging", "documented", "sound", "local"):
        found = worst_lie(FULL, [0], Defended(defence), tries=12)
        assert found.harm > 3 * harm_bound(FULL, [0]), defence


def test_liars_at_the_edge_are_never_caught_and_lead_where_the_fixed_point_is():
    full = graphs.Graph.complete(15)
    for k, d in ((1, np.inf), (2, np.inf), (1, 0.25), (2, 0.05)):
        rule = Defended("documented") if np.isinf(d) else Defended("sound", distance=d)
        # A hair within the distance, of healthy nodes that noise spreads.
        lie = Lie(offset=0.98 * min(d, 1.0), cap=0.8, following=True)
        found = attack(full, list(range(k)), lie, rule, steps=800)
        assert found.caught == 0
        assert found.harm == pytest.approx(unseen_harm(15, k, d), rel=0.05)


def test_who_lies_too_much_is_cut():
    for defence in ("documented", "sound", "local"):
        found = attack(FULL, [0], Lie(offset=0.6), Defended(defence))
        assert found.caught == 8
        assert found.harm < 0.01
    assert attack(FULL, [0], Lie(offset=0.6), Defended("averaging")).caught == 0


@given(st.lists(st.integers(-3, 3), max_size=8), st.integers(-3, 3), st.integers(0, 9))
def test_trimming_is_its_definition(heard, own, drop):
    above = sorted((v for v in heard if v > own), reverse=True)[drop:]
    below = sorted(v for v in heard if v < own)[drop:]
    kept = [own, *above, *below, *(v for v in heard if v == own)]
    assert trimmed_average(float(own), np.array(heard, float), drop) == pytest.approx(np.mean(kept))


def test_lies_are_what_they_say():
    for lie, expected in (
        (Lie(offset=0.2), lambda t, i: 0.539),
        (Lie(drift=0.01, cap=0.5), lambda t, i: min(0.5, 0.339 + 0.01 * t)),
        (Lie(amplitude=0.1, period=4.0), lambda t, i: 0.339 + (0.1 if t % 4 < 2 else -0.1)),
        (Lie(face=0.1), lambda t, i: 0.339 + (0.1 if i % 2 == 0 else -0.1)),
    ):
        script = np.array(
            [[[expected(t, i) for i in range(9)] for _ in range(9)] for t in range(50)]
        )
        told, written = (
            attack(RANDOM, [3], one, Defended("averaging"), script=s, steps=50).states
            for one, s in ((lie, None), (None, script))
        )
        np.testing.assert_allclose(told, written, rtol=1e-12)


def test_the_price_of_a_defence():
    ring = graphs.graph("ring", 15)
    assert spread_removed(ring, Defended("averaging")) == pytest.approx(
        spread_removed(ring, Defended("clipped", reach=9.0))
    )
    assert spread_removed(ring, Defended("w-msr", tolerated=2)) < 0.1  # nobody is believed
    assert spread_removed(ring) > 0.8


def test_bad_attacks_are_refused():
    with pytest.raises(ParameterError, match="liars"):
        attack(RING, [9])
    with pytest.raises(ParameterError, match="liars"):
        attack(RING, list(range(9)))
    with pytest.raises(ParameterError, match="script"):
        attack(RING, [0], script=np.zeros((3, 2, 2)), steps=3)
    with pytest.raises(ParameterError, match="reach"):
        Defended(reach=0.0)
