"""Executions of a job that run in the test's process, as far as what they report goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.job import running as job
from xpm_core.job.running import RunningJob
from xpm_core.workspace.job_directory import JobDirectory


class ReportingJob:
    """A job and its directory.

    Args:
        folder: Where its workspace lies.
        monkeypatch: Makes it the job of this process.

    Example:
        >>> ReportingJob(tmp_path, monkeypatch).begin("first")
        >>> result("accuracy", 0.9)
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.directory = JobDirectory(folder, "jobs/m.learn/" + "0" * 64)
        self.directory.path.parent.mkdir(parents=True)
        self.directory.prepare(1)

    @property
    def path(self) -> Path:
        """Its directory."""
        return self.directory.path

    def begin(self, execution: str) -> RunningJob:
        """Begin an execution."""
        found = RunningJob(
            "Learn/0000000",
            self.directory,
            execution,
            left_s=lambda: None,
            report=lambda kind, data: True,
            output=lambda data: None,
        )
        self._monkeypatch.setattr(job, "current", found)
        return found
