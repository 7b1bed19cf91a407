"""Worlds for the claims of ENTRO-ENGINE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from entro_nb import engine
from entro_nb.claims import Verdict
from worlds import World

PLANTS = len(engine.SHAPES)
PACKAGE = {"version": "1.0.0", "import_error": "none", "import_works": True}


def rows(controlled: float, uncontrolled: float = 100.0) -> Callable[[int], xr.Dataset]:
    """Predictions in which every reading of every row gives the same, on a plant of each shape."""
    names = list(engine.interpretations())
    values = np.full((len(names), PLANTS), controlled)
    values[names.index("uncontrolled")] = uncontrolled
    figures = (*engine.PublishedRow._fields, "lost_share")
    columns = dict.fromkeys(figures, (("reading", "plant"), values))
    coords = {"reading": names, "shape": ("plant", list(engine.SHAPES))}
    return lambda seed: xr.Dataset(columns, coords)


def static(*row: float) -> Callable[[int], xr.Dataset]:
    """Predictions in which the static row, and every other, is this one."""
    names = engine.PublishedRow._fields
    return lambda seed: rows(0.0)(seed).assign(
        {name: rows(0.0)(seed)[name] * 0.0 + value for name, value in zip(names, row, strict=True)}
    )


def figure(stand_in: str, published: str, met: float, missed: float) -> list[World]:
    """A world in which every reading gives what is published, and one in which none does."""
    return [
        World(Verdict.REPRODUCED, published, {stand_in: rows(met, met)}),
        World(Verdict.NOT_REPRODUCED, published, {stand_in: rows(missed, missed)}),
    ]


def reduction(published: str, after: float) -> list[World]:
    """The reduction that the two published figures give, out of 100; and another one."""
    return [
        World(Verdict.REPRODUCED, measured={"_measured_rows": rows(after)}),
        World(Verdict.PARTLY, measured={"_measured_rows": rows(99.0)}),
        World(Verdict.NOT_REPRODUCED, published, {"_measured_rows": rows(99.0)}),
    ]


def loops(radius: float, rings: bool) -> Callable[[], list[tuple[float, bool]]]:
    return lambda: [(radius, rings)] * 13


def grips(late: float, fall: float) -> Callable[[], dict[str, tuple[float, float]]]:
    return lambda: dict.fromkeys(engine.as_written(), (late, fall))


def tests(passed: int) -> Callable[[str], dict[str, Any]]:
    counts = {"passed": passed, "failed": 9 - passed}
    return lambda package: {"tests": {"tests/test_controller.py": counts}}


def idle(steps: float) -> Callable[[int], xr.DataArray]:
    laws = ["no control", *engine.as_written()]
    values = np.full((len(laws), 2), steps)
    values[0] = 50.0
    return lambda seed: xr.DataArray(values, {"law": laws}, ("law", "share"))


WORLDS: dict[str, list[World]] = {
    # At so many violations, or so short a queue, the package's configuration has no objection.
    "E01": figure("_measured_afresh", "1020", 1020.0, 290.0),
    "E02": figure("_measured_rows", "", 12.0, 40.0),
    "E03": reduction("97.1", 3.85),
    "E04": [
        *figure("_measured_afresh", "3.7", 3.7, 3.2),
        World(Verdict.PARTLY, measured={"_measured_afresh": rows(5.84, 5.84)}),
    ],
    "E05": [
        *figure("_measured_rows", "4.25", 4.25, 3.8),
        # At this figure the row is impossible at the package's capacity, and nothing else gives it.
        World(Verdict.NOT_REPRODUCED, measured={"_measured_rows": rows(3.8)}),
    ],
    "E06": reduction("50.0", 56.68),
    "E07": figure("_measured_afresh", "9.0", 9.0, 8.0),
    "E08": figure("_measured_rows", "9.3", 9.3, 14.0),
    "E09": reduction("80.0", 26.7),
    "E10": [
        # A document whose own run keeps the budget, and a law that presses before it is broken.
        World(
            Verdict.REPRODUCED,
            "20",
            {"_measured_rows": rows(0.0), "_measured_quiet_pressure": lambda seed: 0.1},
        ),
        World(
            Verdict.PARTLY,
            measured={"_measured_rows": rows(0.0), "_measured_quiet_pressure": lambda seed: 0.1},
        ),
        World(
            Verdict.NOT_REPRODUCED,
            measured={"_measured_rows": rows(9.0), "_measured_quiet_pressure": lambda seed: 0.1},
        ),
        World(Verdict.REFUTED, measured={"_measured_rows": rows(9.0)}),
    ],
    "E11": [
        World(Verdict.REPRODUCED, measured={"_measured_grips": grips(0.0, 0.0)}),
        World(
            Verdict.NOT_REPRODUCED,
            measured={
                "_measured_bound": lambda seed: False,
                "_measured_loops": loops(1.1, True),
                "_measured_grips": grips(0.5, 0.1),
            },
        ),
        World(Verdict.PARTLY, measured={"_measured_grips": grips(0.5, 0.1)}),
    ],
    "E12": [
        World(Verdict.REPRODUCED),
        World(
            Verdict.NOT_REPRODUCED, measured={"_measured_fairness": lambda seed: np.full(5, 0.7)}
        ),
    ],
    "E13": [
        World(Verdict.REPRODUCED, measured={"_measured_simulator": lambda name: [24, 19, 37]}),
        World(Verdict.NOT_REPRODUCED, measured={"_measured_simulator": lambda name: [20, 30, 30]}),
        World(Verdict.NOT_TESTABLE, measured={"DRAWS": 100}),
    ],
    "E14": [
        World(Verdict.REPRODUCED),
        World(Verdict.NOT_REPRODUCED, "30.0/24.75/45.25"),
    ],
    "E15": [
        World(Verdict.REPRODUCED, measured={"observed": lambda package: PACKAGE}),
        World(
            Verdict.NOT_REPRODUCED,
            measured={"observed": lambda package: PACKAGE | {"import_works": False}},
        ),
    ],
    "E16": [
        World(Verdict.REPRODUCED, measured={"observed": tests(9)}),
        World(Verdict.NOT_REPRODUCED, measured={"observed": tests(8)}),
    ],
    "E17": [
        World(Verdict.REPRODUCED, "-0.181"),
        World(Verdict.NOT_REPRODUCED, "-0.150"),
        World(Verdict.REFUTED),
    ],
    "E18": [
        World(
            Verdict.REPRODUCED,
            "187 / 4.0 / 3.30",
            {"_measured_rows": static(187.0, 4.0, 3.3)},
        ),
        World(Verdict.NOT_REPRODUCED, measured={"_measured_rows": static(50.0, 16.0, 3.7)}),
        World(Verdict.PARTLY, measured={"_measured_rows": static(187.0, 16.0, 3.7)}),
    ],
    "E19": [
        World(Verdict.REPRODUCED, measured={"_measured_simulator": lambda name: [10, 17, 53]}),
        World(Verdict.NOT_REPRODUCED, measured={"_measured_simulator": lambda name: [20, 30, 30]}),
        World(Verdict.NOT_TESTABLE, measured={"DRAWS": 100}),
    ],
    "E20": [
        World(
            Verdict.REPRODUCED,
            measured={"_measured_unpressed": lambda seed: 0.0, "_measured_idle": idle(0.0)},
        ),
        World(Verdict.NOT_REPRODUCED, measured={"_measured_idle": idle(60.0)}),
        World(Verdict.PARTLY, measured={"_measured_idle": idle(20.0)}),
    ],
}
