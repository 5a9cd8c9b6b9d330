"""What lies in the folders of a workspace: directories of jobs, trash of an earlier removal, and what is neither.

Owns: the names that trash has. Trash is a directory of a job or a run that was renamed, and is no result any more.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from xpm_core.cleaning.records import Left
from xpm_core.cleaning.trees import Mounts
from xpm_core.workspace.files import explained

IDENTITY = re.compile(r"[0-9a-f]{64}")
TRASH = re.compile(r"\.removed-(\d+)-[0-9a-z-]+")
TRASH_S = 600
"""How old trash has to be, in seconds, for another removal to take it."""
LINK, MOUNT = "it is a link", "it is a mount, or has one in it"


def trash_name(name: str) -> str:
    """A name for what is removed, beside it: so it stays on its file system."""
    return f".removed-{int(time.time())}-{os.urandom(4).hex()}-{name[:16].lower()}"


@dataclass
class Places:
    """What lies in a workspace.

    Attributes:
        jobs: The directory of each job, within the workspace, by identity.
        fixed: The same of jobs whose directories cannot be removed. They are not in `jobs`.
        trash: Trash that nobody is about to remove.
        strange: What is not as xpm makes it: links and mounts. It stays.
    """

    workspace: Path
    jobs: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    trash: list[str] = field(default_factory=list)
    strange: list[Left] = field(default_factory=list)

    @classmethod
    def read(cls, workspace: Path, tick: Callable[[int], None] = lambda _: None) -> Places:
        """Look what lies in a workspace; `tick` is called with the number of jobs that were found so far."""
        found = cls(workspace)
        mounts = Mounts(workspace)
        for task in found._folders("jobs"):
            found._take_task(f"jobs/{task.name}", mounts)
            tick(len(found.jobs))
        found.trash += [f"code/{each.name}" for each in listed(workspace / "code") if is_trash(each.name)]
        for experiment in found._folders("experiments"):
            runs = f"experiments/{experiment.name}/runs"
            found.trash += [f"{runs}/{each.name}" for each in listed(workspace / runs) if is_trash(each.name)]
        return found

    def _take_task(self, folder: str, mounts: Mounts) -> None:
        for entry in listed(self.workspace / folder):
            relative = f"{folder}/{entry.name}"
            if is_trash(entry.name):
                self.trash.append(relative)
            elif not IDENTITY.fullmatch(entry.name):
                continue
            elif entry.is_symlink():
                self._fix(relative, LINK)
            elif mounts.within(entry.path):
                self._fix(relative, MOUNT)
            elif entry.name in self.jobs:
                self._fix(relative, f"the same job lies in {self.jobs.pop(entry.name)}")
            elif entry.is_dir():
                self.jobs[entry.name] = relative

    def _fix(self, relative: str, why: str) -> None:
        self.fixed[relative.rpartition("/")[2]] = relative
        self.strange.append(Left(relative, why))

    def _folders(self, name: str) -> Iterator[os.DirEntry[str]]:
        """The folders in a folder of the workspace. Links are not followed."""
        if (self.workspace / name).is_symlink():
            self.strange.append(Left(name, LINK))
            return
        for entry in listed(self.workspace / name):
            if entry.is_symlink():
                self.strange.append(Left(f"{name}/{entry.name}", LINK))
            elif entry.is_dir():
                yield entry


def is_trash(name: str) -> bool:
    """Whether a name is that of trash which is old enough to be taken."""
    found = TRASH.fullmatch(name)
    return found is not None and time.time() - int(found[1]) > TRASH_S


def listed(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing if there is no such folder.

    Raises:
        WorkspaceError: It cannot be read. What lies there is then not known, so that nothing can be decided.
    """
    with explained(folder, "cannot be listed"):
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
