"""IEGN (seed 004): curvature, flow, action, annealing and consensus on graphs.

NetworkX graphs at the door, arrays inside. What the seed publishes stands by its own names
(:class:`ManifoldOptimizer`, ``load_proxy``, ``lagrangian_as_coded``); what the literature has
for the same purpose stands beside it and is the default.
"""

from entro_nb.geometry.action import (
    Action,
    critical_temperature,
    discrete_action,
    force,
    integrate,
    lagrangian,
    lagrangian_as_coded,
    rest_energy,
)
from entro_nb.geometry.annealing import (
    Schedule,
    anneal,
    boltzmann,
    cap_slider,
    descend,
    free_energy,
    langevin,
    metropolis,
    rugged,
    temperatures,
    total_variation,
)
from entro_nb.geometry.byzantine import (
    STRATEGIES,
    Liar,
    agreement,
    byzantine_study,
    resilient_consensus,
    robust_graph,
    robustness,
)
from entro_nb.geometry.consensus import consensus, measured_rate
from entro_nb.geometry.curvature import (
    augmented_forman,
    curvature,
    forman,
    lin_lu_yau,
    load_proxy,
    ollivier_ricci,
)
from entro_nb.geometry.datasets import airports, karate_club, planted_communities
from entro_nb.geometry.flow import (
    RicciFlow,
    adjusted_rand,
    cut,
    flow_communities,
    louvain,
    modularity,
    ricci_flow,
    ricci_start,
    ricci_step,
    split_of,
)
from entro_nb.geometry.games import (
    biased_pennies,
    congestion_game,
    logit_dynamics,
    potential,
    pure_nash,
    stationary,
)
from entro_nb.geometry.published import IEGN_Node, ManifoldOptimizer
from entro_nb.geometry.transport import wasserstein
from entro_nb.geometry.workflow import (
    Traffic,
    Workflow,
    arrivals,
    compare,
    load_entropy,
    run_workflow,
)

__all__ = [
    "STRATEGIES",
    "Action",
    "IEGN_Node",
    "Liar",
    "ManifoldOptimizer",
    "RicciFlow",
    "Schedule",
    "Traffic",
    "Workflow",
    "adjusted_rand",
    "agreement",
    "airports",
    "anneal",
    "arrivals",
    "augmented_forman",
    "biased_pennies",
    "boltzmann",
    "byzantine_study",
    "cap_slider",
    "compare",
    "congestion_game",
    "consensus",
    "critical_temperature",
    "curvature",
    "cut",
    "descend",
    "discrete_action",
    "flow_communities",
    "force",
    "forman",
    "free_energy",
    "integrate",
    "karate_club",
    "lagrangian",
    "lagrangian_as_coded",
    "langevin",
    "lin_lu_yau",
    "load_entropy",
    "load_proxy",
    "logit_dynamics",
    "louvain",
    "measured_rate",
    "metropolis",
    "modularity",
    "ollivier_ricci",
    "planted_communities",
    "potential",
    "pure_nash",
    "resilient_consensus",
    "rest_energy",
    "ricci_flow",
    "ricci_start",
    "ricci_step",
    "robust_graph",
    "robustness",
    "rugged",
    "run_workflow",
    "split_of",
    "stationary",
    "temperatures",
    "total_variation",
    "wasserstein",
]
