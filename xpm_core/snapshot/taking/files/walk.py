"""Finding files without git: a walk through the folders of a root, within bounds.

Owns: which folders are not looked into. A link is listed, and never followed here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from xpm_core.defaults import MACHINE_FOLDER
from xpm_core.snapshot.taking.files.names import ENVIRONMENT, OWN_FOLDERS, PASSING, VERSIONED, WORKSPACE, lies_in
from xpm_core.snapshot.trees.host_folder import code_path

MOST = 300_000
"""Entries of folders that a walk looks at."""

SECONDS = 4.0
"""How long a walk, or git, may search."""


@dataclass
class Walked:
    """What a walk has found.

    Attributes:
        paths: Files, links, and what else is no folder, relative to the root, with `/`.
        whole: Whether all was looked at, within the bounds.
        closed: Folders that this user may not read.
    """

    paths: list[str] = field(default_factory=list)
    whole: bool = True
    closed: list[str] = field(default_factory=list)


def walk(root: str, start: str = "", *, skip: Callable[[str], bool], seconds: float = SECONDS) -> Walked:
    """Walk through a folder of a root.

    Args:
        root: The root.
        start: The folder to begin with, relative to the root; empty for the root itself.
        skip: Says of a relative path whether it is passed over. A folder is passed over with all in it.
        seconds: How long it may take.
    """
    found, end, looked_at = Walked(), time.monotonic() + seconds, 0
    folders = [start]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as listed:
                entries = list(listed)
        except FileNotFoundError:
            continue
        except OSError:
            found.closed.append(folder or ".")
            continue
        looked_at += len(entries) + 1
        if looked_at > MOST or time.monotonic() > end:
            found.whole = False
            break
        if folder != start and is_foreign(os.path.join(root, folder), {entry.name for entry in entries}):
            continue
        own = OWN_FOLDERS if not folder and is_workspace(root) else ()
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name in VERSIONED or entry.name in own or skip(path):
                continue
            if not entry.is_dir(follow_symlinks=False):
                found.paths.append(path)
            elif entry.name not in PASSING:
                folders.append(path)
    return found


def is_workspace(folder: str) -> bool:
    """Whether a folder is a workspace."""
    return os.path.exists(os.path.join(folder, WORKSPACE))


def is_foreign(folder: str, names: set[str]) -> bool:
    """Whether a folder is an environment or a workspace, by the names of what lies in it."""
    return not names.isdisjoint(ENVIRONMENT) or (".xpm" in names and is_workspace(folder))


class FolderRules:
    """Which files that git lists lie in a folder that is never kept: environments, workspaces, caches.

    Args:
        root: The root.
        workspace: The workspace of the run, which need not be marked as one yet.
    """

    def __init__(self, root: str, workspace: str) -> None:
        self._root = root
        self._never = {workspace, os.path.realpath(MACHINE_FOLDER), code_path()} - {""}
        self._known: dict[tuple[str, bool], bool] = {}
        self._own = is_workspace(root) or root == workspace

    def leave_out(self, path: str, tracked: bool = False) -> bool:
        """Whether a file is not kept for the folder that it lies in.

        Args:
            path: Its path, relative to the root.
            tracked: Whether git tracks it. Then names of caches and of xpm's folders do not count.
        """
        folder, _, name = path.rpartition("/")
        return name in VERSIONED or self.is_foreign(folder, tracked)

    def is_own(self, path: str) -> bool:
        """Whether a folder is the workspace of the run, or holds copies of code for the jobs of this machine."""
        return os.path.join(self._root, path) in self._never

    def foreign_folders(self, folder: str) -> list[str]:
        """Folders that are never kept, by their paths in a folder: those right in it, and xpm's own."""
        try:
            with os.scandir(os.path.join(self._root, folder)) as listed:
                names = [entry.name for entry in listed if entry.is_dir(follow_symlinks=False)]
        except OSError:
            return []
        start = f"{folder}/" if folder else ""
        found = [name for name in names if name not in VERSIONED and self.is_foreign(start + name)]
        place = os.path.join(self._root, folder)
        own = sorted(each for each in self._never if each != place and lies_in(each, place))
        return found + [os.path.relpath(each, place) for each in own]

    def is_foreign(self, folder: str, tracked: bool = False) -> bool:
        """Whether a folder is never kept, or lies in such a folder."""
        if not folder:
            return False
        known = self._known.get((folder, tracked))
        if known is None:
            above, _, name = folder.rpartition("/")
            known = self.is_foreign(above, tracked) or self._itself(folder, name, above, tracked)
            self._known[folder, tracked] = known
        return known

    def _itself(self, folder: str, name: str, above: str, tracked: bool) -> bool:
        is_own = self._own and not above and name in OWN_FOLDERS
        if name in VERSIONED or (not tracked and (name in PASSING or is_own)):
            return True
        place = os.path.join(self._root, folder)
        marks = (*ENVIRONMENT, WORKSPACE)
        return place in self._never or any(os.path.exists(os.path.join(place, mark)) for mark in marks)
