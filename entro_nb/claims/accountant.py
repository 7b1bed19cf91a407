"""Claims of the Entropy Engine (seed 003): A01 to A10."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from entro_nb import entropy, streams
from entro_nb.accountant import (
    Accountant,
    AccountantConfig,
    NormalizerConfig,
    account,
    detection_delays,
    limit_for,
    normalize,
    without_alarms,
)
from entro_nb.claims.table import Finding, Verdict, judged
from entro_nb.entropy import chain_rule_gap, gini, renyi, shannon
from entro_nb.results import mean_interval
from entro_nb.streams import Scenario, generate, sample
from entro_nb.validate import FloatArray

Result = TypeVar("Result")

RUN_LENGTH = 1000.0
CHANGE, SAMPLES, RUNS = 1024, 2048, 40
#: Changes that a monitor is there for, with their sizes.
FAILURES = {"level": 2.0, "scale": 1.0, "shape": 0.95, "burst": 2.0, "drift": 3.0}


def _latency(seed: int) -> Finding:
    accountant = Accountant()
    values = np.random.default_rng(seed).standard_normal(20_000).tolist()
    spent = np.empty(len(values))
    for k, value in enumerate(values):
        # Of the processor: what a busy machine does meanwhile says nothing of the Accountant.
        start = time.thread_time()
        accountant.process(value)
        spent[k] = time.thread_time() - start
    under = float(np.mean(spent < 0.010))
    return Finding(
        f"{under:.1%} of {spent.size} calls under 10 ms",
        judged(under > 0.999),
        "One sample changes two counts of the histogram, whatever the window, and the step is "
        "compiled.",
    )


def _streams_of(kind: str, size: float, seed: int) -> list[FloatArray]:
    scenario = Scenario(kind, samples=SAMPLES, change=CHANGE, size=size)
    return [generate(scenario, seed * 1000 + k).values for k in range(RUNS)]


def _delays(seed: int, *names: str) -> FloatArray:
    """Samples to the first alarm of each detector, shape (detector, run), over all failures."""
    limits = {name: limit_for(name, RUN_LENGTH, runs=200, seed=seed) for name in names}
    found = [
        detection_delays(_streams_of(kind, size, seed), CHANGE, limits).delay.values
        for kind, size in FAILURES.items()
    ]
    return np.concatenate(found, axis=1)


def _early_warning(seed: int) -> Finding:
    failure, warning = _delays(seed, "H", "H″")
    lead = (failure - warning)[np.isfinite(failure)]
    share = float(np.mean((lead >= 10) & (lead <= 20)))
    lead = lead[np.isfinite(lead)]
    return Finding(
        f"10–20 steps ahead in {share:.0%} of failures; median lead {np.median(lead):.0f} steps",
        judged(share > 0.5),
        "At the same rate of false alarms the second difference of a noisy estimate mostly "
        "crosses its limit after the entropy itself has, if at all.",
        *mean_interval(lead)[1:],
        "The variance and the mean of the values warn sooner: CUSUM charts at the same rate.",
    )


def _twelve(seed: int) -> Finding:
    read = {}
    for name, source in streams.CATALOG.items():
        x = sample(name)
        values = x.values[np.isfinite(x.values)]
        z = normalize(values, NormalizerConfig(source.low, source.high))
        h = account(z, without_alarms(AccountantConfig())).entropy.values
        read[name] = bool(np.isfinite(h).all() and h.std() > 0)
    return Finding(
        f"{sum(read.values())} of {len(read)} streams read with one configuration",
        judged(list(read.values())),
        "Every stream gives a scalar, and the normaliser brings its band to the same scale; what "
        "the entropy then means differs from stream to stream.",
        instead="One set of thresholds does not serve all: they must be calibrated on each "
        "stream's own values.",
    )


def _distributions(seed: int, count: int = 200) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(6)) for _ in range(count)]


_GROUPS = [[0, 1], [2, 3, 4], [5]]


def _additivity_gap(measure: object, seed: int) -> float:
    rng = np.random.default_rng(seed)
    gaps = []
    for p in _distributions(seed, 50):
        q = rng.dirichlet(np.ones(4))
        both = measure(np.outer(p, q).ravel())  # type: ignore[operator]
        gaps.append(abs(both - measure(p) - measure(q)))  # type: ignore[operator]
    return float(np.max(gaps))


def _khinchin(seed: int) -> Finding:
    drawn = _distributions(seed)
    chain = max(abs(chain_rule_gap(shannon, p, _GROUPS)) for p in drawn)
    rival = _additivity_gap(lambda p: float(renyi(p, 2)), seed)
    rival_chain = max(abs(chain_rule_gap(lambda p: renyi(p, 2), p, _GROUPS)) for p in drawn)
    unique = rival > 1e-9  # would plain additivity exclude Rényi's entropy?
    return Finding(
        f"chain rule: Shannon {chain:.0e}, Rényi {rival_chain:.2f} bits off; "
        f"additivity: Rényi {rival:.0e} off",
        judged([chain < 1e-9 < rival_chain, unique]),
        "The theorem needs the chain rule (grouping); additivity over independent systems, which "
        "the document names, admits every Rényi entropy too.",
        instead="With the chain rule in the place of additivity the theorem stands; it says what "
        "to measure, not how well that detects.",
    )


def _alternatives(seed: int) -> Finding:
    measures = {
        "variance": lambda p: float(np.var(p)),
        "Gini": lambda p: float(gini(p)),
        "maximum probability": lambda p: float(1 - np.max(p)),
        "Rényi 2": lambda p: float(renyi(p, 2)),
    }
    excluded = {name: _additivity_gap(f, seed) > 1e-9 for name, f in measures.items()}
    holds = [name for name, out in excluded.items() if not out]
    return Finding(
        f"{sum(excluded.values())} of {len(excluded)} violate an axiom as named; not "
        f"{', '.join(holds)}",
        judged(list(excluded.values())),
        "Rényi entropies are continuous, largest at the uniform distribution and additive; only "
        "the chain rule excludes them.",
        instead="Every one of the four violates the chain rule.",
    )


def _jerk(seed: int) -> Finding:
    # Within one window: later, chance alone raises alarms.
    jerk, charts = _delays(seed, "H‴", "CUSUM") <= AccountantConfig().window
    chance = 1 - np.exp(-AccountantConfig().window / RUN_LENGTH)
    _, low, high = mean_interval(jerk.astype(float))
    return Finding(
        f"{np.mean(jerk):.0%} of changes within a window; by chance {chance:.0%}",
        judged(low > 0.5),
        "At an equal rate of false alarms the third difference rarely stands out of the noise of "
        "the estimate.",
        low,
        high,
        f"A CUSUM chart sees {np.mean(charts):.0%} of the same changes in the same time.",
    )


def _fourth(seed: int) -> Finding:
    window = AccountantConfig().window
    excess = []
    for x in _streams_of("scale", 1.0, seed):
        h = account(x, without_alarms(AccountantConfig())).entropy.values
        rate = np.asarray(entropy.derivatives(h, AccountantConfig().derivative_window).velocity)
        row = []
        for _ in range(4):
            before, after = rate[400:CHANGE], rate[CHANGE : CHANGE + window]
            row.append(np.sqrt(np.mean(after**2) / np.mean(before**2)) - 1)
            rate = np.diff(rate, prepend=np.nan)
        excess.append(row)
    signal = np.mean(excess, axis=0)
    _, low, high = mean_interval(np.array(excess)[:, 3])
    return Finding(
        "signal over noise of orders 1 to 4: " + ", ".join(f"{s:.2f}" for s in signal),
        judged(high < 1),
        "Each difference adds the noise of the estimate and takes signal away; the loss begins "
        "with the second order, not with the fourth.",
        low,
        high,
        "The same argument speaks against the second and third derivatives.",
    )


def _finish(task: Coroutine[Any, Any, Result]) -> Result:
    """Result of a task, also from within a notebook, whose own event loop runs already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, task).result()


async def _paused(audit: Path, seed: int) -> int:
    from entro_nb.spokesperson import Session

    data = generate(Scenario("scale", samples=5000, change=2500), seed)
    async with Session(audit, who="claims") as session:
        session.pause()
        session.connect("usgs", data)
        await session.finished()
        session.resume()
    return int(data.size)


def _pause(seed: int) -> Finding:
    from entro_nb.spokesperson import Trail

    with tempfile.TemporaryDirectory() as folder:
        audit = Path(folder) / "audit.db"
        sent = _finish(_paused(audit, seed))
        with Trail(audit) as trail:
            kept = trail.frames().sequence.values.tolist()
    return Finding(
        f"{sent - len(kept)} of {sent} frames lost in a pause that lasted the whole stream",
        judged(kept == list(range(sent))),
        "The display reads the audit trail behind an unbounded queue; pausing it holds nothing "
        "else up.",
        0.0,
        0.0,
    )


async def _blocked(seed: int, frames: int, wait: float) -> float:
    from entro_nb.spokesperson import Session

    data = generate(Scenario("scale", samples=frames, change=frames // 2), seed)
    async with Session(who="claims") as session:
        session.attach(lambda _: time.sleep(wait))
        start = time.perf_counter()
        session.connect("usgs", data)
        await session.finished()
        return time.perf_counter() - start


def _never_slowed(seed: int) -> Finding:
    frames, wait = 3000, 0.05
    spent = _finish(_blocked(seed, frames, wait))
    free = spent < frames * wait / 10
    return Finding(
        f"a reader that blocks {wait:g} s for each of {frames} frames is "
        f"{'not ' if free else ''}waited for",
        judged(free),
        "What reads frames does so from the audit trail, on a thread of its own; they share the "
        "processor, nothing else.",
        instead="Sharing one processor still costs: on a machine with one core a busy reader "
        "takes its share.",
    )


def _sign_of_velocity(seed: int) -> Finding:
    def positive(kind: str, size: float, shrink: bool = False) -> float:
        shares = []
        for x in _streams_of(kind, size, seed):
            y = x.copy()
            if shrink:
                y[CHANGE:] *= 0.25
            d = account(y, without_alarms(AccountantConfig())).velocity.values
            shares.append(d[CHANGE + 16 : CHANGE + 64].mean() > 0)
        return float(np.mean(shares))

    disperse, concentrate = positive("scale", 1.0), 1 - positive("scale", 1.0, shrink=True)
    shift = positive("level", 2.0)
    return Finding(
        f"sign right for {disperse:.0%} of dispersing and {concentrate:.0%} of concentrating "
        f"streams; positive too for {shift:.0%} of those that only shift",
        Verdict.PARTLY if shift > 0.5 else judged([disperse > 0.95, concentrate > 0.95]),
        "H′ compares entropy with its recent mean: a shift of level mixes old and new values in "
        "the window and looks like dispersion until the window has passed.",
        instead="The sign is right for changes of spread; it cannot tell them from a shift.",
    )


#: Code of every claim, by its id.
CLAIMS = {
    "A01": _latency,
    "A02": _early_warning,
    "A03": _twelve,
    "A04": _khinchin,
    "A05": _alternatives,
    "A06": _jerk,
    "A07": _fourth,
    "A08": _pause,
    "A09": _never_slowed,
    "A10": _sign_of_velocity,
}
