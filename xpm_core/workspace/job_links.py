"""Links from an experiment's directory to the directories of its jobs.

    jobs/<task>/<tags>-<first 7>    a link to a job's directory; the name ends with 7 digits of the job's identity

Links are relative, so that they still work when the workspace is moved, or mounted elsewhere.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from xpm_core.labels import short
from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.files import explained, link_atomic
from xpm_core.workspace.job_directory import JobDirectory

LONGEST_PREFIX = 150
"""How long the tags in a name may be, in bytes. With a whole identity, the name stays below the 255 bytes that file
systems allow."""

_UNSAFE = re.compile(r"[^\w.=+,@%-]+")


class JobLinks:
    """The links to an experiment's jobs. Each folder is listed once, because in a later run most links exist already.

    Args:
        directory: The experiment's directory.
    """

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._folder = f"{directory.workspace}/experiments/{directory.name}/jobs"
        self._there: dict[str, frozenset[str]] = {}

    def add(self, job: JobDirectory, tags: str = "") -> str:
        """Link to a job's directory. The link's name is made of the job's tags and the first digits of its identity.

        Args:
            job: The job's directory, which need not exist yet.
            tags: The job's tags in one word, as `tagspath` makes it.

        Returns:
            The link's path, also if the link existed already.

        Raises:
            WorkspaceError: It cannot be made.
        """
        folder, target = f"{self._folder}/{job.name}", f"../../../../{job.relative}"
        if (there := self._there.get(folder)) is None:
            there = self._there[folder] = _listed(folder)
        prefix = _prefix(tags)
        if (first := f"{prefix}{short(job.identity)}") in there and _links(f"{folder}/{first}", target):
            return f"{folder}/{first}"
        with explained(folder, "cannot be linked in"):
            for digits in (7, 16):  # 16 if another job has the same tags and first 7 digits
                link = f"{folder}/{prefix}{job.identity[:digits]}"
                if _linked(link, target):
                    return link
        link = f"{folder}/{prefix}{job.identity}"
        link_atomic(link, target)
        return link


def _linked(link: str, target: str) -> bool:
    """Make a link, unless something has that name; return whether the name now links to `target`."""
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
    except OSError:  # making a link will raise the error, if it lasts
        return frozenset()


@lru_cache(maxsize=1024)
def _prefix(tags: str) -> str:
    """Tags in a form that is safe as the first part of a file name."""
    safe = _UNSAFE.sub("_", tags).lstrip(".-").encode()[:LONGEST_PREFIX].decode(errors="ignore")
    return f"{safe}-" if safe else ""
