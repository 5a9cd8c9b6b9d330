"""Servers whose workspace was removed are ended by the next start."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.embedded_users import Script, gone, incr
from helpers.waiting import wait_until

from xpm_core.errors import EmbeddedServerError
from xpm_core.server import connection
from xpm_core.server.embedded import server as embedded
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.usefixtures("server_program")]


def test_a_workspace_that_was_deleted_takes_its_server_along(workspace: Workspace) -> None:
    server = EmbeddedServer.attach(workspace)
    shutil.rmtree(workspace.path)
    again = EmbeddedServer.attach(Workspace.open(workspace.path))
    with pytest.raises(EmbeddedServerError, match="its folder was removed while it ran"):
        server.revive()
    server.close()
    wait_until(lambda: gone(server.pid))
    assert incr(again) == 1
    again.close()
    wait_until(lambda: gone(again.pid))


def test_a_server_whose_folder_was_removed_after_its_users_died_is_ended_by_the_next_start(
    workspace: Workspace, script: Callable[..., Script], tmp_path: Path
) -> None:
    users = [script() for _ in range(2)]
    pid = int(users[0].read())
    assert int(users[1].read()) == pid
    shutil.rmtree(workspace.path)
    with connection.open(f"unix://{embedded.RUNTIME_FOLDER}/{workspace.id}.sock") as client:
        client.ping()
        EmbeddedServer.attach(Workspace.open(tmp_path / "second")).close()
        assert not gone(pid), "somebody is connected to it"
    for each in users:
        each.kill()
    EmbeddedServer.attach(Workspace.open(tmp_path / "third")).close()
    wait_until(lambda: gone(pid))
