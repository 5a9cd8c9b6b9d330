"""What lies in the folder `code` of a workspace, and when each file was used last.

A script marks a file that it finds there, and relies on, as used (xpm_core.snapshot.code_store). What was used within
a day stays, because the script may not have submitted its jobs yet.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from xpm_core.cleaning.places import listed
from xpm_core.cleaning.trees import BLOCK
from xpm_core.workspace.files import explained
from xpm_core.workspace.job_records import read_whole

GRACE_S = 86400.0
"""What was used within so long stays, seconds."""
CACHE_S = 7 * GRACE_S
"""The same for what scripts remember of files: without it, the next run of a script reads all its files again."""
DOCUMENTS = ("snapshots", "provenance", "packages", "ran")
"""The folders of documents."""

DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NAME = re.compile("[0-9a-f]{64}")
_FOLDER, _REST = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{62}")


class Kept(NamedTuple):
    """A file that is kept.

    Attributes:
        path: Where it is, within the workspace.
        size: The space that it takes on the disk, bytes.
        used_s: When it was used last, epoch seconds.
    """

    path: str
    size: int
    used_s: float


class KeptCode:
    """What a workspace keeps of code.

    Args:
        workspace: The workspace.

    Attributes:
        now_s: The time by the clock that the times of the files are of, as far as that is known.
    """

    def __init__(self, workspace: Path) -> None:
        self.workspace, self._folder = workspace, workspace / "code"
        self.now_s = time.time()

    @cached_property
    def documents(self) -> dict[str, list[Kept]]:
        """The documents, by their digests. Two of different folders never have one digest, but nothing relies on it."""
        found: dict[str, list[Kept]] = {}
        for kind in DOCUMENTS:
            for entry in listed(self._folder / kind):
                if _NAME.fullmatch(entry.name) and (kept := self._kept(entry)):
                    found.setdefault(entry.name, []).append(kept)
        return found

    @cached_property
    def objects(self) -> dict[str, Kept]:
        """The contents of files, by their digests."""
        found: dict[str, Kept] = {}
        for folder in listed(self._folder / "objects"):
            if _FOLDER.fullmatch(folder.name):
                for entry in listed(Path(folder.path)):
                    if _REST.fullmatch(entry.name) and (kept := self._kept(entry)):
                        found[folder.name + entry.name] = kept
        return found

    @cached_property
    def caches(self) -> list[Kept]:
        """What scripts remember of the files that they have read, and of contents that they have parsed."""
        entries = [*listed(self._folder / "seen"), *listed(self._folder / "definitions")]
        files = [each for each in entries if not each.name.startswith(".")]
        return [kept for each in files if (kept := self._kept(each))]

    def is_old(self, kept: Kept, seconds: float = GRACE_S) -> bool:
        """Whether nobody has used a file for so long."""
        return self.now_s - kept.used_s >= seconds

    def names_in(self, digest: str) -> set[str]:
        """The digests that the documents of this digest name.

        Raises:
            WorkspaceError: One cannot be read. What it names is then not known, so that nothing can be decided.
        """
        found: set[str] = set()
        for kept in self.documents.get(digest, ()):
            path = f"{self.workspace}/{kept.path}"
            with explained(path, "cannot be read"), suppress(FileNotFoundError):
                found.update(digests_in(read_whole(path)))
        return found

    def reached(self, digests: Collection[str], tick: Callable[[], None] = lambda: None) -> set[str]:
        """These digests, and all that they lead to: what a submission names, and what a snapshot consists of.

        Raises:
            WorkspaceError: As for `names_in`.
        """
        found, waiting = set[str](), set(digests)
        while waiting:
            digest = waiting.pop()
            found.add(digest)
            if digest in self.documents:
                waiting |= self.names_in(digest) - found
                tick()
        return found

    def _kept(self, entry: os.DirEntry[str]) -> Kept | None:
        """The file; None if it has gone, or is none."""
        try:
            about = entry.stat(follow_symlinks=False)
        except OSError:
            return None
        if not os.path.stat.S_ISREG(about.st_mode):  # type: ignore[attr-defined]
            return None
        relative = os.path.relpath(entry.path, self.workspace)
        return Kept(relative, about.st_blocks * BLOCK, about.st_mtime)


def digests_in(content: bytes) -> Iterator[str]:
    """All words in a file that can be digests, whatever form the file has."""
    return (word.decode() for word in DIGEST.findall(content))
