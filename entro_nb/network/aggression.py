"""How the published protocol tunes its aggression α from the spread it sees."""

from __future__ import annotations

from typing import NamedTuple

from entro_nb.network.exchange import FAMILY_TARGET
from entro_nb.results import compiled, reordered
from entro_nb.validate import FloatArray

__all__ = ["FAMILY_TARGET", "Tuning", "deviations", "start", "tune"]

LOWEST, HIGHEST = 0.5, 5.0


class Tuning(NamedTuple):
    """State of the adaptation of α."""

    aggression: float  #: α
    velocity: float  #: momentum of α
    variance: float  #: variance seen one broadcast ago


def start(aggression: float) -> Tuning:
    """State before the first broadcast, as published."""
    return Tuning(aggression, 0.0, 1.0)


@reordered
def _total_distance(psi: FloatArray, target: float) -> float:
    total = 0.0
    for i in range(psi.size):
        total += abs(psi[i] - target)
    return total


def deviations(psi: FloatArray, target: float) -> tuple[float, float]:
    """Largest and mean distance from the target, max|Ψ − Ψ*| and mean|Ψ − Ψ*|."""
    largest = max(float(psi.max()) - target, target - float(psi.min()))
    return largest, _total_distance(psi, target) / psi.size


@compiled
def tune(state: Tuning, variance: float, largest: float, mean: float) -> Tuning:
    """One step of the published adaptation of α.

    stress = Var + 0.3·max|Ψ − Ψ*| + 0.2·mean|Ψ − Ψ*|, gain = (Var_prev − Var)/Var_prev,
    target = clip(1 + 3·stress + adj, 0.5, 5) with adj = −0.5·gain if gain > 0 else 0.2·gain;
    v ← 0.9·v + 0.05·(target − α), α ← clip(α + v, 0.5, 5).

    Spread raises α, and α times κN beyond 2 raises the spread: the loop feeds itself.

    Examples
    --------
    >>> round(tune(start(1.0), 0.0, 0.0, 0.0).aggression, 3)
    0.975
    """
    stress = variance + 0.3 * largest + 0.2 * mean
    gain = (state.variance - variance) / state.variance if state.variance > 0.0 else 0.0
    adjustment = -0.5 * gain if gain > 0.0 else 0.2 * gain
    target = min(HIGHEST, max(LOWEST, 1.0 + 3.0 * stress + adjustment))
    velocity = 0.9 * state.velocity + 0.05 * (target - state.aggression)
    return Tuning(min(HIGHEST, max(LOWEST, state.aggression + velocity)), velocity, variance)
