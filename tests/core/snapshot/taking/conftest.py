"""Fixtures for snapshots: a process that has imported nothing of earlier tests, and an empty workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xpm_core.project.origin import project_of
from xpm_core.snapshot.taking.imported import Imports


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is forgotten afterwards. What pytest has imported before is none of the user's files."""
    path, before = list(sys.path), set(sys.modules)
    files = Imports.files
    monkeypatch.setattr(Imports, "files", lambda self: [each for each in files(self) if each.module not in before])
    project_of.cache_clear()
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(tmp_path) in f"{vars(sys.modules[name]).get('__file__')} {vars(sys.modules[name]).get('__path__')}":
            del sys.modules[name]
    project_of.cache_clear()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace that lies in no project."""
    (tmp_path / "elsewhere" / "workspace").mkdir(parents=True)
    return tmp_path / "elsewhere" / "workspace"
