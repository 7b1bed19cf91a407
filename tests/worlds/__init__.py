"""Worlds in which a claim is true, and worlds in which it is false.

A verdict that could not come out otherwise says nothing. Each room of claims has a file of such
worlds: another published figure, or a counterfeit of what was measured in the place of the code
that measures it. The evaluation itself is the one that makes the table.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from entro_nb import claims
from entro_nb.claims import Finding, Verdict, table


@dataclass(frozen=True)
class World:
    """What differs from ours, and the verdict that must follow.

    Parameters
    ----------
    verdict : Verdict
        What the evaluation must say.
    published : str
        What the document says in this world; as in ours if empty.
    measured : mapping
        Names in the room of the claim, and what stands in their place.
    """

    verdict: Verdict
    published: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)


def finding(patch: pytest.MonkeyPatch, claim: str, world: World) -> Finding:
    """What is found of a claim in a world."""
    if world.published:
        other = claims.published().copy()
        other.loc[claim, "published"] = world.published
        patch.setattr(table, "published", lambda: other)
    evaluate = claims.evaluators()[claim]
    for name, stand_in in world.measured.items():
        patch.setattr(importlib.import_module(evaluate.__module__), name, stand_in)
    return evaluate(1)
