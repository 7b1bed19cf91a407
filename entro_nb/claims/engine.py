"""Claims of ENTRO-ENGINE (seed 000, its project page and change log): E01 to E19."""

from __future__ import annotations

import functools
import math

import numpy as np
import xarray as xr

from entro_nb import engine
from entro_nb.claims.table import Evaluator, Finding, Reading, figures, observed
from entro_nb.engine import PUBLISHED, PUBLISHED_COUNTS, TOLERANCE
from entro_nb.results import Interval, mean_interval

PLANTS = 40
DRAWS = 30_000
UNITS = {"violations": "steps", "peak_queue": "requests", "peak_psi": "nats"}
#: Our reading of the controlled row: Eq. 14 integrated, slowly relaxing.
READING = "integral, λ = 0.02"
OTHERS = ("uncontrolled", "static limit 1.5")
#: The controller of the documents' quick start and example.
EXAMPLE = engine.ENTROEngineController(alpha=0.5, beta=2.0, psi_budget=3.0)


@functools.lru_cache(maxsize=4)
def _rows(seed: int) -> xr.Dataset:
    return engine.predict(engine.fitting_plants(PLANTS, seed=seed))


def _range(values: xr.DataArray) -> Interval:
    """Median and 95 % range of a figure over noise and over all plants that fit."""
    return Interval(*(float(values.quantile(q)) for q in (0.5, 0.025, 0.975)))


def _span(seed: int, reading: str, name: str) -> Interval:
    return _range(_rows(seed).sel(reading=reading)[name])


def _text(span: Interval, form: str) -> str:
    return f"{span.value:{form}} ({span.low:{form}} to {span.high:{form}})"


def _controlled_range(seed: int, name: str) -> tuple[float, float]:
    """Lowest and highest figure under any reading of how Eq. 14 acts."""
    values = _rows(seed)[name]
    controlled = values.sel(reading=[r for r in values.reading.values if r not in OTHERS])
    return float(controlled.min()), float(controlled.max())


def _figure(reading: str, row: str, name: str) -> Evaluator:
    """One figure of the published table against its prediction on the identified plant."""

    def evaluate(seed: int) -> Finding:
        target = getattr(PUBLISHED[row], name)
        span, slack = _span(seed, reading, name), getattr(TOLERANCE, name)
        obtained = f"{_text(span, '.4g')} {UNITS[name]}"
        if row == "uncontrolled":
            return Finding(
                Reading(obtained, span.low - slack <= target <= span.high + slack),
                "Three numbers of this row fix three free parameters of the plant: it can be met, "
                "and is what every other row is predicted from.",
                span,
                "t-interval (95 %) over seeds",
            )
        least, most = _controlled_range(seed, name)
        return Finding(
            Reading(obtained, [span.low <= target <= span.high, least <= target <= most]),
            f"On the plant that the first row identifies no single reading of the control law "
            f"gives the three figures of this row together; over all readings it lies between "
            f"{least:.4g} and {most:.4g}.",
            span,
            "t-interval (95 %) over seeds",
        )

    return evaluate


_e01 = _figure("uncontrolled", "uncontrolled", "violations")
_e02 = _figure(READING, "ENTRO-ENGINE", "violations")
_e04 = _figure("uncontrolled", "uncontrolled", "peak_psi")
_e07 = _figure("uncontrolled", "uncontrolled", "peak_queue")
_e08 = _figure(READING, "ENTRO-ENGINE", "peak_queue")


def _e05_peak_controlled(seed: int) -> Finding:
    span, row = _span(seed, READING, "peak_psi"), PUBLISHED["ENTRO-ENGINE"]
    least = engine.least_peak_entropy(row.peak_queue)
    return Finding(
        Reading(
            f"{_text(span, '.2f')} nats; at least {least:.2f} with the published queue",
            row.peak_psi >= least and span.low <= row.peak_psi <= span.high,
            proved=bool(row.peak_psi < least),
        ),
        f"A queue that grows to its published peak of {row.peak_queue:g} is fed faster than it is "
        f"served, so the total is then at least ln(1 + c) + ln(1 + q) = {least:.2f} nats.",
        span,
        "t-interval (95 %) over seeds",
        instead=f"With a peak of {row.peak_psi:g} nats the queue can have peaked at no more than "
        f"{math.exp(row.peak_psi) / 2.2 - 1:.1f} requests.",
    )


def _reduction(claim: str, name: str) -> Evaluator:
    """Relative improvement of the controlled row over the uncontrolled one."""

    def evaluate(seed: int) -> Finding:
        before, after = PUBLISHED["uncontrolled"], PUBLISHED["ENTRO-ENGINE"]
        stated = 100 * (1 - getattr(after, name) / getattr(before, name))
        rows = _rows(seed)[name]
        span = _range(100 * (1 - rows.sel(reading=READING) / rows.sel(reading="uncontrolled")))
        return Finding(
            Reading(
                f"{_text(span, '.1f')} %; the published rows give {stated:.1f} %",
                [round(stated, 1) == figures(claim)[0], span.low <= stated <= span.high],
            ),
            "The percentage follows from the two published figures; from the identified plant it "
            "comes out otherwise.",
            span,
            "t-interval (95 %) over seeds",
        )

    return evaluate


_e03 = _reduction("E03", "violations")
_e06 = _reduction("E06", "peak_psi")
_e09 = _reduction("E09", "peak_queue")


def _e10_always_within(seed: int) -> Finding:
    span, row = _span(seed, READING, "violations"), PUBLISHED["ENTRO-ENGINE"]
    least = engine.least_violations(row.peak_queue)
    return Finding(
        Reading(
            f"{_text(span, '.0f')} steps above the budget",
            span.high == 0 and least == 0,
            proved=least > 0,
        ),
        f"The document's own table has {row.violations:g} steps above the budget, and a queue "
        f"that peaks where it says must spend at least {least} there.",
        span,
        "t-interval (95 %) over seeds",
        instead="The headroom law of notebook 05 keeps the budget wherever its model of the plant "
        "holds.",
    )


def _e11_saturation(seed: int) -> Finding:
    controller = engine.ENTROEngineController()
    psi = np.random.default_rng(seed).uniform(0, 3, (10_000, 2))
    u = np.asarray(controller.compute_control(psi, psi.sum(axis=1, keepdims=True)).u)
    bounded = bool((u <= 0).all() and (u >= -controller.alpha).all())
    edge = engine.critical_gain(engine.Loop(engine.EntropyLaw(), delay=8))
    return Finding(
        Reading(
            f"|u| ≤ α in every case; with a delay of 8 steps the loop is stable only for β below "
            f"{edge:.2f}",
            [bounded, edge is None or edge > controller.beta],
        ),
        "The hyperbolic tangent bounds the signal, not what it adds up to: an integrating or "
        "delayed loop overshoots all the same.",
        instead="Overshoot is prevented inside the region of (α, β, delay, relaxation) that the "
        "notebook maps.",
    )


def _e12_fair(seed: int) -> Finding:
    psi = np.random.default_rng(seed).exponential(1.0, (1000, 5)) + 1e-3
    total = psi.sum(axis=1)
    u = np.asarray(engine.ENTROEngineController().compute_control(psi, total[:, None]).u)
    index = engine.fairness(u[total > 3.0], psi[total > 3.0])
    return Finding(
        Reading(
            f"Jain's index of pressure per entropy: {index.min():.6f} at the least",
            index.min() > 1 - 1e-9,
        ),
        "ρ_i is the share of Ψ_i by definition, so the pressure per nat is the same for all.",
        instead="In proportion to entropy is not in proportion to guilt: as a queue grows, the "
        "share of the source that fills it falls.",
    )


def _regime_counts(version: str) -> Evaluator:
    def evaluate(seed: int) -> Finding:
        matches = engine.search(version, draws=DRAWS, seed=seed).attrs["matches"]
        machine = engine.WaveEngine() if version == "v9" else engine.AttractorEngine()
        regime = engine.regimes(machine).regime.values
        return Finding(
            (),
            f"No equation of {version} was published; that many unlike machines give the counts "
            "exactly shows how little three counts say.",
            instead=f"The counts {'/'.join(map(str, PUBLISHED_COUNTS[version]))} are possible.",
            obtained=f"{'/'.join(map(str, np.bincount(regime, minlength=3)))} of {regime.size} "
            f"steps from equations of our own; so do {matches} of {DRAWS} random settings of them",
        )

    return evaluate


_e13 = _regime_counts("v9")
_e19 = _regime_counts("v10")


def _e14_regime_shares(seed: int) -> Finding:
    counts = np.array(PUBLISHED_COUNTS["v9"])
    shares = 100 * counts / counts.sum()
    return Finding(
        Reading(
            "/".join(f"{s:g}" for s in shares) + " %", np.allclose(shares, (30.0, 23.75, 46.25))
        ),
        "The shares follow from the published counts.",
    )


def _e15_quick_start(seed: int) -> Finding:
    signal, theirs = EXAMPLE.compute_control(psi_i=1.5, psi_total=4.0), observed("entro-engine")
    return Finding(
        Reading(
            f"published package {theirs['version']}: {theirs['import_error']}; ours prints "
            f"u = {signal.u:.3f}, ρ = {signal.rho:.3f}, Δ = {signal.delta:.3f}",
            theirs["import_works"],
        ),
        "The published distribution holds a configuration file and no controller.",
        instead="With entro_nb in the place of entro_engine the same lines run.",
    )


def _e16_controller_tests(seed: int) -> Finding:
    tests = observed("entro-engine")["tests"]["tests/test_controller.py"]
    passed, run = tests.get("passed", 0), sum(tests.values())
    return Finding(
        Reading(
            f"{passed} of {run} pass on the published source distribution",
            run > 0 and passed == run,
        ),
        "The tests import a controller that the distribution does not hold.",
    )


def _e17_example(seed: int) -> Finding:
    signal = EXAMPLE.compute_control(psi_i=1.5, psi_total=4.0)
    u, largest = float(signal.u), EXAMPLE.alpha * float(signal.rho)
    return Finding(
        Reading(
            f"u = {u:.6f}",
            largest >= 0.225 and np.isclose(u, -0.225),
            proved=bool(largest < 0.225),
        ),
        f"|u| cannot exceed α·ρ = {largest:.4f}, since the hyperbolic tangent stays below 1.",
        Interval(u, u, u),
        "t-interval (95 %) over seeds",
        instead="The formula gives the value beside.",
    )


def _e18_static(seed: int) -> Finding:
    row = PUBLISHED["static limit"]
    spans = {name: _span(seed, "static limit 1.5", name) for name in UNITS}
    held = [span.low <= getattr(row, name) <= span.high for name, span in spans.items()]
    least = engine.least_peak_entropy(row.peak_queue)
    return Finding(
        Reading(
            " / ".join(f"{span.value:.4g}" for span in spans.values())
            + f"; the published queue needs at least {least:.2f} nats",
            row.peak_psi >= least and all(held),
            proved=bool(row.peak_psi < least),
        ),
        f"A queue that peaks at {row.peak_queue:g} with a capacity of 1.2 implies a peak of at "
        f"least {least:.2f} nats, above the {row.peak_psi:g} reported.",
        mean_interval(_rows(seed).sel(reading="static limit 1.5").violations),
        "t-interval (95 %) over seeds",
    )
