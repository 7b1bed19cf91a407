"""Worlds for the claims of ENTRO-ENGINE."""

from __future__ import annotations

from worlds import World

WORLDS: dict[str, list[World]] = {}
