"""Executions of a job as its directory sees them.

`from helpers.executions import run`; the fixture `job` is in core/workspace/conftest.py.
"""

from __future__ import annotations

from xpm_core.workspace.job_directory import JobDirectory

IDENTITY = "3f9ac2e1" * 8


def run(job: JobDirectory, execution: str, kind: str | None, number: int = 1, *, resumable: bool = False) -> int:
    """One execution as a worker does it; `kind` None: it was killed, and left neither record nor marker."""
    number = job.prepare(number, resumable=resumable)
    (job.path / "result").write_text(execution)
    with job.out.open("a") as out:
        out.write(f"{execution}\n")
    if kind is not None:
        job.write_record(number, execution, {"reason": kind})
        job.write_marker(kind, execution)  # type: ignore[arg-type]
    return number
