"""System 2 of the Entropy Engine (seed 003): the one human interface to any number of streams.

`Session` connects streams and takes the operator's commands, `Audit` and `Trail` keep and read
the audit trail, `Display` shows it, `Heartbeat` watches the Accountant's own classes, `sentence`
puts a frame into words, and `Extension` is where later modules are attached.
"""

from entro_nb.spokesperson.audit import Audit, FrameRecord
from entro_nb.spokesperson.channel import Beat, Heartbeat
from entro_nb.spokesperson.session import Session, running_loop
from entro_nb.spokesperson.trail import Display, Extension, Trail, WeightedEsi, sentence

#: A session by the name that seed 003 gives it.
Spokesperson = Session

__all__ = [
    "Audit",
    "Beat",
    "Display",
    "Extension",
    "FrameRecord",
    "Heartbeat",
    "Session",
    "Spokesperson",
    "Trail",
    "WeightedEsi",
    "running_loop",
    "sentence",
]
