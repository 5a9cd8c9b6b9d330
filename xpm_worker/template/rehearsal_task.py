"""The task of a rehearsal: a process runs it before it gets a job, see rehearsal.py. No script submits it."""

from __future__ import annotations

from pathlib import Path

from xpm_core.config import Meta, Param, PathGenerator, Task, field


class Rehearsal(Task):
    """A task with the kinds of parameters that most tasks have.

    It refers to no other class, because caches of `typing` would keep that.
    """

    name: Param[str]
    size: Param[int] = field(default=1)
    names: Param[list[str]]
    path: Meta[Path] = field(default_factory=PathGenerator("made"))

    def execute(self) -> None:
        """Do nothing."""
