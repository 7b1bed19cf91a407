"""The linearised loop against finite differences and against simulated runs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from entro_nb.engine import EntropyLaw, Loop, Phase, critical_gain, pipeline, simulate
from entro_nb.errors import ParameterError


def advance(loop, state):
    """The delayed loop, one step: state (a_t … a_{t−k}, q_t … q_{t−k})."""
    n = loop.delay + 1
    a, q = state[:n], state[n:]
    u = -loop.signal(loop.demand + a[-1], q[-1])
    now = a[0] * math.exp(-loop.law.relaxation * loop.dt) + loop.dt * u
    queue = q[0] + loop.dt * (loop.demand + now - loop.capacity)
    return np.concatenate([[now], a[:-1], [queue], q[:-1]])


@pytest.mark.parametrize("valves_only", [False, True])
@pytest.mark.parametrize(("delay", "dt"), [(0, 1.0), (1, 0.5), (4, 1.0)])
def test_matrix_is_the_derivative_of_the_loop(delay, dt, valves_only):
    loop = Loop(EntropyLaw(alpha=0.6, beta=1.5, valves_only=valves_only), delay, dt=dt)
    n = delay + 1
    rest = np.concatenate([np.full(n, loop.capacity - loop.demand), np.full(n, loop.rest().queue)])
    assert advance(loop, rest) == pytest.approx(rest, abs=1e-9)
    h = 1e-6
    columns = [
        (advance(loop, rest + h * unit) - advance(loop, rest - h * unit)) / (2 * h)
        for unit in np.eye(2 * n)
    ]
    assert loop.matrix() == pytest.approx(np.stack(columns, axis=1), abs=1e-6)


@pytest.mark.parametrize("delay", [0, 2, 5, 9])
def test_simulated_edge_is_the_linear_edge(delay):
    loop = Loop(EntropyLaw(), delay)
    edge = critical_gain(loop)
    calm, ringing = (
        replace(loop, law=EntropyLaw(beta=edge * factor)).oscillation(12_000)
        for factor in (0.95, 1.05)
    )
    assert calm < 2e-3 < ringing


def test_published_gains_bear_four_steps_of_delay_and_not_five():
    assert Loop(EntropyLaw(), 4).radius() < 1.0 < Loop(EntropyLaw(), 5).radius()
    assert Loop(EntropyLaw(), 5).oscillation() > 0.1


def test_saturation_does_not_prevent_overshoot():
    # Even without delay the published gains ring: the claim needs real eigenvalues.
    loop = Loop(EntropyLaw())
    assert loop.overshoots()
    assert loop.radius() < 1.0
    plant = pipeline([Phase("surge", 0.0, 400.0, 2.88)], noise=0.0)
    queue = simulate(plant, EntropyLaw()).queue[0].values
    assert queue.max() > 1.3 * queue[-1]
    assert queue[-1] == pytest.approx(loop.rest().queue, rel=0.02)


def test_without_a_rest_the_queue_grows_for_as_long_as_the_surge_lasts():
    plant = pipeline([Phase("surge", 0.0, 3000.0, 2.88)], noise=0.0)
    for relaxation, holds in ((0.05, True), (0.07, False)):
        law = EntropyLaw(relaxation=relaxation)
        assert (Loop(law).rest() is not None) is holds
        queue = simulate(plant, law).queue[0].values
        assert bool(queue[-1] < 30.0) is holds
    assert Loop(EntropyLaw(relaxation=0.07)).radius() == math.inf


def test_the_law_presses_less_beyond_its_strongest_queue():
    loop = Loop(EntropyLaw())
    queue, strongest = loop.strongest()
    for other in (0.5 * queue, 2.0 * queue, 10.0 * queue):
        assert loop.signal(loop.capacity, other) < strongest


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Loop(EntropyLaw(relaxation=0.0)), "relaxation"),
        (lambda: Loop(EntropyLaw(actuation="additive")), "law"),
        (lambda: Loop(EntropyLaw(clamped=False)), "law"),
        (lambda: Loop(EntropyLaw(), demand=1.0), "demand"),
        (lambda: Loop(EntropyLaw(), delay=-1), "delay"),
        (lambda: Loop(EntropyLaw(), dt=0.0), "dt"),
        (lambda: Loop(EntropyLaw(relaxation=0.3)).matrix(), "relaxation"),
        (lambda: Loop(EntropyLaw()).oscillation(steps=1), "steps"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
