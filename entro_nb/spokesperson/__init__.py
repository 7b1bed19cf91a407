"""System 2 of the Entropy Engine (seed 003): the one human interface to any number of streams.

`Session` connects streams and takes the operator's commands, `Audit` and `Trail` keep and read
the audit trail, `Display` shows it, `Heartbeat` watches the Accountant's own classes, `sentence`
puts a frame into words, and `Extension` is where later modules are attached.
"""

from entro_nb.spokesperson.audit import Audit
from entro_nb.spokesperson.display import Display
from entro_nb.spokesperson.extensions import Extension, WeightedEsi
from entro_nb.spokesperson.heartbeat import Beat, Heartbeat
from entro_nb.spokesperson.language import sentence
from entro_nb.spokesperson.record import Record
from entro_nb.spokesperson.session import Session
from entro_nb.spokesperson.trail import Trail

#: A session by the name that seed 003 gives it.
Spokesperson = Session

__all__ = [
    "Audit",
    "Beat",
    "Display",
    "Extension",
    "Heartbeat",
    "Record",
    "Session",
    "Spokesperson",
    "Trail",
    "WeightedEsi",
    "sentence",
]
