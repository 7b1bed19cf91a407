"""What a widget says before the kernel knows of it: kept, and heard in its turn.

JupyterLab sends a widget's messages to a thread of the kernel's own (a subshell), but the one that
announces the widget to the main one, where it waits for the cells that still run. A message that
comes first is dropped by ipykernel, the page waits for its answer, and the reader's first move of
a slider goes unheard.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import Any

__all__ = ["EarlyMessages", "keep_early_messages"]

#: Messages kept at most: those of a page whose kernel was restarted are never claimed.
LIMIT = 256


class EarlyMessages:
    """Handlers of a kernel that keep messages until their comm is open.

    Parameters
    ----------
    kernel : ipykernel.ipkernel.IPythonKernel
        Its handlers are replaced by ones that call them.
    """

    def __init__(self, kernel: Any) -> None:
        self._comms = kernel.comm_manager.comms
        self._handlers = dict(kernel.shell_handlers)
        self._waiting: deque[tuple[str, tuple[Any, Any, Any]]] = deque(maxlen=LIMIT)
        self._opening: set[str] = set()
        self._lock = threading.Lock()
        kernel.shell_handlers |= {"comm_open": self.open, "comm_msg": self.message}

    def open(self, stream: Any, ident: Any, msg: Any) -> None:
        """Open a comm, and hand it what came before."""
        name = msg["content"]["comm_id"]
        with self._lock:
            self._opening.add(name)
        try:
            self._handlers["comm_open"](stream, ident, msg)
        finally:
            early = self._claimed(name)
        for given in early:
            self._handlers["comm_msg"](*given)

    def _claimed(self, name: str) -> list[tuple[Any, Any, Any]]:
        with self._lock:
            self._opening.discard(name)
            early = [given for other, given in self._waiting if other == name]
            rest = [pair for pair in self._waiting if pair[0] != name]
            self._waiting = deque(rest, LIMIT)
        return early

    def message(self, stream: Any, ident: Any, msg: Any) -> None:
        """Hand a message on, or keep it if its comm is not open yet."""
        name = msg["content"]["comm_id"]
        with self._lock:
            if name not in self._comms or name in self._opening:
                self._waiting.append((name, (stream, ident, msg)))
                return
        self._handlers["comm_msg"](stream, ident, msg)


def keep_early_messages() -> None:
    """Have the kernel that this runs in, if it is one, keep messages until their comm is open."""
    if "ipykernel" not in sys.modules:
        return
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    handlers = getattr(kernel, "shell_handlers", {})
    if "comm_msg" not in handlers or not hasattr(kernel, "comm_manager"):
        return
    if not isinstance(getattr(handlers["comm_msg"], "__self__", None), EarlyMessages):
        EarlyMessages(kernel)
