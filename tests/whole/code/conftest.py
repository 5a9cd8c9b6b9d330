"""Projects of users, whose jobs run from snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.user_scripts import Desktop
from helpers.witness_projects import Project


@pytest.fixture
def project(desktop: Desktop, snapshots_on: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that is not written yet."""
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    return Project(desktop, tmp_path / "digits")
