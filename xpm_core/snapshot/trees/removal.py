"""Remove trees that nobody needs: nobody holds them, and they were not used for an hour.

Owns: the names of folders beside the trees. The remover holds the folder of all trees, as a builder does.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.trees.build import remove
from xpm_core.snapshot.trees.host_folder import code_folder, code_path, hold_at_once

UNUSED_S = 3600.0
"""How long a tree stays after it was last used, seconds."""

TREE = re.compile("[0-9a-f]{64}")
BUILDING, ASIDE, GONE = "building-", "aside-", "gone-"
"""How names of folders begin that are no trees: one that is being built; a damaged tree, which jobs may still use,
`aside-<digest>-<random>`; and one that is being removed."""


def notes_file(folder: str, snapshot: str) -> str:
    """The file with the notes about a tree. Its mtime says when the tree was last used."""
    return f"{folder}/{snapshot}.json"


def remove_unused(folder: Path | None = None, *, unused_s: float = UNUSED_S) -> None:
    """Remove what nobody needs, unless another process builds or removes a tree just now.

    Args:
        folder: The folder of this machine, as for `Trees`.
        unused_s: How long a tree must not have been used, seconds.
    """
    if not os.path.isdir(code_path(folder)):
        return
    with suppress(SnapshotError):
        code = code_folder(folder)
        lock = hold_at_once(code)
        if lock is not None:
            try:
                sweep(code, unused_s=unused_s)
            finally:
                os.close(lock)


def sweep(code: str, *, spared: str = "", unused_s: float = UNUSED_S) -> None:
    """Remove what nobody needs. The caller holds the folder of the trees.

    Args:
        code: The folder of the trees.
        spared: A snapshot whose tree stays.
        unused_s: How long a tree must not have been used, seconds.
    """
    with suppress(OSError):
        names = sorted(os.listdir(code))
        for name in (each for each in names if each.startswith((BUILDING, GONE))):
            remove(f"{code}/{name}")  # its builder or remover was killed
        aside = [name for name in names if name.startswith(ASIDE) and not _discard(code, name)]
        in_use = {spared, *(name.split("-")[1] for name in aside)}
        for name in names:
            if TREE.fullmatch(name) and name not in in_use and _age_s(code, name) > unused_s and _discard(code, name):
                with suppress(OSError):
                    os.unlink(notes_file(code, name))
            elif _is_leftover(code, name):
                _unlink_old(f"{code}/{name}", unused_s)


def _age_s(code: str, name: str) -> float:
    """How long ago a tree was used, seconds. One from the future, by a clock that was wrong, is old."""
    times = [os.lstat(f"{code}/{name}").st_ctime]
    with suppress(OSError):
        times.append(os.lstat(notes_file(code, name)).st_mtime)
    return abs(time.time() - max(times))


def _discard(code: str, name: str) -> bool:
    """Remove a tree. Returns False if somebody holds it."""
    lock = hold_at_once(f"{code}/{name}")
    if lock is None:
        return False
    try:
        gone = f"{code}/{GONE}{os.urandom(4).hex()}"
        os.rename(f"{code}/{name}", gone)  # whoever waits for the lock sees that it is no longer there
    except OSError:
        return False
    finally:
        os.close(lock)
    remove(gone)
    return True


def _is_leftover(code: str, name: str) -> bool:
    """Whether a file holds notes about a tree that is gone, or notes that were not written to their end."""
    return name.startswith(".") or (name.endswith(".json") and not os.path.isdir(f"{code}/{name[:-5]}"))


def _unlink_old(path: str, unused_s: float) -> None:
    with suppress(OSError):
        if abs(time.time() - os.lstat(path).st_mtime) > unused_s:
            os.unlink(path)
