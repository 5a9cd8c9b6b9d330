"""A workspace's own server, for work on one machine: its first user starts it, its last user stops it.

Owns: who uses the server. Every user holds a shared lock on `users.lock`. A user that can lock it exclusively is the
last one, and stops the server. Whoever comes or goes holds `mutex.lock` meanwhile, so that nobody gets a server that
another user is about to stop. The server's process is in process.py.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from xpm_core.defaults import MACHINE_FOLDER
from xpm_core.errors import EmbeddedServerError, RedisUnavailableError, XpmError
from xpm_core.server import connection, fitness
from xpm_core.server.binary import find_server
from xpm_core.server.embedded.locks import FileLock
from xpm_core.server.embedded.process import END_S, START_S, ServerFolder
from xpm_core.server.embedded.record import ServerRecord, can_connect
from xpm_core.server.embedded.strays import end_strays
from xpm_core.server.notice import Notice
from xpm_core.workspace.files import explained
from xpm_core.workspace.workspace import Workspace

MUTEX_S = START_S + END_S + 10.0
"""How long to wait for another user that comes or goes, in seconds: it may end a server and start another."""

RUNTIME_FOLDER = MACHINE_FOLDER
"""Folder of the sockets: its path is short, it is on a local disk, and only this user may enter it."""

_TRIES = 3

log = logging.getLogger(__name__)


class EmbeddedServer:
    """One use of a workspace's server. The server runs until its last user has called `close`.

    A child of this process does not inherit the use, however it was started: it has to attach itself.

    Example:
        >>> with EmbeddedServer.attach(workspace) as server:
        ...     client = connection.open(server.url)
    """

    def __init__(self, workspace: Workspace) -> None:
        """Open the locks. Call `attach` instead, which does the rest."""
        self._folder = data_folder(workspace)
        self._mutex = FileLock(self._folder.path / "mutex.lock")
        self._users = FileLock(self._folder.path / "users.lock")
        self._workspace = workspace
        self._owner = os.getpid()
        self._record: ServerRecord | None = None

    @classmethod
    def attach(cls, workspace: Workspace) -> EmbeddedServer:
        """Use the server of a workspace: start it if it does not run, and wait until it has read its data.

        Raises:
            ServerNotFoundError: It does not run, and this machine has no server program.
            EmbeddedServerError: It runs on another machine, belongs to another user, or does not start.
            WorkspaceError: Its folder cannot be used.
        """
        server = cls(workspace)
        atexit.register(server.close)
        try:
            server._settle()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def url(self) -> str:
        """Its URL. It stays the same while the server has users."""
        return f"unix://{self.record.socket}"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.record.pid

    @property
    def log_file(self) -> Path:
        """Its log."""
        return self._folder.log_file

    @property
    def record(self) -> ServerRecord:
        """Its process."""
        assert self._record is not None, "made by attach"
        return self._record

    def revive(self) -> bool:
        """If the server died, or its socket is gone, start it again: at the same address, with its data.

        Returns:
            Whether another process serves now.

        Raises:
            EmbeddedServerError: It cannot be started, or its folder was removed.
        """
        before = self._record
        self._settle()
        return before != self._record

    def close(self) -> None:
        """Stop using the server; the last user ends it. A second call does nothing, and nor does a forked child's."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner or self._users.closed:
            return
        try:
            with self._alone():
                if self._users.try_lock(exclusive=True):
                    self._stop()
                self._users.close()
        except XpmError as error:
            log.warning("%s", error)
        finally:
            for file in (self._users, self._mutex, self._folder):
                file.close()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EmbeddedServer({str(self._workspace.path)!r})"

    @property
    def _where(self) -> str:
        return f"Embedded Redis of {self._workspace.path}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other user come or go meanwhile."""
        self._take(self._mutex, exclusive=True)
        try:
            yield
        finally:
            self._mutex.unlock()

    def _take(self, lock: FileLock, *, exclusive: bool) -> None:
        if not lock.wait(time.monotonic() + MUTEX_S, exclusive=exclusive):
            problem = f"another process has kept {lock.path} locked for {MUTEX_S:.0f} s"
            raise EmbeddedServerError(self._where, problem, f"See which one: fuser {lock.path}. Or set XPM_REDIS_URL.")

    def _settle(self) -> None:
        """Become a user, and make sure that the server answers and has read its data."""
        for _ in range(_TRIES):
            with self._alone():
                self._take(self._users, exclusive=False)
                self._record = record = self._ensure()
            with connection.open(self.url) as client:
                try:
                    fitness.check(client, self.url, pause_s=0.2)
                except RedisUnavailableError as error:
                    problem = error.problem
                else:
                    return
            if record.alive:
                remedy = f"See {self.log_file}, or end it: kill {record.pid}."
                raise EmbeddedServerError(f"{self._where}, process {record.pid}", problem, remedy)
            # it was killed this very moment: try again
        raise self._folder.failure(f"it ended {_TRIES} times as soon as it was started")

    def _ensure(self) -> ServerRecord:
        """The server that runs, or else one that is started now. The caller holds the mutex."""
        folder = self._folder
        with explained(folder.path, "cannot be used"):
            if not folder.current:
                raise EmbeddedServerError(self._where, "its folder was removed while it ran", "Run the script again.")
            record = ServerRecord.read(folder.path)
            if (notice := Notice.read(self._workspace.path)) is not None:
                raise self._shared_error(notice)
            if record is not None and record.elsewhere:
                raise self._elsewhere_error(record)
            if folder.lives(record):
                if record is not None and record.reachable:
                    return record
                log.warning("%s cannot be reached: it is started again", self._where)
                folder.end(record)
            program = find_server()
            make_runtime_folder()
            end_strays(RUNTIME_FOLDER)
            address = record.socket if record is not None else free_address(self._workspace.id)
            return folder.start(program, address)

    def _stop(self) -> None:
        """End the server, which has no more users. The caller holds the mutex.

        A server for several machines goes on: this user did not get it.
        """
        folder = self._folder
        if Notice.read(self._workspace.path) is not None:
            return
        with explained(folder.path, "the embedded server cannot be stopped"):
            record = ServerRecord.read(folder.path) if folder.current else self._record
            if (record is None or not record.elsewhere) and folder.lives(record):
                folder.end(record)

    def _shared_error(self, notice: Notice) -> EmbeddedServerError:
        problem = f"a server for several machines has its data, on host {notice.host}, and no settings name its address"
        return EmbeddedServerError(self._where, problem, notice.remedy(self._workspace.path))

    def _elsewhere_error(self, record: ServerRecord) -> EmbeddedServerError:
        problem = f"it runs on host {record.host} (process {record.pid}), and serves only that machine"
        remedy = (
            f"If {record.host} is gone, delete {self._folder.path / 'server.json'}. Else end what uses it there. "
            "Then start one that all machines reach: xpm server start"
        )
        return EmbeddedServerError(self._where, problem, remedy)


def data_folder(workspace: Workspace) -> ServerFolder:
    """The folder of the server's data, for this user alone. It is made if it does not exist."""
    path = workspace.path / ".xpm" / "redis"
    with explained(path, "cannot be used for the embedded server"):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        owner = path.stat().st_uid
        if owner != os.geteuid():
            problem = f"it belongs to another user (uid {owner}), and so does the server"
            raise EmbeddedServerError(str(path), problem, "Set XPM_REDIS_URL, for both, to a server that both reach.")
        return ServerFolder(path)


def make_runtime_folder() -> None:
    """Make the folder for sockets, and make sure that no other user can write there."""
    with explained(RUNTIME_FOLDER, "cannot hold the embedded server's socket"):
        with contextlib.suppress(FileExistsError):
            os.mkdir(RUNTIME_FOLDER, 0o700)
        status = os.lstat(RUNTIME_FOLDER)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        problem = f"expected a folder of uid {os.geteuid()} with mode 700, to hold the embedded server's socket"
        raise EmbeddedServerError(RUNTIME_FOLDER, problem, "Remove that file or folder, or set XPM_REDIS_URL.")


def free_address(workspace_id: str) -> str:
    """A path for a socket on which no server listens."""
    count = 1
    address = f"{RUNTIME_FOLDER}/{workspace_id}.sock"
    while can_connect(address):  # a copy of the workspace has the same id, and its server may run
        count += 1
        address = f"{RUNTIME_FOLDER}/{workspace_id}-{count}.sock"
    return address
