"""Markers that no worker has written: a script that tracks the jobs writes them.

A worker may be killed between the accepted end of a job and its marker. Redis names the execution that counts, and its
record is in the job's directory.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from xpm_core.errors import WorkspaceError
from xpm_core.states import Event, State
from xpm_core.store import reading

if TYPE_CHECKING:
    from xpm_core.store.jobs import Store
    from xpm_core.store.reading import Job
    from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")

WRITTEN_S = 1.0
"""How long a worker that lives may take to write a marker, after the end that a script hears of."""

_POLL_S = 0.005


class Followed(Protocol):
    """A job that a script follows, as far as its markers are concerned: see `TrackedJob`."""

    identity: str
    directory: JobDirectory
    state: State
    reused: bool
    marked: bool

    @property
    def label(self) -> str: ...


F = TypeVar("F", bound=Followed)


def mark_done(directory: JobDirectory, execution: str) -> bool:
    """Write the `done` marker of an execution, if its record shows that it succeeded; return whether it does.

    Raises:
        WorkspaceError: The marker cannot be written.
    """
    record = directory.record(execution)
    if record is None or record.get("reason") != "done":
        return False
    directory.write_marker("done", execution)
    return True


def unmarked(jobs: Iterable[F]) -> list[F]:
    """The jobs that are done by what this script knows, and not by their directories, even after a moment."""
    deadline = time.monotonic() + WRITTEN_S
    lacking = [job for job in jobs if job.state is State.DONE and not job.reused and not _marked(job)]
    while lacking and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        lacking = [job for job in lacking if not _marked(job)]
    return lacking


def _marked(job: Followed) -> bool:
    job.marked = job.marked or job.directory.is_marked()
    return job.marked


def mark_all(store: Store, lacking: Iterable[Followed]) -> None:
    """Write the `done` markers of jobs that Redis says are done, or knows nothing of: then their last record counts."""
    jobs = list(lacking)
    known = {job.identity: job for job in reading.jobs(store.client, store.w, [job.identity for job in jobs])}
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


def mark_lost(jobs: Mapping[str, Followed], known: Iterable[Job]) -> None:
    """Mark the directories of jobs that failed because their workers were lost: no worker is left to do it."""
    for each in known:
        if each.state is State.FAILED and each.reason == Event.LOST:
            with contextlib.suppress(WorkspaceError):  # it may not have come to a directory
                jobs[each.identity].directory.write_lost(each.execution)
