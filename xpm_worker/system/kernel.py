"""What Linux offers for processes beyond Python: dying with the parent, adopting orphans, names of processes."""

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

libc = ctypes.CDLL(None, use_errno=True)
"""The C library."""
libc.signal.argtypes, libc.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process (SIGKILL) when the thread that forked it ends.

    Args:
        parent: Process id of the parent, noted before the fork. If the parent is gone already, this process ends now.
    """
    if LINUX:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Make this process the parent of all its descendants that lose theirs, so that none escapes.

    Linux calls such a process a child subreaper (prctl(2)).
    """
    if LINUX:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_name(name: str) -> None:
    """Name this process as `ps` and `top` show it.

    Args:
        name: At most 15 characters.
    """
    if LINUX:
        libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)


def name_of(pid: int) -> str:
    """Return the name of a process as `ps` shows it; empty if the process is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""
