"""Descendants of a process: finding them, and sending them signals.

On Linux, `/proc` lists processes; elsewhere (macOS), psutil does. Imports nothing heavy, because processes of jobs use
it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator

from xpm_worker.system.kernel import LINUX


def descendants(root: int, spare: Collection[int] = ()) -> list[int]:
    """Return the process ids of all descendants of a process, each before its own children.

    Args:
        root: The process, which is not in the list.
        spare: Processes to leave out, with all their descendants.
    """
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        if pid not in spare:
            children.setdefault(parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def parents() -> Iterator[tuple[int, int]]:
    """Yield each process of the machine with its parent."""
    if not LINUX:
        import psutil

        yield from ((process.pid, process.info["ppid"]) for process in psutil.process_iter(["ppid"]))
        return
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # pid (command, which may hold anything) state parent ...
                yield int(name), int(file.read().rpartition(b")")[2].split()[1])


def send_signal(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each process that still exists and belongs to this user."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def freeze_descendants(spare: Collection[int] = ()) -> None:
    """Stop all descendants of this process (SIGSTOP), also those that are forked meanwhile.

    Args:
        spare: Processes that go on, with all their descendants.
    """
    stopped: set[int] = set()
    while fresh := [pid for pid in descendants(os.getpid(), spare) if pid not in stopped]:
        send_signal(fresh, signal.SIGSTOP)
        stopped.update(fresh)


def thaw_descendants() -> None:
    """Let all descendants of this process go on (SIGCONT), each after its own children."""
    send_signal(descendants(os.getpid())[::-1], signal.SIGCONT)


def kill_descendants(spare: Collection[int] = ()) -> None:
    """Kill all descendants of this process, and wait until they are gone. This process must adopt orphans.

    Args:
        spare: Processes that go on, with all their descendants.
    """
    pause_s = 0.001
    while _reap_all() and children().difference(spare):
        send_signal(descendants(os.getpid(), spare), signal.SIGKILL)
        if _reap_all() and children().difference(spare):
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.1)


def _reap_all() -> bool:
    """Reap the children that have ended. Returns whether other children are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def children() -> set[int]:
    """Return the process ids of the children of this process, which must have one thread."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
        return {int(pid) for pid in file.read().split()}
    return {pid for pid, parent in parents() if parent == os.getpid()}
