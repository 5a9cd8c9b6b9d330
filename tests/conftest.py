"""Fixtures for all tests: private servers, fresh workspaces, workers and scripts. Helpers to import are in helpers/."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from helpers.import_folders import on_path
from helpers.marks import any_server_holds
from helpers.private_server import PrivateServer, running
from helpers.store_client import StoreClient
from hypothesis import HealthCheck, settings

from xpm_core.errors import ServerNotFoundError
from xpm_core.server import connection
from xpm_core.server.binary import ServerProgram, find_server

os.environ.setdefault("XPM_SNAPSHOT", "0")  # see `snapshots_on`
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes are started: each would compile all of it
sys.dont_write_bytecode = False  # this process has read that variable already

# A shell that runs this in the background has SIGINT ignored, which programs that tests start would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as under nohup, which is to protect this process alone
    signal.signal(signal.SIGHUP, lambda *_: None)

# Whatever else holds here (in CI the examples are the same each time), no example fails for a machine that is busy.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

if TYPE_CHECKING:
    from helpers.daemons import Crew
    from helpers.network_namespaces import Island
    from helpers.playground import Stage
    from helpers.user_scripts import Desktop

    from xpm_core.workspace.workspace import Workspace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: a run on several processes would wait for one that came last.

    Tests of what people see, of the code of jobs, and of their processes, get the mark `shows`.
    """
    for path, tests in itertools.groupby(items, key=lambda item: item.path):
        if any_server_holds(path):
            for item in tests:
                item.add_marker(pytest.mark.shows)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Spare the garbage collector ten thousand tests, which stay until the end. A look at all of them takes 0.3 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's own servers and settings out of every test."""
    for name in ("XPM_REDIS_URL", "REDIS_URL", "RQ_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-settings"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session", autouse=True)
def copies_of_code_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let workers copy code into a folder of this run of tests, and not into that of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path_factory.getbasetemp() / "host"))
        yield


@pytest.fixture(scope="session", autouse=True)
def folder_for_inner_pytests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a pytest that a test starts use a folder of this run of tests.

    Otherwise, at its end it would delete what older runs have left in the folder of the user, which can take minutes.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DEBUG_TEMPROOT", str(tmp_path_factory.mktemp("inner-pytests")))
        yield


@pytest.fixture
def snapshots_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs use snapshots of the code, as they do for users. All other tests use live code, which costs less."""
    monkeypatch.delenv("XPM_SNAPSHOT")


@pytest.fixture(scope="session")
def server_program() -> ServerProgram:
    """The server program; without one, tests that need it skip, or fail in CI (CI=true)."""
    try:
        return find_server()
    except ServerNotFoundError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def redis_server(server_program: ServerProgram) -> Iterator[PrivateServer]:
    """The session's private server, without AOF. Do not stop it: for that there is `fresh_server`."""
    with running(server_program) as server:
        yield server


@pytest.fixture
def redis_client(redis_server: PrivateServer) -> Iterator[redis.Redis]:
    """A client of the private server, emptied, as the store makes them. Replies are bytes."""
    with connection.open(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def redis_url(redis_server: PrivateServer, redis_client: redis.Redis) -> str:
    """Where the private server is, emptied."""
    return redis_server.url


@pytest.fixture
def desk(redis_client: redis.Redis) -> StoreClient:
    """A script's and a worker's side of an empty store."""
    return StoreClient(redis_client)


@pytest.fixture
def fresh_server(server_program: ServerProgram) -> Iterator[Callable[..., PrivateServer]]:
    """Start a server of the test's own, to stop and kill: `fresh_server(aof=True, options={...})`."""
    servers: list[PrivateServer] = []

    def start(*, aof: bool = False, options: dict[str, str] | None = None) -> PrivateServer:
        server = PrivateServer(server_program, aof=aof, options=options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A fresh workspace."""
    from xpm_core.workspace.workspace import Workspace

    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def crew(workspace: Workspace, redis_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Daemons of xpm-worker on the private server, and tasks for them."""
    from helpers.daemons import Crew

    crew = Crew(workspace, redis_url, tmp_path)
    yield crew
    crew.dismiss()


@pytest.fixture(scope="module")
def residents(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A crew for all tests of a file, with a server and one worker that stay. Each test has tasks of its own."""
    from helpers.daemons import Crew

    from xpm_core.workspace.workspace import Workspace

    folder = tmp_path_factory.mktemp("residents")
    with running(server_program) as server:
        crew = Crew(Workspace.open(folder / "workspace"), server.url, folder)
        try:
            crew.resident = crew.started("--name", "resident")
            yield crew
        finally:
            crew.dismiss()


@pytest.fixture(scope="module")
def stage(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A workspace, a server of its own, and two workers. Each test takes a name and a note of its own."""
    from helpers.playground import Stage

    with running(server_program) as server:
        stage = Stage(tmp_path_factory.mktemp("stage"), server)
        try:
            stage.start_workers()
            yield stage
        finally:
            stage.close()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A folder of modules, in front of this process's path."""
    yield from on_path(tmp_path / "modules")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The same of packages that count as installed; workers find them with `--pythonpath`."""
    yield from on_path(tmp_path / "site-packages")


@pytest.fixture
def desktop(tmp_path: Path, server_program: ServerProgram) -> Iterator[Desktop]:
    """Scripts in files, run in processes of their own; what they leave behind is ended."""
    from helpers.user_scripts import Desktop

    desktop = Desktop(tmp_path)
    yield desktop
    desktop.clear()


@pytest.fixture
def island() -> Iterator[Island]:
    """A network namespace; only root can make one."""
    from helpers.network_namespaces import Island
    from helpers.project_files import require

    if os.geteuid() != 0:
        pytest.skip("needs root, to make a network namespace")
    require(shutil.which("ip"), "ip (iproute2)")
    try:
        island = Island()
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    yield island
    island.sink()
