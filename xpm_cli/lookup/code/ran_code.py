"""The code that a job ran, and what it has reported with it.

Owns: which of a job's records counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpm_cli.lookup.code.job_code import JobCode
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported.results_file import results_in


def ran(directory: JobDirectory, job: JobRow | None = None) -> tuple[JobCode, Mapping[str, Any]]:
    """The code of a job, and what it has reported.

    They are those of the record that counts, else of its latest one. Of a job that has not ended, they are its code as
    the server would run it, and no results.

    Args:
        directory: The job's directory.
        job: What the server says of it; None without it.
    """
    marker, records = directory.marker(), directory.records()
    counting = [record for record in records if marker is None or record.get("execution") == marker.execution]
    options = job.job.options if job is not None and job.job is not None else None
    unfinished = job is not None and job.state not in (State.DONE, State.FAILED, State.CANCELLED)
    record = {} if unfinished and options else next(iter(counting[-1:] or records[-1:]), {})
    return JobCode.of(directory.workspace, record, options), {} if unfinished else results_in(record)
