"""ENTRO-ENGINE: several coupled subsystems under one entropy budget (seed 000).

The control law of the seed (Eq. 6–14), a plant for it to act on, the plant's identification from
the published table, what an engineer would use instead, and the regime engines v9 and v10.
"""

from entro_nb.engine import bounds
from entro_nb.engine.allocation import ProportionalAllocator, fairness
from entro_nb.engine.baselines import (
    AIMD,
    PID,
    CoDel,
    DriftPlusPenalty,
    NoControl,
    StaticLimit,
    TokenBucket,
)
from entro_nb.engine.budget import EntropyBudget
from entro_nb.engine.comparison import candidates, fronts
from entro_nb.engine.control import ControlSignal, ENTROEngineController
from entro_nb.engine.dynamics import bifurcation, hysteresis, lyapunov, return_map
from entro_nb.engine.export import export
from entro_nb.engine.identification import PUBLISHED, Plant, fitting_plants, identify, predict
from entro_nb.engine.law import EntropyLaw, HeadroomLaw, Law
from entro_nb.engine.phases import Phase, three_phases
from entro_nb.engine.proxy import aggregate, loads, normalized_proxy, proxies
from entro_nb.engine.regime_search import search
from entro_nb.engine.regimes import AttractorEngine, WaveEngine, regimes
from entro_nb.engine.robustness import ablation, trials
from entro_nb.engine.simulation import replicate, simulate
from entro_nb.engine.stability import Loop, critical_gain
from entro_nb.engine.subsystem import (
    LLMQueue,
    Pipeline,
    Scraper,
    Subsystem,
    chain,
    fan,
    pipeline,
)

__all__ = [
    "AIMD",
    "PID",
    "PUBLISHED",
    "AttractorEngine",
    "CoDel",
    "ControlSignal",
    "DriftPlusPenalty",
    "ENTROEngineController",
    "EntropyBudget",
    "EntropyLaw",
    "HeadroomLaw",
    "LLMQueue",
    "Law",
    "Loop",
    "NoControl",
    "Phase",
    "Pipeline",
    "Plant",
    "ProportionalAllocator",
    "Scraper",
    "StaticLimit",
    "Subsystem",
    "TokenBucket",
    "WaveEngine",
    "ablation",
    "aggregate",
    "bifurcation",
    "bounds",
    "candidates",
    "chain",
    "critical_gain",
    "export",
    "fairness",
    "fan",
    "fitting_plants",
    "fronts",
    "hysteresis",
    "identify",
    "loads",
    "lyapunov",
    "normalized_proxy",
    "pipeline",
    "predict",
    "proxies",
    "regimes",
    "replicate",
    "return_map",
    "search",
    "simulate",
    "three_phases",
    "trials",
]
