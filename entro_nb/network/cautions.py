"""Warnings of the network room: what still runs, but not as one might hope."""

from __future__ import annotations

from entro_nb.errors import EntroWarning
from entro_nb.network.exchange import StabilityWarning

__all__ = ["DisconnectedWarning", "IsolationWarning", "StabilityWarning"]


class DisconnectedWarning(EntroWarning):
    """The graph falls into components, each of which keeps an average of its own."""


class IsolationWarning(EntroWarning):
    """An isolation that changes nothing, such as that of a node already isolated."""
