"""How much memory the processes of a job have together, and how much the machine has left.

When a process ends, the system reports its peak. A job of one process therefore gets the exact peak. For several
processes the system reports only the largest, so the starter looks at all of them from time to time. Memory that they
share, as after a fork, counts once: each process counts its part of it (the proportional set size, PSS). Owns: when to
look, so that looking takes at most a hundredth of the time.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Collection
from typing import Any

from xpm_worker.system import clock, kernel, oom, processes

LOOK_S = 1.0
"""Seconds between two looks, at least. A job that takes less is not looked at."""

SHARE = 100
"""After a look, the pause is at least this many times as long as the look took."""


class PeakMemory:
    """The most memory that the descendants of this process had together.

    Example:
        >>> peak.start(now)
        >>> peak.look(now, spare)       # again at peak.due
        >>> peak.bytes(usage)           # usage as os.wait4 returns it
    """

    def __init__(self) -> None:
        self.due = math.inf
        """When to look again, by the boot clock; infinite for never."""
        self._most = 0
        self._kills = oom.own_kills()

    def start(self, now: float) -> None:
        """Note that there is a process from now on."""
        if kernel.LINUX:
            self.due = now + LOOK_S
            self._kills.start(now)

    def look(self, now: float, spare: Collection[int]) -> None:
        """Look at the descendants, if it is time.

        Args:
            now: The time, by the boot clock.
            spare: Processes that do not count.
        """
        if now >= self.due:
            self._kills.look(now)
            found = processes.descendants(os.getpid(), spare)
            if len(found) > 1:
                self._most = max(self._most, sum(map(proportional_bytes, found)))
            self.due = now + max(LOOK_S, SHARE * (clock.boot_time() - now))

    def bytes(self, usage: Any) -> int | None:
        """Return the peak, bytes; None if there was no process."""
        if usage is None:
            return None
        return max(int(usage.ru_maxrss) * (1024 if kernel.LINUX else 1), self._most)

    def explain_kill(self, usage: Any) -> str:
        """Say who sent the job's process a SIGKILL that xpm did not send, and how much memory the job had."""
        return self._kills.explain_kill(self.bytes(usage))

    def with_kills(self, error: dict[str, Any]) -> dict[str, Any]:
        """Return a failure with a note if the kernel killed a process while the job ran, which may be the cause."""
        return {**error, "message": f"{error['message']}{self._kills.note()}"}


def proportional_bytes(pid: int) -> int:
    """Return the bytes of a process that are in RAM, with its part of what it shares.

    The answer is 0 if the process is gone, or if this user may not look at it.
    """
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:")), 0)
    return 0


def available_share() -> float:
    """Return the share of the machine's memory that is available, from 0 to 1; 1 where this is not known."""
    if not kernel.LINUX:
        return 1.0
    with open("/proc/meminfo") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines["MemAvailable"].split()[0]) / int(lines["MemTotal"].split()[0])
