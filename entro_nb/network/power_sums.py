"""The entropy exchange law (seed 002) as compiled loops: O(N) on a complete graph, sparse else.

On the complete graph, with d_i = Ψ_i − mean, S₂ = Σd², S₃ = Σd³, the sum over all other nodes
of g·(Ψ_j − Ψ_i) + c·(Ψ_j − Ψ_i)³ is

    E_i = −g·N·d_i + c·(S₃ − 3·S₂·d_i − N·d_i³),

because Σ_j (d_j − d_i)³ = S₃ − 3·d_i·S₂ + 3·d_i²·Σd − N·d_i³ and Σd = 0. Centring first keeps
the sums free of cancellation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from entro_nb.network.topology import IntArray, Topology
from entro_nb.results import compiled, reordered
from entro_nb.validate import FloatArray

__all__ = ["Moments", "exchange_into", "moments", "pairwise"]

BoolArray = npt.NDArray[np.bool_]


class Moments(NamedTuple):
    """Centred sums of the states of a network."""

    mean: float  #: mean of Ψ
    squares: float  #: S₂ = Σ(Ψ − mean)²
    cubes: float  #: S₃ = Σ(Ψ − mean)³


@reordered
def _centred(psi: FloatArray, mean: float) -> tuple[float, float, float]:
    one = 0.0
    two = 0.0
    three = 0.0
    for i in range(psi.size):
        d = psi[i] - mean
        one += d
        two += d * d
        three += d * d * d
    return one, two, three


def moments(psi: FloatArray) -> Moments:
    """Mean and centred sums of squares and cubes of an array, in O(N).

    Examples
    --------
    >>> moments(np.array([0.0, 1.0, 2.0]))
    Moments(mean=1.0, squares=2.0, cubes=0.0)
    """
    guess = float(psi.mean())
    rest, squares, cubes = _centred(psi, guess)
    # What rounding left in the mean is moved out of the sums as well.
    shift = rest / psi.size
    mean = guess + shift
    return Moments(
        mean, squares - rest * shift, cubes - 3.0 * shift * squares + 2.0 * rest * shift**2
    )


@compiled
def _complete(
    psi: FloatArray,
    mean: float,
    squares: float,
    cubes: float,
    linear: float,
    cubic: float,
    clip: bool,
    out: FloatArray,
) -> None:
    n = psi.size
    slope = -linear * n - 3.0 * cubic * squares
    offset = cubic * cubes
    bend = -cubic * n
    if clip:
        for i in range(n):
            d = psi[i] - mean
            value = psi[i] + (offset + d * (slope + bend * d * d))
            out[i] = min(1.0, max(0.0, value))
    else:
        for i in range(n):
            d = psi[i] - mean
            out[i] = psi[i] + (offset + d * (slope + bend * d * d))


@compiled
def _sparse(
    psi: FloatArray,
    start: IntArray,
    neighbour: IntArray,
    active: BoolArray,
    linear: float,
    cubic: float,
    clip: bool,
    out: FloatArray,
) -> None:
    for i in range(psi.size):
        if not active[i]:
            out[i] = psi[i]
            continue
        total = 0.0
        for e in range(start[i], start[i + 1]):
            j = neighbour[e]
            if active[j]:
                d = psi[j] - psi[i]
                total += d * (linear + cubic * d * d)
        value = psi[i] + total
        out[i] = min(1.0, max(0.0, value)) if clip else value


def exchange_into(
    out: FloatArray,
    psi: FloatArray,
    topology: Topology,
    linear: float,
    cubic: float,
    *,
    clip: bool = False,
    active: BoolArray | None = None,
    sums: Moments | None = None,
) -> None:
    """Write Ψ_i + Σ_j [linear·(Ψ_j − Ψ_i) + cubic·(Ψ_j − Ψ_i)³] into `out`.

    Isolated nodes (`active` False) neither give nor take: their value passes unchanged.
    `sums` are the moments of the active states, when the caller has them already.
    """
    if not topology.is_complete:
        everyone = np.ones(psi.size, np.bool_) if active is None else active
        _sparse(psi, topology.start, topology.neighbour, everyone, linear, cubic, clip, out)
        return
    if active is None:
        s = moments(psi) if sums is None else sums
        _complete(psi, s.mean, s.squares, s.cubes, linear, cubic, clip, out)
        return
    own = psi[active]
    s = moments(own) if sums is None else sums
    mixed = np.empty_like(own)
    _complete(own, s.mean, s.squares, s.cubes, linear, cubic, clip, mixed)
    out[:] = psi
    out[active] = mixed


@compiled
def pairwise(psi: FloatArray, linear: float, cubic: float) -> FloatArray:
    """Exchange of the complete graph summed pair by pair, O(N²), as seed 002 writes it.

    Examples
    --------
    >>> pairwise(np.array([0.0, 1.0]), 0.25, 0.0)
    array([ 0.25, -0.25])
    """
    out = np.zeros_like(psi)
    for i in range(psi.size):
        for j in range(psi.size):
            if j != i:
                d = psi[j] - psi[i]
                out[i] += linear * d + cubic * d**3
    return out
