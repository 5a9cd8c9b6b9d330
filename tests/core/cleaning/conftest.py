"""A workspace to clean."""

from __future__ import annotations

import pytest
import redis
from helpers.cleanings import Cleaner
from helpers.simulated_jobs import Lab

from xpm_core.workspace.workspace import Workspace


@pytest.fixture
def cleaner(workspace: Workspace, redis_client: redis.Redis) -> Cleaner:
    lab = Lab(workspace, redis_client)
    lab.join()
    return Cleaner(lab)
