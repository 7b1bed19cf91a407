"""What all adapters share: reconnection, reading, duplicates, and saying what happened."""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import ClassVar

import numpy as np

from entro_nb.errors import ParameterError
from entro_nb.streams.adapters.policy import Policy
from entro_nb.streams.dedupe import Deduplicator
from entro_nb.streams.events import Event, Happening, Notice, Reading
from entro_nb.streams.messages import Content, Message
from entro_nb.streams.source import Source

__all__ = ["Adapter", "LostError"]


class LostError(Exception):
    """A connection is gone or was given up.

    Parameters
    ----------
    reason : str
        Why.
    wait : float, optional
        Seconds that the server asks to wait.
    floor : float
        Seconds to wait at least.
    """

    def __init__(self, reason: str, wait: float | None = None, floor: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.floor = reason, wait, floor


@functools.cache
def _system(access: str) -> ssl.SSLContext:
    """The system's certificates, loaded once for all streams of a kind.

    Not once for all kinds: the HTTP client writes into its context which protocols it offers.
    """
    return ssl.create_default_context()


class Adapter(ABC):
    """Live stream as an async iterator of readings and of what happened, without an end.

    Iterate with ``async for``; leaving the loop closes the connection. Nothing that a server
    does raises: it is told by a :class:`Notice`, and another connection is tried.

    Parameters
    ----------
    source : Source
        The stream.
    policy : Policy, optional
        Patience and limits.
    now : callable
        Wall clock in seconds since 1970. It only dates events: waiting goes by a clock that
        does not jump.
    tls : ssl.SSLContext, optional
        Certificates to trust; those of the system if not given. They are always checked.
    seed : int, optional
        Seed of the jitter.
    """

    access: ClassVar[str]

    def __init__(
        self,
        source: Source,
        policy: Policy | None = None,
        *,
        now: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        seed: int | None = None,
    ) -> None:
        if source.access != self.access:
            raise ParameterError("access", source.access, f"{self.access!r}")
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ParameterError("tls", tls.verify_mode.name, "a context that checks certificates")
        self.source = source
        self.policy = Policy() if policy is None else policy
        self.now = now
        self._tls = tls
        self._rng = np.random.default_rng(seed)
        self._seen = Deduplicator()
        self._latest = -np.inf

    @property
    def tls(self) -> ssl.SSLContext:
        """Certificates to trust: those given, or the system's."""
        return _system(self.access) if self._tls is None else self._tls

    @property
    def stall(self) -> float:
        """Seconds of silence after which a connection is given up."""
        return self.source.stall if self.policy.stall is None else self.policy.stall

    @abstractmethod
    def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        """One connection: payloads and notices until it is lost, which raises LostError."""

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self._tls is None:
            await asyncio.to_thread(_system, self.access)  # the other streams shall not wait
        failures = 0
        while True:
            try:
                async with aclosing(self._connection()) as items:
                    async for item in items:
                        if isinstance(item, Notice):
                            yield item
                            continue
                        for event in self._events(item):
                            if type(event) is Reading:
                                failures = 0
                            yield event
                raise LostError("the server closed the connection")
            except LostError as lost:
                failures += 1
                wait = self.policy.wait(failures, self._rng) if lost.wait is None else lost.wait
                wait = max(wait, lost.floor)
                reason = lost.reason
            yield self.notice(Happening.DROPPED, f"{reason}; next try in {wait:.3g} s")
            await asyncio.sleep(wait)

    def notice(self, kind: Happening, detail: str) -> Notice:
        """Notice of this moment, clean of secrets and of what could be more than text."""
        for secret in self.source.secrets():
            detail = detail.replace(secret, "…")
        printable = "".join(c if c.isprintable() else "�" for c in detail)
        return Notice(self.now(), kind, printable[:300])

    def _events(self, payload: bytes) -> Iterator[Event]:
        """Readings and notices of one payload."""
        arrived = time.perf_counter()
        try:
            messages = self.source.read(payload)
        except Exception as error:  # a reader of the user's own may raise
            yield self.notice(Happening.SKIPPED, f"the reader raised {type(error).__name__}")
            return
        for message in messages:
            yield from self._admit(message, arrived)

    def _admit(self, message: Message, arrived: float) -> Iterator[Event]:
        if message.reconnect:
            raise LostError(message.note, wait=0.0)
        if message.value is None:
            missing = message.content is Content.MISSING
            yield self.notice(Happening.MISSING if missing else Happening.SKIPPED, message.note)
            return
        if self.source.topic and message.topic != self.source.topic:
            yield self.notice(Happening.SKIPPED, "another channel")
            return
        if not self._seen.admit(message.key):
            yield self.notice(Happening.DUPLICATE, "sent again")
            return
        if message.time is not None:
            if message.time < self._latest:
                yield self.notice(Happening.LATE, "older than the one before")
            self._latest = max(self._latest, message.time)
        yield Reading(self.now(), message.value, arrived)
