"""The names of a workspace as they stand: those of the file, and those of the lines that the index got since.

Owns: when the file is written anew. A few new lines are read at each call. If there are more, and the index is small,
the file is written at once; if it is large, another process writes it, and the names that are known are returned.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xpm_core.completion import names_file
from xpm_core.completion.names_file import Stored
from xpm_core.index.folders import index_files, removal_files, removals_size
from xpm_core.labels import SHOWN

if TYPE_CHECKING:
    from xpm_core.completion.names import Names
    from xpm_core.index.entries import Entry

FEW_BYTES, SMALL_BYTES = 256 * 1024, 4 * 2**20
"""Unread bytes of the index that are read at each call, and the size of an index that is small."""

BUILDING_S = 120
"""After how many seconds a process that writes the file is taken for dead."""

_LARGEST_LINE = 2**20
_BUILD = (
    "import sys; getattr(sys.flags, 'safe_path', False) or sys.path.pop(0); "
    "from xpm_core.completion.known_names import build_alone; build_alone(sys.argv[1])"
)


class Job(NamedTuple):
    """A job that can be named.

    Attributes:
        name: The first characters of its identity, enough to tell it from its neighbours.
        title: Its title.
    """

    name: str
    title: str


class KnownNames:
    """The names of one workspace.

    Args:
        workspace: Its directory.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._newer: dict[str, Entry] = {}

    @cached_property
    def names(self) -> Names:
        """Tags, parameters, results, tasks, and the latest jobs."""
        from xpm_core.completion.names import Names  # late, because names of experiments do without

        stored = names_file.read(self._workspace)
        sizes = _sizes(self._workspace)
        goes_on = stored is not None and _goes_on(stored, sizes) and stored.removals == removals_size(self._workspace)
        seen: Mapping[str, tuple[int, int]] = stored.seen if stored and goes_on else {}
        unread = sum(size - seen.get(path, (0, 0))[1] for path, (_, size) in sizes.items())
        if unread > FEW_BYTES or (unread and not seen):
            if sum(size for _, size in sizes.values()) <= SMALL_BYTES:
                build(self._workspace)
                stored = names_file.read(self._workspace)
            else:
                _build_elsewhere(self._workspace)
        elif unread:
            self._newer = _newer(self._workspace, seen)
        known = Names(**stored.names) if stored is not None else Names()
        return known.with_newer(Names.of(self._newer.values())) if self._newer else known

    def jobs(self, prefix: str, most: int) -> list[Job]:
        """Return jobs whose identities begin so; the latest ones if the prefix is empty.

        Args:
            prefix: Hexadecimal digits, lower case.
            most: How many jobs to return at most.
        """
        latest = self.names.latest
        if not prefix:
            return [Job(name, title) for name, title in _shortened([(each[0], each[1]) for each in latest[:most]])]
        from xpm_core.completion.names import KEPT_ID, titled

        found = dict(names_file.jobs_from(self._workspace, prefix[:KEPT_ID], most))
        for identity, entry in self._newer.items():
            if entry.task and identity.startswith(prefix):
                found[identity[:KEPT_ID]] = titled(entry)
        return [Job(name, title) for name, title in _shortened(sorted(found.items())[:most])]

    def experiments(self) -> list[str]:
        """Return the names of the experiments."""
        try:
            return sorted(each.name for each in os.scandir(self._workspace / "experiments") if each.is_dir())
        except OSError:
            return []


def build(workspace: Path) -> None:
    """Write the file of a workspace's names. If that is not possible, completion lacks names."""
    from xpm_core.completion.names import KEPT_ID, Names, titled
    from xpm_core.index.merged import MergedIndex  # late, because most calls find the file

    seen = {path: (inode, _last_end(path, size)) for path, (inode, size) in _sizes(workspace).items()}
    removals = removals_size(workspace)  # before the index is read: a later removal makes the file be written anew
    entries = MergedIndex(workspace).read()
    jobs = {identity[:KEPT_ID]: titled(entry) for identity, entry in entries.items()}
    with contextlib.suppress(OSError):
        names_file.write(workspace, Stored(Names.of(entries.values()).data(), seen, removals), jobs)


def build_alone(workspace: str) -> None:
    """Be the process that writes the file of a workspace."""
    mark = _mark(Path(workspace))
    try:
        os.nice(10)
        build(Path(workspace))
    finally:
        with contextlib.suppress(OSError):
            mark.unlink()


def _build_elsewhere(workspace: Path) -> None:
    """Start a process that writes the file, unless there is one."""
    mark = _mark(workspace)
    with contextlib.suppress(OSError):
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if mark.exists() and time.time() - mark.stat().st_mtime > BUILDING_S:
            mark.unlink()
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
        words = [sys.executable, "-c", _BUILD, str(workspace)]
        os.posix_spawn(sys.executable, words, os.environ, file_actions=nowhere, setsid=True)


def _mark(workspace: Path) -> Path:
    """The file that is there while a process writes the names."""
    return names_file.names_file(workspace).with_suffix(".building")


def _sizes(workspace: Path) -> dict[str, tuple[int, int]]:
    """The inode and the size of each file of the index."""
    found = {}
    for file in index_files(workspace):
        with contextlib.suppress(OSError):
            about = os.stat(file.path)
            found[file.path] = about.st_ino, about.st_size
    return found


def _goes_on(stored: Stored, sizes: dict[str, tuple[int, int]]) -> bool:
    """Whether the files that were read are those that are there, and have at most grown."""
    return all(
        path in sizes and sizes[path][0] == inode and sizes[path][1] >= end
        for path, (inode, end) in stored.seen.items()
    )


def _last_end(path: str, size: int) -> int:
    """Where the last whole line of a file ends, if the file has that size."""
    try:
        with open(path, "rb") as file:
            start = max(0, size - _LARGEST_LINE)
            file.seek(start)
            return start + file.read(size - start).rfind(b"\n") + 1
    except OSError:
        return 0


def _newer(workspace: Path, seen: Mapping[str, tuple[int, int]]) -> dict[str, Entry]:
    """The entries of the lines that were written since. Of some jobs, only the end is among them."""
    from xpm_core.index.entries import read_line, read_removals

    entries: dict[str, Entry] = {}
    removed = read_removals(removal_files(workspace))
    for file in index_files(workspace):
        with contextlib.suppress(OSError), open(file.path, "rb") as stream:
            stream.seek(seen.get(file.path, (0, 0))[1])
            for row in stream.read().splitlines():
                read_line(row, file.experiment, entries, removed)
    return entries


def _shortened(jobs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The jobs with identities cut as far as they stay different, to 7 characters at least."""
    whole = sorted(identity for identity, _ in jobs)
    lengths = dict.fromkeys(whole, SHOWN)
    for first, second in pairwise(whole):
        common = next((i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), len(first))
        for each in (first, second):
            lengths[each] = max(lengths[each], common + 1)
    return [(identity[: lengths[identity]], title) for identity, title in jobs]
