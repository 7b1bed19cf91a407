"""Streams of numbers without a network, for sessions, and what a trail says was asked of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import xarray as xr

from entro_nb.spokesperson import Trail
from entro_nb.streams import Arrival, Event, Message, Source


def numbers(name: str = "numbers") -> Source:
    """A stream of numbers that nobody serves."""
    return Source(
        name, name.title(), "http://127.0.0.1:1/", "rest",
        lambda payload: [Message.of(float(payload))], "number", "1", -3.0, 3.0, interval=1.0,
    )  # fmt: skip


def data(count: int, seed: int = 0) -> xr.DataArray:
    """A recording of so many numbers, one a second."""
    values = np.random.default_rng(seed).standard_normal(count)
    return xr.DataArray(values, coords={"time": np.arange(count) * 1.0}, dims="time")


async def endless(pause: float = 0.0) -> AsyncIterator[Event]:
    """Readings without end, so many seconds apart."""
    for k in range(10**9):
        yield Arrival(float(k), float(k % 5), time.perf_counter())
        await asyncio.sleep(pause)


def actions(path: Path) -> list[tuple[str, str, str]]:
    """Who asked for what, and what came of it."""
    with Trail(path) as trail:
        return [(a["who"], a["command"], a["outcome"]) for a in trail.rows("actions")]
