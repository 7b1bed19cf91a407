"""What the commands `entro-nb streams`, `streams check` and `record` do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from pathlib import Path

from entro_nb import validate
from entro_nb.streams.catalog import CATALOG, find
from entro_nb.streams.events import Event, Happening, Reading, opened
from entro_nb.streams.source import Source

__all__ = ["catalog_lines", "check", "record_to"]

Tell = Callable[[str], object]
Make = Callable[[Source], AsyncIterable[Event]]


def catalog_lines() -> list[str]:
    """The catalog as lines of a table: name, access, pace, units, what it needs, what it is."""
    rows = [("name", "access", "every", "units", "needs", "what")]
    for source in CATALOG.values():
        every = f"{source.interval:g} s" if source.interval else "as it comes"
        needs = " ".join(c.variable for c in source.credentials if c.required) or "-"
        rows.append((source.name, source.access, every, source.units, needs, source.title))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


def check(
    names: Iterable[str] = (),
    seconds: float = 15.0,
    tell: Tell = print,
    make: Make | None = None,
) -> int:
    """Try streams, all at once, and say what came of each; the number that gave a value.

    Parameters
    ----------
    names : iterable of str
        Streams to try; all if none is named.
    seconds : float
        How long to wait for a first value.
    tell : callable
        Gets each line.
    make : callable, optional
        Makes the adapter of a stream, if another than the usual one is wanted.
    """
    seconds = validate.real("seconds", seconds, low=0.0, open_low=True)
    sources = [find(name) for name in names] or list(CATALOG.values())

    async def all_of_them() -> list[bool]:
        return list(await asyncio.gather(*(_try(s, seconds, tell, make) for s in sources)))

    good = sum(asyncio.run(all_of_them()))
    tell(f"{good} of {len(sources)} streams gave a value")
    return good


async def _try(source: Source, seconds: float, tell: Tell, make: Make | None) -> bool:
    if names := source.missing_credentials():
        tell(f"{source.name}: needs {' and '.join(names)} in the environment")
        return False
    last = f"nothing in {seconds:g} s"
    try:
        async with asyncio.timeout(seconds), opened(_events(source, make)) as events:
            async for event in events:
                if isinstance(event, Reading):
                    tell(f"{source.name}: {event.value:g} {source.units}")
                    return True
                last = f"{event.kind.value}: {event.detail}"
    except TimeoutError:
        pass
    tell(f"{source.name}: no value ({last})")
    return False


def _events(source: Source, make: Make | None) -> AsyncIterable[Event]:
    if make is not None:
        return make(source)
    from entro_nb.streams.adapters import adapter

    return adapter(source)


def record_to(
    name: str | Source,
    seconds: float,
    path: str | Path | None = None,
    tell: Tell = print,
    make: Make | None = None,
) -> Path:
    """Record a live stream to a file for replay, and return the file.

    Parameters
    ----------
    name : str or Source
        The stream.
    seconds : float
        How long to listen.
    path : path-like, optional
        The file; the stream's name with the ending ``.nc`` if not given.
    tell : callable
        Gets what happens on the way, line by line.
    make : callable, optional
        Makes the adapter, if another than the usual one is wanted.

    Raises
    ------
    DataError
        If no value came.
    """
    from entro_nb.streams.recording import record, save

    source = find(name)
    values = 0

    def told(event: Event) -> None:
        nonlocal values
        if isinstance(event, Reading):
            values += 1
        elif event.kind in (Happening.CONNECTED, Happening.DROPPED):
            tell(f"{event.kind.value}: {event.detail}")

    data = asyncio.run(record(source, _events(source, make), seconds, told))
    target = save(data, path or f"{source.name}.nc")
    tell(f"{target}: {values} values in {seconds:g} s")
    return target
