"""Links from an experiment's directory to the directories of its jobs.

    jobs/<task>/<tags>-<first 7>    links to a job's directory

Links are relative, so that a moved or differently mounted workspace still works.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.files import explained, link_atomic
from xpm_core.workspace.job_directory import JobDirectory

LONGEST_LABEL = 150
"""In bytes: with a job's identity, a name stays below the 255 that file systems allow."""

_UNSAFE = re.compile(r"[^\w.=+,@%-]+")


class JobLinks:
    """The links to an experiment's jobs. Their folders are listed once: in a later run, most are there already.

    Args:
        directory: The experiment's.
    """

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._folder = f"{directory.workspace}/experiments/{directory.name}/jobs"
        self._there: dict[str, frozenset[str]] = {}

    def add(self, job: JobDirectory, tags: str = "") -> str:
        """Link to a job's directory, under its task's name, its tags, and the first digits of its identity.

        Args:
            job: The job; its directory need not be there yet.
            tags: Its tags in one word, as `tagspath` makes it.

        Returns:
            The link; the same when it was there already.

        Raises:
            WorkspaceError: It cannot be made.
        """
        folder, target = f"{self._folder}/{job.name}", f"../../../../{job.relative}"
        if (there := self._there.get(folder)) is None:
            there = self._there[folder] = _listed(folder)
        label = _label(tags)
        if (first := f"{label}{job.identity[:7]}") in there and _links(f"{folder}/{first}", target):
            return f"{folder}/{first}"
        with explained(folder, "cannot be linked in"):
            for digits in (7, 16):  # more if another job has the same tags and first digits
                link = f"{folder}/{label}{job.identity[:digits]}"
                if _linked(link, target):
                    return link
        link = f"{folder}/{label}{job.identity}"
        link_atomic(link, target)
        return link


def _linked(link: str, target: str) -> bool:
    """Whether `link` now links to `target`; what else stands there is left."""
    try:
        os.symlink(target, link)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(link), exist_ok=True)
        return _linked(link, target)
    except FileExistsError:
        return _links(link, target)
    return True


def _links(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target
    except OSError:  # a file or folder, or nothing
        return False


def _listed(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:  # making links will tell
        return frozenset()


@lru_cache(maxsize=1024)
def _label(tags: str) -> str:
    """Tags as the first part of a file name."""
    safe = _UNSAFE.sub("_", tags).lstrip(".-").encode()[:LONGEST_LABEL].decode(errors="ignore")
    return f"{safe}-" if safe else ""
