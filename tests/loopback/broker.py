"""RabbitMQ with its STOMP plugins, as an ordinary process of the test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")


def missing() -> str:
    """Why there can be no broker here; empty if there can."""
    if PROGRAM.is_file() and shutil.which("erl"):
        return ""
    return "RabbitMQ is not installed (Debian: apt-get install rabbitmq-server; see .ci/rabbitmq)"


@dataclass
class Broker:
    stomp: int
    websocket: int
    environment: dict[str, str]

    def control(self, *arguments: str) -> None:
        subprocess.run(
            [str(CONTROL), *arguments],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """A broker on free ports of loopback, ended with everything that it started."""
    stomp, websocket, amqp, distribution, epmd = (_free() for _ in range(5))
    (folder / "plugins").write_text("[rabbitmq_stomp,rabbitmq_web_stomp].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{amqp}\n"
        f"stomp.listeners.tcp.1 = 127.0.0.1:{stomp}\n"
        f"web_stomp.tcp.ip = 127.0.0.1\nweb_stomp.tcp.port = {websocket}\nweb_stomp.ws_path = /\n"
        "log.console = false\n"
    )
    environment = os.environ | {
        "HOME": str(folder),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_NODENAME": f"entro{stomp}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # A name server of its own, so that it can be ended without asking who else uses it.
        "ERL_EPMD_PORT": str(epmd),
    }
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [str(PROGRAM)], env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _wait(stomp, process)
        _wait(websocket, process)
        yield Broker(stomp, websocket, environment)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        epmd_program = shutil.which("epmd")
        if epmd_program:
            subprocess.run(
                [epmd_program, "-port", str(epmd), "-kill"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the broker ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the broker did not open port {port} in {seconds:g} s")
