"""Users of an embedded server, and none of its processes left after a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from helpers.embedded_users import USES, Script, data_folder

from xpm_core.errors import EmbeddedServerError
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace


@pytest.fixture
def script(workspace: Workspace) -> Iterator[Callable[..., Script]]:
    """Start scripts that are killed at the end of the test, if they still run."""
    started: list[Script] = []

    def start(lines: str = USES, *arguments: str) -> Script:
        started.append(Script(workspace, lines, *arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()
        for stream in (each.process.stdin, each.process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture(autouse=True)
def no_server_left(workspace: Workspace) -> Iterator[None]:
    """Stop the workspace's server after a test that failed half-way, as its last user would."""
    yield
    if (data_folder(workspace) / "server.json").exists():
        with suppress(EmbeddedServerError):
            EmbeddedServer.attach(workspace).close()
