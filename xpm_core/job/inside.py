"""What a script may not do inside a job: open an experiment.

Owns: the check, and the stand-in for `experiment` that a job gets, which spares it the client of Redis.
"""

from __future__ import annotations

import os
from typing import Any

from xpm_core.errors import InsideJobError
from xpm_core.job.running import JOB_VARIABLE
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge


def refuse_inside_job(where: str) -> None:
    """Refuse to begin an experiment in a job.

    Raises:
        InsideJobError: This process is a job.
    """
    if identity := os.environ.get(JOB_VARIABLE):
        raise InsideJobError(where, identity)


class experiment:
    """What a job finds as `xpm_core.experiment`: its script may import it, a job may not begin it.

    Raises:
        InsideJobError: Always.
    """

    @edge
    def __init__(self, *_: Any, **__: Any) -> None:
        refuse_inside_job(format_line(caller()))
