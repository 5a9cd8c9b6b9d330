"""A desktop: a folder for scripts, with a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import Desktop

from xpm_core.store.binary import ServerProgram


@pytest.fixture
def desktop(tmp_path: Path, server_program: ServerProgram) -> Iterator[Desktop]:
    """Scripts in files, run in processes of their own; what they leave behind is ended."""
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.clear()
