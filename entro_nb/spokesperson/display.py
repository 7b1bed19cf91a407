"""What an operator sees: the records since the last look, unless the display is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from entro_nb.spokesperson.language import sentence
from entro_nb.streams import CATALOG

if TYPE_CHECKING:
    from entro_nb.spokesperson.record import Record
    from entro_nb.spokesperson.trail import Trail

__all__ = ["Display"]


class _Trailed(Protocol):
    def trail(self) -> Trail: ...


class Display:
    """Reads the audit trail at its own pace.

    A display that is paused only stops looking. Nothing waits for it, and nothing is kept in
    memory for it: it goes on where it stopped, however long ago.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    number : int
        Number of the last frame shown.
    paused : bool
        Whether it is held.
    """

    def __init__(self, session: _Trailed) -> None:
        self._session = session
        self.number = 0
        self.paused = False
        self.closed = False

    def look(self, limit: int = 5000) -> list[Record]:
        """Records since the last look, at most so many; none while paused."""
        if self.paused or self.closed:
            return []
        records = self._session.trail().after(self.number, limit)
        if records:
            self.number = records[-1].number
        return records

    def speak(self, tell: Callable[[str], object], limit: int = 5000) -> None:
        """Say each record since the last look in one sentence."""
        for record in self.look(limit):
            source = CATALOG.get(record.stream)
            name = source.title if source is not None else record.stream
            tell(sentence(name, record.frame, record.decision))

    def close(self) -> None:
        """Look no more."""
        self.closed = True
