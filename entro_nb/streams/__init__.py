"""Where scalars come from: live streams, recordings, generators with known changes, replay."""

from entro_nb.streams.catalog import CATALOG, add, find, read, scalars
from entro_nb.streams.dedupe import Deduplicator
from entro_nb.streams.events import Event, Happening, Notice, Reading
from entro_nb.streams.generators import KINDS, Scenario, generate
from entro_nb.streams.messages import Content, Message
from entro_nb.streams.recordings import RECORDINGS, Recording, load
from entro_nb.streams.replay import Replay, Sample
from entro_nb.streams.source import Credential, Source

__all__ = [
    "CATALOG",
    "KINDS",
    "RECORDINGS",
    "Content",
    "Credential",
    "Deduplicator",
    "Event",
    "Happening",
    "Message",
    "Notice",
    "Reading",
    "Recording",
    "Replay",
    "Sample",
    "Scenario",
    "Source",
    "add",
    "find",
    "generate",
    "load",
    "read",
    "scalars",
]
