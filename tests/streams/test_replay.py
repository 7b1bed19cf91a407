from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import numpy as np
import pytest
import xarray as xr

from entro_nb.errors import DataError, EntroError, ParameterError, ParameterTypeError
from entro_nb.streams import Replay, Sample


def series(values: list[float], times: Any = None) -> xr.DataArray:
    times = np.arange(float(len(values))) if times is None else times
    return xr.DataArray(values, coords={"time": times}, dims="time")


async def gather(replay: Replay) -> list[Sample]:
    return [sample async for sample in replay]


def test_replay_gives_everything_in_order_and_marks_what_is_missing() -> None:
    replay = Replay(series([1.0, math.nan, 3.0]))
    samples = [Sample(0.0, 1.0), Sample(1.0, None), Sample(2.0, 3.0)]
    assert list(replay) == samples
    assert list(replay) == samples  # each loop starts again
    assert asyncio.run(gather(replay)) == samples
    assert (len(replay), replay.missing) == (3, 1)


def test_dates_become_seconds() -> None:
    times = np.array(["2024-01-01T00:00", "2024-01-01T00:01"], dtype="datetime64[ns]")
    assert [s.time for s in Replay(series([0.0, 1.0], times))] == [0.0, 60.0]


@pytest.mark.parametrize("how", ["for", "async for"])
def test_speed(how: str) -> None:
    replay = Replay(series([0.0, 1.0, 2.0]), speed=20.0)
    start = time.monotonic()
    if how == "for":
        list(replay)
    else:
        asyncio.run(gather(replay))
    assert time.monotonic() - start >= 0.1


def test_a_long_gap_can_be_cut_short() -> None:
    start = time.monotonic()
    list(Replay(series([0.0, 1.0], [0.0, 1e9]), speed=1.0, longest_pause=0.01))
    assert time.monotonic() - start < 5


def test_a_replay_without_pauses_lets_other_tasks_run() -> None:
    async def both() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await gather(Replay(series([0.0] * 5000)))
        task.cancel()
        return turns

    assert asyncio.run(both()) >= 5000 // 256


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([1.0],), ParameterTypeError, "data = "),
        ((xr.DataArray([1.0], dims="node"),), ParameterError, "single dim 'time'"),
        ((series([]),), DataError, "at least one sample"),
        ((series([1.0, math.inf]),), DataError, r"data\[1\] = inf"),
        ((series([1.0, 2.0], [1.0, 0.0]),), DataError, r"time\[1\].*in order"),
        ((series([1.0, 2.0], [0.0, math.nan]),), DataError, r"time\[1\]"),
        ((series([1.0]), 0.0), ParameterError, "speed = 0"),
        ((series([1.0]), math.nan), ParameterError, "speed = nan"),
        ((series([1.0]), 1.0, -1.0), ParameterError, "longest_pause = -1"),
    ],
)
def test_bad_input(arguments: tuple[Any, ...], error: type[EntroError], match: str) -> None:
    with pytest.raises(error, match=match):
        Replay(*arguments)
