"""ENTRO-NET: synchronise, learn, isolate, scale (seeds 001 and 002).

`PsiSync` levels the states of the nodes, `simulate` closes the loop around them, `CollectiveAEW`
learns, `transfer_study` hands weights on, `contagion` and `FaultIsolation` keep faults apart,
`NetThreshold` follows the spread, and `published_variance` with `predicted_variance` are the
scaling study and its cause. All of them exchange through `exchange_into`.
"""

from entro_nb.network.exchange import (
    EVERYBODY as EVERYBODY,
    Gains as Gains,
    Links as Links,
    StabilityWarning as StabilityWarning,
    exchange_into as exchange_into,
    links_of as links_of,
    pairwise as pairwise,
)
from entro_nb.network.isolation import (
    FAULTS as FAULTS,
    ISOLATIONS as ISOLATIONS,
    Fault as Fault,
    FaultIsolation as FaultIsolation,
    Isolation as Isolation,
    IsolationRule as IsolationRule,
    IsolationWarning as IsolationWarning,
    NetThreshold as NetThreshold,
    Outbreak as Outbreak,
    ThresholdParameters as ThresholdParameters,
    contagion as contagion,
    nodes_protected as nodes_protected,
    spared_by_overload as spared_by_overload,
)
from entro_nb.network.learner import (
    START_WEIGHTS as START_WEIGHTS,
    AEWParameters as AEWParameters,
    CollectiveAEW as CollectiveAEW,
    project as project,
)
from entro_nb.network.learning import (
    Policy as Policy,
    Registry as Registry,
    Task as Task,
    adaptation_saved as adaptation_saved,
    adaptation_time as adaptation_time,
    compare_policies as compare_policies,
    episode as episode,
    fingerprint as fingerprint,
    fixed_losses as fixed_losses,
    grid_best as grid_best,
    probe_and_transfer as probe_and_transfer,
    simplex_grid as simplex_grid,
    spsa as spsa,
    transfer_study as transfer_study,
)
from entro_nb.network.liars import (
    DEFENCES as DEFENCES,
    Defended as Defended,
    Lie as Lie,
    attack as attack,
    harm_bound as harm_bound,
    spread_removed as spread_removed,
    trimmed_average as trimmed_average,
    unseen_harm as unseen_harm,
    worst_lie as worst_lie,
)
from entro_nb.network.scaling import (
    CEILING as CEILING,
    DRAW as DRAW,
    TAIL as TAIL,
    StudyNode as StudyNode,
    common_level as common_level,
    goodness as goodness,
    input_states as input_states,
    linear_law as linear_law,
    predicted_variance as predicted_variance,
    published_variance as published_variance,
    refit_linear as refit_linear,
    refit_saturation as refit_saturation,
    saturation_law as saturation_law,
    scaling_study as scaling_study,
    study_nodes as study_nodes,
    unclipped_variance as unclipped_variance,
)
from entro_nb.network.simulation import (
    Autoregressive as Autoregressive,
    Disturbance as Disturbance,
    Oscillator as Oscillator,
    Transmission as Transmission,
    simulate as simulate,
    variance_removed as variance_removed,
    waveform as waveform,
)
from entro_nb.network.stability import (
    SETTINGS as SETTINGS,
    contraction as contraction,
    delay_bound as delay_bound,
    guaranteed_decrease as guaranteed_decrease,
    net_variance as net_variance,
    no_overshoot as no_overshoot,
    outcome_map as outcome_map,
    pair_factor as pair_factor,
    steady_variance as steady_variance,
    uniform_factor as uniform_factor,
    v_net as v_net,
)
from entro_nb.network.sync import (
    DisconnectedWarning as DisconnectedWarning,
    PsiSync as PsiSync,
    collective_state as collective_state,
)
from entro_nb.results import Objective as Objective

#: The same, by the name that tells it from the engine's beside it.
simulate_network = simulate
