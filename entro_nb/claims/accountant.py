"""Claims of the Entropy Engine (seed 003): A01 to A10."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from entro_nb import accountant, entropy, streams
from entro_nb.accountant import AccountantConfig
from entro_nb.claims.table import Finding, Reading
from entro_nb.entropy import chain_rule_gap, gini, renyi, shannon
from entro_nb.results import Interval, mean_interval
from entro_nb.streams import Scenario, generate, sample
from entro_nb.validate import FloatArray

Result = TypeVar("Result")

RUN_LENGTH = 1000.0
CHANGE, SAMPLES, RUNS = 1024, 2048, 40
#: Changes that a monitor is there for, with their sizes.
FAILURES = {"level": 2.0, "scale": 1.0, "shape": 0.95, "burst": 2.0, "drift": 3.0}
WINDOW = AccountantConfig().window
#: Nothing but the measurement: no label, no alarm.
QUIET = accountant.without_alarms(AccountantConfig())


def _a01_latency(seed: int) -> Finding:
    process = accountant.Accountant().process
    spent = []
    for value in np.random.default_rng(seed).standard_normal(20_000).tolist():
        # Of the processor: what a busy machine does meanwhile says nothing of the Accountant.
        start = time.thread_time()
        process(value)
        spent.append(time.thread_time() - start)
    under = float(np.mean(np.array(spent) < 0.010))
    return Finding(
        Reading(f"{under:.1%} of {len(spent)} calls under 10 ms", under > 0.999),
        "One sample changes two counts of the histogram, whatever the window, and the step is "
        "compiled.",
    )


def _streams_of(kind: str, size: float, seed: int) -> list[FloatArray]:
    scenario = Scenario(kind, samples=SAMPLES, change=CHANGE, size=size)
    return [generate(scenario, seed * 1000 + k).values for k in range(RUNS)]


def _delays(seed: int, *names: str) -> FloatArray:
    """Samples to the first alarm of each detector, shape (detector, run), over all failures."""
    limits = {name: accountant.limit_for(name, RUN_LENGTH, runs=200, seed=seed) for name in names}
    failing = (_streams_of(kind, size, seed) for kind, size in FAILURES.items())
    found = [accountant.detection_delays(x, CHANGE, limits).delay.values for x in failing]
    return np.concatenate(found, axis=1)


def _a02_early_warning(seed: int) -> Finding:
    failure, warning = _delays(seed, "H", "H″")
    lead = (failure - warning)[np.isfinite(failure)]
    share = float(np.mean((lead >= 10) & (lead <= 20)))
    lead = lead[np.isfinite(lead)]
    return Finding(
        Reading(
            f"10–20 steps ahead in {share:.0%} of failures; "
            f"median lead {np.median(lead):.0f} steps",
            share > 0.5,
        ),
        "At the same rate of false alarms the second difference of a noisy estimate mostly "
        "crosses its limit after the entropy itself has, if at all.",
        mean_interval(lead),
        "t-interval (95 %) over seeds",
        instead="The variance and the mean of the values warn sooner: CUSUM charts at the same "
        "rate.",
    )


def _a03_twelve(seed: int) -> Finding:
    read = []
    for name, source in streams.CATALOG.items():
        x = sample(name).values
        band = accountant.NormalizerConfig(source.low, source.high)
        z = accountant.normalize(x[np.isfinite(x)], band)
        h = accountant.account(z, QUIET).entropy.values
        read.append(bool(np.isfinite(h).all() and h.std() > 0))
    return Finding(
        Reading(f"{sum(read)} of {len(read)} streams read with one configuration", read),
        "Every stream gives a scalar, and the normaliser brings its band to the same scale; what "
        "the entropy then means differs from stream to stream.",
        instead="One set of thresholds does not serve all: they must be calibrated on each "
        "stream's own values.",
    )


def _distributions(seed: int, count: int = 200) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(6)) for _ in range(count)]


_GROUPS = [[0, 1], [2, 3, 4], [5]]

MEASURES: dict[str, Callable[[FloatArray], float]] = {
    "variance": lambda p: float(np.var(p)),
    "Gini": lambda p: float(gini(p)),
    "maximum probability": lambda p: float(1 - np.max(p)),
    "Rényi 2": lambda p: float(renyi(p, 2)),
}


def _additivity_gap(measure: Callable[[FloatArray], float], seed: int) -> float:
    rng = np.random.default_rng(seed)
    pairs = [(p, rng.dirichlet(np.ones(4))) for p in _distributions(seed, 50)]
    return max(abs(measure(np.outer(p, q).ravel()) - measure(p) - measure(q)) for p, q in pairs)


def _a04_khinchin(seed: int) -> Finding:
    drawn = _distributions(seed)
    chain = max(abs(chain_rule_gap(shannon, p, _GROUPS)) for p in drawn)
    rival = _additivity_gap(MEASURES["Rényi 2"], seed)
    rival_chain = max(abs(chain_rule_gap(MEASURES["Rényi 2"], p, _GROUPS)) for p in drawn)
    unique = rival > 1e-9  # would plain additivity exclude Rényi's entropy?
    return Finding(
        Reading(
            f"chain rule: Shannon {chain:.0e}, Rényi {rival_chain:.2f} bits off; "
            f"additivity: Rényi {rival:.0e} off",
            [chain < 1e-9 < rival_chain, unique],
        ),
        "The theorem needs the chain rule (grouping); additivity over independent systems, which "
        "the document names, admits every Rényi entropy too.",
        instead="With the chain rule in the place of additivity the theorem stands; it says what "
        "to measure, not how well that detects.",
    )


def _a05_alternatives(seed: int) -> Finding:
    holds = [name for name, f in MEASURES.items() if _additivity_gap(f, seed) <= 1e-9]
    return Finding(
        Reading(
            f"{len(MEASURES) - len(holds)} of {len(MEASURES)} violate an axiom as named; not "
            f"{', '.join(holds)}",
            [name not in holds for name in MEASURES],
        ),
        "Rényi entropies are continuous, largest at the uniform distribution and additive; only "
        "the chain rule excludes them.",
        instead="Every one of the four violates the chain rule.",
    )


def _a06_jerk(seed: int) -> Finding:
    # Within one window: later, chance alone raises alarms.
    jerk, charts = _delays(seed, "H‴", "CUSUM") <= WINDOW
    chance, seen = 1 - np.exp(-WINDOW / RUN_LENGTH), mean_interval(jerk.astype(float))
    return Finding(
        Reading(
            f"{np.mean(jerk):.0%} of changes within a window; by chance {chance:.0%}",
            seen.low > 0.5,
        ),
        "At an equal rate of false alarms the third difference rarely stands out of the noise of "
        "the estimate.",
        seen,
        "t-interval (95 %) over seeds",
        instead=f"A CUSUM chart sees {np.mean(charts):.0%} of the same changes in the same time.",
    )


def _a07_fourth(seed: int) -> Finding:
    excess = []
    for x in _streams_of("scale", 1.0, seed):
        h = accountant.account(x, QUIET).entropy.values
        rate = np.asarray(entropy.derivatives(h, AccountantConfig().derivative_window).velocity)
        row = []
        for _ in range(4):
            before, after = rate[400:CHANGE], rate[CHANGE : CHANGE + WINDOW]
            row.append(np.sqrt(np.mean(after**2) / np.mean(before**2)) - 1)
            rate = np.diff(rate, prepend=np.nan)
        excess.append(row)
    fourth = mean_interval(np.array(excess)[:, 3])
    signal = ", ".join(f"{s:.2f}" for s in np.mean(excess, axis=0))
    return Finding(
        Reading(f"signal over noise of orders 1 to 4: {signal}", fourth.high < 1),
        "Each difference adds the noise of the estimate and takes signal away; the loss begins "
        "with the second order, not with the fourth.",
        fourth,
        "t-interval (95 %) over seeds",
        instead="The same argument speaks against the second and third derivatives.",
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


def _a08_pause(seed: int) -> Finding:
    from entro_nb.spokesperson import Trail

    with tempfile.TemporaryDirectory() as folder:
        audit = Path(folder) / "audit.db"
        sent = _finish(_paused(audit, seed))
        with Trail(audit) as trail:
            kept = trail.frames().sequence.values.tolist()
    return Finding(
        Reading(
            f"{sent - len(kept)} of {sent} frames lost in a pause that lasted the whole stream",
            kept == list(range(sent)),
        ),
        "The display reads the audit trail behind an unbounded queue; pausing it holds nothing "
        "else up.",
        Interval(0.0, 0.0, 0.0),
        "t-interval (95 %) over seeds",
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


def _a09_never_slowed(seed: int) -> Finding:
    frames, wait = 3000, 0.05
    spent = _finish(_blocked(seed, frames, wait))
    free = spent < frames * wait / 10
    return Finding(
        Reading(
            f"a reader that blocks {wait:g} s for each of {frames} frames is "
            f"{'not ' if free else ''}waited for",
            free,
        ),
        "What reads frames does so from the audit trail, on a thread of its own; they share the "
        "processor, nothing else.",
        instead="Sharing one processor still costs: on a machine with one core a busy reader "
        "takes its share.",
    )


def _a10_sign_of_velocity(seed: int) -> Finding:
    def positive(kind: str, size: float, shrink: bool = False) -> float:
        shares = []
        for x in _streams_of(kind, size, seed):
            if shrink:
                x[CHANGE:] *= 0.25
            d = accountant.account(x, QUIET).velocity.values
            shares.append(d[CHANGE + 16 : CHANGE + 64].mean() > 0)
        return float(np.mean(shares))

    disperse, concentrate = positive("scale", 1.0), 1 - positive("scale", 1.0, shrink=True)
    shift = positive("level", 2.0)
    return Finding(
        Reading(
            f"sign right for {disperse:.0%} of dispersing and {concentrate:.0%} of concentrating "
            f"streams; positive too for {shift:.0%} of those that only shift",
            [disperse > 0.95, concentrate > 0.95, shift <= 0.5],
        ),
        "H′ compares entropy with its recent mean: a shift of level mixes old and new values in "
        "the window and looks like dispersion until the window has passed.",
        instead="The sign is right for changes of spread; it cannot tell them from a shift.",
    )
