"""How much memory a job's processes have had together.

At its end, the system tells the peak of the largest of them; that of a job with one process is exact. What several have
at one time is only seen by looking. Then memory that they share, as after a fork, counts once: each process has its
part of it (PSS). Owns: when to look, so that it costs a hundredth of the time at most.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Collection
from typing import Any

from xpm_worker.system import clock, kernel, oom, processes

LOOK_S = 1.0
"""How often to look, at most; a job that is shorter is not looked at."""

SHARE = 100
"""So many times as long as a look took, there is none."""


class Peak:
    """The most memory that what descends from this process has had.

    Example:
        >>> peak.start(now)
        >>> peak.look(now, spare)       # again at peak.due
        >>> peak.bytes(usage)           # as os.wait4 tells it
    """

    def __init__(self) -> None:
        self.due = math.inf
        """When to look again, by the boot clock; infinite for never."""
        self._most = 0
        self._kills = oom.own_kills()

    def start(self, now: float) -> None:
        """From now on there is a process."""
        if kernel.LINUX:
            self.due = now + LOOK_S
            self._kills.start(now)

    def look(self, now: float, spare: Collection[int]) -> None:
        """Look, if it is time.

        Args:
            now: By the boot clock.
            spare: Processes that do not count.
        """
        if now >= self.due:
            self._kills.look(now)
            found = processes.descendants(os.getpid(), spare)
            if len(found) > 1:
                self._most = max(self._most, sum(map(proportional_bytes, found)))
            self.due = now + max(LOOK_S, SHARE * (clock.boot_time() - now))

    def bytes(self, usage: Any) -> int | None:
        """The peak; None if there was no process."""
        if usage is None:
            return None
        return max(int(usage.ru_maxrss) * (1024 if kernel.LINUX else 1), self._most)

    def said_of_kill(self, usage: Any) -> str:
        """Who sent the job's process a SIGKILL that is none of ours, as far as it is known, and what memory it had."""
        return self._kills.said(self.bytes(usage))

    def with_kills(self, error: dict[str, Any]) -> dict[str, Any]:
        """A failure, and what the kernel has killed meanwhile: the failure may have come from that."""
        return {**error, "message": f"{error['message']}{self._kills.meanwhile()}"}


def proportional_bytes(pid: int) -> int:
    """Memory of a process that is in RAM, with its part of what it shares; 0 if it is gone, or not ours to look at."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:")), 0)
    return 0
