"""A starter and its mother, spoken to without a server."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from helpers.starter_client import StarterClient
from helpers.waiting import PATIENCE_S

from xpm_core.workspace.workspace import Workspace
from xpm_worker.starter import fork_server


@pytest.fixture
def mother() -> Iterator[socket.socket]:
    """The way to a mother."""
    ours, hers = socket.socketpair()
    process = fork_server.start_mother(hers, fork_server.clean_environment(os.environ, ""))
    hers.close()
    yield ours
    ours.close()
    assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def starter(mother: socket.socket, workspace: Workspace) -> Iterator[StarterClient]:
    starter = StarterClient(mother, workspace)
    yield starter
    starter.channel.close()
