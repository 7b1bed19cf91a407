"""System 2 of the Entropy Engine (seed 003): the one human interface to any number of streams.

`Session` connects streams and takes the operator's commands, `Audit` and `Trail` keep and read
the audit trail, `Display` shows it, `Heartbeat` watches the Accountant's own classes, `sentence`
puts a frame into words, and `Extension` is where later modules are attached.
"""

from entro_nb.spokesperson.audit import Audit as Audit, FrameRecord as FrameRecord
from entro_nb.spokesperson.channel import Beat as Beat, Heartbeat as Heartbeat
from entro_nb.spokesperson.session import Session as Session, running_loop as running_loop
from entro_nb.spokesperson.trail import (
    Display as Display,
    Extension as Extension,
    Trail as Trail,
    WeightedEsi as WeightedEsi,
    sentence as sentence,
)

#: A session by the name that seed 003 gives it.
Spokesperson = Session
