"""IEGN (seed 004): curvature, flow, action, annealing and consensus on graphs.

NetworkX graphs at the door, arrays inside. What the seed publishes stands by its own names
(:class:`ManifoldOptimizer`, ``load_proxy``, ``lagrangian_as_coded``); what the literature has
for the same purpose stands beside it and is the default.
"""

from entro_nb.geometry.action import (
    Action as Action,
    IEGN_Node as IEGN_Node,
    ManifoldOptimizer as ManifoldOptimizer,
    critical_temperature as critical_temperature,
    discrete_action as discrete_action,
    force as force,
    integrate as integrate,
    lagrangian as lagrangian,
    lagrangian_as_coded as lagrangian_as_coded,
    rest_energy as rest_energy,
    step_cost as step_cost,
)
from entro_nb.geometry.annealing import (
    Schedule as Schedule,
    anneal as anneal,
    biased_pennies as biased_pennies,
    boltzmann as boltzmann,
    cap_slider as cap_slider,
    congestion_game as congestion_game,
    descend as descend,
    descend_free_energy as descend_free_energy,
    free_energy as free_energy,
    langevin as langevin,
    logit_dynamics as logit_dynamics,
    metropolis as metropolis,
    potential as potential,
    pure_nash as pure_nash,
    quantal_response as quantal_response,
    rugged as rugged,
    stationary as stationary,
    temperatures as temperatures,
    total_variation as total_variation,
)
from entro_nb.geometry.consensus import (
    STRATEGIES as STRATEGIES,
    Liar as Liar,
    agreement as agreement,
    byzantine_study as byzantine_study,
    consensus as consensus,
    measured_rate as measured_rate,
    messages_to_agree as messages_to_agree,
    resilient_consensus as resilient_consensus,
    robust_graph as robust_graph,
    robustness as robustness,
)
from entro_nb.geometry.curvature import (
    augmented_forman as augmented_forman,
    curvature as curvature,
    forman as forman,
    lin_lu_yau as lin_lu_yau,
    load_proxy as load_proxy,
    ollivier_ricci as ollivier_ricci,
    wasserstein as wasserstein,
)
from entro_nb.geometry.flow import (
    RicciFlow as RicciFlow,
    adjusted_rand as adjusted_rand,
    airports as airports,
    cut as cut,
    flow_communities as flow_communities,
    karate_club as karate_club,
    louvain as louvain,
    modularity as modularity,
    planted_communities as planted_communities,
    ricci_flow as ricci_flow,
    ricci_start as ricci_start,
    ricci_step as ricci_step,
    split_of as split_of,
)
from entro_nb.geometry.topology import (
    Rewired as Rewired,
    complex_entropy as complex_entropy,
    rewire as rewire,
    simplices as simplices,
)
from entro_nb.geometry.workflow import (
    Traffic as Traffic,
    Workflow as Workflow,
    arrivals as arrivals,
    compare as compare,
    error_rate as error_rate,
    load_entropy as load_entropy,
    run_workflow as run_workflow,
    vectorised as vectorised,
)
