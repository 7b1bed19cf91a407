"""Eq. 14 stands once: the published class, every simulation and the stability analysis call it."""

import math
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import entro_nb
from entro_nb.engine import (
    LAWS,
    ENTROEngineController,
    EntropyLaw,
    LLMQueue,
    Loop,
    Scraper,
    chain,
    control_signal,
    entropy_pressure,
    entropy_share,
    simulate,
    three_phases,
)
from entro_nb.engine.control import control_slopes

gains = st.floats(0.05, 5.0)


@settings(max_examples=60, deadline=None)
@given(
    alpha=gains,
    beta=gains,
    psi_budget=st.floats(0.2, 6.0),
    clamped=st.booleans(),
    actuation=st.sampled_from(["integral", "additive", "multiplicative"]),
    relaxation=st.floats(0.0, 0.5),
    delay=st.integers(0, 4),
    dt=st.sampled_from([0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_every_step_of_a_simulation_is_the_published_class(
    alpha, beta, psi_budget, clamped, actuation, relaxation, delay, dt, seed
):
    law = EntropyLaw(alpha, beta, psi_budget, clamped, actuation, relaxation)
    controller = ENTROEngineController(alpha, beta, psi_budget, clamped)
    phases = three_phases(1.0, 2.9, 0.8, warmup=5, surge=15, duration=30)
    plant = chain(Scraper("a", phases), LLMQueue("b", 1.5, valve=True), LLMQueue("c", valve=True))
    run = simulate(plant, law, dt=dt, delay=delay, seed=seed)
    psi, u = run.psi.values[0], run.u.values[0]
    seen = np.vstack([np.zeros((1 + delay, 3)), psi])[: len(u)]
    # To rounding: NumPy's logarithm and the compiled one may differ in the last bit.
    assert u == pytest.approx(np.stack([controller.control(x).u for x in seen]), abs=1e-13)
    last = controller.compute_control(seen[-1], seen[-1].sum())
    assert u[-1] == pytest.approx(last.u, abs=1e-13)


@given(
    alpha=gains,
    beta=gains,
    budget=st.floats(0.1, 8.0),
    rate=st.floats(0.01, 5),
    queue=st.floats(0, 90),
)
def test_the_loop_of_the_stability_analysis_is_the_published_class(
    alpha, beta, budget, rate, queue
):
    psi = np.log1p([rate, queue])
    signal = ENTROEngineController(alpha, beta, budget).control(psi)
    loop = Loop(EntropyLaw(alpha, beta, budget))
    assert loop.signal(rate, queue) == pytest.approx(-signal.u[0], rel=1e-12, abs=1e-300)


@given(alpha=gains, beta=gains, rho=st.floats(0.0, 1.0), delta=st.floats(-3.0, 3.0))
def test_slopes_are_those_of_the_signal(alpha, beta, rho, delta):
    h = 1e-6
    by_rho, by_delta = control_slopes(alpha, beta, rho, delta)
    across = control_signal(alpha, beta, rho + h, delta) - control_signal(
        alpha, beta, rho - h, delta
    )
    along = control_signal(alpha, beta, rho, delta + h) - control_signal(
        alpha, beta, rho, delta - h
    )
    assert across / (2 * h) == pytest.approx(by_rho, abs=1e-7)
    assert along / (2 * h) == pytest.approx(by_delta, abs=1e-7)


@given(alpha=gains, beta=gains, psi=st.floats(0, 9), rest=st.floats(0, 9), budget=st.floats(0.1, 9))
def test_the_parts_are_the_equations(alpha, beta, psi, rest, budget):
    total = psi + rest
    rho = psi / total if total else 0.0
    delta = max(total - budget, 0.0)
    assert entropy_share(psi, total) == rho
    assert entropy_pressure(total, budget, True) == delta
    assert entropy_pressure(total, budget, False) == total - budget
    expected = -alpha * rho * math.tanh(beta * delta)
    assert control_signal(alpha, beta, rho, delta) == pytest.approx(expected, rel=1e-14, abs=0.0)


PROBE = textwrap.dedent(
    """
    import numba, numpy
    numba.vectorize = lambda cache: numpy.vectorize
    from entro_nb.engine import *
    gains = {"beta": 0.4, "psi_budget": 0.5}
    law = EntropyLaw(actuation="additive", **gains)
    run = simulate(pipeline([Phase("on", 0.0, 5.0, 2.5)], noise=0.0), law)
    seen, rate, queue = run.psi.values[0, 3], float(run.rate[0, 3, 0]), float(run.queue[0, 3])
    one = ENTROEngineController(**gains).compute_control(seen[0], seen.sum()).u
    many = ProportionalAllocator(**gains).control(seen).u[0]
    loop = -Loop(EntropyLaw(**gains)).signal(rate, queue)
    print(*(repr(float(x)) for x in (one, many, loop, run.u.values[0, 4, 0])))
    """
)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return math.tanh(beta * delta) if", "return math.tanh(0.7 * beta * delta) if"),
        ("return -alpha * rho * saturated + 0.0", "return -0.9 * alpha * rho * saturated + 0.0"),
        ("return psi_i / psi_total if", "return 0.9 * psi_i / psi_total if"),
        ("delta = psi_total - psi_budget\n", "delta = psi_total - 1.3 * psi_budget\n"),
    ],
    ids=["saturation", "signal", "share", "pressure"],
)  # fmt: skip
def test_a_change_in_the_one_definition_moves_class_and_simulation_alike(tmp_path, line, changed):
    shutil.copytree(
        Path(entro_nb.__file__).parent,
        tmp_path / "entro_nb",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    # Uncompiled: what the source says is what runs, and nothing waits for the compiler.
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    source = tmp_path / "entro_nb" / "engine" / "control.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(line) == 1
    before, after = [], []
    for written, values in ((text, before), (text.replace(line, changed), after)):
        source.write_text(written, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", PROBE],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        values += [float(value) for value in done.stdout.split()]
    for values in (before, after):
        assert values == pytest.approx([values[0]] * 4, rel=1e-12)
    assert abs(after[0] - before[0]) > 0.01 * abs(before[0])


def test_one_table_of_laws_serves_all_who_name_them():
    from entro_nb import views

    labels = [law.label for law in LAWS.values()]
    assert len(set(labels)) == len(labels)
    assert set(labels) <= set(views.apps.Pipeline.param.law.objects)
    for law in LAWS.values():
        assert law.having(nothing=1.0) == law
        assert float(simulate(law=law).peak_psi[0]) > 0.0


def test_coefficients_are_the_parameters_in_their_order():
    law = EntropyLaw(0.7, 1.5, 2.5, False, "multiplicative", 0.1, True, 0.3)
    assert law.coefficients().tolist() == [0.7, 1.5, 2.5, 0.0, 2.0, 0.1, 1.0, 0.3]
    assert LAWS["none"].coefficients().size == 0
