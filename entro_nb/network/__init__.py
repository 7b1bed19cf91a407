"""ENTRO-NET: synchronise, learn, isolate, scale (seeds 001 and 002).

`PsiSync` levels the states of the nodes, `simulate` closes the loop around them, `CollectiveAEW`
learns, `transfer_study` hands weights on, `contagion` and `FaultIsolation` keep faults apart,
`NetThreshold` follows the spread, and `published_variance` with `predicted_variance` are the
scaling study and its cause.
"""

from entro_nb.network.aew import CollectiveAEW
from entro_nb.network.aggression import FAMILY_TARGET
from entro_nb.network.cautions import DisconnectedWarning, IsolationWarning, StabilityWarning
from entro_nb.network.contagion import FAULTS, ISOLATIONS, Outbreak, contagion
from entro_nb.network.disturbances import Disturbance, waveform
from entro_nb.network.fits import (
    Fit,
    goodness,
    linear_law,
    refit_linear,
    refit_saturation,
    saturation_law,
)
from entro_nb.network.isolation import FaultIsolation, IsolationRule
from entro_nb.network.learner import START_WEIGHTS, AEWParameters, project
from entro_nb.network.learning import Task, episode
from entro_nb.network.lyapunov import (
    collective_state,
    contraction,
    guaranteed_decrease,
    spread,
    v_net,
)
from entro_nb.network.nodes import Autoregressive, Oscillator
from entro_nb.network.objectives import (
    Objective,
    adaptation_saved,
    nodes_protected,
    variance_removed,
)
from entro_nb.network.policies import (
    POLICIES,
    compare_policies,
    fixed_losses,
    grid_best,
    simplex_grid,
    spsa,
)
from entro_nb.network.power_sums import pairwise
from entro_nb.network.saturation import CEILING, predicted_variance, unclipped_variance
from entro_nb.network.scaling import published_variance, scaling_study
from entro_nb.network.simulation import Channel, simulate
from entro_nb.network.stability import (
    SETTINGS,
    no_overshoot,
    outcome_map,
    pair_factor,
    uniform_factor,
)
from entro_nb.network.steady import SteadyVariance, delay_bound, steady_variance
from entro_nb.network.step import admissible_step
from entro_nb.network.sync import PsiSync
from entro_nb.network.threshold import NetThreshold, ThresholdParameters
from entro_nb.network.topology import Spectrum, Topology
from entro_nb.network.transfer import (
    Registry,
    adaptation_time,
    fingerprint,
    probe_and_transfer,
    transfer_study,
)
from entro_nb.results import (
    Interval,
    mean_interval,
    reduction_interval,
    share_interval,
)

__all__ = [
    "CEILING",
    "FAMILY_TARGET",
    "FAULTS",
    "ISOLATIONS",
    "POLICIES",
    "SETTINGS",
    "START_WEIGHTS",
    "AEWParameters",
    "Autoregressive",
    "Channel",
    "CollectiveAEW",
    "DisconnectedWarning",
    "Disturbance",
    "FaultIsolation",
    "Fit",
    "Interval",
    "IsolationRule",
    "IsolationWarning",
    "NetThreshold",
    "Objective",
    "Oscillator",
    "Outbreak",
    "PsiSync",
    "Registry",
    "Spectrum",
    "StabilityWarning",
    "SteadyVariance",
    "Task",
    "ThresholdParameters",
    "Topology",
    "adaptation_saved",
    "adaptation_time",
    "admissible_step",
    "collective_state",
    "compare_policies",
    "contagion",
    "contraction",
    "delay_bound",
    "episode",
    "fingerprint",
    "fixed_losses",
    "goodness",
    "grid_best",
    "guaranteed_decrease",
    "linear_law",
    "mean_interval",
    "no_overshoot",
    "nodes_protected",
    "outcome_map",
    "pair_factor",
    "pairwise",
    "predicted_variance",
    "probe_and_transfer",
    "project",
    "published_variance",
    "reduction_interval",
    "refit_linear",
    "refit_saturation",
    "saturation_law",
    "scaling_study",
    "share_interval",
    "simplex_grid",
    "simulate",
    "spread",
    "spsa",
    "steady_variance",
    "transfer_study",
    "unclipped_variance",
    "uniform_factor",
    "v_net",
    "variance_removed",
    "waveform",
]
