"""Servers that go away for long, are replicas for a while, or lose everything: no job is lost or done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, alive, code_of, frozen
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core import experiment
from xpm_core.identity import seal
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.workspace import Workspace
from xpm_worker.system.clock import boot_time

pytestmark = [pytest.mark.redis, pytest.mark.faults]

LEASE_S = 1.0


@pytest.fixture
def server(fresh_server: Callable[..., PrivateServer]) -> PrivateServer:
    return fresh_server(aof=True)


@pytest.fixture
def crew(workspace: Workspace, server: PrivateServer, tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(workspace, server.url, tmp_path)
    yield crew
    crew.dismiss()


def running(crew: Crew, count: int, until: Path) -> dict[tasks.Wait, psutil.Process]:
    """Tasks that wait for a file, and the processes that run their code."""
    jobs = [tasks.Wait.C(note=f"n{n}", until=until) for n in range(count)]
    crew.submit(*jobs)
    return {job: code_of(crew, job) for job in jobs}


def written(crew: Crew, task: tasks.Wait) -> int:
    """How much the code of a task has written so far."""
    return (crew.directory(task).path / "alive").stat().st_size


def test_jobs_outlive_an_outage_of_several_leases_and_are_finished_by_the_same_executions(
    crew: Crew, server: PrivateServer, tmp_path: Path
) -> None:
    daemons = [crew.started(slots=2, lease_s=LEASE_S) for _ in range(2)]
    jobs = running(crew, 3, tmp_path / "go")
    executions = {task: crew.job(task).execution for task in jobs}
    server.stop()
    for process in jobs.values():
        wait_until(lambda process=process: frozen(process), show=lambda: daemons[0].log)
    stood = {task: written(crew, task) for task in jobs}
    until = boot_time() + 3 * LEASE_S
    wait_until(lambda: boot_time() > until)
    assert {task: written(crew, task) for task in jobs} == stood, "frozen all the while"
    assert all(map(alive, jobs.values()))
    server.start()
    for task, process in jobs.items():
        wait_until(lambda process=process: not frozen(process), show=lambda: daemons[0].log)
        wait_until(lambda task=task: written(crew, task) > stood[task])
    (tmp_path / "go").touch()
    for task in jobs:
        job = crew.wait(task)
        assert (job.execution, job.attempts, job.losses) == (executions[task], 1, 0)
        assert [record["reason"] for record in crew.directory(task).records()] == ["done"]
    wait_until(lambda: len(crew.known()) == 4, show=crew.known)


def test_a_server_that_is_a_replica_for_a_while_is_waited_for(
    crew: Crew, server: PrivateServer, tmp_path: Path
) -> None:
    """As after a failover: it answers, and refuses what writes."""
    worker = crew.started(slots=2, lease_s=LEASE_S)
    ((task, process),) = running(crew, 1, tmp_path / "go").items()
    with server.client() as client:
        client.config_set("replica-serve-stale-data", "yes")
        client.replicaof("127.0.0.1", "1")
        wait_until(lambda: frozen(process), show=lambda: worker.log)
        wait_until(lambda: "READONLY" in worker.log or "read only" in worker.log, show=lambda: worker.log)
        client.replicaof("NO", "ONE")
    wait_until(lambda: not frozen(process), show=lambda: worker.log)
    (tmp_path / "go").touch()
    assert crew.wait(task).attempts == 1
    crew.submit(other := tasks.Write.C(note="afterwards"))
    crew.wait(other)


def test_a_server_restarted_amid_many_short_jobs_loses_and_doubles_none(crew: Crew, server: PrivateServer) -> None:
    crew.started(slots=2, lease_s=LEASE_S)
    jobs = [tasks.Nap.C(note=f"n{n}") for n in range(40)]
    crew.submit(*jobs)
    for done in (5, 15, 25):
        wait_until(lambda done=done: Reader(crew.client, crew.workspace.id).jobs.counts()[State.DONE] >= done)
        server.stop()  # in good order: the AOF has all that was acknowledged
        server.start()
    for job in jobs:
        crew.wait(job)
        reasons = [record["reason"] for record in crew.directory(job).records()]
        assert reasons == ["done"], reasons


def test_a_script_rebuilds_from_directories_what_was_wiped_amid_the_work(
    crew: Crew, server: PrivateServer, tmp_path: Path
) -> None:
    worker = crew.started(slots=2, lease_s=LEASE_S)
    done, waiting = [tasks.Write.C(note=f"n{n}") for n in range(3)], tasks.Wait.C(note="x", until=tmp_path / "go")
    crew.submit(*done, waiting)
    for task in done:
        crew.wait(task)
        wait_until(lambda task=task: crew.directory(task).marker() is not None)
    process = code_of(crew, waiting)
    names = {each.name for each in crew.known()}
    crew.client.flushall()
    wait_until(lambda: not alive(process), show=lambda: worker.log)  # nobody could tell whether another has it
    wait_until(lambda: {each.name for each in crew.known()} == names, show=crew.known)
    (tmp_path / "go").touch()
    with experiment(crew.workspace.path, "again", redis=server.url, workers=0) as xp:
        for task in done:
            tasks.Write.C(note=task.note).submit()
        tasks.Wait.C(note="x", until=tmp_path / "go").submit()
        xp.wait()
    for task in done:
        assert len(crew.directory(task).records()) == 1, "taken from its directory"
    records = crew.directory(waiting).records()
    assert [record["reason"] for record in records] == ["lost", "done"]
    assert crew.client.zcard(keys.leases(crew.workspace.id)) == 0
    assert crew.job(waiting).identity == seal(waiting)
