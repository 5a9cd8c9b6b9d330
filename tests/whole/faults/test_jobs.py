"""Outputs and progress while servers are away and workers die: outputs arrive, each once, and no job waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import jobapi_tasks as tasks
import psutil
import pytest
from helpers.playground import Stage
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core.states import State

pytestmark = [pytest.mark.redis, pytest.mark.faults]


class Place:
    """A stage of this test's own, whose server and workers may be killed."""

    def __init__(self, folder: Path, server: PrivateServer) -> None:
        self.server = server
        self.stage = Stage(folder, server)
        self.heard: list[int] = []

    def learn(self, gate: Path, pause: int) -> tasks.Learn:
        """A task that stops after so many steps, submitted by the caller."""
        learn = tasks.Learn.C(note="x", saving=tasks.Saving.C(), gate=gate, pause=pause)
        return learn.watch_output(learn.saving.saved, lambda saved: self.heard.append(saved.step))

    def wait_for(self, *steps: int) -> None:
        """Wait until these were heard of, and nothing else."""
        wait_until(lambda: len(self.heard) >= len(steps), show=lambda: self.heard)
        assert self.heard == list(steps)


@pytest.fixture
def place(fresh_server: Callable[..., PrivateServer], tmp_path: Path) -> Iterator[Place]:
    """A workspace, and a server that keeps its data."""
    place = Place(tmp_path, fresh_server(aof=True))
    yield place
    place.stage.close()


def test_outputs_of_an_outage_arrive_afterwards_and_before_the_end(place: Place, tmp_path: Path) -> None:
    place.stage.start_workers("--lease", "10")
    gate = tmp_path / "gate"
    with place.stage.experiment(lease_s=10.0) as xp:
        learn = place.learn(gate, pause=10)
        learn.submit()
        place.wait_for(10)
        place.server.stop()
        gate.touch()
        wait_until(lambda: any(learn.jobpath.rglob("30.txt")), show=lambda: list(learn.jobpath.rglob("*")))
        place.server.start()
        assert xp.wait()
        place.wait_for(10, 20, 30)
    assert place.stage.runs(learn) == 1


def test_outputs_of_a_worker_that_is_killed_are_told_once(place: Place, tmp_path: Path) -> None:
    place.stage.start_workers("--lease", "2")
    gate = tmp_path / "gate"
    with place.stage.experiment(lease_s=2.0) as xp:
        learn = place.learn(gate, pause=20)
        learn.submit()
        place.wait_for(10, 20)
        for worker in place.stage.workers():
            psutil.Process(worker.pid).kill()
        gate.touch()
        assert xp.wait()
        place.wait_for(10, 20, 30)
    job = place.stage.job(learn)
    assert (job.losses, job.attempts) == (1, 2)


def test_a_job_that_tells_much_is_not_held_up_by_an_outage(place: Place, tmp_path: Path) -> None:
    place.stage.start_workers("--lease", "10")
    with place.stage.experiment(lease_s=10.0) as xp:
        busy = tasks.Busy.C(calls=300_000, until=tmp_path / "gate").submit()
        wait_until(lambda: place.stage.job(busy).progress, show=lambda: place.stage.job(busy))
        place.server.stop()
        wait_until((busy.jobpath / "called").exists)
        (tmp_path / "gate").touch()
        place.server.start()
        assert xp.wait()
    assert place.stage.job(busy).state is State.DONE
