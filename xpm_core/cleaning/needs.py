"""Which jobs a job needs, by its directory and by the server, and all that jobs need through others.

The server forgets what a done job has needed, so its directory has to say it: `.xpm/handed.json` names the jobs that it
waited for, `params.json` the directories that its parameters lead to. Links in the directory count, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from xpm_core.cleaning.places import listed
from xpm_core.workspace.files import explained
from xpm_core.workspace.job_records import object_in, read_whole

_IDENTITY = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class Needs:
    """What the jobs of a workspace need.

    Args:
        workspace: The workspace.
        directories: The directory of each job, within the workspace.
        on_server: What the server says that jobs need: those that it knows, and that are not done.
    """

    def __init__(
        self, workspace: Path, directories: Mapping[str, str], on_server: Mapping[str, Collection[str]]
    ) -> None:
        self._workspace, self._directories, self._on_server = workspace, directories, on_server
        self._known: dict[str, frozenset[str]] = {}

    def of(self, identity: str) -> frozenset[str]:
        """The jobs that a job needs directly.

        Raises:
            WorkspaceError: Its directory cannot be read.
        """
        found = self._known.get(identity)
        if found is None:
            directory = self._directories.get(identity)
            read = _by_directory(f"{self._workspace}/{directory}") if directory else set()
            found = frozenset(read.union(self._on_server.get(identity, ())) - {identity})
            self._known[identity] = found
        return found

    def closure(self, identities: Iterable[str], tick: Callable[[int], None] = lambda _: None) -> set[str]:
        """Some jobs, and all that they need, directly or through others."""
        found, waiting = set[str](), list(identities)
        while waiting:
            identity = waiting.pop()
            if identity not in found:
                found.add(identity)
                tick(len(found))
                waiting += self.of(identity) - found
        return found

    def users_first(self, identities: Collection[str]) -> list[str]:
        """Some jobs in an order in which each comes before those that it needs."""
        chosen, left, found = set(identities), set(identities), list[str]()
        for start in sorted(chosen):
            path = [(start, iter(self.of(start) & left))] if start in left else []
            left.discard(start)
            while path:
                need = next((each for each in path[-1][1] if each in left), None)
                if need is None:
                    found.append(path.pop()[0])
                else:
                    left.discard(need)
                    path.append((need, iter(self.of(need) & left)))
        return found[::-1]


def _by_directory(path: str) -> set[str]:
    """The identities that the files of a job's directory name.

    Raises:
        WorkspaceError: They cannot be read, so that it is not known what the job needs.
    """
    found: set[str] = set()
    for entry in listed(Path(path)):
        if entry.is_symlink():
            found.update(_IDENTITY.findall(os.readlink(entry.path)))
    found.update(_IDENTITY.findall(_content(f"{path}/params.json").decode("utf-8", "replace")))
    needs = object_in(_content(f"{path}/.xpm/handed.json")).get("needs")
    return found.union(each for each in needs if isinstance(each, str)) if isinstance(needs, list) else found


def _content(path: str) -> bytes:
    with explained(path, "cannot be read"):
        try:
            return read_whole(path)
        except (FileNotFoundError, NotADirectoryError):
            return b""
