"""Copies of folders: what a job would find in its own directory, for a process that must not change that directory.

Owns: that nothing in a copy leads back to the original, and how large a copy may be.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from xpm_core.words.text import amount, plural

MOST_BYTES = 10**9
"""How many bytes are copied if nobody asks for more."""


class Size(NamedTuple):
    """How much a folder holds.

    Attributes:
        files: How many files.
        bytes: How many bytes they have.
    """

    files: int
    bytes: int

    def __str__(self) -> str:
        return f"{plural(self.files, 'file')}, {amount(self.bytes)}"


def size_of(folder: Path, without: Collection[str] = ()) -> Size:
    """Return how much a folder holds; nothing if it does not exist.

    Args:
        folder: The folder.
        without: Names in it that do not count.
    """
    sizes = []
    for entry in _files(folder, without):
        with contextlib.suppress(FileNotFoundError):  # a job that runs removes files
            sizes.append(entry.stat(follow_symlinks=False).st_size)
    return Size(len(sizes), sum(sizes))


def copy(source: Path, target: Path, without: Collection[str] = ()) -> None:
    """Copy what a folder holds into another folder, which may exist.

    A link to a file or folder inside of the source leads to its copy afterwards. Other links stay as they are. What is
    neither a file, nor a folder, nor a link is left out, and so is a file that is removed meanwhile. If the target has
    a link already, that stays.

    Args:
        source: The folder.
        target: Where the copy comes.
        without: Names in the folder that are left out.
    """
    real = Path(os.path.realpath(source))
    for entry in _entries(source, without):
        place = target / os.path.relpath(entry.path, source)
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            if entry.is_symlink():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(_led(Path(entry.path), real, target))
            elif entry.is_dir(follow_symlinks=False):
                place.mkdir(parents=True, exist_ok=True)
            elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(entry.path, place, follow_symlinks=False)


def _led(link: Path, source: Path, target: Path) -> Path:
    """Where the copy of a link has to lead."""
    leads_to = Path(os.path.realpath(link))
    if leads_to.is_relative_to(source):
        return target / leads_to.relative_to(source)
    return link.parent / os.readlink(link)


def _files(folder: Path, without: Collection[str]) -> Iterator[os.DirEntry[str]]:
    for entry in _entries(folder, without):
        if entry.is_file(follow_symlinks=False):
            yield entry


def _entries(folder: Path, without: Collection[str] = ()) -> Iterator[os.DirEntry[str]]:
    """All that lies in a folder and in the folders below it; links are not followed."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if entry.name not in without:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(Path(entry.path))
