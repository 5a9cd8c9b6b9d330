"""The folder of this machine in which trees lie, and locks on folders.

Owns: where it is, that nobody else can write there, and what is said when nothing can be written there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from xpm_core.defaults import MACHINE_FOLDER
from xpm_core.errors import SnapshotFolderError

VARIABLE = "XPM_SNAPSHOT_FOLDER"

PAUSE_S = 0.02
"""How long to wait before a lock is tried again."""

Tick = Callable[[], None]
"""Called again and again while something takes long. It may raise, which ends the work."""

_ELSEWHERE = f"or name a folder on another disk in {VARIABLE}."
_REMEDIES = {
    errno.ENOSPC: f"Free some space there, {_ELSEWHERE}",
    errno.EDQUOT: f"Free some space there, {_ELSEWHERE}",
    errno.EACCES: f"Make it writable for you, {_ELSEWHERE}",
    errno.EPERM: f"Make it writable for you, {_ELSEWHERE}",
    errno.EROFS: f"Mount it writable, {_ELSEWHERE}",
    errno.EBADF: f"A network file system cannot lock a folder: name one on a local disk in {VARIABLE}.",
}


def nothing() -> None:
    """Do nothing: the tick of a caller that has nothing else to do."""


def code_path(folder: Path | None = None) -> str:
    """The path of the folder that holds the trees of this machine, whether it exists or not."""
    given = str(folder or os.environ.get(VARIABLE) or "")
    return f"{os.path.realpath(given) if given else MACHINE_FOLDER}/code"


def code_folder(folder: Path | None = None) -> str:
    """The folder that holds the trees of this machine. It is made if it does not exist.

    Args:
        folder: The folder of this machine; None for the one that the environment names, or `/tmp/xpm-<uid>`.

    Raises:
        SnapshotFolderError: It cannot be made, or another user can write there.
    """
    code = code_path(folder)
    for path in (os.path.dirname(code), code):
        with explained(path, "code for jobs cannot be kept there"):
            try:
                found = os.lstat(path)
            except FileNotFoundError:
                with contextlib.suppress(FileExistsError):
                    os.makedirs(path, 0o700)
                found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            problem = f"expected a folder of uid {os.geteuid()} into which nobody else can write, to keep code for jobs"
            raise SnapshotFolderError(path, problem, f"Remove that file or folder, {_ELSEWHERE}")
    return code


@contextlib.contextmanager
def explained(path: str, attempt: str) -> Iterator[None]:
    """Turn an OSError of the block into a SnapshotFolderError.

    Args:
        path: The folder that the block writes to.
        attempt: What could not be done.

    Example:
        >>> with explained(folder, "code for jobs cannot be kept there"):
        ...     os.mkdir(folder)
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        remedy = _REMEDIES.get(error.errno or 0, f"Check that disk, {_ELSEWHERE}")
        raise SnapshotFolderError(path, f"{attempt}: {reason}", remedy) from error


# -- locks: on the folders themselves, because a file for a lock could be removed while somebody holds it --------------


def hold(path: str, tick: Tick = nothing, *, exclusive: bool = False) -> int | None:
    """Lock a folder, and wait for it. It is unlocked when the descriptor is closed, or the process ends.

    Args:
        path: The folder.
        tick: Called while another process holds it.
        exclusive: Whether nobody else may hold it, too.

    Returns:
        A descriptor; None if there is no such folder.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            if _locked(descriptor, exclusive) and is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        tick()
        time.sleep(PAUSE_S)


def hold_at_once(path: str) -> int | None:
    """Lock a folder exclusively; None if somebody holds it, or if there is no such folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            if _locked(descriptor, True) and is_at(path, descriptor):
                return descriptor
        os.close(descriptor)
    return None


def is_at(path: str, descriptor: int) -> bool:
    """Whether an open folder is still the one at a path, and not renamed or removed."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _locked(descriptor: int, exclusive: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
