"""The snapshots of a run: the first one, and another one each time when files have changed.

Owns: when files are looked at again, and what is said. What belongs to a snapshot is decided in taker.py.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.provenance import Tree
from xpm_core.snapshot.taking.files.names import lies_in
from xpm_core.snapshot.taking.imported import Imports, ModuleFile
from xpm_core.snapshot.taking.lines import change_line, first_line, joined_line, note_lines, outside_line
from xpm_core.snapshot.taking.roots import root_around, root_of
from xpm_core.snapshot.taking.taker import Photo, Taker, named

_IMPORTS_S = 0.05
"""How long the files that were imported are believed to be unchanged."""

_WHOLE_S, _WHOLE_COSTS = 1.0, 20
"""How long all files are believed to be unchanged: so many seconds, and so many times as long as a look takes."""


class Taken(NamedTuple):
    """A snapshot.

    Attributes:
        snapshot: Its name, 64 hexadecimal digits.
        trees: Its trees, in the order of the manifest.
        files: How many files it keeps.
        bytes: How large they are together.
        new: How many contents were not in the workspace before.
        lines: What to say to the user about it, ready to print. Empty if nothing has changed since the last call.
    """

    snapshot: str
    trees: list[Tree]
    files: int
    bytes: int
    new: int
    lines: list[str]


class Snapshotter:
    """Takes the snapshots of a run. Threads may share it.

    Args:
        workspace: The workspace's directory on this machine.
        store: Where the files are kept; None for the workspace.

    Example:
        >>> snapshotter = Snapshotter(workspace.path)
        >>> taken = snapshotter.current([Train])
        >>> taken.lines
        ['code 8c1f2e0: 214 files, 1.9 MB, 3 new']
    """

    def __init__(self, workspace: Path, store: CodeStore | None = None) -> None:
        self._lock = threading.Lock()
        self._imports = Imports()
        self._taker = Taker(workspace, store)
        self._classes: set[type] = set()
        self._roots: set[str] = set()
        self._photo: Photo | None = None
        self._quiet: Taken | None = None
        self._imports_due = self._whole_due = 0.0
        self._path: list[str] = []
        self._said: set[str] = set()
        self._names: tuple[object, ...] = ()

    def current(self, classes: Iterable[type]) -> Taken | None:
        """The snapshot for tasks of these classes, and of all classes of earlier calls. If files changed, a new one.

        Args:
            classes: The classes of the tasks that are about to be submitted.

        Returns:
            The snapshot; None if all classes are installed packages or built in.

        Raises:
            SnapshotError: Files cannot be read, change all the time, or the settings ask for too much.
            SettingsError: A pyproject.toml is wrong.
            WorkspaceError: The workspace cannot be written.
        """
        with self._lock:
            new = [each for each in classes if each not in self._classes]
            if not new and time.monotonic() < self._imports_due and self._path == sys.path:
                return self._quiet
            roots = self._roots.union(filter(None, map(root_of, new)))
            taken = self._looked_at(roots) if roots else None
            self._classes.update(new)
            self._roots = roots
            self._imports_due, self._path = time.monotonic() + _IMPORTS_S, sys.path[:]
            return taken

    def _looked_at(self, roots: set[str]) -> Taken | None:
        """The snapshot of these roots, after a look at the files that is as thorough as it has to be."""
        modules = self._imports.files()
        self._name_again(modules)
        photo, began = self._photo, time.monotonic()
        if photo is not None and roots == self._roots and began < self._whole_due and photo.has_same(modules):
            return self._quiet
        found = self._taker.take(roots, modules, photo)
        self._whole_due = time.monotonic() + max(_WHOLE_S, _WHOLE_COSTS * (time.monotonic() - began))
        self._photo, self._names = found, self._state()
        if self._quiet is not None and photo is not None and found.snapshot == photo.snapshot:
            lines = self._new_lines(self._notes(found, modules))
            return self._quiet._replace(lines=lines)
        lines = [_head(photo, found), *self._new_lines(self._notes(found, modules))]
        taken = taken_of(found, lines)
        self._quiet = taken._replace(new=0, lines=[])
        return taken

    def _state(self) -> tuple[object, ...]:
        """What the names of roots depend on."""
        return tuple(sys.path), self._imports.state

    def _name_again(self, modules: Sequence[ModuleFile]) -> None:
        """Find new names of the roots, if this process may have got some: payloads can hold them from now on."""
        if self._photo is not None and self._quiet is not None and self._names != self._state():
            self._photo.trees = [named(tree, modules) for tree in self._photo.trees]
            self._quiet = self._quiet._replace(trees=self._photo.trees)
            self._names = self._state()

    def _new_lines(self, lines: Iterable[str]) -> list[str]:
        """The lines that were not said yet."""
        new = [line for line in dict.fromkeys(lines) if line not in self._said]
        self._said.update(new)
        return new

    def _notes(self, photo: Photo, modules: Sequence[ModuleFile]) -> list[str]:
        lines = [line for root, notes in photo.notes.items() for line in note_lines(root, notes)]
        outside = [file for file in modules if not any(lies_in(file.folder, root) for root in photo.notes)]
        outside = [file for file in outside if file.is_for_jobs and file.path not in self._said]
        if outside:
            first = photo.trees[0].roots[0]
            also = sorted({_seen_from(first, root_around(file, file.module)) for file in outside})
            lines.append(outside_line([file.path for file in outside], f"{first}/pyproject.toml", also))
            self._said.update(file.path for file in outside)
        return lines


def _seen_from(root: str, folder: str) -> str:
    """A folder as the settings of a root would name it."""
    near = os.path.relpath(folder, root)
    return folder if near.startswith("../../..") else near


def taken_of(photo: Photo, lines: list[str]) -> Taken:
    """A snapshot, as callers are given it."""
    files = photo.manifest.files
    return Taken(photo.snapshot, photo.trees, len(files), sum(each.size for each in files), photo.new, lines)


def _head(before: Photo | None, now: Photo) -> str:
    """What is said of a snapshot itself."""
    if before is None:
        files = now.manifest.files
        return first_line(now.snapshot, len(files), sum(each.size for each in files), now.new)
    known = {tree.roots[0] for tree in before.trees}
    if joined := [tree.name for tree in now.trees if tree.roots[0] not in known]:
        return joined_line(now.snapshot, before.snapshot, joined)
    return change_line(now.snapshot, before.snapshot, now.changed_since(before))
