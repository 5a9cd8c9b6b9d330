"""Which process serves the data folder of a workspace, and how another process recognizes it.

    <workspace>/.xpm/redis/server.json   the process that serves this folder, its socket, and when it started

A server may be given to users only if it has a record. A process id alone does not prove that the process is the
server: the system may use an id again. So the record also holds when the process started, and in which boot.
"""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from xpm_core.server.notice import boot_id, is_elsewhere
from xpm_core.workspace.files import write_atomic


@dataclass(frozen=True)
class ServerRecord:
    """Which process serves a data folder."""

    host: str
    boot: str
    """Id of the host's current boot; empty where the system has none."""
    pid: int
    started: str
    """When the process started. It only serves to distinguish it from a later process with the same id."""
    socket: str
    folder: int
    """Inode of the data folder. The record in a copied folder names the server of the original."""

    @classmethod
    def read(cls, folder: Path) -> ServerRecord | None:
        """The record of a data folder; None if there is none, or it was copied from another folder."""
        try:
            found = json.loads((folder / "server.json").read_bytes())
            record = cls(**{each.name: found[each.name] for each in fields(cls)})  # a later xpm may add fields
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        return record if record.folder == folder.stat().st_ino else None

    @classmethod
    def of(cls, folder: Path, pid: int, address: str) -> ServerRecord:
        """The record of a process on this machine."""
        return cls(socket.gethostname(), boot_id(), pid, process_start(pid) or "", address, folder.stat().st_ino)

    def write(self, folder: Path) -> None:
        """Write it into the data folder.

        Raises:
            WorkspaceError: It cannot be written.
        """
        write_atomic(folder / "server.json", json.dumps(asdict(self)).encode() + b"\n", durable=True)

    @property
    def elsewhere(self) -> bool:
        """Whether the process runs on another machine."""
        return is_elsewhere(self.host, self.boot)

    @property
    def alive(self) -> bool:
        """Whether the process lives; also False if it cannot be seen from here (another machine or container)."""
        return self.boot == boot_id() and self.started != "" and process_start(self.pid) == self.started

    @property
    def reachable(self) -> bool:
        """Whether the process listens on its socket. If it cannot be seen from here, it must also answer."""
        return can_connect(self.socket) and (self.alive or process_at(self.socket) == self.pid)


def process_start(pid: int) -> str | None:
    """When a process started, to distinguish it from a later one with the same id; None if it is gone."""
    if sys.platform == "linux":
        try:
            state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state in "ZX" else numbers[18]  # clock ticks since the boot, which no change of the clock moves
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def can_connect(address: str) -> bool:
    """Whether something listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(address)
        except (TimeoutError, BlockingIOError):  # its backlog is full: so something listens
            return True
        except OSError:
            return False
    return True


def process_at(address: str, password: str = "") -> int | None:
    """The process id of the server that answers at a socket; the server itself says it. None if no server answers."""
    with client_of(address, password) as client:
        try:
            info: dict[str, Any] = client.info("server")
        except redis.RedisError:
            return None
    return info.get("process_id")


def client_of(address: str, password: str = "") -> redis.Redis:
    """A client that gives up soon, and does not try again."""
    once = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=address, password=password or None, socket_timeout=2.0, retry=once, protocol=2)
