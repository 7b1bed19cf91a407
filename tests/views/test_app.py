"""Messages that overtake the opening of their comm are kept, and heard in their turn."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from entro_nb.views.app import LIMIT, TURN, EarlyMessages


class Kernel(SimpleNamespace):
    """As much of ipykernel as matters: a message for a comm it does not know is dropped."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.comm_manager = SimpleNamespace(comms={})
        self.shell_handlers = {"comm_open": self._open, "comm_msg": self._msg, "comm_close": None}
        self.during: Any = None

    def _open(self, stream: Any, ident: Any, msg: Any) -> None:
        self.comm_manager.comms[msg["content"]["comm_id"]] = "comm"
        if self.during is not None:
            self.during()
        self.heard.append((msg["content"]["comm_id"], "open"))

    def _msg(self, stream: Any, ident: Any, msg: Any) -> None:
        if msg["content"]["comm_id"] in self.comm_manager.comms:
            self.heard.append((msg["content"]["comm_id"], msg["content"]["data"]))

    def say(self, kind: str, name: str, data: Any = None) -> None:
        self.shell_handlers[kind](None, None, {"content": {"comm_id": name, "data": data}})


def test_a_message_before_its_comm_is_heard_once_it_is_open() -> None:
    kernel = Kernel()
    EarlyMessages(kernel)
    kernel.say("comm_msg", "a", 1)
    kernel.say("comm_msg", "b", 2)
    kernel.say("comm_msg", "a", 3)
    assert kernel.heard == []
    kernel.say("comm_open", "a")
    kernel.say("comm_msg", "a", 4)
    assert kernel.heard == [("a", "open"), ("a", 1), ("a", 3), ("a", 4)]
    kernel.say("comm_open", "b")
    assert kernel.heard[4:] == [("b", "open"), ("b", 2)]


def test_a_message_while_its_comm_opens_waits() -> None:
    kernel = Kernel()
    EarlyMessages(kernel)

    def elsewhere() -> None:
        thread = threading.Thread(target=kernel.say, args=("comm_msg", "a", 1))
        thread.start()
        thread.join(10)

    kernel.during = elsewhere
    kernel.say("comm_open", "a")
    assert kernel.heard == [("a", "open"), ("a", 1)]


def test_what_nobody_claims_is_bounded_and_a_failed_opening_is_told() -> None:
    kernel = Kernel()
    early = EarlyMessages(kernel)
    for k in range(3 * LIMIT):
        kernel.say("comm_msg", "gone", k)
    assert len(early._waiting) == LIMIT

    def fail() -> None:
        raise RuntimeError("target")

    kernel.during = fail
    with pytest.raises(RuntimeError, match="target"):
        kernel.say("comm_open", "a")
    assert not early._opening


def test_nothing_is_heard_while_a_page_is_being_changed() -> None:
    """Else Bokeh sends what has been heard and forgets what was to be shown."""
    kernel = Kernel()
    EarlyMessages(kernel)
    kernel.say("comm_open", "a")
    thread = threading.Thread(target=kernel.say, args=("comm_msg", "a", 1))
    with TURN:
        thread.start()
        thread.join(0.2)
        assert kernel.heard == [("a", "open")]
    thread.join(10)
    assert kernel.heard == [("a", "open"), ("a", 1)]


def test_a_message_does_not_overtake_those_that_were_kept() -> None:
    kernel = Kernel()
    later = threading.Thread(target=kernel.say, args=("comm_msg", "a", 2))

    def slowly(stream: Any, ident: Any, msg: Any) -> None:
        if msg["content"]["data"] == 1:
            later.start()
            later.join(0.2)
        kernel._msg(stream, ident, msg)

    kernel.shell_handlers["comm_msg"] = slowly
    EarlyMessages(kernel)
    kernel.say("comm_msg", "a", 1)
    kernel.say("comm_open", "a")
    later.join(10)
    assert kernel.heard == [("a", "open"), ("a", 1), ("a", 2)]
