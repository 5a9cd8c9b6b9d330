"""Locks on files that hold between processes (flock), and end with the process that took them.

A child that was merely forked shares the open files of its parent, and so the parent's locks. It closes them here at
once, so that only the process that took a lock holds it.
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
    """A file to lock. It is made if it does not exist.

    Args:
        path: The file.

    Raises:
        WorkspaceError: The file cannot be opened.

    Example:
        >>> lock = FileLock(folder / "users.lock")
        >>> lock.try_lock(exclusive=False)
        True
        >>> lock.close()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with explained(path, "cannot be opened"):
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _open[self.descriptor] = self

    @property
    def closed(self) -> bool:
        """Whether the file was closed, or belongs to the parent from which this process was forked."""
        return _open.get(self.descriptor) is not self

    def try_lock(self, *, exclusive: bool) -> bool:
        """Take the lock, alone or shared with others. A lock that this object held before is given up, even on failure.

        Args:
            exclusive: Whether nobody else may hold it.

        Returns:
            Whether the lock was taken; False if another process holds one that forbids it.

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
        """Wait for the lock, and take it.

        Args:
            deadline: How long to wait, by `time.monotonic()`.
            exclusive: See `try_lock`.

        Returns:
            Whether the lock was taken.
        """
        while not self.try_lock(exclusive=exclusive):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def unlock(self) -> None:
        """Give up the lock, also for processes to which it was handed over. The file stays open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def hand_over(self) -> None:
        """Close the file here, and leave the lock to the process that was started with the open file."""
        if not self.closed:
            del _open[self.descriptor]
            os.close(self.descriptor)

    def close(self) -> None:
        """Give up the lock and close the file. A second call does nothing."""
        if not self.closed:
            self.unlock()
            self.hand_over()


def holders(path: Path) -> list[int]:
    """The processes of this machine that hold a lock on a file. Only Linux says it; elsewhere, none are known."""
    try:
        inode = path.stat().st_ino
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" not in line]
    except OSError:
        return []
    found = {int(line[4]) for line in lines if line[5].rpartition(":")[2] == str(inode)}
    return sorted(pid for pid in found if pid > 0)


def _leave_to_parent() -> None:
    """In a child that was just forked: close the parent's locks, which leaves them to the parent."""
    for lock in list(_open.values()):
        lock.hand_over()


os.register_at_fork(after_in_child=_leave_to_parent)
