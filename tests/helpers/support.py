"""Helpers that tests import: waiting for a condition, and private servers.

`from helpers.support import wait_until, PrivateServer`; the fixtures around them are in conftest.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import redis

from xpm_core.server.binary import ServerProgram

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long is waited for what does happen, also on a slow machine that has much to do."""


def wait_until(
    condition: Callable[[], T],
    *,
    show: Callable[[], object] | None = None,
    timeout_s: float = PATIENCE_S,
    poll_s: float = 0.01,
) -> T:
    """Wait until `condition()` is true, and return what it returned.

    Example:
        >>> wait_until(lambda: job.state() == "done", show=job.state)

    Raises:
        AssertionError: It was not true within `timeout_s`; the message holds `show()`, else the last value.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            last = value if show is None else show()
            raise AssertionError(f"not true within {timeout_s:g} s; last state: {last!r}")
        time.sleep(poll_s)
    return value


class PrivateServer:
    """A server of the tests' own, on a unix socket in a temporary folder, in a session of its own.

    Example:
        >>> server = fresh_server(aof=True)     # the fixture
        >>> server.kill(); server.start()       # as after a crash: the AOF is read again
    """

    def __init__(self, program: ServerProgram, *, aof: bool = False, options: dict[str, str] | None = None) -> None:
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="xpm-test-"))
        self.socket = self.folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.options: dict[str, str] = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "logfile": str(self.folder / "server.log"),
            "save": "",
            "appendonly": "yes" if aof else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            **(options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: tuple[Path, int] | None = None

    @property
    def pid(self) -> int:
        """Process id of the server, which must be running."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has logged so far."""
        return (self.folder / "server.log").read_text()

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it answers; it keeps the data of an earlier start if it has an AOF."""
        assert self._process is None, "the server is already running"
        arguments = [part for name, value in self.options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [self.program.path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        if wait:
            wait_until(self.answers, show=lambda: self.log)

    def answers(self) -> bool:
        """Whether it is up and has read its data."""
        try:
            with self.client(retry=None) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def lives(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def client(self, **options: object) -> redis.Redis:
        """A new client of it; the caller closes it."""
        return redis.Redis.from_url(self.url, **options)

    def kill(self) -> None:
        """End it by SIGKILL: what was acknowledged within the last second may be lost."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def note(self) -> None:
        """Remember what its AOF holds now: what a power cut leaves of it."""
        file = max((self.folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)
        self._kept = file, file.stat().st_size

    def cut_power(self) -> None:
        """End it as a power cut does: what was acknowledged since `note` is lost, as it is within a second."""
        self.kill()
        assert self._kept is not None, "call note() first"
        file, size = self._kept
        if file.exists():  # else the AOF was written anew meanwhile
            os.truncate(file, size)

    def stop(self) -> None:
        """End it in good order (SIGTERM), keeping its AOF."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_S)
        self._process = None

    def remove(self) -> None:
        """End it, if it runs, and delete its folder."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.folder)


def on_path(folder: Path) -> Iterator[Path]:
    """Make a folder, in front of this process's path for so long; what was imported from it is forgotten afterwards."""
    folder.mkdir()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    forget_modules(folder)


def forget_modules(folder: Path) -> None:
    """Forget what this process imported from a folder, so that a later test can import another module of that name."""
    for name in [name for name, module in sys.modules.items() if str(folder) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]
