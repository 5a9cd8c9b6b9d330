"""Workers that are cut off from their server by the network: no reset, no refusal, only silence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, Worker, alive, code_of, frozen
from helpers.network_namespaces import Island
from helpers.ports import free_port
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults]

LEASE_S = 1.5


class Shore:
    """A crew on this machine, and a worker on an island that uses the same server and the same disk."""

    def __init__(self, crew: Crew, island: Island, url: str) -> None:
        self.crew, self.island, self.url = crew, island, url

    def settler(self, lease_s: float = LEASE_S) -> Worker:
        """Start a worker there, and wait until it blocks for work."""
        env = {"XPM_REDIS_URL": self.url}
        worker = self.crew.started("--name", "island", lease_s=lease_s, env=env, prefix=self.island.prefix)
        self.waits("island")
        return worker

    def neighbour(self) -> Worker:
        """Start a worker here, and wait until it blocks for work."""
        worker = self.crew.started("--name", "shore", lease_s=LEASE_S)
        self.waits("shore")
        return worker

    def waits(self, name: str) -> None:
        """Wait until a worker is listed as idle."""
        key = keys.idle(self.crew.workspace.id, "default")
        wait_until(lambda: any(each.startswith(name.encode()) for each in self.crew.client.zrange(key, 0, -1)))


@pytest.fixture
def shore(
    island: Island, fresh_server: Callable[..., PrivateServer], workspace: Workspace, tmp_path: Path
) -> Iterator[Shore]:
    port = free_port(island.host)
    server = fresh_server(options={"bind": island.host, "port": str(port), "protected-mode": "no"})
    crew = Crew(workspace, server.url, tmp_path)
    yield Shore(crew, island, f"redis://{island.host}:{port}/0")
    crew.dismiss()


def lease_ends_s(crew: Crew, task: tasks.Wait) -> float:
    """When the lease of a running job ends, by the server's clock."""
    ends = crew.client.zscore(keys.leases(crew.workspace.id), crew.job(task).identity)
    assert ends is not None
    return float(ends) / 1000


def worker_of(crew: Crew, task: tasks.Wait | tasks.Write) -> str:
    """The worker that a job was done by, once it is: its directory tells."""
    record = crew.directory(task).record(crew.wait(task).execution)
    assert record is not None, "written before the server was told"
    return str(record["worker"])


def test_a_job_freezes_before_its_lease_ends_and_the_late_worker_is_refused(shore: Shore, tmp_path: Path) -> None:
    crew, worker = shore.crew, shore.settler(lease_s=4)
    crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    job = code_of(crew, task)
    shore.island.cut()
    wait_until(lambda: frozen(job), show=lambda: worker.log)
    last_s = (crew.directory(task).path / "alive").stat().st_mtime  # the server has the same clock
    assert last_s < lease_ends_s(crew, task), "nobody else could have begun it by then"
    crew.started("--name", "shore", lease_s=LEASE_S)
    second = code_of(crew, task, other_than=job.pid)
    assert frozen(job), "it never runs beside its successor"
    (tmp_path / "go").touch()
    ended = crew.wait(task)
    assert not alive(second)
    assert frozen(job)
    shore.island.mend()
    wait_until(lambda: not alive(job), show=lambda: worker.log)
    wait_until(lambda: "another worker has the job" in worker.log, show=lambda: worker.log)
    assert worker_of(crew, task).startswith("shore")
    assert crew.job(task) == ended
    wait_until(lambda: crew.directory(task).marker() == ("done", ended.execution), show=crew.directory(task).marker)
    crew.submit(task := tasks.Wait.C(note="y", until=tmp_path / "go"))
    crew.wait(task)


def test_a_job_that_ends_while_its_worker_is_cut_off_counts_for_whoever_took_it(shore: Shore, tmp_path: Path) -> None:
    crew, worker = shore.crew, shore.settler()
    crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    code_of(crew, task)
    directory = crew.directory(task)
    shore.island.cut()
    (tmp_path / "go").touch()
    wait_until(directory.records, show=lambda: crew.explain(task))
    (late,) = directory.records()
    assert (late["reason"], directory.marker()) == ("done", None)
    shore.neighbour()
    ended = crew.wait(task)
    assert ended.execution != late["execution"]
    wait_until(lambda: directory.marker() == ("done", ended.execution), show=directory.marker)
    shore.island.mend()
    wait_until(lambda: "another execution has taken its place" in worker.log, show=lambda: worker.log)
    assert crew.job(task) == ended
    assert directory.marker() == ("done", ended.execution)


def test_a_worker_whose_job_nobody_took_goes_on_with_it(shore: Shore, tmp_path: Path) -> None:
    crew, worker = shore.crew, shore.settler()
    crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    job = code_of(crew, task)
    shore.island.cut()
    wait_until(lambda: frozen(job), show=lambda: worker.log)
    wait_until(lambda: server_time(crew.client) > lease_ends_s(crew, task) + LEASE_S)
    shore.island.mend()
    wait_until(lambda: not frozen(job), show=lambda: worker.log)
    (tmp_path / "go").touch()
    assert crew.wait(task).attempts == 1
    assert [record["reason"] for record in crew.directory(task).records()] == ["done"]


def test_nothing_is_stuck_in_the_dead_connection_of_a_worker_that_waits(shore: Shore) -> None:
    crew, worker = shore.crew, shore.settler()
    shore.island.cut()
    crew.submit(task := tasks.Write.C(note="x"))
    assert crew.state(task) is State.READY, "its wake-up went nowhere; the job did not go with it"
    other_worker = crew.start("--burst", lease_s=LEASE_S)
    assert crew.wait(task).attempts == 1
    assert other_worker.left() == 0
    crew.submit(other := tasks.Write.C(note="y"))
    shore.island.mend()
    job = crew.wait(other)
    assert (job.attempts, worker_of(crew, other).startswith("island")) == (1, True), worker.log


def test_a_neighbour_runs_what_a_worker_that_is_cut_off_was_woken_for(shore: Shore) -> None:
    crew, neighbour = shore.crew, shore.neighbour()
    shore.settler()
    shore.island.cut()
    jobs = [tasks.Write.C(note=f"n{n}") for n in range(3)]
    for job in jobs:
        crew.submit(job)
        assert worker_of(crew, job).startswith("shore"), neighbour.log


def test_an_idle_worker_is_there_again_after_a_partition(shore: Shore) -> None:
    crew, worker = shore.crew, shore.settler()
    (before,) = crew.known()
    shore.island.cut()
    wait_until(lambda: not crew.known(), show=crew.known)
    shore.island.mend()
    wait_until(lambda: [each.name for each in crew.known()] == [before.name], show=lambda: worker.log)
    crew.submit(task := tasks.Write.C(note="x"))
    crew.wait(task)


SCRIPT = """
import sys
from pathlib import Path
import worker_tasks
from xpm_core import experiment

workspace, url, until = sys.argv[1:]
if __name__ == "__main__":
    with experiment(workspace, "cut", redis=url, workers=0, lease_s=1.5):
        worker_tasks.Wait.C(note="x", until=Path(until)).submit()
"""


def test_a_script_that_is_cut_off_for_a_while_learns_what_became_of_its_job(shore: Shore, tmp_path: Path) -> None:
    crew, task = shore.crew, tasks.Wait.C(note="x", until=tmp_path / "go")
    shore.neighbour()
    (tmp_path / "sweep.py").write_text(SCRIPT)
    command = [sys.executable, tmp_path / "sweep.py", crew.workspace.path, shore.url, task.until]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with open(tmp_path / "said", "wb") as said:
        script = subprocess.Popen([*shore.island.prefix, *command], stdout=said, stderr=said, env=environment)
    try:
        code_of(crew, task)
        shore.island.cut()
        task.until.touch()
        crew.wait(task)
        assert script.poll() is None, "it has not heard of it"
        shore.island.mend()
        assert script.wait(60) == 0, (tmp_path / "said").read_text()
        assert "1 done" in (tmp_path / "said").read_text()
    finally:
        script.kill()
        script.wait()
