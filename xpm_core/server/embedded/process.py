"""The process of an embedded server: starting it, knowing it again, and ending it.

    <workspace>/.xpm/redis/server.json   which process serves this folder, where, and since when
                           server.lock   locked by that process for as long as it lives
                           server.pid    written by the server itself, a moment after it listens
                           server.log    its log
                           appendonlydir/   its data

The lock shows whether a server lives: it was locked before the server began, and handed to it. The
record shows that it was given to somebody; a server without a record serves nobody. A server that answers
is asked for its process id: a file that is not there yet proves nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from xpm_core.errors import EmbeddedServerError
from xpm_core.server.binary import ServerProgram
from xpm_core.server.embedded.locks import FileLock
from xpm_core.workspace.files import write_atomic

START_S = 30.0
"""How long a server may take until it answers; reading its data may take longer."""

END_S = 60.0
"""How long a server may take to write its data and end."""

_POLL_S = 0.005
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LOG_LINES = 5
_DEAF = ("/bin/sh", "-c", 'trap "" USR1 USR2; exec "$0" "$@"')
"""What starts a server that ignores these signals, of which it would die: Slurm sends them to all of a step."""


@dataclass(frozen=True)
class ServerRecord:
    """Which process serves a data folder."""

    host: str
    boot: str
    """Id of the host's current boot, empty where there is none."""
    pid: int
    started: str
    """When the process started, in a form that only serves to tell it from another with its id."""
    socket: str
    folder: int
    """Inode of the data folder: a copied folder's record speaks of another's server."""

    @classmethod
    def read(cls, folder: Path) -> ServerRecord | None:
        """The record of a data folder, or None."""
        try:
            found = json.loads((folder / "server.json").read_bytes())
            record = cls(**{each.name: found[each.name] for each in fields(cls)})  # a later xpm may add to them
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        return record if record.folder == folder.stat().st_ino else None

    @classmethod
    def of(cls, folder: Path, pid: int, address: str) -> ServerRecord:
        """The record of a process on this machine."""
        return cls(socket.gethostname(), boot_id(), pid, process_start(pid) or "", address, folder.stat().st_ino)

    def write(self, folder: Path) -> None:
        """Keep it in the data folder."""
        write_atomic(folder / "server.json", json.dumps(asdict(self)).encode() + b"\n", durable=True)

    @property
    def elsewhere(self) -> bool:
        """Whether it speaks of another machine."""
        return self.host != socket.gethostname() and (not self.boot or self.boot != boot_id())

    @property
    def alive(self) -> bool:
        """Whether the process lives; False also for one that is out of sight (another machine or container)."""
        return self.boot == boot_id() and self.started != "" and process_start(self.pid) == self.started

    @property
    def reachable(self) -> bool:
        """Whether it listens on its socket; one that is out of sight must answer, too."""
        return can_connect(self.socket) and (self.alive or _process_at(self.socket) == self.pid)


class ServerFolder:
    """The data folder of a workspace's server. All calls but `close` are made while holding its mutex."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inode = path.stat().st_ino
        self._lock = FileLock(path / "server.lock")
        self._log_begins = 0

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    @property
    def current(self) -> bool:
        """Whether it still is what stands at its path, neither removed nor replaced."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False

    def lives(self, record: ServerRecord | None) -> bool:
        """Whether a server works on this folder, recorded or not."""
        if not self._lock.try_lock(exclusive=True):
            return True
        self._lock.unlock()
        return record is not None and record.alive

    def start(self, program: ServerProgram, address: str) -> ServerRecord:
        """Start a server, and record it once it answers. None may live.

        Raises:
            EmbeddedServerError: It does not start; holds the end of its log.
        """
        for stale in (self.path / "server.pid", Path(address)):
            stale.unlink(missing_ok=True)
        self._log_begins = self.log_file.stat().st_size if self.log_file.exists() else 0
        lock = FileLock(self.path / "server.lock")
        try:
            lock.try_lock(exclusive=True)
            _launch(program, self.path, address, lock.descriptor)
        except subprocess.CalledProcessError as error:
            raise self.failure(f"{program} does not start", error.output) from error
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"{program} does not go to the background") from error
        finally:
            lock.hand_over()
        record = ServerRecord.of(self.path, self._answering(program, address), address)
        record.write(self.path)
        return record

    def _answering(self, program: ServerProgram, address: str) -> int:
        """Wait until the server that was just started answers; return its process id."""
        deadline = time.monotonic() + START_S
        while (pid := _process_at(address)) is None:
            if not self.lives(None):
                raise self.failure(f"{program} does not start")
            if time.monotonic() > deadline:
                raise self._silent_error(program, address)
            time.sleep(_POLL_S)
        return pid

    def end(self, record: ServerRecord | None) -> None:
        """End the server in good order, so that it keeps its data, and wait until it is gone.

        Raises:
            EmbeddedServerError: It does not end, or cannot be told to.
        """
        if self.current:
            (self.path / "server.json").unlink(missing_ok=True)
        told = record is not None and _shut_down(record)
        deadline = time.monotonic() + END_S
        pid = None
        while self.lives(record):
            if not told:
                pid = record.pid if record is not None and record.alive else self._own_pid()
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
                    told = True
            if time.monotonic() > deadline:
                raise self._end_error(record, pid)
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Close the files that were opened here."""
        self._lock.close()

    def _own_pid(self) -> int | None:
        """The process that wrote `server.pid`, if it works in this folder."""
        try:
            pid = int((self.path / "server.pid").read_text())
            works_in = os.stat(psutil.Process(pid).cwd())
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if works_in.st_ino == self.inode else None

    def failure(self, problem: str, said: str | None = None) -> EmbeddedServerError:
        """An error with what a server said last, here or in its log."""
        said = self._logged() if said is None else said
        last = " | ".join(line.strip() for line in said.strip().splitlines()[-_LOG_LINES:])
        last = last or f"it says nothing; {shutil.disk_usage(self.path).free} bytes are free there"
        remedy = (
            f"See {self.log_file}; set XPM_REDIS_URL to use another server, or move {self.path} away: "
            f"what is done is known by the job directories."
        )
        return EmbeddedServerError(f"Embedded Redis in {self.path}", f"{problem}: {last}", remedy)

    def _logged(self) -> str:
        """What the server has logged since it was started here: an earlier server's last words are not its own."""
        with contextlib.suppress(FileNotFoundError), self.log_file.open("rb") as file:
            file.seek(self._log_begins)
            return file.read().decode(errors="replace")
        return ""

    def _silent_error(self, program: ServerProgram, address: str) -> EmbeddedServerError:
        last = self._logged().strip().rpartition("\n")[2].strip() or "(it is empty)"
        problem = (
            f"{program} was started (process {self._own_pid() or 'unknown'}), but does not answer at {address} "
            f"within {START_S:g} s; its log ends: {last}"
        )
        remedy = f"See {self.log_file}. Run the script again, or set XPM_REDIS_URL to use another server."
        return EmbeddedServerError(f"Embedded Redis in {self.path}", problem, remedy)

    def _end_error(self, record: ServerRecord | None, pid: int | None) -> EmbeddedServerError:
        name = pid or (record.pid if record else "unknown")
        problem = f"a server (process {name}) works there that can neither be reached nor ended from here"
        remedy = f"End it where it runs, perhaps in another container; see {self.log_file}. Or set XPM_REDIS_URL."
        return EmbeddedServerError(f"Embedded Redis in {self.path}", problem, remedy)


def can_connect(address: str) -> bool:
    """Whether something listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(address)
        except (TimeoutError, BlockingIOError):  # its backlog is full: somebody is there
            return True
        except OSError:
            return False
    return True


def boot_id() -> str:
    """Id of this machine's current boot; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def process_start(pid: int) -> str | None:
    """When a process started, to tell it from a later one with the same id; None if it is gone."""
    if sys.platform == "linux":
        try:
            state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state in "ZX" else numbers[18]  # clock ticks since the boot, whatever the clock says
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _launch(program: ServerProgram, folder: Path, address: str, lock: int) -> None:
    """Start a server, wait until it has gone to the background, in a session of its own, and leave it the lock."""
    options = {
        "port": "0",
        "unixsocket": address,
        "unixsocketperm": "700",
        "daemonize": "yes",
        "pidfile": "server.pid",
        "logfile": "server.log",
        "dir": ".",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    }
    subprocess.run(
        [*_DEAF, program.path, *(part for name, value in options.items() for part in (f"--{name}", value))],
        cwd=folder,  # relative names: the folder may be moved, and its path hold anything
        env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(lock,),
        start_new_session=True,
        timeout=START_S,
        encoding="utf-8",
        errors="replace",
        check=True,
    )


def _shut_down(record: ServerRecord) -> bool:
    """Send SHUTDOWN, if the recorded process answers at its address."""
    if _process_at(record.socket) != record.pid:
        return False
    with client_of(record.socket) as client:
        try:
            client.shutdown()
        except redis.RedisError:
            return False
    return True


def _process_at(address: str) -> int | None:
    """The process id of the server that answers at a socket, as it knows it; None if none answers."""
    with client_of(address) as client:
        try:
            info: dict[str, Any] = client.info("server")
        except redis.RedisError:
            return None
    return info.get("process_id")


def client_of(address: str) -> redis.Redis:
    """A client that gives up soon, and tries nothing twice."""
    return redis.Redis(unix_socket_path=address, socket_timeout=2.0, retry=Retry(NoBackoff(), 0), protocol=2)
