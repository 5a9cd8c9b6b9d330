"""What Linux offers beyond Python: dying with the parent, adopting orphans, names of processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

STARTER_NAME = "xpm-starter"
STANDBY_NAME = "xpm-standby"
JOB_NAME = "xpm-job"

LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36
_libc = ctypes.CDLL(None, use_errno=True)
_libc.signal.argtypes, _libc.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p


def die_with_parent(parent: int) -> None:
    """Let SIGKILL end this process when the thread that forked it ends.

    Args:
        parent: Its process id, as it was before the fork: if it is gone by now, this process ends at once.
    """
    if LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of all descendants that lose theirs, so that none escapes."""
    if LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def flush_c_files() -> None:
    """Write what the files of the C library still hold, as extension modules use them.

    Raises:
        OSError: One of them cannot be written.
    """
    if _libc.fflush(None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def set_name(name: str) -> None:
    """Name this process, in at most 15 characters, as `ps` and `top` show it."""
    if LINUX:
        _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def hold_directory(path: str | os.PathLike[str]) -> int:
    """A descriptor of a directory, by which it is known whatever becomes of its path; it need not be readable."""
    return os.open(path, (os.O_PATH if LINUX else os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)


def is_removed(directory: int) -> bool:
    """Whether a directory that is held open was removed. An error (an unmount, a network file system) is no proof."""
    try:
        return os.fstat(directory).st_nlink == 0
    except OSError:
        return False


def fill_streams() -> None:
    """Open the descriptors 0, 1 and 2 where they are closed: no other file is to get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""
