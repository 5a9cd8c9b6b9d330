"""Where a bench happens: a server of its own, and a folder on tmpfs. Both are gone afterwards.

No server keeps anything on disk, on either side, because the speed of the disk is not what is measured.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import redis
from harness import SHM

from xpm_core.server.binary import find_server

DELAY = Path(__file__).with_name("delay.py")


class Place:
    """A server, and folders.

    Args:
        delay_ms: The server is reached over TCP, with this delay each way; None for a unix socket.

    Example:
        with Place() as place:
            print(place.url, place.folder("workspace"))
    """

    def __init__(self, delay_ms: float | None = None) -> None:
        self._delay_ms = delay_ms
        self.root = Path(tempfile.mkdtemp(prefix="xpm-bench-", dir=SHM if SHM.is_dir() else None))
        self.direct = f"unix://{self.root}/redis.sock"
        self.url = self.direct
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Place:
        port = "0" if self._delay_ms is None else str(free_port())
        options = {"port": port, "bind": "127.0.0.1", "unixsocket": f"{self.root}/redis.sock", "dir": str(self.root)}
        options |= {"save": "", "appendonly": "no", "logfile": f"{self.root}/server.log"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._start([find_server().path, *arguments])
        self.client = redis.Redis.from_url(self.direct)
        wait_until(self._answers)
        if self._delay_ms is not None:
            near = free_port()
            self._start([sys.executable, str(DELAY), str(near), port, str(self._delay_ms)])
            self.url = f"redis://127.0.0.1:{near}/0"
            wait_until(lambda: listens(near))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def folder(self, name: str) -> str:
        """A folder of this place, which may not be there yet."""
        return str(self.root / name)

    def _start(self, command: list[str]) -> None:
        self._processes.append(
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )  # fmt: skip

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


def server() -> str:
    """The server that benches run with, as it calls itself: `Valkey 8.1.8 (libc)`."""
    with Place() as place:
        told = place.client.info()
    name, version = ("Valkey", told["valkey_version"]) if "valkey_version" in told else ("Redis", told["redis_version"])
    return f"{name} {version} ({told['mem_allocator']})"


def wait_until(condition: object, timeout_s: float = 60.0) -> None:
    """Wait until a condition (a function) holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s:g} s")
        time.sleep(0.005)


def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something listens at a port."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
