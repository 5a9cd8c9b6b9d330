"""The mark: an environment variable by which a starter's descendants are found and killed.

Each starter sets a mark of its own. All its descendants inherit it, and `/proc/<pid>/environ` shows it, even for a
process that has left its parent, its session and its process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator

from xpm_worker.system.kernel import LINUX, STARTER_NAME, name_of
from xpm_worker.system.processes import send_signal

MARK_VARIABLE = "XPM_STARTER"
"""Holds the mark, 32 hexadecimal digits, in the environment of a starter and of all its descendants."""

BLANK_MARK = "0" * 32
"""The mark of the fork server, from which starters are forked. Processes with this mark are never swept."""


def set_mark(mark: str) -> bool:
    """Replace the mark in the environment of this process.

    The mark is written into the memory that the environment had when the process was started, because only this memory
    is shown in `/proc/<pid>/environ`, for this process and for all that it forks. It is also written into `os.environ`,
    from which programs that are exec'd get it.

    Args:
        mark: As long as the mark that is there.

    Returns:
        Whether that worked.
    """
    if not LINUX:
        return False
    with open("/proc/self/stat", "rb") as file:
        start, end = (int(field) for field in file.read().rpartition(b")")[2].split()[47:49])
    if not start or end <= start:
        return False
    memory = ctypes.string_at(start, end - start)
    known = f"{MARK_VARIABLE}={os.environ.get(MARK_VARIABLE, '')}\0".encode()
    at = memory.find(known)
    if at < 0 or len(mark) != len(known) - len(MARK_VARIABLE) - 2:
        return False
    ctypes.memmove(start + at, f"{MARK_VARIABLE}={mark}".encode(), len(known) - 1)
    os.environ[MARK_VARIABLE] = mark
    return True


def marked() -> Iterator[tuple[int, str]]:
    """Yield the process id and the mark of each process that has a mark and belongs to this user."""
    if not LINUX:
        return
    wanted = f"{MARK_VARIABLE}=".encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                for entry in file.read().split(b"\0"):
                    if entry.startswith(wanted):
                        yield int(name), entry[len(wanted) :].decode("ascii", "replace")


def sweep(mark: str) -> int:
    """Kill every process that has a mark, again until none is left.

    Args:
        mark: The mark; nothing is done if it is empty.

    Returns:
        How many processes were killed.
    """
    killed: set[int] = set()
    while mark and (found := [pid for pid, other in marked() if other == mark and pid != os.getpid()]):
        send_signal(found, signal.SIGKILL)
        killed.update(found)
        time.sleep(0.001)
    return len(killed)


def sweep_orphans() -> int:
    """Kill the processes of this machine whose starter is gone. Returns how many were killed."""
    by_mark: dict[str, list[int]] = {}
    for pid, mark in marked():
        by_mark.setdefault(mark, []).append(pid)
    by_mark.pop(BLANK_MARK, None)
    orphaned = [mark for mark, pids in by_mark.items() if not any(name_of(pid) == STARTER_NAME for pid in pids)]
    return sum(sweep(mark) for mark in orphaned)
