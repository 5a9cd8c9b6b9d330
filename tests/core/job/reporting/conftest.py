"""A job that runs in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.reporting_jobs import ReportingJob


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReportingJob:
    """The job, in its first execution."""
    found = ReportingJob(tmp_path, monkeypatch)
    found.begin("first")
    return found
