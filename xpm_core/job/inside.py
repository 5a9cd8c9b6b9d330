"""What a script may not do inside a job: open an experiment.

Owns: the check, and the `experiment` that a job gets in place of the real one. With it, a job does not load the client
of Redis.
"""

from __future__ import annotations

import os
from typing import Any

from xpm_core.errors import InsideJobError
from xpm_core.job.running import JOB_VARIABLE
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge


def refuse_inside_job(where: str) -> None:
    """Refuse to open an experiment in a job.

    Args:
        where: The line that opens it, as `sweep.py:42`.

    Raises:
        InsideJobError: This process is a job.
    """
    if identity := os.environ.get(JOB_VARIABLE):
        raise InsideJobError(where, identity)


class experiment:
    """What `xpm_core.experiment` is inside a job: the job's script may import it, but not open it.

    Raises:
        InsideJobError: Always.
    """

    @edge
    def __init__(self, *_: Any, **__: Any) -> None:
        refuse_inside_job(format_line(caller()))
