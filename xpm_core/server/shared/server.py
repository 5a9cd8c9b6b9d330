"""Starting and stopping the server of a workspace for several machines.

Owns: the order of the steps. Whoever starts or stops it holds the locks of the embedded server meanwhile, so that no
embedded server comes between, and nobody uses one. The data stay where they are: a server takes over what another left.
"""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from xpm_core.errors import EmbeddedServerError, RedisUnavailableError, RedisUrlError, SharedServerError
from xpm_core.project.settings import programs_file
from xpm_core.server import connection, fitness
from xpm_core.server.binary import find_server
from xpm_core.server.embedded.locks import FileLock, holders
from xpm_core.server.embedded.record import ServerRecord
from xpm_core.server.embedded.server import MUTEX_S, RUNTIME_FOLDER, data_folder, free_address, make_runtime_folder
from xpm_core.server.embedded.strays import end_strays
from xpm_core.server.notice import Listening, Notice, notice_file
from xpm_core.server.shared import settings_line
from xpm_core.server.shared.listening import CA_FILE, chosen, options_of, url_of
from xpm_core.server.url import safe_url, with_files_in
from xpm_core.workspace.files import explained, write_atomic
from xpm_core.workspace.workspace import Workspace

PASSWORD_BYTES = 32
USERS_LEAVE_S = 3.0
"""How long to wait for users of the embedded server: commands such as `xpm status` use it for a moment."""

_POLL_S = 0.05
_TAKEN = "Address already in use"
_TRIES = 3


@dataclass(frozen=True)
class Started:
    """A server that runs.

    Attributes:
        url: Its address, which holds a password.
        notice: Where and how it runs.
        new: Whether it was started now, and did not run before.
    """

    url: str
    notice: Notice
    new: bool


class SharedServer:
    """The server of a workspace for several machines, on the machine where it runs or shall run.

    Args:
        workspace: The workspace.

    Example:
        with SharedServer(workspace) as server:
            print(safe_url(server.start(Listening(), group=False).url))
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace.path
        self._id = workspace.id
        self._folder = data_folder(workspace)
        self._mutex = FileLock(self._folder.path / "mutex.lock")
        self._users = FileLock(self._folder.path / "users.lock")

    def start(self, wish: Listening, *, group: bool) -> Started:
        """Start it, unless it runs. It reads the data that the embedded server has left.

        Args:
            wish: How it is to listen. What is not named is as before, or chosen.
            group: Whether the group of the workspace may read its address, and so its password.

        Raises:
            SharedServerError: It runs on another machine, the workspace is in use, or it cannot listen so.
            ServerNotFoundError: This machine has no server program that can do it.
            EmbeddedServerError: The program does not start.
            WorkspaceError, SettingsError: The files of the workspace cannot be used.
        """
        with self._alone():
            notice, url = self.known()
            self._refuse_other(url)
            record = ServerRecord.read(self._folder.path)
            if notice is not None and url and record is not None and self._folder.lives(record):
                self._folder.password = password_in(url)
                if self._answers(url):
                    settings_line.write_url(self._workspace, settings_line.read_url(self._workspace), group=group)
                    return Started(url, notice, new=False)
                self._folder.end(record)
            self._leave_by_embedded(record)
            self._folder.password = password_in(url) or secrets.token_hex(PASSWORD_BYTES)
            return self._launch(wish, None if notice is None else notice.listening, group)

    def known(self) -> tuple[Notice | None, str]:
        """The notice of the server that was started, and its address.

        Returns:
            None without a server; no address if the settings name none, or another server.

        Raises:
            SharedServerError: It was started on another machine.
            SettingsError: The settings of the workspace cannot be used.
        """
        notice, written = Notice.read(self._workspace), settings_line.read_url(self._workspace)
        its_own = notice is not None and bool(written) and notice.is_at(written)
        if notice is not None and notice.elsewhere:
            left = [notice_file(self._workspace), programs_file(self._workspace), self._folder.path / "server.json"]
            files = [file for file in left if file.exists() and (its_own or file != left[1])]
            problem = f"it was started on host {notice.host}, and can be started and stopped only there"
            remedy = f"Do it there. If {notice.host} is gone for good, first: rm {shlex.join(map(str, files))}"
            raise SharedServerError(self._where, problem, remedy)
        return notice, with_files_in(written, programs_file(self._workspace).parent) if its_own else ""

    def stop(self) -> bool:
        """Stop it. From now on, the workspace has its embedded server again, with the same data.

        Returns:
            Whether it ran. False if it had died, or was never started.

        Raises:
            SharedServerError: It runs on another machine.
            EmbeddedServerError: It does not end.
            WorkspaceError, SettingsError: The files of the workspace cannot be used.
        """
        with self._alone():
            notice, url = self.known()
            if notice is None:
                return False
            if url:
                settings_line.remove_url(self._workspace)
            record = ServerRecord.read(self._folder.path)
            ran = self._folder.lives(record)
            if ran:
                self._folder.password = password_in(url)
                self._folder.end(record)
            self._forget()
            return ran

    def close(self) -> None:
        """Close the files that were opened here."""
        for file in (self._users, self._mutex, self._folder):
            file.close()

    def __enter__(self) -> SharedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _where(self) -> str:
        return f"Server of {self._workspace}"

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody start or stop a server of the workspace meanwhile."""
        if not self._mutex.wait(time.monotonic() + MUTEX_S, exclusive=True):
            problem = f"another process has kept {self._mutex.path} locked for {MUTEX_S:.0f} s"
            raise SharedServerError(self._where, problem, f"See which one: fuser {self._mutex.path}")
        try:
            yield
        finally:
            self._mutex.unlock()

    def _refuse_other(self, url: str) -> None:
        """Refuse to replace a server that somebody has named, if the settings do not name the workspace's own."""
        if not url and (named := settings_line.read_url(self._workspace)):
            problem = f"{programs_file(self._workspace)} names another server, {safe_url(named)}"
            raise SharedServerError(self._where, problem, "Take that line out of the file, if you want one of its own.")

    def _answers(self, url: str) -> bool:
        with connection.open(url) as client:
            try:
                fitness.check(client, url, pause_s=0.2)
            except RedisUnavailableError:
                return False
        return True

    def _leave_by_embedded(self, record: ServerRecord | None) -> None:
        """End an embedded server that nobody uses; an error if somebody does. The caller holds the mutex."""
        if record is not None and record.elsewhere:
            file = shlex.quote(str(self._folder.path / "server.json"))
            problem = f"its embedded server runs on host {record.host}, where scripts or workers use it"
            remedy = f"End them there, or wait for them. If {record.host} is gone, first: rm {file}"
            raise SharedServerError(self._where, problem, remedy)
        deadline = time.monotonic() + USERS_LEAVE_S
        while not self._users.try_lock(exclusive=True):
            if time.monotonic() > deadline:
                raise self._in_use_error()
            self._mutex.unlock()  # whoever leaves needs it
            time.sleep(_POLL_S)
            self._mutex.wait(deadline + MUTEX_S, exclusive=True)
        self._users.unlock()
        if self._folder.lives(record):
            self._folder.end(record)

    def _in_use_error(self) -> SharedServerError:
        found = holders(self._users.path)
        named = f" (processes {', '.join(map(str, found))})" if found else ""
        problem = f"scripts or workers of this machine use its embedded server{named}"
        remedy = "End them, or wait until they have ended. Their jobs stay. Then again: xpm server start"
        return SharedServerError(self._where, problem, remedy)

    def _launch(self, wish: Listening, former: Listening | None, group: bool) -> Started:
        """Start the program. If it cannot be used afterwards, it is ended again. The caller holds the mutex."""
        program = find_server(tls=bool(wish.tls_cert or (former and former.tls_cert)))
        make_runtime_folder()
        end_strays(RUNTIME_FOLDER)
        before = Notice.read(self._workspace)
        for attempt in range(_TRIES):
            listening = chosen(wish, former)
            notice = Notice.of(listening)
            notice.write(self._workspace)  # first, so that no embedded server is started even if this process is killed
            try:
                self._folder.start(program, free_address(self._id), options_of(listening))
                return Started(self._publish(listening, group), notice, new=True)
            except BaseException as error:
                if self._folder.lives(None):
                    self._folder.end(None)
                self._take_back(before)
                taken = isinstance(error, EmbeddedServerError) and _TAKEN in error.problem
                if not taken or wish.port or attempt == _TRIES - 1:  # else somebody took the port that was free
                    raise
        raise AssertionError("the last try returns or raises")

    def _publish(self, listening: Listening, group: bool) -> str:
        """Write down where the server is, once it was reached there; return its address."""
        ca = CA_FILE if listening.tls_ca else ""
        written = url_of(listening, self._folder.password, ca)
        url = with_files_in(written, self._ca_file.parent)
        try:
            if ca:
                with explained(listening.tls_ca, "cannot be read"):
                    certificate = Path(listening.tls_ca).read_bytes()
                write_atomic(self._ca_file, certificate, durable=True, mode=0o644, group=-1)  # also with a strict umask
            with connection.open(url) as client:
                fitness.check(client, url, pause_s=0.2)
        except (RedisUnavailableError, RedisUrlError) as error:
            problem = f"it was started, but cannot be reached as {listening}: {error.problem}"
            remedy = "Name an address of this machine that all machines know: xpm server start --advertise HOST"
            raise SharedServerError(self._where, problem, remedy) from error
        settings_line.write_url(self._workspace, written, group=group)
        return url

    def _take_back(self, before: Notice | None) -> None:
        """After a start that failed: leave the notice that was there before."""
        if before is None:
            self._forget()
        else:
            before.write(self._workspace)

    @property
    def _ca_file(self) -> Path:
        return programs_file(self._workspace).parent / CA_FILE

    def _forget(self) -> None:
        for file in (self._ca_file, notice_file(self._workspace)):
            with explained(file, "cannot be removed"):
                file.unlink(missing_ok=True)


def password_in(url: str) -> str:
    """The password that an address of such a server holds; empty without an address."""
    return urlsplit(url).password or ""
