"""The Python files of an installed package whose source lies in a folder of the user, and a digest of them.

Owns: which files these are, and in which order they are hashed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from xpm_core.snapshot.taking.files.walk import is_foreign

MOST_ENTRIES = 100_000
"""A folder with more entries than this is not looked through: it is no package."""
MOST_STAMPS = 5000
"""Up to how many files, that are no Python files, count for `Folder.stamp`."""

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})


class Folder(NamedTuple):
    """The files in a folder.

    Attributes:
        python: The paths of the Python files in it, sorted.
        stamp: It changes when a file changes. It says nothing on another machine.
    """

    python: list[str]
    stamp: int


def look_through(root: str) -> Folder | None:
    """List a folder, without hidden folders, environments and workspaces. Links to folders are not followed.

    Returns:
        What is in it; None if there is too much, or the folder cannot be read.
    """
    python: list[str] = []
    stamps: list[tuple[str, int, int]] = []
    others, start = 0, len(root.rstrip(os.sep)) + 1
    try:
        for count, entry in enumerate(_files(root)):
            if count >= MOST_ENTRIES:
                return None
            is_python = entry.name.endswith(".py")
            others += not is_python
            if is_python:
                python.append(entry.path[start:])
            if is_python or others <= MOST_STAMPS:
                stamps.append(_stamp(entry))
    except OSError:
        return None
    return Folder(sorted(python), hash(tuple(sorted(stamps))))


def _stamp(entry: os.DirEntry[str]) -> tuple[str, int, int]:
    try:
        status = entry.stat()
    except OSError:  # a link to nothing, or removed just now
        return entry.path, 0, 0
    return entry.path, status.st_size, status.st_mtime_ns


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files in a folder and in those below it.

    Raises:
        OSError: The folder cannot be read. Folders in it that cannot be read are passed over.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError:
            if here == folder:
                raise
            continue
        if here != folder and is_foreign(here, {entry.name for entry in found}):
            continue
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                yield entry
            elif not entry.name.startswith(".") and entry.name not in _LEFT_OUT:
                waiting.append(entry.path)


def digest_of(root: str, paths: Iterable[str]) -> str:
    """The SHA-256 of files: of their paths and contents, in the order that is given. A file that is gone counts so."""
    whole = sha256()
    for path in paths:
        try:
            with open(os.path.join(root, path), "rb") as file:
                content = sha256(file.read()).hexdigest()
        except OSError:
            content = "-"
        whole.update(f"{path}\0{content}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
