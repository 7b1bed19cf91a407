"""Worlds for the claims of the Entropy Engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from entro_nb.claims import Verdict
from worlds import World

R, P, N = Verdict.REPRODUCED, Verdict.PARTLY, Verdict.NOT_REPRODUCED
UNTESTED = Verdict.NOT_TESTABLE


def gives(value: Any) -> Any:
    """A measurement that always comes to the same."""
    return lambda *_, **__: value


def streams(recorded: int, moving: int) -> Any:
    """Twelve streams, of which so many are recorded and so many give an entropy that moves."""
    return gives({str(k): (k < recorded, k < moving) for k in range(12)})


def axioms(obeying: tuple[str, ...]) -> Any:
    """Violations in a world in which only these measures obey the axioms."""
    names = ("Shannon", "variance", "Gini", "maximum probability", "Rényi 1/2", "Rényi 2", "other")
    kinds = ("maximality", "independent systems", "equal groups", "any groups")
    return gives({name: dict.fromkeys(kinds, 0.0 if name in obeying else 0.3) for name in names})


KINDS = ("level", "scale", "shape", "burst", "drift")
QUICK, SLOW = np.full(100, 1e-3), np.full(100, 0.02)
RIVALS = ("variance", "Gini", "maximum probability", "Rényi 1/2", "Rényi 2")


def warnings(lead: float, positive: float) -> Any:
    return gives((np.full(40, lead), dict.fromkeys(KINDS, positive)))


def flags(every: int) -> Any:
    """One change in so many is seen."""
    return gives(np.tile(np.arange(200) % every == 0, (2, 1)).astype(float))


def readers(waits: float, computes: float) -> Any:
    return gives({"returns": 0.1, "waits": waits, "computes": computes})


def signs(disperse: float, concentrate: float, shift: float) -> Any:
    return gives({"disperse": disperse, "concentrate": concentrate, "shift": shift})


WORLDS: dict[str, list[World]] = {
    "A01": [
        World(R, measured={"_measured_latency": gives(np.array([QUICK, QUICK]))}),
        World(P, measured={"_measured_latency": gives(np.array([SLOW, QUICK]))}),
        World(N, measured={"_measured_latency": gives(np.array([SLOW, SLOW]))}),
        World(N, "< 0.5", {"_measured_latency": gives(np.array([QUICK, QUICK]))}),
    ],
    "A02": [
        World(R, measured={"_measured_warnings": warnings(15.0, 0.9)}),
        World(R, "100–200", {"_measured_warnings": warnings(150.0, 0.9)}),
        World(P, "100–200", {"_measured_warnings": warnings(15.0, 0.9)}),
        World(N, measured={"_measured_warnings": warnings(-200.0, 0.5)}),
    ],
    "A03": [
        World(R, measured={"_measured_streams": streams(12, 12)}),
        World(P, measured={"_measured_streams": streams(12, 11)}),
        World(N, measured={"_measured_streams": streams(12, 0)}),
        World(UNTESTED, measured={"_measured_streams": streams(11, 12)}),
    ],
    "A04": [
        World(R, measured={"_measured_axioms": axioms(("Shannon",))}),
        World(P, measured={"_measured_axioms": axioms(("Shannon", "Rényi 2"))}),
        World(N, measured={"_measured_axioms": axioms(("Gini",))}),
    ],
    "A05": [
        World(R, measured={"_measured_axioms": axioms(("Shannon",))}),
        World(P, measured={"_measured_axioms": axioms(("Shannon", "Rényi 2"))}),
        World(N, measured={"_measured_axioms": axioms(("Shannon", *RIVALS))}),
    ],
    "A06": [
        World(R, measured={"_measured_flags": flags(1)}),
        World(P, measured={"_measured_flags": flags(3)}),
        World(N, measured={"_measured_flags": flags(9)}),
    ],
    "A07": [
        World(R, measured={"_measured_orders": gives(np.zeros((40, 4)))}),
        World(N, measured={"_measured_orders": gives(np.full((40, 4), 2.0))}),
    ],
    "A08": [
        World(R, measured={"_measured_pause": gives((9, [*range(9)]))}),
        World(N, measured={"_measured_pause": gives((9, [*range(8)]))}),
        World(N, measured={"_measured_pause": gives((9, [0, 1, 2, 3, 4, 5, 6, 7, 7]))}),
        World(R, "1", {"_measured_pause": gives((9, [*range(8)]))}),
    ],
    "A09": [
        World(R, measured={"_measured_readers": readers(0.1, 0.1)}),
        World(P, measured={"_measured_readers": readers(0.1, 2.0)}),
        World(N, measured={"_measured_readers": readers(50.0, 2.0)}),
    ],
    "A10": [
        World(R, measured={"_measured_signs": signs(1.0, 0.0, 0.1)}),
        World(P, measured={"_measured_signs": signs(1.0, 0.0, 1.0)}),
        World(N, measured={"_measured_signs": signs(0.5, 0.5, 1.0)}),
    ],
}
