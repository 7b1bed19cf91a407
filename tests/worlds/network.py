"""Worlds for the claims of ENTRO-NET."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from entro_nb.claims import Verdict
from entro_nb.results import Interval
from worlds import World

YES, PARTLY, NO = Verdict.REPRODUCED, Verdict.PARTLY, Verdict.NOT_REPRODUCED

#: How runs of a study may differ.
SCATTER = np.array([-1e-4, 0.0, 1e-4])

#: Sizes of a curve.
SIZES = np.arange(2, 61)

#: A study that nobody published.
OTHER = {"_measured_runs": lambda n, *_: np.array([0.9, 0.91, 0.92, 0.93]) / n}


def true(**measured: Any) -> World:
    return World(YES, measured={f"_measured_{name}": made for name, made in measured.items()})


def false(**measured: Any) -> World:
    return World(NO, measured={f"_measured_{name}": made for name, made in measured.items()})


def always(value: Any) -> Any:
    return lambda *_: value


def around(value: float) -> Interval:
    return Interval(value, value - 0.1, value + 0.1)


def saturating(n: int, *_: Any) -> Any:
    """A network that follows the printed law, but for some scatter between its runs."""
    return 0.228 * -math.expm1(-n / 16.2) * (1 + (-1) ** (n // 10) * SCATTER)


def constrained(n: int, kappa: float = 1.0, adaptive: bool = True) -> Any:
    return np.full(3, (0.001 if adaptive else 0.002) * n)


def at_kappa(n: int, kappa: float = 1.0, adaptive: bool = True) -> Any:
    """One figure whatever κ is."""
    return np.array([0.00019, 0.0002, 0.00021])


#: Ends of the recommended bands, for a network that keeps to them.
BANDS = [0.0, 0.06, 0.08, 0.15, 0.19, 0.21]

#: What else the claims say of a published package.
SAYS = {"import_error": ""}

#: A threshold that does not follow the spread.
LEVEL = {0.05: 1.2, 0.5: 1.2}


WORLDS: dict[str, list[World]] = {
    "N01": [World(YES), World(NO, measured=OTHER), World(NO, published="0.2 ± 0.1")],
    "N02": [World(YES), World(NO, measured=OTHER), World(PARTLY, published="0.197713 ± 0.1")],
    "N03": [World(YES), World(NO, measured=OTHER)],
    "N04": [World(YES), World(NO, measured=OTHER), World(PARTLY, published="0.0101 N − 0.5")],
    "N05": [World(YES, published="0.973"), World(NO)],
    "N06": [World(YES), World(NO, published="0.1 / 0.2 / 0.3")],
    "N07": [World(YES), World(NO, measured=OTHER)],
    "N08": [World(YES), World(YES, measured={"_measured_runs": saturating}), World(NO, "0.3, 30")],
    "N09": [
        World(YES, "0.963, 0.004"),
        World(PARTLY),
        World(NO, "0.5, 0.1"),
    ],
    "N10": [
        World(
            YES,
            measured={
                "_measured_runs": lambda n, *_: 0.23 + (-1) ** (n // 20) * SCATTER + 1e-7 * n,
                "_measured_beyond": always(np.array([0.23])),
            },
        ),
        World(NO, published="0.21"),
    ],
    "N11": [
        true(runs=constrained, bystanders=always((0.1, 0.2))),
        false(runs=lambda n, k=1.0, tuned=True: np.full(3, (0.2 if tuned else 0.1) * n)),
    ],
    "N12": [
        true(runs=lambda n, *_: np.full(3, 1e-5)),
        false(runs=lambda n, *_: np.full(3, np.inf)),
    ],
    "N13": [
        true(curve=always((SIZES, SIZES.clip(max=20) / 120))),
        false(curve=always((SIZES, SIZES.clip(max=40) / 200))),
    ],
    "N14": [
        true(cuts=always({3: 0.9}), sound=always(around(90.0))),
        false(cuts=always({3: 0.1}), sound=always(around(10.0))),
    ],
    "N15": [true(saving=always(around(90.0))), false(saving=always(around(10.0)))],
    "N16": [
        true(protection=always(Interval(100.0, 90.0, 100.0))),
        false(protection=always(Interval(99.0, 90.0, 100.0))),
    ],
    "N17": [
        true(kept=lambda stuck, exchanging, seed: 100.0 if exchanging else 20.0),
        false(kept=always(20.0)),
        false(kept=always(100.0)),  # nothing to prevent
    ],
    "N18": [
        true(error_cuts=always({"scraper": around(78.1)})),
        false(error_cuts=always({"scraper": around(5.0)})),
    ],
    "N19": [
        true(runs=lambda n, *_: np.full(3, np.interp(n, [2, 6, 12, 20, 30, 50], BANDS))),
        false(runs=lambda n, *_: np.full(3, 0.19 if n < 20 else 0.05)),
    ],
    "N20": [true(falls=always(1.0)), false(falls=always(0.99))],
    "N21": [
        World(YES, measured={"observed": always({"version": "9", "import_works": True} | SAYS)}),
        World(NO),
    ],
    "N22": [true(runs=at_kappa), false(runs=lambda *_: np.full(3, 0.5))],
    "N23": [
        true(runs=at_kappa, input=always(at_kappa(5) / (0.429 + SCATTER))),
        false(runs=lambda *_: np.full(3, 0.5)),
    ],
    "N24": [World(YES, published="1–30"), World(NO, published="0.1–0.2"), World(PARTLY)],
    "N25": [
        World(YES, measured={"observed": always({"tests": {"a": {"passed": 41}}})}),
        World(NO),
    ],
    "N26": [true(help=always([True])), false(help=always([False]))],
    "N27": [true(thresholds=always({0.05: 0.7, 0.5: 0.9})), false(thresholds=always(LEVEL))],
    "N28": [
        true(runs=lambda n, *_: 0.228 / 16.2 * n * np.array([0.999, 1.0, 1.001])),
        World(PARTLY),
        World(NO, published="0.5 / 16.2"),
    ],
    "N29": [World(YES), World(NO, measured=OTHER)],
    "N30": [
        World(YES, "50; 50", {"_measured_runs": lambda n, *_: np.full(3, 1e-5)}),
        World(NO, "13; 60", OTHER),
    ],
}
