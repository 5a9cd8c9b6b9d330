"""Whether a workspace's own server runs, without starting it."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_core.server import connection
from xpm_core.server.embedded.running import running_url
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace


@pytest.mark.redis
def test_a_server_that_runs_has_an_address(tmp_path: Path) -> None:
    assert running_url(tmp_path / "nowhere") is None
    workspace = Workspace.open(tmp_path)
    assert running_url(tmp_path) is None
    with EmbeddedServer.attach(workspace):
        url = running_url(workspace.path)
        assert url is not None
        with connection.open(url) as client:
            assert client.ping()
    assert running_url(workspace.path) is None
