"""The process of an embedded server: starting it in its data folder, and ending it.

    <workspace>/.xpm/redis/server.json   which process serves this folder (record.py)
                           server.lock   locked by that process for as long as it lives
                           server.pid    written by the server itself, a moment after it begins to listen
                           server.log    its log
                           appendonlydir/   its data

The lock shows whether a server lives: it is locked before the server starts, and handed over to it. Whether the server
answers is asked at its socket: `server.pid` may not be there yet.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import redis

from xpm_core.errors import EmbeddedServerError
from xpm_core.server.binary import ServerProgram
from xpm_core.server.embedded.locks import FileLock
from xpm_core.server.embedded.record import ServerRecord, client_of, process_at

START_S = 30.0
"""How long a server may take until it answers, in seconds. Reading its data may take longer."""

END_S = 60.0
"""How long a server may take to write its data and end, in seconds."""

_POLL_S = 0.005
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LOG_LINES = 5
_IGNORE_SIGNALS = ("/bin/sh", "-c", 'trap "" USR1 USR2; exec "$0" "$@"')
"""Starts a program that ignores these signals. Slurm sends them to all processes of a step, and a server would die of
them."""


class ServerFolder:
    """The data folder of a workspace's server. Hold its mutex for all calls but `close`.

    Args:
        path: The folder.
        password: The password of its server; empty without one.
    """

    def __init__(self, path: Path, password: str = "") -> None:
        self.path = path
        self.password = password
        self.inode = path.stat().st_ino
        self._lock = FileLock(path / "server.lock")
        self._log_begins = 0

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.path / "server.log"

    @property
    def current(self) -> bool:
        """Whether this folder is still at its path, and was neither removed nor replaced."""
        try:
            return self.path.stat().st_ino == self.inode
        except OSError:
            return False

    def lives(self, record: ServerRecord | None) -> bool:
        """Whether a server works in this folder, with a record or without one."""
        if not self._lock.try_lock(exclusive=True):
            return True
        self._lock.unlock()
        return record is not None and record.alive

    def start(self, program: ServerProgram, address: str, network: Sequence[str] = ("--port", "0")) -> ServerRecord:
        """Start a server, and write its record once it answers. No server may live in the folder.

        Args:
            program: The program.
            address: Path of the socket on which it is to listen.
            network: Options that say where else it is to listen. Everybody can read them (ps).

        Raises:
            EmbeddedServerError: It does not start; the error holds the end of its log.
        """
        for stale in (self.path / "server.pid", Path(address)):
            stale.unlink(missing_ok=True)
        self._log_begins = self.log_file.stat().st_size if self.log_file.exists() else 0
        lock = FileLock(self.path / "server.lock")
        try:
            lock.try_lock(exclusive=True)
            self._launch(program, address, network, lock.descriptor)
        except subprocess.CalledProcessError as error:
            raise self.failure(f"{program} does not start", error.output) from error
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"{program} does not go to the background") from error
        finally:
            lock.hand_over()
        record = ServerRecord.of(self.path, self._wait_for_answer(program, address), address)
        record.write(self.path)
        return record

    def _launch(self, program: ServerProgram, address: str, network: Sequence[str], lock: int) -> None:
        """Start a server in a session of its own, leave it the lock, and wait until it has gone to the background.

        It reads its password from standard input (`-`), because everybody can read arguments.
        """
        options = [part for name, value in _options(address).items() for part in (f"--{name}", value)]
        by_input = ["-"] if self.password else []
        subprocess.run(
            [*_IGNORE_SIGNALS, program.path, *options, *network, *by_input],
            cwd=self.path,  # and relative names, because the folder may be moved, and its path may hold any character
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            input=f"requirepass {self.password}\n" if self.password else "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            start_new_session=True,
            timeout=START_S,
            encoding="utf-8",
            errors="replace",
            check=True,
        )

    def _wait_for_answer(self, program: ServerProgram, address: str) -> int:
        """Wait until the server that was just started answers; return its process id."""
        deadline = time.monotonic() + START_S
        while (pid := process_at(address, self.password)) is None:
            if not self.lives(None):
                raise self.failure(f"{program} does not start")
            if time.monotonic() > deadline:
                raise self._silent_error(program, address)
            time.sleep(_POLL_S)
        return pid

    def end(self, record: ServerRecord | None) -> None:
        """End the server in good order, so that it keeps its data, and wait until it is gone.

        Raises:
            EmbeddedServerError: It does not end, or cannot be reached.
        """
        if self.current:
            (self.path / "server.json").unlink(missing_ok=True)
        asked = record is not None and _shut_down(record, self.password)
        deadline = time.monotonic() + END_S
        pid = None
        while self.lives(record):
            if not asked:
                pid = record.pid if record is not None and record.alive else self._own_pid()
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGTERM)
                    asked = True
            if time.monotonic() > deadline:
                raise self._end_error(record, pid)
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Close the files that were opened here."""
        self._lock.close()

    def failure(self, problem: str, output: str | None = None) -> EmbeddedServerError:
        """An error with the last lines of a server: of its output, or else of its log.

        Args:
            problem: What is wrong.
            output: What the server has printed; None to read its log.
        """
        text = self._logged() if output is None else output
        last = " | ".join(line.strip() for line in text.strip().splitlines()[-_LOG_LINES:])
        last = last or f"it says nothing; {shutil.disk_usage(self.path).free} bytes are free there"
        remedy = (
            f"See {self.log_file}; set XPM_REDIS_URL to use another server, or move {self.path} away: "
            f"the job directories still say which jobs are done."
        )
        return EmbeddedServerError(f"Embedded Redis in {self.path}", f"{problem}: {last}", remedy)

    def _own_pid(self) -> int | None:
        """The process named in `server.pid`, if it works in this folder."""
        try:
            pid = int((self.path / "server.pid").read_text())
            works_in = os.stat(psutil.Process(pid).cwd())
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if works_in.st_ino == self.inode else None

    def _logged(self) -> str:
        """The log of the server that was started here, without the lines of earlier servers."""
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


def _options(address: str) -> dict[str, str]:
    """The options of every server of a workspace."""
    return {
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


def _shut_down(record: ServerRecord, password: str) -> bool:
    """Send SHUTDOWN, if the recorded process answers at its address; return whether it has accepted."""
    if process_at(record.socket, password) != record.pid:
        return False
    with client_of(record.socket, password) as client:
        try:
            client.shutdown()
        except redis.RedisError:
            return False
    return True
