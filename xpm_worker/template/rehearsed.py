"""What a process runs that stands by, before it is given a job: see rehearsal.py. Nobody submits this."""

from __future__ import annotations

from pathlib import Path

from xpm_core.config import Meta, Param, PathGenerator, Task, field


class Rehearsed(Task):
    """A task with what most tasks have. It refers to no other class: caches of `typing` would keep that."""

    name: Param[str]
    size: Param[int] = field(default=1)
    names: Param[list[str]]
    path: Meta[Path] = field(default_factory=PathGenerator("made"))

    def execute(self) -> None:
        """Do nothing."""
