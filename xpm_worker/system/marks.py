"""The mark in the environment of all that descends from a starter, and ending the processes that bear it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator

from xpm_worker.system.kernel import LINUX, STARTER_NAME, _name
from xpm_worker.system.processes import send_signal

MARK_VARIABLE = "XPM_STARTER"
"""Holds 32 hexadecimal digits in the environment of a starter and of all that descends from it."""

BLANK_MARK = "0" * 32
"""The mark of a starter that serves nobody yet. It is never swept."""


def set_mark(mark: str) -> bool:
    """Put another mark of the same length into the environment that this process was started with.

    There, `/proc/<pid>/environ` shows it for this process and for all that it forks; `os.environ` gives it to what they
    exec. Returns whether that worked.
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
    """All processes of ours that carry a mark, each with its mark."""
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
    """Kill every process that carries a mark, until none is left. Returns how many there were."""
    killed: set[int] = set()
    while mark and (found := [pid for pid, other in marked() if other == mark and pid != os.getpid()]):
        send_signal(found, signal.SIGKILL)
        killed.update(found)
        time.sleep(0.001)
    return len(killed)


def sweep_orphans() -> int:
    """Kill what was left behind by starters of this machine that are gone. Returns how many processes there were."""
    by_mark: dict[str, list[int]] = {}
    for pid, mark in marked():
        by_mark.setdefault(mark, []).append(pid)
    by_mark.pop(BLANK_MARK, None)
    orphaned = [mark for mark, pids in by_mark.items() if not any(_name(pid) == STARTER_NAME for pid in pids)]
    return sum(sweep(mark) for mark in orphaned)
