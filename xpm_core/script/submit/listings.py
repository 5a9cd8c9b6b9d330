"""Which job directories of a task exist, listed once instead of one call for each job."""

from __future__ import annotations

import contextlib
import os
import time

from xpm_core.workspace.job_directory import JobDirectory

LISTED_S = 10.0
"""How long a listing of a task's folder is believed."""

_NEVER: tuple[frozenset[str], float] = frozenset(), 0.0

LISTING_LAG_S = 120.0
"""How long a network file system may say that a directory is not there; a marker counts as missing only after."""


class Listings:
    """Which jobs have a directory, by one listing for all jobs of a task.

    A directory that was made since is missed: then the server knows the job, or whoever is to run it looks.
    """

    def __init__(self) -> None:
        self._taken: dict[str, tuple[frozenset[str], float]] = {}
        """What each folder has, and till when that is believed."""

    def marked(self, job: JobDirectory) -> bool:
        """Whether a job's directory says that it is done."""
        folder = job.folder
        names, till_s = self._taken.get(folder, _NEVER)
        if (now_s := time.monotonic()) >= till_s:
            names = frozenset()
            with contextlib.suppress(OSError):
                names = frozenset(os.listdir(folder))
            self._taken[folder] = names, now_s + LISTED_S
        return job.identity in names and job.is_marked()
