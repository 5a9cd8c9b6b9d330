"""What is said of a job whose code cannot be imported."""

from __future__ import annotations

import os
import re
import sys

from xpm_core.errors import TaskImportError
from xpm_core.labels import short
from xpm_core.project.import_path import import_path
from xpm_core.wire import payload
from xpm_worker.job import kept_code
from xpm_worker.protocol.messages import RunJob

LONGEST_NAME, LONGEST_LOOKED = 200, 500
"""Characters of the name of a missing module, and of the list of folders where it was looked for."""


def missing_module(job: RunJob, error: BaseException | None) -> str:
    """Return the module that was not found when the job's code was imported; empty for other errors.

    If a module is missing, this worker lacks it: another worker may be able to run the job. But a module that the
    project has, and its snapshot has not, is missing everywhere.
    """
    if isinstance(error, TaskImportError) and isinstance(error.__cause__, ModuleNotFoundError):
        name = error.__cause__.name or error.module
        return "" if kept_code.live_file_of(name, kept_code.code_of(job)) else name[:LONGEST_NAME]
    return ""


def looked_in(job: RunJob) -> str:
    """Return where this process looks for modules, as messages say it."""
    code = kept_code.code_of(job)
    _, named = payload.first_module(job.payload, code)
    gone = [each for each in named.own_folders if not os.path.isdir(each) and not code.holds(each)]
    away = [f"{folder} (named by the script; not on this machine)" for folder in gone]
    kept = f" (snapshot {short(job.snapshot)})"
    own = [f"{code.there(each)}{kept}" if code.holds(each) else each for each in import_path().own_folders]
    return ", ".join([*away, *own, f"the packages of {sys.prefix}"])[:LONGEST_LOOKED]


def message(job: RunJob, error: TaskImportError) -> str:
    """Return the error's message for the log and the record.

    Args:
        job: The job.
        error: Why its code cannot be imported.

    Example:
        >>> message(job, error)
        "Worker w7 on node12: cannot import 'models' (no module named 'models'), needed by Train/3f9ac2e: looked in ..."
    """
    remedy = error.remedy
    if error.__cause__ is not None and not isinstance(error.__cause__, ImportError):
        remedy = 'Its module raised that: mend it, or put what it runs under `if __name__ == "__main__":`.'
    where = f": looked in {looked_in(job)}" if missing_module(job, error) else ""
    if isinstance(error.__cause__, ImportError) and (hint := kept_code.hint(job, error)):
        remedy = hint
    daemon = re.sub(r"\.[0-9]+$", "", job.worker)  # the name without the slot's number, because all slots import alike
    return (
        f"Worker {daemon} on {job.host}: cannot import {error.needed!r} ({error.reason}), needed by "
        f"{job.label}{where}. {remedy}"
    )
