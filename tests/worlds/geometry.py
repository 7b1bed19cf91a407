"""Worlds for the claims of IEGN."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from entro_nb.claims import Verdict
from entro_nb.claims.geometry import Averaged, Locality, Players, Signs
from entro_nb.results import Interval
from worlds import World

YES, PART, NO = Verdict.REPRODUCED, Verdict.PARTLY, Verdict.NOT_REPRODUCED
FLOWS = ("iegn-conductance", "iegn-length", "iegn-proxy")
READINGS = ("conductance", "length", "proxy")


def always(value: Any) -> Any:
    """A measuring function that finds the same whatever it is asked."""
    return lambda *_, **__: value


def relief(none: float, flow: float, rank: float, paths: float) -> dict[str, Any]:
    """The queueing network with given latencies, and curvature with given signs."""
    names, values = ["none", "diffusion", *FLOWS], np.array([none, 1.0, flow, flow + 1, flow + 2])
    latency = (("policy", "replicate"), values[:, None] + np.zeros(3))
    runs = xr.Dataset({"latency": latency, "load_variance": latency}, coords={"policy": names})
    return {
        "_measured_policies": always(runs),
        "_measured_signs": always(Signs({key: [rank, rank] for key in READINGS}, paths)),
    }


def counts(none: float, flow: float) -> dict[str, Any]:
    """Prices that are known, where the flow moves and sends so much and work waits so long."""
    of = {name: {"message": 120.0, "move": 30.0, "wait": flow} for name in ("diffusion", *FLOWS)}
    of["none"] = {"message": 0.0, "move": 0.0, "wait": none}
    return {"_measured_counts": always(of)}


def messages(power: float) -> dict[str, Any]:
    """Every graph needs messages that grow by one power of the number of nodes."""
    sizes = [64, 256, 1024]
    graphs = ("random 4-regular", "grid", "complete")
    return {"_measured_messages": always({k: [round(n**power) for n in sizes] for k in graphs})}


VALLEYS = (Interval(0.2, 0.1, 0.3), Interval(0.7, 0.6, 0.8))

WORLDS: dict[str, list[World]] = {
    "G01": [
        World(YES, measured={"_measured_stability": always(Averaged([0.9, 0.8], [0, 0], 0.0))}),
        World(PART, measured={"_measured_stability": always(Averaged([1.0, 0.9], [0, 0], 0.0))}),
        World(NO, measured={"_measured_stability": always(Averaged([1.0, 1.2], [9, 9], 0.5))}),
    ],
    "G02": [
        World(
            YES,
            measured={
                "_measured_descent": always({"over distributions": 1e-16}),
                "_measured_players": always(Players(1.0, 0.0, 1.0, 0.0)),
            },
        ),
        World(
            NO,
            measured={
                "_measured_descent": always({"over distributions": 0.3}),
                "_measured_players": always(Players(0.5, 0.3, 0.5, 0.3)),
                "_measured_walk": always(0.3),
            },
        ),
    ],
    "G03": [
        World(YES, measured=relief(38.0, 2.0, 0.4, 0.8)),
        World(PART, measured=relief(38.0, 2.0, 0.4, -0.8)),
        World(NO, measured=relief(2.0, 38.0, -0.4, -0.8)),
    ],
    "G04": [
        World(
            YES,
            measured={
                "_measured_meetings": always(
                    dict.fromkeys(
                        [(rule, liars) for rule in ("average", "w-msr") for liars in (0, 1)], 1.0
                    )
                )
            },
        ),
        World(
            NO,
            measured={
                "_measured_meetings": always(
                    dict.fromkeys(
                        [(rule, liars) for rule in ("average", "w-msr") for liars in (0, 1)], 0.9
                    )
                )
            },
        ),
    ],
    "G05": [
        World(YES, measured={"_measured_operations": always({8: (16, 7, 99), 32: (16, 7, 99)})}),
        World(NO, measured={"_measured_operations": always({8: (16, 7, 99), 32: (64, 9, 999)})}),
    ],
    "G06": [
        World(
            YES,
            measured={"_measured_barbell": always((0.2, 0.2)), "_measured_zeros": always(0.0)},
        ),
        World(
            NO,
            measured={"_measured_barbell": always((1e-9, 1e-18)), "_measured_zeros": always(1.0)},
        ),
    ],
    "G07": [
        World(YES, measured={"_measured_turns": always(np.array([3.0, 2.0, 1.0]))}),
        World(NO, measured={"_measured_turns": always(np.array([1.0, 0.5, 1.0]))}),
        World(Verdict.REFUTED, measured={"_measured_turns": always(np.array([1.0, 1.0]))}),
    ],
    "G08": [
        World(
            YES,
            measured={"_measured_ends": always(np.ones(9)), "_measured_valleys": always(VALLEYS)},
        ),
        World(
            NO,
            measured={
                "_measured_ends": always(np.arange(9.0)),
                "_measured_valleys": always(VALLEYS),
            },
        ),
    ],
    "G09": [
        World(
            YES,
            measured={
                "_measured_movement": lambda n, noise, seed: noise / n,
                "_measured_stir": always(0.1),
            },
        ),
        World(NO, measured={"_measured_movement": always(0.0), "_measured_stir": always(0.0)}),
    ],
    "G10": [
        World(YES, measured={"_measured_locality": always(Locality(2, 2, 23, 0.0, 0.1))}),
        World(PART, measured={"_measured_locality": always(Locality(2, 23, 23, 0.0, 1.0))}),
        World(NO, measured={"_measured_locality": always(Locality(23, 23, 23, 0.5, 1.0))}),
    ],
    "G11": [
        World(YES, measured=messages(1.0)),
        World(PART, measured=messages(1.5)),
        World(NO, measured=messages(3.0)),
    ],
    "G12": [
        World(Verdict.NOT_TESTABLE, measured=counts(38.0, 2.0)),
        World(YES, measured=counts(38.0, 2.0) | {"PRICES": {"wait": 1.0}}),
        World(NO, measured=counts(38.0, 2.0) | {"PRICES": {"message": 1.0, "move": 0.1}}),
    ],
}
