"""Which files belong to the snapshot of a job: by their path, without asking the file system.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import posixpath
import sys

from xpm_core.fingerprints.ran import BYTECODE, Place, is_place
from xpm_worker.protocol.messages import RunJob

_NO_DATA = ("/site-packages/", "/dist-packages/", "/__pycache__/", "/.git/", ".dist-info/", ".egg-info/")
"""Parts of paths of files that are not the project's data: packages, and what the import system and git read."""

_FOLDERS = (".xpm", "code", "experiments", "jobs", "old")
"""What xpm keeps in a workspace."""


class Places:
    """The folders of a job's code.

    Args:
        job: A job with a snapshot.

    Attributes:
        copies: How paths in this machine's copy of the snapshot begin.

    Example:
        >>> Places(job).place("/tmp/xpm-1000/code/8c1f.../digits/data/train.csv")
        ('digits', 'data/train.csv')
    """

    def __init__(self, job: RunJob) -> None:
        here = next((each for each in job.code.values() if f"/{job.snapshot}/" in f"{each}/"), None)
        base = None if here is None else f"{here.partition(f'/{job.snapshot}/')[0]}/{job.snapshot}/"
        self.copies: tuple[str, ...] = () if base is None else _both(base)
        self._trees: dict[str, str] = dict.fromkeys(self.copies, "")
        for root, folder in job.code.items() if base is not None else ():
            for live in _both(f"{root.rstrip('/')}/"):
                self._trees.setdefault(live, folder[len(base or "") :])
        self._starts = tuple(self._trees)
        self._longest_first = sorted(self._trees, key=len, reverse=True)
        prefixes = [
            each for each in {sys.prefix, sys.base_prefix, sys.exec_prefix} if f"{each}/".startswith(self._starts)
        ]
        self._others = tuple(each for path in (*_of_workspace(job), *prefixes) for each in _both(f"{path}/"))

    def is_data(self, path: str) -> bool:
        """Whether a file is the project's, which a job may read: in the copy, or in a root where the script has it.

        Called for each file that the job opens, so it raises nothing and asks the file system nothing.

        Args:
            path: An absolute path.
        """
        if not path.startswith(self._starts) or path.endswith(BYTECODE):
            return False
        return self.is_copy(path) or not (path.startswith(self._others) or _is_of_package(path))

    def is_copy(self, path: str) -> bool:
        """Whether a path leads into this machine's copy of the snapshot."""
        return path.startswith(self.copies) and not _is_of_package(path)

    def place(self, path: str) -> Place | None:
        """The tree of a file, and its path in the tree; None if it is in none."""
        path = plain(path)
        for start in self._longest_first:
            if path.startswith(start):
                tree, _, inner = posixpath.join(self._trees[start], path[len(start) :]).partition("/")
                return (tree, inner) if inner and is_place(tree, inner) else None
        return None


def _of_workspace(job: RunJob) -> list[str]:
    """The folders of the workspace. If a root is the workspace, or lies in it, the rest of it is the project's."""
    holds_root = any(f"{root.rstrip('/')}/".startswith(f"{job.workspace.rstrip('/')}/") for root in job.code)
    return [f"{job.workspace}/{name}" for name in _FOLDERS] if holds_root else [job.workspace]


def plain(path: str) -> str:
    """An absolute path without `.`, `..` and empty parts."""
    return posixpath.normpath(path) if "/." in path or "//" in path else path


def _is_of_package(path: str) -> bool:
    return any(part in path for part in _NO_DATA)


def _both(folder: str) -> tuple[str, ...]:
    """How paths in a folder begin: by its own path, and by the one without links."""
    return tuple(dict.fromkeys((folder, f"{os.path.realpath(folder).rstrip('/')}/")))
