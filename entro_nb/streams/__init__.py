"""Where scalars come from: recordings, generators with known changes, and their replay."""

from entro_nb.streams.generators import KINDS, Scenario, generate
from entro_nb.streams.recordings import RECORDINGS, Recording, load
from entro_nb.streams.replay import Replay, Sample

__all__ = [
    "KINDS",
    "RECORDINGS",
    "Recording",
    "Replay",
    "Sample",
    "Scenario",
    "generate",
    "load",
]
