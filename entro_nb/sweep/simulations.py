"""The simulations that a sweep knows by name, each with scalar parameters only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from entro_nb import engine, validate
from entro_nb import network as net

__all__ = ["network", "pipeline", "regimes"]

#: Steps at the end of a run over which a network is summarised.
TAIL = 100


def pipeline(
    *,
    seeds: Sequence[int],
    law: str = "entropy",
    alpha: float = 0.5,
    beta: float = 2.0,
    psi_budget: float = 3.0,
    actuation: Literal["integral", "additive", "multiplicative"] = "integral",
    relaxation: float = 0.02,
    limit: float = 1.5,
    warmup_rate: float = 1.0,
    surge_rate: float = 2.88,
    recovery_rate: float = 0.9,
    surge: float = 52.0,
    duration: float = 1000.0,
    capacity: float = 1.2,
    noise: float = 0.05,
    dt: float = 1.0,
    delay: int = 0,
) -> dict[str, Any]:
    """Pipeline of scraper and queue under a law (seed 000, Eq. 6–14): the sums of each run.

    Parameters
    ----------
    seeds : sequence of int
        One a run: the run that ``engine.simulate(…, seed=…)`` makes.
    law : str
        A name in :data:`entro_nb.engine.LAWS`, such as "none", "static" or "entropy"; the law
        takes the parameters that are its own.
    alpha, beta, psi_budget, actuation, relaxation
        As :class:`entro_nb.engine.EntropyLaw` has them.
    limit : float
        Of the static law, in req/s.
    warmup_rate, surge_rate, recovery_rate, surge, duration
        As :func:`entro_nb.engine.three_phases` has them, in req/s and s.
    capacity, noise, dt, delay
        As :func:`entro_nb.engine.pipeline` and :func:`entro_nb.engine.simulate` have them.

    Returns
    -------
    dict
        Name to (dims, values, units, long name), over ``replicate``.

    Examples
    --------
    >>> runs = pipeline(seeds=[1, 2], law="none")
    >>> runs["violations"][1].shape
    (2,)
    """
    chosen = engine.LAWS[validate.choice("law", law, engine.LAWS)].having(
        alpha=alpha,
        beta=beta,
        psi_budget=psi_budget,
        actuation=actuation,
        relaxation=relaxation,
        limit=limit,
    )
    phases = engine.three_phases(
        warmup_rate, surge_rate, recovery_rate, surge=surge, duration=duration
    )
    plant = engine.pipeline(phases, noise=noise, capacity=capacity)
    totals = engine.sums(plant, chosen, dt=dt, delay=delay, budget=psi_budget, seeds=seeds)
    return engine.sum_variables(totals, round(duration / dt) * dt)


def network(
    *,
    seed: int,
    n_nodes: int = 10,
    steps: int = 500,
    synchronised: bool = True,
    kappa: float = 0.0,
    disturbance: str = "none",
    delay: int = 0,
    loss: float = 0.0,
    quantum: float = 0.0,
) -> dict[str, Any]:
    """Closed-loop network (seeds 001 and 002): what it settles at, over the last 100 steps.

    Parameters
    ----------
    seed : int
    n_nodes, steps, synchronised, disturbance, delay, loss, quantum
        As :func:`entro_nb.network.simulate` and its channel have them.
    kappa : float
        Strength of the exchange; 0 for the fastest admissible one.

    Returns
    -------
    dict
        variance, variance_before (psi²), mean (psi): means over the last 100 steps.

    Examples
    --------
    >>> run = network(seed=1, steps=200)
    >>> run["variance"][1] < run["variance_before"][1]
    True
    """
    run = net.simulate(
        n_nodes,
        steps,
        synchronised=synchronised,
        kappa=kappa or None,
        disturbance=disturbance,
        channel=net.Channel(delay, loss, quantum),
        seed=seed,
        record=False,
    ).isel(replicate=0, time=slice(-TAIL, None))
    return {
        name: ((), float(run[name].mean()), units, str(run[name].attrs["long_name"]))
        for name, units in (("variance", "psi²"), ("variance_before", "psi²"), ("mean", "psi"))
    }


def regimes(
    *,
    steps: int = 80,
    drive: float = 1.65,
    feedback: float = 0.15,
    wear: float = 0.4,
    amplitude: float = 0.3,
    period: float = 45.0,
) -> dict[str, Any]:
    """Regime engine v9 (seed 000): steps spent in each regime. Deterministic.

    Parameters
    ----------
    steps, drive, feedback, wear, amplitude, period
        As :func:`entro_nb.engine.regimes` and :class:`entro_nb.engine.WaveEngine` have them.

    Returns
    -------
    dict
        stable, stress, critical, in steps.

    Examples
    --------
    >>> [int(counts[1]) for counts in regimes().values()]
    [24, 19, 37]
    """
    wave = engine.WaveEngine(
        drive=drive, feedback=feedback, wear=wear, amplitude=amplitude, period=period
    )
    counts = np.bincount(engine.regimes(wave, steps).regime.values, minlength=3)
    return {
        name: ((), int(count), "steps", f"steps in the {name} regime")
        for name, count in zip(("stable", "stress", "critical"), counts, strict=True)
    }
