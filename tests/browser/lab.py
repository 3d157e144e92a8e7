"""A JupyterLab of our own, with nothing in it but what a test puts there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil

START_SECONDS = 90


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str  # ends in /
    token: str
    folder: Path  # what its file browser shows

    def address(self, notebook: str) -> str:
        """Where a notebook of the folder opens, alone on the page."""
        return f"{self.url}doc/tree/{notebook}?reset&token={self.token}"

    def ask(self, path: str, method: str = "GET") -> Any:
        """What the server's own interface answers; OSError if it does not."""
        request = Request(f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"})
        with urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def end_kernels(self) -> None:
        """Give their memory back."""
        for kernel in self.ask("kernels"):
            self.ask(f"kernels/{kernel['id']}", "DELETE")


@contextmanager
def serve(home: Path) -> Iterator[Lab]:
    """JupyterLab on a free port of 127.0.0.1, with all that it keeps below `home`; it ends with the context, its kernels too."""
    (home / "notebooks").mkdir()
    # The one part of JupyterLab that asks the web on its own: news and updates.
    page_config = home / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
    token = os.urandom(16).hex()
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_TOKEN": token,
        "OMP_NUM_THREADS": "2",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    with open(home / "log.txt", "wb") as log:
        server = subprocess.Popen(command, cwd=home / "notebooks", env=environment, stdout=log, stderr=log)
        try:
            yield _wait_for(server, home, token)
        finally:
            _end(server)


def _wait_for(server: subprocess.Popen[bytes], home: Path, token: str) -> Lab:
    """The server, once it answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        for info in (home / "runtime").glob("jpserver-*.json"):
            try:
                lab = Lab(json.loads(info.read_bytes())["url"], token, home / "notebooks")
                lab.ask("status")
                return lab
            except (OSError, ValueError):
                pass  # half written, or not listening yet
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not answer within {START_SECONDS} s:\n{(home / 'log.txt').read_text()[-2000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Stop the server, which shuts its kernels down, and kill what is left of either."""
    family: list[psutil.Process] = []
    if server.poll() is None:
        parent = psutil.Process(server.pid)
        family = [*parent.children(recursive=True), parent]
        server.terminate()
    for process in psutil.wait_procs(family, timeout=15)[1]:
        process.kill()
    server.wait()
