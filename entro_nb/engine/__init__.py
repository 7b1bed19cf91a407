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
from entro_nb.engine.control import ControlSignal, ENTROEngineController
from entro_nb.engine.identification import PUBLISHED, Plant, fitting_plants, identify, predict
from entro_nb.engine.law import EntropyLaw, HeadroomLaw, Law
from entro_nb.engine.phases import Phase, three_phases
from entro_nb.engine.proxy import aggregate, loads, normalized_proxy, proxies
from entro_nb.engine.simulation import replicate, simulate
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
    "CoDel",
    "ControlSignal",
    "DriftPlusPenalty",
    "ENTROEngineController",
    "EntropyBudget",
    "EntropyLaw",
    "HeadroomLaw",
    "LLMQueue",
    "Law",
    "NoControl",
    "Phase",
    "Pipeline",
    "Plant",
    "ProportionalAllocator",
    "Scraper",
    "StaticLimit",
    "Subsystem",
    "TokenBucket",
    "aggregate",
    "bounds",
    "chain",
    "fairness",
    "fan",
    "fitting_plants",
    "identify",
    "loads",
    "normalized_proxy",
    "pipeline",
    "predict",
    "proxies",
    "replicate",
    "simulate",
    "three_phases",
]
