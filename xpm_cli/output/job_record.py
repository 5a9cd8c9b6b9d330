"""A job of a list as programs get it: one flat record, the same in JSON, JSON lines and CSV.

Owns: its fields (docs/reference/json.md).
"""

from __future__ import annotations

from typing import Any

from xpm_cli.output.json_form import moment
from xpm_core.reading.listing.row import JobRow

FIELDS = (
    "id", "state", "task", "tags", "params", "experiments", "queue", "tokens", "attempts", "submitted", "started",
    "ended", "worker", "host", "code", "commit", "packages", "progress", "error", "blocked_by", "reason", "why",
    "results",
)  # fmt: skip


def job_record(row: JobRow, why: dict[str, Any] | None = None) -> dict[str, Any]:
    """The record of a job. A fact that is not known, or that there is none of, is null.

    Args:
        row: The job.
        why: Why it does not run, as `xpm why --json` says it.
    """
    job = row.job
    found = {
        "id": row.identity,
        "state": row.state.value if row.state else None,
        "task": row.task,
        "tags": None if row.tags is None else dict(row.tags),
        "params": None if row.params is None else dict(row.params),
        "experiments": sorted(row.experiments),
        "queue": row.queue,
        "tokens": None if row.demand is None else dict(row.demand),
        "attempts": row.attempts,
        "submitted": moment(row.submitted_s or 0),
        "started": moment(row.started_s or 0),
        "ended": moment(row.ended_s or 0),
        "worker": row.worker or None,
        "host": row.host or None,
        "code": row.code or None,
        "commit": row.commit or None,
        "packages": row.packages or None,
        "progress": (job.progress or None) if job else None,
        "error": dict(row.error) or None,
        "blocked_by": (job.root or None) if job else None,
        "reason": (job.reason or None) if job else None,
        "why": why,
        "results": None if row.results is None else dict(row.results),
    }
    assert tuple(found) == FIELDS
    return found
