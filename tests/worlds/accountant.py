"""Worlds for the claims of the Entropy Engine."""

from __future__ import annotations

from worlds import World

WORLDS: dict[str, list[World]] = {}
