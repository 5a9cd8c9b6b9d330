"""Where the code of a script lies now: its roots are elsewhere, in a copy of a snapshot.

A payload names the folders and files of the script's machine. A process of a job reads them through this map, so that
it imports the files of the snapshot. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class MovedCode(NamedTuple):
    """A map from the roots of a script to the folders that stand for them.

    Attributes:
        folders: For each root, an absolute path as the script wrote it, the folder that stands for it here. Empty if
            the code is where it was.

    Example:
        >>> code = MovedCode({"/home/me/digits": "/tmp/xpm-1000/code/8c1f/digits"})
        >>> code.here("/home/me/digits/src/train.py")
        '/tmp/xpm-1000/code/8c1f/digits/src/train.py'
    """

    folders: Mapping[str, str]

    def here(self, path: str) -> str:
        """Where a path of the script is now; the same path if it lies in no root."""
        return _moved(path, self.folders)

    def there(self, path: str) -> str:
        """Where a path in a folder of this map was for the script; the same path if it lies in none."""
        return _moved(path, {here: root for root, here in reversed(list(self.folders.items()))})


UNMOVED = MovedCode({})
"""The code is where it was."""


def _moved(path: str, folders: Mapping[str, str]) -> str:
    """The path with the longest of the folders replaced."""
    best = ""
    for folder in folders:
        if len(folder) > len(best) and (path == folder or path.startswith(f"{folder.rstrip('/')}/")):
            best = folder
    return folders[best] + path[len(best.rstrip("/")) :] if best else path
