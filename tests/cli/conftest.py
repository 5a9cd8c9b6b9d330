"""The program `xpm`, typed in a workspace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result
from helpers.every_state import EveryState
from helpers.import_folders import forget_modules
from helpers.private_server import running
from helpers.simulated_jobs import Lab
from helpers.typed_commands import AWAY, Shell

from xpm_cli import main
from xpm_core.server.binary import ServerProgram
from xpm_core.states import State
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
def shell(workspace: Workspace, redis_url: str, tmp_path: Path) -> Shell:
    """The same, with each command as a process."""
    return Shell(workspace.path, redis_url, tmp_path / "home")


@dataclass(frozen=True)
class Scene:
    """A workspace with a job in each state, which no test changes.

    Attributes:
        shell: A shell in it.
        ids: The identities of the jobs, by state.
    """

    shell: Shell
    ids: dict[State, str]


@pytest.fixture(scope="session")
def scene(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A workspace with a job in each state, on a server of its own. Tests only look."""
    folder = tmp_path_factory.mktemp("scene")
    with running(server_program) as server, server.client() as client:
        workspace = Workspace.open(folder / "workspace")
        jobs = EveryState(workspace, client)
        (workspace.path / "study.yaml").write_text("workspace: .\nexperiment: study\nrun: study.py\n")
        (workspace.path / "study.py").write_text("def run(xp):\n    pass\n")
        yield Scene(Shell(workspace.path, server.url, folder / "home"), jobs.ids)


@pytest.fixture
def seen(scene: Scene, xpm: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Type a command in the scene, as `xpm` does; with `away=True`, its server cannot be had."""
    monkeypatch.chdir(scene.shell.folder)

    def typed(*words: object, away: bool = False, **options: Any) -> Result:
        monkeypatch.setenv("XPM_REDIS_URL", AWAY if away else scene.shell.url)
        return xpm(*words, **options)

    with monkeypatch.context() as path:
        path.setattr(sys, "path", [*sys.path])
        yield typed
    forget_modules(scene.shell.folder)


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory that is in no workspace."""
    folder = tmp_path_factory.mktemp("outside")
    monkeypatch.chdir(folder)
    return folder
