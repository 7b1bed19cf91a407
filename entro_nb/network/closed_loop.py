"""The closed loop, compiled: every node moves, then hears its neighbours, and so on.

At each step Ψ_i moves by the node's own dynamics, is sent, and the exchange acts on messages of
the same age τ, Ψ_i ← Ψ_i + ε·Σ_j (m_j(t − τ) − m_i(t − τ)): what one node gains another gives,
so the exchange keeps the mean under delay, loss of links and rounding as well.
"""

from __future__ import annotations

import numpy as np

from entro_nb.network.nodes import control, oscillate
from entro_nb.network.topology import IntArray
from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["KINDS", "run"]

#: Node kinds as the loop numbers them.
KINDS = ("autoregressive", "oscillator")


@compiled
def _move(
    kind: int,
    c: FloatArray,
    psi: FloatArray,
    velocity: FloatArray,
    acceleration: FloatArray,
    drive: float,
    gains: FloatArray,
    theta: float,
    shock_rate: float,
    shock_size: float,
    rng: np.random.Generator,
) -> None:
    for i in range(psi.size):
        noise = c[1] * rng.standard_normal() if c[1] > 0.0 else 0.0
        if kind == 0:
            psi[i] = c[2] + c[0] * (psi[i] - c[2]) + (1.0 - c[0]) * gains[i] * drive + noise
        else:
            u = 0.0
            if c[6] > 0.0:
                u = control(psi[i], velocity[i], acceleration[i], c[7], c[8], c[9], theta)
            psi[i], velocity[i], acceleration[i] = oscillate(
                psi[i], velocity[i], u + gains[i] * drive + noise, c[0], c[3], c[4], c[5]
            )
        if shock_rate > 0.0 and rng.random() < shock_rate:
            psi[i] += shock_size


@compiled
def _flows(
    message: FloatArray,
    start: IntArray,
    neighbour: IntArray,
    step: float,
    loss: float,
    rng: np.random.Generator,
    psi: FloatArray,
) -> None:
    for i in range(psi.size):
        for e in range(start[i], start[i + 1]):
            j = neighbour[e]
            if j > i and (loss == 0.0 or rng.random() >= loss):
                flow = step * (message[j] - message[i])
                psi[i] += flow
                psi[j] -= flow


@compiled
def _variance(psi: FloatArray) -> tuple[float, float]:
    mean = psi.mean()
    total = 0.0
    for value in psi:
        total += (value - mean) ** 2
    return mean, total / psi.size


@compiled
def run(
    kind: int,
    c: FloatArray,
    psi: FloatArray,
    drive: FloatArray,
    gains: FloatArray,
    shock_rate: float,
    shock_size: float,
    start: IntArray,
    neighbour: IntArray,
    is_complete: bool,
    step: float,
    delay: int,
    loss: float,
    quantum: float,
    gate: FloatArray,
    theta: float,
    rng: np.random.Generator,
    summary: FloatArray,
    observed: FloatArray,
    synced: FloatArray,
) -> None:
    """Run the loop in place over `psi`, shape (N,).

    `summary`, shape (6, steps), takes mean and variance before the exchange, mean and variance
    after it, θ, and the share of nodes above θ. `observed` and `synced`, shape (steps, N) or
    (0, N), take the states before and after the exchange. `gate` holds θ_base, γ, the window
    and the clip of θ_net, or is empty for a constant `theta`. `step` 0 means no exchange.
    """
    n = psi.size
    velocity = np.zeros(n)
    acceleration = np.zeros(n)
    messages = np.zeros((delay + 1, n))
    window = int(gate[2]) if gate.size else 1
    variances = np.zeros(window)
    for t in range(drive.size):
        _move(
            kind,
            c,
            psi,
            velocity,
            acceleration,
            drive[t],
            gains,
            theta,
            shock_rate,
            shock_size,
            rng,
        )
        summary[0, t], summary[1, t] = _variance(psi)
        if observed.shape[0]:
            observed[t] = psi
        if step > 0.0:
            sent = messages[t % (delay + 1)]
            for i in range(n):
                sent[i] = psi[i] if quantum == 0.0 else quantum * np.round(psi[i] / quantum)
            if t >= delay:
                heard = messages[(t - delay) % (delay + 1)]
                if is_complete:
                    mean = heard.mean()
                    for i in range(n):
                        psi[i] += step * n * (mean - heard[i])
                else:
                    _flows(heard, start, neighbour, step, loss, rng, psi)
                if kind == 1:
                    for i in range(n):
                        psi[i] = max(c[5], psi[i])
        summary[2, t], summary[3, t] = _variance(psi)
        if synced.shape[0]:
            synced[t] = psi
        if gate.size:
            variances[t % window] = summary[3, t]
            held = variances[: min(t + 1, window)]
            theta = min(gate[4], max(gate[3], gate[0] + gate[1] * held.mean()))
        over = 0
        for value in psi:
            over += value > theta
        summary[4, t] = theta
        summary[5, t] = over / n
