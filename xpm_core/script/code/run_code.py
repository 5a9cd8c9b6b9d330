"""Which code the tasks of a run get: a snapshot of the project's files, or the files as they are when a job starts.

Owns: when a snapshot is taken (before each submission, as cheaply as the Snapshotter can), and the document that says
how the tasks came to be submitted. It is written once for each snapshot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from xpm_core.script.code.choice import Code
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.snapshot.taking.snapshotter import Snapshotter


class RunCode:
    """The code of the tasks of one run. Threads may share it.

    Args:
        workspace: The directory of the workspace, which keeps the code.
        tell: Gets each line that people should see.

    Example:
        >>> code = RunCode(workspace.path, say)
        >>> code.of({Train}, live=False).snapshot[:7]
        '8c1f2e0'
    """

    def __init__(self, workspace: Path, tell: Callable[[str], None]) -> None:
        self._store, self._tell = CodeStore(workspace), tell
        self._snapshotter = Snapshotter(workspace)
        self._lock = threading.Lock()
        self._known: dict[str, Code] = {}
        self._live_classes: set[type] = set()
        self.trees: Sequence[Tree] = ()
        """The roots of the run's code, as they were last looked at."""

    def of(self, classes: Iterable[type], *, live: bool) -> Code:
        """The code for a task of these classes, as it is now.

        Args:
            classes: The classes of the task, and of the configurations below it.
            live: Whether the job is to use the files as they are when it starts.

        Raises:
            SnapshotError: The files cannot be kept.
            WorkspaceError: The workspace cannot be written.
        """
        with self._lock:
            return self._live(classes) if live else self._kept(classes)

    def _kept(self, classes: Iterable[type]) -> Code:
        taken = self._snapshotter.current(classes)
        if taken is None:
            return self._described("", ())
        for line in taken.lines:
            self._tell(line)
        found = self._known.get(taken.snapshot)
        return found or self._described(taken.snapshot, taken.trees)

    def _described(self, snapshot: str, trees: Sequence[Tree]) -> Code:
        """Write how tasks with this snapshot came to be submitted, unless that was done."""
        self.trees = trees or self.trees
        provenance = Provenance(snapshot, trees)
        found = self._known[snapshot] = Code(snapshot, self._store.put("provenance", provenance.written()))
        return found
