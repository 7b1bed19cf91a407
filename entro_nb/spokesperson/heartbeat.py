"""The heartbeat: whether the Accountant itself still speaks with one voice."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from entro_nb import validate
from entro_nb.accountant import Stability

__all__ = ["Beat", "Heartbeat"]


@dataclass(frozen=True, slots=True)
class Beat:
    """State of the heartbeat after a frame.

    Parameters
    ----------
    entropy : float
        H of the recent stability classes, in bits.
    commonest : Stability
        The class met most often.
    unsteady : bool
        Whether the entropy is beyond its limit.
    """

    entropy: float
    commonest: Stability
    unsteady: bool


class Heartbeat:
    """Entropy of the Accountant's own recent stability classes (seed 003, §2, link 5).

    H = −Σ p log₂ p over the shares of the classes among the last `window` frames; cold-start
    frames do not count. One class alone gives 0, two that alternate 1 bit, all five evenly
    log₂ 5. The placeholder of the Diagnostician: it tells an operator that the classification
    itself has become unsteady.

    Parameters
    ----------
    window : int
        Frames looked back on.
    limit : float
        Bits beyond which the operator is told. Ours: 1.5, which takes three classes about as
        often as each other. Raise it for a stream that is lively by nature.

    Examples
    --------
    >>> heartbeat = Heartbeat(window=4)
    >>> [heartbeat.hear(s).entropy for s in (Stability.STABLE, Stability.DRIFTING)]
    [0.0, 1.0]
    """

    def __init__(self, window: int = 256, limit: float = 1.5) -> None:
        self.window = validate.integer("window", window, 2)
        self.limit = validate.real("limit", limit, low=0.0)
        self._labels: deque[Stability] = deque()
        self._counts = [0] * len(Stability)
        #: State after the last frame.
        self.beat = Beat(0.0, Stability.UNKNOWN, False)

    def hear(self, stability: Stability) -> Beat:
        """State after another frame of this class."""
        if stability is Stability.UNKNOWN:
            return self.beat
        self._labels.append(stability)
        self._counts[stability] += 1
        if len(self._labels) > self.window:
            gone = self._labels.popleft()
            if gone is stability:
                self._counts[gone] -= 1
                return self.beat  # nothing has changed, as is usual
            self._counts[gone] -= 1
        counts, held = self._counts, len(self._labels)
        # log₂ n − Σ c log₂ c / n is −Σ p log₂ p for p = c / n, and exactly 0 for a single class.
        entropy = math.log2(held) - sum(c * math.log2(c) for c in counts if c) / held
        commonest = Stability(max(range(len(counts)), key=counts.__getitem__))
        self.beat = Beat(entropy, commonest, entropy > self.limit)
        return self.beat
