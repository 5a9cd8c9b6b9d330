"""The program `xpm`, typed in a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result
from helpers.simulated_jobs import Lab

from xpm_cli import main
from xpm_core.workspace.workspace import Workspace


@pytest.fixture
def lab(workspace: Workspace, redis_client: redis.Redis) -> Lab:
    return Lab(workspace, redis_client)


@pytest.fixture
def xpm(workspace: Workspace, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Type a command: `xpm("show", "3f2a91c")`. It runs in the workspace's directory, piped."""
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    for name in ("XPM_WORKSPACE", "COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(workspace.path)
    return lambda *words, **options: CliRunner().invoke(main, [str(word) for word in words], **options)


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory that is in no workspace."""
    folder = tmp_path_factory.mktemp("outside")
    monkeypatch.chdir(folder)
    return folder
