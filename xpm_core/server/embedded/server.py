"""A workspace's own server, for work on one machine: started by its first user, stopped by its last.

Owns: who uses it. Every user holds a shared lock on `users.lock`; who gets it exclusively is the last,
and stops the server. `mutex.lock` is held while somebody comes or goes, so that nobody is given a server
that another is about to stop. What the server's process is, and how it is known again, is in server_process.py.
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

from xpm_core.errors import EmbeddedServerError, RedisUnavailableError, XpmError
from xpm_core.server import connection
from xpm_core.server.binary import find_server
from xpm_core.server.embedded.locks import FileLock
from xpm_core.server.embedded.process import END_S, START_S, ServerFolder, ServerRecord, can_connect
from xpm_core.server.embedded.strays import end_strays
from xpm_core.workspace.files import explained
from xpm_core.workspace.workspace import Workspace

MUTEX_S = START_S + END_S + 10.0
"""How long to wait for others that come or go: for one that ends a server and starts another."""

RUNTIME_FOLDER = f"/tmp/xpm-{os.geteuid()}"
"""Where sockets are: short, on a local disk, and for this user alone."""

_TRIES = 3

log = logging.getLogger(__name__)


class EmbeddedServer:
    """One use of a workspace's server; the server runs until its last user has closed.

    Children of this process are no users, however they were started: they attach on their own.

    Example:
        >>> with EmbeddedServer.attach(workspace) as server:
        ...     client = connection.open(server.url)
    """

    def __init__(self, workspace: Workspace) -> None:
        """Open the locks; `attach` does the rest."""
        self._folder = _data_folder(workspace)
        self._mutex = FileLock(self._folder.path / "mutex.lock")
        self._users = FileLock(self._folder.path / "users.lock")
        self._workspace = workspace
        self._owner = os.getpid()
        self._record: ServerRecord | None = None

    @classmethod
    def attach(cls, workspace: Workspace) -> EmbeddedServer:
        """Use the server of a workspace, starting it if it does not run, and wait until it has read its data.

        Raises:
            ServerNotFoundError: It does not run, and there is no server program.
            EmbeddedServerError: It runs on another machine, for another user, or does not start.
            WorkspaceError: Its folder cannot be written.
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
        """Its address, the same for as long as it has users."""
        return f"unix://{self.record.socket}"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.record.pid

    @property
    def log_file(self) -> Path:
        """File that it logs to."""
        return self._folder.log_file

    @property
    def record(self) -> ServerRecord:
        """Which process it is."""
        assert self._record is not None, "made by attach"
        return self._record

    def revive(self) -> bool:
        """Start the server again if it died or its socket is gone: at the same address, with its data.

        Returns:
            Whether another process serves now.

        Raises:
            EmbeddedServerError: It cannot be, or its folder was removed.
        """
        before = self._record
        self._settle()
        return before != self._record

    def close(self) -> None:
        """Stop using the server; the last user stops it. Calling it again does nothing, nor in a forked child."""
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
        """Keep others from coming and going."""
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
        """Be a user of a server that answers and has read its data."""
        for _ in range(_TRIES):
            with self._alone():
                self._take(self._users, exclusive=False)
                self._record = record = self._ensure()
            with connection.open(self.url) as client:
                try:
                    connection.check(client, self.url, pause_s=0.2)
                except RedisUnavailableError as error:
                    problem = error.problem
                else:
                    return
            if record.alive:
                remedy = f"See {self.log_file}, or end it: kill {record.pid}."
                raise EmbeddedServerError(f"{self._where}, process {record.pid}", problem, remedy)
            # it was killed this very moment
        raise self._folder.failure(f"it ended {_TRIES} times as soon as it was started")

    def _ensure(self) -> ServerRecord:
        """The server that runs, or one that is started now. Others are kept out meanwhile."""
        folder = self._folder
        with explained(folder.path, "cannot be used"):
            if not folder.current:
                raise EmbeddedServerError(self._where, "its folder was removed under it", "Run the script again.")
            record = ServerRecord.read(folder.path)
            if record is not None and record.elsewhere:
                raise self._elsewhere_error(record)
            if folder.lives(record):
                if record is not None and record.reachable:
                    return record
                log.warning("%s cannot be reached: it is started again", self._where)
                folder.end(record)
            program = find_server()
            _make_runtime_folder()
            end_strays(RUNTIME_FOLDER)
            address = record.socket if record is not None else _free_address(self._workspace.id)
            return folder.start(program, address)

    def _stop(self) -> None:
        """End the server, which has no more users. Others are kept out meanwhile."""
        folder = self._folder
        with explained(folder.path, "the embedded server cannot be stopped"):
            record = ServerRecord.read(folder.path) if folder.current else self._record
            if (record is None or not record.elsewhere) and folder.lives(record):
                folder.end(record)

    def _elsewhere_error(self, record: ServerRecord) -> EmbeddedServerError:
        problem = f"it runs on host {record.host} (process {record.pid}), and serves only that machine"
        remedy = (
            "Set XPM_REDIS_URL, there and here, to a server that both reach. "
            f"If {record.host} is gone, delete {self._folder.path / 'server.json'}."
        )
        return EmbeddedServerError(self._where, problem, remedy)


def _data_folder(workspace: Workspace) -> ServerFolder:
    """The folder of the server's data, made if it is not there; it is this user's alone."""
    path = workspace.path / ".xpm" / "redis"
    with explained(path, "cannot be used for the embedded server"):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        owner = path.stat().st_uid
        if owner != os.geteuid():
            problem = f"it belongs to another user (uid {owner}), and so does the server"
            raise EmbeddedServerError(str(path), problem, "Set XPM_REDIS_URL, for both, to a server that both reach.")
        return ServerFolder(path)


def _make_runtime_folder() -> None:
    """Make the folder for sockets, and see that nobody else can put anything there."""
    with explained(RUNTIME_FOLDER, "cannot hold the embedded server's socket"):
        with contextlib.suppress(FileExistsError):
            os.mkdir(RUNTIME_FOLDER, 0o700)
        status = os.lstat(RUNTIME_FOLDER)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        problem = f"expected a folder of uid {os.geteuid()} with mode 700, to hold the embedded server's socket"
        raise EmbeddedServerError(RUNTIME_FOLDER, problem, "Remove what stands there, or set XPM_REDIS_URL.")


def _free_address(workspace_id: str) -> str:
    """A path for a socket that nobody listens on."""
    count = 1
    address = f"{RUNTIME_FOLDER}/{workspace_id}.sock"
    while can_connect(address):  # by the server of a copied workspace
        count += 1
        address = f"{RUNTIME_FOLDER}/{workspace_id}-{count}.sock"
    return address
