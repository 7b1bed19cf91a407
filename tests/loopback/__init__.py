"""Servers on loopback that misbehave on request, and the recorded payloads."""

from __future__ import annotations

import asyncio


async def close(server: asyncio.Server) -> None:
    """Close a server that nobody can be in the middle of connecting to.

    Python 3.11 forgets a connection that it has accepted but not begun when its server closes:
    its socket stays open until it is collected.
    """
    loop = asyncio.get_running_loop()
    for socket in server.sockets:
        loop.remove_reader(socket.fileno())
    for _ in range(20):  # turns of the loop; asyncio needs four to begin a connection
        await asyncio.sleep(0)
    server.close()
