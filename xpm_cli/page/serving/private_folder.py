"""A folder of this machine that only its user can enter: it holds the sockets of pages, and addresses with tokens."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator

from xpm_core.defaults import MACHINE_FOLDER
from xpm_core.errors import PageError

LONGEST = 60
"""How long its path may be: that of a socket is bounded to 107 bytes by the system."""


def private_folder() -> str:
    """The folder, which is made if it does not exist.

    It lies in `/tmp/xpm-<uid>`. XDG_RUNTIME_DIR comes second, because it is removed when its user logs out, and a page
    may live longer than that, in tmux.

    Raises:
        PageError: No such folder can be made.
    """
    problem = ""
    for parent in (
        MACHINE_FOLDER,
        os.environ.get("XDG_RUNTIME_DIR", ""),
        f"{tempfile.gettempdir()}/xpm-{os.geteuid()}",
    ):
        folder = f"{parent}/ui"
        if not parent.startswith("/") or len(os.fsencode(folder)) > LONGEST:
            continue
        wrong = _made(parent, writable=0o022) or _made(folder, writable=0o077)
        if not wrong:
            return folder
        problem = problem or wrong
    raise PageError(
        f"{MACHINE_FOLDER}/ui", problem, "Remove that file or folder, or serve the page on a port: --port 0."
    )


def _made(path: str, writable: int) -> str:
    """Make a folder, or take it if it is ours. Returns what is wrong with it, or nothing.

    Args:
        path: The folder.
        writable: The rights that nobody else may have.
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    except OSError as error:
        return f"no folder for sockets can be made: {(error.strerror or str(error)).lower()}"
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & writable:
        return f"expected a folder of uid {os.geteuid()} that is closed to others, to keep sockets in"
    return ""


@contextlib.contextmanager
def held(folder: str) -> Iterator[None]:
    """Keep other processes of this user from putting something there, or taking it away, during the block."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
