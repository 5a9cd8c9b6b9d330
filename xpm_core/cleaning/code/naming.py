"""Who names code: the records of executions, and the jobs as their directories and the server keep them.

Any word of 64 hexadecimal digits in such a file counts, so this does not depend on the form of a record. A record of an
xpm before snapshots has none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from xpm_core.cleaning.code.kept import digests_in
from xpm_core.cleaning.places import IDENTITY, TRASH, listed
from xpm_core.cleaning.records import Left
from xpm_core.errors import WorkspaceError
from xpm_core.workspace.job_records import ACCEPTED, RECORD, object_in, read_whole

DAMAGED = "it is damaged, so that it is not known which code it names; no code goes"
UNREAD = "it cannot be read, so that it is not known which code it names; no code goes"
ASTRAY = "it leads nowhere, so that it is not known which code jobs there name; no code goes"
OPTIONS = ("snapshot", "provenance")
"""The options of a job that name code."""


class Naming:
    """Which code the jobs of a workspace name.

    Args:
        workspace: The workspace.
        options: The options of each job that the server knows, by identity.

    Attributes:
        unknown: Of what it is not known which code it names. As long as there is such a thing, no code may go.
    """

    def __init__(self, workspace: Path, options: Mapping[str, Mapping[str, Any]]) -> None:
        self._workspace, self._options = workspace, options
        self._known: dict[str, frozenset[str]] = {}
        self.unknown: list[Left] = []

    def by_server(self, identity: str) -> set[str]:
        """What a job names by the server."""
        options = self._options.get(identity, {})
        return {value for name in OPTIONS if isinstance(value := options.get(name), str) and value}

    def by_directory(self, relative: str) -> frozenset[str]:
        """What the records in a directory name. What cannot be told is added to `unknown`."""
        found = self._known.get(relative)
        if found is None:
            found = self._known[relative] = frozenset(self._read(relative))
        return found

    def unnamed(
        self, candidates: Collection[str], gone: Collection[str], tick: Callable[[int], None] = lambda _: None
    ) -> set[str]:
        """Those of some digests that nobody names who stays. It stops as soon as all of them are named.

        Args:
            candidates: The digests.
            gone: Jobs by identity, and directories within the workspace, that go.
            tick: Called with the number of directories that were read so far.
        """
        left = set(candidates)
        for identity in self._options.keys() - set(gone):
            left -= self.by_server(identity)
        for count, relative in enumerate(self._directories()):
            if not left:
                break
            if relative not in gone:
                left -= self.by_directory(relative)
            tick(count)
        return left

    def _directories(self) -> Iterator[str]:
        """The directories of all jobs, and what retries have set aside. Links are followed: people move jobs."""
        for folder in ("jobs", "old"):
            for task in self._entries(folder):
                for entry in self._entries(f"{folder}/{task}"):
                    if folder == "old" or IDENTITY.fullmatch(entry):
                        yield f"{folder}/{task}/{entry}"

    def _entries(self, relative: str) -> list[str]:
        path = self._workspace / relative
        if path.is_symlink() and not path.exists():
            self._note(relative, ASTRAY)
            return []
        try:
            return [entry.name for entry in listed(path) if not TRASH.fullmatch(entry.name)]
        except WorkspaceError:
            self._note(relative, UNREAD)
            return []

    def _read(self, relative: str) -> Iterator[str]:
        records = f"{relative}/.xpm/executions"
        read = [self._digests(f"{records}/{name}") for name in self._records(relative, records)]
        kept = f"{relative}/.xpm/handed.json"  # if it has secrets, only its owner can read it: then a record has to do
        read.append(self._digests(kept, spared=any(each is not None for each in read)))
        read.append(self._accepted(f"{relative}/.xpm/{ACCEPTED}"))
        for digests in read:
            yield from map(sys.intern, digests or ())

    def _records(self, relative: str, folder: str) -> list[str]:
        """The names of the records in the directory of a job."""
        try:
            return [name for name in os.listdir(f"{self._workspace}/{folder}") if RECORD.fullmatch(name)]
        except (FileNotFoundError, NotADirectoryError):
            path = f"{self._workspace}/{relative}"
            if os.path.islink(path) and not os.path.exists(path):
                self._note(relative, ASTRAY)
        except OSError:
            self._note(relative, UNREAD)
        return []

    def _digests(self, relative: str, *, spared: bool = False) -> set[str] | None:
        """What a file names; None if it is not there, or damaged. That is noted, unless the file is spared."""
        path = f"{self._workspace}/{relative}"
        try:
            content = read_whole(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            if not spared:
                self._note(relative, UNREAD)
            return None
        if object_in(content):
            return set(digests_in(content))
        if not spared:
            self._note(relative, DAMAGED)
        return None

    def _accepted(self, relative: str) -> set[str] | None:
        """What acceptances name. Lines that were cut, or changed, keep code like the others."""
        try:
            return set(digests_in(read_whole(f"{self._workspace}/{relative}")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self._note(relative, UNREAD)
            return None

    def _note(self, relative: str, why: str) -> None:
        left = Left(relative, why)
        if left not in self.unknown:
            self.unknown.append(left)
