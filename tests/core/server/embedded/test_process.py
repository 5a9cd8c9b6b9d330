"""Starting the embedded server: how xpm sees that it runs, and the error when it does not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.embedded_users import gone
from helpers.waiting import wait_until

from xpm_core.errors import EmbeddedServerError
from xpm_core.server import connection
from xpm_core.server.binary import ServerProgram
from xpm_core.server.embedded import process
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Wrap = Callable[[str], None]


@pytest.fixture
def wrap(server_program: ServerProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wrap:
    """Put a program on PATH that does some lines of shell before the server: `wrap("sleep 1")`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def write(lines: str) -> None:
        program = folder / "redis-server"
        version = f'[ "$1" = --version ] && exec "{server_program.path}" --version'
        program.write_text(f'#!/bin/sh\n{version}\n{lines}\nexec "{server_program.path}" "$@"\n')
        program.chmod(0o755)

    return write


@pytest.mark.parametrize("name", ["another.pid", "no/such/folder.pid"])
def test_a_server_that_writes_its_pid_file_late_is_used(workspace: Workspace, wrap: Wrap, name: str) -> None:
    """Redis 7.0 listens up to 16 ms before it writes the file, and goes on when it cannot write it."""
    folder = workspace.path / ".xpm" / "redis"
    wrap(f'set -- "$@" --pidfile {name}')
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        assert not (folder / "server.pid").exists()
        assert client.info("server")["process_id"] == server.pid
        client.set("key", "value")
    wait_until(lambda: gone(server.pid))
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        assert client.get("key") == b"value"


def test_a_server_that_ends_is_told_by_its_own_words_only(workspace: Workspace, wrap: Wrap) -> None:
    with EmbeddedServer.attach(workspace) as server:
        pass
    wait_until(lambda: gone(server.pid))
    assert "bye bye" in server.log_file.read_text()
    wrap('echo "no room here" >> server.log; exit 0')
    with pytest.raises(EmbeddedServerError, match=r"redis-server \S+ does not start: no room here\. ") as caught:
        EmbeddedServer.attach(workspace)
    assert "bye bye" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named(
    workspace: Workspace, wrap: Wrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = workspace.path / "elsewhere.sock"
    wrap(f'set -- "$@" --unixsocket "{elsewhere}"')
    monkeypatch.setattr(process, "START_S", 3.0)
    words = r"was started \(process (\d+)\), but does not answer at \S+ within 3 s; its log ends: .*ready to accept"
    with pytest.raises(EmbeddedServerError) as caught:
        EmbeddedServer.attach(workspace)
    told = re.search(words, str(caught.value), re.IGNORECASE)
    assert told, caught.value
    wait_until(lambda: gone(int(told[1])))
