"""What the operating system offers for keeping hold of processes.

Owns: who dies with whom, finding descendants, the mark in their environment, clocks that count while the
machine sleeps. On Linux all of it works; elsewhere (macOS) psutil finds descendants and the rest is left out.
Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator

from xpm_worker.system.kernel import LINUX


def descendants(root: int, spare: Collection[int] = ()) -> list[int]:
    """Process ids of all that descends from a process, children before theirs; without some, and what is below them."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        if pid not in spare:
            children.setdefault(parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def parents() -> Iterator[tuple[int, int]]:
    """Each process of the machine, with its parent."""
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
    """Send a signal to each that is still there and ours."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def freeze_descendants(spare: Collection[int] = ()) -> None:
    """Stop all that descends from this process, also what it forks meanwhile; but for some."""
    stopped: set[int] = set()
    while fresh := [pid for pid in descendants(os.getpid(), spare) if pid not in stopped]:
        send_signal(fresh, signal.SIGSTOP)
        stopped.update(fresh)


def thaw_descendants() -> None:
    """Let all that descends from this process go on, parents after their children."""
    send_signal(descendants(os.getpid())[::-1], signal.SIGCONT)


def kill_descendants(spare: Collection[int] = ()) -> None:
    """Kill all that descends from this process, but for some, and wait until it is gone. It must adopt orphans."""
    pause_s = 0.001
    while _reap_all() and children().difference(spare):
        send_signal(descendants(os.getpid(), spare), signal.SIGKILL)
        if _reap_all() and children().difference(spare):
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.1)


def _reap_all() -> bool:
    """Take up the children that have ended. Returns whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def children() -> set[int]:
    """The children of this process, which has one thread."""
    with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", "rb", buffering=0) as file:
        return {int(pid) for pid in file.read().split()}
    return {pid for pid, parent in parents() if parent == os.getpid()}
