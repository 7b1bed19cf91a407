"""The monitor of one's own data: series, tables and files in, alarms with a promise out.

`watch` judges a series, or every column of a table, by :class:`entro_nb.Surprise`; `Watcher` is
the same value by value or piece by piece; `alarms`, `promise_in_words` and `in_words` tell a
reader what was found.
"""

from entro_nb.monitor.files import (
    read_lines as read_lines,
    read_pieces as read_pieces,
    read_table as read_table,
)
from entro_nb.monitor.judging import WATCHED as WATCHED
from entro_nb.monitor.streams import (
    alarms_of_streams as alarms_of_streams,
    open_streams as open_streams,
)
from entro_nb.monitor.table import (
    GAP as GAP,
    Pace as Pace,
    Table as Table,
    as_table as as_table,
    numbers as numbers,
)
from entro_nb.monitor.watching import (
    TableWatcher as TableWatcher,
    Tally as Tally,
    Watcher as Watcher,
    alarms as alarms,
    watch as watch,
)
from entro_nb.monitor.words import (
    alarm_in_words as alarm_in_words,
    how_long as how_long,
    in_words as in_words,
    promise_in_words as promise_in_words,
    told_time as told_time,
)
