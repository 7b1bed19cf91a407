"""Duplicates: the same trade, earthquake or observation sent again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from entro_nb import validate

__all__ = ["Deduplicator"]


class Deduplicator:
    """Remembers the identities of recent messages, and says which come again.

    Parameters
    ----------
    memory : int
        Identities remembered, the oldest given up first. A stream that repeats after a
        reconnection repeats what it sent just before: a few thousand are minutes of the
        fastest stream.

    Examples
    --------
    >>> seen = Deduplicator(memory=2)
    >>> [seen.admit(key) for key in ("a", "a", "b", "c", "a")]
    [True, False, True, True, True]
    """

    def __init__(self, memory: int = 8192) -> None:
        self.memory = validate.integer("memory", memory, 1)
        self._seen: OrderedDict[Hashable, None] = OrderedDict()

    def admit(self, key: Hashable) -> bool:
        """Whether this identity is new; None, for a message without one, always is."""
        if key is None:
            return True
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > self.memory:
            self._seen.popitem(last=False)
        return True
