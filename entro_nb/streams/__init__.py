"""Where scalars come from: live streams, recordings, generators with known changes, replay.

What speaks to the network (`adapter`, `check_streams`) loads on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from entro_nb.streams.catalog import (
    CATALOG,
    Credential,
    Source,
    add,
    catalog_lines,
    find,
    messages_of,
    scalars,
)
from entro_nb.streams.connection import Event, Happening, Notice, Policy, Reading, opened
from entro_nb.streams.data import (
    CHANGES,
    RECORDINGS,
    Scenario,
    generate,
    load_recording,
    sample,
)
from entro_nb.streams.messages import Content, Message
from entro_nb.streams.replay import Playback, Replay, Sample, open_recording, record_to_file

if TYPE_CHECKING:
    from entro_nb.streams.live import adapter, check_streams

__all__ = [
    "CATALOG",
    "CHANGES",
    "RECORDINGS",
    "Content",
    "Credential",
    "Event",
    "Happening",
    "Message",
    "Notice",
    "Playback",
    "Policy",
    "Reading",
    "Replay",
    "Sample",
    "Scenario",
    "Source",
    "adapter",
    "add",
    "catalog_lines",
    "check_streams",
    "find",
    "generate",
    "load_recording",
    "messages_of",
    "open_recording",
    "opened",
    "record_to_file",
    "sample",
    "scalars",
]


def __getattr__(name: str) -> Any:
    if name in ("adapter", "check_streams"):
        return getattr(importlib.import_module("entro_nb.streams.live"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
