"""A real browser, and a real JupyterLab for it: both on this machine only, both isolated."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # No name is looked up: a page has this machine and nothing else.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def executable() -> str | None:
    """The system's Chromium, whatever it is called."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Headless Chromium, driven by Playwright."""
    path = executable()
    if path is None:
        reason = "no Chromium on this machine: install the package chromium to run this test"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


#: What is asked of another machine.
ABROAD = re.compile(r"(?!https?://(127\.0\.0\.1|localhost)[:/])(https?|wss?)://")


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Make contexts of the browser, whose pages may ask this machine only: a request of any other
    is an error at the end."""
    contexts: list[Any] = []
    abroad: list[str] = []

    def make(**options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.on("request", lambda r: abroad.append(r.url) if ABROAD.match(r.url) else None)
        return context

    yield make
    for context in contexts:
        context.close()
    assert abroad == []


@dataclass
class Watched:
    """A page, with all that it asked for and complained of."""

    page: Any
    requests: list[str]
    complaints: list[str]


@pytest.fixture
def watched(chromium: Any) -> Iterator[Callable[..., Watched]]:
    """Open pages whose network is cut: every request that is not for a local file is refused."""
    contexts = []

    def make(**options: Any) -> Watched:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        seen = Watched(page, [], [])

        def refuse(route: Any) -> None:
            seen.requests.append(route.request.url)
            route.abort()

        context.route(lambda url: not url.startswith(("file:", "data:", "blob:")), refuse)
        # What the page's own policy stops never becomes a request, but is complained of.
        page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        return seen

    yield make
    for context in contexts:
        context.close()


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    token: str

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """Answer of the server's REST interface."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            None if content is None else json.dumps(content).encode(),
            {"Authorization": f"token {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the apps under `entro-nb serve`."""
    port = free_port()
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "entro_nb.cli", "serve", "--port", str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and server.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=30).close()
                break
            except OSError:
                time.sleep(0.3)
        else:
            pytest.fail(f"the server did not start:\n{log.read_text()}")
        yield url
    finally:
        server.terminate()
        server.wait(30)
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that JupyterLab shows; tests put copies of notebooks there."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory, workspace: Path) -> Iterator[Lab]:
    """JupyterLab on loopback, with none of the user's settings."""
    home = tmp_path_factory.mktemp("jupyter")
    settings = home / "overrides"
    settings.mkdir()
    (settings / "overrides.json").write_text(
        json.dumps(
            {
                # Every cell is in the page, also those that are out of sight.
                "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
                "@jupyterlab/apputils-extension:notification": {
                    "fetchNews": "false",
                    "checkForUpdates": False,
                },
            }
        )
    )
    places = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    lab = Lab(f"http://127.0.0.1:{free_port()}/", secrets.token_hex(16))
    log = home / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={lab.url.rsplit(':')[-1][:-1]}",
                f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={workspace}",
                f"--LabApp.app_settings_dir={settings}",
            ],
            stdout=output, stderr=subprocess.STDOUT,
            env=os.environ | {name: str(path) for name, path in places.items()},
        )  # fmt: skip
    try:
        wait_until_up(lab, server, log)
        yield lab
        for kernel in lab.ask("GET", "api/kernels"):
            lab.ask("DELETE", f"api/kernels/{kernel['id']}")
    finally:
        server.terminate()
        server.wait(30)


def wait_until_up(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError):
            lab.ask("GET", "api/status")
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def open_notebook(jupyterlab: Lab, visit: Callable[..., Any]) -> Iterator[Callable[[str], Any]]:
    """Open a notebook of the workspace, run all its cells, wait for the last; gives the page."""
    opened: list[str] = []

    def open_and_run(name: str, timeout: float = 120.0) -> Any:
        # A kernel that runs already: else a dialogue asks for one, in the way of the menu.
        session = jupyterlab.ask(
            "POST",
            "api/sessions",
            {"path": name, "type": "notebook", "name": name, "kernel": {"name": "python3"}},
        )
        opened.append(session["id"])
        page = visit(viewport={"width": 1280, "height": 1600}).new_page()
        page.goto(f"{jupyterlab.url}doc/tree/{name}?token={jupyterlab.token}&reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
        # Before the page has found the kernel, running would open that dialogue all the same.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function(ALL_RUN, timeout=timeout * 1000, polling=200)
        return page

    yield open_and_run
    for session in opened:
        jupyterlab.ask("DELETE", f"api/sessions/{session}")


#: Whether every code cell with something in it has a number, or an error has stopped the run.
ALL_RUN = r"""() => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')]
        .filter(cell => cell.querySelector('.cm-content')?.textContent.trim());
    const prompts = cells.map(cell => cell.querySelector('.jp-InputPrompt')?.textContent ?? '');
    const stopped = [...document.querySelectorAll('[data-mime-type$="stderr"]')]
        .some(output => output.textContent.includes('Traceback'));
    const done = prompts.filter(prompt => /\[\d+\]/.test(prompt)).length;
    const waiting = prompts.some(prompt => prompt.includes('*'));
    return cells.length > 0 && !waiting && (done === cells.length || (stopped && done > 0));
}"""
