"""Settings that all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Compilation and a busy machine make single examples slow: that is no failure.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A suite started in the background has SIGINT ignored, and its children would ignore it too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def payloads() -> Path:
    """Recorded stream messages, which live beside the repository and not in it."""
    folder = ROOT.parent / "shared" / "payloads"
    if not folder.is_dir():
        pytest.skip(f"no recorded payloads at {folder}")
    return folder
