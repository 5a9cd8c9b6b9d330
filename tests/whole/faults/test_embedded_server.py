"""Daemons on a workspace's own server: they use it, start it again, and leave it when they go."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, Worker, alive
from helpers.waiting import wait_until

from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults]


class Home:
    """A workspace with a server of its own, and a crew of whose daemons nobody says where it is."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.server = EmbeddedServer.attach(workspace)
        self.crew = Crew(workspace, self.server.url, folder)

    def start(self, *options: str, slots: int = 1) -> Worker:
        return self.crew.started(*options, slots=slots, lease_s=1.5, env={"XPM_REDIS_URL": ""})


@pytest.fixture
def home(workspace: Workspace, tmp_path: Path) -> Iterator[Home]:
    home = Home(workspace, tmp_path)
    yield home
    home.crew.dismiss()
    home.server.close()


def runs(home: Home, task: tasks.Wait) -> None:
    """Wait until a task's code runs: a job that was only just claimed is given back by a worker that is to leave."""
    home.crew.wait(task, State.RUNNING)
    wait_until((home.crew.directory(task).path / "pid").exists)


def test_the_server_stays_until_the_last_slot_has_left(home: Home, tmp_path: Path) -> None:
    worker = home.start()
    home.crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    runs(home, task)
    server = psutil.Process(home.server.pid)
    home.crew.client.close()
    home.server.close()
    worker.send(signal.SIGINT)
    wait_until(lambda: "SIGINT" in worker.log)
    assert server.is_running(), "a job still runs"
    (tmp_path / "go").touch()
    assert worker.left() == 0
    wait_until(lambda: not server.is_running())
    marker = home.crew.directory(task).marker()
    assert marker is not None
    assert marker.kind == "done"


def test_a_daemon_whose_workspace_was_removed_ends_its_jobs_and_its_server_and_leaves(home: Home) -> None:
    worker = home.start("--grace", "600", slots=2)
    jobs = [tasks.Stubborn.C(note=f"{number}") for number in range(2)]
    home.crew.submit(*jobs, *(tasks.Stubborn.C(note=f"more {number}") for number in range(3)))
    for job in jobs:
        wait_until((home.crew.directory(job).path / "ready").exists, show=lambda: worker.log)
    server, everything = psutil.Process(home.server.pid), psutil.Process(worker.process.pid).children(recursive=True)
    home.crew.client.close()
    home.server.close()
    shutil.rmtree(home.crew.workspace.path)
    assert worker.left() == 0
    wait_until(lambda: not any(map(alive, [server, *everything])), show=lambda: worker.log)
    assert "its directory was removed" in worker.log


def test_a_daemon_whose_workspace_was_moved_goes_on(home: Home, tmp_path: Path) -> None:
    worker = home.start()
    home.crew.workspace.path.rename(tmp_path / "moved")
    (tmp_path / "moved").rename(home.crew.workspace.path)
    home.crew.submit(task := tasks.Write.C(note="x"))
    home.crew.wait(task)
    assert worker.process.poll() is None


def test_slots_and_jobs_do_not_keep_the_server_when_the_daemon_is_killed(home: Home) -> None:
    worker = home.start()
    home.crew.submit(task := tasks.Wait.C(note="x", until=Path("/nonexistent")))
    runs(home, task)
    server = psutil.Process(home.server.pid)
    worker.process.kill()
    worker.process.wait()
    home.crew.client.close()
    home.server.close()
    wait_until(lambda: not server.is_running())


def test_a_server_that_was_killed_is_started_again_and_jobs_go_on(home: Home, tmp_path: Path) -> None:
    worker = home.start()
    home.crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    runs(home, task)
    os.kill(home.server.pid, signal.SIGKILL)
    wait_until(lambda: "answers again" in worker.log, show=lambda: worker.log)
    (tmp_path / "go").touch()
    wait_until(lambda: home.crew.directory(task).marker() is not None, show=lambda: worker.log)
    assert home.crew.state(task) is State.DONE
    assert home.crew.job(task).attempts == 1
