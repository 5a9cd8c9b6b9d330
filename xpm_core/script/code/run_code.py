"""Which code the tasks of a run get: a snapshot of the project's files, or the files as they are when a job starts.

Owns: when a snapshot is taken (before each submission, as cheaply as the Snapshotter can), and the document that says
how the tasks came to be submitted. It is written once for each snapshot.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from xpm_core.errors import SettingsError, SnapshotError
from xpm_core.script.code.choice import NO_CODE, Code
from xpm_core.script.code.live_trees import live_roots, live_trees
from xpm_core.snapshot.code_store import RELIED_ON_S, CodeStore, clock_s
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.snapshot.facts.script import script_facts
from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.snapshot.taking.changes import changed_files
from xpm_core.snapshot.taking.files.names import is_python
from xpm_core.snapshot.taking.snapshotter import Snapshotter

_Which = tuple[str, tuple[tuple[object, ...], ...]]
"""A snapshot, and the names of its trees. A run can get further names of a root, as by a link in `sys.path`. Payloads
can hold these from then on. A description without them would lead jobs to the live code."""


class RunCode:
    """The code of the tasks of one run. Threads may share it.

    Args:
        workspace: The directory of the workspace, which keeps the code.
        tell: Gets each line that people should see.
        store: What keeps it; None for the workspace.

    Example:
        >>> code = RunCode(workspace.path, say)
        >>> code.of({Train}, live=False).snapshot[:7]
        '8c1f2e0'
    """

    def __init__(self, workspace: Path, tell: Callable[[str], None], store: CodeStore | None = None) -> None:
        self._store, self._tell = store or CodeStore(workspace), tell
        self._snapshotter = Snapshotter(workspace, store)
        self._workspace = os.path.realpath(workspace)
        self._lock = threading.Lock()
        self._snapshots: dict[_Which, Code] = {}
        self._since_s = clock_s()
        self._live: Code | None = None
        self._live_classes: frozenset[type] = frozenset()
        self._live_roots: set[str] = set()
        self._trees: Sequence[Tree] = ()
        self._newest = NO_CODE

    def of(self, classes: Iterable[type], *, live: bool) -> Code:
        """The code for a task of these classes, as it is now.

        Args:
            classes: The classes of the task, and of the configurations below it.
            live: Whether the job is to use the files as they are when it starts.

        Raises:
            SnapshotError, SettingsError, WorkspaceError: See `Snapshotter.current`.
        """
        with self._lock:
            return self._live_code(classes) if live else self._snapshot(classes)

    @property
    def newest(self) -> Code:
        """The kept code that was submitted last; NO_CODE if there was none."""
        return self._newest

    def changed(self, snapshot: str) -> list[str] | None:
        """The files in which a snapshot differs from today's code.

        Roots that only one of the two has do not count. If today's code is kept, its snapshot says what it has.

        Returns:
            Their names, sorted; None if that cannot be said: the two have no root in common, or the description of the
            snapshot is gone.
        """
        try:
            before = self._store.manifest(snapshot)
            if self._newest.snapshot:
                return _differing(before, self._store.manifest(self._newest.snapshot))
            roots = {tree.name: tree for tree in self._trees}
            trees = [roots[name] for name in before.trees]
            return changed_files(before, trees)
        except (SnapshotError, SettingsError, KeyError):
            return None

    def _snapshot(self, classes: Iterable[type]) -> Code:
        taken = self._snapshotter.current(classes)
        if taken is None:  # all is installed
            return self._live_code(classes)
        for line in taken.lines:
            self._tell(line)
        self._forget_after_an_hour()
        which = taken.snapshot, _names(taken.trees)
        found = self._snapshots.get(which)
        if found is None:
            found = self._snapshots[which] = self._described(taken.snapshot, taken.trees)
        self._newest = found
        return found

    def _live_code(self, classes: Iterable[type]) -> Code:
        self._forget_after_an_hour()
        if self._live is not None and self._live_classes.issuperset(classes):
            return self._live
        self._live_classes = self._live_classes.union(classes)
        roots = live_roots(self._live_classes)
        if self._live is None or roots != self._live_roots:
            trees = live_trees(roots, self._workspace)
            self._trees = trees
            self._live, self._live_roots = self._described("", trees), roots
        return self._live

    def _forget_after_an_hour(self) -> None:
        """Let what was written be written again: without a job that names it, `xpm gc` may remove it after a day."""
        if clock_s() - self._since_s > RELIED_ON_S:
            self._snapshots.clear()
            self._live, self._since_s = None, clock_s()

    def _described(self, snapshot: str, trees: Sequence[Tree]) -> Code:
        """Write down how tasks with this code came to be submitted."""
        facts = script_facts()
        facts["packages"] = self._store.put("packages", packages_document())  # this marks an old one as used
        provenance = Provenance(snapshot, trees, **facts)
        return Code(snapshot, self._store.put("provenance", provenance.written()))


def _names(trees: Sequence[Tree]) -> tuple[tuple[object, ...], ...]:
    """All paths by which this process reaches the roots of trees."""
    return tuple((*tree.roots, *tree.inner.items()) for tree in trees)


def _differing(before: Manifest, now: Manifest) -> list[str] | None:
    """The files in which two snapshots differ, as far as they have the same trees; None if they share none.

    Of new files, only code is named, because scripts write data.
    """
    common = [name for name in before.trees if name in now.trees]
    if not common:
        return None
    old, new = ({name: _files(each, name) for name in common} for each in (before, now))
    found = []
    for name in common:
        start = f"{name}/" if len(common) > 1 else ""
        for path in {*old[name], *new[name]}:
            if old[name].get(path) != new[name].get(path) and (path in old[name] or is_python(path)):
                end = " (new)" if path not in old[name] else " (removed)" if path not in new[name] else ""
                found.append(f"{start}{path}{end}")
    return sorted(found)


def _files(manifest: Manifest, tree: str) -> dict[str, tuple[Any, ...]]:
    """What a tree has, by path."""
    number = manifest.trees.index(tree)
    return {each.path: each[2:] for each in manifest.entries if each.tree == number}
