"""Streams that push over a WebSocket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from typing import Any, ClassVar

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from entro_nb.streams.adapters.base import Adapter, LostError
from entro_nb.streams.adapters.policy import USER_AGENT
from entro_nb.streams.adapters.status import refusal
from entro_nb.streams.events import Happening, Notice

__all__ = ["WebSocketAdapter", "reason_of"]


class WebSocketAdapter(Adapter):
    """Connects, subscribes, and gives the messages of a WebSocket as they come.

    The server must answer pings, and say something within the stall timeout. Text is not
    trusted to be UTF-8: the reader of the stream decides.

    Examples
    --------
    >>> from entro_nb import streams
    >>> adapter = WebSocketAdapter(streams.CATALOG["bitstamp"])
    >>> adapter.stall
    120.0
    """

    access: ClassVar[str] = "websocket"

    async def _connection(self) -> AsyncGenerator[bytes | Notice, None]:
        socket = await self.open(self.source.endpoint)
        try:
            async with asyncio.timeout(self.policy.timeout):
                for text in self.source.subscribe:
                    await socket.send(text)
            yield self.notice(Happening.CONNECTED, self.source.endpoint)
            while True:
                async with asyncio.timeout(self.stall):
                    payload: bytes = await socket.recv(decode=False)
                yield payload
        except Exception as error:
            raise LostError(reason_of(error, self.stall)) from None
        finally:
            # Nothing is owed to a server that may be silent: no closing handshake.
            socket.transport.abort()

    async def open(self, endpoint: str, subprotocols: Sequence[Subprotocol] | None = None) -> Any:
        """Connection to a WebSocket, handshake done; LostError if there is none."""
        policy = self.policy
        options: dict[str, Any] = {}
        if endpoint.startswith("wss:"):
            options["ssl"] = self.tls
        try:
            return await connect(
                endpoint,
                subprotocols=subprotocols,
                user_agent_header=USER_AGENT,
                open_timeout=policy.timeout,
                ping_interval=policy.ping,
                ping_timeout=policy.ping,
                close_timeout=policy.timeout,
                max_size=policy.limit,
                compression=None,
                **options,
            )
        except InvalidStatus as error:
            response = error.response
            raise refusal(response.status_code, response.headers, policy, self.now()) from None
        except Exception as error:
            raise LostError(reason_of(error, policy.timeout)) from None


#: Codes with which a WebSocket is closed, where they say more than that it is.
_CODES = {
    1002: "what came is no WebSocket",
    1007: "text that is not UTF-8",
    1009: "a message too large",
    1011: "silent: pings are not answered",
}


def reason_of(error: Exception, seconds: float) -> str:
    """Why a connection failed, in a few words that hold no more than the kind of error."""
    match error:
        case LostError():
            return error.reason
        case TimeoutError():
            return f"silent for {seconds:g} s"
        case ConnectionClosed():
            if error.rcvd is not None:
                return f"the server closed the connection, code {error.rcvd.code}"
            if error.sent is not None:
                return _CODES.get(error.sent.code, f"closed with code {error.sent.code}")
            return "cut off"
        case ssl.SSLCertVerificationError():
            return f"certificate refused: {error.verify_message}"
        case ssl.SSLError():
            return "no secure connection"
        case ConnectionRefusedError():
            return "connection refused"
        case OSError():
            return f"no connection: {type(error).__name__}"
    return f"no valid answer: {type(error).__name__}"
