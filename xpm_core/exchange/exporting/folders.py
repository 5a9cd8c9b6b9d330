"""What lies in a folder that is exported.

A link is followed if it leads to a place in the same folder: the file then has a copy of what it leads to. A file of an
export has no links, because they could lead out of the folder of whoever opens it. Other links, sockets, pipes and
devices are left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.workspace.files import explained


@dataclass(frozen=True)
class FoundFile:
    """A file to export.

    Attributes:
        name: Its path within the folder.
        path: Where it is.
        about: What the file system says of it.
    """

    name: str
    path: str
    about: os.stat_result


@dataclass
class Folder:
    """A folder to export.

    Args:
        path: The folder.
        takes: Says of a path within it whether it is exported.

    Attributes:
        left_out: The paths in it that cannot be exported.
    """

    path: Path
    takes: Callable[[str], bool] = lambda name: True
    left_out: list[str] = field(default_factory=list)

    def files(self) -> Iterator[FoundFile]:
        """Its files, by name.

        Raises:
            WorkspaceError: A folder in it cannot be read.
        """
        root = os.path.realpath(self.path)
        yield from self._within(str(self.path), "", root, frozenset())

    def _within(self, folder: str, prefix: str, root: str, open_: frozenset[str]) -> Iterator[FoundFile]:
        with explained(folder, "cannot be listed"):
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except FileNotFoundError:
                return
        open_ = open_ | {os.path.realpath(folder)}
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if not self.takes(name):
                continue
            real = os.path.realpath(entry.path)
            inside = real.startswith(f"{root}/")
            try:
                about = os.stat(entry.path)
            except OSError:  # a link to nothing, or it went meanwhile
                self.left_out.append(name)
                continue
            if stat.S_ISDIR(about.st_mode) and inside and real not in open_:
                yield from self._within(entry.path, f"{name}/", root, open_)
            elif stat.S_ISREG(about.st_mode) and inside:
                yield FoundFile(name, entry.path, about)
            else:
                self.left_out.append(name)
