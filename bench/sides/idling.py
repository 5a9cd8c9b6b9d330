"""The least that a job can be, in a module of its own, as RQ's is in rq_jobs.py."""

from __future__ import annotations

from xpm_core import Param, Task


class Nothing(Task):
    """The least that a job can be."""

    index: Param[int]

    def execute(self) -> None:
        pass
