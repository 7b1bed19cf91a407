"""The working table of a run: one row for each quantity, one column for each node.

One array stands for the plant, its state, what the law sees and what it asks for. A compiled
call that takes one array instead of many records costs a third as much, and the calls are the
better part of a step.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from entro_nb.results import compiled
from entro_nb.validate import FloatArray

__all__ = ["ROWS", "Row", "clear_valves"]


class Row(IntEnum):
    """Rows of the working table. Rates are in req/s, queues in requests."""

    # the plant
    STORES = 0  # 1 for a queue, 0 for a source
    VALVE = 1  # 1 where control can hold back the intake
    CAPACITY = 2  # infinite for sources
    ROOM = 3  # infinite where there is no limit
    # what the law asks: intake = min(factor·offered, cap) + push, within [0, offered]
    FACTOR = 4
    CAP = 5
    PUSH = 6
    SIGNAL = 7  # the law's u behind it, for the record
    # what flows in a step, and the load after it
    OFFERED = 8
    RATE = 9  # what was admitted
    SERVED = 10
    REFUSED = 11  # what found no room or no entry at a queue
    DEFERRED = 12  # what a source held back
    LOAD = 13  # a source's rate, a queue's requests
    # what the law sees: loads and proxies as old as the loop's delay, demand as it is now
    SEEN = 14
    SEEN_PSI = 15
    DEMAND = 16
    # what the law remembers, in its own terms
    MEMORY_A = 17
    MEMORY_B = 18
    MEMORY_C = 19
    MEMORY_D = 20


#: Height of the table.
ROWS = len(Row)


@compiled
def clear_valves(table: FloatArray) -> None:
    """Open all valves."""
    for i in range(table.shape[1]):
        table[Row.FACTOR, i] = 1.0
        table[Row.CAP, i] = np.inf
        table[Row.PUSH, i] = table[Row.SIGNAL, i] = 0.0
