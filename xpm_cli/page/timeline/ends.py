"""The ends of jobs that workers have written into the index: what ran long ago, or without the server.

`MergedIndex` keeps the last end of each job. A timeline shows them all, so the files are read here, each line once.

Owns: which lines are executions of a worker of this workspace.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from xpm_cli.page.timeline.lanes import Execution, How
from xpm_core.index.entries import Entry, read_line, read_removals
from xpm_core.index.folders import END, ends_folder, removal_files, removals_size
from xpm_core.states import State

REBUILT = "rebuilt-"
"""How the files begin that `xpm doctor --repair` writes, for workers whose own files were lost."""

_HOW = {State.DONE: How.DONE, State.FAILED: How.FAILED, State.CANCELLED: How.CANCELLED}


@dataclass
class EndFiles:
    """The workers' files of one workspace, read on.

    Attributes:
        workspace: The workspace.
        newest_s: When the newest of them was last written, epoch seconds; 0 without any.
        hosts: The machine of each worker.
        unseen: How many ends have no beginning, so that they cannot be drawn.
    """

    workspace: Path
    newest_s: float = 0.0
    hosts: dict[str, str] = field(default_factory=dict)
    unseen: int = 0
    _read: dict[str, tuple[int, int]] = field(default_factory=dict)
    _removed: dict[str, float] = field(default_factory=dict)
    _removals: int = -1

    def read_on(self) -> list[Execution]:
        """The executions in lines that were added since the last call, and that are of jobs that were not removed."""
        self._read_removals()
        folder = ends_folder(self.workspace)
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(END))
        except OSError:
            return []
        return [each for name in names for each in self._read_file(folder / name)]

    def _read_removals(self) -> None:
        size = removals_size(self.workspace)
        if size != self._removals:
            self._removed, self._removals = read_removals(removal_files(self.workspace)), size

    def _read_file(self, path: Path) -> list[Execution]:
        """The new lines of a file; of a file that was replaced, all. One that cannot be read has none."""
        try:
            with open(path, "rb") as stream:
                about = os.fstat(stream.fileno())
                self.newest_s = max(self.newest_s, about.st_mtime)
                inode, offset = self._read.get(path.name, (about.st_ino, 0))
                offset = offset if inode == about.st_ino and about.st_size >= offset else 0
                if about.st_size == offset:
                    return []
                stream.seek(offset)
                data = stream.read()
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        self._read[path.name] = (about.st_ino, offset + whole)
        writer = path.name[: -len(END)]
        found = [self._execution(line, writer) for line in data[:whole].splitlines() if line]
        return [each for each in found if each is not None]

    def _execution(self, line: bytes, writer: str) -> Execution | None:
        """The execution of which a line says the end; None if it says something else.

        Files that came from another workspace name workers that never were in this one.
        """
        found: dict[str, Entry] = {}
        read_line(line, "", found, self._removed)
        entry = next(iter(found.values()), None)
        end = entry.end if entry is not None else None
        if entry is None or end is None or not end.worker or end.state not in _HOW:
            return None
        if end.worker != writer and not writer.startswith(REBUILT):
            return None
        self.hosts[end.worker] = end.host
        if not end.started_s or not end.execution or end.started_s > end.ended_s:
            self.unseen += 1
            return None
        how = _HOW[end.state]
        return Execution(end.execution, entry.identity, "", end.worker, end.attempt, end.started_s, end.ended_s, how)
