"""A WebSocket server in a process of its own that sends numbered messages at a given rate.

``python flood.py RATE SECONDS`` prints its port, then sends to each client. Each message holds the
moment of its sending on the clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import time


async def main(rate: float, seconds: float) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    total = int(rate * seconds)

    async def client(socket: ServerConnection) -> None:
        await socket.recv()
        start = time.monotonic()
        sent = 0
        while sent < total:
            due = min(total, int((time.monotonic() - start) * rate) + 1)
            for number in range(sent, due):
                moment = time.monotonic()
                await socket.send(
                    f'{{"n":{number},"value":{number * 7919 % 97},"sent":{moment!r}}}'
                )
            sent = due
            await asyncio.sleep(0.001)
        await socket.send('{"n":-1,"value":"end"}')
        await socket.wait_closed()

    async with serve(client, "127.0.0.1", 0, compression=None) as server:
        sys.stdout.write(f"{next(iter(server.sockets)).getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.sleep(seconds + 60)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2])))
