"""Trees of files: how much of the disk they take, and removing them. No link is followed, and no mount is entered."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = 512
"""Bytes of a block, as `st_blocks` counts them."""

_ESCAPES = {r"\040": " ", r"\011": "\t", r"\012": "\n", r"\134": "\\"}


@dataclass
class Size:
    """How large a tree is.

    Attributes:
        bytes: What it takes on the disk. A file with several names counts where it is met first.
        newest_s: When something in it was changed last, epoch seconds.
    """

    bytes: int = 0
    newest_s: float = 0.0


@dataclass
class Scale:
    """Measures trees. It remembers files with several names, so that all that it measures counts once."""

    met: set[tuple[int, int]] = field(default_factory=set)

    def size(self, path: str) -> Size:
        """The size of a file, or of a directory with all that is in it. What has gone meanwhile does not count."""
        found = Size()
        try:
            self._add(os.lstat(path), found)
        except OSError:
            return found
        folders = [path] if not os.path.islink(path) and os.path.isdir(path) else []
        while folders:
            folders += self._contents(folders.pop(), found)
        return found

    def _contents(self, folder: str, found: Size) -> list[str]:
        """Add what lies in a folder; returns the folders in it."""
        below: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._add(entry.stat(follow_symlinks=False), found)
                    if entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
        except OSError:  # it may not be read, or went meanwhile
            pass
        return below

    def _add(self, about: os.stat_result, found: Size) -> None:
        found.newest_s = max(found.newest_s, about.st_mtime)
        if about.st_nlink > 1 and not os.path.stat.S_ISDIR(about.st_mode):  # type: ignore[attr-defined]
            name = about.st_dev, about.st_ino
            if name in self.met:
                return
            self.met.add(name)
        found.bytes += about.st_blocks * BLOCK


class Mounts:
    """The places below a folder where other file systems are mounted."""

    def __init__(self, folder: Path, table: str = "/proc/self/mountinfo") -> None:
        start = f"{folder}/"
        try:
            lines = Path(table).read_text("utf-8", "surrogateescape").splitlines()
        except OSError:  # no Linux: `os.path.ismount` has to do
            lines = []
        places = (_unescaped(line.split(" ")[4]) for line in lines if line.count(" ") > 4)
        self._places = sorted(f"{place}/" for place in places if f"{place}/".startswith(start))

    def within(self, path: str) -> bool:
        """Whether a directory is a mount, or has one in it."""
        start = f"{path}/"
        return os.path.ismount(path) or any(place.startswith(start) for place in self._places)


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text


def remove_tree(path: str) -> list[tuple[str, str]]:
    """Remove a file, a link, or a directory with all that is in it.

    Returns:
        What could not be removed, each with the reason. What is gone already is no failure.
    """
    failures: list[tuple[str, str]] = []

    def note(_: Callable[..., Any], place: str, error: BaseException) -> None:
        if isinstance(error, OSError) and error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
            failures.append((place, os.strerror(error.errno).lower() if error.errno else str(error)))

    if os.path.islink(path) or not os.path.isdir(path):
        try:
            os.unlink(path)
        except OSError as error:
            note(os.unlink, path, error)
    elif sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=note)
    else:
        shutil.rmtree(path, onerror=lambda function, place, found: note(function, place, found[1]))
    if not failures and os.path.lexists(path):
        failures.append((path, "something is written there just now"))
    return failures
