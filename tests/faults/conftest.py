"""A desktop: a folder for scripts, with a workspace. An island: a machine whose network can be cut."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import require
from islands import Island
from scripts import Desktop

from xpm_core.server.binary import ServerProgram


@pytest.fixture
def desktop(tmp_path: Path, server_program: ServerProgram) -> Iterator[Desktop]:
    """Scripts in files, run in processes of their own; what they leave behind is ended."""
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.clear()


@pytest.fixture
def island() -> Iterator[Island]:
    """A network namespace; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a network namespace")
    require(shutil.which("ip"), "ip (iproute2)")
    try:
        island = Island()
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    yield island
    island.sink()
