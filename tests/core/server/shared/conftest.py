"""A server for several machines that no test leaves behind, and a program that speaks TLS."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from helpers.project_files import require

from xpm_core.errors import XpmError
from xpm_core.server.binary import ServerProgram
from xpm_core.server.notice import Listening
from xpm_core.server.shared.server import SharedServer, Started
from xpm_core.workspace.workspace import Workspace

HERE = "127.0.0.1"


@pytest.fixture
def start(server_program: ServerProgram, workspace: Workspace) -> Iterator[Callable[..., Started]]:
    """Start the server of the workspace, on this machine's own network: `start(port=4711)`."""

    def started(*, group: bool = False, **wish: Any) -> Started:
        with SharedServer(workspace) as server:
            return server.start(Listening(**({"bind": HERE} | wish)), group=group)

    yield started
    with suppress(XpmError), SharedServer(workspace) as server:
        server.stop()


@pytest.fixture
def with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the distribution's Redis be the server program: it speaks TLS, the wheel's Valkey does not."""
    found = shutil.which("redis-check-rdb")  # the program acts by the name under which it is called
    require(found, "redis-check-rdb (redis-tools)")
    folder = tmp_path / "redis-7"
    folder.mkdir()
    (folder / "redis-server").symlink_to(str(found))
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
