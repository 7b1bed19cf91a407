"""Worlds for the claims of the Entropy Engine on recorded streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from entro_nb.claims import Verdict
from worlds import World

R, P, N = Verdict.REPRODUCED, Verdict.PARTLY, Verdict.NOT_REPRODUCED
CHANCE = np.array([0.4, 0.5, 0.6])
HIGH = np.array([0.90, 0.91, 0.92])


def standing(*high: str, kinds: int = 2, where: Callable[[range], bool] = bool) -> dict[str, Any]:
    """Windows stand out in these quantities, where asked in such stretches, in so many kinds."""

    def measured(window: int, quantity: str, of: Callable[[range], range]) -> dict[str, Any]:
        seen = quantity in high and where(of(range(100, 200)))
        return {kind: HIGH if seen and k < kinds else CHANCE for k, kind in enumerate("ab")}

    return {"_measured_standing": measured}


def scores(*found: float) -> dict[str, Any]:
    every = {str(k): score for k, score in enumerate(found)}
    return {"_measured_scores": lambda seed: (every, np.array([11.0, 16.0]))}


def sign(before: float) -> dict[str, Any]:
    shares = before + CHANCE / 50, 0.5 + CHANCE / 50
    return {"_measured_sign": lambda *_: shares}


def heading(telling: Callable[[int], bool], shuffled: float = 0.5) -> dict[str, Any]:
    """Rates that tell what comes so many steps ahead, and what the same values give shuffled."""

    def measured(seed: int, ahead: int) -> dict[str, Any]:
        rows = np.array([HIGH if telling(ahead) else CHANCE, shuffled + CHANCE / 50])
        return {"H′": rows, "H″": rows}

    return {"_measured_heading": measured}


def comparable(mean: float, deviation: float, alarms: float) -> dict[str, Any]:
    return {"_measured_comparable": lambda: np.tile([mean, deviation, alarms], (5, 1))}


def defined(entropy: bool, rates: bool) -> dict[str, Any]:
    return {"_measured_defined": lambda: [(entropy, rates)] * 58}


def _ends_before(middle: int) -> Callable[[range], bool]:
    return lambda stretch: stretch.stop <= middle


WORLDS: dict[str, list[World]] = {
    "A11": [
        World(R, measured=standing("H") | scores(20.0, 30.0)),
        World(P, measured=standing("H", kinds=1) | scores(20.0, 30.0)),
        World(P, measured=standing("H") | scores(10.0, 16.0)),
        World(P, measured=standing() | scores(10.0, 30.0)),
        World(N, measured=standing("H′", "H″") | scores(10.0, 16.0)),
    ],
    "A12": [
        World(R, measured=standing("H", "H′", "H″")),
        World(R, measured=standing("H", "H′", "H″", where=_ends_before(150))),
        World(P, measured=standing("H", "H′", "H″", where=_ends_before(100))),
        World(P, measured=standing("H")),
        World(N, measured=standing("H", "H′", "H″", where=lambda stretch: 150 in stretch)),
    ],
    "A13": [
        World(R, measured=standing("H″") | sign(0.7)),
        World(R, "30–40", standing("H″", where=lambda s: s == range(110, 121)) | sign(0.7)),
        World(P, measured=standing("H", "H″") | sign(0.7)),
        World(P, measured=standing("H") | sign(0.7)),
        World(P, measured=standing("H″") | sign(0.5)),
        World(N, measured=standing("H") | sign(0.5)),
    ],
    "A14": [
        World(R, measured=heading(lambda ahead: True)),
        World(P, measured=heading(lambda ahead: ahead < 100)),
        World(N, measured=heading(lambda ahead: False)),
        World(N, measured=heading(lambda ahead: True, shuffled=0.95)),
    ],
    "A15": [
        World(R, measured=comparable(0.1, 1.1, 1e-4)),
        World(P, measured=comparable(0.1, 1.1, 0.9)),
        World(P, measured=comparable(0.7, 1.1, 1e-4)),
        World(N, measured=comparable(0.1, 3.0, 0.9)),
    ],
    "A16": [
        World(R, measured=defined(entropy=True, rates=True)),
        World(P, measured=defined(entropy=True, rates=False)),
        World(N, measured=defined(entropy=False, rates=False)),
    ],
}
