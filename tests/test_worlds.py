from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from worlds import World, accountant, engine, finding, geometry, network, records

from entro_nb import claims
from entro_nb.claims import Verdict, table

WORLDS: dict[str, list[World]] = (
    accountant.WORLDS | records.WORLDS | engine.WORLDS | geometry.WORLDS | network.WORLDS
)
CASES = [
    pytest.param(claim, world, id=f"{claim}-{world.verdict.name.lower()}-{k}")
    for claim, worlds in sorted(WORLDS.items())
    for k, world in enumerate(worlds)
]


@pytest.mark.parametrize(("claim", "world"), CASES)
def test_the_verdict_follows_the_world(monkeypatch, claim: str, world: World) -> None:
    assert finding(monkeypatch, claim, world).verdict is world.verdict


def test_every_claim_can_come_out_either_way() -> None:
    assert set(WORLDS) == set(claims.published().index)
    for claim, worlds in WORLDS.items():
        verdicts = {world.verdict for world in worlds}
        assert Verdict.REPRODUCED in verdicts, claim
        assert len(verdicts) > 1, claim


@pytest.mark.parametrize("room", table.ROOMS)
def test_no_outcome_is_typed_in(room: str) -> None:
    source = Path(str(importlib.import_module(f"entro_nb.claims.{room}").__file__)).read_text()
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Reading":
            held = [call.args[1]] if len(call.args) > 1 else []
            held += [word.value for word in call.keywords if word.arg in ("held", "proved")]
            for part in held:
                for value in ast.walk(part):
                    typed = isinstance(value, ast.Constant) and isinstance(value.value, bool)
                    assert not typed, f"line {value.lineno}"
