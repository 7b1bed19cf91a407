"""ENTRO-ENGINE: several coupled subsystems under one entropy budget (seed 000).

The control law of the seed (Eq. 6–14), a plant for it to act on, the plant's identification from
the published table, what an engineer would use instead, and the regime engines v9 and v10.
"""

from entro_nb.engine.control import (
    BudgetCheck as BudgetCheck,
    ControlSignal as ControlSignal,
    ENTROEngineController as ENTROEngineController,
    EntropyBudget as EntropyBudget,
    ProportionalAllocator as ProportionalAllocator,
    aggregate as aggregate,
    control_signal as control_signal,
    entropy_pressure as entropy_pressure,
    entropy_share as entropy_share,
    fairness as fairness,
    loads as loads,
    normalized_proxy as normalized_proxy,
    proxies as proxies,
    psi_from_rate as psi_from_rate,
    psi_total as psi_total,
)
from entro_nb.engine.laws import (
    AIMD as AIMD,
    LAWS as LAWS,
    PID as PID,
    CoDel as CoDel,
    DriftPlusPenalty as DriftPlusPenalty,
    EntropyLaw as EntropyLaw,
    HeadroomLaw as HeadroomLaw,
    Law as Law,
    NoControl as NoControl,
    StaticLimit as StaticLimit,
    TokenBucket as TokenBucket,
)
from entro_nb.engine.plant import (
    LLMQueue as LLMQueue,
    Phase as Phase,
    Pipeline as Pipeline,
    Scraper as Scraper,
    Subsystem as Subsystem,
    chain as chain,
    fan as fan,
    pipeline as pipeline,
    three_phases as three_phases,
)
from entro_nb.engine.published import (
    PUBLISHED as PUBLISHED,
    SHAPES as SHAPES,
    TOLERANCE as TOLERANCE,
    Plant as Plant,
    PublishedRow as PublishedRow,
    as_written as as_written,
    fitting_plants as fitting_plants,
    identify as identify,
    interpretations as interpretations,
    largest_service as largest_service,
    least_peak_entropy as least_peak_entropy,
    least_rate_memoryless as least_rate_memoryless,
    least_violations as least_violations,
    predict as predict,
    traits as traits,
)
from entro_nb.engine.regimes import (
    PUBLISHED_COUNTS as PUBLISHED_COUNTS,
    PUBLISHED_SHARES as PUBLISHED_SHARES,
    RANGES as RANGES,
    REGIMES as REGIMES,
    AttractorEngine as AttractorEngine,
    WaveEngine as WaveEngine,
    bifurcation as bifurcation,
    engine_of as engine_of,
    hysteresis as hysteresis,
    lyapunov as lyapunov,
    observers as observers,
    regimes as regimes,
    return_map as return_map,
    search as search,
)
from entro_nb.engine.simulation import (
    export as export,
    replicate as replicate,
    simulate as simulate,
    sum_variables as sum_variables,
    sums as sums,
)
from entro_nb.engine.stability import Loop as Loop, critical_gain as critical_gain
from entro_nb.engine.studies import (
    ablation as ablation,
    beside_idle as beside_idle,
    candidates as candidates,
    fronts as fronts,
    trials as trials,
)
