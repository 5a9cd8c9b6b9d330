"""Descriptors of files and directories, as far as Python does not take care of them."""

from __future__ import annotations

import ctypes
import os

from xpm_worker.system.kernel import LINUX, libc


def hold_directory(path: str | os.PathLike[str]) -> int:
    """Open a directory and return the descriptor, which stays valid when the directory is moved.

    The directory need not be readable.
    """
    return os.open(path, (os.O_PATH if LINUX else os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)


def is_removed(directory: int) -> bool:
    """Return whether a directory that is held open was removed.

    An error, as after an unmount or from a network file system, does not prove that: then the answer is false.
    """
    try:
        return os.fstat(directory).st_nlink == 0
    except OSError:
        return False


def fill_streams() -> None:
    """Open the descriptors 0, 1 and 2 on /dev/null where they are closed, so that no other file gets their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def flush_c_files() -> None:
    """Write what is in the buffers of the C library's files, which extension modules use.

    Raises:
        OSError: One of them cannot be written.
    """
    if libc.fflush(None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
