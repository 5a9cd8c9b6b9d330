"""Remove kept code, while scripts take snapshots.

A script that finds a file of kept code marks it as used before it relies on it; if the file is not there, the script
writes it. So each file is first renamed, and its time is read then. If a script has marked it before, the file is put
back. If the script comes later, it finds nothing, and writes the file anew. Documents go before the contents of files,
and what the documents that are there then have in them stays.

Owns: this order.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from xpm_core.cleaning.code.kept import CACHE_S, GRACE_S, KeptCode
from xpm_core.cleaning.places import trash_name
from xpm_core.cleaning.records import Item, Left
from xpm_core.cleaning.trees import remove_tree
from xpm_core.errors import WorkspaceError
from xpm_core.workspace.files import explained

_OBJECTS, _CACHES = "code/objects/", ("code/seen/", "code/definitions/")


def remove_code(workspace: Path, items: Collection[Item], named: set[str]) -> tuple[list[Item], list[Left]]:
    """Remove what was planned to go, less what somebody needs now.

    Args:
        workspace: The workspace.
        items: What was planned to go.
        named: What the jobs name that stay, against the plan.

    Returns:
        What is gone, and what could not be removed. An item of which a part stays is as large as what is gone of it.
    """
    try:
        return _CodeRemoval(workspace).remove(items, named)
    except WorkspaceError as error:
        return [], [Left(os.path.relpath(error.where, workspace), error.problem)]


class _CodeRemoval:
    def __init__(self, workspace: Path) -> None:
        self._root = str(workspace)
        self._trash = f"{workspace}/code/{trash_name('code')}"
        self._workspace, self._failures = workspace, list[Left]()
        with explained(self._trash, "cannot be made"):
            os.mkdir(self._trash)
            self._now_s = os.stat(self._trash).st_mtime  # of the clock by which files are marked as used, also on NFS

    def remove(self, items: Collection[Item], named: set[str]) -> tuple[list[Item], list[Left]]:
        needed = KeptCode(self._workspace).reached(named)
        taken: dict[str, int] = {}
        self._take_all((part for item in items for part in item.parts if not part.startswith(_OBJECTS)), needed, taken)
        after = KeptCode(self._workspace)
        needed = after.reached(after.documents.keys())
        self._take_all((part for item in items for part in item.parts if part.startswith(_OBJECTS)), needed, taken)
        failures = [(os.path.relpath(place, self._root), problem) for place, problem in remove_tree(self._trash)]
        freed = [_as_gone(item, taken) for item in items]
        return [item for item in freed if item.parts], [*self._failures, *(Left(*each) for each in failures)]

    def _take_all(self, parts: Iterable[str], needed: set[str], taken: dict[str, int]) -> None:
        for part in parts:
            digest = "".join(part.split("/")[2:])
            if digest not in needed and (size := self._take(part)) is not None:
                taken[part] = size

    def _take(self, part: str) -> int | None:
        """Take a file out of everybody's way; None if it stays."""
        path, aside = f"{self._root}/{part}", f"{self._trash}/{part.replace('/', '-')}"
        grace_s = CACHE_S if part.startswith(_CACHES) else GRACE_S
        try:
            if self._is_young(path, grace_s):
                return None
            os.rename(path, aside)
            if self._is_young(aside, grace_s):  # a script has marked it in between
                os.rename(aside, path)
                return None
            return os.lstat(aside).st_blocks * 512
        except FileNotFoundError:  # another xpm gc was faster
            return None
        except OSError as error:
            self._failures.append(Left(part, os.strerror(error.errno or 0).lower()))
            return None

    def _is_young(self, path: str, grace_s: float) -> bool:
        return self._now_s - os.lstat(path).st_mtime < grace_s


def _as_gone(item: Item, taken: dict[str, int]) -> Item:
    parts = tuple(part for part in item.parts if part in taken)
    size = sum(taken[part] for part in parts)
    return Item(item.kind, item.path, what=item.what, changed_s=item.changed_s, size=size, parts=parts)
