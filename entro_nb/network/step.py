"""The step of the exchange: chosen, or checked against the bound that keeps it stable."""

from __future__ import annotations

import warnings

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.network.cautions import StabilityWarning
from entro_nb.network.topology import Topology

__all__ = ["admissible_step"]

#: How the step of the exchange is chosen.
STEPS = ("kappa", "optimal", "degree")


def admissible_step(
    topology: Topology, kappa: float | None, aggression: float = 1.0, step: str | None = None
) -> float:
    """Step ε of the exchange Ψ ← Ψ − ε·L·Ψ, warned about when it is not below 2/λ_max.

    Parameters
    ----------
    topology : Topology
        Who exchanges with whom.
    kappa : float or None
        Synchronisation constant κ > 0; None chooses the step.
    aggression : float
        α, which multiplies κ.
    step : {"kappa", "optimal", "degree"}, optional
        ``"kappa"`` is ε = ακ, as in the seeds; ``"optimal"`` is 2/(λ₂ + λ_max), the fastest
        constant step (Xiao and Boyd 2004); ``"degree"`` is ακ/(d_max + 1), which is ακ/N on the
        complete graph and admissible for ακ ≤ 1 on any. Default: "kappa" where κ is given,
        else "optimal", or for graphs too large for λ₂ "degree" with ακ = 1.

    Warns
    -----
    StabilityWarning
        If ε ≥ 2/λ_max: some disagreement then grows, or at best never shrinks.

    Examples
    --------
    >>> admissible_step(Topology.complete(5), None)
    0.2
    >>> admissible_step(Topology.ring(8), 0.5, step="degree")
    0.16666666666666666
    """
    ends = topology.spectrum
    if ends.largest == 0.0:
        # Nobody exchanges with anybody: any step does the same, nothing.
        return 1.0 if kappa is None else aggression * kappa
    if step is None:
        step = "kappa" if kappa is not None else "optimal" if ends.smallest else "degree"
    step = validate.choice("step", step, STEPS)
    if step == "optimal":
        if ends.smallest is None:
            raise ParameterError(
                "step", step, f"'kappa' or 'degree' for a graph of {topology.n_nodes} nodes"
            )
        return 2.0 / (ends.smallest + ends.largest)
    if step == "degree":
        product = 1.0 if kappa is None else aggression * kappa
        chosen = product / (int(topology.degrees.max()) + 1)
    elif kappa is None:
        raise ParameterError("kappa", kappa, "a positive number with step='kappa'")
    else:
        chosen = aggression * kappa
    bound = 2.0 / ends.largest
    if chosen >= bound:
        exactness = "" if ends.exact else " (a lower bound of it)"
        warnings.warn(
            f"step {chosen:g} of the exchange is not below 2/λ_max = {bound:g}{exactness}: "
            f"disagreement grows up to {abs(1 - chosen * ends.largest):g}-fold at each "
            "broadcast; choose a smaller kappa, or step='optimal'",
            StabilityWarning,
            stacklevel=3,
        )
    return chosen
