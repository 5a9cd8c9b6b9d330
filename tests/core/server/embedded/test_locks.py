"""Places in the lock of a server's users: whose they are when processes fork, and who shares them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest
from helpers.embedded_users import Script, data_folder, gone, incr
from helpers.waiting import wait_until

from xpm_core.errors import EmbeddedServerError
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.usefixtures("server_program")]


def test_a_server_elsewhere_that_locks_its_folder_from_there_is_not_touched(workspace: Workspace) -> None:
    with EmbeddedServer.attach(workspace) as server:
        file = data_folder(workspace) / "server.json"
        content = file.read_text()
        file.write_text(json.dumps(json.loads(content) | {"host": "node7", "boot": "another"}))
        with pytest.raises(EmbeddedServerError, match="it runs on host node7"):
            EmbeddedServer.attach(workspace)
        assert incr(server) == 1
        file.write_text(content)
    wait_until(lambda: gone(server.pid))


FORKS = """
server = EmbeddedServer.attach(workspace)
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    server.close()
    os.write(writing, b".")
    signal.pause()
os.read(reading, 1)  # the child runs, so it has left the locks to its parent
print(server.pid, child, flush=True)
sys.stdin.readline()
server.close()
"""


def test_a_forked_child_is_no_user(script: Callable[..., Script]) -> None:
    parent = script(FORKS)
    pid, child = map(int, parent.read().split())
    assert parent.process.stdin is not None
    parent.process.stdin.write("\n")
    parent.process.stdin.flush()
    parent.process.wait(timeout=60)
    wait_until(lambda: gone(pid))
    os.kill(child, signal.SIGKILL)


def test_a_forked_child_does_not_hold_its_killed_parents_place(
    workspace: Workspace, script: Callable[..., Script]
) -> None:
    parent = script(FORKS)
    pid, child = map(int, parent.read().split())
    os.kill(parent.process.pid, signal.SIGKILL)
    parent.process.wait()
    with EmbeddedServer.attach(workspace) as server:
        assert server.pid == pid
    wait_until(lambda: gone(pid))
    os.kill(child, signal.SIGKILL)
