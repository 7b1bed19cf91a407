"""Connections to live streams: they reconnect, bound what they take in, and say what happened."""

from __future__ import annotations

from typing import Any

from entro_nb.streams.adapters.base import Adapter
from entro_nb.streams.adapters.policy import Policy
from entro_nb.streams.adapters.polling import RESTPollingAdapter
from entro_nb.streams.adapters.sse import SSEAdapter
from entro_nb.streams.adapters.stomp import STOMPAdapter
from entro_nb.streams.adapters.websocket import WebSocketAdapter
from entro_nb.streams.catalog import find
from entro_nb.streams.source import Source

__all__ = [
    "Adapter",
    "Policy",
    "RESTPollingAdapter",
    "SSEAdapter",
    "STOMPAdapter",
    "WebSocketAdapter",
    "adapter",
]

_KINDS: dict[str, type[Adapter]] = {
    kind.access: kind for kind in (WebSocketAdapter, SSEAdapter, RESTPollingAdapter, STOMPAdapter)
}


def adapter(stream: str | Source, policy: Policy | None = None, **options: Any) -> Adapter:
    """Adapter for a stream, by its kind of access.

    Parameters
    ----------
    stream : str or Source
        Name in the catalog, or a stream of one's own.
    policy : Policy, optional
        Patience and limits.
    **options
        As for :class:`Adapter`.

    Examples
    --------
    >>> type(adapter("wikipedia")).__name__
    'SSEAdapter'
    """
    source = find(stream)
    return _KINDS[source.access](source, policy, **options)
