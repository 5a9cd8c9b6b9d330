"""Fixtures for tests of the workspace."""

from __future__ import annotations

import pytest
from helpers.executions import IDENTITY

from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace


@pytest.fixture
def job(workspace: Workspace) -> JobDirectory:
    return workspace.job("sweep:Train", IDENTITY)
