"""The storm, for a short time; `make storm` lets it blow longer. The seed is printed, and can be given."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import storm
from helpers.private_server import PrivateServer

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]

SECONDS = float(os.environ.get("XPM_STORM_SECONDS", "20" if os.environ.get("CI") == "true" else "6"))
SEED = int(os.environ.get("XPM_STORM_SEED", random.SystemRandom().randrange(10**6)))


def test_a_storm_breaks_no_promise(fresh_server: Callable[..., PrivateServer], tmp_path: Path) -> None:
    print(f"XPM_STORM_SEED={SEED} XPM_STORM_SECONDS={SECONDS:g}")
    done = storm.run(fresh_server(aof=True), tmp_path, SEED, SECONDS)
    print(done)
    assert done.deeds
    assert done.weighed
