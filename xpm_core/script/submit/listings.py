"""The job directories of a task that exist, by one listing instead of one call for each job."""

from __future__ import annotations

import contextlib
import os
import time

from xpm_core.workspace.job_directory import JobDirectory

LISTED_S = 10.0
"""How long a listing of a task's folder counts, seconds."""

_NEVER: tuple[frozenset[str], float] = frozenset(), 0.0


class Listings:
    """The jobs that have a directory, by one listing for all jobs of a task.

    It misses a directory that was made later. That does no harm: the server knows the job, or its worker looks itself.
    """

    def __init__(self) -> None:
        self._taken: dict[str, tuple[frozenset[str], float]] = {}
        """The names in each folder, and until when they count."""

    def marked(self, job: JobDirectory) -> bool:
        """Whether a job's directory has a `done` marker."""
        folder = job.folder
        names, till_s = self._taken.get(folder, _NEVER)
        if (now_s := time.monotonic()) >= till_s:
            names = frozenset()
            with contextlib.suppress(OSError):
                names = frozenset(os.listdir(folder))
            self._taken[folder] = names, now_s + LISTED_S
        return job.identity in names and job.is_marked()
