"""What the kernel did when memory ran out: it kills processes by SIGKILL, and counts that in their control group.

Owns: where that count and the limit stand, and what is said of a process that was killed. Where there are no control
groups of memory, nothing is known. Imports nothing heavy: starters use it.
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
"""A count of kills that is younger serves the next job, too, as its first one."""

_COUNTS = ("memory.events", "memory.oom_control")
"""Files that count kills: of control groups of version 2, and of version 1. Both have a line `oom_kill 3`."""


@dataclass(frozen=True)
class Group:
    """A control group of memory: its folder, the file that counts kills, and the folder of the outermost group."""

    folder: Path
    counts: str
    top: Path

    def kills(self) -> int | None:
        """How many processes the kernel has killed in it because memory ran out; None if it does not say."""
        with contextlib.suppress(OSError, ValueError), open(self.folder / self.counts, "rb") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(b"oom_kill ")), None)
        return None

    def limit(self) -> int | None:
        """How many bytes its processes may have together; None for any number."""
        found = [limit for folder in self._upwards() for limit in _limits(folder)]
        return min(found, default=None)

    def _upwards(self) -> Iterator[Path]:
        folder = self.folder
        yield folder
        while folder != self.top:
            folder = folder.parent
            yield folder


def _limits(folder: Path) -> Iterator[int]:
    for name in ("memory.max", "memory.limit_in_bytes"):  # "max" is no number, and says that there is none
        with contextlib.suppress(OSError, ValueError):
            yield int((folder / name).read_text())


def find_group(groups: Path, mounts: Path) -> Group | None:
    """The control group of memory of a process.

    Args:
        groups: Its `/proc/<pid>/cgroup`.
        mounts: Its `/proc/<pid>/mountinfo`.
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
    """The mounts of a hierarchy of control groups: what part of it is mounted, and where."""
    for line in mounts.read_text().splitlines():
        where, _, what = line.partition(" - ")
        system, _, options = what.split(" ", 2)
        is_ours = system == "cgroup" and kind in options.split(",") if kind else system == "cgroup2"
        if is_ours:
            root, top = where.split()[3:5]
            yield root, top


def _counting(folder: Path, top: Path) -> Group | None:
    """The nearest group from a folder upwards that counts kills: the controller may be off in the inner ones."""
    for place in (folder, *folder.parents):
        for name in _COUNTS:
            if (place / name).is_file():
                return Group(place, name, top)
        if place == top:
            break
    return None


@cache
def own_group() -> Group | None:
    """The control group of memory of this process, which is that of the jobs that it starts."""
    return find_group(Path("/proc/self/cgroup"), Path("/proc/self/mountinfo"))


class Kills:
    """How many kills there were before, so that a later one can be told from them.

    The count is of the whole group, in which other jobs are killed, too. So it is read now and then.

    Example:
        >>> kills.start(now)
        >>> kills.look(now)         # again each second
        >>> kills.said(5_900_000_000)
    """

    def __init__(self, group: Group | None) -> None:
        self._group = group
        self._first: int | None = None
        self._late: deque[int | None] = deque(maxlen=2)
        """The two latest counts: a process that was killed may take a moment to end."""
        self._read_at = -AGE_S

    def start(self, now: float) -> None:
        """A job begins; of many short ones, the count is not read for each."""
        if now - self._read_at >= AGE_S:
            self.look(now)
        self._first = self._late[-1] if self._late else None
        self._late = deque([self._first], maxlen=2)

    def look(self, now: float) -> None:
        """Read the count."""
        if self._group is not None:
            self._late.append(self._group.kills())
            self._read_at = now

    def said(self, peak: int | None) -> str:
        """Who sent a SIGKILL that is none of ours, as far as it is known.

        Args:
            peak: The memory that the job has had, bytes.
        """
        return f"{self._who()}{_memory(peak, self._group)}"

    def meanwhile(self) -> str:
        """What a failure of another kind may come from: a process that the job has started was killed. Else empty."""
        now = self._group.kills() if self._group is not None else None
        if self._group is None or now is None or self._first is None or now <= self._first:
            return ""
        count = f"{self._group.counts} oom_kill {self._first} → {now}"
        return f" (while it ran, the kernel killed a process of this worker's, out of memory: {count})"

    def _who(self) -> str:
        now = self._group.kills() if self._group is not None else None
        if self._group is None or now is None or self._first is None or (late := self._late[0]) is None:
            return "most often the kernel, out of memory (journalctl -k)"
        name = f"{self._group.counts} oom_kill"
        if now > late:
            return f"the kernel's out-of-memory killer ({name} {late} → {now})"
        if now > self._first:
            return f"most often the kernel, out of memory ({name} {self._first} → {now} since it began)"
        return f"another process, because the kernel killed nothing for want of memory ({name} is still {now})"


def _memory(peak: int | None, group: Group | None) -> str:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    if group is not None and (limit := group.limit()) is not None:
        limits.append(limit)
    return "" if peak is None else f", peak {size(peak)} of {size(min(limits))}"


def size(count: int) -> str:
    """A number of bytes as people say it.

    Example:
        >>> size(5_905_580_032), size(268_435_456)
        ('5.5 GB', '256 MB')
    """
    if count < 2**30:
        return f"{count / 2**20:.0f} MB"
    return f"{count / 2**30:.1f}".removesuffix(".0") + " GB"


@cache
def own_kills() -> Kills:
    """The kills in the control group of this process. It runs one job at a time."""
    return Kills(own_group())
