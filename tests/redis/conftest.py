"""A stage for experiments, shared by the tests of a module; and folders of modules that a test writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Stage
from support import PrivateServer, on_path

from xpm_core.server.binary import ServerProgram


@pytest.fixture(scope="module")
def stage(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A workspace, a server of its own, and two workers. Each test takes a name and a note of its own."""
    server = PrivateServer(server_program)
    try:
        server.start()
        folder: Path = tmp_path_factory.mktemp("stage")
        stage = Stage(folder, server)
        try:
            stage.start_workers()
            yield stage
        finally:
            stage.close()
    finally:
        server.remove()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A folder of modules, in front of this process's path."""
    yield from on_path(tmp_path / "modules")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The same of packages that count as installed; workers find them with `--pythonpath`."""
    yield from on_path(tmp_path / "site-packages")
