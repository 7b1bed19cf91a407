"""IEGN (seed 004): curvature, flow, action, annealing and consensus on graphs.

NetworkX graphs at the door, arrays inside. What the seed publishes stands by its own names
(:class:`ManifoldOptimizer`, ``load_proxy``, ``lagrangian_as_coded``); what the literature has
for the same purpose stands beside it and is the default.
"""

from entro_nb.geometry.action import (
    Action,
    critical_temperature,
    force,
    lagrangian,
    lagrangian_as_coded,
    rest_energy,
)
from entro_nb.geometry.annealing import Schedule, anneal, cap_slider, temperatures
from entro_nb.geometry.balancing import Traffic, arrivals
from entro_nb.geometry.byzantine import (
    Liar,
    agreement,
    byzantine_study,
    resilient_consensus,
)
from entro_nb.geometry.communities import (
    adjusted_rand,
    cut,
    flow_communities,
    louvain,
    modularity,
    split_of,
)
from entro_nb.geometry.consensus import consensus, laplacian, measured_rate, spectrum
from entro_nb.geometry.curvature import augmented_forman, curvature, forman, load_proxy
from entro_nb.geometry.families import airports, family, karate_club, planted_communities
from entro_nb.geometry.flow import RicciFlow, advance, flow, start
from entro_nb.geometry.games import (
    biased_pennies,
    congestion_game,
    logit_dynamics,
    potential,
    pure_nash,
    stationary,
)
from entro_nb.geometry.graph import Network, as_network
from entro_nb.geometry.motion import discrete_action, integrate
from entro_nb.geometry.ollivier import lin_lu_yau, ollivier_ricci
from entro_nb.geometry.published import IEGN_Node, ManifoldOptimizer
from entro_nb.geometry.robustness import robust_graph, robustness
from entro_nb.geometry.sampling import (
    boltzmann,
    descend,
    free_energy,
    langevin,
    metropolis,
    total_variation,
)
from entro_nb.geometry.transport import wasserstein
from entro_nb.geometry.workflow import Workflow, compare, load_entropy, run_workflow

__all__ = [
    "Action",
    "IEGN_Node",
    "Liar",
    "ManifoldOptimizer",
    "Network",
    "RicciFlow",
    "Schedule",
    "Traffic",
    "Workflow",
    "adjusted_rand",
    "advance",
    "agreement",
    "airports",
    "anneal",
    "arrivals",
    "as_network",
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
    "family",
    "flow",
    "flow_communities",
    "force",
    "forman",
    "free_energy",
    "integrate",
    "karate_club",
    "lagrangian",
    "lagrangian_as_coded",
    "langevin",
    "laplacian",
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
    "robust_graph",
    "robustness",
    "run_workflow",
    "spectrum",
    "split_of",
    "start",
    "stationary",
    "temperatures",
    "total_variation",
    "wasserstein",
]
