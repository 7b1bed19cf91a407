"""Where the events of a chain come from: the network, a recording, or the caller."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, cast

from entro_nb.errors import ParameterError
from entro_nb.streams import Event, Playback, Source, sample

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["intake"]


def intake(
    source: Source,
    data: xr.DataArray | AsyncIterable[Event] | None = None,
    *,
    live: bool,
    speed: float,
    now: Callable[[], float],
) -> AsyncIterable[Event]:
    """Events of a stream.

    Parameters
    ----------
    source : Source
    data : xarray.DataArray or async iterable of events, optional
        A recording to replay, in place of the one that comes with the package, or the events.
    live : bool
        Whether to go to the network, if there are no data.
    speed : float
        Seconds of recording per second of replay.
    now : callable
        Wall clock that dates what comes from the network.

    Raises
    ------
    ParameterError
        If the stream lacks credentials to go live, or a recording is to be live.
    """
    if data is not None and hasattr(data, "__aiter__"):
        return cast("AsyncIterable[Event]", data)
    if live:
        if data is not None:
            raise ParameterError("live", live, "False for a recording")
        if names := source.missing_credentials():
            raise ParameterError(
                "stream", source.name, f"one with credentials: set {' and '.join(names)}"
            )
        # Loaded here: a replay needs none of the network's packages.
        from entro_nb.streams import adapter

        return adapter(source, now=now)
    recording = sample(source) if data is None else cast("xr.DataArray", data)
    return Playback(source, recording, speed)
