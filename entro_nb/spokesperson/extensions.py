"""Extension points: whatever reads frames and decisions, beside the Accountant and never before it.

Seed 003 leaves the Librarian, the Calibrator, the Comparator and the Diagnostician for later.
Each of them reads records. An extension reads them from the audit trail, on a thread of its own:
one that blocks, raises or is slow holds up nobody, and misses nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from entro_nb import validate
from entro_nb.errors import ParameterError
from entro_nb.spokesperson.record import Record
from entro_nb.spokesperson.trail import Trail

__all__ = ["Extension", "WeightedEsi"]

#: Seconds between two looks at the audit trail.
LOOK = 0.05


class Extension:
    """One reader of records, on a thread of its own, from the frame after `number` on.

    Parameters
    ----------
    path : path-like
        The audit trail.
    read : callable
        Gets each record in turn. What it returns is ignored, and what it raises is reported.
    name : str
        How it is called in reports.
    number : int
        Frame after which it begins.
    report : callable, optional
        Told, in words, when `read` raises; it must be safe to call from any thread.
    """

    def __init__(
        self,
        path: str | Path,
        read: Callable[[Record], object],
        name: str,
        number: int = 0,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.path, self.read, self.name = Path(path), read, name
        #: Number of the last frame that it has read.
        self.number = number
        self.errors = 0
        self._report = report
        self._stop = threading.Event()
        # A daemon: one that blocks for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"extension {name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with Trail(self.path) as trail:
            while True:
                stopping = self._stop.is_set()
                records = trail.after(self.number)
                for record in records:
                    try:
                        self.read(record)
                    except Exception as error:
                        self.errors += 1
                        # The first of a row and every thousandth: a log is not to be flooded.
                        if self._report is not None and self.errors % 1000 == 1:
                            self._report(f"extension {self.name} raised {type(error).__name__}")
                    self.number = record.number
                if not records:
                    if stopping:
                        return
                    self._stop.wait(LOOK)

    def close(self, patience: float = 1.0) -> bool:
        """Let it read to the end of the trail, for so many seconds; whether it did."""
        self._stop.set()
        self._thread.join(patience)
        return not self._thread.is_alive()


class WeightedEsi:
    """Environmental Stability Index of several streams, ESI = Σ wᵢ ESIᵢ / Σ wᵢ.

    Seed 003's note on ESI: with one stream it is the normalised entropy, with several a weighted
    sum of contributions; that the weights sum to 1 is ours. A stream counts from its first frame
    with full confidence. Attach :meth:`read` to a session.

    Parameters
    ----------
    weights : mapping
        Weight of each stream by name, not negative; streams left out do not count.
    length : int
        Values remembered.

    Examples
    --------
    >>> from entro_nb.accountant import Decision, EeFrame, Path, Stability
    >>> esi = WeightedEsi({"usgs": 1.0, "noaa": 3.0})
    >>> for stream, value in (("usgs", 1.0), ("noaa", 0.5)):
    ...     frame = EeFrame(9, 0.0, 0.0, value, 0.0, 0.0, 0.0, 1.0, Stability.STABLE)
    ...     esi.read(Record(1, stream, 0.0, 0.0, frame, Decision(Path.PROCEED, "")))
    >>> esi.value
    0.625
    """

    def __init__(self, weights: Mapping[str, float], length: int = 10_000) -> None:
        checked = {
            name: validate.real(f"weights[{name!r}]", w, low=0.0) for name, w in weights.items()
        }
        if sum(checked.values()) <= 0.0:
            raise ParameterError("weights", dict(weights), "at least one weight above 0")
        self.weights = MappingProxyType(checked)
        self._latest: dict[str, float] = {}
        #: (time, ESI) of the recent frames.
        self.history: deque[tuple[float, float]] = deque(maxlen=length)

    @property
    def value(self) -> float | None:
        """Present value, None until a stream counts."""
        total = sum(self.weights[name] for name in self._latest)
        if total <= 0.0:
            return None
        return sum(self.weights[name] * esi for name, esi in self._latest.items()) / total

    def read(self, record: Record) -> None:
        """Take in one record."""
        if record.stream not in self.weights or record.frame.confidence < 1.0:
            return
        self._latest[record.stream] = record.frame.esi
        if (value := self.value) is not None:
            self.history.append((record.time, value))
