"""Where scalars come from: live streams, recordings, generators with known changes, replay.

What speaks to the network (`adapter`, `check_streams`) loads on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from entro_nb.streams.catalog import (
    CATALOG as CATALOG,
    Credential as Credential,
    Source as Source,
    add as add,
    catalog_lines as catalog_lines,
    find as find,
    messages_of as messages_of,
    scalars as scalars,
)
from entro_nb.streams.connection import (
    Arrival as Arrival,
    Event as Event,
    Happening as Happening,
    Notice as Notice,
    Policy as Policy,
    opened as opened,
)
from entro_nb.streams.data import (
    CHANGES as CHANGES,
    RECORDINGS as RECORDINGS,
    Scenario as Scenario,
    generate as generate,
    load_recording as load_recording,
    sample as sample,
)
from entro_nb.streams.messages import Content as Content, Message as Message
from entro_nb.streams.replay import (
    Playback as Playback,
    Replay as Replay,
    Sample as Sample,
    open_recording as open_recording,
    record_to_file as record_to_file,
)

if TYPE_CHECKING:
    from entro_nb.streams.live import adapter as adapter, check_streams as check_streams


def __getattr__(name: str) -> Any:
    if name in ("adapter", "check_streams"):
        return getattr(importlib.import_module("entro_nb.streams.live"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
