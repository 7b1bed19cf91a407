"""The monitor of one's own data: series, tables and files in, alarms with a promise out.

`watch` judges a series, or every column of a table, by :class:`entro_nb.Surprise`; `Watcher` is
the same value by value or piece by piece; `alarms`, `promise_in_words` and `in_words` tell a
reader what was found.
"""

from entro_nb.monitor.judging import WATCHED as WATCHED
from entro_nb.monitor.table import (
    Pace as Pace,
    Table as Table,
    as_table as as_table,
    numbers as numbers,
)
from entro_nb.monitor.watching import (
    Tally as Tally,
    Watcher as Watcher,
    watch as watch,
)
from entro_nb.monitor.words import (
    alarm_in_words as alarm_in_words,
    alarms as alarms,
    how_long as how_long,
    in_words as in_words,
    promise_in_words as promise_in_words,
)
