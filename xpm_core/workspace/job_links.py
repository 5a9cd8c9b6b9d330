"""Links from an experiment's directory to the directories of its jobs.

    jobs/<task>/<tags>-<first 7>    a link to a job's directory; the name ends with 7 digits of the job's identity

Links are relative, so that they still work when the workspace is moved, or mounted elsewhere.

A folder of readable links, for programs that show many directories at once, has `<tags>` alone where that is enough.
"""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

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


class ReadableLinks:
    """Links to the directories of jobs in one folder of the user's, with the shortest names that tell them apart.

    A name is made of a job's tags, as `tagspath` makes it. If several jobs have the same tags, or a job has none, the
    name ends with 7 digits of its identity, or with all of them. The folder may have other files: they stay.

    Args:
        folder: The folder, which is made if it does not exist.
        workspace: The workspace's directory. Links that lead into it are the ones that are kept up to date.

    Example:
        >>> ReadableLinks(Path("/tmp/runs"), workspace.path).update([(job.directory, "lr=0.1,model=mlp")])
        1
    """

    def __init__(self, folder: Path, workspace: Path) -> None:
        self.folder = folder
        self._jobs = f"{workspace}/jobs/"
        self._there: set[str] = set()
        """The jobs whose directories were there. They are not looked for again, because there may be many."""
        self._made: dict[str, str] = {}
        """By name, where the links lead that were there after the last update."""

    def has(self, job: JobDirectory) -> bool:
        """Whether a job has, or had, a directory."""
        if job.identity in self._there:
            return True
        if job.path.is_dir():
            self._there.add(job.identity)
        return job.identity in self._there

    def update(self, jobs: Iterable[tuple[JobDirectory, str]]) -> int:
        """Let the folder have a link for each of these jobs that has a directory, and for no other job.

        Args:
            jobs: The jobs, each with its tags in one word; the tags are empty for none.

        Returns:
            How many jobs have a link.

        Raises:
            WorkspaceError: The folder or a link cannot be made.
        """
        wanted = _named([(job, tags) for job, tags in jobs if self.has(job)])
        with explained(str(self.folder), "cannot be linked in"):
            self.folder.mkdir(parents=True, exist_ok=True)
            there = set(os.listdir(self.folder))
            for name in there:
                link = f"{self.folder}/{name}"
                if name not in wanted and _target(link).startswith(self._jobs):
                    os.unlink(link)
            for name, job in wanted.items():
                link, target = f"{self.folder}/{name}", str(job.path)
                if name in there and self._made.get(name) == target:
                    continue
                if (found := _target(link)) != target:
                    if not found and os.path.lexists(link):
                        raise FileExistsError(errno.EEXIST, "something else has this name", link)
                    link_atomic(link, target)
                self._made[name] = target
        return len(wanted)


def _named(jobs: Iterable[tuple[JobDirectory, str]]) -> dict[str, JobDirectory]:
    """The jobs by the names of their links."""
    left = [(job, _plain(tags)) for job, tags in jobs]
    found: dict[str, JobDirectory] = {}
    for digits in (0, 7, 64):  # at last the whole identity, which no other job has
        ends = [(job, tags, _joined(tags, job, digits)) for job, tags in left]
        counts = Counter(name for _, _, name in ends if name not in found)
        found.update((name, job) for job, _, name in ends if name and counts[name] == 1)
        left = [(job, tags) for job, tags, name in ends if not name or counts[name] != 1]
    return found


def _joined(tags: str, job: JobDirectory, digits: int) -> str:
    """The name of a link with so many digits of the identity; empty if it would be empty."""
    return "-".join(filter(None, [tags if tags or not digits else job.name, job.identity[:digits]]))


def _plain(tags: str) -> str:
    """Tags in a form that is safe as a file name and leaves room for an identity."""
    return _prefix(tags).removesuffix("-")


def _target(link: str) -> str:
    """Where a link leads; empty if it is none."""
    try:
        return os.readlink(link)
    except OSError:  # a file or folder, or nothing
        return ""


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
    return _target(link) == target


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
