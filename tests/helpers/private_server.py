"""Servers of the tests' own, which a test may stop and kill.

`from helpers.private_server import PrivateServer`; the fixtures around it are in conftest.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.server.binary import ServerProgram


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


@contextlib.contextmanager
def running(program: ServerProgram) -> Iterator[PrivateServer]:
    """A server, for so long."""
    server = PrivateServer(program)
    try:
        server.start()
        yield server
    finally:
        server.remove()
