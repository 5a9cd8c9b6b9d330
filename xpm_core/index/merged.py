"""Read the index of a workspace as one. Only what was appended since the last time is read again.

Owns: what is read again, and what is worth to be remembered.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.index.entries import Entry, read_line, read_removals
from xpm_core.index.folders import IndexFile, index_files, memory_file, removal_files, removals_size
from xpm_core.index.memory import Memory, Seen, goes_on, recall, remember

WORTH = 1000
"""Lines that have to be new for the memory to be written again."""


@dataclass
class MergedIndex:
    """The index of one workspace.

    Args:
        workspace: The workspace.
        damaged: After `read`, how many lines cannot be understood, by file. A last line without its end is not one.
        newest_s: After `read`, when the newest file was last written, epoch seconds; 0 without any.
        remembers: Whether what was read may be written into the user's cache, for the next process.

    Example:
        >>> MergedIndex(workspace.path).read()["3f2a…"].tags
        {'lr': 0.1}
    """

    workspace: Path
    damaged: dict[str, int] = field(default_factory=dict)
    newest_s: float = 0.0
    remembers: bool = True
    _removed: dict[str, float] = field(default_factory=dict)
    _memory: Memory | None = field(default=None, repr=False)

    def read(self) -> dict[str, Entry]:
        """Return all entries, by identity."""
        found = list(index_files(self.workspace))
        with _no_collector():
            memory = recall(self.workspace, {file.path for file in found}, removals_size(self.workspace))
            self.damaged = memory.damaged
            self._removed = read_removals(removal_files(self.workspace))
            lines = sum(self._read_on(file, memory) for file in found)
            if lines >= WORTH and self.remembers:
                remember(self.workspace, memory)
        self._memory = memory
        return memory.entries

    def read_on(self) -> dict[str, Entry]:
        """Return the entries with what was appended since the last `read` or `read_on`.

        Entries that were returned before are the same objects, brought up to date. If a file of the index was replaced
        or is gone, or jobs were removed, all is read again.
        """
        memory, found = self._memory, list(index_files(self.workspace))
        paths = {file.path for file in found}
        goes = memory is not None and memory.removals == removals_size(self.workspace)
        if (
            memory is None
            or not goes
            or not all(path in paths and goes_on(path, at) for path, at in memory.seen.items())
        ):
            return self.read()
        with _no_collector():
            for file in found:
                self._read_on(file, memory)
        return memory.entries

    def _read_on(self, file: IndexFile, memory: Memory) -> int:
        """Read what was appended to a file. Returns how many lines that was."""
        try:
            with open(file.path, "rb") as stream:
                about = os.fstat(stream.fileno())
                self.newest_s = max(self.newest_s, about.st_mtime)
                before = memory.seen.setdefault(file.path, Seen(about.st_ino, 0))
                if about.st_size <= before.offset:
                    return 0
                stream.seek(before.offset)
                data = stream.read()
        except OSError:
            self.damaged.setdefault(file.path, 1)
            return 0
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines()
        bad = sum(not read_line(line, file.experiment, memory.entries, self._removed) for line in lines if line)
        if bad:
            self.damaged[file.path] = self.damaged.get(file.path, 0) + bad
        before.offset += whole
        return len(lines)

    @property
    def memory(self) -> Path:
        """The file of the memory."""
        return memory_file(self.workspace)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Make many objects without looking for garbage again and again. That would take four times as long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
