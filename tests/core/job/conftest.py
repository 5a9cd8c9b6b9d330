"""A job in this process, and the progress that it reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers.told_progress import Told, quiet
from helpers.waiting import wait_until

from xpm_core.job import progress as reporting
from xpm_core.job import running as job
from xpm_core.job.running import RunningJob
from xpm_core.workspace.job_directory import JobDirectory


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Told]:
    """What is told, as if a job ran in this process."""
    words: Told = []

    def report(kind: str, data: dict[str, Any]) -> bool:
        assert kind == "progress"
        words.append(data)
        return True

    current = RunningJob(
        "T/1", JobDirectory(tmp_path, "jobs/t/1"), left_s=lambda: None, report=report, output=lambda data: None
    )
    monkeypatch.setattr(job, "current", current)
    monkeypatch.setattr(reporting, "_reporter", None)
    monkeypatch.setattr(reporting, "SHORTEST_PAUSE_S", 0.01)
    yield words
    wait_until(quiet)
