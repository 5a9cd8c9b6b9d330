"""An experiment's directory: its runs, and links by which people find its jobs.

    runs/<time>/                    one run of the script: `results/` and `run.log`
    latest                          links to the newest run
    jobs/<task>/<tags>-<first 7>    links to a job's directory

Links are relative, so that a moved or differently mounted workspace still works.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from xpm_core.workspace.files import explained, link_atomic
from xpm_core.workspace.job_directory import JobDirectory

LONGEST_LABEL = 150
"""In bytes: with a job's identity, a name stays below the 255 that file systems allow."""

_UNSAFE = re.compile(r"[^\w.=+,@%-]+")


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run of an experiment's script."""

    path: Path

    @property
    def name(self) -> str:
        """When the run began, in local time: `20261124-053312`, with `-2` and so on if others began in that second."""
        return self.path.name

    @property
    def results(self) -> Path:
        """Folder for what the script writes, made when first asked for.

        Raises:
            WorkspaceError: It cannot be made.
        """
        folder = self.path / "results"
        with explained(folder, "cannot be made"):
            folder.mkdir(exist_ok=True)
        return folder

    @property
    def log(self) -> Path:
        """File for the run's log."""
        return self.path / "run.log"


@dataclass(frozen=True)
class ExperimentDirectory:
    """The directory of an experiment, made by `Workspace.experiment`.

    Example:
        >>> run = workspace.experiment("digits-grid").new_run()
        >>> run.results
        PosixPath('/data/xpm/experiments/digits-grid/runs/20261124-053312/results')
    """

    workspace: Path
    name: str

    @property
    def path(self) -> Path:
        """Where it lies on this machine."""
        return self.workspace / "experiments" / self.name

    @property
    def latest(self) -> Path:
        """Link to the newest run."""
        return self.path / "latest"

    def new_run(self) -> RunDirectory:
        """Make the directory of a run that begins now, and let `latest` link to it.

        Raises:
            WorkspaceError: It cannot be made.
        """
        runs = self.path / "runs"
        time = datetime.now().strftime("%Y%m%d-%H%M%S")
        with explained(runs, "cannot be made"):
            runs.mkdir(parents=True, exist_ok=True)
            run = runs / time
            count = 1
            while not _made(run):
                count += 1
                run = runs / f"{time}-{count}"
        link_atomic(self.latest, f"runs/{run.name}")
        return RunDirectory(run)

    def link_job(self, job: JobDirectory, tags: str = "") -> Path:
        """Link to a job's directory, under its task's name, its tags, and the first digits of its identity.

        Args:
            job: The job; its directory need not be there yet.
            tags: Its tags in one word, as `tagspath` makes it.

        Returns:
            The link; the same when it was there already.

        Raises:
            WorkspaceError: It cannot be made.
        """
        return Path(JobLinks(self).add(job, tags))


class JobLinks:
    """The links to an experiment's jobs. Their folders are listed once: in a later run, most are there already.

    Args:
        directory: The experiment's.
    """

    def __init__(self, directory: ExperimentDirectory) -> None:
        self._folder = f"{directory.workspace}/experiments/{directory.name}/jobs"
        self._there: dict[str, frozenset[str]] = {}

    def add(self, job: JobDirectory, tags: str = "") -> str:
        """Do as `ExperimentDirectory.link_job`."""
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


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


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
