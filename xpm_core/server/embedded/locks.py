"""Locks on files that hold between processes (flock), and that die with the process that took them.

A child that was merely forked shares its parent's open files, and so its locks: here it lets go of
them at once, so that a lock is held by the process that took it, and by nobody else.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from xpm_core.errors import EmbeddedServerError
from xpm_core.workspace.files import explained

_POLL_S = 0.005

_open: dict[int, FileLock] = {}


class FileLock:
    """A file to lock, made if it is not there.

    Example:
        >>> lock = FileLock(folder / "users.lock")
        >>> lock.try_lock(exclusive=False)
        True
        >>> lock.close()
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            WorkspaceError: It cannot be opened.
        """
        self.path = path
        with explained(path, "cannot be opened"):
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _open[self.descriptor] = self

    @property
    def closed(self) -> bool:
        """Whether the file was closed, or belongs to the process that this one was forked from."""
        return _open.get(self.descriptor) is not self

    def try_lock(self, *, exclusive: bool) -> bool:
        """Take the lock, alone or together with others; False if somebody's lock forbids it.

        A lock that was held before is lost then.

        Raises:
            EmbeddedServerError: The file system has no such locks.
        """
        if self.closed:
            raise ValueError(f"{self.path} was closed")
        operation = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(self.descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            problem = f"its file system has no locks that hold between processes ({error.strerror})"
            raise EmbeddedServerError(str(self.path), problem, "Set XPM_REDIS_URL to a server.") from error
        return True

    def wait(self, deadline: float, *, exclusive: bool) -> bool:
        """Take the lock, waiting for it until `deadline` by `time.monotonic()`; False if that passed."""
        while not self.try_lock(exclusive=exclusive):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def unlock(self) -> None:
        """Give up the lock, also for those to whom it was handed; the file stays open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def hand_over(self) -> None:
        """Close the file here, and leave the lock to the process that was started with it."""
        if not self.closed:
            del _open[self.descriptor]
            os.close(self.descriptor)

    def close(self) -> None:
        """Give up the lock and close the file; calling it again does nothing."""
        if not self.closed:
            self.unlock()
            self.hand_over()


def _let_go() -> None:
    """Close the parent's locks in a child that was just forked: this leaves them to the parent."""
    for lock in list(_open.values()):
        lock.hand_over()


os.register_at_fork(after_in_child=_let_go)
