"""The plant: conservation, closed forms, independence of replicates, and what it must refuse."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

from entro_nb.engine import (
    AIMD,
    PID,
    CoDel,
    DriftPlusPenalty,
    EntropyLaw,
    HeadroomLaw,
    LLMQueue,
    NoControl,
    Phase,
    Pipeline,
    Scraper,
    StaticLimit,
    TokenBucket,
    chain,
    export,
    fan,
    pipeline,
    replicate,
    simulate,
    three_phases,
)
from entro_nb.engine.plant import profile
from entro_nb.errors import DivergenceError, ParameterError, ParameterTypeError

LAWS = [
    NoControl(),
    StaticLimit(1.4),
    TokenBucket(1.1, 4.0),
    AIMD(),
    PID(),
    CoDel(),
    DriftPlusPenalty(),
    DriftPlusPenalty(4.0, "linear"),
    EntropyLaw(),
    EntropyLaw(clamped=False),
    EntropyLaw(actuation="additive"),
    EntropyLaw(actuation="multiplicative", valves_only=True),
    HeadroomLaw(),
    HeadroomLaw(allowance=10.0, refill=0.1),
    HeadroomLaw(lookahead=False),
]

SHORT = three_phases(1.0, 2.9, 0.8, warmup=10, surge=20, duration=60)

PLANTS = {
    "pipeline": pipeline(SHORT),
    "both valves": pipeline(SHORT, queue_valve=True),
    "little room": pipeline(SHORT, queue_max=10.0),
    "chain": chain(Scraper(phases=SHORT), LLMQueue("parse", 1.6), LLMQueue("llm", 1.2, 8.0)),
    "fan": fan([Scraper("a", SHORT), Scraper("b", SHORT)], LLMQueue("x", 1.0), LLMQueue("y", 1.5)),
}


def imbalance(run):
    balance = (
        run.arrived_so_far
        - run.completed_so_far
        - run.queue
        - run.deferred_so_far
        - run.refused_so_far
    )
    return float(abs(balance).max())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.label}")
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_nothing_is_lost_at_any_step(plant, law):
    run = simulate(plant, law, replicates=2, delay=1)
    assert imbalance(run) < 1e-9
    assert float(run.rate.min()) >= 0.0
    assert float((run.rate - run.offered).max()) <= 0.0
    assert float(run.queue.min()) >= 0.0
    sums = run.completed + run.queued + run.lost
    assert np.allclose(run.arrived, sums, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    law=st.sampled_from(LAWS),
    dt=st.floats(0.05, 2.0),
    delay=st.integers(0, 12),
    rates=st.tuples(*[st.floats(0.0, 4.0)] * 3),
    capacity=st.floats(0.1, 3.0),
    room=st.one_of(st.just(math.inf), st.floats(0.5, 20.0)),
    noise=st.floats(0.0, 1.0),
    seed=st.integers(0, 99),
)
def test_conservation_holds_for_every_plant(law, dt, delay, rates, capacity, room, noise, seed):
    phases = three_phases(*rates, warmup=7.0, surge=11.0, duration=30.0)
    plant = pipeline(phases, noise=noise, capacity=capacity, queue_max=room, queue_valve=True)
    run = simulate(plant, law, dt=dt, delay=delay, seed=seed)
    assert imbalance(run) < 1e-8
    assert float(run.psi_total.min()) >= 0.0


def test_uncontrolled_queue_is_the_fluid_queue_in_closed_form():
    plant = pipeline(three_phases(1.0, 2.7, 0.7, warmup=10, surge=20, duration=100), noise=0.0)
    run = simulate(plant)
    after = np.arange(1, 101)  # the state is measured after each step
    rise = 1.5 * np.clip(after - 10.0, 0.0, 20.0)
    fall = 0.5 * np.clip(after - 30.0, 0.0, None)
    assert run.queue[0].values == pytest.approx(np.maximum(rise - fall, 0.0), abs=1e-9)
    psi = np.log1p(run.rate.values[0, :, 0]) + np.log1p(run.queue.values[0])
    assert run.psi_total[0].values == pytest.approx(psi)


def test_one_step_of_equation_14_by_hand():
    law = EntropyLaw(alpha=0.5, beta=2.0, psi_budget=1.0, relaxation=0.3)
    plant = pipeline([Phase("on", 0.0, 3.0, 2.0)], noise=0.0)
    run = simulate(plant, law)
    a = 0.0
    queue, rate = 0.0, 0.0
    for t in range(3):
        psi_s, psi_l = math.log1p(rate), math.log1p(queue)
        total = psi_s + psi_l
        u = 0.0
        if total > 0.0:
            u = -0.5 * psi_s / total * math.tanh(2.0 * max(total - 1.0, 0.0))
        a = a * math.exp(-0.3) + u
        rate = max(2.0 + a, 0.0)
        queue = max(queue + rate - 1.2, 0.0)
        assert float(run.rate[0, t, 0]) == pytest.approx(rate, abs=1e-12)
        assert float(run.queue[0, t]) == pytest.approx(queue, abs=1e-12)
        assert float(run.u[0, t, 0]) == pytest.approx(u, abs=1e-12)


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_delay_shifts_what_the_law_sees(delay):
    # A memoryless law on a constant demand: u at t is Eq. 14 of the state at t − 1 − delay.
    law = EntropyLaw(psi_budget=0.5, actuation="additive")
    run = simulate(pipeline([Phase("on", 0.0, 12.0, 2.5)], noise=0.0), law, delay=delay)
    psi, total, u = run.psi[0].values, run.psi_total[0].values, run.u[0].values
    for t in range(12):
        seen = t - 1 - delay
        expected = 0.0
        if seen >= 0:
            pressure = math.tanh(2.0 * max(total[seen] - 0.5, 0.0))
            expected = -0.5 * psi[seen, 0] / total[seen] * pressure
        assert u[t, 0] == pytest.approx(expected, abs=1e-12)


def test_memoryless_action_cannot_hold_a_surge_but_the_integral_can():
    last = slice(230, 250)
    for kind in ("additive", "multiplicative"):
        run = simulate(law=EntropyLaw(actuation=kind))
        assert float(run.rate[0, last, 0].min()) > 1.2
    assert float(simulate(law=EntropyLaw()).rate[0, last, 0].mean()) < 1.3


def test_token_bucket_never_admits_more_than_burst_and_rate():
    run = simulate(pipeline(SHORT), TokenBucket(1.1, 4.0))
    admitted = run.rate[0, :, 0].values.cumsum()
    for start in range(0, 60, 7):
        span = admitted - (admitted[start - 1] if start else 0.0)
        steps = np.arange(60) - start + 1
        ok = span[start:] <= 4.0 + 1.1 * steps[start:] + 1e-9
        assert ok.all()


def test_static_limit_and_linear_price_do_what_they_say():
    assert float(simulate(law=StaticLimit(1.5)).rate[..., 0].max()) == pytest.approx(1.5)
    run = simulate(law=DriftPlusPenalty(4.0, "linear"))
    closed = run.queue[0, :-1].values >= 4.0
    assert (run.rate[0, 1:, 0].values[closed] == 0.0).all()


def test_headroom_never_breaks_the_budget_and_wastes_no_headroom():
    run = simulate(law=HeadroomLaw(), replicates=5)
    assert int(run.violations.sum()) == 0
    held = run.deferred.sum("subsystem") > 1e-9
    assert float(abs(run.psi_total.where(held) - 3.0).max()) < 1e-8


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS.keys())
def test_headroom_holds_wherever_the_sources_can(plant):
    # Room enough for the idle queues to be emptied: the budget can be held from the start.
    run = simulate(plant, HeadroomLaw(psi_budget=2.0), budget=2.0 + 1e-9)
    assert int(run.violations.sum()) == 0


def test_headroom_predicts_through_a_delay():
    with_model, without = (
        replicate(law=HeadroomLaw(predict=predict), delay=6, replicates=5)
        for predict in (True, False)
    )
    assert int(with_model.violations.sum()) == 0
    assert int(without.violations.min()) > 5


def test_allowance_is_never_overspent():
    runs = replicate(law=HeadroomLaw(allowance=25.0), replicates=20)
    assert float(runs.lost.max()) <= 25.0 + 1e-9
    assert float(runs.lost.min()) > 24.0


def test_replicates_do_not_depend_on_their_number_and_laws_share_the_noise():
    few, many = simulate(replicates=2), simulate(replicates=5)
    xr.testing.assert_equal(few.psi_total, many.psi_total.isel(replicate=slice(0, 2)))
    other = simulate(law=StaticLimit(), replicates=2)
    xr.testing.assert_equal(few.offered.sel(subsystem="scraper"), other.offered[..., 0])
    assert not few.psi_total[0].equals(few.psi_total[1])


def test_sums_agree_with_the_trajectories():
    run, sums = simulate(law=CoDel(), replicates=3), replicate(law=CoDel(), replicates=3)
    for name in sums.data_vars:
        assert np.array_equal(run[name].values, sums[name].values), name
    assert np.array_equal(run.violation.sum("time"), sums.violations)
    assert np.allclose(run.queue.max("time"), sums.peak_queue)
    assert np.allclose(run.psi_total.max("time"), sums.peak_psi)
    wait = run.queue.sum("time") / sums.completed
    assert np.allclose(wait, sums.latency)


def test_phases_inside_a_step_keep_the_work_offered():
    phases = three_phases(1.0, 2.5, 0.5, warmup=3.3, surge=4.45, duration=20.0)
    work = sum(phase.rate * phase.duration for phase in phases)
    for dt in (0.1, 0.4, 1.0, 4.0):
        steps = round(20.0 / dt)
        assert profile(phases, dt, steps)[0].sum() * dt == pytest.approx(work)
    assert profile(phases, 1.0, 20)[0, 3] == pytest.approx(0.3 * 1.0 + 0.7 * 2.5)


def test_capacity_factor_of_a_phase_slows_the_service():
    phases = (Phase("well", 0.0, 10.0, 2.0), Phase("ill", 10.0, 20.0, 2.0, capacity=0.5))
    run = simulate(pipeline(phases, noise=0.0))
    assert run.served[0, :, 1].values == pytest.approx([1.2] * 10 + [0.6] * 10)


def test_dataset_carries_units_dims_and_parameters(tmp_path):
    run = simulate(law=EntropyLaw(alpha=0.7), replicates=2, seed=9)
    assert run.psi.dims == ("replicate", "time", "subsystem")
    assert run.psi.attrs["units"] == "nats"
    assert all("units" in variable.attrs for variable in run.variables.values())
    assert run.attrs["alpha"] == 0.7
    assert run.attrs["seed"] == 9
    export(run, tmp_path / "run.nc")
    with xr.open_dataset(tmp_path / "run.nc") as again:
        xr.testing.assert_allclose(again.psi_total, run.psi_total)
    header, first, *rest = export(run, tmp_path / "run.csv").read_text().splitlines()
    assert len(rest) == 2 * 1000 - 1
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert float(row["psi_llm"]) == pytest.approx(float(run.psi[0, 0, 1]))
    assert float(row["psi_total"]) == pytest.approx(float(run.psi_total[0, 0]))


def test_export_refuses_what_it_cannot_write(tmp_path):
    with pytest.raises(ParameterError, match=r"\.csv or \.nc"):
        export(simulate(), tmp_path / "run.xlsx")
    with pytest.raises(ParameterError, match="trajectories"):
        export(replicate(replicates=1), tmp_path / "run.csv")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Scraper(noise=-0.1), "noise"),
        (lambda: Scraper(rate_max=0.0), "rate_max"),
        (lambda: Scraper(rate_max=math.nan), "rate_max"),
        (lambda: Scraper(phases=()), "phases"),
        (lambda: LLMQueue(capacity=0.0), "capacity = 0"),
        (lambda: LLMQueue(capacity=math.inf), "capacity"),
        (lambda: LLMQueue(queue_max=0.0), "queue_max"),
        (lambda: Phase("surge", 5.0, 5.0, 1.0), "stop after its start"),
        (lambda: Phase("surge", 0.0, 5.0, -1.0), "rate"),
        (lambda: Phase("surge", 0.0, 5.0, math.nan), "rate"),
        (lambda: Phase("surge", 0.0, 5.0, 1.0, capacity=0.0), "capacity"),
        (lambda: three_phases(surge=0.0), "surge"),
        (lambda: three_phases(warmup=990.0), "recovery"),
        (lambda: pipeline([Phase("a", 0, 5, 1.0), Phase("b", 4, 9, 1.0)]), "overlap"),
        (lambda: pipeline([Phase("a", 0, 5, 1.0), Phase("b", 6, 9, 1.0)]), "gap"),
        (lambda: pipeline([Phase("a", 1, 5, 1.0)]), "first phase"),
        (lambda: pipeline([]), "phases"),
        (lambda: simulate(dt=0.0), "dt"),
        (lambda: simulate(dt=-1.0), "dt"),
        (lambda: simulate(dt=5000.0), "dt"),
        (lambda: simulate(budget=0.0), "budget"),
        (lambda: simulate(delay=-1), "delay"),
        (lambda: simulate(replicates=0), "replicates"),
        (lambda: simulate(seed=-1), "seed"),
        (lambda: EntropyLaw(alpha=0.0), "alpha"),
        (lambda: EntropyLaw(beta=-2.0), "beta"),
        (lambda: EntropyLaw(relaxation=-0.1), "relaxation"),
        (lambda: EntropyLaw(actuation="integrl"), "did you mean 'integral'"),
        (lambda: HeadroomLaw(allowance=-1.0), "allowance"),
        (lambda: HeadroomLaw(belief=0.0), "belief"),
        (lambda: StaticLimit(math.nan), "limit"),
        (lambda: TokenBucket(rate=-1.0), "rate"),
        (lambda: AIMD(decrease=1.0), "decrease"),
        (lambda: PID(kp=-1.0), "kp"),
        (lambda: CoDel(target=0.0), "target"),
        (lambda: DriftPlusPenalty(0.0), "v = 0"),
        (lambda: Pipeline((LLMQueue(),), ()), "at least one Scraper"),
        (lambda: Pipeline((Scraper(), Scraper()), ()), "different names"),
        (lambda: Pipeline((Scraper(), LLMQueue()), ((1, 0, 1.0),)), "link to"),
        (lambda: Pipeline((Scraper(), LLMQueue()), ((0, 1, 0.7), (0, 1, 0.7))), "at most 1"),
        (lambda: Pipeline((Scraper("a"), Scraper("b")), ((0, 1, 1.0),)), "takes no input"),
        (lambda: fan([], LLMQueue()), "sources and queues"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_wrong_kinds_are_refused():
    with pytest.raises(ParameterTypeError, match="plant"):
        simulate(plant="pipeline")
    with pytest.raises(ParameterTypeError, match="law"):
        simulate(law="integral")
    with pytest.raises(ParameterTypeError, match="subsystems"):
        chain("scraper")


def test_a_run_that_diverges_names_the_step():
    # Two floods of 1e307 req/s: their queue passes the largest float in the ninth step.
    flood = (Phase("flood", 0.0, 17.0, 1e307),)
    sources = [Scraper(name, flood, rate_max=1e308, noise=0.0) for name in "ab"]
    with pytest.raises(DivergenceError, match="replicate 0 left the finite numbers at step 8 "):
        simulate(fan(sources, LLMQueue()))
