"""Markers that no worker has written: a script that tracks the jobs writes them.

A worker may be killed after Redis has accepted the end of a job, and before it has written the marker. Redis names the
execution that counts, and the record of that execution is in the job's directory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xpm_core.errors import WorkspaceError
from xpm_core.reading.jobs import JobReader
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.store.jobs import Store
    from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")

WRITTEN_S = 1.0
"""How long, in seconds, a living worker may take to write a marker after the script has learnt of the end."""

_POLL_S = 0.005


def mark_done(directory: JobDirectory, execution: str) -> bool:
    """Write the `done` marker of an execution, if its record shows that it succeeded.

    Returns:
        Whether the record shows that.

    Raises:
        WorkspaceError: The marker cannot be written.
    """
    record = directory.record(execution)
    if record is None or record.get("reason") != "done":
        return False
    directory.write_marker("done", execution)
    return True


def unmarked(jobs: Iterable[TrackedJob]) -> list[TrackedJob]:
    """The jobs that are done as far as the script knows, but whose directories do not say so, even after a moment."""
    deadline = time.monotonic() + WRITTEN_S
    found = [job for job in jobs if job.state is State.DONE and not job.reused and not _is_marked(job)]
    while found and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        found = [job for job in found if not _is_marked(job)]
    return found


def _is_marked(job: TrackedJob) -> bool:
    job.marked = job.marked or job.directory.is_marked()
    return job.marked


def mark_all(store: Store, unmarked: Iterable[TrackedJob]) -> None:
    """Write the `done` markers of jobs that are done according to Redis.

    If Redis does not know a job any more, the last record in its directory counts.
    """
    jobs = list(unmarked)
    known = {job.identity: job for job in JobReader(store.client, store.w).read(job.identity for job in jobs)}
    for job in jobs:
        try:
            if job.identity not in known:
                job.marked = _mark_last(job.directory)
            elif known[job.identity].state is State.DONE:
                job.marked = mark_done(job.directory, known[job.identity].execution)
        except WorkspaceError as error:  # the next look at the job mends it
            log.warning("%s: %s", job.label, error)


def _mark_last(directory: JobDirectory) -> bool:
    records = directory.records()
    return bool(records) and mark_done(directory, records[-1]["execution"])
