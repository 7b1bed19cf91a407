"""What drives the nodes: the family's regimes as waveforms over time, and shocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from entro_nb import validate
from entro_nb.validate import FloatArray

__all__ = ["REGIMES", "Disturbance", "waveform"]

#: Names of the waveforms.
REGIMES = ("none", "scraper", "llm", "phase_shift")


@dataclass(frozen=True)
class Disturbance:
    """What acts on the nodes from outside.

    Attributes
    ----------
    regime : {"none", "scraper", "llm", "phase_shift"}
        Waveform common to all nodes, see :func:`waveform`.
    heterogeneity : float
        Node i takes the waveform times a gain drawn from 1 ± heterogeneity (ours): without
        it a common waveform makes no disagreement.
    shock_rate : float
        Chance of a shock per node and step.
    shock_size : float
        Jump of Ψ at a shock.
    """

    regime: str = "none"
    heterogeneity: float = 0.5
    shock_rate: float = 0.0
    shock_size: float = 0.3

    def __post_init__(self) -> None:
        validate.choice("regime", self.regime, REGIMES)
        validate.real("heterogeneity", self.heterogeneity, 0.0, 1.0)
        validate.real("shock_rate", self.shock_rate, 0.0, 1.0)
        validate.real("shock_size", self.shock_size)


def waveform(regime: str, steps: int, dt: float = 0.1) -> FloatArray:
    """Disturbance d(t) of the family over time.

    scraper: 0.5·sin(0.2πt) + 0.8·exp(−((t mod 20) − 10)²/30); llm: 0.01·t for t < 50, then
    0.5 + 0.1·sin(0.2t), t in seconds; phase_shift: 0, and 0.4 from step 250 (the jump of the
    scaling study); none: 0.

    Parameters
    ----------
    regime : str
        One of `REGIMES`.
    steps : int
        Number of steps.
    dt : float
        Seconds a step.

    Returns
    -------
    ndarray
        Shape (steps,).

    Examples
    --------
    >>> waveform("phase_shift", 251)[[249, 250]]
    array([0. , 0.4])
    """
    regime = validate.choice("regime", regime, REGIMES)
    steps = validate.integer("steps", steps, 1)
    t = np.arange(steps) * validate.real("dt", dt, 0.0, open_low=True)
    if regime == "scraper":
        bump = np.exp(-((t % 20.0 - 10.0) ** 2) / 30.0)
        return np.asarray(0.5 * np.sin(0.2 * np.pi * t) + 0.8 * bump)
    if regime == "llm":
        return np.where(t < 50.0, 0.01 * t, 0.5 + 0.1 * np.sin(0.2 * t))
    if regime == "phase_shift":
        return np.where(np.arange(steps) < 250, 0.0, 0.4)
    return np.zeros(steps)
