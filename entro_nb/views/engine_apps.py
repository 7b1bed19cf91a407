"""Apps of the entropy budget: many subsystems, the pipeline under a law, the regime explorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import param
import xarray as xr

from entro_nb import engine
from entro_nb.engine import Law
from entro_nb.views import engine as view
from entro_nb.views import engine_regimes as regime_view
from entro_nb.views.app import App

__all__ = ["BudgetApp", "PipelineApp", "RegimeApp"]


ALLOWANCE = "headroom, allowance"

#: Laws by their labels: those of the table, how else Eq. 14 may act, headroom with an allowance.
CONTROLLERS = {
    law.label: law
    for law in (
        *engine.LAWS.values(),
        engine.EntropyLaw(actuation="additive"),
        engine.EntropyLaw(actuation="multiplicative"),
    )
} | {ALLOWANCE: engine.HeadroomLaw()}


@dataclass(frozen=True)
class Budgeted:
    """The law, and subsystems that live under it."""

    law: engine.ENTROEngineController
    run: xr.Dataset


class BudgetApp(App):
    """Eq. 14 as a surface, and N subsystems stacked under the budget line."""

    title = "Entropy budget"
    alt = (
        "Above, the signal u of Eq. 14 as a surface over a subsystem's share and the pressure. "
        "Below, the entropies of several scrapers and their queue stacked over time, under the "
        "budget line."
    )
    twin = ("alpha", (0.1, 0.25, 0.5, 1.0))
    seed = param.Integer(42, precedence=-1)

    alpha = param.Number(0.5, bounds=(0.05, 2.0), step=0.05, label="α, largest pressure (1)")
    beta = param.Number(2.0, bounds=(0.1, 10.0), step=0.1, label="β, slope (1/nat)")
    budget = param.Number(3.5, bounds=(0.5, 8.0), step=0.1, label="Budget Ψ_budget (nats)")
    scrapers = param.Integer(3, bounds=(1, 6), label="Scrapers (subsystems)")

    views: ClassVar[Any] = (
        lambda made: view.control_surface(made.law),
        lambda made: view.stacked(made.run),
    )

    def compute(self) -> Budgeted:
        """Let several scrapers surge one after the other into one queue."""
        n = self.scrapers
        sources = []
        for k in range(n):
            phases = engine.three_phases(
                0.9 / n, 2.4 / n, 0.8 / n, warmup=60.0 + 25.0 * k, surge=60.0, duration=400.0
            )
            sources.append(engine.Scraper(f"scraper {k + 1}", phases, noise=0.03))
        plant = engine.fan(sources, engine.LLMQueue())
        law = engine.EntropyLaw(self.alpha, self.beta, self.budget)
        run = engine.simulate(plant, law, budget=self.budget, seed=self.seed)
        return Budgeted(engine.ENTROEngineController(self.alpha, self.beta, self.budget), run)


class PipelineApp(App):
    """A scraper and its queue under a law of one's choice: trajectories and phase portrait."""

    title = "Pipeline"
    alt = (
        "Total entropy with the budget line and the steps above it shaded; the queue and the "
        "work held back; the offered and admitted rate; the law's signal; and the run as a path "
        "over queue and rate."
    )
    twin = ("law", ("no control", "static limit", "ENTRO-ENGINE, integral", "PID", "headroom"))
    seed = param.Integer(42, precedence=-1)

    law = param.Selector(
        default="ENTRO-ENGINE, integral", objects=list(CONTROLLERS), label="Controller"
    )
    alpha = param.Number(0.5, bounds=(0.05, 2.0), step=0.05, label="α, largest pressure (1)")
    beta = param.Number(2.0, bounds=(0.1, 10.0), step=0.1, label="β, slope (1/nat)")
    relaxation = param.Number(0.02, bounds=(0.0, 0.2), step=0.005, label="λ, relaxation (1/s)")
    budget = param.Number(3.0, bounds=(1.0, 6.0), step=0.1, label="Budget Ψ_budget (nats)")
    allowance = param.Number(60.0, bounds=(0.0, 100.0), step=5.0, label="Allowance (requests)")
    surge = param.Number(52.0, bounds=(5.0, 200.0), step=1.0, label="Surge length (s)")
    surge_rate = param.Number(2.88, bounds=(0.5, 3.0), step=0.02, label="Surge rate (req/s)")
    recovery_rate = param.Number(0.9, bounds=(0.1, 1.15), step=0.05, label="Recovery (req/s)")
    noise = param.Number(0.05, bounds=(0.0, 0.5), step=0.01, label="Noise (req/s)")
    delay = param.Integer(0, bounds=(0, 30), label="Delay of the loop (steps)")

    views: ClassVar[Any] = (
        view.total_curve,
        view.queue_curve,
        view.rate_curve,
        view.signal_curve,
        view.phase_portrait,
    )

    def chosen(self) -> Law:
        """The law with the present gains."""
        law = CONTROLLERS[self.law].having(
            alpha=self.alpha,
            beta=self.beta,
            psi_budget=self.budget,
            setpoint=self.budget,
            relaxation=self.relaxation,
        )
        return law.having(allowance=self.allowance) if self.law == ALLOWANCE else law

    def compute(self) -> xr.Dataset:
        """Run the chosen law on the chosen plant."""
        phases = engine.three_phases(
            1.0, self.surge_rate, self.recovery_rate, 100.0, self.surge, 600.0
        )
        plant = engine.pipeline(phases, noise=self.noise)
        return engine.simulate(
            plant, self.chosen(), delay=self.delay, budget=self.budget, seed=self.seed
        )


@dataclass(frozen=True)
class Explored:
    """A regime engine, its run, and what it does along its own parameter."""

    engine: engine.WaveEngine | engine.AttractorEngine
    run: xr.Dataset
    tree: xr.Dataset
    here: float


class RegimeApp(App):
    """v9 and v10 with every parameter under a slider."""

    title = "Regimes"
    alt = (
        "The load over 80 steps with its moving thresholds, each regime with a colour and a "
        "marker; energy, memory and stability; the return map; and the bifurcation diagram with "
        "the largest Lyapunov exponent beneath, a line at the present value."
    )
    twin = ("drive", (1.2, 1.4, 1.65, 1.9, 2.2))

    version = param.Selector(default="v9", objects=["v9", "v10"], label="Engine")
    drive = param.Number(1.65, bounds=(0.3, 3.0), step=0.05, label="Drive D (1)")
    feedback = param.Number(0.15, bounds=(0.0, 0.3), step=0.01, label="Feedback g (1)")
    wear = param.Number(0.4, bounds=(0.0, 1.0), step=0.05, label="Wear h (1)")
    shift = param.Number(0.3, bounds=(0.0, 0.6), step=0.05, label="Shift of thresholds k (1)")
    stress_ratio = param.Number(0.55, bounds=(0.3, 0.95), step=0.05, label="Stress ratio f (1)")
    amplitude = param.Number(0.3, bounds=(0.0, 0.6), step=0.05, label="v9: wave A (1)")
    period = param.Number(45.0, bounds=(5.0, 100.0), step=1.0, label="v9: period P (steps)")
    rate = param.Number(2.05, bounds=(0.5, 3.5), step=0.05, label="v10: rate ρ (1)")

    views: ClassVar[Any] = (
        lambda made: regime_view.regime_trajectory(made.run),
        lambda made: regime_view.regime_ribbon(made.run),
        lambda made: regime_view.return_picture(engine.return_map(made.engine)),
        lambda made: regime_view.bifurcation_picture(
            made.tree, made.here, "v9: drive D, v10: rate ρ (1)"
        ),
        lambda made: regime_view.exponent_curve(made.tree, "v9: drive D, v10: rate ρ (1)"),
    )

    def compute(self) -> Explored:
        """Run the engine, and sweep its own parameter."""
        shared = {
            name: getattr(self, name)
            for name in ("drive", "feedback", "wear", "shift", "stress_ratio")
        }
        made: engine.WaveEngine | engine.AttractorEngine
        if self.version == "v9":
            made = engine.WaveEngine(**shared, amplitude=self.amplitude, period=self.period)
            values, name = [0.3 + 0.03 * k for k in range(91)], "drive"
        else:
            made = engine.AttractorEngine(**shared, rate=self.rate)
            values, name = [0.5 + 0.02 * k for k in range(151)], "rate"
        tree = engine.bifurcation(made, name, values, transient=400, samples=60, stride=1)
        return Explored(made, engine.regimes(made), tree, float(getattr(made, name)))
