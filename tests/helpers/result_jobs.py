"""Jobs with results, as a table of results gets them, without a workspace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpm_core.labels import bare_class, title
from xpm_core.results.jobs import Known
from xpm_core.results.listed import table_of
from xpm_core.results.table import Table
from xpm_core.states import State

WORKSPACE = Path("/workspace")


@dataclass
class FakeJob:
    """A job in a list.

    Example:
        >>> job = FakeJob({"lr": 0.1, "seed": 3}, {"accuracy": 0.9})
    """

    params: Mapping[str, Any]
    results: Mapping[str, Any] = field(default_factory=dict)
    state: State | None = State.DONE
    task: str | None = "study:Train"
    tags: Mapping[str, Any] = field(default_factory=dict)
    experiments: Sequence[str] = ("digits",)
    code: str | None = "8c1f2e000000"
    commit: str | None = "1a2b3c4d5e6f"
    packages: str | None = "5d20b1100000"
    host: str | None = "gpu-a"
    worker: str | None = "gpu-a.0"
    queue: str | None = "default"
    demand: Mapping[str, int] = field(default_factory=dict)
    error_type: str | None = ""
    attempts: int | None = 1
    submitted_s: float | None = 1000.0
    started_s: float | None = 1010.0
    ended_s: float | None = 1070.0

    @property
    def identity(self) -> str:
        """An identity that follows from task and parameters."""
        return hashlib.sha256(json.dumps([self.task, dict(self.params)], default=str).encode()).hexdigest()

    @property
    def name(self) -> str:
        return bare_class(self.task or "")

    @property
    def title(self) -> str:
        return title(self.name, self.tags)


def known(others: Sequence[FakeJob] = ()) -> Known:
    """What a table knows besides its jobs."""
    return Known(WORKSPACE, lambda: others)


def table(jobs: Sequence[FakeJob], others: Sequence[FakeJob] = (), **options: Any) -> Table:
    """The table of some jobs. They have no directories, and the table does not say so."""
    found = table_of(jobs, WORKSPACE, lambda: [*jobs, *others], **options)
    found.notes = [note for note in found.notes if "gone: " not in note]
    return found
