"""Whether the kernel killed a process because memory ran out (the out-of-memory killer).

The kernel sends SIGKILL and counts such kills in the control group of the process (`man 7 cgroups`). Owns: where this
count and the memory limit stand, and what messages say about a job that was killed. Where there are no control groups
for memory, nothing is known. Imports nothing heavy, because starters use it.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

AGE_S = 1.0
"""If the last count is not older than this, the next job uses it as its first count."""

_COUNTS = ("memory.events", "memory.oom_control")
"""Files that count kills: of control groups of version 2, and of version 1. Both have a line `oom_kill 3`."""


@dataclass(frozen=True)
class ControlGroup:
    """A control group for memory.

    Attributes:
        folder: Its folder.
        counts: Name of the file that counts kills.
        top: Folder of the outermost group.
    """

    folder: Path
    counts: str
    top: Path

    def kills(self) -> int | None:
        """How many processes the kernel killed in the group because memory ran out; None if this cannot be read."""
        with contextlib.suppress(OSError, ValueError), open(self.folder / self.counts, "rb") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(b"oom_kill ")), None)
        return None

    def limit(self) -> int | None:
        """How many bytes the processes of the group may have together; None for no limit."""
        found = [limit for folder in self._upwards() for limit in _limits(folder)]
        return min(found, default=None)

    def _upwards(self) -> Iterator[Path]:
        folder = self.folder
        yield folder
        while folder != self.top:
            folder = folder.parent
            yield folder


def _limits(folder: Path) -> Iterator[int]:
    for name in ("memory.max", "memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # the text "max" is no number; it stands for no limit
            yield int((folder / name).read_text())


def find_group(groups: Path, mounts: Path) -> ControlGroup | None:
    """Return the control group for memory of a process; None if there is none.

    Args:
        groups: The process's `/proc/<pid>/cgroup`.
        mounts: The process's `/proc/<pid>/mountinfo`.
    """
    with contextlib.suppress(OSError, ValueError):
        lines = [line.split(":", 2) for line in groups.read_text().splitlines()]
        paths = {"memory" if "memory" in names.split(",") else names: path for _, names, path in lines}
        for kind in ("memory", ""):  # version 1, then version 2, which has no name
            for root, top in _mounted(mounts, kind) if kind in paths else ():
                inner = paths[kind].removeprefix(root) if root != "/" else paths[kind]
                if (found := _counting(Path(f"{top}/{inner.strip('/')}"), Path(top))) is not None:
                    return found
    return None


def _mounted(mounts: Path, kind: str) -> Iterator[tuple[str, str]]:
    """The mounts of a hierarchy of control groups. Each has the path inside the hierarchy, and the mount point."""
    for line in mounts.read_text().splitlines():
        where, _, what = line.partition(" - ")
        system, _, options = what.split(" ", 2)
        is_ours = system == "cgroup" and kind in options.split(",") if kind else system == "cgroup2"
        if is_ours:
            root, top = where.split()[3:5]
            yield root, top


def _counting(folder: Path, top: Path) -> ControlGroup | None:
    """The nearest group, from a folder upwards, that counts kills. Inner groups may have no memory controller."""
    for place in (folder, *folder.parents):
        for name in _COUNTS:
            if (place / name).is_file():
                return ControlGroup(place, name, top)
        if place == top:
            break
    return None


@cache
def own_group() -> ControlGroup | None:
    """The control group for memory of this process, which the jobs that it starts are in, too."""
    return find_group(Path("/proc/self/cgroup"), Path("/proc/self/mountinfo"))


class KillCount:
    """Compares the kernel's kill count before, during and after a job.

    The count belongs to the whole control group, in which other jobs are killed, too. Therefore it is read again each
    second: a recent increase more likely means this job.

    Args:
        group: The control group; None if there is none.

    Example:
        >>> count.start(now)
        >>> count.look(now)         # again each second
        >>> count.explain_kill(5_900_000_000)
    """

    def __init__(self, group: ControlGroup | None) -> None:
        self._group = group
        self._first: int | None = None
        self._late: deque[int | None] = deque(maxlen=2)
        """The two latest counts. Two, because a process that was killed may take a moment to end."""
        self._read_at = -AGE_S

    def start(self, now: float) -> None:
        """Note that a job begins. For short jobs in a row the count is not read each time, see `AGE_S`."""
        if now - self._read_at >= AGE_S:
            self.look(now)
        self._first = self._late[-1] if self._late else None
        self._late = deque([self._first], maxlen=2)

    def look(self, now: float) -> None:
        """Read the count."""
        if self._group is not None:
            self._late.append(self._group.kills())
            self._read_at = now

    def explain_kill(self, peak: int | None) -> str:
        """Say who sent a SIGKILL that xpm did not send, as far as this is known.

        Args:
            peak: The most memory that the job had, bytes; None if this is not known.
        """
        return f"{self._sender()}{_memory(peak, self._group)}"

    def note(self) -> str:
        """Say that the kernel killed a process while the job ran, in brackets; empty if it did not.

        A job that fails in another way may fail because a process that it had started was killed.
        """
        now = self._group.kills() if self._group is not None else None
        if self._group is None or now is None or self._first is None or now <= self._first:
            return ""
        count = f"{self._group.counts} oom_kill {self._first} → {now}"
        return f" (while it ran, the kernel killed a process of this worker's, out of memory: {count})"

    def _sender(self) -> str:
        now = self._group.kills() if self._group is not None else None
        if self._group is None or now is None or self._first is None or (late := self._late[0]) is None:
            return "most often the kernel, out of memory (journalctl -k)"
        name = f"{self._group.counts} oom_kill"
        if now > late:
            return f"the kernel's out-of-memory killer ({name} {late} → {now})"
        if now > self._first:
            return f"most often the kernel, out of memory ({name} {self._first} → {now} since it began)"
        return f"another process, because the kernel killed nothing for want of memory ({name} is still {now})"


def _memory(peak: int | None, group: ControlGroup | None) -> str:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    if group is not None and (limit := group.limit()) is not None:
        limits.append(limit)
    return "" if peak is None else f", peak {size(peak)} of {size(min(limits))}"


def size(count: int) -> str:
    """Return a number of bytes as people write it.

    Example:
        >>> size(5_905_580_032), size(268_435_456)
        ('5.5 GB', '256 MB')
    """
    if count < 2**30:
        return f"{count / 2**20:.0f} MB"
    return f"{count / 2**30:.1f}".removesuffix(".0") + " GB"


@cache
def own_kills() -> KillCount:
    """The kill count of this process's control group. One for the process, because it runs one job at a time."""
    return KillCount(own_group())
