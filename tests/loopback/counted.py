"""A plain stream of counted numbers, for tests over real connections."""

from __future__ import annotations

import json

from entro_nb.streams import Credential, Message, Source

SCHEMES = {"websocket": "ws", "sse": "http", "rest": "http", "stomp": "stomp", "webstomp": "ws"}


def encode(number: int, value: float | None = None, **more: object) -> bytes:
    content = {"n": number, "value": number % 7 if value is None else value}
    return json.dumps(content | more).encode()


def read(payload: bytes) -> list[Message]:
    """Strict reader of `encode`, in the manner of the catalog's."""
    try:
        content = json.loads(str(payload, "utf-8"))
        number, value = content["n"], content["value"]
        if type(number) is not int:
            raise TypeError
        return [Message.of(float(value), key=number, time=float(content.get("at", number)))]
    except (ValueError, TypeError, KeyError):
        return [Message.unreadable("not a number of ours")]


def source(
    access: str,
    port: int,
    *,
    path: str = "/",
    secure: bool = False,
    interval: float = 0.02,
    credentials: tuple[Credential, ...] = (),
) -> Source:
    host = "localhost" if secure else "127.0.0.1"
    return Source(
        "numbers",
        "Counted numbers",
        f"{SCHEMES[access]}{'s' if secure else ''}://{host}:{port}{path}",
        "stomp" if access == "webstomp" else access,
        read,
        "number",
        "1",
        0.0,
        6.0,
        interval=interval if access == "rest" else 0.0,
        subscribe={
            "websocket": ('{"subscribe":"numbers"}',),
            "stomp": ("/topic/numbers",),
            "webstomp": ("/topic/numbers",),
        }.get(access, ()),
        media=("application/json",) if access == "rest" else (),
        credentials=credentials,
    )
