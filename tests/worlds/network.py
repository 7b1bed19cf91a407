"""Worlds for the claims of ENTRO-NET."""

from __future__ import annotations

from entro_nb.claims import Verdict
from worlds import World

WORLDS: dict[str, list[World]] = {
    "N05": [
        World(Verdict.REPRODUCED, published="0.973"),
        World(Verdict.NOT_REPRODUCED),
    ],
}
