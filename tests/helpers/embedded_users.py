"""Processes that use a workspace's own server, and may be killed.

`from helpers.embedded_users import Script`; the fixture around it is in core/server/embedded/conftest.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from xpm_core.server import connection
from xpm_core.server.embedded.record import process_start
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace

BEGINNING = """
import os, signal, sys
from xpm_core.server import connection
from xpm_core.server.embedded import process, record
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace
workspace = Workspace.open(sys.argv[1])
"""


def incr(server: EmbeddedServer, key: str = "count") -> int:
    with connection.open(server.url) as client:
        return int(client.incr(key))


def data_folder(workspace: Workspace) -> Path:
    return workspace.path / ".xpm" / "redis"


def gone(pid: int) -> bool:
    return process_start(pid) is None


class Script:
    """A process that runs Python lines with `workspace` at hand; it prints, and waits on its standard input."""

    def __init__(self, workspace: Workspace, lines: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGINNING + lines, str(workspace.path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def finish(self) -> str:
        """Let it go on, and return the rest that it prints."""
        said, _ = self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0, said
        return said.strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


USES = """
server = EmbeddedServer.attach(workspace)
print(server.pid, flush=True)
sys.stdin.readline()
"""
