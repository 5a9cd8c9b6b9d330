"""A starter and its fork server, spoken to without a server."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from helpers.starter_client import StarterClient
from helpers.waiting import PATIENCE_S

from xpm_core.job.environment import clean_environment
from xpm_core.workspace.workspace import Workspace
from xpm_worker.daemon import start_fork_server


@pytest.fixture
def control() -> Iterator[socket.socket]:
    """The way to a fork server."""
    ours, hers = socket.socketpair()
    process = start_fork_server(hers, clean_environment(os.environ, ""))
    hers.close()
    yield ours
    ours.close()
    assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def starter(control: socket.socket, workspace: Workspace) -> Iterator[StarterClient]:
    starter = StarterClient(control, workspace)
    yield starter
    starter.channel.close()
