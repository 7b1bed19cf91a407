"""Daily, weekly and monthly reports of a pipeline or a stream, as seed 000 files them.

`simulated` and `recorded` give readings, `summarize` sums them up by the calendar, `plain` and
`alerts_csv` write them down.
"""

from entro_nb.periods.alerts import Alert, alerts_csv, alerts_of
from entro_nb.periods.calendar import KINDS, Period, periods
from entro_nb.periods.readings import readings, recorded, simulated
from entro_nb.periods.summary import Summary, summarize
from entro_nb.periods.tally import Tally, tally
from entro_nb.periods.text import plain

__all__ = [
    "KINDS",
    "Alert",
    "Period",
    "Summary",
    "Tally",
    "alerts_csv",
    "alerts_of",
    "periods",
    "plain",
    "readings",
    "recorded",
    "simulated",
    "summarize",
    "tally",
]
