"""A page that is served by a process, and what a browser without a screen does with it.

`from helpers.served_page import Browser, ServedPage`.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
from helpers.waiting import PATIENCE_S, wait_until

ADDRESS = re.compile(r"https?://\S+\?token=[0-9a-f]{32}")


class Answer(NamedTuple):
    """What the page has answered."""

    status: int
    headers: dict[str, str]
    text: str


class Browser:
    """Asks a page, and keeps its cookies.

    Args:
        address: The address that was printed.
        path: The Unix socket, if it is at one: then `ssh -L` stands between.
    """

    def __init__(self, address: str, path: str = "") -> None:
        parts = urlsplit(address)
        self.host, self.path, self.query = parts.netloc, path, parts.query
        self.cookies: dict[str, str] = {}

    def ask(self, url: str = "/", method: str = "GET", body: str = "", **headers: str) -> Answer:
        """Send one request, and follow no redirect. The header Host is that of the address, unless it is given."""
        connection = self.connected()
        sent = {"Host": self.host, **({"Cookie": self._cookie} if self.cookies else {})}
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, url, body or None, {**sent, **headers})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        for name, value in re.findall(r"([^=;]+)=([^;]*)", found.get("set-cookie", ""))[:1]:
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return Answer(answer.status, found, text)

    def enter(self) -> Answer:
        """Open the address that was printed; returns the answer that led to the page itself."""
        return self.ask(f"/?{self.query}")

    def connected(self) -> http.client.HTTPConnection:
        """A connection, as the browser makes it."""
        host, _, port = self.host.rpartition(":")
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=PATIENCE_S)
        if self.path:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(PATIENCE_S)
            connection.sock.connect(self.path)
        return connection

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


class ServedPage:
    """`xpm ui` as a process, with a pipe for what it prints."""

    def __init__(self, *words: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        program = str(Path(sys.executable).parent / "xpm")
        clean = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
        self.process = subprocess.Popen(
            [program, "ui", *words],
            cwd=cwd,
            env={**clean, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.printed = ""

    def is_up(self) -> Browser:
        """Wait until it has printed its address; returns a browser for it."""
        assert self.process.stdout is not None
        while not ADDRESS.search(self.printed):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()
            self.printed += line
        path = re.search(r":(/\S+\.sock)", self.printed)
        return Browser(ADDRESS.search(self.printed)[0], path[1] if path else "")  # type: ignore[index]

    def ends(self, number: int = signal.SIGINT, timeout_s: float = PATIENCE_S) -> int:
        """Send it a signal; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout_s)
        self.said = self.process.communicate()[1]
        return code

    def kill(self) -> None:
        """End it at once, if it lives."""
        self.process.kill()
        self.process.communicate()


def page_processes(parent: int) -> list[psutil.Process]:
    """The pages that a script has started, and that live."""
    pages = []
    for each in psutil.Process(parent).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # psutil counts a zombie as such
            if "xpm_cli.page" in each.cmdline():
                pages.append(each)
    return pages


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def ends(process: psutil.Process) -> None:
    """Wait until a process has ended."""
    wait_until(lambda: gone(process), show=process.status)
